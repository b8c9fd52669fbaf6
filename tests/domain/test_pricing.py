"""A price that could not be computed cannot be made."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest

from tallystick.domain.pricing import (
    COUNT_MAX,
    BillingType,
    CapacityPricing,
    ExtraRecurringFee,
    ExtraRecurringPricing,
    FeeStructure,
    Matrix,
    MatrixDimension,
    MatrixRow,
    OneTimeFee,
    OneTimePricing,
    Package,
    PerUnit,
    Pricing,
    PricingFault,
    RateFee,
    RatePricing,
    SlotFee,
    SlotPricing,
    Tier,
    Tiered,
    UsageFee,
    UsageModelType,
    UsagePricing,
    Volume,
    suits,
)
from tests.domain.samples import fee_for

ONE = Decimal(1)
RED = MatrixDimension(key="colour", value="red")
BIG = MatrixDimension(key="size", value="big")
USAGE = UsagePricing(model=PerUnit(rate=ONE))

PRICINGS: list[Pricing] = [
    RatePricing(rate=ONE),
    SlotPricing(unit_rate=ONE, min_slots=1, max_slots=5),
    CapacityPricing(rate=ONE, included=0, overage_rate=Decimal("0.004")),
    USAGE,
    ExtraRecurringPricing(unit_price=ONE, quantity=1),
    OneTimePricing(unit_price=ONE, quantity=COUNT_MAX),
]


def _tier(first_unit: int, rate: Decimal = ONE, **more: Decimal) -> Tier:
    return Tier(first_unit=first_unit, rate=rate, **more)


def _row(second: MatrixDimension | None = None, price: Decimal = ONE) -> MatrixRow:
    return MatrixRow(dimension1=RED, dimension2=second, per_unit_price=price)


REFUSED: list[tuple[str, Callable[[], object]]] = [
    ("rate", lambda: RatePricing(rate=Decimal("-0.01"))),
    ("rate", lambda: RatePricing(rate=Decimal("NaN"))),
    ("rate", lambda: RatePricing(rate=Decimal("Infinity"))),
    ("unit_rate", lambda: SlotPricing(unit_rate=Decimal(-1))),
    ("min_slots", lambda: SlotPricing(unit_rate=ONE, min_slots=-1)),
    ("max_slots", lambda: SlotPricing(unit_rate=ONE, max_slots=0)),
    ("max_slots", lambda: SlotPricing(unit_rate=ONE, min_slots=3, max_slots=2)),
    ("max_slots", lambda: SlotPricing(unit_rate=ONE, max_slots=COUNT_MAX + 1)),
    ("rate", lambda: CapacityPricing(rate=Decimal(-1), included=1, overage_rate=ONE)),
    ("overage_rate", lambda: CapacityPricing(rate=ONE, included=1, overage_rate=Decimal(-1))),
    ("included", lambda: CapacityPricing(rate=ONE, included=-1, overage_rate=ONE)),
    ("unit_price", lambda: ExtraRecurringPricing(unit_price=Decimal(-1), quantity=1)),
    ("quantity", lambda: ExtraRecurringPricing(unit_price=ONE, quantity=0)),
    ("unit_price", lambda: OneTimePricing(unit_price=Decimal(-1), quantity=1)),
    ("quantity", lambda: OneTimePricing(unit_price=ONE, quantity=0)),
    ("model.rate", lambda: PerUnit(rate=Decimal(-1))),
    ("model.rate", lambda: Package(block_size=1, rate=Decimal(-1))),
    ("model.block_size", lambda: Package(block_size=0, rate=ONE)),
    ("model.tiers", lambda: Tiered(tiers=())),
    ("model.tiers[0].first_unit", lambda: Tiered(tiers=(_tier(1),))),
    ("model.tiers[1].first_unit", lambda: Volume(tiers=(_tier(0), _tier(0)))),
    ("model.tiers[2].first_unit", lambda: Volume(tiers=(_tier(0), _tier(9), _tier(8)))),
    ("model.tiers[0].rate", lambda: Volume(tiers=(_tier(0, Decimal(-1)),))),
    ("model.tiers[0].flat_fee", lambda: Volume(tiers=(_tier(0, flat_fee=Decimal(-1)),))),
    ("model.tiers[0].flat_cap", lambda: Volume(tiers=(_tier(0, flat_cap=Decimal(-1)),))),
    ("model.rates", lambda: Matrix(rates=())),
    ("model.rates[1]", lambda: Matrix(rates=(_row(), _row()))),
    ("model.rates[1].per_unit_price", lambda: Matrix(rates=(_row(), _row(BIG, Decimal(-1))))),
]


@pytest.mark.parametrize(
    ("field", "make"), REFUSED, ids=[f"{n}-{one[0]}" for n, one in enumerate(REFUSED)]
)
def test_nonsense_is_refused_by_name(field: str, make: Callable[[], object]) -> None:
    """Negative rates, zero blocks, falling tiers and repeated rows name their field."""
    with pytest.raises(PricingFault) as caught:
        make()
    assert [found for found, _ in caught.value.problems] == [field]


def test_all_nonsense_is_told_together() -> None:
    """Tiers that neither start at zero nor rise, and rows that repeat and cost less than
    nothing, are told with everything that is wrong with them.
    """
    with pytest.raises(PricingFault) as caught:
        Tiered(tiers=(_tier(1), _tier(1, Decimal(-1))))
    assert caught.value.problems == (
        ("model.tiers[0].first_unit", "must be 0"),
        ("model.tiers[1].first_unit", "must be above the tier before it"),
        ("model.tiers[1].rate", "must not be negative"),
    )

    with pytest.raises(PricingFault) as caught:
        Matrix(rates=(_row(), _row(BIG, Decimal(-1)), _row()))
    assert [field for field, _ in caught.value.problems] == [
        "model.rates[1].per_unit_price",
        "model.rates[2]",
    ]


def test_free_is_a_price() -> None:
    """A rate of zero, an allowance of zero and an empty minimum are allowed."""
    assert RatePricing(rate=Decimal(0)).rate == 0
    assert SlotPricing(unit_rate=Decimal(0), min_slots=0).max_slots is None
    assert Tiered(tiers=(_tier(0, Decimal(0), flat_fee=Decimal(0)), _tier(10))).tiers
    assert Matrix(rates=(_row(), _row(BIG))).rates


@pytest.mark.parametrize("pricing", PRICINGS, ids=lambda pricing: pricing.type)
def test_a_price_suits_its_own_kind_only(pricing: Pricing) -> None:
    """A product's fee decides which kind of price it can have."""
    for other in PRICINGS:
        assert suits(pricing, fee_for(other)) == (pricing.type == other.type)


@pytest.mark.parametrize("model", UsageModelType)
def test_metered_prices_suit_their_model(model: UsageModelType) -> None:
    """A price per unit does not suit a product sold in tiers."""
    fee = UsageFee(metric_id=UUID(int=1), model=model)
    assert suits(USAGE, fee) == (model is UsageModelType.PER_UNIT)


@pytest.mark.parametrize("fee", [RateFee(), SlotFee(unit_name="seat"), OneTimeFee()])
def test_metered_prices_suit_no_fixed_fee(fee: FeeStructure) -> None:
    """Usage is not a fixed fee, nor the other way round."""
    assert not suits(USAGE, fee)


@pytest.mark.parametrize("billing_type", BillingType)
def test_an_extra_fee_is_billed_either_way(billing_type: BillingType) -> None:
    """The same price can be billed in advance or in arrears."""
    price = ExtraRecurringPricing(unit_price=ONE, quantity=1)
    assert suits(price, ExtraRecurringFee(billing_type=billing_type))
