"""What the tests of explanations price: a month, a stub, tiers, a matrix."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from tallystick.domain.charges import Charge, Item, charge
from tallystick.domain.metered import Meter, usage_charges
from tallystick.domain.periods import BilledPeriod, Period
from tallystick.domain.pricing import (
    CapacityPricing,
    Matrix,
    MatrixDimension,
    MatrixRow,
    Tier,
    UsagePricing,
)
from tallystick.domain.usage_pricing import Measured
from tests.domain.samples import full, item

JANUARY = full(date(2024, 1, 1), date(2024, 2, 1))
STUB = BilledPeriod(
    Period(date(2025, 10, 8), date(2026, 1, 1)), Period(date(2025, 10, 1), date(2026, 1, 1))
)
THREE_TIERS = (
    Tier(first_unit=0, rate=Decimal("0.10")),
    Tier(first_unit=1000, rate=Decimal("0.08"), flat_fee=Decimal(5)),
    Tier(first_unit=10_000, rate=Decimal("0.05"), flat_cap=Decimal(20)),
)
BY_REGION = Matrix(
    rates=(
        MatrixRow(
            dimension1=MatrixDimension(key="region", value="eu"), per_unit_price=Decimal("0.2")
        ),
    )
)


def charged(one: Item, period: BilledPeriod, currency: str = "EUR") -> Charge:
    """What an item costs for a period."""
    made = charge(one, period, currency)
    assert made is not None
    return made


def used(
    pricing: UsagePricing | CapacityPricing,
    *quantities: Measured,
    currency: str = "EUR",
    instances: int = 1,
) -> list[Charge]:
    """What its usage of January comes to."""
    meter = Meter(item=item(pricing, instances=instances), window=JANUARY.billed)
    return usage_charges(meter, quantities, currency)


def measured(usage: str, group: str | None = None, **dimensions: str) -> Measured:
    """A measured quantity, of a group and of dimensions."""
    return Measured(
        quantity=Fraction(usage),
        group=group,
        dimensions=tuple(MatrixDimension(key=k, value=v) for k, v in dimensions.items()),
    )
