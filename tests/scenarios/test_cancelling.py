"""Cancellations: when they take effect, what they still bill, and how they are taken back."""

from datetime import date
from decimal import Decimal

import pytest

from tallystick.domain.errors import Conflict, InvalidInput
from tallystick.domain.life import StepKind
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    BillingType,
    ExtraRecurringFee,
    ExtraRecurringPricing,
    RateFee,
)
from tallystick.domain.purchase import Activation
from tallystick.services.cancel_subscription import reactivate_subscription
from tests.subscribing import Merchant
from tests.world import SoldPlan, World, rate

TODAY = date(2026, 3, 10)


@pytest.fixture
def merchant(world: World) -> Merchant:
    """A merchant whose day is March 10."""
    return Merchant(world=world)


async def with_arrears(world: World) -> SoldPlan:
    """EUR 49 in advance and EUR 30 in arrears, by the month."""
    arrears = ExtraRecurringFee(billing_type=BillingType.ARREARS)
    price = ExtraRecurringPricing(unit_price=Decimal("30.00"), quantity=1)
    return await world.plan(
        ("Fee", RateFee(), [(Cadence.MONTHLY, rate("49.00"))]),
        ("Support", arrears, [(Cadence.MONTHLY, price)]),
    )


async def test_at_the_end_of_the_period(merchant: Merchant, world: World) -> None:
    """Active until April 10; then cancelled, worth nothing, and billed no more."""
    plan = await world.plan()
    made = (await merchant.subscribe(await world.customer(), plan, TODAY)).subscription

    told = (await merchant.cancel(made.id, reason="too dear")).subscription

    assert (told.status, told.cancelled_on) == ("ACTIVE", date(2026, 4, 10))
    assert (told.mrr, told.cancellation_reason) == (4900, "too dear")
    moved = await merchant.travel(date(2026, 7, 1))
    assert moved.done.steps == {StepKind.CANCELLED: 1}
    stands = await merchant.stands(made.id)
    assert (stands["status"], stands["mrr"]) == ("CANCELLED", 0)
    assert (stands["current_period_start"], stands["current_period_end"]) == (
        date(2026, 4, 10),
        None,
    )
    assert [one["total"] for one in await merchant.invoices()] == [4900]
    assert await world.fetch("select from plan_places") == []
    events = [one for one in await merchant.events() if one[0].startswith("subscription.")]
    assert events[-2:] == [
        ("subscription.updated", "cancellation_scheduled"),
        ("subscription.cancelled", None),
    ]
    reasons = await world.fetch(
        "select data ->> 'cancellation_reason' as reason from events "
        "where type like 'subscription.%' order by id desc limit 2"
    )
    assert [one["reason"] for one in reasons] == ["too dear", "too dear"]


async def test_now_in_the_middle_of_a_period(merchant: Merchant, world: World) -> None:
    """Nothing is given back of EUR 49, and the EUR 30 in arrears of the window are billed."""
    plan = await with_arrears(world)
    made = (await merchant.subscribe(await world.customer(), plan, TODAY)).subscription
    await merchant.travel(date(2026, 3, 25))

    told = (await merchant.cancel(made.id, merchant.today)).subscription

    assert (told.status, told.mrr) == ("CANCELLED", 0)
    assert (told.current_period_start, told.current_period_end) == (date(2026, 3, 25), None)
    first, last = await merchant.invoices()
    assert (first["total"], last["total"]) == (4900, 3000)
    assert (last["invoice_date"], last["status"]) == (date(2026, 3, 25), "FINALIZED")
    assert (last["billing_period_start"], last["billing_period_end"]) == (
        date(2026, 3, 25),
        None,
    )
    later = (await merchant.travel(date(2026, 6, 1))).done
    assert (later.steps.total(), later.finalized, later.collected) == (0, 0, 0)


async def test_on_the_day_of_a_renewal_that_was_billed(
    merchant: Merchant, world: World
) -> None:
    """What the renewal billed in the morning is not billed again in the evening."""
    plan = await with_arrears(world)
    made = (await merchant.subscribe(await world.customer(), plan, TODAY)).subscription
    await merchant.travel(date(2026, 4, 10))
    assert [one["total"] for one in await merchant.invoices()] == [4900, 7900]

    told = (await merchant.cancel(made.id, merchant.today)).subscription

    assert told.status == "CANCELLED"
    assert [one["total"] for one in await merchant.invoices()] == [4900, 7900]


async def test_at_a_day_after_the_next_renewal(merchant: Merchant, world: World) -> None:
    """The renewal before it is billed in full, for nothing is given back of an advance fee."""
    plan = await world.plan()
    made = (await merchant.subscribe(await world.customer(), plan, TODAY)).subscription

    told = (await merchant.cancel(made.id, date(2026, 4, 20))).subscription

    assert told.current_period_end == date(2026, 4, 10)
    await merchant.travel(date(2026, 4, 11))
    assert (await merchant.stands(made.id))["current_period_end"] == date(2026, 4, 20)
    await merchant.travel(date(2026, 6, 1))
    assert (await merchant.stands(made.id))["status"] == "CANCELLED"
    assert [one["total"] for one in await merchant.invoices()] == [4900, 4900]


async def test_taken_back_in_time(merchant: Merchant, world: World) -> None:
    """Reactivated on the day before, it renews as if nothing had been said."""
    plan = await world.plan()
    made = (await merchant.subscribe(await world.customer(), plan, TODAY)).subscription
    cut = (await merchant.cancel(made.id, date(2026, 4, 5))).subscription
    assert cut.current_period_end == date(2026, 4, 5)
    await merchant.travel(date(2026, 4, 4))

    async with world.app.transaction() as tx:
        told = await reactivate_subscription(merchant.world.ctx.within(tx), made.id)

    assert told.subscription.cancelled_on is None
    assert told.subscription.current_period_end == date(2026, 4, 10)
    await merchant.travel(date(2026, 4, 11))
    assert [one["total"] for one in await merchant.invoices()] == [4900, 4900]


async def test_it_cannot_be_taken_back_too_late(merchant: Merchant, world: World) -> None:
    """Neither after it took effect, nor where nothing was scheduled."""
    plan = await world.plan()
    made = (await merchant.subscribe(await world.customer(), plan, TODAY)).subscription
    with pytest.raises(Conflict, match="No cancellation"):
        async with world.app.transaction() as tx:
            await reactivate_subscription(merchant.world.ctx.within(tx), made.id)
    await merchant.cancel(made.id, TODAY)

    with pytest.raises(Conflict, match="took effect on 2026-03-10"):
        async with world.app.transaction() as tx:
            await reactivate_subscription(merchant.world.ctx.within(tx), made.id)
    with pytest.raises(Conflict, match="it is CANCELLED"):
        await merchant.cancel(made.id)


async def test_cancelling_again_replaces(merchant: Merchant, world: World) -> None:
    """The later word counts: at first June, then the end of the period, then today."""
    plan = await world.plan()
    made = (await merchant.subscribe(await world.customer(), plan, TODAY)).subscription

    days = [
        (await merchant.cancel(made.id, on)).subscription.cancelled_on
        for on in (date(2026, 6, 1), date(2026, 3, 20), None, TODAY)
    ]

    assert days == [date(2026, 6, 1), date(2026, 3, 20), date(2026, 4, 10), TODAY]
    assert (await merchant.stands(made.id))["status"] == "CANCELLED"


async def test_during_a_free_trial(merchant: Merchant, world: World) -> None:
    """It ends with the trial, and nothing is ever billed."""
    plan = await world.plan(trial_days=14, trial_is_free=True)
    made = (await merchant.subscribe(await world.customer(), plan, TODAY)).subscription

    told = (await merchant.cancel(made.id)).subscription

    assert (told.status, told.cancelled_on) == ("TRIAL_ACTIVE", date(2026, 3, 24))
    moved = await merchant.travel(date(2026, 5, 1))
    assert moved.done.steps == {StepKind.CANCELLED: 1}
    assert await merchant.invoices() == []
    assert (await merchant.stands(made.id))["mrr"] == 0


async def test_during_a_paid_trial(merchant: Merchant, world: World) -> None:
    """The trial's end and then the period's: cancelled with the month that was paid."""
    plan = await world.plan(trial_days=7, trial_is_free=False)
    made = (await merchant.subscribe(await world.customer(), plan, TODAY)).subscription

    told = (await merchant.cancel(made.id)).subscription

    assert told.cancelled_on == date(2026, 4, 10)
    moved = await merchant.travel(date(2026, 5, 1))
    assert moved.done.steps == {StepKind.TRIAL_ENDED: 1, StepKind.CANCELLED: 1}
    assert [one["total"] for one in await merchant.invoices()] == [4900]


@pytest.mark.parametrize("activation", [Activation.ON_START, Activation.MANUAL])
async def test_before_it_begins(
    merchant: Merchant, world: World, activation: Activation
) -> None:
    """Cancelled today, or on a day before its start: it never begins."""
    plan, start = await world.plan(), date(2026, 4, 1)
    at_once = (
        await merchant.subscribe(await world.customer(), plan, start, activation)
    ).subscription
    later = (
        await merchant.subscribe(await world.customer(), plan, start, activation)
    ).subscription

    now = (await merchant.cancel(at_once.id)).subscription
    then = (await merchant.cancel(later.id, date(2026, 3, 20))).subscription

    assert (now.status, now.current_period_start) == ("CANCELLED", TODAY)
    assert (then.status, then.cancelled_on) == ("PENDING_ACTIVATION", date(2026, 3, 20))
    await merchant.travel(date(2026, 5, 1))
    assert (await merchant.stands(later.id))["status"] == "CANCELLED"
    assert await merchant.invoices() == []


async def test_impossible_days(merchant: Merchant, world: World) -> None:
    """Neither yesterday nor after its own end; nothing is changed."""
    plan, end = await world.plan(), date(2026, 9, 1)
    made = (
        await merchant.subscribe(await world.customer(), plan, TODAY, end_date=end)
    ).subscription

    for day in (date(2026, 3, 9), date(2026, 9, 2)):
        with pytest.raises(InvalidInput) as refused:
            await merchant.cancel(made.id, day)
        (fault,) = refused.value.faults
        assert fault.field == "effective_date"
        assert fault.message == "must be between 2026-03-10 and 2026-09-01"
    assert (await merchant.stands(made.id))["cancelled_on"] is None


async def test_on_the_day_of_its_own_end(merchant: Merchant, world: World) -> None:
    """A cancellation on the day of its end is one: CANCELLED, not COMPLETED."""
    plan, end = await world.plan(), date(2026, 4, 10)
    made = (
        await merchant.subscribe(await world.customer(), plan, TODAY, end_date=end)
    ).subscription

    await merchant.cancel(made.id)

    moved = await merchant.travel(date(2026, 5, 1))
    assert moved.done.steps == {StepKind.CANCELLED: 1}


async def test_one_that_is_due_comes_before_renewals_after_it(
    merchant: Merchant, world: World
) -> None:
    """With a worker down for months, what was cancelled for April 20 is not billed in May."""
    plan = await world.plan()
    made = (await merchant.subscribe(await world.customer(), plan, TODAY)).subscription
    await merchant.cancel(made.id, date(2026, 4, 10))

    await merchant.travel(date(2026, 9, 1))

    assert [one["invoice_date"] for one in await merchant.invoices()] == [TODAY]
