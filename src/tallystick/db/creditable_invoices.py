"""What decides about a credit note: a locked invoice, its lines, and what was done before."""

from collections import defaultdict
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Row, Tx
from tallystick.db.invoice_locks import lock_customer_of
from tallystick.domain.charges import Computation
from tallystick.domain.credit_note import CreditableInvoice, RefundablePayment
from tallystick.domain.credited_line import BilledLine, Share
from tallystick.domain.invoice import InvoiceStatus, PaymentStatus
from tallystick.domain.tax import TaxAmount, TaxDecision

TAXES: Codec[tuple[TaxAmount, ...]] = Codec(tuple[TaxAmount, ...])
DECISION: Codec[TaxDecision] = Codec(TaxDecision)
_COMPUTATION: Codec[Computation] = Codec(Computation)

_LOCK = """
    select i.id, i.customer_id, i.subscription_id, i.invoicing_entity_id, i.invoice_number,
           i.status, i.payment_status, i.currency, i.total, i.applied_balance, i.settled,
           i.reversed, i.written_off, i.amount_due, coalesce((
               select sum(t.amount) from transactions t
               where t.tenant_id = i.tenant_id and t.invoice_id = i.id
                 and t.payment_type = 'PAYMENT' and t.status = 'PENDING'), 0)::bigint
               as promised,
           (select s.plan_version_id from subscriptions s
            where s.tenant_id = i.tenant_id and s.id = i.subscription_id) as plan_version_id,
           exists (select from collections c
                   where c.tenant_id = i.tenant_id and c.invoice_id = i.id
                     and c.state = 'LIVE') as is_collected
    from invoices i where i.tenant_id = $1 and i.id = $2 for no key update of i
"""

_EARLIER = """
    select coalesce(sum(total), 0)::bigint as credited,
           coalesce(sum(from_balance), 0)::bigint as from_balance,
           coalesce(sum(from_payments), 0)::bigint as from_payments,
           coalesce(sum(from_write_off), 0)::bigint as from_write_off
    from credit_notes where tenant_id = $1 and invoice_id = $2 and status <> 'VOIDED'
"""

_LINES = """
    select id, name, product_id, start_date, end_date, quantity, amount, discount, taxes,
           tax_rate, computation -> 'decision' as decision,
           computation -> 'computation' as computation
    from invoice_lines where tenant_id = $1 and invoice_id = $2 order by position
"""

_SHARES = """
    select c.invoice_line_id, c.quantity, c.amount, c.discount, c.taxes
    from credit_notes n
    join credit_note_lines c on c.tenant_id = n.tenant_id and c.credit_note_id = n.id
    where n.tenant_id = $1 and n.invoice_id = $2 and n.status <> 'VOIDED'
"""

_PAYMENTS = """
    select t.id, t.provider, t.reference, t.amount, coalesce((
               select sum(r.amount) from refunds r
               where r.tenant_id = t.tenant_id and r.payment_id = t.id
                 and r.state <> 'FAILED'), 0)::bigint as refunded, coalesce((
               select sum(v.amount - v.returned + v.to_balance - v.from_balance)
               from reversals v
               where v.tenant_id = t.tenant_id and v.payment_id = t.id), 0)::bigint as reversed
    from transactions t
    where t.tenant_id = $1 and t.invoice_id = $2 and t.payment_type = 'PAYMENT'
      and t.status = 'SETTLED'
    order by t.created_at desc, t.id desc
"""


async def lock(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> CreditableInvoice | None:
    """Lock the customer, then the invoice; None where this tenant has none of that id."""
    await lock_customer_of(tx, tenant_id, invoice_id)
    found = await tx.fetchrow(_LOCK, tenant_id, invoice_id)
    if found is None:
        return None
    earlier = await tx.fetchrow(_EARLIER, tenant_id, invoice_id)
    assert earlier is not None, "a sum gives one row"
    shares = defaultdict(list)
    for row in await tx.fetch(_SHARES, tenant_id, invoice_id):
        shares[row["invoice_line_id"]].append(_share(row))
    lines = await tx.fetch(_LINES, tenant_id, invoice_id)
    payments = await tx.fetch(_PAYMENTS, tenant_id, invoice_id)
    return CreditableInvoice(
        id=found["id"],
        customer_id=found["customer_id"],
        subscription_id=found["subscription_id"],
        plan_version_id=found["plan_version_id"],
        invoicing_entity_id=found["invoicing_entity_id"],
        number=found["invoice_number"],
        status=InvoiceStatus(found["status"]),
        payment_status=PaymentStatus(found["payment_status"]),
        currency=found["currency"],
        total=found["total"],
        applied_balance=found["applied_balance"],
        settled=found["settled"],
        reversed=found["reversed"],
        promised=found["promised"],
        amount_due=found["amount_due"],
        is_collected=found["is_collected"],
        credited=earlier["credited"],
        from_balance=earlier["from_balance"],
        from_payments=earlier["from_payments"],
        lines=tuple(_line(row, tuple(shares[row["id"]])) for row in lines),
        payments=tuple(RefundablePayment(**dict(row)) for row in payments),
        written_off=found["written_off"],
        from_write_off=earlier["from_write_off"],
    )


async def invoice_of_payment(tx: Tx, tenant_id: UUID, payment_id: UUID) -> UUID | None:
    """The invoice that a payment is for; None where this tenant has no such payment."""
    found: UUID | None = await tx.fetchval(
        """
        select invoice_id from transactions
        where tenant_id = $1 and id = $2 and payment_type = 'PAYMENT'
        """,
        tenant_id,
        payment_id,
    )
    return found


def _line(row: Row, credited: tuple[Share, ...]) -> BilledLine:
    return BilledLine(
        id=row["id"],
        name=row["name"],
        product_id=row["product_id"],
        start_date=row["start_date"],
        end_date=row["end_date"],
        quantity=row["quantity"],
        amount=row["amount"],
        discount=row["discount"],
        taxes=TAXES.load(row["taxes"]),
        tax_rate=row["tax_rate"],
        decision=DECISION.load(row["decision"]),
        credited=credited,
        computation=_COMPUTATION.load_optional(row["computation"]),
    )


def _share(row: Row) -> Share:
    return Share(
        amount=row["amount"],
        discount=row["discount"],
        taxes=tuple(tax.amount for tax in TAXES.load(row["taxes"])),
        quantity=row["quantity"],
    )
