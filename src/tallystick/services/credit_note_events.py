"""What merchants are told of credit notes and of the refunds behind them."""

from collections.abc import Sequence
from uuid import UUID

from tallystick.db import credit_notes
from tallystick.domain.credit_note_entry import CreditNoteEntry, CreditNoteLineEntry
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.refund import RefundOrder, RefundState
from tallystick.services.context import Context
from tallystick.services.events import EventValue, Told, record_many

_TRANSACTION_STATUS = {
    RefundState.LIVE: "PENDING",
    RefundState.SUCCEEDED: "SETTLED",
    RefundState.FAILED: "FAILED",
}


async def tell(
    ctx: Context,
    note: CreditNoteEntry,
    happened: Sequence[str],
    refund: tuple[str, RefundOrder] | None = None,
) -> None:
    """Write the events of a note, then that of its refund, in the context's transaction."""
    told: list[Told] = [(name, note.id, note_body(note)) for name in happened]
    if refund is not None:
        name, order = refund
        told.append((name, order.id, refund_body(note, order)))
    await record_many(ctx, told)


async def loaded(ctx: Context, note_id: UUID) -> CreditNoteEntry:
    """A note that was just written."""
    entry = await credit_notes.load(ctx.transaction, ctx.tenant.id, note_id)
    assert entry is not None, "it was just written"
    return entry


def note_body(note: CreditNoteEntry) -> dict[str, EventValue]:
    """A note as its events tell it: amounts below zero, for they are taken back."""
    return {
        "credit_note_id": encode(Prefix.CREDIT_NOTE, note.id),
        "credit_note_number": note.number,
        "invoice_id": encode(Prefix.INVOICE, note.invoice_id),
        "invoice_number": note.invoice_number,
        "customer_id": encode(Prefix.CUSTOMER, note.customer_id),
        "currency": note.currency,
        "status": note.status,
        "subtotal": -note.subtotal,
        "tax_amount": -note.tax_amount,
        "total": -note.total,
        "credited_amount_cents": note.credited,
        "refunded_amount_cents": note.refunded,
        "written_off_amount_cents": note.written_off,
        "line_items": [_line(line) for line in note.lines],
        "tax_breakdown": [
            {
                "name": row.name,
                "tax_rate": row.rate,
                "taxable_amount": -row.taxable,
                "tax_amount": -row.tax,
                "tax_reference": row.code,
                "exemption_type": row.exemption,
                "exemption_reason": row.reason,
            }
            for row in note.breakdown
        ],
        "reason": note.reason,
        "memo": note.memo,
        "custom_properties": note.custom_properties,
        "created_at": note.created_at,
    }


def refund_body(note: CreditNoteEntry, refund: RefundOrder) -> dict[str, EventValue]:
    """A refund as its events tell it."""
    assert refund.payment_id is not None, "a note's refund is of a payment"
    return {
        "transaction_id": encode(Prefix.TRANSACTION, refund.id),
        "parent_transaction_id": encode(Prefix.TRANSACTION, refund.payment_id),
        "credit_note_id": encode(Prefix.CREDIT_NOTE, note.id),
        "invoice_id": encode(Prefix.INVOICE, note.invoice_id),
        "customer_id": encode(Prefix.CUSTOMER, note.customer_id),
        "payment_type": "REFUND",
        "status": _TRANSACTION_STATUS[refund.state],
        "amount": refund.amount,
        "amount_refunded": 0,
        "amount_reversed": 0,
        "currency": refund.currency,
        "error": refund.failure,
        "provider_transaction_id": refund.reference,
    }


def _line(line: CreditNoteLineEntry) -> dict[str, EventValue]:
    return {
        "name": line.name,
        "start_date": line.start_date,
        "end_date": line.end_date,
        "quantity": line.quantity,
        "amount_total": -line.amount_total,
        "tax_rate": line.tax_rate,
        "sub_line_items": [],
    }
