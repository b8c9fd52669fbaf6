"""What the API answers about checkout sessions and quotes."""

import json
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from tallystick.db.checkout_sessions import SessionRecord
from tallystick.domain.bill import Bill, TaxBreakdown
from tallystick.domain.charges import Charge
from tallystick.domain.invoice import InvoiceLine, invoice_lines
from tallystick.domain.offer import BankTransfer, OnlinePayment, PaymentConfig
from tallystick.domain.payment import FailureReason
from tallystick.domain.quote import AttemptKind, Quote
from tallystick.domain.schedule import ScheduleNotice
from tallystick.domain.session import CheckoutType, SessionState
from tallystick.domain.tax import ExemptionType
from tallystick.domain.upcoming import Upcoming, UpcomingReason
from tallystick.http.v1.checkout_schemas import (
    BankTransferIn,
    EnabledIn,
    ExternalIn,
    OnlineIn,
    OnlineMethodsIn,
    PaymentMethodsConfigIn,
)
from tallystick.http.v1.minimum_schemas import MinimumCommitmentSchema, show_optional
from tallystick.http.v1.paging import PaginationMeta
from tallystick.http.v1.scalars import (
    AnswerModel,
    CheckoutSessionId,
    CustomerId,
    Day,
    DecimalOut,
    Instant,
    PlanVersionId,
    SubscriptionId,
)
from tallystick.services.context import Context
from tallystick.services.link import checkout_url

JsonValue = Annotated[object | None, Field(description="As it was sent.")]


class PaymentErrorOut(AnswerModel):
    """Why the last payment attempt failed."""

    reason: FailureReason
    at: Instant


class CheckoutSessionOut(AnswerModel):
    """A checkout session. Amounts are in minor units of `currency`, as last quoted."""

    id: CheckoutSessionId
    checkout_type: CheckoutType
    status: SessionState
    customer_id: CustomerId
    plan_version_id: PlanVersionId
    created_at: Instant
    updated_at: Instant
    expires_at: Annotated[Instant | None, Field(description="Null: the session never expires.")]
    completed_at: Instant | None
    checkout_url: Annotated[
        str | None, Field(description="Only while the session can still be completed.")
    ]
    subscription_id: Annotated[SubscriptionId | None, Field(description="Once completed.")]
    currency: str
    amount_due: Annotated[int, Field(description="What confirming costs today.")]
    amount_total: Annotated[int, Field(description="Today's invoice with tax.")]
    quote_id: str
    billing_start_date: Day | None
    billing_day_anchor: int | None
    end_date: Day | None
    net_terms: int
    trial_duration_days: int | None
    auto_advance_invoices: bool
    charge_automatically: bool
    coupon_code: str | None
    coupon_ids: list[str]
    add_ons: JsonValue
    components: JsonValue
    invoice_memo: str | None
    invoice_threshold: DecimalOut | None
    purchase_order: str | None
    payment_methods_config: PaymentMethodsConfigIn
    success_url: str | None
    cancel_url: str | None
    metadata: JsonValue
    last_payment_error: PaymentErrorOut | None


class CheckoutSessionAnswer(AnswerModel):
    """One session."""

    session: CheckoutSessionOut


class CheckoutSessionList(AnswerModel):
    """Sessions, newest first."""

    sessions: list[CheckoutSessionOut]
    pagination_meta: PaginationMeta


class QuoteLineOut(AnswerModel):
    """A line as today's invoice will have it: amount - discount + tax = amount_total.

    `unit_price` is net, and for a prorated line the average per unit.
    """

    name: str
    start_date: Day
    end_date: Day
    quantity: DecimalOut
    unit_price: DecimalOut
    quoted_unit_price: DecimalOut | None
    is_prorated: bool
    amount: int
    discount: int
    tax: int
    tax_rate: DecimalOut
    amount_total: int


class QuoteCouponOut(AnswerModel):
    """What a coupon takes off today; all of them sum to `discount`."""

    code: str
    amount: int


class LeftOutCouponOut(AnswerModel):
    """A coupon that cannot be redeemed any more, and why."""

    code: str
    reason: str


class QuoteTaxOut(AnswerModel):
    """What one rate, or one reason for no tax, comes to."""

    name: str
    tax_rate: DecimalOut
    taxable_amount: int
    tax_amount: int
    exemption_type: ExemptionType | None
    exemption_reason: str | None


class UpcomingOut(AnswerModel):
    """A later charge; usage of the period before is added to it where `has_usage`."""

    due_date: Day
    reason: UpcomingReason
    amount_total: int
    has_usage: bool


class QuoteOut(AnswerModel):
    """What confirming costs today, how it comes about, and what follows. Nothing is stored."""

    quote_id: str
    currency: str
    tax_inclusive: bool
    kind: Annotated[AttemptKind, Field(description="What confirming does at the provider.")]
    amount_due: int
    amount_total: int
    subtotal: int
    discount: int
    tax_amount: int
    balance_applied: int
    written_off: int
    lines: list[QuoteLineOut]
    coupons: list[QuoteCouponOut]
    coupons_left_out: list[LeftOutCouponOut]
    tax_breakdown: list[QuoteTaxOut]
    upcoming: list[UpcomingOut]
    start_date: Day
    billing_start_date: Day
    billing_day_anchor: int
    trial_end: Day | None
    end_date: Day | None
    current_period_start: Day | None
    current_period_end: Day | None
    notices: list[ScheduleNotice]
    minimum_commitment: MinimumCommitmentSchema | None


def show_session(ctx: Context, record: SessionRecord) -> CheckoutSessionOut:
    """A session on the wire, its status as reported now."""
    session, offer = record.session, record.session.offer
    status = session.status(ctx.now)
    sent = json.loads(record.request)
    error = session.last_payment_error
    return CheckoutSessionOut.model_construct(
        id=session.id,
        checkout_type=record.checkout_type,
        status=status,
        customer_id=session.customer_id,
        plan_version_id=session.plan_version_id,
        created_at=session.created_at,
        updated_at=session.updated_at,
        expires_at=session.expires_at,
        completed_at=session.completed_at,
        checkout_url=None
        if status.is_terminal
        else checkout_url(ctx.app.public_url, ctx.tenant.link_secret, session.id),
        subscription_id=session.subscription_id,
        currency=offer.currency,
        amount_due=session.quoted.amount_due,
        amount_total=session.quoted.amount_total,
        quote_id=session.quoted.quote_id,
        billing_start_date=offer.start_date,
        billing_day_anchor=offer.anchor,
        end_date=offer.end_date,
        net_terms=offer.net_terms,
        trial_duration_days=sent.get("trial_duration_days"),
        auto_advance_invoices=offer.auto_advance_invoices,
        charge_automatically=offer.charge_automatically,
        coupon_code=sent.get("coupon_code"),
        coupon_ids=sent.get("coupon_ids") or [],
        add_ons=sent.get("add_ons") or [],
        components=sent.get("components"),
        invoice_memo=offer.invoice_memo,
        invoice_threshold=offer.invoice_threshold,
        purchase_order=offer.purchase_order,
        payment_methods_config=show_payment(offer.payment),
        success_url=session.success_url,
        cancel_url=session.cancel_url,
        metadata=None if record.metadata is None else json.loads(record.metadata),
        last_payment_error=None
        if error is None
        else PaymentErrorOut.model_construct(reason=error.reason, at=error.at),
    )


def show_payment(config: PaymentConfig) -> OnlineIn | BankTransferIn | ExternalIn:
    """A payment configuration on the wire, in full."""
    match config:
        case OnlinePayment():
            return OnlineIn.model_construct(
                type="online",
                config=OnlineMethodsIn.model_construct(
                    card=EnabledIn.model_construct(enabled=config.card),
                    direct_debit=EnabledIn.model_construct(enabled=config.direct_debit),
                ),
            )
        case BankTransfer():
            return BankTransferIn.model_construct(
                type="bank_transfer", account_id=config.account_id
            )
        case _:
            return ExternalIn.model_construct(type="external")


def show_quote(quote: Quote, *, tax_inclusive: bool) -> QuoteOut:
    """A quote on the wire."""
    bill, dates, period = quote.bill, quote.dates, quote.period
    return QuoteOut(
        quote_id=quote.id,
        currency=quote.currency,
        tax_inclusive=tax_inclusive,
        kind=quote.kind,
        amount_due=quote.amount_due,
        amount_total=quote.total,
        subtotal=0 if bill is None else bill.subtotal,
        discount=0 if bill is None else bill.discount,
        tax_amount=0 if bill is None else bill.tax,
        balance_applied=quote.balance_applied,
        written_off=quote.written_off,
        lines=[] if bill is None else _lines(bill),
        coupons=[]
        if bill is None
        else [QuoteCouponOut(code=one.code, amount=one.amount) for one in bill.coupons_net],
        coupons_left_out=[
            LeftOutCouponOut(code=one.code, reason=one.reason.value) for one in quote.left_out
        ],
        tax_breakdown=[] if bill is None else [_tax(row) for row in bill.breakdown],
        upcoming=[_upcoming(one) for one in quote.upcoming],
        start_date=dates.start,
        billing_start_date=dates.billing_start,
        billing_day_anchor=dates.anchor,
        trial_end=dates.trial_end,
        end_date=dates.end,
        current_period_start=None if period is None else period.start,
        current_period_end=None if period is None else period.end,
        notices=list(dates.notices),
        minimum_commitment=show_optional(quote.minimum),
    )


def _lines(bill: Bill) -> list[QuoteLineOut]:
    """The lines of the invoice that the bill makes."""
    return [
        _line(quoted.charge, line)
        for quoted, line in zip(bill.lines, invoice_lines(bill), strict=True)
    ]


def _line(charge: Charge, line: InvoiceLine) -> QuoteLineOut:
    return QuoteLineOut(
        name=line.name,
        start_date=line.start_date,
        end_date=line.end_date,
        quantity=Decimal(line.quantity),
        unit_price=line.unit_price,
        quoted_unit_price=line.quoted_unit_price,
        is_prorated=charge.is_prorated,
        amount=line.amount,
        discount=line.discount,
        tax=line.tax,
        tax_rate=line.tax_rate,
        amount_total=line.amount_total,
    )


def _tax(row: TaxBreakdown) -> QuoteTaxOut:
    return QuoteTaxOut(
        name=row.name,
        tax_rate=row.rate,
        taxable_amount=row.taxable,
        tax_amount=row.tax,
        exemption_type=row.exemption,
        exemption_reason=row.reason,
    )


def _upcoming(one: Upcoming) -> UpcomingOut:
    return UpcomingOut(
        due_date=one.due,
        reason=one.reason,
        amount_total=one.total,
        has_usage=one.has_usage,
    )
