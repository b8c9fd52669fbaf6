"""The items of a subscription on the wire: what is billed, at which price."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, assert_never

from pydantic import Field

from tallystick.domain.charges import Item
from tallystick.domain.pricing import (
    BillingType,
    CapacityFee,
    CapacityPricing,
    ExtraRecurringFee,
    ExtraRecurringPricing,
    FeeType,
    OneTimePricing,
    RatePricing,
    SlotFee,
    SlotPricing,
    UsageFee,
    UsagePricing,
)
from tallystick.http.v1.scalars import (
    AddOnId,
    AnswerModel,
    ComponentId,
    Day,
    DecimalOut,
    InvoiceId,
    MetricId,
    PriceId,
    ProductId,
    SubscriptionAddOnId,
    SubscriptionComponentId,
)
from tallystick.http.v1.usage_schemas import UsageModelSchema, show_usage_model


class ItemPeriod(StrEnum):
    """How often an item is billed."""

    ONE_TIME = "ONE_TIME"
    MONTHLY = "MONTHLY"
    QUARTERLY = "QUARTERLY"
    SEMIANNUAL = "SEMIANNUAL"
    ANNUAL = "ANNUAL"


class RateItemFee(AnswerModel):
    """A fixed fee per period."""

    type: Literal["RATE"]
    rate: DecimalOut


class OneTimeItemFee(AnswerModel):
    """A fee billed once."""

    type: Literal["ONE_TIME"]
    rate: DecimalOut
    quantity: int


class RecurringItemFee(AnswerModel):
    """A recurring fee per unit."""

    type: Literal["RECURRING"]
    rate: DecimalOut
    quantity: int
    billing_type: BillingType


class CapacityItemFee(AnswerModel):
    """A fee with included units of a metric, and overage beyond."""

    type: Literal["CAPACITY"]
    rate: DecimalOut
    included: int
    overage_rate: DecimalOut
    metric_id: MetricId


class ScheduledSlots(AnswerModel):
    """A change of slots that is still to come."""

    delta: int
    effective_on: Day


class AwaitedSlots(AnswerModel):
    """Slots that are there once their invoice is paid."""

    delta: int
    invoice_id: InvoiceId | None


class SlotItemFee(AnswerModel):
    """A fee per slot: so many of one instance, and what will or may come to them."""

    type: Literal["SLOT"]
    unit: str
    unit_rate: DecimalOut
    initial_slots: Annotated[int, Field(description="How many there are today.")]
    min_slots: int | None
    max_slots: int | None
    scheduled: list[ScheduledSlots]
    awaiting_payment: list[AwaitedSlots]


class UsageItemFee(AnswerModel):
    """Metered usage."""

    type: Literal["USAGE"]
    metric_id: MetricId
    model: UsageModelSchema


ItemFee = Annotated[
    RateItemFee
    | OneTimeItemFee
    | RecurringItemFee
    | CapacityItemFee
    | SlotItemFee
    | UsageItemFee,
    Field(discriminator="type"),
]


class SubscriptionComponentOut(AnswerModel):
    """A component as it is billed; `price_component_id` is the plan's, null for an extra."""

    id: SubscriptionComponentId
    price_component_id: ComponentId | None
    product_id: ProductId
    price_id: PriceId
    name: str
    period: ItemPeriod
    fee: ItemFee


class SubscriptionAddOnOut(AnswerModel):
    """An add-on as it is billed."""

    id: SubscriptionAddOnId
    add_on_id: AddOnId | None
    product_id: ProductId
    price_id: PriceId
    name: str
    quantity: int
    period: ItemPeriod
    fee: ItemFee


def show_component(item: Item, today: date) -> SubscriptionComponentOut:
    """A component of a subscription as it is sent."""
    return SubscriptionComponentOut(
        id=item.id,
        price_component_id=item.component_id,
        product_id=item.product_id,
        price_id=item.price_id,
        name=item.name,
        period=_period(item),
        fee=_fee(item, today),
    )


def show_subscription_add_on(item: Item, today: date) -> SubscriptionAddOnOut:
    """An add-on of a subscription as it is sent."""
    return SubscriptionAddOnOut(
        id=item.id,
        add_on_id=item.add_on_id,
        product_id=item.product_id,
        price_id=item.price_id,
        name=item.name,
        quantity=item.instances,
        period=_period(item),
        fee=_fee(item, today),
    )


def _period(item: Item) -> ItemPeriod:
    if item.fee.type is FeeType.ONE_TIME:
        return ItemPeriod.ONE_TIME
    return ItemPeriod(item.cadence.value)


def _fee(item: Item, today: date) -> ItemFee:
    fee, pricing = item.fee, item.pricing
    match pricing:
        case RatePricing(rate=rate):
            return RateItemFee(type="RATE", rate=rate)
        case OneTimePricing(unit_price=rate, quantity=quantity):
            return OneTimeItemFee(type="ONE_TIME", rate=rate, quantity=quantity)
        case ExtraRecurringPricing(unit_price=rate, quantity=quantity):
            assert isinstance(fee, ExtraRecurringFee), "prices suit their product"
            return RecurringItemFee(
                type="RECURRING", rate=rate, quantity=quantity, billing_type=fee.billing_type
            )
        case CapacityPricing():
            assert isinstance(fee, CapacityFee), "prices suit their product"
            return CapacityItemFee(
                type="CAPACITY",
                rate=pricing.rate,
                included=pricing.included,
                overage_rate=pricing.overage_rate,
                metric_id=fee.metric_id,
            )
        case SlotPricing():
            assert isinstance(fee, SlotFee), "prices suit their product"
            return SlotItemFee(
                type="SLOT",
                unit=fee.unit_name,
                unit_rate=pricing.unit_rate,
                initial_slots=item.slots_on(today),
                min_slots=pricing.min_slots,
                max_slots=pricing.max_slots,
                scheduled=[
                    ScheduledSlots(delta=one.delta, effective_on=one.on)
                    for one in item.slot_changes
                    if one.on is not None and one.on > today
                ],
                awaiting_payment=[
                    AwaitedSlots(delta=one.delta, invoice_id=one.invoice_id)
                    for one in item.slot_changes
                    if one.on is None
                ],
            )
        case UsagePricing(model=model):
            assert isinstance(fee, UsageFee), "prices suit their product"
            return UsageItemFee(
                type="USAGE", metric_id=fee.metric_id, model=show_usage_model(model)
            )
    assert_never(pricing)
