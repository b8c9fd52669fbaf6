"""What is kept of an invoice and of how each of its lines came about, for its explanation."""

from dataclasses import replace
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.domain.explain_invoice import KeptInvoice

_KEPT: Codec[KeptInvoice] = Codec(KeptInvoice)

_LINES = """
    select json_agg(json_build_object('id', line.id, 'item_id', line.item_id,
        'product_id', line.product_id, 'name', line.name, 'start_date', line.start_date,
        'end_date', line.end_date, 'amount', line.amount, 'discount', line.discount,
        'tax', line.tax, 'amount_total', line.amount_total, 'taxes', line.taxes,
        'explanation', line.computation) order by line.position)
    from invoice_lines line
    where line.tenant_id = invoice.tenant_id and line.invoice_id = invoice.id
"""

_COUPONS = """
    select json_agg(json_build_object('applied', coupon.applied, 'terms', (
        select redemption.terms from coupon_redemptions redemption
        where redemption.tenant_id = invoice.tenant_id
          and redemption.subscription_id = invoice.subscription_id
          and redemption.coupon_id = (coupon.applied ->> 'coupon_id')::uuid
        order by redemption.created_at desc, redemption.id desc limit 1),
        'may_have_given', exists (
            select from invoices other
            where other.tenant_id = invoice.tenant_id
              and other.subscription_id = invoice.subscription_id
              and other.invoice_type = 'USAGE_THRESHOLD'))
        order by coupon.position)
    from jsonb_array_elements(invoice.coupons) with ordinality as coupon (applied, position)
"""


_MEMBERS = """
    select id from invoices
    where tenant_id = $1 and consolidated_into_invoice_id = $2
    order by created_at, id
"""


async def load(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> KeptInvoice | None:
    """What is kept of the invoice, its members' too, or None where this tenant has none."""
    kept = await _load_one(tx, tenant_id, invoice_id)
    if kept is None:
        return None
    rows = await tx.fetch(_MEMBERS, tenant_id, invoice_id)
    members = [await _load_one(tx, tenant_id, row["id"]) for row in rows]
    return replace(kept, members=tuple(one for one in members if one is not None))


async def _load_one(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> KeptInvoice | None:
    text = await tx.fetchval(
        f"""
        select json_build_object('id', invoice.id, 'number', invoice.invoice_number,
            'status', invoice.status, 'invoice_date', invoice.invoice_date,
            'currency', invoice.currency, 'tax_inclusive', invoice.tax_inclusive,
            'customer_name', invoice.customer_details ->> 'name',
            'lines', coalesce(({_LINES}), '[]'), 'coupons', coalesce(({_COUPONS}), '[]'),
            'breakdown', invoice.tax_breakdown, 'subtotal', invoice.subtotal,
            'discount', invoice.discount, 'tax_amount', invoice.tax_amount,
            'total', invoice.total, 'applied_balance', invoice.applied_balance,
            'written_off', invoice.written_off, 'settled', invoice.settled,
            'cancelled', invoice.cancelled, 'reversed', invoice.reversed,
            'spare', invoice.spare, 'amount_due', invoice.amount_due)
        from invoices invoice where invoice.tenant_id = $1 and invoice.id = $2
        """,
        tenant_id,
        invoice_id,
    )
    return _KEPT.load_optional(text)


async def owner_of(tx: Tx, invoice_id: UUID) -> UUID | None:
    """The tenant whose invoice this is, or None where nobody has it."""
    found: UUID | None = await tx.fetchval(
        "select tenant_id from invoices where id = $1", invoice_id
    )
    return found
