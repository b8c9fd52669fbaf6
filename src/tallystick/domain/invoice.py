"""An invoice as it is stored: made from a bill, numbered and finalized, its sums asserted."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from tallystick.domain.bill import Bill, BillLine, TaxBreakdown
from tallystick.domain.buyer import Address, BuyerDetails
from tallystick.domain.charges import Before, Computation, Replaced, Shortfall
from tallystick.domain.coupons import AppliedCoupon
from tallystick.domain.money import exponent, major
from tallystick.domain.parties import Customer, InvoicingEntity
from tallystick.domain.tax import TaxAmount, TaxDecision
from tallystick.domain.usage_pricing import UsageLine

_PRICE_DECIMALS = 12
"""Decimals of a displayed unit price: as many as a price may have on the wire."""


class InvoiceStatus(StrEnum):
    """Whether an invoice may still change."""

    DRAFT = "DRAFT"
    FINALIZED = "FINALIZED"
    VOID = "VOID"
    UNCOLLECTIBLE = "UNCOLLECTIBLE"

    @property
    def is_owed(self) -> bool:
        """Whether it is final and stands: it may be paid and credited, given up or not."""
        return self in {InvoiceStatus.FINALIZED, InvoiceStatus.UNCOLLECTIBLE}


class InvoiceType(StrEnum):
    """What an invoice is for."""

    RECURRING = "RECURRING"
    ADJUSTMENT = "ADJUSTMENT"
    USAGE_THRESHOLD = "USAGE_THRESHOLD"


class PaymentStatus(StrEnum):
    """How far an invoice is paid."""

    UNPAID = "UNPAID"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    PROCESSING = "PROCESSING"
    PAID = "PAID"
    ERRORED = "ERRORED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSnapshot:
    """The customer as an invoice names it, fixed when the invoice is made."""

    id: UUID
    name: str
    alias: str | None
    email: str | None
    billing_address: Address
    vat_number: str | None
    snapshot_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerSnapshot:
    """The seller as an invoice names it; `registration` is where it is registered as what."""

    legal_name: str
    address: Address
    vat_number: str | None
    email: str | None
    registration: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineExplanation:
    """How a line came about, as data: its computation, discount and tax rule.

    `before` is what earlier invoices have billed of the same usage; `shortfall` is that of a
    true-up, `replaced` what the line takes the place of.
    """

    computation: Computation
    quoted_amount: int
    quoted_discount: int
    decision: TaxDecision
    usage: UsageLine | None = None
    before: Before | None = None
    shortfall: Shortfall | None = None
    replaced: Replaced | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """A line: `amount` is its part of the subtotal; amount - discount + tax = amount_total.

    `unit_price` is net, in major units, and for a prorated line the average per unit;
    `quoted_unit_price` is the tax-included price where prices include tax.
    """

    item_id: UUID
    product_id: UUID
    name: str
    start_date: date
    end_date: date
    quantity: Decimal
    unit_price: Decimal
    quoted_unit_price: Decimal | None
    amount: int
    discount: int
    tax: int
    amount_total: int
    tax_rate: Decimal
    taxes: tuple[TaxAmount, ...]
    explanation: LineExplanation

    def __post_init__(self) -> None:
        """The line adds up."""
        assert self.amount - self.discount + self.tax == self.amount_total, "a line adds up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What of an invoice need not be paid any more, and what of that providers took back."""

    applied_balance: int
    written_off: int
    settled: int
    cancelled: int = 0
    reversed: int = 0


def still_due(total: int, covered: Coverage) -> int:
    """What is due of an invoice: its total less what covers it.

    Of a total below zero nothing is due: it goes to the customer's balance.
    """
    kept = covered.settled - covered.reversed
    met = covered.applied_balance + covered.written_off + covered.cancelled + kept
    return max(total, 0) - met


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """An invoice, all amounts in minor units of `currency`.

    `still_due` of its amounts is amount_due, always.
    """

    id: UUID
    customer_id: UUID
    subscription_id: UUID
    invoicing_entity_id: UUID
    status: InvoiceStatus
    payment_status: PaymentStatus
    invoice_date: date
    net_terms: int
    billing_period_start: date
    billing_period_end: date | None
    currency: str
    tax_inclusive: bool
    lines: tuple[InvoiceLine, ...]
    coupons: tuple[AppliedCoupon, ...]
    breakdown: tuple[TaxBreakdown, ...]
    subtotal: int
    subtotal_recurring: int
    discount: int
    tax_amount: int
    total: int
    applied_balance: int
    written_off: int
    settled: int
    amount_due: int
    customer: CustomerSnapshot
    seller: SellerSnapshot
    memo: str | None
    purchase_order: str | None
    finalized_at: datetime | None
    paid_at: datetime | None
    created_at: datetime
    type: InvoiceType = InvoiceType.RECURRING

    def __post_init__(self) -> None:
        """The invoice adds up, and what is paid is not due."""
        assert self.subtotal - self.discount + self.tax_amount == self.total, "it adds up"
        assert sum(line.amount_total for line in self.lines) == self.total, "so do its lines"
        covered = Coverage(
            applied_balance=self.applied_balance,
            written_off=self.written_off,
            settled=self.settled,
        )
        assert still_due(self.total, covered) == self.amount_due, "due is what is not covered"
        assert self.amount_due >= 0, "nobody is owed by an invoice"
        assert (self.payment_status is PaymentStatus.PAID) <= (self.amount_due == 0), "paid"

    @property
    def due_date(self) -> date:
        """The day by which it is to be paid."""
        return self.invoice_date + timedelta(days=self.net_terms)


def invoice_lines(bill: Bill) -> tuple[InvoiceLine, ...]:
    """The lines of an invoice for a bill, in its order."""
    return tuple(_line(line, bill.currency, inclusive=bill.inclusive) for line in bill.lines)


def finalized(draft: Invoice, applied: int, written_off: int, now: datetime) -> Invoice:
    """A draft as it becomes final, met by so much of the balance; what is covered is paid."""
    covered = Coverage(applied_balance=applied, written_off=written_off, settled=0)
    due = still_due(draft.total, covered)
    return replace(
        draft,
        status=InvoiceStatus.FINALIZED,
        payment_status=PaymentStatus.UNPAID if due else PaymentStatus.PAID,
        applied_balance=applied,
        written_off=written_off,
        amount_due=due,
        finalized_at=now,
        paid_at=None if due else now,
    )


def subtotal_recurring(bill: Bill) -> int:
    """The part of the subtotal on lines without a metric, before discount.

    One-time fees and a capacity's base are part of it; metered usage is not.
    """
    return sum(line.amount_net for line in bill.lines if line.charge.usage is None)


def number_text(pattern: str, number: int, day: date) -> str:
    """The invoice number as printed: the entity's pattern with {number}, {YYYY}, {MM}, {DD}."""
    return (
        pattern.replace("{number}", str(number))
        .replace("{YYYY}", f"{day.year:04}")
        .replace("{MM}", f"{day.month:02}")
        .replace("{DD}", f"{day.day:02}")
    )


def customer_snapshot(
    customer: Customer, details: BuyerDetails, at: datetime
) -> CustomerSnapshot:
    """The customer as billed: its identity, with the billing details as quoted."""
    return CustomerSnapshot(
        id=customer.id,
        name=details.name,
        alias=customer.alias,
        email=details.email,
        billing_address=details.address,
        vat_number=details.vat_number,
        snapshot_at=at,
    )


def seller_snapshot(entity: InvoicingEntity) -> SellerSnapshot:
    """The seller as it stands now."""
    return SellerSnapshot(
        legal_name=entity.legal_name,
        address=entity.address,
        vat_number=entity.vat_number,
        email=entity.email,
        registration=entity.registration,
    )


def _line(line: BillLine, currency: str, *, inclusive: bool) -> InvoiceLine:
    charge = line.charge
    computation = charge.computation
    usage = charge.usage
    quantity = Fraction(computation.quantity) if usage is None else _used(usage)
    if charge.before is not None:
        quantity -= Fraction(charge.before.quantity)
    quoted_price = computation.unit_price if usage is None else usage.unit_price
    whole = not charge.is_prorated and charge.replaced is None
    plain = quoted_price is not None and not inclusive and whole
    return InvoiceLine(
        item_id=charge.item_id,
        product_id=charge.product_id,
        name=charge.name,
        start_date=charge.start,
        end_date=charge.end,
        quantity=shown_quantity(quantity),
        unit_price=quoted_price
        if plain and quoted_price is not None
        else average(line.amount_net, quantity, currency),
        quoted_unit_price=average(charge.amount, quantity, currency) if inclusive else None,
        amount=line.amount_net,
        discount=line.discount_net,
        tax=line.tax,
        amount_total=line.total,
        tax_rate=line.tax_rate,
        taxes=line.taxes,
        explanation=LineExplanation(
            computation=computation,
            quoted_amount=charge.amount,
            quoted_discount=line.discount,
            decision=line.decision,
            usage=usage,
            before=charge.before,
            shortfall=charge.shortfall,
            replaced=charge.replaced,
        ),
    )


def _used(usage: UsageLine) -> Fraction:
    """What is paid for; what has no price is shown as it was used."""
    return usage.quantity if usage.parts else usage.usage


def shown_quantity(quantity: Fraction) -> Decimal:
    """A quantity as it is shown: exact where a decimal can be, else cut to twelve decimals."""
    scaled = quantity * 10**_PRICE_DECIMALS // 1
    return Decimal(f"{Decimal(scaled).scaleb(-_PRICE_DECIMALS).normalize():f}")


def average(amount: int, quantity: Fraction, currency: str) -> Decimal:
    """The displayed price of one unit: the amount over the quantity, cut to twelve decimals.

    It is shown, never multiplied again.
    """
    if quantity == 0:
        return Decimal(0)
    digits = _PRICE_DECIMALS - exponent(currency)
    scaled: int = amount * 10**digits // quantity
    return Decimal(f"{major(scaled, currency).scaleb(-digits).normalize():f}")
