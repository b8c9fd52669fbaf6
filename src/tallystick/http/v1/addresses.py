"""Addresses on the wire."""

from tallystick.domain.buyer import Address
from tallystick.domain.customer_record import ShippingAddress
from tallystick.http.v1.scalars import AnswerModel, Country, Flag, RequestModel, ShortText


class AddressIn(RequestModel):
    """A postal address, as it is sent; it replaces the whole one on file."""

    line1: ShortText | None = None
    line2: ShortText | None = None
    city: ShortText | None = None
    state: ShortText | None = None
    zip_code: ShortText | None = None
    country: Country | None = None


class AddressOut(AnswerModel):
    """A postal address."""

    line1: str | None
    line2: str | None
    city: str | None
    state: str | None
    zip_code: str | None
    country: str | None


class ShippingAddressIn(RequestModel):
    """Where goods go: the billing address, or one of its own."""

    same_as_billing: Flag
    address: AddressIn | None = None


class ShippingAddressOut(AnswerModel):
    """Where goods go."""

    same_as_billing: bool
    address: AddressOut | None


def to_address(sent: AddressIn) -> Address:
    """The address that was sent; blank parts are absent."""
    return Address(
        line1=sent.line1 or None,
        line2=sent.line2 or None,
        city=sent.city or None,
        state=sent.state or None,
        zip_code=sent.zip_code or None,
        country=sent.country,
    )


def to_shipping(sent: ShippingAddressIn) -> ShippingAddress:
    """The shipping address that was sent."""
    return ShippingAddress(
        same_as_billing=sent.same_as_billing,
        address=None if sent.address is None else to_address(sent.address),
    )


def show_address(address: Address) -> AddressOut:
    """An address as it is answered."""
    return AddressOut.model_construct(
        line1=address.line1,
        line2=address.line2,
        city=address.city,
        state=address.state,
        zip_code=address.zip_code,
        country=address.country,
    )


def show_shipping(shipping: ShippingAddress) -> ShippingAddressOut:
    """A shipping address as it is answered."""
    return ShippingAddressOut.model_construct(
        same_as_billing=shipping.same_as_billing,
        address=None if shipping.address is None else show_address(shipping.address),
    )
