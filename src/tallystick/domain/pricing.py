"""Prices: the closed set of ways a fee can be computed, as frozen values that refuse nonsense.

A `Price` belongs to a product; the product's fee structure says what kind of fee it is, the
price says how much and how often. Constructors check what a single value can check about
itself and raise `PricingFault`; what needs the catalog (currency of the plan, fee type of the
product) is checked where the offer is resolved.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Literal, assert_never
from uuid import UUID

from tallystick.domain.periods import Cadence

COUNT_MAX = 1_000_000_000
"""Largest count of slots, units or blocks in a price or a request."""


class PricingFault(ValueError):
    """A price that could not be computed: `field` is the path below the pricing, with a
    sentence.
    """

    def __init__(self, field: str, message: str) -> None:
        """Keep the path below the pricing object and what would be accepted."""
        super().__init__(message)
        self.field = field
        self.message = message


class FeeType(StrEnum):
    """The kinds of fee; a product has one, and every price of it must agree."""

    RATE = "RATE"
    SLOT = "SLOT"
    CAPACITY = "CAPACITY"
    USAGE = "USAGE"
    EXTRA_RECURRING = "EXTRA_RECURRING"
    ONE_TIME = "ONE_TIME"


class BillingType(StrEnum):
    """Whether a fee is billed when its period begins or when it ends."""

    ADVANCE = "ADVANCE"
    ARREARS = "ARREARS"


class UsageModelType(StrEnum):
    """The ways to price metered usage."""

    PER_UNIT = "PER_UNIT"
    TIERED = "TIERED"
    VOLUME = "VOLUME"
    PACKAGE = "PACKAGE"
    MATRIX = "MATRIX"


# Fee structures: what a product is, whatever it costs.


@dataclass(frozen=True, slots=True, kw_only=True)
class RateFee:
    """A fixed fee per period."""

    type: Literal[FeeType.RATE] = FeeType.RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotFee:
    """A fee per slot (seat) and period; `unit_name` is what the buyer reads ("seat")."""

    unit_name: str
    type: Literal[FeeType.SLOT] = FeeType.SLOT


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityFee:
    """A fee for an included amount of a metric, and overage beyond it."""

    metric_id: UUID
    type: Literal[FeeType.CAPACITY] = FeeType.CAPACITY


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageFee:
    """A fee for metered usage, billed in arrears."""

    metric_id: UUID
    model: UsageModelType
    type: Literal[FeeType.USAGE] = FeeType.USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraRecurringFee:
    """A recurring fee per unit, billed in advance or in arrears."""

    billing_type: BillingType
    type: Literal[FeeType.EXTRA_RECURRING] = FeeType.EXTRA_RECURRING


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeFee:
    """A fee billed once, on the first invoice."""

    type: Literal[FeeType.ONE_TIME] = FeeType.ONE_TIME


FeeStructure = RateFee | SlotFee | CapacityFee | UsageFee | ExtraRecurringFee | OneTimeFee


# Pricings: how much. All rates are in major units of the price's currency.


@dataclass(frozen=True, slots=True, kw_only=True)
class RatePricing:
    """A fixed amount per period."""

    rate: Decimal
    type: Literal[FeeType.RATE] = FeeType.RATE

    def __post_init__(self) -> None:
        """A rate is not negative."""
        _not_negative("rate", self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPricing:
    """An amount per slot and period, with the least and the most slots that can be bought."""

    unit_rate: Decimal
    min_slots: int | None = None
    max_slots: int | None = None
    type: Literal[FeeType.SLOT] = FeeType.SLOT

    def __post_init__(self) -> None:
        """Bounds are counts and in order."""
        _not_negative("unit_rate", self.unit_rate)
        _count("min_slots", self.min_slots, least=0)
        _count("max_slots", self.max_slots, least=1)
        if self.min_slots is not None and self.max_slots is not None:
            _require(
                self.min_slots <= self.max_slots, "max_slots", "must not be below min_slots"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPricing:
    """An amount per period that includes `included` units; `overage_rate` for each unit
    beyond.
    """

    rate: Decimal
    included: int
    overage_rate: Decimal
    type: Literal[FeeType.CAPACITY] = FeeType.CAPACITY

    def __post_init__(self) -> None:
        """Rates are not negative, the allowance is a count."""
        _not_negative("rate", self.rate)
        _not_negative("overage_rate", self.overage_rate)
        _count("included", self.included, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerUnit:
    """Each unit at one rate."""

    rate: Decimal
    type: Literal[UsageModelType.PER_UNIT] = UsageModelType.PER_UNIT

    def __post_init__(self) -> None:
        """A rate is not negative."""
        _not_negative("model.rate", self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """From `first_unit` on, each unit at `rate`, plus `flat_fee`, capped at `flat_cap`."""

    first_unit: int
    rate: Decimal
    flat_fee: Decimal | None = None
    flat_cap: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiered:
    """Each tier's units at that tier's rate (graduated)."""

    tiers: tuple[Tier, ...]
    type: Literal[UsageModelType.TIERED] = UsageModelType.TIERED

    def __post_init__(self) -> None:
        """Tiers start at zero and rise."""
        _tiers(self.tiers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """All units at the rate of the tier that the total falls into."""

    tiers: tuple[Tier, ...]
    type: Literal[UsageModelType.VOLUME] = UsageModelType.VOLUME

    def __post_init__(self) -> None:
        """Tiers start at zero and rise."""
        _tiers(self.tiers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """Each started block of `block_size` units at `rate`."""

    block_size: int
    rate: Decimal
    type: Literal[UsageModelType.PACKAGE] = UsageModelType.PACKAGE

    def __post_init__(self) -> None:
        """A block holds at least one unit."""
        _not_negative("model.rate", self.rate)
        _count("model.block_size", self.block_size, least=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixDimension:
    """One property of an event and the value it must have."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """The price of a unit whose one or two dimensions have these values."""

    dimension1: MatrixDimension
    per_unit_price: Decimal
    dimension2: MatrixDimension | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A price per combination of dimension values."""

    rates: tuple[MatrixRow, ...]
    type: Literal[UsageModelType.MATRIX] = UsageModelType.MATRIX

    def __post_init__(self) -> None:
        """Rows are not negative and not repeated."""
        _require(bool(self.rates), "model.rates", "must have at least one row")
        seen: set[tuple[MatrixDimension, MatrixDimension | None]] = set()
        for index, row in enumerate(self.rates):
            _not_negative(f"model.rates[{index}].per_unit_price", row.per_unit_price)
            key = (row.dimension1, row.dimension2)
            _require(key not in seen, f"model.rates[{index}]", "repeats an earlier row")
            seen.add(key)


UsageModel = PerUnit | Tiered | Volume | Package | Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePricing:
    """Metered usage priced by a model."""

    model: UsageModel
    type: Literal[FeeType.USAGE] = FeeType.USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraRecurringPricing:
    """`quantity` units at `unit_price` each, every period."""

    unit_price: Decimal
    quantity: int
    type: Literal[FeeType.EXTRA_RECURRING] = FeeType.EXTRA_RECURRING

    def __post_init__(self) -> None:
        """A price is not negative, a quantity is a count."""
        _not_negative("unit_price", self.unit_price)
        _count("quantity", self.quantity, least=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimePricing:
    """`quantity` units at `unit_price` each, once."""

    unit_price: Decimal
    quantity: int
    type: Literal[FeeType.ONE_TIME] = FeeType.ONE_TIME

    def __post_init__(self) -> None:
        """A price is not negative, a quantity is a count."""
        _not_negative("unit_price", self.unit_price)
        _count("quantity", self.quantity, least=1)


Pricing = (
    RatePricing
    | SlotPricing
    | CapacityPricing
    | UsagePricing
    | ExtraRecurringPricing
    | OneTimePricing
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """A product's price: immutable once made. `cadence` is ignored for a one-time fee."""

    id: UUID
    product_id: UUID
    cadence: Cadence
    currency: str
    pricing: Pricing


def suits(pricing: Pricing, fee: FeeStructure) -> bool:
    """Whether a price of this kind can belong to a product with this fee structure."""
    if isinstance(pricing, UsagePricing) and isinstance(fee, UsageFee):
        return pricing.model.type == fee.model
    return pricing.type == fee.type


def costs_nothing(pricing: Pricing) -> bool:
    """Whether no quantity and no usage at this price can ever come to an amount."""
    match pricing:
        case RatePricing(rate=rate) | SlotPricing(unit_rate=rate):
            return rate == 0
        case CapacityPricing(rate=rate, overage_rate=overage_rate):
            return rate == 0 and overage_rate == 0
        case ExtraRecurringPricing(unit_price=price) | OneTimePricing(unit_price=price):
            return price == 0
        case UsagePricing(model=model):
            return _usage_costs_nothing(model)
    assert_never(pricing)


def _usage_costs_nothing(model: UsageModel) -> bool:
    match model:
        case PerUnit(rate=rate) | Package(rate=rate):
            return rate == 0
        case Tiered(tiers=tiers) | Volume(tiers=tiers):
            return all(
                (tier.rate == 0 and not tier.flat_fee) or tier.flat_cap == 0 for tier in tiers
            )
        case Matrix(rates=rows):
            return all(row.per_unit_price == 0 for row in rows)
    assert_never(model)


def _require(condition: bool, field: str, message: str) -> None:  # noqa: FBT001 - a predicate
    if not condition:
        raise PricingFault(field, message)


def _not_negative(field: str, value: Decimal) -> None:
    _require(value.is_finite() and value >= 0, field, "must not be negative")


def _count(field: str, value: int | None, *, least: int) -> None:
    if value is not None:
        _require(least <= value <= COUNT_MAX, field, f"must be between {least} and {COUNT_MAX}")


def _tiers(tiers: tuple[Tier, ...]) -> None:
    _require(bool(tiers), "model.tiers", "must have at least one tier")
    _require(tiers[0].first_unit == 0, "model.tiers[0].first_unit", "must be 0")
    for index, (before, after) in enumerate(pairwise(tiers), start=1):
        _require(
            before.first_unit < after.first_unit,
            f"model.tiers[{index}].first_unit",
            "must be above the tier before it",
        )
    for index, tier in enumerate(tiers):
        path = f"model.tiers[{index}]"
        _not_negative(f"{path}.rate", tier.rate)
        _not_negative(f"{path}.flat_fee", tier.flat_fee or Decimal(0))
        _not_negative(f"{path}.flat_cap", tier.flat_cap or Decimal(0))
