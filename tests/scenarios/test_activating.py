"""Subscriptions that wait until somebody activates them."""

from datetime import date
from uuid import UUID

import pytest

from tallystick.domain.errors import Conflict
from tallystick.domain.life import StepKind
from tallystick.domain.purchase import Activation
from tallystick.services.activate_subscription import Activated, activate_subscription
from tests.subscribing import Merchant
from tests.world import World

TODAY = date(2026, 3, 10)
MANUAL = Activation.MANUAL


@pytest.fixture
def merchant(world: World) -> Merchant:
    """A merchant whose day is March 10."""
    return Merchant(world=world)


async def activate(
    merchant: Merchant, subscription_id: UUID, *, preview: bool = False
) -> Activated:
    """Activate a subscription, or ask what that would bill."""
    async with merchant.world.app.transaction() as tx:
        ctx = merchant.world.ctx.within(tx)
        return await activate_subscription(ctx, subscription_id, preview=preview)


async def test_it_is_billed_from_the_day_of_activation(
    merchant: Merchant, world: World
) -> None:
    """Waiting since March 10, activated on the 25th: its months begin on the 25th."""
    plan = await world.plan()
    made = (await merchant.subscribe(await world.customer(), plan, TODAY, MANUAL)).subscription
    assert (made.status, made.current_period_end) == ("PENDING_ACTIVATION", None)
    assert (await merchant.travel(date(2026, 3, 25))).done.is_nothing

    told = await activate(merchant, made.id)

    begun = told.details.subscription
    assert (begun.status, begun.start_date) == ("ACTIVE", date(2026, 3, 25))
    assert (begun.current_period_start, begun.current_period_end) == (
        date(2026, 3, 25),
        date(2026, 4, 25),
    )
    assert begun.billing_day_anchor == 25
    assert told.invoice is not None
    assert (told.invoice.number, told.invoice.total) == ("INV-1", 4900)
    assert told.invoice.invoice_date == date(2026, 3, 25)
    await merchant.travel(date(2026, 4, 26))
    assert [one["invoice_date"] for one in await merchant.invoices()] == [
        date(2026, 3, 25),
        date(2026, 4, 25),
    ]
    assert ("subscription.updated", "activated") in await merchant.events()


async def test_a_given_anchor_and_end_stay(merchant: Merchant, world: World) -> None:
    """Anchored on the 1st: 7 of March's 31 days of EUR 49 are EUR 11.06."""
    plan, end = await world.plan(), date(2026, 12, 1)
    made = await merchant.subscribe(
        await world.customer(), plan, TODAY, MANUAL, billing_day_anchor=1, end_date=end
    )
    await merchant.travel(date(2026, 3, 25))

    told = await activate(merchant, made.subscription.id)

    begun = told.details.subscription
    assert (begun.billing_day_anchor, begun.end_date) == (1, end)
    assert begun.current_period_end == date(2026, 4, 1)
    assert told.invoice is not None
    assert told.invoice.total == 1106


async def test_cycles_count_from_activation(merchant: Merchant, world: World) -> None:
    """Three months from March 25 end on June 25."""
    plan = await world.plan(billing_cycles=3)
    made = await merchant.subscribe(await world.customer(), plan, TODAY, MANUAL)
    assert made.subscription.end_date == date(2026, 6, 10)
    await merchant.travel(date(2026, 3, 25))

    told = await activate(merchant, made.subscription.id)

    assert told.details.subscription.end_date == date(2026, 6, 25)
    moved = await merchant.travel(date(2026, 9, 1))
    assert moved.done.steps == {StepKind.RENEWED: 2, StepKind.COMPLETED: 1}
    assert [one["total"] for one in await merchant.invoices()] == [4900, 4900, 4900]


async def test_its_trial_begins_with_it(merchant: Merchant, world: World) -> None:
    """Fourteen free days from the activation; then nobody has agreed to be charged."""
    plan = await world.plan(trial_days=14, trial_is_free=True)
    made = await merchant.subscribe(await world.customer(), plan, TODAY, MANUAL)
    await merchant.travel(date(2026, 3, 25))

    told = await activate(merchant, made.subscription.id)

    begun = told.details.subscription
    assert (begun.status, told.invoice) == ("TRIAL_ACTIVE", None)
    assert (begun.trial_end, begun.billing_start_date) == (date(2026, 4, 8), date(2026, 4, 8))
    moved = await merchant.travel(date(2026, 5, 1))
    assert moved.done.steps == {StepKind.TRIAL_EXPIRED: 1}


async def test_before_its_start_it_waits_for_its_start(
    merchant: Merchant, world: World
) -> None:
    """Activated in March, it begins by itself on April 1, and is billed from there."""
    plan, start = await world.plan(), date(2026, 4, 1)
    made = await merchant.subscribe(await world.customer(), plan, start, MANUAL)

    told = await activate(merchant, made.subscription.id)

    assert (told.details.subscription.status, told.invoice) == ("PENDING_ACTIVATION", None)
    assert (await merchant.events())[-1] == ("subscription.updated", None)
    await merchant.travel(start)
    assert [one["invoice_date"] for one in await merchant.invoices()] == [start]
    with pytest.raises(Conflict, match="this one is ACTIVE"):
        await activate(merchant, made.subscription.id)


async def test_a_preview_is_the_invoice_that_follows(merchant: Merchant, world: World) -> None:
    """The same lines and amounts, balance applied; and nothing is stored."""
    customer = await world.customer()
    await world.balance(customer, 1000)
    made = await merchant.subscribe(customer, await world.plan(), TODAY, MANUAL)
    before = [
        await world.fetch(f"select * from {table}")
        for table in ("subscriptions", "customer_balances", "events", "invoice_counters")
    ]

    shown = (await activate(merchant, made.subscription.id, preview=True)).invoice

    after = [
        await world.fetch(f"select * from {table}")
        for table in ("subscriptions", "customer_balances", "events", "invoice_counters")
    ]
    assert after == before
    assert await merchant.invoices() == []
    made_of_it = (await activate(merchant, made.subscription.id)).invoice
    assert shown is not None
    assert made_of_it is not None
    assert (shown.number, made_of_it.number) == (None, "INV-1")
    assert shown.amount_due == made_of_it.amount_due == 3900
    told = [(one.name, one.start_date, one.amount) for one in shown.lines]
    assert told == [(one.name, one.start_date, one.amount) for one in made_of_it.lines]


async def test_what_begins_by_itself_is_not_activated(merchant: Merchant, world: World) -> None:
    """ON_START has its day; one whose trial would outlast it is refused, too."""
    plan, start = await world.plan(), date(2026, 4, 1)
    by_itself = await merchant.subscribe(await world.customer(), plan, start)
    with pytest.raises(Conflict, match="begins by itself on 2026-04-01"):
        await activate(merchant, by_itself.subscription.id)

    tried = await world.plan(trial_days=14, trial_is_free=True, name="Tried")
    short = await merchant.subscribe(
        await world.customer(), tried, TODAY, MANUAL, end_date=date(2026, 4, 1)
    )
    await merchant.travel(date(2026, 3, 20))

    with pytest.raises(Conflict) as refused:
        await activate(merchant, short.subscription.id)
    assert [one.field for one in refused.value.faults] == ["end_date"]


async def test_nobody_activates_it_before_its_end(merchant: Merchant, world: World) -> None:
    """Until March 20: COMPLETED on that day without an invoice, its EUR 49 a month gone, and
    its place free for another subscription.
    """
    plan, customer = await world.plan(), await world.customer()
    made = await merchant.subscribe(customer, plan, TODAY, MANUAL, end_date=date(2026, 3, 20))
    assert made.subscription.mrr == 4900
    assert (await merchant.travel(date(2026, 3, 19))).done.is_nothing

    moved = await merchant.travel(date(2026, 3, 25))

    assert moved.done.steps == {StepKind.COMPLETED: 1}
    stands = await merchant.stands(made.subscription.id)
    assert (stands["status"], stands["mrr"], stands["activated_at"]) == ("COMPLETED", 0, None)
    assert (stands["next_step_on"], await merchant.invoices()) == (None, [])
    rows = await world.fetch("select day, amount from mrr_movements order by position")
    assert [tuple(row.values()) for row in rows] == [(TODAY, 4900), (date(2026, 3, 20), -4900)]
    assert await merchant.events() == [
        ("subscription.created", None),
        ("subscription.ended", None),
    ]
    with pytest.raises(Conflict, match="this one is COMPLETED"):
        await activate(merchant, made.subscription.id)
    assert await world.fetch("select from plan_places") == []


async def test_it_was_over_before_it_was_made(merchant: Merchant, world: World) -> None:
    """From January to March 1, made on March 10: nobody can activate it any more."""
    made = await merchant.subscribe(
        await world.customer(),
        await world.plan(),
        date(2026, 1, 1),
        MANUAL,
        end_date=date(2026, 3, 1),
    )

    assert (made.subscription.status, made.subscription.activated_at) == ("COMPLETED", None)
    assert await merchant.invoices() == []
    row = await world.one("select data ->> 'activated_at' as at from events")
    assert row["at"] is None
