"""Invoices on the wire: every amount is an integer in the currency's minor unit."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from tallystick.domain.bill import TaxBreakdown
from tallystick.domain.billing_entries import InvoiceEntry, InvoiceLineEntry
from tallystick.domain.buyer import Address
from tallystick.domain.invoice import CustomerSnapshot, PaymentStatus, SellerSnapshot
from tallystick.domain.line_description import describe
from tallystick.domain.sub_lines import sub_lines
from tallystick.domain.tax import ExemptionType
from tallystick.http.door import Door
from tallystick.http.v1.paging import PaginationMeta
from tallystick.http.v1.scalars import (
    AnswerModel,
    CouponId,
    CustomerId,
    Day,
    DecimalOut,
    Instant,
    InvoiceId,
    InvoicingEntityId,
    ProductId,
    SubscriptionId,
)
from tallystick.http.v1.transaction_schemas import TransactionOut, show_transaction
from tallystick.services.link import payment_url

JsonValue = Annotated[object | None, Field(description="Any JSON value.")]

DRAFT_NUMBER = "draft"
"""What stands for the number of an invoice that has none yet."""


class InvoiceStatusName(StrEnum):
    """Every status of the reference; CLOSED never occurs."""

    DRAFT = "DRAFT"
    FINALIZED = "FINALIZED"
    UNCOLLECTIBLE = "UNCOLLECTIBLE"
    VOID = "VOID"
    CLOSED = "CLOSED"


class AddressOut(AnswerModel):
    """A postal address."""

    line1: str | None
    line2: str | None
    city: str | None
    state: str | None
    zip_code: str | None
    country: str | None


class CustomerDetailsOut(AnswerModel):
    """The customer as the invoice names it, fixed when the invoice was made."""

    id: CustomerId
    name: str
    alias: str | None
    email: str | None
    vat_number: str | None
    billing_address: AddressOut
    snapshot_at: Instant


class SellerDetailsOut(AnswerModel):
    """The seller as the invoice names it, fixed when the invoice was made."""

    legal_name: str
    email: str | None
    vat_number: str | None
    address: AddressOut


class SubLineItem(AnswerModel):
    """A part of a line of usage: a tier, a row of a matrix, or a capacity's overage."""

    id: str
    name: str
    quantity: DecimalOut
    unit_price: DecimalOut
    total: int


class InvoiceLineItem(AnswerModel):
    """A line: amount - discount + tax = amount_total.

    A one-time line starts and ends on its day. `tax_rate` is the sum of the line's rates;
    `unit_price` is net. The totals of `sub_line_items`, where there are any, sum to `amount`.
    """

    id: str
    name: str
    description: str | None
    product_id: ProductId | None
    start_date: Day
    end_date: Day
    quantity: DecimalOut | None
    unit_price: DecimalOut | None
    quoted_unit_price: DecimalOut | None
    amount: int
    discount: int
    tax: int
    tax_rate: DecimalOut
    amount_total: int
    sub_line_items: list[SubLineItem]


class CouponLineItem(AnswerModel):
    """What a coupon took off this invoice."""

    coupon_id: CouponId
    name: str
    total: int


class TaxBreakdownItem(AnswerModel):
    """What one rate, or one reason for no tax, comes to over the invoice."""

    name: str
    tax_rate: DecimalOut
    taxable_amount: int
    tax_amount: int
    tax_reference: str | None
    exemption_type: ExemptionType | None
    exemption_reason: str | None


class InvoiceOut(AnswerModel):
    """An invoice.

    total - applied_credits - written_off - cancelled_debt - what was paid + amount_reversed
    = amount_due.
    """

    id: InvoiceId
    invoice_number: str
    invoice_type: Literal["RECURRING", "ONE_OFF", "ADJUSTMENT", "USAGE_THRESHOLD"]
    status: InvoiceStatusName
    payment_status: PaymentStatus
    customer_id: CustomerId
    customer_details: CustomerDetailsOut
    seller_details: SellerDetailsOut
    subscription_id: SubscriptionId | None
    invoicing_entity_id: InvoicingEntityId
    invoice_date: Day
    due_date: Day
    billing_period_start: Day
    billing_period_end: Day | None
    net_terms: int
    currency: str
    tax_inclusive: bool
    line_items: list[InvoiceLineItem]
    coupons: list[CouponLineItem]
    tax_breakdown: list[TaxBreakdownItem]
    transactions: list[TransactionOut]
    subtotal: int
    subtotal_recurring: int
    discount: int
    tax_amount: int
    total: int
    applied_credits: int
    written_off: int
    write_off_reason: str | None
    cancelled_debt: int
    amount_reversed: Annotated[
        int, Field(description="Of what was paid, what providers took back, minor units.")
    ]
    amount_returned_to_balance: Annotated[
        int,
        Field(description="Of that, what they gave back since, to the customer's balance."),
    ]
    amount_lost: Annotated[
        int,
        Field(
            description="What providers took beyond its payments, in minor units: the seller's"
            " loss, and no part of `amount_due`."
        ),
    ]
    amount_due: int
    memo: str | None
    purchase_order: str | None
    reference: None
    custom_properties: JsonValue
    parent_invoice_id: None
    child_invoice_id: None
    consolidated_into_invoice_id: Annotated[
        InvoiceId | None,
        Field(description="The invoice that carries its lines; it stays a draft then."),
    ]
    einvoicing_status: None
    finalized_at: Instant | None
    paid_at: Instant | None
    voided_at: Instant | None
    marked_as_uncollectible_at: Instant | None
    payment_url: Annotated[
        str | None,
        Field(
            description="Its own page, where its customer sees it and pays it; the link opens "
            "no other. Null for drafts and void ones."
        ),
    ]
    created_at: Instant
    updated_at: Instant


class InvoiceList(AnswerModel):
    """One page of invoices."""

    data: list[InvoiceOut]
    pagination_meta: PaginationMeta


def show_invoice(entry: InvoiceEntry, door: Door) -> InvoiceOut:
    """An invoice as it is sent through a door, which knows where its page is."""
    return InvoiceOut(
        id=entry.id,
        invoice_number=entry.number or DRAFT_NUMBER,
        invoice_type=entry.invoice_type,
        status=InvoiceStatusName(entry.status.value),
        payment_status=entry.payment_status,
        customer_id=entry.customer_id,
        customer_details=_customer(entry.customer),
        seller_details=_seller(entry.seller),
        subscription_id=entry.subscription_id,
        invoicing_entity_id=entry.invoicing_entity_id,
        invoice_date=entry.invoice_date,
        due_date=entry.due_date,
        billing_period_start=entry.billing_period_start,
        billing_period_end=entry.billing_period_end,
        net_terms=entry.net_terms,
        currency=entry.currency,
        tax_inclusive=entry.tax_inclusive,
        line_items=[_line(entry, line) for line in entry.lines],
        coupons=[
            CouponLineItem(coupon_id=one.coupon_id, name=one.code, total=one.amount)
            for one in entry.coupons
        ],
        tax_breakdown=[_tax(row) for row in entry.breakdown],
        transactions=[show_transaction(one) for one in entry.transactions],
        subtotal=entry.subtotal,
        subtotal_recurring=entry.subtotal_recurring,
        discount=entry.discount,
        tax_amount=entry.tax_amount,
        total=entry.total,
        applied_credits=entry.applied_balance,
        written_off=entry.written_off,
        write_off_reason=entry.write_off_reason,
        cancelled_debt=entry.cancelled,
        amount_reversed=entry.reversed,
        amount_returned_to_balance=entry.spare,
        amount_lost=entry.lost,
        amount_due=entry.amount_due,
        memo=entry.memo,
        purchase_order=entry.purchase_order,
        reference=None,
        custom_properties=entry.custom_properties,
        parent_invoice_id=None,
        child_invoice_id=None,
        consolidated_into_invoice_id=entry.consolidated_into_invoice_id,
        einvoicing_status=None,
        finalized_at=entry.finalized_at,
        paid_at=entry.paid_at,
        voided_at=entry.voided_at,
        marked_as_uncollectible_at=entry.marked_as_uncollectible_at,
        payment_url=_page(entry, door),
        created_at=entry.created_at,
        updated_at=entry.updated_at,
    )


def _seller(seller: SellerSnapshot) -> SellerDetailsOut:
    return SellerDetailsOut(
        legal_name=seller.legal_name,
        email=seller.email,
        vat_number=seller.vat_number,
        address=_address(seller.address),
    )


def _page(entry: InvoiceEntry, door: Door) -> str | None:
    if not entry.status.is_owed:
        return None
    tenant = door.tenant
    return payment_url(door.app.public_url, tenant.link_secret, tenant.id, entry.id)


def shown_through(door: Door) -> Callable[[InvoiceEntry], InvoiceOut]:
    """Shows an invoice through a door."""
    return lambda entry: show_invoice(entry, door)


def _customer(snapshot: CustomerSnapshot) -> CustomerDetailsOut:
    return CustomerDetailsOut(
        id=snapshot.id,
        name=snapshot.name,
        alias=snapshot.alias,
        email=snapshot.email,
        vat_number=snapshot.vat_number,
        billing_address=_address(snapshot.billing_address),
        snapshot_at=snapshot.snapshot_at,
    )


def _address(address: Address) -> AddressOut:
    return AddressOut(
        line1=address.line1,
        line2=address.line2,
        city=address.city,
        state=address.state,
        zip_code=address.zip_code,
        country=address.country,
    )


def _line(entry: InvoiceEntry, line: InvoiceLineEntry) -> InvoiceLineItem:
    return InvoiceLineItem(
        id=str(line.id),
        name=line.name,
        description=describe(line.computation),
        product_id=line.product_id,
        start_date=line.start_date,
        end_date=line.end_date,
        quantity=line.quantity,
        unit_price=line.unit_price,
        quoted_unit_price=line.quoted_unit_price,
        amount=line.amount,
        discount=line.discount,
        tax=line.tax,
        tax_rate=line.tax_rate,
        amount_total=line.amount_total,
        sub_line_items=[
            SubLineItem(
                id=f"{line.id}-{place}",
                name=one.name,
                quantity=one.quantity,
                unit_price=one.unit_price,
                total=one.total,
            )
            for place, one in enumerate(sub_lines(line, entry.currency))
        ],
    )


def _tax(row: TaxBreakdown) -> TaxBreakdownItem:
    return TaxBreakdownItem(
        name=row.name,
        tax_rate=row.rate,
        taxable_amount=row.taxable,
        tax_amount=row.tax,
        tax_reference=row.code,
        exemption_type=row.exemption,
        exemption_reason=row.reason,
    )
