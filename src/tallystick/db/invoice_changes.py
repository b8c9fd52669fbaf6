"""What a person may do to an invoice: locked, voided, paid by money that came another way."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db import balances
from tallystick.db.engine import Tx
from tallystick.db.invoice_locks import lock_customer_of
from tallystick.domain.invoice import InvoiceStatus, PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedInvoice:
    """An invoice that nobody else changes now; amounts in minor units of `currency`.

    `returned_balance` is what credit notes gave back of the balance that it applied, and
    `returned_payments` of what was paid; `reversed` is what it does not keep of `settled`;
    `is_collected` says that a try to collect it is under way. `consolidated_into` is the
    invoice that carries its lines.
    """

    id: UUID
    customer_id: UUID
    status: InvoiceStatus
    payment_status: PaymentStatus
    currency: str
    applied_balance: int
    returned_balance: int
    returned_payments: int
    settled: int
    reversed: int
    amount_due: int
    is_collected: bool
    consolidated_into: UUID | None


async def lock(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> LockedInvoice | None:
    """Lock the customer, then the invoice; None where this tenant has none of that id."""
    await lock_customer_of(tx, tenant_id, invoice_id)
    row = await tx.fetchrow(
        """
        select i.id, i.customer_id, i.status, i.payment_status, i.currency, i.applied_balance,
               i.settled, i.reversed, i.amount_due, i.consolidated_into_invoice_id,
               given.from_balance as returned_balance,
               given.from_payments as returned_payments,
               exists (select from collections c
                       where c.tenant_id = i.tenant_id and c.invoice_id = i.id
                         and c.state = 'LIVE') as is_collected
        from invoices i
        cross join lateral (
            select coalesce(sum(n.from_balance), 0)::bigint as from_balance,
                   coalesce(sum(n.from_payments), 0)::bigint as from_payments
            from credit_notes n
            where n.tenant_id = i.tenant_id and n.invoice_id = i.id
              and n.status <> 'VOIDED') given
        where i.tenant_id = $1 and i.id = $2 for no key update of i
        """,
        tenant_id,
        invoice_id,
    )
    if row is None:
        return None
    return LockedInvoice(
        id=row["id"],
        customer_id=row["customer_id"],
        status=InvoiceStatus(row["status"]),
        payment_status=PaymentStatus(row["payment_status"]),
        currency=row["currency"],
        applied_balance=row["applied_balance"],
        returned_balance=row["returned_balance"],
        returned_payments=row["returned_payments"],
        settled=row["settled"],
        reversed=row["reversed"],
        amount_due=row["amount_due"],
        is_collected=row["is_collected"],
        consolidated_into=row["consolidated_into_invoice_id"],
    )


async def void(
    tx: Tx, tenant_id: UUID, invoice: LockedInvoice, entry_id: UUID, now: datetime
) -> None:
    """Void a locked invoice: nothing is due, and the balance that it used is given back.

    What a credit note gave back of it before is not given a second time.
    """
    used = invoice.applied_balance - invoice.returned_balance
    if used:
        await balances.move(
            tx,
            tenant_id,
            entry_id=entry_id,
            invoice_id=invoice.id,
            customer_id=invoice.customer_id,
            currency=invoice.currency,
            amount=used,
            reason="VOID",
            at=now,
        )
    await tx.execute(
        """
        update invoices
        set status = 'VOID', voided_at = $3, updated_at = $3, applied_balance = 0,
            amount_due = 0, collect_at = null, awaits_person = false
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        invoice.id,
        now,
    )


async def insert_payment(
    tx: Tx,
    tenant_id: UUID,
    invoice: LockedInvoice,
    *,
    transaction_id: UUID,
    amount: int,
    reference: str,
    paid_at: datetime,
) -> None:
    """Money that came another way; `reference` is what a person knows it by."""
    await tx.execute(
        """
        insert into transactions (tenant_id, id, invoice_id, customer_id, payment_type, status,
            provider, reference, amount, currency, created_at, processed_at)
        values ($1, $2, $3, $4, 'PAYMENT', 'SETTLED', 'manual', $5, $6, $7, $8, $8)
        """,
        tenant_id,
        transaction_id,
        invoice.id,
        invoice.customer_id,
        reference,
        amount,
        invoice.currency,
        paid_at,
    )


async def cancel_debt(
    tx: Tx, tenant_id: UUID, invoice_id: UUID, amount: int, now: datetime
) -> bool:
    """Part of what is due need not be paid. True when nothing is due any more: it is PAID."""
    paid: bool = await tx.fetchval(
        """
        update invoices
        set cancelled = cancelled + $3, amount_due = amount_due - $3, updated_at = $4,
            collect_at = case when amount_due > $3 then collect_at end,
            payment_status = case when amount_due = $3 then 'PAID' else payment_status end,
            paid_at = case when amount_due = $3 then $4::timestamptz end,
            status = case when status = 'UNCOLLECTIBLE' and amount_due = $3 then 'FINALIZED'
                          else status end,
            awaits_person = awaits_person and amount_due > $3
        where tenant_id = $1 and id = $2
        returning amount_due = 0
        """,
        tenant_id,
        invoice_id,
        amount,
        now,
    )
    return paid


async def restore_debt(
    tx: Tx, tenant_id: UUID, invoice_id: UUID, amount: int, now: datetime
) -> None:
    """What was cancelled is due again; it waits for its buyer, or for a person."""
    await tx.execute(
        """
        update invoices
        set cancelled = cancelled - $3, amount_due = amount_due + $3, updated_at = $4,
            payment_status = case when payment_status <> 'PAID' then payment_status
                                  when settled > reversed then 'PARTIALLY_PAID'
                                  else 'UNPAID' end,
            paid_at = null
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        invoice_id,
        amount,
        now,
    )


async def save_properties(
    tx: Tx, tenant_id: UUID, invoice_id: UUID, values: str, now: datetime
) -> None:
    """Replace the custom properties of an invoice; `values` is JSON text."""
    await tx.execute(
        """
        update invoices set custom_properties = $3, updated_at = $4
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        invoice_id,
        values,
        now,
    )
