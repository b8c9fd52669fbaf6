"""Invoices as they are read; they are written by `invoice_writes`."""

from collections.abc import Sequence
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.list_counts import length_of
from tallystick.db.paging import Length, Matching, Page, Window, fetch_page
from tallystick.domain.billing_entries import InvoiceEntry

ORDERS = {
    "invoice_number": "invoice.number",
    "customer_name": "invoice.customer_sort_name",
    "amount": "invoice.total",
    "invoice_date": "invoice.invoice_date",
    "status": "invoice.status",
    "payment_status": "invoice.payment_status",
}

_LINES = """
    select json_agg(json_build_object('id', line.id, 'product_id', line.product_id,
        'name', line.name, 'start_date', line.start_date, 'end_date', line.end_date,
        'quantity', line.quantity::text, 'unit_price', line.unit_price::text,
        'quoted_unit_price', line.quoted_unit_price::text, 'amount', line.amount,
        'discount', line.discount, 'tax', line.tax, 'amount_total', line.amount_total,
        'tax_rate', line.tax_rate::text,
        'computation', line.computation -> 'computation', 'usage', line.computation -> 'usage',
        'before', line.computation -> 'before') order by line.position)
    from invoice_lines line
    where line.tenant_id = invoice.tenant_id and line.invoice_id = invoice.id
"""

_TRANSACTIONS = """
    select json_agg(json_build_object('id', payment.id, 'payment_type', payment.payment_type,
        'status', payment.status, 'reference', payment.reference, 'amount', payment.amount,
        'currency', payment.currency, 'payment_method_id', payment.payment_method_id,
        'method', payment.method, 'failure', payment.error ->> 'reason',
        'parent_id', payment.parent_id, 'credit_note_id', payment.credit_note_id,
        'refund_mode', payment.refund_mode, 'refunded', coalesce((
            select sum(refund.amount) from transactions refund
            where refund.tenant_id = payment.tenant_id and refund.parent_id = payment.id
              and refund.status = 'SETTLED'), 0),
        'reversed', coalesce(taken.amount, 0), 'reversal_kind', taken.kind,
        'reversal_reason', taken.reason,
        'created_at', payment.created_at, 'processed_at', payment.processed_at)
        order by payment.created_at, payment.id)
    from transactions payment
    left join lateral (
        select sum(reversal.stands) as amount,
               (array_agg(reversal.kind order by reversal.id desc)
                    filter (where reversal.stands > 0))[1] as kind,
               (array_agg(reversal.reason order by reversal.id desc)
                    filter (where reversal.stands > 0))[1] as reason
        from (select *, amount - returned as stands from reversals) reversal
        where reversal.tenant_id = payment.tenant_id and reversal.payment_id = payment.id)
        taken on true
    where payment.tenant_id = invoice.tenant_id and payment.invoice_id = invoice.id
"""

_ENTRY_JSON = f"""
    json_build_object('id', invoice.id, 'customer_id', invoice.customer_id,
        'subscription_id', invoice.subscription_id,
        'invoicing_entity_id', invoice.invoicing_entity_id,
        'invoice_type', invoice.invoice_type, 'status', invoice.status,
        'payment_status', invoice.payment_status, 'number', invoice.invoice_number,
        'invoice_date', invoice.invoice_date, 'due_date', invoice.due_date,
        'billing_period_start', invoice.billing_period_start,
        'billing_period_end', invoice.billing_period_end, 'net_terms', invoice.net_terms,
        'currency', invoice.currency, 'tax_inclusive', invoice.tax_inclusive,
        'subtotal', invoice.subtotal, 'subtotal_recurring', invoice.subtotal_recurring,
        'discount', invoice.discount, 'tax_amount', invoice.tax_amount,
        'total', invoice.total, 'applied_balance', invoice.applied_balance,
        'written_off', invoice.written_off, 'write_off_reason', invoice.write_off_reason,
        'cancelled', invoice.cancelled, 'settled', invoice.settled,
        'reversed', invoice.reversed, 'spare', invoice.spare, 'lost', invoice.lost,
        'amount_due', invoice.amount_due,
        'coupons', invoice.coupons, 'breakdown', invoice.tax_breakdown,
        'customer', invoice.customer_details, 'seller', invoice.seller_details,
        'memo', invoice.memo, 'purchase_order', invoice.purchase_order,
        'custom_properties', invoice.custom_properties,
        'lines', coalesce(({_LINES}), '[]'),
        'transactions', coalesce(({_TRANSACTIONS}), '[]'),
        'consolidated_into_invoice_id', invoice.consolidated_into_invoice_id,
        'finalized_at', invoice.finalized_at, 'paid_at', invoice.paid_at,
        'voided_at', invoice.voided_at,
        'marked_as_uncollectible_at', invoice.marked_as_uncollectible_at,
        'created_at', invoice.created_at,
        'updated_at', invoice.updated_at)
"""

_JOINS = {
    "customer": """
        join customers customer
            on customer.tenant_id = invoice.tenant_id and customer.id = invoice.customer_id
    """
}

_HAS_LINES = """
    exists (select from invoice_lines line
        where line.tenant_id = invoice.tenant_id and line.invoice_id = invoice.id offset 0)
"""
"""With an offset, though of nothing, it is asked of each draft that is met: the lines of all
invoices are not gathered first.
"""

_LISTED = f"invoice.status <> 'DRAFT' or invoice.finalize_at is null or {_HAS_LINES}"
"""Without lines there is no invoice."""

_LINELESS = f"""
    invoice.status = 'DRAFT' and invoice.finalize_at is not null
    and invoice.subtotal = 0 and invoice.total = 0 and not {_HAS_LINES}
"""
"""Drafts that bill nothing yet; a line of nothing keeps its draft in the list."""

_entry: Codec[InvoiceEntry] = Codec(InvoiceEntry)
_entries: Codec[tuple[InvoiceEntry, ...]] = Codec(tuple[InvoiceEntry, ...])


async def load(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> InvoiceEntry | None:
    """The invoice with its lines and payments, or None where this tenant has none."""
    text = await tx.fetchval(
        f"""
        select {_ENTRY_JSON} from invoices invoice
        where invoice.tenant_id = $1 and invoice.id = $2
        """,
        tenant_id,
        invoice_id,
    )
    return _entry.load_optional(text)


async def page(
    tx: Tx,
    tenant_id: UUID,
    window: Window,
    *,
    customer: UUID | str | None = None,
    subscription_id: UUID | None = None,
    statuses: Sequence[str] = (),
) -> Page[InvoiceEntry]:
    """The window's invoices; `customer` is an id, or the alias of an unarchived one.

    No statuses mean all of them. Without lines there is no invoice: a draft that bills nothing
    yet, and goes by itself if nothing comes, is left out.
    """
    of_one = customer is not None or subscription_id is not None
    matching = Matching(tenant_id, "invoice")
    if isinstance(customer, UUID):
        matching.only("invoice.customer_id = {}", customer)
    else:
        matching.only("customer.alias = {} and customer.archived_at is null", customer)
    matching.only("invoice.subscription_id = {}", subscription_id)
    matching.only("invoice.status = any({})", list(statuses) or None)
    length = _length_of_one(matching) if of_one else _length(tenant_id, statuses)
    matching.always(_LISTED)
    return await fetch_page(
        tx,
        _entries,
        item=_ENTRY_JSON,
        tables="invoices invoice",
        joins=_JOINS,
        matching=matching,
        orders=ORDERS,
        window=window,
        length=length,
        is_narrow=of_one and window.order != "invoice_date",
    )


def _length(tenant_id: UUID, statuses: Sequence[str]) -> Length:
    """How many invoices are listed; drafts without lines are not."""
    every = length_of(tenant_id, "invoices", list(statuses) or None)
    if statuses and "DRAFT" not in statuses:
        return every
    left_out = f"select count(*) from invoices invoice where tenant_id = $1 and {_LINELESS}"
    return Length(sql=f"select ({every.sql}) - ({left_out})", values=every.values)


def _length_of_one(matching: Matching) -> Length:
    """The same of one customer or subscription: what an index holds alone, less those drafts.

    What the conditions come to is counted before lines are asked for.
    """
    joined = [join for alias, join in _JOINS.items() if f"{alias}." in matching.sql]
    counted = f"select count(*) from invoices invoice {' '.join(joined)} where {matching.sql}"
    return Length(
        sql=f"select ({counted}) - ({counted} and {_LINELESS})", values=tuple(matching.values)
    )
