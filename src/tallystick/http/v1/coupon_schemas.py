"""Discounts on the wire: per cent as text, amounts as text in major units."""

from typing import Annotated, Literal, assert_never

from pydantic import Field

from tallystick.domain.coupons import Discount, DiscountFault, Fixed, Percentage
from tallystick.domain.errors import Fault
from tallystick.http.v1.scalars import Currency, PositiveDecimal, RequestModel


class PercentageDiscount(RequestModel):
    """A share in per cent: "20" takes off 20 %."""

    type: Literal["PERCENTAGE"]
    percentage: Annotated[
        PositiveDecimal, Field(description="In per cent, above 0 and at most 100.")
    ]


class FixedDiscount(RequestModel):
    """An amount in major units, with at most the currency's decimals."""

    type: Literal["FIXED"]
    amount: Annotated[PositiveDecimal, Field(description="In major units of the currency.")]
    currency: Annotated[
        Currency, Field(description="The only currency of plans that it is for.")
    ]


DiscountSchema = Annotated[PercentageDiscount | FixedDiscount, Field(discriminator="type")]


def to_discount(schema: DiscountSchema, path: str, faults: list[Fault]) -> Discount | None:
    """The discount that was sent, or None with a fault added under `path`."""
    try:
        match schema:
            case PercentageDiscount():
                return Percentage(percentage=schema.percentage)
            case FixedDiscount():
                return Fixed(amount=schema.amount, currency=schema.currency)
    except DiscountFault as reason:
        faults.append(Fault(f"{path}.{reason.field}", "invalid", reason.message))
        return None
    assert_never(schema)


def show_discount(discount: Discount) -> DiscountSchema:
    """A discount as it is sent."""
    match discount:
        case Percentage(percentage=percentage):
            return PercentageDiscount(type="PERCENTAGE", percentage=percentage)
        case Fixed(amount=amount, currency=currency):
            return FixedDiscount(type="FIXED", amount=amount, currency=currency)
