"""What a document says beside the invoice or the credit note that it shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.credit_note_entry import CreditNoteEntry
from tallystick.domain.invoice import LineExplanation
from tallystick.domain.offer import BankTransfer, PaymentConfig
from tallystick.domain.parties import BankAccount, InvoicingEntity


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFacts:
    """How an invoice's document is to look, and what of it no snapshot holds.

    As things are today: the customer's preferred `locales`, the seller with its colour and bank
    accounts, how the subscription is paid. `explanations` tell by line how it came about.
    """

    locales: tuple[str, ...]
    buyer_reference: str | None
    legal_number: str | None
    entity: InvoicingEntity
    payment: PaymentConfig
    explanations: Mapping[UUID, LineExplanation]

    @property
    def account(self) -> BankAccount | None:
        """The bank account to pay to, None where it is not paid by transfer.

        One that the subscription names and that is gone is replaced by the first.
        """
        if not isinstance(self.payment, BankTransfer):
            return None
        return self.entity.account(self.payment.account_id) or self.entity.account(None)


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
