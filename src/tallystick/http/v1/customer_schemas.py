"""Customers on the wire."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from tallystick.domain.customer_record import (
    CustomerFields,
    CustomerRecord,
    CustomerType,
    CustomTax,
)
from tallystick.http.v1.addresses import (
    AddressIn,
    AddressOut,
    ShippingAddressIn,
    ShippingAddressOut,
    show_address,
    show_shipping,
    to_address,
    to_shipping,
)
from tallystick.http.v1.free_form import NotYet
from tallystick.http.v1.scalars import (
    Alias,
    AnswerModel,
    Currency,
    CustomerId,
    DecimalOut,
    Email,
    Flag,
    Instant,
    InvoicingEntityId,
    Locale,
    Name,
    RequestModel,
    ShortText,
    TaxFraction,
)

EMAILS_MAX = 20
LOCALES_MAX = 10
TAXES_MAX = 20


class CustomTaxIn(RequestModel):
    """A tax rate of this customer's own: a fraction, "0.20" is 20 %."""

    name: Name
    rate: TaxFraction
    tax_code: ShortText


class CustomTaxOut(AnswerModel):
    """A tax rate of this customer's own."""

    name: str
    rate: DecimalOut
    tax_code: str


class CustomerIn(RequestModel):
    """What can be said about a customer, when it is made and when it is changed."""

    alias: Alias | None = None
    billing_address: AddressIn | None = None
    billing_email: Email | None = None
    buyer_reference: ShortText | None = None
    custom_properties: NotYet = None
    custom_taxes: Annotated[list[CustomTaxIn] | None, Field(max_length=TAXES_MAX)] = None
    customer_type: CustomerType | None = None
    exemption_reason: ShortText | None = None
    first_name: ShortText | None = None
    invoicing_emails: Annotated[list[Email] | None, Field(max_length=EMAILS_MAX)] = None
    invoicing_entity_id: InvoicingEntityId | None = None
    invoicing_language: Annotated[
        Locale | None,
        Field(
            json_schema_extra={"deprecated": True},
            description="Use `preferred_locales`, which wins over it.",
        ),
    ] = None
    is_tax_exempt: Flag | None = None
    last_name: ShortText | None = None
    legal_number: ShortText | None = None
    name: Annotated[
        ShortText | None,
        Field(description="Required for `COMPANY`; of an `INDIVIDUAL` it is first and last."),
    ] = None
    phone: ShortText | None = None
    preferred_locales: Annotated[
        list[Locale] | None,
        Field(max_length=LOCALES_MAX, description="Language tags, best first."),
    ] = None
    shipping_address: ShippingAddressIn | None = None
    vat_number: ShortText | None = None


class CustomerCreateRequest(CustomerIn):
    """A customer to be. Null and left out are the same."""

    stand_ins: ClassVar[Mapping[str, object]] = {"currency": "EUR"}
    currency: Currency
    connected_account_id: NotYet = None


class CustomerPatchRequest(CustomerIn):
    """A change of a customer: what is left out stays, null clears."""

    # Cannot be cleared: null is refused, and what is left out is not looked at.
    currency: Currency = ""


class CustomerOut(AnswerModel):
    """A customer."""

    id: CustomerId
    name: str
    alias: str | None
    customer_type: CustomerType
    first_name: str | None
    last_name: str | None
    currency: str
    invoicing_entity_id: InvoicingEntityId
    billing_email: str | None
    invoicing_emails: list[str]
    billing_address: AddressOut | None
    shipping_address: ShippingAddressOut | None
    phone: str | None
    vat_number: str | None
    legal_number: str | None
    buyer_reference: str | None
    is_tax_exempt: bool
    exemption_reason: str | None
    custom_taxes: list[CustomTaxOut]
    preferred_locales: list[str]
    invoicing_language: Annotated[str | None, Field(json_schema_extra={"deprecated": True})]
    connected_account_id: None
    custom_properties: dict[str, object]
    archived_at: Instant | None
    created_at: Instant
    updated_at: Instant


def said_about(body: CustomerIn) -> dict[str, Any]:
    """The fields of `CustomerFields` that the body speaks of; null says the default."""
    defaults = CustomerFields(currency="")
    said: dict[str, Any] = {
        name: getattr(body, name)
        if getattr(body, name) is not None
        else getattr(defaults, name)
        for name in body.model_fields_set & _PLAIN
    }
    for name in body.model_fields_set & _CONVERTED.keys():
        said[name] = _CONVERTED[name](body)
    if "invoicing_language" in body.model_fields_set and body.preferred_locales is None:
        language = body.invoicing_language
        said["preferred_locales"] = () if language is None else (language,)
    return said


def show_customer(customer: CustomerRecord) -> CustomerOut:
    """A customer as it is answered."""
    billing, shipping = customer.billing_address, customer.shipping_address
    locales = list(customer.preferred_locales)
    return CustomerOut.model_construct(
        id=customer.id,
        name=customer.name,
        alias=customer.alias,
        customer_type=customer.customer_type,
        first_name=customer.first_name,
        last_name=customer.last_name,
        currency=customer.currency,
        invoicing_entity_id=customer.invoicing_entity_id,
        billing_email=customer.billing_email,
        invoicing_emails=list(customer.invoicing_emails),
        billing_address=None if billing is None else show_address(billing),
        shipping_address=None if shipping is None else show_shipping(shipping),
        phone=customer.phone,
        vat_number=customer.vat_number,
        legal_number=customer.legal_number,
        buyer_reference=customer.buyer_reference,
        is_tax_exempt=customer.is_tax_exempt,
        exemption_reason=customer.exemption_reason,
        custom_taxes=[
            CustomTaxOut.model_construct(name=tax.name, rate=tax.rate, tax_code=tax.tax_code)
            for tax in customer.custom_taxes
        ],
        preferred_locales=locales,
        invoicing_language=locales[0] if locales else None,
        connected_account_id=None,
        custom_properties={},
        archived_at=customer.archived_at,
        created_at=customer.created_at,
        updated_at=customer.updated_at,
    )


_PLAIN = frozenset(
    {
        "alias",
        "billing_email",
        "buyer_reference",
        "currency",
        "exemption_reason",
        "first_name",
        "is_tax_exempt",
        "last_name",
        "legal_number",
        "name",
        "phone",
        "vat_number",
    }
)

_CONVERTED: Mapping[str, Callable[[CustomerIn], object]] = {
    "billing_address": lambda body: body.billing_address and to_address(body.billing_address),
    "shipping_address": lambda body: (
        body.shipping_address and to_shipping(body.shipping_address)
    ),
    "customer_type": lambda body: body.customer_type or CustomerType.COMPANY,
    "invoicing_emails": lambda body: tuple(body.invoicing_emails or ()),
    "preferred_locales": lambda body: tuple(body.preferred_locales or ()),
    "custom_taxes": lambda body: tuple(
        CustomTax(name=tax.name, rate=tax.rate, tax_code=tax.tax_code)
        for tax in body.custom_taxes or ()
    ),
}
"""How fields that have another shape inside are read from a body."""
