"""Everything that can be set about an invoicing entity, and what of it cannot be."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.domain.bank_account_numbers import is_iban
from tallystick.domain.buyer import Address
from tallystick.domain.dunning import FinalPolicy
from tallystick.domain.errors import Fault
from tallystick.domain.offer import BankTransfer, OnlinePayment, PaymentConfig
from tallystick.domain.tax import TaxEngine

PLACEHOLDERS = ("{number}", "{YYYY}", "{MM}", "{DD}")
"""What an invoice number's pattern may hold; the first is needed once."""

_BRACES = re.compile(r"\{[^{}]*\}|[{}]")
_CREDITOR = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Z0-9]{1,28}")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityAccount:
    """A bank account of the entity; `currency` says what it is meant for, None for any."""

    id: UUID
    holder: str
    iban: str | None = None
    bic: str | None = None
    bank_name: str | None = None
    account_number: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySettings:
    """An invoicing entity as its owner sees it.

    Attributes:
        is_default: Whether new customers belong to it.
        default_payment_config: How a checkout is paid when its request does not say.
        registration: Where it is registered, and as what, as its documents must say.
        below_vat_threshold: Its sales to consumers in other member states of the EU stay below
            the yearly threshold.
        number_pattern: How invoice numbers look: `INV-{YYYY}-{number}`.
        grace_period_hours: How long a renewal's invoice stays a draft for late usage.
        net_terms: Days from an invoice's date to its due date, where plan and request are
            silent.
        dunning_policy: What becomes of a subscription when the last try to collect its
            invoice has failed.
        dunning_marks_uncollectible: Whether that invoice is given up then.
    """

    id: UUID
    is_default: bool
    legal_name: str
    address: Address
    vat_number: str | None
    creditor_identifier: str | None
    logo_url: str | None
    brand_color: str | None
    email: str | None
    registration: str | None
    default_payment_config: PaymentConfig
    tax_engine: TaxEngine
    below_vat_threshold: bool
    number_pattern: str
    grace_period_hours: int
    net_terms: int
    consolidate_recurring_invoices: bool
    bank_accounts: tuple[EntityAccount, ...]
    created_at: datetime
    updated_at: datetime
    dunning_policy: FinalPolicy = FinalPolicy.LEAVE
    dunning_marks_uncollectible: bool = False


def entity_faults(entity: EntitySettings) -> list[Fault]:
    """What cannot be about these settings, every fault of them."""
    return [
        *_pattern_faults(entity.number_pattern),
        *_payment_faults(entity),
        *_creditor_faults(entity.creditor_identifier),
        *(
            fault
            for index, account in enumerate(entity.bank_accounts)
            for fault in _account_faults(account, f"bank_accounts[{index}]")
        ),
    ]


def _pattern_faults(pattern: str) -> Iterator[Fault]:
    found = _BRACES.findall(pattern)
    if found.count(PLACEHOLDERS[0]) != 1 or not set(found) <= set(PLACEHOLDERS):
        yield Fault(
            "number_pattern",
            "malformed",
            "must hold {number} once, and no other placeholders than {YYYY}, {MM} and {DD}",
        )


def _payment_faults(entity: EntitySettings) -> Iterator[Fault]:
    field = "default_payment_methods_config"
    match entity.default_payment_config:
        case OnlinePayment(card=False, direct_debit=False):
            yield Fault(field, "impossible", "must leave a way to pay: card or direct debit")
        case BankTransfer(account_id=account_id) if account_id is not None:
            if account_id not in {account.id for account in entity.bank_accounts}:
                message = "must be one of this entity's bank accounts"
                yield Fault(f"{field}.account_id", "unknown", message)
        case _:
            return


def _creditor_faults(identifier: str | None) -> Iterator[Fault]:
    if identifier is not None and not _CREDITOR.fullmatch(identifier):
        message = "must be a SEPA creditor identifier, such as DE98ZZZ09999999999"
        yield Fault("creditor_identifier", "malformed", message)


def _account_faults(account: EntityAccount, field: str) -> Iterator[Fault]:
    if account.iban is None and account.account_number is None:
        yield Fault(field, "required", "must have an iban or an account_number")
    if account.iban is not None and not is_iban(account.iban):
        yield Fault(f"{field}.iban", "malformed", "must be an IBAN with right check digits")
    if account.bic is not None and not _BIC.fullmatch(account.bic):
        yield Fault(f"{field}.bic", "malformed", "must be a BIC of 8 or 11 characters")
