"""Minimum commitments over a life: the true-up at each boundary, late usage, thresholds."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tallystick.db.codec import Codec
from tallystick.domain.coupons import Percentage
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import PerUnit, RateFee, UsageFee, UsageModelType, UsagePricing
from tests.scenarios.test_usage_billed import metric, use
from tests.subscribing import Merchant
from tests.world import SoldPlan, World, rate

MINIMUM: Codec[MinimumCommitment] = Codec(MinimumCommitment)
TODAY = date(2026, 3, 10)


async def plan(world: World, least: str = "50.00") -> SoldPlan:
    """EUR 20 a month, EUR 0.10 for each call, and so much at least."""
    fee = UsageFee(metric_id=await metric(world), model=UsageModelType.PER_UNIT)
    price = UsagePricing(model=PerUnit(rate=Decimal("0.10")))
    return await world.plan(
        ("Fee", RateFee(), [(Cadence.MONTHLY, rate("20.00"))]),
        ("Calls", fee, [(Cadence.MONTHLY, price)]),
        minimum=MINIMUM.dump(MinimumCommitment(amount=Decimal(least))),
    )


async def billed(merchant: Merchant) -> list[tuple[date, list[tuple[str, int]]]]:
    """Every invoice: its day, and its lines."""
    found: list[tuple[date, list[tuple[str, int]]]] = []
    for one in await merchant.invoices():
        lines: list[dict[str, Any]] = json.loads(one["lines"] or "[]")
        told = [(line["name"], line["amount"]) for line in lines]
        found.append((one["invoice_date"], told))
    return found


async def test_what_is_missing_is_billed_at_each_boundary(world: World) -> None:
    """EUR 10 of usage leave 20 missing, EUR 40 nothing, none at all 30; the end is cut."""
    merchant, customer = Merchant(world=world), await world.customer()
    session = await world.session(customer, await plan(world), end_date=date(2026, 6, 20))
    await world.confirm(session)
    await use(world, customer, 100, "2026-03-20T00:00:00")
    await use(world, customer, 400, "2026-04-20T00:00:00")

    await merchant.travel(date(2026, 7, 1))

    # From June 10 to 20 are 10 of 30 days: at least 16.67, and 6.67 were billed.
    assert await billed(merchant) == [
        (TODAY, [("Fee", 2000)]),
        (date(2026, 4, 10), [("Fee", 2000), ("Calls", 1000), ("Minimum commitment", 2000)]),
        (date(2026, 5, 10), [("Fee", 2000), ("Calls", 4000)]),
        (date(2026, 6, 10), [("Fee", 667), ("Minimum commitment", 3000)]),
        (date(2026, 6, 20), [("Minimum commitment", 1000)]),
    ]


async def test_late_usage_lowers_what_is_missing(world: World) -> None:
    """A draft lacks EUR 30; EUR 12 of usage come late, and 18 are missing when it is final."""
    merchant, customer = Merchant(world=world), await world.customer()
    await merchant.subscribe(customer, await plan(world), TODAY)
    await merchant.travel(datetime(2026, 4, 10, 8, tzinfo=UTC))
    draft = (await billed(merchant))[1][1]
    await use(world, customer, 120, "2026-04-09T20:00:00")

    await merchant.travel(date(2026, 4, 12))

    assert draft == [("Fee", 2000), ("Minimum commitment", 3000)]
    assert (await billed(merchant))[1][1] == [
        ("Fee", 2000),
        ("Calls", 1200),
        ("Minimum commitment", 1800),
    ]


async def test_threshold_invoices_count_towards_it(world: World) -> None:
    """EUR 60 at the threshold and a fee of 20 are 20 short of 100, coupon or not."""
    merchant, customer = Merchant(world=world), await world.customer()
    half = await world.coupon("HALF", Percentage(percentage=Decimal(50)))
    await merchant.subscribe(
        customer,
        await plan(world, "100.00"),
        TODAY,
        invoice_threshold=Decimal("50.00"),
        coupon_ids=(half,),
    )
    await use(world, customer, 600, "2026-03-20T00:00:00")
    await merchant.travel(date(2026, 4, 12))

    made = await merchant.invoices()
    assert [one["invoice_type"] for one in made] == [
        "RECURRING",
        "USAGE_THRESHOLD",
        "RECURRING",
    ]
    assert (await billed(merchant))[2][1] == [("Fee", 2000), ("Minimum commitment", 2000)]
    assert [(one["subtotal"], one["discount"]) for one in made] == [
        (2000, 1000),
        (6000, 3000),
        (4000, 2000),
    ]


async def test_a_cancellation_bills_the_days_that_were_lived(world: World) -> None:
    """At least EUR 90: 10 of 31 days are 29.03, and EUR 20 were billed in advance."""
    merchant, customer = Merchant(world=world), await world.customer()
    made = await merchant.subscribe(customer, await plan(world, "90.00"), TODAY)
    await merchant.travel(date(2026, 3, 20))

    await merchant.cancel(made.subscription.id, date(2026, 3, 20))

    assert (await billed(merchant))[1:] == [
        (date(2026, 3, 20), [("Minimum commitment", 903)]),
    ]


async def test_a_subscription_keeps_the_minimum_that_it_was_sold_with(world: World) -> None:
    """It is stored with the subscription, and shown with it."""
    merchant, customer = Merchant(world=world), await world.customer()
    made = await merchant.subscribe(customer, await plan(world), TODAY)

    assert made.minimum == MinimumCommitment(amount=Decimal("50.00"))
