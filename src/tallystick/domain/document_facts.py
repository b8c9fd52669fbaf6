"""What a document says beside the invoice or the credit note that it shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.credit_note_entry import CreditNoteEntry
from tallystick.domain.invoice import LineExplanation
from tallystick.domain.offer import (
    BankTransfer,
    ExternalPayment,
    OnlinePayment,
    PaymentConfig,
)
from tallystick.domain.parties import BankAccount, InvoicingEntity


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFacts:
    """How an invoice's document is to look, and what of it no snapshot holds.

    As things are today: the customer's preferred `locales`, the seller with its colour and bank
    accounts, how the subscription is paid, and whether a saved method is charged for it.
    `explanations` tell by line how it came about.
    """

    locales: tuple[str, ...]
    buyer_reference: str | None
    legal_number: str | None
    entity: InvoicingEntity
    payment: PaymentConfig
    is_charged: bool
    explanations: Mapping[UUID, LineExplanation]

    @property
    def account(self) -> BankAccount | None:
        """The bank account to pay to, None where it is paid in another way.

        One that the subscription names and that is gone is replaced by the first. What is paid
        online and charged to nothing by itself can be transferred, too.
        """
        match self.payment:
            case BankTransfer(account_id=account_id):
                return self.entity.account(account_id) or self.entity.account(None)
            case OnlinePayment():
                return None if self.is_charged else self.entity.account(None)
            case ExternalPayment():
                return None
            case _:
                assert_never(self.payment)

    @property
    def transferred_to(self) -> BankAccount | None:
        """The same of what is to be paid by transfer; None where it is paid otherwise."""
        return self.account if isinstance(self.payment, BankTransfer) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDocument:
    """An invoice with all that its document says; days are those of `time_zone`."""

    invoice: InvoiceEntry
    facts: DocumentFacts
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteDocument:
    """A credit note, and the invoice that it credits, with all that its document says."""

    note: CreditNoteEntry
    invoice: InvoiceEntry
    facts: DocumentFacts
    time_zone: str
