"""Do the same to many objects, so that one that fails stops none of the others."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from tallystick.db.engine import DatabaseUnavailable

Item = TypeVar("Item")

log = structlog.get_logger(__name__)


async def each_alone(
    items: Sequence[Item], verb: Callable[[Item], Awaitable[None]], *, at_once: int, work: str
) -> int:
    """Apply a verb to each item, some at once, and return how many went well.

    A failure is logged with its item, which is expected to be due again later.

    Args:
        items: What is to be done, most urgent first.
        verb: How to do one of it.
        at_once: How many may be under way together.
        work: The name of the work, for the log.

    Raises:
        DatabaseUnavailable: It went away; the rest was not tried.
    """
    waiting = iter(items)
    done = 0
    lost: DatabaseUnavailable | None = None

    async def take_one_after_another() -> None:
        nonlocal done, lost
        for item in waiting:
            if lost is not None:
                return
            try:
                await verb(item)
            except DatabaseUnavailable as reason:
                lost = reason
            except Exception:
                log.exception("work.failed", work=work, item=repr(item))
            else:
                done += 1

    await asyncio.gather(*(take_one_after_another() for _ in range(min(at_once, len(items)))))
    if lost is not None:
        raise lost
    return done
