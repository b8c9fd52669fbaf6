"""Whoever wants the same subscription at once: it is charged once, and ends in one state."""

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from tallystick.domain.errors import Conflict
from tallystick.services.collect_invoice import collect_due
from tallystick.services.confirm_result import Completed
from tallystick.services.due_work import do_due_work
from tallystick.services.end_session import cancel_session
from tallystick.services.examine import examine
from tallystick.services.renew_due import renew_due
from tests.real_time import sweep
from tests.subscribing import Merchant
from tests.trials import ENDS, in_trial
from tests.waiting import Waiting, waiting
from tests.world import World

ROUNDS = 8


async def is_sound(world: World) -> None:
    """Every invariant holds."""
    assert (await examine(world.database)).breaches == ()


async def test_two_tabs_of_one_link(busy: World) -> None:
    """Both press the button: one charge, one invoice, one subscription."""
    made = await waiting(Merchant(world=busy))
    shown = await busy.shown(made.session)

    await asyncio.gather(*(busy.confirm(made.session, shown=shown) for _ in range(4)))

    assert await busy.charges() == [4900]
    assert (await made.stands())["status"] == "ACTIVE"
    assert len(await busy.fetch("select * from invoices")) == 1
    await is_sound(busy)


async def test_a_confirm_meets_the_end_of_its_trial(busy: World) -> None:
    """Pressed on the last day while the worker is at the next one: charged once, at its end."""
    merchant, later = Merchant(world=busy), busy.at(ENDS)
    for number in range(ROUNDS):
        made = await waiting(merchant, trial_duration_days=14)
        shown = await busy.shown(made.session)

        async def ends(pause: float = number * 0.004) -> None:
            await asyncio.sleep(pause)
            await renew_due(later.ctx)

        result, _ = await asyncio.gather(busy.confirm(made.session, shown=shown), ends())
        assert result == Completed()
        await do_due_work(later.ctx)

        now = await made.stands()
        assert (now["status"], now["is_being_paid"]) == ("ACTIVE", False)
        assert now["current_period_start"] == date(2026, 3, 24)
    assert await busy.charges() == [4900] * ROUNDS
    await is_sound(busy)


async def test_a_confirm_meets_a_cancellation(busy: World) -> None:
    """Cancelled or bought, and the money agrees."""
    merchant = Merchant(world=busy)
    sold = 0
    for number in range(ROUNDS):
        made = await waiting(merchant)
        shown = await busy.shown(made.session)

        async def cancel(made: Waiting = made, pause: float = number * 0.004) -> None:
            await asyncio.sleep(pause)
            with suppress(Conflict):
                await cancel_session(busy.ctx, made.session)

        await asyncio.gather(busy.confirm(made.session, shown=shown), cancel())
        await sweep(busy)
        status = (await made.stands())["status"]
        assert status in {"ACTIVE", "CANCELLED"}
        sold += status == "ACTIVE"
        assert await busy.charges() == [4900] * sold
    await is_sound(busy)


async def test_a_retry_meets_a_new_checkout(busy: World) -> None:
    """The old trial is tried again while its plan is bought anew: one of them is paid."""
    tried = datetime(2026, 3, 27, tzinfo=UTC)
    sessions: list[UUID] = []
    for _ in range(ROUNDS):
        customer, plan = await in_trial(busy, "4000000000000341")
        await do_due_work(busy.at(ENDS).ctx)
        sessions.append(await busy.at(ENDS).session(customer, plan, expires_in_hours=0))
    good = (await busy.card()).token
    await busy.execute("update payment_methods set token = $1", good)
    later = busy.at(tried)
    shown = [await later.shown(one) for one in sessions]

    async def buy(number: int) -> None:
        await asyncio.sleep(number * 0.006)
        await later.confirm(sessions[number], shown=shown[number])

    await asyncio.gather(collect_due(later.ctx), *(buy(number) for number in range(ROUNDS)))
    await do_due_work(busy.at(tried + timedelta(hours=2)).ctx)

    assert await busy.charges() == [4900] * ROUNDS
    rows = await busy.fetch("select customer_id from subscriptions where status = 'ACTIVE'")
    assert len({row["customer_id"] for row in rows}) == len(rows) == ROUNDS
    await is_sound(busy)
