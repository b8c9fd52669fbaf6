"""Prices on the wire: the pricing union, and how a request names a price or a product.

What a schema can say about a single field is said by the schema. What a price must be as a
whole (tiers that rise, rows that do not repeat) is said by the domain, and comes here as a
fault with the path of the field.
"""

from typing import Annotated, Literal, assert_never

from pydantic import Field

from tallystick.domain.errors import Fault
from tallystick.domain.offer_request import (
    ExistingPrice,
    ExistingProduct,
    FaultyPrice,
    FaultyProduct,
    NewPrice,
    NewProductEntry,
    PriceEntry,
    ProductEntry,
)
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    COUNT_MAX,
    CapacityPricing,
    ExtraRecurringPricing,
    FeeType,
    OneTimePricing,
    Pricing,
    PricingFault,
    RatePricing,
    SlotPricing,
    UsagePricing,
)
from tallystick.http.v1.fee_schemas import FeeStructureSchema, to_fee
from tallystick.http.v1.scalars import (
    Currency,
    Name,
    NonNegativeDecimal,
    PriceId,
    ProductId,
    RequestModel,
    WholeNumber,
)
from tallystick.http.v1.usage_schemas import (
    UsageModelSchema,
    show_usage_model,
    to_usage_model,
)

Count = Annotated[WholeNumber, Field(ge=0, le=COUNT_MAX)]
CountFromOne = Annotated[WholeNumber, Field(ge=1, le=COUNT_MAX)]


class RatePricingSchema(RequestModel):
    """A fixed amount per period."""

    type: Literal["RATE"]
    rate: NonNegativeDecimal


class SlotPricingSchema(RequestModel):
    """An amount per slot and period."""

    type: Literal["SLOT"]
    unit_rate: NonNegativeDecimal
    min_slots: Count | None = None
    max_slots: CountFromOne | None = None


class CapacityPricingSchema(RequestModel):
    """An amount per period that includes some units, and a rate for each unit beyond."""

    type: Literal["CAPACITY"]
    rate: NonNegativeDecimal
    included: Count
    overage_rate: NonNegativeDecimal


class UsagePricingSchema(RequestModel):
    """Metered usage priced by a model."""

    type: Literal["USAGE"]
    model: UsageModelSchema


class ExtraRecurringPricingSchema(RequestModel):
    """Some units at a price each, every period."""

    type: Literal["EXTRA_RECURRING"]
    unit_price: NonNegativeDecimal
    quantity: CountFromOne


class OneTimePricingSchema(RequestModel):
    """Some units at a price each, once."""

    type: Literal["ONE_TIME"]
    unit_price: NonNegativeDecimal
    quantity: CountFromOne


PricingSchema = Annotated[
    RatePricingSchema
    | SlotPricingSchema
    | CapacityPricingSchema
    | UsagePricingSchema
    | ExtraRecurringPricingSchema
    | OneTimePricingSchema,
    Field(discriminator="type"),
]


class PriceInput(RequestModel):
    """A price made for this request. `cadence` is ignored for a one-time fee."""

    type: Literal["NEW"]
    cadence: Cadence
    currency: Currency
    pricing: PricingSchema


class ExistingPriceRef(RequestModel):
    """A price of the catalog."""

    type: Literal["EXISTING"]
    id: PriceId


PriceEntrySchema = Annotated[ExistingPriceRef | PriceInput, Field(discriminator="type")]


class NewProductRef(RequestModel):
    """A product made for this request; `fee_type` and the structure's type must agree."""

    type: Literal["NEW"]
    name: Name
    fee_type: FeeType
    fee_structure: FeeStructureSchema


class ExistingProductRef(RequestModel):
    """A product of the catalog."""

    type: Literal["EXISTING"]
    id: ProductId


ProductRefSchema = Annotated[ExistingProductRef | NewProductRef, Field(discriminator="type")]


def to_pricing(schema: PricingSchema, path: str, faults: list[Fault]) -> Pricing | None:
    """The pricing that was sent, or None with its faults added.

    Args:
        schema: As sent.
        path: The path of the pricing in the request.
        faults: Gets what is wrong, with the path of the field at fault.
    """
    try:
        return _pricing(schema)
    except PricingFault as reason:
        faults.extend(
            Fault(f"{path}.{field}", "invalid", message) for field, message in reason.problems
        )
        return None


def to_price_entry(schema: PriceEntrySchema, path: str, faults: list[Fault]) -> PriceEntry:
    """The price that was named or sent, else a `FaultyPrice` and faults; see `to_pricing`."""
    match schema:
        case ExistingPriceRef():
            return ExistingPrice(id=schema.id)
        case PriceInput():
            pricing = to_pricing(schema.pricing, f"{path}.pricing", faults)
            if pricing is None:
                return FaultyPrice()
            return NewPrice(cadence=schema.cadence, currency=schema.currency, pricing=pricing)
    assert_never(schema)


def to_product_entry(schema: ProductRefSchema, path: str, faults: list[Fault]) -> ProductEntry:
    """The product that was named or sent, a `FaultyProduct` with a fault added."""
    match schema:
        case ExistingProductRef():
            return ExistingProduct(id=schema.id)
        case NewProductRef():
            fee = to_fee(schema.fee_structure)
            if fee.type is not schema.fee_type:
                faults.append(
                    Fault(
                        f"{path}.fee_structure.type",
                        "contradiction",
                        f"must be {schema.fee_type.value}, as fee_type says",
                    )
                )
                return FaultyProduct()
            return NewProductEntry(name=schema.name, fee=fee)
    assert_never(schema)


def show_pricing(pricing: Pricing) -> PricingSchema:
    """A pricing as it is sent."""
    match pricing:
        case RatePricing():
            return RatePricingSchema(type="RATE", rate=pricing.rate)
        case SlotPricing():
            return SlotPricingSchema(
                type="SLOT",
                unit_rate=pricing.unit_rate,
                min_slots=pricing.min_slots,
                max_slots=pricing.max_slots,
            )
        case CapacityPricing():
            return CapacityPricingSchema(
                type="CAPACITY",
                rate=pricing.rate,
                included=pricing.included,
                overage_rate=pricing.overage_rate,
            )
        case UsagePricing():
            return UsagePricingSchema(type="USAGE", model=show_usage_model(pricing.model))
        case ExtraRecurringPricing():
            return ExtraRecurringPricingSchema(
                type="EXTRA_RECURRING", unit_price=pricing.unit_price, quantity=pricing.quantity
            )
        case OneTimePricing():
            return OneTimePricingSchema(
                type="ONE_TIME", unit_price=pricing.unit_price, quantity=pricing.quantity
            )
    assert_never(pricing)


def _pricing(schema: PricingSchema) -> Pricing:
    match schema:
        case RatePricingSchema():
            return RatePricing(rate=schema.rate)
        case SlotPricingSchema():
            return SlotPricing(
                unit_rate=schema.unit_rate,
                min_slots=schema.min_slots,
                max_slots=schema.max_slots,
            )
        case CapacityPricingSchema():
            return CapacityPricing(
                rate=schema.rate, included=schema.included, overage_rate=schema.overage_rate
            )
        case UsagePricingSchema():
            return UsagePricing(model=to_usage_model(schema.model))
        case ExtraRecurringPricingSchema():
            return ExtraRecurringPricing(unit_price=schema.unit_price, quantity=schema.quantity)
        case OneTimePricingSchema():
            return OneTimePricing(unit_price=schema.unit_price, quantity=schema.quantity)
    assert_never(schema)
