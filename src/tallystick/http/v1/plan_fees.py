"""A plan component's fee on the wire: one object for its structure and all of its prices."""

from collections.abc import Iterator
from typing import Annotated, Literal, assert_never

from pydantic import Field

from tallystick.domain.catalog import PlanComponent
from tallystick.domain.errors import Fault
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    BillingType,
    CapacityFee,
    CapacityPricing,
    ExtraRecurringFee,
    ExtraRecurringPricing,
    FeeStructure,
    OneTimeFee,
    OneTimePricing,
    Price,
    Pricing,
    PricingFault,
    RateFee,
    RatePricing,
    SlotFee,
    SlotPricing,
    UsageFee,
    UsageModelType,
    UsagePricing,
)
from tallystick.http.v1.pricing_schemas import Count, CountFromOne
from tallystick.http.v1.scalars import (
    LIST_MAX,
    MetricId,
    Name,
    NonNegativeDecimal,
    RequestModel,
)
from tallystick.http.v1.usage_schemas import (
    UsageModelSchema,
    show_usage_model,
    to_usage_model,
)

Choice = tuple[Cadence, Pricing]


class TermRate(RequestModel):
    """The price for one cadence."""

    term: Annotated[Cadence, Field(description="The cadence.")]
    price: Annotated[
        NonNegativeDecimal, Field(description="In major units, for the whole of it.")
    ]


Rates = Annotated[list[TermRate], Field(min_length=1, max_length=len(Cadence))]


class RatePlanFee(RequestModel):
    """A fixed fee per period; several terms are choices by cadence."""

    type: Literal["RATE"]
    rates: Annotated[Rates, Field(description="One for each cadence that can be chosen.")]


class SlotPlanFee(RequestModel):
    """A fee per slot; `minimum_count` and `quota` are the least and the most slots."""

    type: Literal["SLOT"]
    rates: Annotated[
        Rates, Field(description="The price of one slot, for each cadence that can be chosen.")
    ]
    slot_unit_name: Annotated[Name, Field(description="What buyers read: `seat`.")]
    minimum_count: Annotated[Count | None, Field(description="The fewest slots; null: 0.")] = (
        None
    )
    quota: Annotated[
        CountFromOne | None, Field(description="The most slots; null: any number.")
    ] = None


class CapacityThreshold(RequestModel):
    """One choice of included units."""

    included_amount: Annotated[Count, Field(description="Units that the price includes.")]
    price: Annotated[NonNegativeDecimal, Field(description="In major units, for each period.")]
    per_unit_overage: Annotated[
        NonNegativeDecimal, Field(description="In major units, for each unit beyond.")
    ]


class CapacityPlanFee(RequestModel):
    """A fee with included units and overage; several thresholds are choices."""

    type: Literal["CAPACITY"]
    metric_id: Annotated[MetricId, Field(description="What is counted.")]
    cadence: Annotated[Cadence, Field(description="How often it is billed.")]
    thresholds: Annotated[
        list[CapacityThreshold],
        Field(min_length=1, max_length=LIST_MAX, description="The choices."),
    ]


class UsagePlanFee(RequestModel):
    """A fee for metered usage."""

    type: Literal["USAGE"]
    metric_id: Annotated[MetricId, Field(description="What is counted.")]
    cadence: Annotated[Cadence, Field(description="How often it is billed.")]
    pricing: Annotated[UsageModelSchema, Field(description="How the units are priced.")]


class ExtraRecurringPlanFee(RequestModel):
    """A recurring fee per unit."""

    type: Literal["EXTRA_RECURRING"]
    billing_type: Annotated[
        BillingType,
        Field(description="Whether it is billed when its period begins or when it ends."),
    ]
    cadence: Annotated[Cadence, Field(description="How often it is billed.")]
    unit_price: Annotated[
        NonNegativeDecimal, Field(description="In major units, for each period.")
    ]
    quantity: Annotated[CountFromOne, Field(description="How many units.")]


class OneTimePlanFee(RequestModel):
    """A fee billed once, on the first invoice."""

    type: Literal["ONE_TIME"]
    unit_price: Annotated[NonNegativeDecimal, Field(description="In major units.")]
    quantity: Annotated[CountFromOne, Field(description="How many units.")]


PlanFee = Annotated[
    RatePlanFee
    | SlotPlanFee
    | CapacityPlanFee
    | UsagePlanFee
    | ExtraRecurringPlanFee
    | OneTimePlanFee,
    Field(discriminator="type"),
]

_FIELD_OF_PLAN = {"min_slots": "minimum_count", "max_slots": "quota", "model": "pricing"}
"""A plan's fee names some fields of a pricing in its own way."""


def to_choices(schema: PlanFee, path: str, faults: list[Fault]) -> tuple[Choice, ...]:
    """One pricing for each choice that the fee offers, or none with its faults added."""
    try:
        return tuple(_choices(schema))
    except PricingFault as reason:
        for below, text in reason.problems:
            first, dot, rest = below.partition(".")
            field = f"{_FIELD_OF_PLAN.get(first, first)}{dot}{rest}"
            message = text.replace("min_slots", "minimum_count")
            faults.append(Fault(f"{path}.{field}", "invalid", message))
        return ()


def show_plan_fee(component: PlanComponent) -> PlanFee:
    """A component's fee as it is sent."""
    fee, prices = component.fee, component.prices
    match fee:
        case RateFee():
            return RatePlanFee(type="RATE", rates=[_rate(price) for price in prices])
        case SlotFee(unit_name=unit_name):
            first = prices[0].pricing
            assert isinstance(first, SlotPricing), "a slot product has slot prices"
            return SlotPlanFee(
                type="SLOT",
                rates=[_rate(price) for price in prices],
                slot_unit_name=unit_name,
                minimum_count=first.min_slots,
                quota=first.max_slots,
            )
        case CapacityFee(metric_id=metric_id):
            return CapacityPlanFee(
                type="CAPACITY",
                metric_id=metric_id,
                cadence=prices[0].cadence,
                thresholds=[_threshold(price) for price in prices],
            )
        case UsageFee() | ExtraRecurringFee() | OneTimeFee():
            return _show_single(fee, prices[0])
    assert_never(fee)


def to_plan_fee(schema: PlanFee) -> FeeStructure:
    """The fee structure that was sent."""
    match schema:
        case RatePlanFee():
            return RateFee()
        case SlotPlanFee():
            return SlotFee(unit_name=schema.slot_unit_name)
        case CapacityPlanFee():
            return CapacityFee(metric_id=schema.metric_id)
        case UsagePlanFee():
            return UsageFee(
                metric_id=schema.metric_id, model=UsageModelType(schema.pricing.type)
            )
        case ExtraRecurringPlanFee():
            return ExtraRecurringFee(billing_type=schema.billing_type)
        case OneTimePlanFee():
            return OneTimeFee()
    assert_never(schema)


def _choices(schema: PlanFee) -> Iterator[Choice]:
    match schema:
        case RatePlanFee():
            for one in schema.rates:
                yield one.term, RatePricing(rate=one.price)
        case SlotPlanFee():
            for one in schema.rates:
                yield (
                    one.term,
                    SlotPricing(
                        unit_rate=one.price,
                        min_slots=schema.minimum_count,
                        max_slots=schema.quota,
                    ),
                )
        case CapacityPlanFee():
            for threshold in schema.thresholds:
                yield (
                    schema.cadence,
                    CapacityPricing(
                        rate=threshold.price,
                        included=threshold.included_amount,
                        overage_rate=threshold.per_unit_overage,
                    ),
                )
        case UsagePlanFee():
            yield schema.cadence, UsagePricing(model=to_usage_model(schema.pricing))
        case ExtraRecurringPlanFee():
            yield (
                schema.cadence,
                ExtraRecurringPricing(unit_price=schema.unit_price, quantity=schema.quantity),
            )
        case OneTimePlanFee():
            # A one-time fee has no cadence; every price is stored with one, which is ignored.
            yield (
                Cadence.MONTHLY,
                OneTimePricing(unit_price=schema.unit_price, quantity=schema.quantity),
            )
        case _:
            assert_never(schema)


def _show_single(fee: UsageFee | ExtraRecurringFee | OneTimeFee, price: Price) -> PlanFee:
    pricing = price.pricing
    match fee:
        case UsageFee(metric_id=metric_id):
            assert isinstance(pricing, UsagePricing), "a usage product has usage prices"
            return UsagePlanFee(
                type="USAGE",
                metric_id=metric_id,
                cadence=price.cadence,
                pricing=show_usage_model(pricing.model),
            )
        case ExtraRecurringFee(billing_type=billing_type):
            assert isinstance(pricing, ExtraRecurringPricing), "prices suit their product"
            return ExtraRecurringPlanFee(
                type="EXTRA_RECURRING",
                billing_type=billing_type,
                cadence=price.cadence,
                unit_price=pricing.unit_price,
                quantity=pricing.quantity,
            )
        case OneTimeFee():
            assert isinstance(pricing, OneTimePricing), "prices suit their product"
            return OneTimePlanFee(
                type="ONE_TIME", unit_price=pricing.unit_price, quantity=pricing.quantity
            )
    assert_never(fee)


def _rate(price: Price) -> TermRate:
    match price.pricing:
        case RatePricing(rate=rate) | SlotPricing(unit_rate=rate):
            return TermRate(term=price.cadence, price=rate)
        case _:
            raise AssertionError("only rates and slots are priced by term")


def _threshold(price: Price) -> CapacityThreshold:
    pricing = price.pricing
    assert isinstance(pricing, CapacityPricing), "a capacity product has capacity prices"
    return CapacityThreshold(
        included_amount=pricing.included,
        price=pricing.rate,
        per_unit_overage=pricing.overage_rate,
    )
