"""Fee structures on the wire: what a product is, whatever it costs."""

from typing import Annotated, Literal, assert_never

from pydantic import Field

from tallystick.domain.pricing import (
    BillingType,
    CapacityFee,
    ExtraRecurringFee,
    FeeStructure,
    OneTimeFee,
    RateFee,
    SlotFee,
    UsageFee,
    UsageModelType,
)
from tallystick.http.v1.scalars import MetricId, Name, RequestModel


class RateFeeStructure(RequestModel):
    """A fixed fee per period."""

    type: Literal["RATE"]


class SlotFeeStructure(RequestModel):
    """A fee per slot and period. Each policy has one value, which is what happens."""

    type: Literal["SLOT"]
    slot_unit_name: Annotated[Name, Field(description="What buyers read: `seat`.")]
    upgrade_policy: Annotated[
        Literal["PRORATED"], Field(description="More slots cost the days that are left.")
    ] = "PRORATED"
    downgrade_policy: Annotated[
        Literal["REMOVE_AT_END_OF_PERIOD"],
        Field(description="Fewer slots count from the end of the period on."),
    ] = "REMOVE_AT_END_OF_PERIOD"


class CapacityFeeStructure(RequestModel):
    """A fee for an included amount of a metric, and overage beyond it."""

    type: Literal["CAPACITY"]
    metric_id: Annotated[MetricId, Field(description="What is counted.")]


class UsageFeeStructure(RequestModel):
    """A fee for metered usage, priced by one model."""

    type: Literal["USAGE"]
    metric_id: Annotated[MetricId, Field(description="What is counted.")]
    model: Annotated[UsageModelType, Field(description="How the units are priced.")]


class ExtraRecurringFeeStructure(RequestModel):
    """A recurring fee per unit, billed in advance or in arrears."""

    type: Literal["EXTRA_RECURRING"]
    billing_type: Annotated[
        BillingType,
        Field(description="Whether it is billed when its period begins or when it ends."),
    ]


class OneTimeFeeStructure(RequestModel):
    """A fee billed once."""

    type: Literal["ONE_TIME"]


FeeStructureSchema = Annotated[
    RateFeeStructure
    | SlotFeeStructure
    | CapacityFeeStructure
    | UsageFeeStructure
    | ExtraRecurringFeeStructure
    | OneTimeFeeStructure,
    Field(discriminator="type"),
]


def to_fee(schema: FeeStructureSchema) -> FeeStructure:
    """The fee structure that was sent."""
    match schema:
        case RateFeeStructure():
            return RateFee()
        case SlotFeeStructure():
            return SlotFee(unit_name=schema.slot_unit_name)
        case CapacityFeeStructure():
            return CapacityFee(metric_id=schema.metric_id)
        case UsageFeeStructure():
            return UsageFee(metric_id=schema.metric_id, model=schema.model)
        case ExtraRecurringFeeStructure():
            return ExtraRecurringFee(billing_type=schema.billing_type)
        case OneTimeFeeStructure():
            return OneTimeFee()
    assert_never(schema)


def show_fee_structure(fee: FeeStructure) -> FeeStructureSchema:
    """A fee structure as it is sent."""
    match fee:
        case RateFee():
            return RateFeeStructure(type="RATE")
        case SlotFee():
            return SlotFeeStructure(type="SLOT", slot_unit_name=fee.unit_name)
        case CapacityFee():
            return CapacityFeeStructure(type="CAPACITY", metric_id=fee.metric_id)
        case UsageFee():
            return UsageFeeStructure(type="USAGE", metric_id=fee.metric_id, model=fee.model)
        case ExtraRecurringFee():
            return ExtraRecurringFeeStructure(
                type="EXTRA_RECURRING", billing_type=fee.billing_type
            )
        case OneTimeFee():
            return OneTimeFeeStructure(type="ONE_TIME")
    assert_never(fee)
