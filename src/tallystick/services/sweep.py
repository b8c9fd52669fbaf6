"""Take up what was begun and not recorded in time, of every tenant."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tallystick.db.engine import Tx
from tallystick.db.leases import Leased
from tallystick.services.claim import lease_seconds
from tallystick.services.context import App
from tallystick.services.each_alone import each_alone

AT_ONCE = 8
"""So many wait for their provider together; no connection is held meanwhile."""

Work = TypeVar("Work", bound=Leased)


async def sweep(
    app: App,
    lease: Callable[[Tx, int, float], Awaitable[list[Work]]],
    take_up: Callable[[Work], Awaitable[None]],
    *,
    work: str,
) -> int:
    """Take up all that is due, and return how many were taken up.

    `lease` leases so many, for so many seconds, and says which. Each is leased before it is
    taken up: another worker leaves it alone until the lease is over, and so does this one, so
    one that fails waits for a later sweep.
    """
    total = 0
    while True:
        async with app.transaction() as tx:
            due = await lease(tx, AT_ONCE, lease_seconds(app))
        total += await each_alone(due, take_up, at_once=AT_ONCE, work=work)
        if len(due) < AT_ONCE:
            return total
