"""What the database may answer instead of doing it, in words that services may catch.

The driver's own classes under our names, because only this room may import the driver. Which
constraint refused is told by `constraint_of`.
"""

import asyncpg

UniqueViolation = asyncpg.UniqueViolationError
"""A row like this exists already; `constraint_of` names the rule."""

CheckViolation = asyncpg.CheckViolationError
"""An invariant of the schema does not hold: a defect, unless a verb asked for the answer."""

LockTimeout = asyncpg.LockNotAvailableError
"""Somebody else has held the row for longer than the lock timeout, or NOWAIT found it held."""

StatementTimeout = asyncpg.QueryCanceledError
"""A statement ran for longer than the statement timeout."""

Contention = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""Two transactions met; one was undone and may simply be tried again."""


NoRoom = (asyncpg.DiskFullError, asyncpg.OutOfMemoryError, asyncpg.PostgresIOError)
"""The server cannot write just now: its disk or its memory is full, or its disk fails."""


def constraint_of(refusal: asyncpg.PostgresError) -> str:
    """Return the name of the constraint or index that refused, or '' when none is named."""
    name = getattr(refusal, "constraint_name", None)
    return name if isinstance(name, str) else ""
