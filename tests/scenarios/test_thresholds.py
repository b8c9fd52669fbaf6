"""Usage that is billed when it reaches its threshold, and what the renewal bills after it."""

import asyncio
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.domain.coupons import Fixed, Percentage
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    PerUnit,
    RateFee,
    Tier,
    Tiered,
    UsageFee,
    UsageModelType,
    UsagePricing,
    Volume,
)
from tallystick.services.change_invoice import void_invoice
from tallystick.services.due_work import do_due_work
from tallystick.services.look_at_thresholds import look_at_thresholds
from tests.scenarios.test_usage_billed import metered_plan, metric, use
from tests.subscribing import Merchant
from tests.world import SoldPlan, World, rate

TODAY = date(2026, 3, 10)
APRIL_10 = date(2026, 4, 10)
FIFTY = Decimal("50.00")
TIERS = (Tier(first_unit=0, rate=Decimal("1.00")), Tier(first_unit=100, rate=Decimal("0.50")))


async def tiered_plan(world: World, model: Tiered | Volume) -> SoldPlan:
    """EUR 20 a month, and calls by tiers."""
    fee = UsageFee(metric_id=await metric(world), model=UsageModelType(model.type))
    return await world.plan(
        ("Fee", RateFee(), [(Cadence.MONTHLY, rate("20.00"))]),
        ("Calls", fee, [(Cadence.MONTHLY, UsagePricing(model=model))]),
    )


async def kinds(merchant: Merchant) -> list[tuple[str, date, str, int]]:
    """Every invoice: its type, date, status and subtotal."""
    return [
        (one["invoice_type"], one["invoice_date"], one["status"], one["subtotal"])
        for one in await merchant.invoices()
    ]


async def marks(world: World) -> int:
    """How many marks wait to be looked at."""
    row = await world.one("select count(*) as marks from usage_marks")
    found: int = row["marks"]
    return found


async def test_what_reaches_the_threshold_is_billed_and_charged_at_once(world: World) -> None:
    """500 calls at EUR 0.10 on March 20: EUR 50, numbered and charged on that day."""
    merchant, customer = Merchant(world=world), await world.customer()
    session = await world.session(customer, await metered_plan(world), invoice_threshold=FIFTY)
    await world.confirm(session)
    await merchant.travel(datetime(2026, 3, 15, 12, tzinfo=UTC))
    await use(world, customer, 499, "2026-03-15T11:00:00")
    await merchant.travel(datetime(2026, 3, 20, 12, tzinfo=UTC))
    assert len(await merchant.invoices()) == 1
    await use(world, customer, 1, "2026-03-20T11:00:00")

    moved = await merchant.travel(datetime(2026, 3, 20, 12, tzinfo=UTC))

    assert (moved.done.thresholds, moved.done.collected) == (1, 1)
    assert await world.charges() == [2000, 5000]
    await use(world, customer, 30, "2026-04-09T23:00:00")
    await merchant.travel(datetime(2026, 4, 12, tzinfo=UTC))
    assert await kinds(merchant) == [
        ("RECURRING", TODAY, "FINALIZED", 2000),
        ("USAGE_THRESHOLD", date(2026, 3, 20), "FINALIZED", 5000),
        ("RECURRING", APRIL_10, "FINALIZED", 2300),
    ]
    issued = (await merchant.invoices())[1]
    assert (issued["invoice_number"], issued["payment_status"]) == ("INV-2", "PAID")
    assert (issued["billing_period_start"], issued["billing_period_end"]) == (
        date(2026, 3, 20),
        None,
    )
    assert await marks(world) == 0


async def test_several_thresholds_in_one_window_go_on_through_the_tiers(world: World) -> None:
    """150 calls cost EUR 125, 130 more 65, and the last 20 ten: together what 300 cost."""
    merchant, customer = Merchant(world=world), await world.customer()
    plan = await tiered_plan(world, Tiered(tiers=TIERS))
    await merchant.subscribe(customer, plan, TODAY, invoice_threshold=FIFTY)
    for calls, moment in ((150, "2026-03-12"), (130, "2026-03-14"), (20, "2026-03-16")):
        await use(world, customer, calls, f"{moment}T00:00:00")
        await merchant.travel(date.fromisoformat(moment))

    await merchant.travel(date(2026, 4, 12))

    billed = [(one["invoice_type"], one["subtotal"]) for one in await merchant.invoices()]
    assert billed == [
        ("RECURRING", 2000),
        ("USAGE_THRESHOLD", 12500),
        ("USAGE_THRESHOLD", 6500),
        ("RECURRING", 3000),
    ]
    fee, calls_left = json.loads((await merchant.invoices())[-1]["lines"])
    assert (fee["amount"], calls_left["amount"]) == (2000, 1000)


async def test_what_gets_cheaper_is_taken_back_at_the_renewal(world: World) -> None:
    """99 calls at EUR 1.00 were billed; all 100 cost 0.50 each: 20 - 49, held at 0."""
    merchant, customer = Merchant(world=world), await world.customer()
    plan = await tiered_plan(world, Volume(tiers=TIERS))
    await merchant.subscribe(customer, plan, TODAY, invoice_threshold=FIFTY)
    await use(world, customer, 99, "2026-03-12T00:00:00")
    await merchant.travel(date(2026, 3, 12))
    await use(world, customer, 1, "2026-03-13T00:00:00")

    await merchant.travel(date(2026, 4, 12))

    last = (await merchant.invoices())[-1]
    assert [one["amount"] for one in json.loads(last["lines"])] == [2000, -2000]
    assert (last["total"], last["payment_status"]) == (0, "PAID")


async def test_a_cancellation_right_after_it_bills_the_rest(world: World) -> None:
    """Cancelled on March 21: the usage up to then less what was billed on the 20th."""
    merchant, customer = Merchant(world=world), await world.customer()
    made = await merchant.subscribe(
        customer, await metered_plan(world), TODAY, invoice_threshold=FIFTY
    )
    await merchant.travel(datetime(2026, 3, 20, 5, tzinfo=UTC))
    await use(world, customer, 700, "2026-03-20T00:00:00")
    await merchant.travel(datetime(2026, 3, 20, 6, tzinfo=UTC))
    await use(world, customer, 10, "2026-03-20T20:00:00")
    await merchant.travel(date(2026, 3, 21))

    await merchant.cancel(made.subscription.id, date(2026, 3, 21))

    assert (await kinds(merchant))[1:] == [
        ("USAGE_THRESHOLD", date(2026, 3, 20), "FINALIZED", 7000),
        ("RECURRING", date(2026, 3, 21), "FINALIZED", 100),
    ]
    await use(world, customer, 900, "2026-03-21T01:00:00")
    await merchant.travel(date(2026, 5, 1))
    assert len(await merchant.invoices()) == 3


async def test_a_cancellation_of_the_same_day_gives_nothing_back(world: World) -> None:
    """The day's usage was billed at the threshold; the cancellation makes no invoice."""
    merchant, customer = Merchant(world=world), await world.customer()
    made = await merchant.subscribe(
        customer, await metered_plan(world), TODAY, invoice_threshold=FIFTY
    )
    await merchant.travel(datetime(2026, 3, 20, 6, tzinfo=UTC))
    await use(world, customer, 700, "2026-03-20T06:00:00")
    await merchant.travel(datetime(2026, 3, 20, 7, tzinfo=UTC))

    await merchant.cancel(made.subscription.id, date(2026, 3, 20))

    assert [one[3] for one in await kinds(merchant)] == [2000, 7000]
    assert (await merchant.stands(made.subscription.id))["status"] == "CANCELLED"


async def test_late_usage_of_a_closed_window_is_the_renewals(world: World) -> None:
    """EUR 60 that come eight hours after the end are on the draft, and no threshold invoice."""
    merchant, customer = Merchant(world=world), await world.customer()
    await merchant.subscribe(
        customer, await metered_plan(world), TODAY, invoice_threshold=FIFTY
    )
    await use(world, customer, 600, "2026-03-20T00:00:00")
    await merchant.travel(datetime(2026, 4, 10, 8, tzinfo=UTC))
    await use(world, customer, 600, "2026-04-09T20:00:00")

    await merchant.travel(date(2026, 4, 12))

    assert (await kinds(merchant))[1:] == [
        ("USAGE_THRESHOLD", TODAY, "FINALIZED", 6000),
        ("RECURRING", APRIL_10, "FINALIZED", 8000),
    ]


async def test_usage_of_a_window_that_begins_late_is_looked_at(world: World) -> None:
    """The worker was down for a month: the new window's usage came before its step."""
    merchant, customer = Merchant(world=world), await world.customer()
    await merchant.subscribe(
        customer, await metered_plan(world), TODAY, invoice_threshold=FIFTY
    )
    await merchant.stand_at(datetime(2026, 4, 20, 12, tzinfo=UTC))
    await use(world, customer, 600, "2026-04-20T11:00:00")
    await do_due_work(merchant.world.ctx)

    await merchant.is_sound()
    assert (await kinds(merchant))[1:] == [
        ("RECURRING", APRIL_10, "FINALIZED", 2000),
        ("USAGE_THRESHOLD", date(2026, 4, 20), "FINALIZED", 6000),
    ]


async def test_usage_before_the_purchase_of_a_past_start_is_looked_at(world: World) -> None:
    """It is billed at once, though no event comes after the subscription was made."""
    merchant, customer = Merchant(world=world), await world.customer()
    plan = await metered_plan(world)
    await use(world, customer, 800, "2026-03-05T00:00:00")
    assert await marks(world) == 0
    await merchant.subscribe(customer, plan, date(2026, 3, 1), invoice_threshold=FIFTY)

    await do_due_work(world.ctx)

    await merchant.is_sound()
    assert [one[3] for one in await kinds(merchant)] == [2000, 8000]


async def test_coupons_apply_and_are_not_used_up(world: World) -> None:
    """EUR 60 once per period, and half for one invoice: the first invoice has had that."""
    merchant, customer = Merchant(world=world), await world.customer()
    less = await world.coupon("LESS", Fixed(amount=Decimal("60.00"), currency="EUR"))
    half = await world.coupon("HALF", Percentage(percentage=Decimal(50)), recurring_value=2)
    await merchant.subscribe(
        customer,
        await metered_plan(world),
        TODAY,
        invoice_threshold=FIFTY,
        coupon_ids=(less, half),
    )
    await use(world, customer, 1000, "2026-03-20T00:00:00")
    await merchant.travel(date(2026, 3, 20))
    await use(world, customer, 600, "2026-04-01T00:00:00")
    await merchant.travel(date(2026, 4, 1))
    used = await world.fetch(
        "select applied_count, applied_amount, ahead_amount from coupon_redemptions"
        " where coupon_id = any($1) order by array_position($1, coupon_id)",
        [less, half],
    )
    await merchant.travel(date(2026, 4, 12))

    billed = [(one["subtotal"], one["discount"]) for one in await merchant.invoices()]
    # 20.00: 10.00 and 10.00. 100.00: 50.00, then 50.00 of the 60.00. 60.00: 30.00, then the
    # last 10.00. The renewal's 20.00: 10.00, and nothing is left of the 60.00.
    assert billed == [(2000, 2000), (10000, 10000), (6000, 4000), (2000, 1000)]
    assert [tuple(one.values()) for one in used] == [(1, 7000, 6000), (1, 9000, 8000)]
    counts = await world.fetch("select applied_count from coupon_redemptions")
    assert [one["applied_count"] for one in counts] == [2, 2]
    await use(world, customer, 600, "2026-04-20T00:00:00")
    await merchant.travel(date(2026, 4, 20))
    assert (await merchant.invoices())[-1]["discount"] == 6000


async def test_a_person_finalizes_it_where_nothing_advances(world: World) -> None:
    """It is a draft, and counts as billed all the same."""
    merchant, customer = Merchant(world=world), await world.customer()
    await merchant.subscribe(
        customer,
        await metered_plan(world),
        TODAY,
        invoice_threshold=FIFTY,
        auto_advance_invoices=False,
    )
    await use(world, customer, 600, "2026-03-20T00:00:00")
    await merchant.travel(date(2026, 4, 12))

    assert await kinds(merchant) == [
        ("RECURRING", TODAY, "DRAFT", 2000),
        ("USAGE_THRESHOLD", TODAY, "DRAFT", 6000),
        ("RECURRING", APRIL_10, "DRAFT", 2000),
    ]


async def test_what_is_void_is_forgiven(world: World) -> None:
    """A void threshold invoice is not billed again, and what comes after it is."""
    merchant, customer = Merchant(world=world), await world.customer()
    await merchant.subscribe(
        customer, await metered_plan(world), TODAY, invoice_threshold=FIFTY
    )
    await use(world, customer, 600, "2026-03-20T00:00:00")
    await do_due_work(world.ctx)
    row = await world.one("select id from invoices where invoice_type = 'USAGE_THRESHOLD'")
    async with world.app.transaction() as tx:
        await void_invoice(world.ctx.within(tx), row["id"])
    await use(world, customer, 40, "2026-03-21T00:00:00")

    await merchant.travel(date(2026, 4, 12))

    assert [(one[2], one[3]) for one in await kinds(merchant)] == [
        ("FINALIZED", 2000),
        ("VOID", 6000),
        ("FINALIZED", 2400),
    ]


async def test_customers_without_a_threshold_are_not_marked(world: World) -> None:
    """Their events are written, and nobody looks at them."""
    customer = await world.customer()
    await world.confirm(await world.session(customer, await metered_plan(world)))
    await use(world, customer, 600, "2026-03-20T00:00:00")

    assert await marks(world) == 0
    looked = await look_at_thresholds(world.ctx)
    assert (looked.customers, looked.invoices) == (0, 0)


async def test_who_cannot_be_looked_at_stops_nobody_else(world: World) -> None:
    """A usage past every amount is set aside with its reason, and the other one is billed."""
    merchant, plan = Merchant(world=world), await metered_plan(world)
    good, bad = await world.customer(), await world.customer("Bad")
    for one in (good, bad):
        await merchant.subscribe(one, plan, TODAY, invoice_threshold=FIFTY)
    await use(world, good, 600, "2026-03-20T00:00:00")
    await use(world, bad, 10**15 - 1, "2026-03-20T00:00:00")
    await use(world, bad, 10**15 - 1, "2026-03-20T00:00:01")
    await use(world, bad, 10**15 - 1, "2026-03-20T00:00:02")
    for _ in range(9):
        await use(world, bad, 10**15 - 1, "2026-03-20T00:00:03")

    await do_due_work(world.ctx)

    aside = await world.fetch("select distinct customer_id, error from usage_marks")
    assert [one["customer_id"] for one in aside] == [bad]
    assert "AmountTooLarge" in aside[0]["error"]
    assert [one["total"] for one in await merchant.invoices()] == [2000, 2000, 6000]


async def test_workers_and_events_at_once_bill_nothing_twice(busy: World) -> None:
    """Four workers look while eight calls of 120 come in: 960 calls, EUR 96, whoever bills."""
    merchant, customer = Merchant(world=busy), await busy.customer()
    plan = await metered_plan(busy)
    await merchant.subscribe(customer, plan, TODAY, invoice_threshold=Decimal("10.00"))

    async def work() -> None:
        for _ in range(6):
            await look_at_thresholds(busy.ctx)

    await asyncio.gather(
        *(use(busy, customer, 120, f"2026-03-1{n % 3}T0{n}:00:00") for n in range(8)),
        *(work() for _ in range(4)),
    )
    await do_due_work(busy.ctx)

    assert await _usage_billed(busy) == 9600
    assert await marks(busy) == 0
    await merchant.is_sound()


async def test_a_look_and_a_cancellation_at_once(busy: World) -> None:
    """Whoever comes first, each call of twelve subscriptions up to the end is billed once."""
    merchant, plan = Merchant(world=busy), await metered_plan(busy)
    ids: list[UUID] = []
    for _ in range(12):
        customer = await busy.customer()
        made = await merchant.subscribe(
            customer, plan, date(2026, 3, 1), invoice_threshold=FIFTY
        )
        ids.append(made.subscription.id)
        await use(busy, customer, 700, "2026-03-05T00:00:00")

    await asyncio.gather(
        *(look_at_thresholds(busy.ctx) for _ in range(3)),
        *(merchant.cancel(one, TODAY) for one in ids),
    )
    await do_due_work(busy.ctx)

    assert await _usage_billed(busy) == 12 * 7000
    await merchant.is_sound()


async def _usage_billed(world: World) -> Any:  # noqa: ANN401 - a number of the database
    row = await world.one(
        "select sum(l.amount)::bigint as billed from invoice_lines l where l.name = 'Calls'"
    )
    return row["billed"]


async def test_the_renewal_has_its_usage_priced_as_one(world: World) -> None:
    """A third of a cent a call: 5000 calls at the threshold, 1 later: 16.67, no more."""
    merchant, customer = Merchant(world=world), await world.customer()
    fee = UsageFee(metric_id=await metric(world), model=UsageModelType.PER_UNIT)
    price = UsagePricing(model=PerUnit(rate=Decimal("0.003333")))
    plan = await world.plan(("Calls", fee, [(Cadence.MONTHLY, price)]))
    await merchant.subscribe(customer, plan, TODAY, invoice_threshold=Decimal("10.00"))
    await use(world, customer, 5000, "2026-03-20T00:00:00")
    await merchant.travel(date(2026, 3, 20))
    await use(world, customer, 1, "2026-03-21T00:00:00")

    await merchant.travel(date(2026, 4, 12))

    # 5000 x 0.3333 = 1666.5 -> 1667; 5001 x 0.3333 = 1666.8333 -> 1667: nothing is left.
    assert [one[3] for one in await kinds(merchant)] == [1667]
