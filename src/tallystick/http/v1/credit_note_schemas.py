"""Credit notes on the wire: what they take back stands below zero, as on the document."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from pydantic.json_schema import JsonSchemaValue
from typing_extensions import override

from tallystick.domain.credit_note import (
    Amount,
    CreditKind,
    CreditNoteStatus,
    CreditToBalance,
    CreditType,
    DebtCancellation,
    Everything,
    LineCredit,
    Refund,
    Scope,
)
from tallystick.domain.credit_note_entry import CreditNoteEntry, CreditNoteLineEntry
from tallystick.domain.errors import Fault, fail_if
from tallystick.domain.invoice import average
from tallystick.domain.line_description import describe
from tallystick.domain.money import AMOUNT_MAX
from tallystick.http.v1.invoice_schemas import (
    DRAFT_NUMBER,
    InvoiceLineItem,
    JsonValue,
    TaxBreakdownItem,
)
from tallystick.http.v1.paging import PaginationMeta
from tallystick.http.v1.scalar import Scalar, must_be_text, problem
from tallystick.http.v1.scalars import (
    AnswerModel,
    CreditNoteId,
    CustomerId,
    Flag,
    Instant,
    InvoiceId,
    LongText,
    PlanVersionId,
    PositiveDecimal,
    RequestModel,
    ShortText,
    SubscriptionId,
    TransactionId,
    WholeNumber,
)
from tallystick.services.issue_credit_note import CreditRequest

LINES_MAX = 1000

Part = Annotated[WholeNumber, Field(ge=1, le=AMOUNT_MAX)]
"""An amount above zero, in minor units."""


class LineText(Scalar):
    """The id of an invoice's line, as the invoice shows it."""

    @override
    def parse(self, value: Any) -> UUID:
        if isinstance(value, UUID):
            return value
        try:
            return UUID(must_be_text(value))
        except ValueError:
            raise problem("malformed_id", "must be the id of a line of the invoice") from None

    @override
    def text(self, value: UUID) -> str:
        return str(value)

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "format": "uuid"}


class LineCreditIn(RequestModel):
    """A line of the invoice, or part of it; neither quantity nor amount: what is left."""

    line_item_id: Annotated[UUID, LineText()]
    quantity: PositiveDecimal | None = None
    amount: Annotated[
        Part | None, Field(description="Before discount and tax, in minor units.")
    ] = None


class CreditNoteRequest(RequestModel):
    """What of an invoice is credited; neither lines nor amount: all that is left of it."""

    invoice_id: InvoiceId
    credit_type: CreditType
    lines: Annotated[list[LineCreditIn] | None, Field(min_length=1, max_length=LINES_MAX)] = (
        None
    )
    amount: Annotated[
        Part | None,
        Field(description="Tax included, in minor units, spread over the invoice's lines."),
    ] = None
    payment_id: Annotated[
        TransactionId | None,
        Field(description="REFUND: the payment; default the newest that has enough left."),
    ] = None
    offline: Annotated[
        Flag,
        Field(description="REFUND: true notes money that went back another way."),
    ] = False
    reason: ShortText | None = None
    memo: LongText | None = None
    preview: Annotated[Flag, Field(description="True: nothing is stored.")] = False


class RefundRequest(RequestModel):
    """How much of a payment goes back; may be left out."""

    amount: Annotated[
        Part | None, Field(description="In minor units; default all that is left.")
    ] = None
    reason: ShortText | None = None
    memo: LongText | None = None
    preview: Annotated[Flag, Field(description="True: nothing is stored.")] = False


class CreditNoteLine(InvoiceLineItem):
    """A line of a note, below zero, and the invoice's line that it credits."""

    invoice_line_item_id: str


class CreditNoteOut(AnswerModel):
    """A credit note: subtotal - discount + tax_amount = total, all below zero.

    `credited_amount_cents` goes to the customer's balance, `refunded_amount_cents` back the way
    it came, and nobody had paid `written_off_amount_cents`; a debt cancellation has none.
    DRAFT: its refund is under way.
    """

    id: CreditNoteId
    credit_note_number: str
    credit_type: CreditType
    status: CreditNoteStatus
    invoice_id: InvoiceId
    invoice_number: str
    customer_id: CustomerId
    subscription_id: SubscriptionId | None
    plan_version_id: PlanVersionId | None
    currency: str
    line_items: list[CreditNoteLine]
    tax_breakdown: list[TaxBreakdownItem]
    subtotal: int
    discount: int
    tax_amount: int
    total: int
    credited_amount_cents: int
    refunded_amount_cents: int
    written_off_amount_cents: Annotated[
        int,
        Field(
            description="What was written off on the invoice as too small to be charged: it is"
            " credited, and no money goes back. In minor units."
        ),
    ]
    refund_failure: Annotated[
        str | None, Field(description="Why the provider refused the refund.")
    ]
    reason: str | None
    memo: str | None
    custom_properties: JsonValue
    finalized_at: Instant | None
    voided_at: Instant | None
    created_at: Instant
    updated_at: Instant


class CreditNoteList(AnswerModel):
    """One page of credit notes."""

    data: list[CreditNoteOut]
    pagination_meta: PaginationMeta


SHOWN: dict[int | str, dict[str, Any]] = {
    200: {"model": CreditNoteOut, "description": "The preview: nothing was stored."}
}
"""What a preview answers, beside the answer of a note that was made."""


def to_credit_request(body: CreditNoteRequest) -> CreditRequest:
    """What a body asks for.

    Raises:
        InvalidInput: It holds what contradicts itself, or its type does not have.
    """
    faults = []
    if body.lines is not None and body.amount is not None:
        faults.append(Fault("amount", "contradiction", "cannot stand beside lines"))
    if body.credit_type is not CreditType.REFUND:
        wanted = "only a credit note of type REFUND has it"
        if body.payment_id is not None:
            faults.append(Fault("payment_id", "contradiction", wanted))
        if body.offline:
            faults.append(Fault("offline", "contradiction", wanted))
    fail_if(faults)
    return CreditRequest(
        invoice_id=body.invoice_id,
        kind=_kind(body),
        scope=_scope(body),
        reason=body.reason,
        memo=body.memo,
    )


def _kind(body: CreditNoteRequest) -> CreditKind:
    match body.credit_type:
        case CreditType.CREDIT_TO_BALANCE:
            return CreditToBalance()
        case CreditType.DEBT_CANCELLATION:
            return DebtCancellation()
        case CreditType.REFUND:
            return Refund(payment_id=body.payment_id, offline=body.offline)


def _scope(body: CreditNoteRequest) -> Scope:
    if body.amount is not None:
        return Amount(body.amount)
    if body.lines is None:
        return Everything()
    return tuple(
        LineCredit(line_id=one.line_item_id, quantity=one.quantity, amount=one.amount)
        for one in body.lines
    )


def show_credit_note(entry: CreditNoteEntry) -> CreditNoteOut:
    """A credit note as it is sent."""
    return CreditNoteOut(
        id=entry.id,
        credit_note_number=entry.number or DRAFT_NUMBER,
        credit_type=entry.type,
        status=entry.status,
        invoice_id=entry.invoice_id,
        invoice_number=entry.invoice_number,
        customer_id=entry.customer_id,
        subscription_id=entry.subscription_id,
        plan_version_id=entry.plan_version_id,
        currency=entry.currency,
        line_items=[_line(line, entry.currency) for line in entry.lines],
        tax_breakdown=[
            TaxBreakdownItem(
                name=row.name,
                tax_rate=row.rate,
                taxable_amount=-row.taxable,
                tax_amount=-row.tax,
                tax_reference=row.code,
                exemption_type=row.exemption,
                exemption_reason=row.reason,
            )
            for row in entry.breakdown
        ],
        subtotal=-entry.subtotal,
        discount=-entry.discount,
        tax_amount=-entry.tax_amount,
        total=-entry.total,
        credited_amount_cents=entry.credited,
        refunded_amount_cents=entry.refunded,
        written_off_amount_cents=entry.written_off,
        refund_failure=entry.failure,
        reason=entry.reason,
        memo=entry.memo,
        custom_properties=entry.custom_properties,
        finalized_at=entry.finalized_at,
        voided_at=entry.voided_at,
        created_at=entry.created_at,
        updated_at=entry.updated_at,
    )


def _line(line: CreditNoteLineEntry, currency: str) -> CreditNoteLine:
    """A line: its unit price is the average over the quantity that is shown."""
    quantity: Decimal | None = line.quantity or None
    return CreditNoteLine(
        id=str(line.id),
        invoice_line_item_id=str(line.invoice_line_id),
        name=line.name,
        description=describe(line.computation),
        product_id=line.product_id,
        start_date=line.start_date,
        end_date=line.end_date,
        quantity=line.quantity,
        unit_price=None
        if quantity is None
        else average(line.amount, Fraction(quantity), currency),
        quoted_unit_price=None,
        amount=-line.amount,
        discount=-line.discount,
        tax=-line.tax,
        tax_rate=line.tax_rate,
        amount_total=-line.amount_total,
        sub_line_items=[],
    )
