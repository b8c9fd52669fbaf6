"""Do the same to a set at once; what fails is halved until the bad one is alone.

Sets are taken one after the other from what is due and free, by any number of workers.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

import structlog

from tallystick.db.engine import Database, DatabaseUnavailable, Tx, retrying
from tallystick.db.refusals import Contention, LockTimeout, StatementTimeout

REASON_CHARACTERS_MAX = 1000

Result = TypeVar("Result")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueSets(Generic[Result]):
    """How due work is taken, done and counted, set by set.

    Attributes:
        lock_due: Locks what is due and free, so many at most, and returns it.
        do: Does a set in the transaction; what is not due or not free any more is left out.
        alone: The same for a single one that has failed with others, and by itself; None where
            nothing is done differently then.
        count: Adds up what a committed transaction did, and returns how many that were.
        set_aside: As for `in_halves`.
    """

    lock_due: Callable[[Tx], Awaitable[Sequence[UUID]]]
    do: Callable[[Tx, Sequence[UUID]], Awaitable[Result]]
    count: Callable[[Result], int]
    set_aside: Callable[[UUID, str], Awaitable[None]]
    alone: Callable[[Tx, Sequence[UUID]], Awaitable[Result]] | None = None


async def set_by_set(database: Database, work: DueSets[Result]) -> None:
    """Do what is due, set by set, until nothing of it is free.

    A set is found and locked by one statement that passes over what others have locked. So two
    workers never wait for each other, and never take the same.

    Raises:
        DatabaseUnavailable: It went away; the rest was not done.
    """
    while await _next_set(database, work):
        pass


async def _next_set(database: Database, work: DueSets[Result]) -> int:
    held: list[UUID] = []

    async def take(tx: Tx) -> Result | None:
        held[:] = await work.lock_due(tx)
        return await work.do(tx, held) if held else None

    async def do(ids: Sequence[UUID]) -> int:
        verb = work.do if work.alone is None or len(ids) > 1 else work.alone
        return work.count(await retrying(database, lambda tx: verb(tx, ids)))

    try:
        done = await retrying(database, take)
    except DatabaseUnavailable:
        raise
    except Exception as reason:
        if not held:
            raise
        log.warning("billing.set_failed", size=len(held), reason=repr(reason))
        # Its locks are gone: whoever else has taken some of it meanwhile keeps that.
        return await in_halves(held, do, work.set_aside)
    return 0 if done is None else work.count(done)


async def in_halves(
    ids: Sequence[UUID],
    verb: Callable[[Sequence[UUID]], Awaitable[int]],
    set_aside: Callable[[UUID, str], Awaitable[None]],
) -> int:
    """Apply a verb to all of `ids` together, and return how many are done or set aside.

    Args:
        ids: What is due, at least one.
        verb: Does a set in one transaction, and returns how many it did.
        set_aside: Takes the one that fails alone out of what is due, with the reason. One that
            only waited in vain for somebody else is left due.

    Raises:
        DatabaseUnavailable: It went away; the rest was not tried.
    """
    try:
        return await verb(ids)
    except DatabaseUnavailable:
        raise
    except Exception as reason:
        if len(ids) == 1:
            if isinstance(reason, (*Contention, LockTimeout, StatementTimeout)):
                log.warning("billing.in_other_hands", id=str(ids[0]), reason=repr(reason))
            else:
                log.exception("billing.set_aside", id=str(ids[0]))
                said = f"{type(reason).__name__}: {reason}"[:REASON_CHARACTERS_MAX]
                await set_aside(ids[0], said)
                return 1
            return 0
        middle = len(ids) // 2
        done = await in_halves(ids[:middle], verb, set_aside)
        return done + await in_halves(ids[middle:], verb, set_aside)
