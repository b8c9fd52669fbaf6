"""What holds for the price of metered usage, whatever the price and the usage."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.money import minor, rounded
from tallystick.domain.pricing import (
    CapacityPricing,
    Matrix,
    MatrixDimension,
    MatrixRow,
    Package,
    PerUnit,
    Tier,
    Tiered,
    UsageModel,
    UsageModelType,
    UsagePricing,
    Volume,
)
from tallystick.domain.usage_pricing import Measured, PricedUsage, price_overage, price_usage

rates = st.decimals(min_value=0, max_value=1000, places=4)
quantities = st.fractions(min_value=0, max_value=10_000, max_denominator=1000)
currencies = st.sampled_from(["JPY", "EUR", "KWD"])


def _priced(model: UsageModel, *usage: Measured, currency: str) -> PricedUsage:
    return price_usage(UsagePricing(model=model), usage, currency)


def _row(price: Decimal, value: int) -> MatrixRow:
    return MatrixRow(dimension1=_dimension(value), per_unit_price=price)


def _dimension(value: int) -> MatrixDimension:
    return MatrixDimension(key="n", value=str(value))


bounds = st.sets(st.integers(1, 5000), max_size=5)
rates_or_none = st.none() | rates


@st.composite
def tiers_of(draw: st.DrawFn) -> tuple[Tier, ...]:
    """Rising tiers, with flat fees and caps here and there."""
    firsts = sorted(draw(bounds))
    return tuple(
        Tier(
            first_unit=first,
            rate=draw(rates),
            flat_fee=draw(rates_or_none),
            flat_cap=draw(rates_or_none),
        )
        for first in [0, *firsts]
    )


any_model: st.SearchStrategy[UsageModel] = st.one_of(
    st.builds(PerUnit, rate=rates),
    st.builds(Tiered, tiers=tiers_of()),
    st.builds(Volume, tiers=tiers_of()),
    st.builds(Package, block_size=st.integers(1, 500), rate=rates),
)


@given(any_model, quantities, currencies)
def test_parts_always_sum(model: UsageModel, units: Fraction, currency: str) -> None:
    """A line is one rounding of its exact sum, and its parts sum to it; none is lost."""
    (line,) = _priced(model, Measured(quantity=units), currency=currency).lines
    assert line.amount == rounded(line.exact)
    assert sum(part.amount for part in line.parts) == line.amount >= 0
    if model.type is not UsageModelType.PACKAGE:
        assert line.quantity == units


@given(
    st.one_of(
        st.builds(PerUnit, rate=rates),
        st.builds(Tiered, tiers=tiers_of()),
        st.builds(Package, block_size=st.integers(1, 500), rate=rates),
    ),
    st.lists(quantities, min_size=2, max_size=2).map(sorted),
    currencies,
)
def test_more_usage_never_costs_less(
    model: UsageModel, units: Sequence[Fraction], currency: str
) -> None:
    """Per unit, in tiers and in packages; by volume it may, which is its point."""
    less, more = (
        _priced(model, Measured(quantity=one), currency=currency).lines[0].amount
        for one in units
    )
    assert less <= more


@given(rates, quantities, currencies)
def test_one_tier_is_per_unit(rate: Decimal, units: Fraction, currency: str) -> None:
    """A single tier without fee or cap is the same price as one rate, either way."""
    tiers = (Tier(first_unit=0, rate=rate),)
    models: list[UsageModel] = [PerUnit(rate=rate), Tiered(tiers=tiers), Volume(tiers=tiers)]
    amounts = {
        _priced(model, Measured(quantity=units), currency=currency).lines[0].amount
        for model in models
    }
    assert amounts == {rounded(units * minor(rate, currency))}


@given(st.lists(st.tuples(rates, quantities), min_size=1, max_size=6), currencies)
def test_a_matrix_bills_or_tells_every_unit(
    rows: list[tuple[Decimal, Fraction]], currency: str
) -> None:
    """Every unit stands in a part or among the unpriced."""
    matrix = Matrix(rates=tuple(_row(rate, n) for n, (rate, _) in enumerate(rows)))
    usage = [
        Measured(quantity=units, dimensions=(_dimension(n * 2),))
        for n, (_, units) in enumerate(rows)
    ]
    priced = _priced(matrix, *usage, currency=currency)
    billed = sum((line.quantity for line in priced.lines), Fraction(0))
    told = sum((one.quantity for one in priced.unpriced), Fraction(0))
    assert billed + told == sum((one.quantity for one in usage), Fraction(0))
    for line in priced.lines:
        assert sum(part.amount for part in line.parts) == line.amount == rounded(line.exact)


@given(quantities, st.integers(0, 5000), st.integers(1, 5), rates, currencies)
def test_overage_is_what_lies_beyond(
    units: Fraction, included: int, instances: int, rate: Decimal, currency: str
) -> None:
    """With no allowance overage is per unit; each unit of allowance takes a unit off."""
    capacity = CapacityPricing(rate=Decimal(1), included=included, overage_rate=rate)
    line = price_overage(capacity, units, instances, currency)
    beyond = max(units - included * instances, Fraction(0))
    plain = _priced(PerUnit(rate=rate), Measured(quantity=beyond), currency=currency).lines[0]
    assert (line.amount if line else 0) == plain.amount
    assert (line is None) == (beyond == 0)
