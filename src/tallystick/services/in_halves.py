"""Do the same to a set at once; what fails is halved until the bad one is alone."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import structlog

from tallystick.db.engine import DatabaseUnavailable
from tallystick.db.refusals import Contention, LockTimeout, StatementTimeout

REASON_CHARACTERS_MAX = 1000

log = structlog.get_logger(__name__)


async def in_halves(
    ids: Sequence[UUID],
    verb: Callable[[Sequence[UUID]], Awaitable[int]],
    set_aside: Callable[[UUID, str], Awaitable[None]],
) -> int:
    """Apply a verb to all of `ids` together, and return how many it did.

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
            return 0
        middle = len(ids) // 2
        done = await in_halves(ids[:middle], verb, set_aside)
        return done + await in_halves(ids[middle:], verb, set_aside)
