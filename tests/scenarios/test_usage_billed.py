"""Usage on invoices: metered in the window that ends, priced exactly, late events taken in."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.db import metrics
from tallystick.domain.coupons import Percentage
from tallystick.domain.metrics import Aggregation, Metric, MetricDefinition
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    CapacityFee,
    CapacityPricing,
    PerUnit,
    RateFee,
    UsageFee,
    UsageModelType,
    UsagePricing,
)
from tallystick.domain.usage_events import IncomingEvent
from tallystick.services.change_invoice import finalize_invoice
from tallystick.services.ids import new_id
from tallystick.services.ingest_events import ingest_events
from tests.scenarios.test_renewals import invoices, travel
from tests.subscribing import Merchant
from tests.world import SoldPlan, World, rate

CALLS = "calls"


async def metric(world: World) -> UUID:
    """A metric that sums the property `n`."""
    made = Metric(
        id=new_id(),
        product_family_id=world.family_id,
        product_id=None,
        code=CALLS,
        name="Calls",
        description=None,
        aggregation=Aggregation.SUM,
        aggregation_key="n",
        definition=MetricDefinition(),
        archived_at=None,
        created_at=world.ctx.now,
    )
    async with world.database.transaction() as tx:
        await metrics.insert(tx, world.tenant_id, made)
    return made.id


async def metered_plan(world: World) -> SoldPlan:
    """EUR 20 a month, and EUR 0.10 for each call."""
    fee = UsageFee(metric_id=await metric(world), model=UsageModelType.PER_UNIT)
    return await world.plan(
        ("Fee", RateFee(), [(Cadence.MONTHLY, rate("20.00"))]),
        (
            "Calls",
            fee,
            [(Cadence.MONTHLY, UsagePricing(model=PerUnit(rate=Decimal("0.10"))))],
        ),
    )


async def use(world: World, customer: UUID, calls: int, at: str) -> None:
    """Report so many calls at a moment, at that moment."""
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    event = IncomingEvent(
        event_id=str(new_id()),
        code=CALLS,
        customer=customer,
        timestamp=moment,
        properties={"n": str(calls)},
    )
    async with world.database.transaction() as tx:
        ctx = replace(world.ctx, now=moment)
        await ingest_events(ctx.within(tx), [event], allow_backfilling=True)


async def lines(world: World) -> list[dict[str, Any]]:
    """The lines of the last invoice, in their order."""
    return await world.fetch(
        """
        select l.name, l.start_date, l.end_date, l.quantity, l.unit_price, l.amount
        from invoice_lines l join invoices i on i.id = l.invoice_id
        where i.invoice_date = (select max(invoice_date) from invoices)
        order by l.position
        """
    )


async def test_usage_is_billed_when_its_window_ends(world: World) -> None:
    """100 calls from March 10 to April 10 cost EUR 10.00, beside the fee of the next month."""
    customer = await world.customer()
    await world.confirm(await world.session(customer, await metered_plan(world)))
    await use(world, customer, 60, "2026-03-10T13:00:00")
    await use(world, customer, 40, "2026-04-09T23:59:59")
    await use(world, customer, 7, "2026-04-10T00:00:00")

    await travel(world, "2026-04-10T12:00:00")

    assert [one["total"] for one in await invoices(world)] == [2000, 3000]
    fee, calls = await lines(world)
    assert (fee["name"], fee["amount"], fee["end_date"]) == ("Fee", 2000, date(2026, 5, 10))
    assert (calls["quantity"], calls["unit_price"]) == (Decimal(100), Decimal("0.10"))
    assert (calls["start_date"], calls["end_date"]) == (date(2026, 3, 10), date(2026, 4, 10))


async def test_late_usage_is_taken_in_before_the_draft_is_final(world: World) -> None:
    """What is reported eight hours after the end is on the invoice, a day after it is not."""
    customer = await world.customer()
    await world.confirm(await world.session(customer, await metered_plan(world)))
    await travel(world, "2026-04-10T08:00:00")
    before = (await invoices(world))[1]
    await use(world, customer, 30, "2026-04-09T20:00:00")

    await travel(world, "2026-04-10T12:00:00")
    after = (await invoices(world))[1]
    await use(world, customer, 99, "2026-04-09T21:00:00")
    await travel(world, "2026-04-11T12:00:00")

    assert (before["status"], before["total"]) == ("DRAFT", 2000)
    assert (after["status"], after["total"]) == ("FINALIZED", 2300)
    assert (await invoices(world))[1]["total"] == 2300


async def test_no_usage_makes_no_invoice(world: World) -> None:
    """A plan of usage alone bills the months in which something was used, and no others."""
    fee = UsageFee(metric_id=await metric(world), model=UsageModelType.PER_UNIT)
    pricing = UsagePricing(model=PerUnit(rate=Decimal("0.10")))
    plan = await world.plan(("Calls", fee, [(Cadence.MONTHLY, pricing)]))
    customer = await world.customer()
    await world.confirm(await world.session(customer, plan))
    await use(world, customer, 50, "2026-04-20T00:00:00")

    await travel(world, "2026-06-11T00:00:00")

    made = await invoices(world)
    assert [(one["invoice_date"], one["total"]) for one in made] == [(date(2026, 5, 10), 500)]
    assert await world.charges() == [500]


async def test_what_a_capacity_does_not_include_is_overage(world: World) -> None:
    """130 calls where 100 are included: 30 at EUR 0.05 beside the next month's EUR 50."""
    fee = CapacityFee(metric_id=await metric(world))
    pricing = CapacityPricing(rate=Decimal("50.00"), included=100, overage_rate=Decimal("0.05"))
    plan = await world.plan(("Calls", fee, [(Cadence.MONTHLY, pricing)]))
    customer = await world.customer()
    await world.confirm(await world.session(customer, plan))
    await use(world, customer, 130, "2026-03-20T00:00:00")

    await travel(world, "2026-05-11T00:00:00")

    assert [one["total"] for one in await invoices(world)] == [5000, 5150, 5000]


async def test_the_last_window_is_billed_at_the_end(world: World) -> None:
    """Usage of a month that the end date cuts is billed on the day of the end."""
    customer = await world.customer()
    session = await world.session(
        customer, await metered_plan(world), end_date=date(2026, 4, 20)
    )
    await world.confirm(session)
    await use(world, customer, 10, "2026-04-15T00:00:00")

    await travel(world, "2026-05-11T00:00:00")

    made = await invoices(world)
    assert [(one["invoice_date"], one["total"]) for one in made] == [
        (date(2026, 3, 10), 2000),
        (date(2026, 4, 10), 667),
        (date(2026, 4, 20), 100),
    ]


async def usage_only(world: World) -> SoldPlan:
    """Nothing but EUR 0.10 for each call: without usage, a draft is empty."""
    fee = UsageFee(metric_id=await metric(world), model=UsageModelType.PER_UNIT)
    pricing = UsagePricing(model=PerUnit(rate=Decimal("0.10")))
    return await world.plan(("Calls", fee, [(Cadence.MONTHLY, pricing)]))


async def test_a_coupon_is_not_used_twice_by_drafts_made_again(world: World) -> None:
    """A coupon for one invoice, used by a later draft, does not apply to an earlier one."""
    merchant = Merchant(world=world)
    customer = await world.customer()
    coupon = await world.coupon("ONCE", Percentage(percentage=Decimal(50)), recurring_value=1)
    await merchant.subscribe(
        customer,
        await usage_only(world),
        date(2026, 3, 10),
        coupon_ids=(coupon,),
        auto_advance_invoices=False,
    )
    await use(world, customer, 100, "2026-04-20T13:00:00")
    await merchant.travel(date(2026, 5, 10))
    await use(world, customer, 100, "2026-03-20T13:00:00")

    for one in await merchant.invoices():
        async with world.app.transaction() as tx:
            await finalize_invoice(merchant.world.ctx.within(tx), one["id"])

    billed = [(one["subtotal"], one["discount"]) for one in await merchant.invoices()]
    assert billed == [(1000, 0), (1000, 500)]
    redeemed = await world.one("select applied_count, applied_amount from coupon_redemptions")
    assert (redeemed["applied_count"], redeemed["applied_amount"]) == (1, 500)
    await merchant.is_sound()


async def test_late_usage_tells_of_an_invoice_that_was_empty(world: World) -> None:
    """Its creation is told once, when it has lines, with the customer as taxed."""
    merchant = Merchant(world=world)
    customer = await world.customer()
    await merchant.subscribe(customer, await usage_only(world), date(2026, 3, 10))
    await merchant.travel(datetime(2026, 4, 10, 1, tzinfo=UTC))
    assert "invoice.created" not in [kind for kind, _ in await merchant.events()]
    await world.execute(
        "update customers set billing_address = $1 where id = $2",
        json.dumps({"country": "US"}),
        customer,
    )
    await use(world, customer, 100, "2026-03-20T13:00:00")

    await merchant.travel(datetime(2026, 4, 11, 1, tzinfo=UTC))

    kinds = [kind for kind, _ in await merchant.events()]
    assert kinds.count("invoice.created") == kinds.count("invoice.finalized") == 1
    (made,) = await merchant.invoices()
    assert json.loads(made["customer_details"])["billing_address"]["country"] == "US"
