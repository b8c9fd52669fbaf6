"""One that cannot be billed is set aside with its reason, and stops nobody else."""

from datetime import UTC, date, datetime

import pytest

from tallystick.domain.errors import Busy
from tallystick.services import advance_clock
from tallystick.services.due_work import AGAIN_AFTER_SECONDS, bill_due, do_due_work
from tallystick.services.examine import examine
from tests.scenarios.test_usage_billed import metered_plan, use
from tests.scripted_bank import ScriptedBank, silent, with_bank
from tests.subscribing import Merchant
from tests.world import NOON, World, open_world

TODAY = date(2026, 3, 10)
IN_GRACE = datetime(2026, 4, 10, 1, tzinfo=UTC)
AFTER_GRACE = datetime(2026, 4, 11, 12, tzinfo=UTC)
MORE_THAN_AN_INVOICE_HOLDS = 10**15 - 1


async def one_that_cannot_be_billed(world: World) -> Merchant:
    """Two drafts in their grace: what was used late on the first exceeds every bound."""
    merchant = Merchant(world=world)
    plan = await metered_plan(world)
    greedy = await world.customer("Greedy")
    await merchant.subscribe(greedy, plan, TODAY)
    await merchant.subscribe(await world.customer("Modest"), plan, TODAY)
    await merchant.travel(IN_GRACE)
    await use(world, greedy, MORE_THAN_AN_INVOICE_HOLDS, "2026-04-09T13:00:00")
    return merchant


async def standings(merchant: Merchant) -> list[tuple[str, bool]]:
    """Each invoice's status, and whether it was set aside."""
    return [
        (one["status"], one["billing_error"] is not None) for one in await merchant.invoices()
    ]


async def test_a_draft_that_cannot_be_finalized_stops_no_other(world: World) -> None:
    """The other draft is finalized, the clock goes on, and the audit names the bad one."""
    merchant = await one_that_cannot_be_billed(world)

    await advance_clock.advance_clock(world.ctx, AFTER_GRACE)

    assert sorted(await standings(merchant)) == [
        ("DRAFT", True),
        ("FINALIZED", False),
        ("FINALIZED", False),
        ("FINALIZED", False),
    ]
    (found,) = (await examine(world.database)).breaches
    assert found.rule == "draft-set-aside"
    assert "AmountTooLarge" in str(found)


async def test_a_draft_that_was_set_aside_is_tried_again(world: World) -> None:
    """After an hour of real time it is finalized, if it can be."""
    merchant = await one_that_cannot_be_billed(world)
    await merchant.stand_at(AFTER_GRACE)
    await bill_due(world.app, NOON)
    assert ("DRAFT", True) in await standings(merchant)
    await world.execute("delete from usage_events where tenant_id = $1", world.tenant_id)

    assert await bill_due(world.app, NOON) == 0
    await world.execute(
        "update invoices set billing_tried_at = now() - make_interval(secs => $1)",
        AGAIN_AFTER_SECONDS,
    )
    assert await bill_due(world.app, NOON) > 0

    assert await standings(merchant) == [("FINALIZED", False)] * 4
    await merchant.is_sound()


async def test_an_invoice_that_fails_with_its_step_does_not_stop_it(world: World) -> None:
    """Its number is taken: the subscription goes on, and its draft is set aside alone."""
    merchant = Merchant(world=world)
    made = await merchant.subscribe(await world.customer(), await metered_plan(world), TODAY)
    await merchant.stand_at(AFTER_GRACE)
    await world.execute("update invoice_counters set last_number = 0")

    done = await do_due_work(world.at(AFTER_GRACE).ctx)

    assert (done.steps.total(), done.finalized) == (1, 0)
    moved = await merchant.stands(made.subscription.id)
    assert (moved["current_period_start"], moved["billing_error"]) == (date(2026, 4, 10), None)
    assert sorted(await standings(merchant)) == [("DRAFT", True), ("FINALIZED", False)]


async def test_a_tenant_that_fails_stops_no_other(world: World) -> None:
    """Whatever goes wrong with one tenant, the next one is billed."""
    other = await open_world(world.database)
    merchants = [Merchant(world=world), Merchant(world=other)]
    for merchant in merchants:
        shop = merchant.world
        await merchant.subscribe(await shop.customer(), await shop.plan(), TODAY)
        await merchant.stand_at(AFTER_GRACE)
    first = min(world.tenant_id, other.tenant_id)
    # PostgreSQL knows this time zone and Python does not: the tenant has no context.
    await world.execute("update tenants set time_zone = 'UTC+3' where id = $1", first)

    await bill_due(world.app, NOON)

    billed = {one.world.tenant_id: len(await one.invoices()) for one in merchants}
    assert billed[first] == 1
    assert billed[max(world.tenant_id, other.tenant_id)] == 2


async def test_late_usage_of_the_last_period_is_billed(world: World) -> None:
    """The last invoice of what is billed by usage waits for late events, too."""
    merchant = Merchant(world=world)
    customer = await world.customer()
    made = await merchant.subscribe(customer, await metered_plan(world), TODAY)
    await merchant.cancel(made.subscription.id)
    await merchant.travel(IN_GRACE)
    await use(world, customer, 100, "2026-04-09T23:00:00")

    await merchant.travel(AFTER_GRACE)

    assert [one["total"] for one in await merchant.invoices()] == [2000, 1000]
    assert (await merchant.stands(made.subscription.id))["status"] == "CANCELLED"


async def test_a_last_period_without_usage_makes_no_invoice(world: World) -> None:
    """Its draft is gone after the grace, and is not counted as finalized."""
    merchant = Merchant(world=world)
    made = await merchant.subscribe(await world.customer(), await metered_plan(world), TODAY)
    await merchant.cancel(made.subscription.id)

    moved = await merchant.travel(AFTER_GRACE)

    assert (moved.done.finalized, moved.done.dropped) == (0, 1)
    assert [one["total"] for one in await merchant.invoices()] == [2000]


async def test_time_waits_for_a_payment_whose_end_is_not_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock stops on the day of the try, so that what follows is dated by it."""
    monkeypatch.setattr(advance_clock, "WAIT_SECONDS_MAX", 0)
    await world.confirm(await world.session(await world.customer(), await world.plan()))
    bank = ScriptedBank(world.sandbox)
    bank.script("confirm", silent)
    merchant = Merchant(world=with_bank(world, bank))

    with pytest.raises(Busy):
        await merchant.travel(date(2026, 9, 1))

    clock = await world.one("select clock from tenants where id = $1", world.tenant_id)
    assert clock["clock"] == datetime(2026, 4, 10, 12, tzinfo=UTC)
    assert len(await merchant.invoices()) == 2
