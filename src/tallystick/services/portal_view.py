"""What the portal shows of a customer. No markup, no words."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tallystick.domain.billing_entries import InvoiceEntry, SubscriptionEntry
from tallystick.domain.collection import SavedMethod
from tallystick.domain.customer_record import CustomerRecord
from tallystick.domain.explain_invoice import InvoiceExplanation
from tallystick.domain.next_charge import NextCharge
from tallystick.domain.parties import BankAccount
from tallystick.services.checkout_view import SellerCard


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSubscription:
    """A subscription as its customer sees it.

    Attributes:
        entry: As it stands.
        next: What it bills next, None where nothing is to come or it cannot be told.
        is_charged: Whether that is charged to a saved method by itself.
        is_over: Whether it has ended.
        ends_if_cancelled: The first day that would not be covered if it were cancelled now;
            None where it cannot be.
        can_be_kept: Whether a cancellation is scheduled that can be taken back.
    """

    entry: SubscriptionEntry
    next: NextCharge | None
    is_charged: bool
    is_over: bool
    ends_if_cancelled: date | None
    can_be_kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalView:
    """The overview: `invoices` is one page of them, of `invoices_total` in all.

    `charged` are the methods that subscriptions are charged to by themselves.
    `can_add_method` says that somebody could charge a new one.
    """

    customer: CustomerRecord
    seller: SellerCard
    today: date
    subscriptions: tuple[OwnSubscription, ...]
    invoices: tuple[InvoiceEntry, ...]
    invoices_total: int
    methods: tuple[SavedMethod, ...]
    charged: frozenset[UUID]
    can_add_method: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnInvoice:
    """An invoice as its customer sees it.

    Attributes:
        entry: As it stands.
        explanation: How its figures came about, None where they are not what they come to.
        pays_with: The saved method that would be charged, None where none can be.
        can_be_paid: Whether something is due that can be charged now.
        account: Where what is due is to be transferred to, None where it is paid otherwise.
    """

    entry: InvoiceEntry
    explanation: InvoiceExplanation | None
    pays_with: SavedMethod | None
    can_be_paid: bool
    account: BankAccount | None = None
