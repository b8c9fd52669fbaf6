"""A customer as a merchant keeps it, and what of it cannot be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from tallystick.domain.buyer import Address
from tallystick.domain.errors import Fault
from tallystick.domain.ids import Prefix, is_prefixed

LANGUAGES = ("en", "fr", "de", "es")
"""The languages that pages and documents are written in."""


RESTS_ON = {
    **dict.fromkeys(("name", "first_name", "last_name", "billing_address"), ("customer_type",)),
    "vat_number": ("billing_address",),
}
"""Field -> others that decide whether it can be: what is said of it needs them, too."""


class CustomerType(StrEnum):
    """Whether a customer is a business or a person."""

    COMPANY = "COMPANY"
    INDIVIDUAL = "INDIVIDUAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingAddress:
    """Where goods go: the billing address, or one of its own."""

    same_as_billing: bool
    address: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomTax:
    """A tax rate of this customer's own; `rate` is a fraction (0.20 is 20 %)."""

    name: str
    rate: Decimal
    tax_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFields:
    """What a merchant says about a customer.

    `name` is a company's own and does not matter for a person, who has `first_name` and
    `last_name`. `preferred_locales` are language tags, best first. `custom_properties` are
    JSON values by their keys.
    """

    currency: str
    name: str = ""
    alias: str | None = None
    customer_type: CustomerType = CustomerType.COMPANY
    first_name: str | None = None
    last_name: str | None = None
    billing_email: str | None = None
    invoicing_emails: tuple[str, ...] = ()
    billing_address: Address | None = None
    shipping_address: ShippingAddress | None = None
    phone: str | None = None
    vat_number: str | None = None
    legal_number: str | None = None
    buyer_reference: str | None = None
    is_tax_exempt: bool = False
    exemption_reason: str | None = None
    custom_taxes: tuple[CustomTax, ...] = ()
    preferred_locales: tuple[str, ...] = ()
    custom_properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRecord(CustomerFields):
    """A customer as it is kept."""

    id: UUID
    invoicing_entity_id: UUID
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None


def full_name(fields: CustomerFields) -> str:
    """The customer's name: a company's own, a person's first and last."""
    if fields.customer_type is CustomerType.COMPANY:
        return fields.name
    return " ".join(part for part in (fields.first_name, fields.last_name) if part)


def customer_faults(customer: CustomerFields) -> list[Fault]:
    """What cannot be about this customer, every fault of it."""
    return [
        *_name_faults(customer),
        *_alias_faults(customer.alias),
        *_locale_faults(customer.preferred_locales),
        *_tax_faults(customer.custom_taxes),
    ]


def _name_faults(customer: CustomerFields) -> Iterator[Fault]:
    if customer.customer_type is CustomerType.COMPANY:
        if not customer.name:
            yield Fault("name", "required", "is required for a company")
        return
    if not customer.first_name:
        yield Fault("first_name", "required", "is required for an individual")
    if not customer.last_name:
        yield Fault("last_name", "required", "is required for an individual")
    if customer.billing_address is None or customer.billing_address.country is None:
        message = "is required for an individual"
        yield Fault("billing_address.country", "required", message)


def _alias_faults(alias: str | None) -> Iterator[Fault]:
    if alias is not None and is_prefixed(Prefix.CUSTOMER, alias):
        message = "must not look like a customer's id, or nobody could tell them apart"
        yield Fault("alias", "malformed", message)


def _locale_faults(locales: tuple[str, ...]) -> Iterator[Fault]:
    languages = {locale.replace("_", "-").partition("-")[0].lower() for locale in locales}
    if locales and not languages & set(LANGUAGES):
        message = f"must hold at least one of the languages {', '.join(LANGUAGES)}"
        yield Fault("preferred_locales", "unsupported", message)


def _tax_faults(taxes: tuple[CustomTax, ...]) -> Iterator[Fault]:
    if sum(tax.rate for tax in taxes) >= 1:
        message = "must come to less than 1 together (0.20 is 20 %)"
        yield Fault("custom_taxes", "out_of_range", message)
