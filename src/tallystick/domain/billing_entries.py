"""Subscriptions and invoices as they are listed, read back from where they are stored."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.domain.bill import TaxBreakdown
from tallystick.domain.charges import Before, Computation, Item
from tallystick.domain.coupons import AppliedCoupon, CouponTerms
from tallystick.domain.entitlement import Entitlement
from tallystick.domain.invoice import (
    CustomerSnapshot,
    InvoiceStatus,
    PaymentStatus,
    SellerSnapshot,
)
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.offer import PaymentConfig
from tallystick.domain.payment import Method
from tallystick.domain.periods import Cadence
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.domain.scheduled import Scheduled
from tallystick.domain.usage_pricing import UsageLine


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionEntry:
    """A subscription in a list; `mrr` in minor units per month.

    `metadata` is the JSON value that its checkout was given; `end_date` the first day not
    covered; `cancelled_on` the day on which a cancellation takes effect. `billing_error` says
    why its next step cannot be taken, where it was set aside. `scheduled` is what changes at
    the end of its period.
    """

    id: UUID
    customer_id: UUID
    customer_name: str
    customer_alias: str | None
    plan_id: UUID
    plan_name: str
    plan_description: str | None
    plan_version_id: UUID
    plan_version: int
    status: SubscriptionStatus
    currency: str
    tax_inclusive: bool
    cadence: Cadence
    start_date: date
    billing_start_date: date
    billing_day_anchor: int
    trial_duration: int | None
    trial_end: date | None
    end_date: date | None
    current_period_start: date
    current_period_end: date | None
    net_terms: int
    auto_advance_invoices: bool
    charge_automatically: bool
    payment: PaymentConfig
    payment_method_id: UUID | None
    invoice_memo: str | None
    purchase_order: str | None
    invoice_threshold: Decimal | None
    metadata: Any
    custom_properties: Any
    mrr: int
    checkout_session_id: UUID | None
    open_session_id: UUID | None
    activated_at: datetime | None
    created_at: datetime
    cancelled_on: date | None
    cancellation_reason: str | None
    billing_error: str | None
    scheduled: Scheduled | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemedCoupon:
    """A coupon of a subscription: its terms as redeemed, and what it has taken off so far.

    `applied_amount` in minor units; the rest of the coupon as it stands now.
    """

    id: UUID
    terms: CouponTerms
    applied_count: int
    applied_amount: int
    last_applied_at: datetime | None
    redeemed_at: datetime
    description: str | None
    disabled: bool
    expires_at: datetime | None
    redemption_limit: int | None

    @property
    def is_active(self) -> bool:
        """Whether it applies to the next invoice, too."""
        limit = self.terms.recurring_value
        return limit is None or self.applied_count < limit


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionDetails:
    """A subscription with what is billed on it, and the `entitlements` of it alone."""

    subscription: SubscriptionEntry
    items: tuple[Item, ...]
    coupons: tuple[RedeemedCoupon, ...]
    minimum: MinimumCommitment | None = None
    entitlements: tuple[Entitlement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLineEntry:
    """A line of an invoice: amount - discount + tax = amount_total, in minor units.

    `computation` is how the amount came about, `usage` how metered usage was priced, `before`
    what earlier invoices billed of it.
    """

    id: UUID
    product_id: UUID | None
    name: str
    start_date: date
    end_date: date
    quantity: Decimal | None
    unit_price: Decimal | None
    quoted_unit_price: Decimal | None
    amount: int
    discount: int
    tax: int
    amount_total: int
    tax_rate: Decimal
    computation: Computation | None = None
    usage: UsageLine | None = None
    before: Before | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionEntry:
    """Money that moved, or is on its way, for an invoice; `amount` in minor units.

    `failure` names the reason where the money will not come. A refund has its payment as
    parent; `refunded` of a payment went back. Its provider has taken `reversed` of it back, the
    last time as the kind and for the reason that are named; what that exceeds it by is `lost`.
    """

    id: UUID
    payment_type: str
    status: str
    reference: str
    amount: int
    currency: str
    payment_method_id: UUID | None
    method: Method | None
    failure: str | None
    created_at: datetime
    processed_at: datetime | None
    parent_id: UUID | None = None
    credit_note_id: UUID | None = None
    refund_mode: str | None = None
    refunded: int = 0
    reversed: int = 0
    reversal_kind: str | None = None
    reversal_reason: str | None = None

    @property
    def lost(self) -> int:
        """What its provider has taken beyond what it had brought: nobody owes that."""
        return max(self.reversed - self.amount, 0)

    @property
    def shown_status(self) -> str:
        """Its status; REFUNDED once its provider has taken back what was left of it."""
        is_gone = self.reversed > 0 and self.refunded + self.reversed >= self.amount
        return "REFUNDED" if is_gone else self.status


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceEntry:
    """An invoice in a list; `number` is None while it is a draft.

    `consolidated_into_invoice_id` is the invoice that carries its lines in its place.

    total - applied_balance - written_off - cancelled - settled + reversed = amount_due.
    `spare` of what is reversed came back when it was not needed, and went to the balance.
    `lost` is what providers took beyond its payments: due from nobody, and no part of these.
    """

    id: UUID
    customer_id: UUID
    subscription_id: UUID | None
    invoicing_entity_id: UUID
    invoice_type: str
    status: InvoiceStatus
    payment_status: PaymentStatus
    number: str | None
    invoice_date: date
    due_date: date
    billing_period_start: date
    billing_period_end: date | None
    net_terms: int
    currency: str
    tax_inclusive: bool
    subtotal: int
    subtotal_recurring: int
    discount: int
    tax_amount: int
    total: int
    applied_balance: int
    written_off: int
    write_off_reason: str | None
    settled: int
    amount_due: int
    coupons: tuple[AppliedCoupon, ...]
    breakdown: tuple[TaxBreakdown, ...]
    customer: CustomerSnapshot
    seller: SellerSnapshot
    memo: str | None
    purchase_order: str | None
    custom_properties: Any
    lines: tuple[InvoiceLineEntry, ...]
    transactions: tuple[TransactionEntry, ...]
    consolidated_into_invoice_id: UUID | None
    finalized_at: datetime | None
    paid_at: datetime | None
    voided_at: datetime | None
    marked_as_uncollectible_at: datetime | None
    created_at: datetime
    updated_at: datetime
    cancelled: int = 0
    reversed: int = 0
    spare: int = 0
    lost: int = 0
