"""Invoicing entities on the wire."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from tallystick.domain.bank_account_numbers import compact
from tallystick.domain.buyer import Address
from tallystick.domain.dunning import FinalPolicy
from tallystick.domain.entity_settings import EntityAccount, EntitySettings
from tallystick.domain.offer import OnlinePayment
from tallystick.domain.tax import TaxEngine
from tallystick.http.v1.addresses import AddressIn, AddressOut, show_address, to_address
from tallystick.http.v1.checkout_answers import show_payment
from tallystick.http.v1.checkout_schemas import PaymentMethodsConfigIn, to_payment
from tallystick.http.v1.scalars import (
    AnswerModel,
    BankAccountId,
    Color,
    Currency,
    Email,
    Flag,
    Instant,
    InvoicingEntityId,
    Name,
    RequestModel,
    ShortText,
    Text,
    WholeNumber,
)
from tallystick.http.v1.web_urls import WebUrl
from tallystick.services.edit_entity import WantedAccount

CompactText = Annotated[str, Text(64), AfterValidator(compact)]
"""A number that people write with blanks."""

ACCOUNTS_MAX = 20
GRACE_HOURS_MAX = 720
NET_TERMS_MAX = 365
PATTERN_CHARS_MAX = 64
REGISTRATION_CHARS_MAX = 500


class BankAccountIn(RequestModel):
    """A bank account: one that is there by its `id`, else a new one."""

    id: BankAccountId | None = None
    holder: Name
    iban: CompactText | None = None
    bic: CompactText | None = None
    bank_name: ShortText | None = None
    account_number: ShortText | None = None
    currency: Currency | None = None


class BankAccountOut(AnswerModel):
    """A bank account."""

    id: BankAccountId
    holder: str
    iban: str | None
    bic: str | None
    bank_name: str | None
    account_number: str | None
    currency: str | None


class EntityPatch(RequestModel):
    """A change of an entity: what is left out stays, null clears or sets the default.

    `bank_accounts` is the whole list from now on; `address` is the whole address.
    """

    # Cannot be cleared: null is refused, and what is left out is not looked at.
    legal_name: Name = ""
    address: AddressIn | None = None
    vat_number: ShortText | None = None
    creditor_identifier: CompactText | None = None
    logo_url: WebUrl | None = None
    brand_color: Color | None = None
    email: Email | None = None
    registration: Annotated[
        Annotated[str, Text(REGISTRATION_CHARS_MAX)] | None,
        Field(
            description="Where it is registered, and as what, for the foot of its documents: "
            "`HRB 12345 B, Amtsgericht Charlottenburg`."
        ),
    ] = None
    default_payment_methods_config: PaymentMethodsConfigIn | None = None
    tax_engine: TaxEngine | None = None
    below_vat_threshold: Flag | None = None
    number_pattern: Annotated[str, Text(PATTERN_CHARS_MAX)] | None = None
    grace_period_hours: Annotated[WholeNumber, Field(ge=0, le=GRACE_HOURS_MAX)] | None = None
    net_terms: Annotated[WholeNumber, Field(ge=0, le=NET_TERMS_MAX)] | None = None
    consolidate_recurring_invoices: Flag | None = None
    dunning_policy: Annotated[
        FinalPolicy | None,
        Field(
            description="What becomes of a subscription when the last try to collect its "
            "invoice has failed. `LEAVE` (default): nothing, it stays open. `SUSPEND`: "
            "it is SUSPENDED and grants nothing until that invoice is paid. `CANCEL`: it ends "
            "that day."
        ),
    ] = None
    dunning_marks_uncollectible: Annotated[
        Flag | None,
        Field(description="Whether that invoice is marked UNCOLLECTIBLE then; default false."),
    ] = None
    bank_accounts: Annotated[list[BankAccountIn] | None, Field(max_length=ACCOUNTS_MAX)] = None


class EntityOut(AnswerModel):
    """A legal entity that sells."""

    id: InvoicingEntityId
    is_default: bool
    legal_name: str
    address: AddressOut
    vat_number: str | None
    creditor_identifier: str | None
    logo_url: str | None
    brand_color: str | None
    email: str | None
    registration: str | None
    default_payment_methods_config: PaymentMethodsConfigIn
    tax_engine: TaxEngine
    below_vat_threshold: bool
    number_pattern: str
    grace_period_hours: int
    net_terms: int
    consolidate_recurring_invoices: bool
    dunning_policy: FinalPolicy
    dunning_marks_uncollectible: bool
    bank_accounts: list[BankAccountOut]
    created_at: Instant
    updated_at: Instant


_DEFAULTS: dict[str, Any] = {
    "vat_number": None,
    "creditor_identifier": None,
    "logo_url": None,
    "brand_color": None,
    "email": None,
    "registration": None,
    "below_vat_threshold": False,
    "number_pattern": "INV-{number}",
    "grace_period_hours": 12,
    "net_terms": 0,
    "consolidate_recurring_invoices": False,
    "dunning_policy": FinalPolicy.LEAVE,
    "dunning_marks_uncollectible": False,
    "legal_name": None,
}
"""What null sets a plain field to."""


def said_about(body: EntityPatch) -> dict[str, Any]:
    """The fields of `EntitySettings` that the body speaks of, its bank accounts left out."""
    named = body.model_fields_set
    said = {
        name: default if getattr(body, name) is None else getattr(body, name)
        for name, default in _DEFAULTS.items()
        if name in named
    }
    if "address" in named:
        said["address"] = Address() if body.address is None else to_address(body.address)
    if "tax_engine" in named:
        said["tax_engine"] = body.tax_engine or TaxEngine.MANUAL
    if "default_payment_methods_config" in named:
        config = to_payment(body.default_payment_methods_config)
        said["default_payment_config"] = config or OnlinePayment()
    return said


def wanted_accounts(body: EntityPatch) -> list[WantedAccount] | None:
    """The bank accounts that the body asks for, None when it does not speak of them."""
    if "bank_accounts" not in body.model_fields_set:
        return None
    return [
        WantedAccount(
            id=account.id,
            holder=account.holder,
            iban=account.iban,
            bic=account.bic,
            bank_name=account.bank_name,
            account_number=account.account_number,
            currency=account.currency,
        )
        for account in body.bank_accounts or ()
    ]


def show_entity(entity: EntitySettings) -> EntityOut:
    """An entity as it is answered."""
    return EntityOut.model_construct(
        id=entity.id,
        is_default=entity.is_default,
        legal_name=entity.legal_name,
        address=show_address(entity.address),
        vat_number=entity.vat_number,
        creditor_identifier=entity.creditor_identifier,
        logo_url=entity.logo_url,
        brand_color=entity.brand_color,
        email=entity.email,
        registration=entity.registration,
        default_payment_methods_config=show_payment(entity.default_payment_config),
        tax_engine=entity.tax_engine,
        below_vat_threshold=entity.below_vat_threshold,
        number_pattern=entity.number_pattern,
        grace_period_hours=entity.grace_period_hours,
        net_terms=entity.net_terms,
        consolidate_recurring_invoices=entity.consolidate_recurring_invoices,
        dunning_policy=entity.dunning_policy,
        dunning_marks_uncollectible=entity.dunning_marks_uncollectible,
        bank_accounts=[_account(account) for account in entity.bank_accounts],
        created_at=entity.created_at,
        updated_at=entity.updated_at,
    )


def _account(account: EntityAccount) -> BankAccountOut:
    return BankAccountOut.model_construct(
        id=account.id,
        holder=account.holder,
        iban=account.iban,
        bic=account.bic,
        bank_name=account.bank_name,
        account_number=account.account_number,
        currency=account.currency,
    )
