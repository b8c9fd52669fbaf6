"""Prices: the closed set of ways a fee can be computed, as frozen values that refuse nonsense.

A `Price` belongs to a product; the product's fee structure says what kind of fee it is, the
price says how much and how often. Constructors check what a single value can check about
itself and raise `PricingFault`; what needs the catalog (currency of the plan, fee type of the
product) is checked where the offer is resolved.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Literal, assert_never
from uuid import UUID

from tallystick.domain.periods import Cadence

COUNT_MAX = 1_000_000_000
"""Largest count of slots, units or blocks in a price or a request."""


Problem = tuple[str, str]
"""A path below the pricing object, and what would be accepted there."""


class PricingFault(ValueError):
    """A price that could not be computed; `problems` are all there are with it."""

    def __init__(self, *problems: Problem) -> None:
        """Keep the problems."""
        super().__init__(*problems)
        self.problems = problems


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
        _refuse(_negative("rate", self.rate))


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPricing:
    """An amount per slot and period, with the least and the most slots that can be bought."""

    unit_rate: Decimal
    min_slots: int | None = None
    max_slots: int | None = None
    type: Literal[FeeType.SLOT] = FeeType.SLOT

    def __post_init__(self) -> None:
        """Bounds are counts and in order."""
        low, high = self.min_slots, self.max_slots
        is_turned = low is not None and high is not None and low > high
        _refuse(
            _negative("unit_rate", self.unit_rate),
            _no_count("min_slots", low, least=0),
            _no_count("max_slots", high, least=1),
            ("max_slots", "must not be below min_slots") if is_turned else None,
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
        _refuse(
            _negative("rate", self.rate),
            _negative("overage_rate", self.overage_rate),
            _no_count("included", self.included, least=0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PerUnit:
    """Each unit at one rate."""

    rate: Decimal
    type: Literal[UsageModelType.PER_UNIT] = UsageModelType.PER_UNIT

    def __post_init__(self) -> None:
        """A rate is not negative."""
        _refuse(_negative("model.rate", self.rate))


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
        _refuse(*_tier_problems(self.tiers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """All units at the rate of the tier that the total falls into."""

    tiers: tuple[Tier, ...]
    type: Literal[UsageModelType.VOLUME] = UsageModelType.VOLUME

    def __post_init__(self) -> None:
        """Tiers start at zero and rise."""
        _refuse(*_tier_problems(self.tiers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """Each started block of `block_size` units at `rate`."""

    block_size: int
    rate: Decimal
    type: Literal[UsageModelType.PACKAGE] = UsageModelType.PACKAGE

    def __post_init__(self) -> None:
        """A block holds at least one unit."""
        _refuse(
            _negative("model.rate", self.rate),
            _no_count("model.block_size", self.block_size, least=1),
        )


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
        problems = [None if self.rates else ("model.rates", "must have at least one row")]
        seen: set[tuple[MatrixDimension, MatrixDimension | None]] = set()
        for index, row in enumerate(self.rates):
            path, key = f"model.rates[{index}]", (row.dimension1, row.dimension2)
            problems.append(_negative(f"{path}.per_unit_price", row.per_unit_price))
            problems.append((path, "repeats an earlier row") if key in seen else None)
            seen.add(key)
        _refuse(*problems)


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
        _refuse(
            _negative("unit_price", self.unit_price),
            _no_count("quantity", self.quantity, least=1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimePricing:
    """`quantity` units at `unit_price` each, once."""

    unit_price: Decimal
    quantity: int
    type: Literal[FeeType.ONE_TIME] = FeeType.ONE_TIME

    def __post_init__(self) -> None:
        """A price is not negative, a quantity is a count."""
        _refuse(
            _negative("unit_price", self.unit_price),
            _no_count("quantity", self.quantity, least=1),
        )


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


def _refuse(*found: Problem | None) -> None:
    problems = [one for one in found if one is not None]
    if problems:
        raise PricingFault(*problems)


def _negative(field: str, value: Decimal) -> Problem | None:
    return None if value.is_finite() and value >= 0 else (field, "must not be negative")


def _no_count(field: str, value: int | None, *, least: int) -> Problem | None:
    if value is None or least <= value <= COUNT_MAX:
        return None
    return field, f"must be between {least} and {COUNT_MAX}"


def _tier_problems(tiers: tuple[Tier, ...]) -> Iterator[Problem | None]:
    if not tiers:
        yield "model.tiers", "must have at least one tier"
        return
    if tiers[0].first_unit != 0:
        yield "model.tiers[0].first_unit", "must be 0"
    for index, (before, after) in enumerate(pairwise(tiers), start=1):
        if before.first_unit >= after.first_unit:
            yield f"model.tiers[{index}].first_unit", "must be above the tier before it"
    for index, tier in enumerate(tiers):
        path = f"model.tiers[{index}]"
        yield _negative(f"{path}.rate", tier.rate)
        yield _negative(f"{path}.flat_fee", tier.flat_fee or Decimal(0))
        yield _negative(f"{path}.flat_cap", tier.flat_cap or Decimal(0))
