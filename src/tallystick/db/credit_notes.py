"""Credit notes as they are read; they are written by `credit_note_writes`."""

from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.domain.credit_note_entry import CreditNoteEntry

ORDERS = {
    "created_at": "note.created_at",
    "credit_note_number": "note.number",
    "total": "note.total",
    "status": "note.status",
}

_LINES = """
    select json_agg(json_build_object('id', credit.id, 'invoice_line_id', line.id,
        'product_id', line.product_id, 'name', line.name, 'start_date', line.start_date,
        'end_date', line.end_date,
        'quantity', coalesce(credit.quantity, line.quantity)::text, 'amount', credit.amount,
        'discount', credit.discount, 'tax', credit.tax, 'amount_total', credit.amount_total,
        'tax_rate', line.tax_rate::text,
        'computation', line.computation -> 'computation') order by credit.position)
    from credit_note_lines credit
    join invoice_lines line
        on line.tenant_id = credit.tenant_id and line.id = credit.invoice_line_id
    where credit.tenant_id = note.tenant_id and credit.credit_note_id = note.id
"""

_ENTRY_JSON = f"""
    json_build_object('id', note.id, 'invoice_id', note.invoice_id,
        'invoice_number', invoice.invoice_number, 'customer_id', note.customer_id,
        'subscription_id', invoice.subscription_id,
        'plan_version_id', (
            select s.plan_version_id from subscriptions s
            where s.tenant_id = invoice.tenant_id and s.id = invoice.subscription_id),
        'type', note.credit_type, 'status', note.status, 'number', note.credit_note_number,
        'currency', note.currency, 'subtotal', note.subtotal, 'discount', note.discount,
        'tax_amount', note.tax_amount, 'total', note.total,
        'credited', case note.credit_type
                    when 'CREDIT_TO_BALANCE' then note.from_balance + note.from_payments
                    when 'REFUND' then note.from_balance else 0 end,
        'refunded', case note.credit_type when 'REFUND' then note.from_payments else 0 end,
        'written_off', note.from_write_off, 'breakdown', note.tax_breakdown,
        'lines', ({_LINES}), 'reason', note.reason,
        'memo', note.memo, 'custom_properties', note.custom_properties,
        'failure', (
            select r.failure from refunds r
            where r.tenant_id = note.tenant_id and r.credit_note_id = note.id),
        'created_at', note.created_at, 'finalized_at', note.finalized_at,
        'voided_at', note.voided_at, 'updated_at', note.updated_at)
"""

_TABLES = """
    credit_notes note
    join invoices invoice
        on invoice.tenant_id = note.tenant_id and invoice.id = note.invoice_id
"""

_entry: Codec[CreditNoteEntry] = Codec(CreditNoteEntry)
_entries: Codec[tuple[CreditNoteEntry, ...]] = Codec(tuple[CreditNoteEntry, ...])


async def load(tx: Tx, tenant_id: UUID, note_id: UUID) -> CreditNoteEntry | None:
    """The note with its lines, or None where this tenant has none."""
    text = await tx.fetchval(
        f"select {_ENTRY_JSON} from {_TABLES} where note.tenant_id = $1 and note.id = $2",
        tenant_id,
        note_id,
    )
    return _entry.load_optional(text)


async def page(
    tx: Tx,
    tenant_id: UUID,
    window: Window,
    *,
    customer: UUID | str | None = None,
    invoice_id: UUID | None = None,
    status: str | None = None,
    search: str | None = None,
) -> Page[CreditNoteEntry]:
    """The window's notes; `search` is looked for in their numbers, whatever its case."""
    matching = Matching(tenant_id, "note")
    if isinstance(customer, UUID):
        matching.only("note.customer_id = {}", customer)
    else:
        matching.only(
            "note.customer_id in (select c.id from customers c where c.tenant_id = $1"
            " and c.alias = {} and c.archived_at is null)",
            customer,
        )
    matching.only("note.invoice_id = {}", invoice_id)
    matching.only("note.status = {}", status)
    matching.only("position(lower({}) in lower(note.credit_note_number)) > 0", search)
    return await fetch_page(
        tx,
        _entries,
        item=_ENTRY_JSON,
        tables=_TABLES,
        matching=matching,
        orders=ORDERS,
        window=window,
    )
