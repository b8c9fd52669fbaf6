"""What a successful attempt makes: a subscription and, where anything was billed, its invoice.

Pure: the attempt owns everything, so recording it twice, or a day late, makes the same.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from tallystick.domain.attempt import Attempt
from tallystick.domain.charges import monthly_value
from tallystick.domain.invoice import (
    Invoice,
    InvoiceStatus,
    InvoiceType,
    PaymentStatus,
    customer_snapshot,
    invoice_lines,
    seller_snapshot,
    subtotal_recurring,
)
from tallystick.domain.offer import Offer
from tallystick.domain.periods import Cadence, index_containing
from tallystick.domain.quote import AttemptKind
from tallystick.domain.schedule import Schedule, last_living_day


class SubscriptionStatus(StrEnum):
    """Where a subscription stands; the values of the wire that are ever set."""

    PENDING_ACTIVATION = "PENDING_ACTIVATION"
    TRIAL_ACTIVE = "TRIAL_ACTIVE"
    ACTIVE = "ACTIVE"
    TRIAL_EXPIRED = "TRIAL_EXPIRED"
    SUSPENDED = "SUSPENDED"
    CANCELLED = "CANCELLED"
    COMPLETED = "COMPLETED"
    SUPERSEDED = "SUPERSEDED"

    @property
    def is_live(self) -> bool:
        """Whether a subscription in this status holds a place for its plan."""
        return self not in _NOT_LIVE


_NOT_LIVE = frozenset(
    {
        SubscriptionStatus.TRIAL_EXPIRED,
        SubscriptionStatus.CANCELLED,
        SubscriptionStatus.COMPLETED,
        SubscriptionStatus.SUPERSEDED,
    }
)


class Activation(StrEnum):
    """How a subscription began, which decides what the end of its free trial may bill."""

    CHECKOUT = "CHECKOUT"
    ON_START = "ON_START"
    ON_CHECKOUT = "ON_CHECKOUT"
    MANUAL = "MANUAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription as it is made; `mrr` in minor units per month.

    `awaits_activation` keeps it pending until somebody activates it, `awaits_checkout` says
    that its own checkout is still to come. `imported_on` is the day on which it came with a
    past that was billed elsewhere.
    """

    id: UUID
    customer_id: UUID
    offer: Offer
    dates: Schedule
    status: SubscriptionStatus
    cadence: Cadence
    current_period_start: date
    current_period_end: date | None
    cycle_index: int
    mrr: int
    payment_method_id: UUID | None
    checkout_session_id: UUID | None
    activated_at: datetime | None
    created_at: datetime
    activation: Activation = Activation.CHECKOUT
    awaits_activation: bool = False
    awaits_checkout: bool = False
    imported_on: date | None = None


def subscription_of(attempt: Attempt) -> Subscription:
    """The subscription that a successful attempt makes."""
    offer, quote = attempt.obligation.offer, attempt.obligation.quote
    dates = quote.dates
    status = _status(dates)
    if dates.starts_later or quote.period is None:
        begins, ends, index = dates.start, None, 0
    elif dates.in_free_trial:
        begins, ends, index = quote.period.start, quote.period.end, 0
    else:
        begins, ends = quote.period.start, quote.period.end
        day = last_living_day(dates, dates.today)
        index = index_containing(dates.billing_start, dates.anchor, quote.cadence, day)
    is_over = status is SubscriptionStatus.COMPLETED
    return Subscription(
        id=attempt.subscription_id,
        customer_id=attempt.customer_id,
        offer=offer,
        dates=dates,
        status=status,
        cadence=quote.cadence,
        current_period_start=begins,
        current_period_end=ends,
        cycle_index=index,
        mrr=0 if is_over else monthly_value(offer.items, offer.currency),
        payment_method_id=attempt.payment_method_id,
        checkout_session_id=attempt.session_id,
        activated_at=None
        if status is SubscriptionStatus.PENDING_ACTIVATION
        else attempt.claimed_at,
        created_at=attempt.claimed_at,
    )


def invoice_of(attempt: Attempt, *, pending: bool) -> Invoice | None:
    """The invoice of a successful attempt, or None where nothing was billed.

    `pending` says that the money is promised by an accepted debit and not here yet. An invoice
    that is not paid at the checkout stays a draft where the offer wants invoices finalized by
    hand.
    """
    obligation = attempt.obligation
    quote, offer = obligation.quote, obligation.offer
    bill = quote.bill
    if bill is None:
        return None
    assert attempt.invoice_id is not None, "the claim gave the invoice its id"
    pays = attempt.kind is AttemptKind.PAYMENT
    settled = quote.amount_due if pays and not pending else 0
    due = quote.amount_due - settled
    is_draft = not offer.auto_advance_invoices and not pays and due > 0
    paid = due == 0
    period = None if quote.adjusts else quote.period
    return Invoice(
        id=attempt.invoice_id,
        customer_id=attempt.customer_id,
        subscription_id=attempt.subscription_id,
        invoicing_entity_id=offer.invoicing_entity_id,
        status=InvoiceStatus.DRAFT if is_draft else InvoiceStatus.FINALIZED,
        payment_status=_payment_status(paid=paid, pending=pays and pending),
        invoice_date=attempt.business_date,
        net_terms=offer.net_terms,
        billing_period_start=attempt.business_date if period is None else period.start,
        billing_period_end=None if period is None else period.end,
        currency=quote.currency,
        tax_inclusive=bill.inclusive,
        lines=invoice_lines(bill),
        coupons=bill.coupons_net,
        breakdown=bill.breakdown,
        subtotal=bill.subtotal,
        subtotal_recurring=subtotal_recurring(bill),
        discount=bill.discount,
        tax_amount=bill.tax,
        total=bill.total,
        applied_balance=quote.balance_applied,
        written_off=quote.written_off,
        settled=settled,
        amount_due=due,
        customer=customer_snapshot(obligation.customer, obligation.buyer, attempt.claimed_at),
        seller=seller_snapshot(obligation.entity),
        memo=offer.invoice_memo,
        purchase_order=offer.purchase_order,
        finalized_at=None if is_draft else attempt.claimed_at,
        paid_at=attempt.claimed_at if paid else None,
        created_at=attempt.claimed_at,
        type=InvoiceType.ADJUSTMENT if quote.adjusts else InvoiceType.RECURRING,
    )


def _status(dates: Schedule) -> SubscriptionStatus:
    if dates.starts_later:
        return SubscriptionStatus.PENDING_ACTIVATION
    if dates.end is not None and dates.end <= dates.today:
        return SubscriptionStatus.COMPLETED
    if dates.trial_end is not None and dates.trial_end > dates.today:
        return SubscriptionStatus.TRIAL_ACTIVE
    return SubscriptionStatus.ACTIVE


def _payment_status(*, paid: bool, pending: bool) -> PaymentStatus:
    if paid:
        return PaymentStatus.PAID
    return PaymentStatus.PROCESSING if pending else PaymentStatus.UNPAID
