"""Move a test tenant's clock: everything that falls due on the way happens on its day.

The same steps as the worker's, who leaves the tenant alone meanwhile. The clock goes forward
only, and stands frozen where it was moved to.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tallystick.db import due_moments, tenants
from tallystick.db.engine import Tx
from tallystick.domain.errors import Busy, Conflict, Fault
from tallystick.services.context import Context
from tallystick.services.due_work import (
    Done,
    do_due_work,
    expire_sessions_of,
    take_up_again,
)
from tallystick.services.tenant_context import tenant_context

WAIT_SECONDS_MAX = 30.0
"""How long a move waits for payments under way; a provider's call is over by then."""
LOOK_SECONDS = 0.2
BUSY_SECONDS = 5
MOMENTS_MAX = 100_000
"""More due moments than a hundred years of days have; a defect that goes in circles ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockMove:
    """Where the clock stands now, and what happened on the way."""

    now: datetime
    done: Done


async def advance_clock(ctx: Context, to: datetime) -> ClockMove:
    """Move the tenant's clock to an instant, and do what falls due until then, in order.

    A long verb. An interrupted move leaves the clock at the last moment that was finished; the
    same move can be asked for again. What was set aside is tried once more.

    Raises:
        Conflict: The tenant is live, or the instant lies before its now.
        Busy: Payments are under way, or somebody else moves the clock.
    """
    if not ctx.tenant.is_test:
        raise Conflict("Only a test tenant has a clock that can be moved")
    async with ctx.app.database.own_connection() as holder:
        await _take_clock(ctx, holder)
        fresh = await tenant_context(ctx.app, holder, ctx.tenant.id, ctx.now, ctx.actor)
        if to < fresh.now:
            told = fresh.now.astimezone(UTC).isoformat(timespec="milliseconds")
            fault = Fault("to", "in_the_past", f"must not be before the tenant's now, {told}")
            raise Conflict(f"A clock goes forward only: {fault.message}", (fault,))
        await _wait_for_payments(ctx, holder)
        await take_up_again(fresh, 0)
        return await _walk(fresh, holder, to)


async def _walk(ctx: Context, holder: Tx, to: datetime) -> ClockMove:
    """From due moment to due moment, each finished before the next one begins."""
    done, now, idle = Done(), ctx.now, 0.0
    for _ in range(MOMENTS_MAX):
        moment = await due_moments.next_moment(holder, ctx.tenant.id, now)
        if moment is None or moment > to:
            break
        now = max(now, moment)
        at = await _set(ctx, now)
        more = await do_due_work(at)
        more.expired = await expire_sessions_of(at)
        done.add(more)
        # A payment that is still open now must end on this day, not on a later one.
        await _wait_for_payments(ctx, holder)
        if not more.is_nothing:
            idle = 0.0
        else:
            # Something due is in somebody else's hands for a moment: a request, a payment.
            if idle > WAIT_SECONDS_MAX:
                raise Busy("Something that is due is being worked on; ask again", BUSY_SECONDS)
            await asyncio.sleep(LOOK_SECONDS)
            idle += LOOK_SECONDS
    else:
        raise AssertionError("what is due comes to an end")
    await _set(ctx, to)
    return ClockMove(now=to, done=done)


async def _set(ctx: Context, now: datetime) -> Context:
    async with ctx.app.transaction() as tx:
        await tenants.set_clock(tx, ctx.tenant.id, now)
    return replace(ctx, now=now, tenant=replace(ctx.tenant, clock=now))


async def _take_clock(ctx: Context, holder: Tx) -> None:
    """Take the clock as soon as a worker's round with this tenant is over."""
    busy = Busy("This tenant's clock is being moved already", BUSY_SECONDS)
    await _until(lambda: due_moments.lock_clock(holder, ctx.tenant.id), BUSY_SECONDS, busy)


async def _wait_for_payments(ctx: Context, holder: Tx) -> None:
    async def none_is_live() -> bool:
        return not await due_moments.live_payments(holder, ctx.tenant.id)

    busy = Busy("Payments of this tenant are under way; ask again", BUSY_SECONDS)
    await _until(none_is_live, WAIT_SECONDS_MAX, busy)


async def _until(holds: Callable[[], Awaitable[bool]], seconds: float, busy: Busy) -> None:
    """Look again and again, at least once; who waits for longer hears that it is busy."""
    waited = 0.0
    while not await holds():
        if waited > seconds:
            raise busy
        await asyncio.sleep(LOOK_SECONDS)
        waited += LOOK_SECONDS
