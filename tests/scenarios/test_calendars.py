"""Days as the tenant counts them, and money as its currency does: exact figures."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tallystick.domain.coupons import Fixed, Percentage
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RateFee
from tests.scenarios.test_usage_billed import metered_plan, use
from tests.subscribing import Merchant
from tests.world import World, rate


@pytest.fixture
def merchant(world: World) -> Merchant:
    """A merchant whose clock travels."""
    return Merchant(world=world)


async def begins(merchant: Merchant, start: date, zone: str = "UTC") -> None:
    """Stand at noon of a day, in the tenant's zone."""
    await merchant.world.execute("update tenants set time_zone = $1", zone)
    await merchant.stand_at(datetime(start.year, start.month, start.day, 17, tzinfo=UTC))


async def billed(merchant: Merchant) -> list[tuple[str, int]]:
    """The date and the total of every invoice."""
    return [(str(one["invoice_date"]), one["total"]) for one in await merchant.invoices()]


async def sums(merchant: Merchant) -> list[tuple[int, int, int, int]]:
    """Subtotal, discount, tax and total of every invoice."""
    return [
        (one["subtotal"], one["discount"], one["tax_amount"], one["total"])
        for one in await merchant.invoices()
    ]


async def sold(world: World, currency: str, amount: str, cadence: Cadence, **terms: Any) -> Any:  # noqa: ANN401
    """A plan of one fee in a currency."""
    fee = ("Fee", RateFee(), [(cadence, rate(amount))])
    return await world.plan(fee, currency=currency, **terms)


async def taxed(world: World, currency: str, percentage: str) -> UUID:
    """A customer of a currency who bears a tax."""
    fraction = str(Decimal(percentage) / 100)
    rates = json.dumps([{"name": "VAT", "rate": fraction, "tax_code": "VAT"}])
    return await world.customer(currency=currency, custom_taxes=rates)


@pytest.mark.parametrize(
    ("zone", "start", "end", "moments"),
    [
        # New York: 5 h behind until March 8, then 4. Berlin: 1 h ahead until March 29, then 2.
        (
            "America/New_York",
            date(2026, 3, 1),
            date(2026, 4, 1),
            ["2026-03-01T05:00", "2026-03-08T07:00", "2026-04-01T03:59", "2026-04-01T04:00"],
        ),
        (
            "Europe/Berlin",
            date(2026, 3, 15),
            date(2026, 4, 15),
            ["2026-03-14T23:00", "2026-03-29T01:00", "2026-04-14T21:59", "2026-04-14T22:00"],
        ),
    ],
    ids=["New York", "Berlin"],
)
async def test_a_window_ends_at_midnight_where_the_tenant_is(
    merchant: Merchant, zone: str, start: date, end: date, moments: list[str]
) -> None:
    """Its clocks go forward in the month: the last minute counts, the one after does not.

    1 + 20 + 300 calls at EUR 0.10 are EUR 32.10, beside EUR 20; 4000 are of the next month.
    """
    await begins(merchant, start, zone)
    world, plan = merchant.world, await metered_plan(merchant.world)
    customer = await world.customer()
    await merchant.subscribe(customer, plan, start, charge_automatically=False)
    for calls, moment in zip([1, 20, 300, 4000], moments, strict=True):
        await use(world, customer, calls, f"{moment}:00")

    before = datetime.fromisoformat(f"{moments[2]}:59").replace(tzinfo=UTC)
    done = (await merchant.travel(before)).done
    assert (done.steps.total(), done.finalized) == (0, 0)
    await merchant.travel(datetime(2026, 5, 30, tzinfo=UTC))

    assert [one[1] for one in await billed(merchant)] == [2000, 5210, 42000]
    assert (await billed(merchant))[1][0] == str(end)
    assert replace(world.ctx, now=before).today < end


async def test_a_year_from_leap_day_ends_on_the_last_of_february(merchant: Merchant) -> None:
    """Bought on February 29, 2024: billed on the 28th, and on the 29th again in 2028."""
    await begins(merchant, date(2024, 2, 29))
    plan = await sold(merchant.world, "EUR", "365.00", Cadence.ANNUAL)
    await merchant.subscribe(
        await merchant.world.customer(), plan, date(2024, 2, 29), charge_automatically=False
    )

    await merchant.travel(date(2028, 3, 5))

    assert await billed(merchant) == [
        ("2024-02-29", 36500),
        ("2025-02-28", 36500),
        ("2026-02-28", 36500),
        ("2027-02-28", 36500),
        ("2028-02-29", 36500),
    ]


async def test_the_31st_comes_back_after_february(merchant: Merchant) -> None:
    """January 31, February 29, March 31; cut on April 15, half of the days to April 30."""
    await begins(merchant, date(2024, 1, 31))
    plan = await sold(merchant.world, "EUR", "31.00", Cadence.MONTHLY)
    await merchant.subscribe(
        await merchant.world.customer(),
        plan,
        date(2024, 1, 31),
        end_date=date(2024, 4, 15),
        charge_automatically=False,
    )

    await merchant.travel(date(2024, 5, 5))

    assert await billed(merchant) == [
        ("2024-01-31", 3100),
        ("2024-02-29", 3100),
        ("2024-03-31", 1550),
    ]


async def test_three_decimals_and_their_tax(merchant: Merchant) -> None:
    """KWD 12.345 for 17 of 31 days is 6.770; 5 % of it 0.339; of 12.345 it is 0.617."""
    await begins(merchant, date(2025, 12, 15))
    plan = await sold(merchant.world, "KWD", "12.345", Cadence.MONTHLY)
    await merchant.subscribe(
        await taxed(merchant.world, "KWD", "5"),
        plan,
        date(2025, 12, 15),
        billing_day_anchor=1,
        charge_automatically=False,
    )

    await merchant.travel(date(2026, 1, 5))

    assert await sums(merchant) == [(6770, 0, 339, 7109), (12345, 0, 617, 12962)]


async def test_yen_with_coupons_and_tax_in_the_price(merchant: Merchant) -> None:
    """JPY 999 less 12.5 % (125) and 300 is 574, of which 52 are tax; the 300 apply once.

    Then 999 less 125 is 874, of which 79 are tax. Nets: 908 - 386 + 52, 908 - 113 + 79.
    """
    await begins(merchant, date(2026, 1, 31))
    world = merchant.world
    plan = await sold(world, "JPY", "999", Cadence.MONTHLY, tax_inclusive=True)
    eighth = await world.coupon("EIGHTH", Percentage(percentage=Decimal("12.5")))
    less = await world.coupon(
        "LESS", Fixed(amount=Decimal(300), currency="JPY"), recurring_value=1
    )
    await merchant.subscribe(
        await taxed(world, "JPY", "10"),
        plan,
        date(2026, 1, 31),
        coupon_ids=(eighth, less),
        charge_automatically=False,
    )

    await merchant.travel(date(2026, 3, 5))

    assert await sums(merchant) == [(908, 386, 52, 574), (908, 113, 79, 874)]
