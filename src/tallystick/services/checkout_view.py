"""What the checkout page needs to know, gathered in one read. No markup, no words."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from tallystick.domain.buyer import Address, BuyerDetails
from tallystick.domain.offer import Offer
from tallystick.domain.parties import BankAccount
from tallystick.domain.payment import FailureReason, Method
from tallystick.domain.payment_panel import PaymentPanel
from tallystick.domain.quote import Quote
from tallystick.domain.session import Session, SessionState


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerCard:
    """The merchant as the buyer meets it. `is_test` marks a test tenant."""

    legal_name: str
    address: Address
    vat_number: str | None
    creditor_identifier: str | None
    logo_url: str | None
    brand_color: str | None
    email: str | None
    is_test: bool
    bank_account: BankAccount | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAttempt:
    """The attempt that is under way: its step, and where the buyer authenticates."""

    id: UUID
    step: str
    challenge_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceCard:
    """The invoice of a completed checkout, for the browser that paid."""

    id: UUID
    number: str | None
    invoice_date: date
    due_date: date
    amount_due: int
    payment_status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedCard:
    """What a completed checkout came to."""

    method: Method | None
    invoice: InvoiceCard | None
    quote: Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutView:
    """Everything the page shows. `quote` is None once the session has ended.

    `vat_number_valid` is None while no number is given. `page_code` is the code typed on the
    page. `locales` are the customer's preferred languages, best first. `mandate_reference` is
    None where it is allotted when the mandate is signed. `panel` is how the provider wants a
    method to be asked for.
    """

    session: Session
    status: SessionState
    now: datetime
    offer: Offer
    quote: Quote | None
    seller: SellerCard
    buyer: BuyerDetails
    vat_number_valid: bool | None
    page_code: str | None
    last_failure: FailureReason | None
    attempt: LiveAttempt | None
    completed: CompletedCard | None
    locales: tuple[str, ...]
    mandate_reference: str | None
    panel: PaymentPanel
