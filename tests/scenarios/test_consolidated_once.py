"""Drafts that become one invoice meet workers, bad usage and tampering: once, and for good."""

from datetime import UTC, datetime, timedelta

import pytest

from tallystick.services import finalize_due
from tallystick.services.due_work import do_due_work
from tallystick.services.renew_due import renew_due
from tests.crowds import at_once
from tests.scenarios.consolidating import RENEWED, Consolidating
from tests.scenarios.golden_lives import GRACE
from tests.scenarios.test_usage_billed import metered_plan, use
from tests.world import World

MORE_THAN_AN_INVOICE_HOLDS = 10**15 - 1


async def test_one_that_cannot_be_finalized_stops_no_other(world: World) -> None:
    """What was used late of one exceeds every bound: the other goes alone."""
    merchant = await Consolidating.open(world)
    customer = await world.customer()
    await merchant.sells(customer, [await metered_plan(world), await world.plan()])
    await merchant.travel(RENEWED + timedelta(hours=1))
    await use(world, customer, MORE_THAN_AN_INVOICE_HOLDS, "2026-04-09T20:00:00")
    later = world.at(RENEWED + GRACE)

    await finalize_due.finalize_due(later.ctx)

    whole, members, alone = await merchant.of(RENEWED)
    assert (whole, members) == ([], [])
    assert sorted((one["status"], one["billing_error"] is None) for one in alone) == [
        ("DRAFT", False),
        ("FINALIZED", True),
    ]


async def test_workers_consolidate_once(busy: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four workers, two drafts a batch, four customers with three plans: four of EUR 147.00."""
    monkeypatch.setattr(finalize_due, "CUSTOMERS", 2)
    merchant = await Consolidating.open(busy)
    plan = await busy.plan()
    for number in range(4):
        await merchant.sells(await busy.customer(f"Customer {number}"), [plan] * 3)
    await busy.execute("update tenants set clock = $1", RENEWED + GRACE)
    later = busy.at(RENEWED + GRACE)

    async def work() -> None:
        # Each finalizes what it finds, while the others are still renewing.
        await renew_due(later.ctx)
        await finalize_due.finalize_due(later.ctx)

    await at_once([work() for _ in range(4)])
    await work()

    whole, members, alone = await merchant.of(RENEWED)
    assert [one["total"] for one in whole] == [14700] * 4
    assert sorted(one["number"] for one in whole) == [13, 14, 15, 16]
    assert (len(members), alone) == (12, [])
    await merchant.is_sound()


async def test_a_customer_in_other_hands_is_passed_over(busy: World) -> None:
    """A worker finalizes all that is due of others meanwhile, and does not wait."""
    merchant = await Consolidating.open(busy)
    plan, held = await busy.plan(), await busy.customer("Held")
    await merchant.sells(held, [plan] * 2)
    await merchant.sells(await busy.customer("Free"), [plan] * 2)
    await busy.execute("update tenants set clock = $1", RENEWED + GRACE)
    later = busy.at(RENEWED + GRACE)
    await renew_due(later.ctx)

    async with busy.database.transaction() as other:
        await other.execute("select from customers where id = $1 for no key update", held)
        meanwhile = await finalize_due.finalize_due(later.ctx)
        free, _, waiting = await merchant.of(RENEWED)
    afterwards = await finalize_due.finalize_due(later.ctx)

    assert (meanwhile, afterwards) == ((1, 0), (1, 0))
    assert [one["total"] for one in free] == [9800]
    assert {one["customer_id"] for one in waiting} == {held}
    whole, members, alone = await merchant.of(RENEWED)
    assert (len(whole), len(members), alone) == (2, 4, [])


async def test_a_draft_waits_for_those_that_are_to_come(busy: World) -> None:
    """While another worker holds a subscription of the day, nothing is finalized without it."""
    merchant = await Consolidating.open(busy)
    _, held = await merchant.sells(await busy.customer(), [await busy.plan()] * 2)
    await busy.execute("update tenants set clock = $1", RENEWED + GRACE)
    later = busy.at(RENEWED + GRACE)

    async with busy.database.transaction() as other:
        await other.execute("select from subscriptions where id = $1 for update", held)
        await do_due_work(later.ctx)
        _, _, waiting = await merchant.of(RENEWED)
    await do_due_work(later.ctx)

    (whole,), members, alone = await merchant.of(RENEWED)
    assert [one["status"] for one in waiting] == ["DRAFT"]
    assert (whole["total"], len(members), alone) == (9800, 2, [])


MEMBERS = "where consolidated_into_invoice_id is not null"
TAMPERED = (
    f"update invoices set memo = 'X' {MEMBERS}",
    f"update invoices set consolidated_into_invoice_id = null {MEMBERS}",
    f"delete from invoices {MEMBERS}",
    f"delete from invoice_lines where invoice_id in (select id from invoices {MEMBERS})",
    """
    update invoices set finalize_at = null, consolidated_into_invoice_id =
        (select id from invoices where subscription_id is null)
    where finalize_at is not null
    """,
)


@pytest.mark.parametrize("statement", TAMPERED)
async def test_a_member_never_changes(world: World, statement: str) -> None:
    """The schema refuses what no verb tries: a change, a way out, a stranger coming in."""
    merchant = await Consolidating.open(world)
    await merchant.sells(await world.customer(), [await world.plan()] * 2)
    await merchant.travel(datetime(2026, 5, 10, tzinfo=UTC))

    with pytest.raises(Exception, match="tallystick: "):
        await world.execute(statement)


async def test_a_merchants_own_properties_of_a_member_may_change(world: World) -> None:
    """They are no part of what was billed."""
    merchant = await Consolidating.open(world)
    await merchant.sells(await world.customer(), [await world.plan()] * 2)
    await merchant.travel(RENEWED + GRACE)

    await world.execute(
        """update invoices set custom_properties = '{"po": 7}'
           where consolidated_into_invoice_id is not null"""
    )

    _, members, _ = await merchant.of(RENEWED)
    assert [one["custom_properties"] for one in members] == ['{"po": 7}'] * 2


async def test_parts_of_an_invoice_are_listed_by_a_new_name(world: World) -> None:
    """A renamed customer's consolidated renewals never change, but how lists order them."""
    merchant = await Consolidating.open(world)
    customer = await world.customer("Ant")
    await merchant.sells(customer, [await world.plan()] * 2)
    await merchant.travel(RENEWED + GRACE)

    await world.execute("update customers set name = 'Bee' where id = $1", customer)

    whole, members, _ = await merchant.of(RENEWED)
    assert [one["customer_sort_name"] for one in (*whole, *members)] == ["bee"] * 3
    await merchant.is_sound()
