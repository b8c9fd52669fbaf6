"""Customers on the wire."""

from collections.abc import Callable, Mapping
from dataclasses import replace
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
from tallystick.http.v1.property_values import CustomProperties, MergedProperties
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

    alias: Annotated[
        Alias | None,
        Field(description="Your own name for it, of one unarchived customer at a time."),
    ] = None
    billing_address: Annotated[
        AddressIn | None, Field(description="Its country decides the tax.")
    ] = None
    billing_email: Annotated[
        Email | None, Field(description="Who is asked about bills; stands at the checkout.")
    ] = None
    buyer_reference: Annotated[
        ShortText | None,
        Field(description="BT-10: what the buyer routes invoices by, such as a Leitweg-ID."),
    ] = None
    custom_properties: MergedProperties | None = None
    custom_taxes: Annotated[
        list[CustomTaxIn] | None,
        Field(max_length=TAXES_MAX, description="Rates of its own, in the place of others."),
    ] = None
    customer_type: Annotated[
        CustomerType | None, Field(description="A business or a person; default `COMPANY`.")
    ] = None
    exemption_reason: Annotated[
        ShortText | None, Field(description="Why it is exempt; stands on its invoices.")
    ] = None
    first_name: Annotated[
        ShortText | None, Field(description="Of a person, who needs one.")
    ] = None
    invoicing_emails: Annotated[
        list[Email] | None,
        Field(max_length=EMAILS_MAX, description="Where invoices are sent."),
    ] = None
    invoicing_entity_id: Annotated[
        InvoicingEntityId | None,
        Field(description="Who bills it; default the tenant's default entity."),
    ] = None
    invoicing_language: Annotated[
        Locale | None,
        Field(
            json_schema_extra={"deprecated": True},
            description="Use `preferred_locales`, which wins over it.",
        ),
    ] = None
    is_tax_exempt: Annotated[
        Flag | None, Field(description="True: nothing sold to it is taxed. Default false.")
    ] = None
    last_name: Annotated[ShortText | None, Field(description="Of a person, who needs one.")] = (
        None
    )
    legal_number: Annotated[
        ShortText | None, Field(description="BT-47: its number in a national register.")
    ] = None
    name: Annotated[
        ShortText | None,
        Field(description="Required for `COMPANY`; of an `INDIVIDUAL` it is first and last."),
    ] = None
    phone: Annotated[ShortText | None, Field(description="As it is dialled.")] = None
    preferred_locales: Annotated[
        list[Locale] | None,
        Field(max_length=LOCALES_MAX, description="Language tags, best first."),
    ] = None
    shipping_address: Annotated[
        ShippingAddressIn | None, Field(description="Where goods go.")
    ] = None
    vat_number: Annotated[
        ShortText | None,
        Field(description="Its check digits are looked at; decides the tax across borders."),
    ] = None


class CustomerCreateRequest(CustomerIn):
    """A customer to be. Null and left out are the same."""

    stand_ins: ClassVar[Mapping[str, object]] = {"currency": "EUR"}
    currency: Annotated[Currency, Field(description="What it is usually billed in.")]
    connected_account_id: NotYet = None
    custom_properties: CustomProperties | None = None


class CustomerUpdateRequest(CustomerIn):
    """Everything about a customer anew: what is left out is back at its default.

    Type, first and last name that are left out stay, and so do custom properties.
    """

    stand_ins: ClassVar[Mapping[str, object]] = {
        "currency": "EUR",
        "custom_taxes": [],
        "invoicing_emails": [],
        "invoicing_entity_id": None,
    }
    currency: Annotated[Currency, Field(description="What it is usually billed in.")]
    custom_taxes: Annotated[
        list[CustomTaxIn],
        Field(max_length=TAXES_MAX, description="Rates of its own, in the place of others."),
    ]
    invoicing_emails: Annotated[
        list[Email], Field(max_length=EMAILS_MAX, description="Where invoices are sent.")
    ]
    invoicing_entity_id: Annotated[InvoicingEntityId, Field(description="Who bills it.")]
    custom_properties: CustomProperties | None = None


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
    custom_properties: Annotated[
        dict[str, object], Field(description="Values by the `key` of their definitions.")
    ]
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


def said_anew(body: CustomerUpdateRequest, customer: CustomerRecord) -> CustomerRecord:
    """The customer with everything that can be said set, but for what a replacement keeps."""
    defaults = CustomerFields(currency="")
    fresh = {name: getattr(defaults, name) for name in (_PLAIN | _CONVERTED.keys()) - _KEPT}
    after = replace(customer, **fresh | said_about(body))
    if after.customer_type is CustomerType.INDIVIDUAL:
        # A person's is made from first and last, or the buyer's after a purchase.
        after = replace(after, name=customer.name)
    return after


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
        custom_properties=dict(customer.custom_properties),
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

_KEPT = frozenset({"customer_type", "first_name", "last_name"})
"""What a replacement that does not speak of it leaves as it is."""

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
