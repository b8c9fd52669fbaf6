"""Writing a credit note: its lines first, then itself; its number from a locked counter."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.one_row import hits_one_row
from tallystick.domain.bill import TaxBreakdown
from tallystick.domain.credit_note import (
    CreditableInvoice,
    CreditNote,
    CreditNoteStatus,
    CreditType,
)
from tallystick.domain.tax import TaxAmount

TAXES: Codec[tuple[TaxAmount, ...]] = Codec(tuple[TaxAmount, ...])
BREAKDOWN: Codec[tuple[TaxBreakdown, ...]] = Codec(tuple[TaxBreakdown, ...])

_INSERT = """
    insert into credit_notes (tenant_id, id, invoice_id, customer_id, invoicing_entity_id,
        credit_type, status, number, credit_note_number, currency, subtotal, discount,
        tax_amount, total, from_balance, from_payments, tax_breakdown, reason, memo,
        created_at, finalized_at, updated_at, from_write_off)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19, $20, case when $8::bigint is not null then $20::timestamptz end, $20, $21)
"""

_INSERT_LINE = """
    insert into credit_note_lines (tenant_id, id, credit_note_id, invoice_line_id, position,
        quantity, amount, discount, tax, amount_total, taxes)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenNote:
    """A note as it is written: its ids, and what a person says about it.

    `number` and its text are None while its refund is under way.
    """

    id: UUID
    line_ids: tuple[UUID, ...]
    note: CreditNote
    reason: str | None
    memo: str | None
    number: int | None
    number_text: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingNote:
    """A locked note, as far as it can change; `credited` is what it gives to the balance."""

    id: UUID
    invoice_id: UUID
    customer_id: UUID
    invoicing_entity_id: UUID
    type: CreditType
    status: CreditNoteStatus
    currency: str
    total: int
    credited: int


async def insert(
    tx: Tx, tenant_id: UUID, invoice: CreditableInvoice, written: WrittenNote
) -> None:
    """Insert a note with its lines: final with a number, else a draft."""
    note = written.note
    await tx.executemany(
        _INSERT_LINE,
        [
            (
                tenant_id,
                line_id,
                written.id,
                one.line.id,
                position,
                one.share.quantity,
                one.share.amount,
                one.share.discount,
                one.share.tax,
                one.share.total,
                TAXES.dump(one.taxes),
            )
            for position, (line_id, one) in enumerate(
                zip(written.line_ids, note.lines, strict=True)
            )
        ],
    )
    await tx.execute(
        _INSERT,
        tenant_id,
        written.id,
        invoice.id,
        invoice.customer_id,
        invoice.invoicing_entity_id,
        note.type.value,
        CreditNoteStatus.DRAFT if written.number is None else CreditNoteStatus.FINALIZED,
        written.number,
        written.number_text,
        note.currency,
        note.subtotal,
        note.discount,
        note.tax_amount,
        note.total,
        note.from_balance,
        note.from_payments,
        BREAKDOWN.dump(note.breakdown),
        written.reason,
        written.memo,
        written.created_at,
        note.from_write_off,
    )


async def invoice_of(tx: Tx, tenant_id: UUID, note_id: UUID) -> UUID | None:
    """The invoice that a note credits; None where this tenant has no such note."""
    found: UUID | None = await tx.fetchval(
        "select invoice_id from credit_notes where tenant_id = $1 and id = $2",
        tenant_id,
        note_id,
    )
    return found


async def lock(tx: Tx, tenant_id: UUID, note_id: UUID) -> StandingNote | None:
    """A note, whose invoice the caller has locked."""
    row = await tx.fetchrow(
        """
        select id, invoice_id, customer_id, invoicing_entity_id, credit_type, status, currency,
               total, case credit_type
                   when 'CREDIT_TO_BALANCE' then from_balance + from_payments
                   when 'REFUND' then from_balance else 0 end as credited
        from credit_notes where tenant_id = $1 and id = $2 for no key update
        """,
        tenant_id,
        note_id,
    )
    if row is None:
        return None
    fields = dict(row)
    return StandingNote(
        type=CreditType(fields.pop("credit_type")),
        status=CreditNoteStatus(fields.pop("status")),
        **fields,
    )


async def finalize(
    tx: Tx, tenant_id: UUID, note_id: UUID, number: int, text: str, at: datetime
) -> None:
    """The refund of a draft went out: it gets its number."""
    done = await tx.execute(
        """
        update credit_notes
        set status = 'FINALIZED', number = $3, credit_note_number = $4, finalized_at = $5,
            updated_at = $5
        where tenant_id = $1 and id = $2 and status = 'DRAFT'
        """,
        tenant_id,
        note_id,
        number,
        text,
        at,
    )
    hits_one_row(done, "the draft of a refund")


async def void(tx: Tx, tenant_id: UUID, note_id: UUID, at: datetime) -> None:
    """A note does not count any more; a number that it has stays its own."""
    done = await tx.execute(
        """
        update credit_notes set status = 'VOIDED', voided_at = $3, updated_at = $3
        where tenant_id = $1 and id = $2 and status <> 'VOIDED'
        """,
        tenant_id,
        note_id,
        at,
    )
    hits_one_row(done, "the note that is voided")


async def save_properties(
    tx: Tx, tenant_id: UUID, note_id: UUID, values: str, at: datetime
) -> None:
    """Replace the custom properties of a note; `values` is JSON text."""
    await tx.execute(
        """
        update credit_notes set custom_properties = $3, updated_at = $4
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        note_id,
        values,
        at,
    )
