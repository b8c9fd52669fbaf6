"""What stands below a line of usage sums to it, tier by tier."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest

from tallystick.domain.billing_entries import InvoiceLineEntry
from tallystick.domain.charges import Before
from tallystick.domain.pricing import (
    CapacityPricing,
    Matrix,
    MatrixDimension,
    MatrixRow,
    PerUnit,
    Tier,
    Tiered,
    UsagePricing,
    Volume,
)
from tallystick.domain.sub_lines import SubLine, sub_lines
from tallystick.domain.usage_pricing import Measured, UsageLine, price_overage, price_usage

TIERS = (
    Tier(first_unit=0, rate=Decimal("1.00")),
    Tier(first_unit=100, rate=Decimal("0.50")),
    Tier(first_unit=200, rate=Decimal("0.25")),
)


def used(model: Tiered | Volume | Matrix | PerUnit, *usage: Measured) -> UsageLine:
    """How usage is priced in euros."""
    (line,) = price_usage(UsagePricing(model=model), usage, "EUR").lines
    return line


def units(quantity: str) -> Measured:
    """So much of a metric."""
    return Measured(quantity=Fraction(quantity))


def billed(
    usage: UsageLine,
    amount: int | None = None,
    *,
    before: Before | None = None,
    quoted: Decimal | None = None,
) -> InvoiceLineEntry:
    """The invoice's line; `amount` where it is not what the usage comes to."""
    amount = usage.amount if amount is None else amount
    return InvoiceLineEntry(
        id=UUID(int=1),
        product_id=None,
        name="Usage",
        start_date=date(2025, 1, 1),
        end_date=date(2025, 2, 1),
        quantity=None,
        unit_price=None,
        quoted_unit_price=quoted,
        amount=amount,
        discount=0,
        tax=0,
        amount_total=amount,
        tax_rate=Decimal(0),
        usage=usage,
        before=before,
    )


def told(lines: tuple[SubLine, ...]) -> list[tuple[str, str, str, int]]:
    """Name, quantity, price and total."""
    return [(one.name, str(one.quantity), str(one.unit_price), one.total) for one in lines]


def test_each_used_tier_is_a_part() -> None:
    """150 units at 1.00 up to 100, then 0.50: EUR 100 and EUR 25."""
    line = billed(used(Tiered(tiers=TIERS), units("150")))
    assert told(sub_lines(line, "EUR")) == [
        ("0-100 tier", "100", "1.00", 10000),
        ("100-200 tier", "50", "0.50", 2500),
    ]


def test_the_largest_part_takes_the_difference() -> None:
    """Two tiers of 0.4 cents each come to 0.8, one cent, which the first of them shows."""
    tiers = (
        Tier(first_unit=0, rate=Decimal("0.004")),
        Tier(first_unit=1, rate=Decimal("0.004")),
    )
    line = billed(used(Tiered(tiers=tiers), units("2")))
    assert told(sub_lines(line, "EUR")) == [
        ("0-1 tier", "1", "0.004", 1),
        ("1+ tier", "1", "0.004", 0),
    ]


def test_a_volume_is_one_tier() -> None:
    """All 150 units at the price of the second tier."""
    line = billed(used(Volume(tiers=TIERS), units("150")))
    assert told(sub_lines(line, "EUR")) == [("100-200 tier", "150", "0.50", 7500)]


def test_each_row_of_a_matrix_is_a_part() -> None:
    """A row is named by its values."""
    rows = tuple(
        MatrixRow(
            dimension1=MatrixDimension(key="region", value=region),
            per_unit_price=Decimal(price),
        )
        for region, price in (("eu", "2"), ("us", "3"))
    )
    usage = [
        Measured(
            quantity=Fraction(1), dimensions=(MatrixDimension(key="region", value=region),)
        )
        for region in ("us", "eu")
    ]
    line = billed(used(Matrix(rates=rows), *usage))
    assert told(sub_lines(line, "EUR")) == [
        ("region eu", "1", "2", 200),
        ("region us", "1", "3", 300),
    ]


def test_overage_is_a_part() -> None:
    """100 units beyond the allowance at EUR 0.02."""
    pricing = CapacityPricing(rate=Decimal(120), included=50, overage_rate=Decimal("0.02"))
    usage = price_overage(pricing, Fraction(150), 1, "EUR")
    assert usage is not None
    assert told(sub_lines(billed(usage), "EUR")) == [("Overage", "100", "0.02", 200)]


def test_what_was_billed_before_is_a_part_below_zero() -> None:
    """Tiers go on; EUR 60 of 150 units were billed by a threshold."""
    before = Before(amount=6000, quantity=Decimal(60))
    line = billed(used(Tiered(tiers=TIERS), units("150")), 6500, before=before)
    assert told(sub_lines(line, "EUR")) == [
        ("0-100 tier", "100", "1.00", 10000),
        ("100-200 tier", "50", "0.50", 2500),
        ("Billed before", "-60", "1", -6000),
    ]


@pytest.mark.parametrize("before", [None, Before(amount=3000, quantity=Decimal(30))])
def test_parts_of_a_price_with_tax_are_net(before: Before | None) -> None:
    """EUR 125 with 20 % in them are EUR 104.17 net: 83.33 and 20.83, a cent to the largest."""
    usage = used(Tiered(tiers=TIERS), units("150"))
    net = 10417 if before is None else 7917
    parts = sub_lines(billed(usage, net, before=before, quoted=Decimal("0.83")), "EUR")
    assert [one.total for one in parts] == (
        [8334, 2083] if before is None else [8334, 2083, -2500]
    )


def test_a_line_at_one_rate_has_no_parts() -> None:
    """Its own quantity and price say everything."""
    assert sub_lines(billed(used(PerUnit(rate=Decimal(1)), units("3"))), "EUR") == ()


def test_what_roundings_leave_stands_with_the_largest_part() -> None:
    """Of a line that includes tax: the parts are net, and sum to it to the cent."""
    usage = used(Tiered(tiers=TIERS), units("250"))
    assert [part.amount for part in usage.parts] == [10000, 5000, 1250]
    for amount, parts in (
        (13548, [8337, 4169, 1042]),
        (13542, [8333, 4167, 1042]),
        (13550, [8339, 4169, 1042]),
    ):
        line = billed(usage, amount, quoted=Decimal("0.65"))
        assert [one.total for one in sub_lines(line, "EUR")] == parts
        assert sum(parts) == amount
