"""Reversals: money that a provider took back of a payment, and what it does to the invoice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.domain.reversal import (
    ReportedReversal,
    Reversal,
    ReversalKind,
    ReversalStep,
    ReversiblePayment,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPayment:
    """The payment that a provider's reference names, and by which name that was asked."""

    id: UUID
    provider: str
    invoice_id: UUID
    customer_id: UUID
    currency: str
    status: str


async def find_payment(
    tx: Tx, tenant_id: UUID, names: Sequence[str], reference: str
) -> NamedPayment | None:
    """The payment behind a reference of a provider's, by any of its names; nothing locked."""
    row = await tx.fetchrow(
        """
        select id, provider, invoice_id, customer_id, currency, status from transactions
        where tenant_id = $1 and provider = any($2) and reference = $3
          and payment_type = 'PAYMENT'
        """,
        tenant_id,
        names,
        reference,
    )
    return None if row is None else NamedPayment(**dict(row))


async def settled_payment(
    tx: Tx, tenant_id: UUID, payment_id: UUID
) -> ReversiblePayment | None:
    """A settled payment with its invoice, which the caller has locked; None if not settled.

    Not yet with what the customer's balance has of it.
    """
    row = await tx.fetchrow(
        """
        select t.id, t.amount, taken.back as taken_back, taken.spare,
               case when i.status = 'VOID' then i.reversed - i.settled else i.amount_due end
                   as amount_due,
               (coalesce((select sum(c.amount) from collections c
                          where c.tenant_id = i.tenant_id and c.invoice_id = i.id
                            and c.state = 'LIVE'), 0)
                + coalesce((select sum(p.amount) from transactions p
                            where p.tenant_id = i.tenant_id and p.invoice_id = i.id
                              and p.payment_type = 'PAYMENT'
                              and p.status = 'PENDING'), 0))::bigint as under_way
        from transactions t
        join invoices i on i.tenant_id = t.tenant_id and i.id = t.invoice_id
        cross join lateral (
            select coalesce(sum(r.amount - r.returned), 0)::bigint as back,
                   coalesce(sum(r.to_balance - r.from_balance), 0)::bigint as spare
            from reversals r where r.tenant_id = t.tenant_id and r.payment_id = t.id) taken
        where t.tenant_id = $1 and t.id = $2 and t.status = 'SETTLED'
        """,
        tenant_id,
        payment_id,
    )
    return None if row is None else ReversiblePayment(**dict(row))


async def find(
    tx: Tx, tenant_id: UUID, provider: str, provider_reversal_id: str
) -> Reversal | None:
    """What is known of a reversal by its provider's id."""
    row = await tx.fetchrow(
        """
        select payment_id, kind, amount, returned, to_balance from reversals
        where tenant_id = $1 and provider = $2 and provider_reversal_id = $3
        """,
        tenant_id,
        provider,
        provider_reversal_id,
    )
    if row is None:
        return None
    fields = dict(row)
    return Reversal(kind=ReversalKind(fields.pop("kind")), **fields)


async def keep(
    tx: Tx,
    tenant_id: UUID,
    reversal_id: UUID,
    payment: NamedPayment,
    reported: ReportedReversal,
    step: ReversalStep,
    now: datetime,
) -> None:
    """Write a reversal, or what a later report says of it; `reversal_id` is a new one's."""
    await tx.execute(
        """
        insert into reversals as known (tenant_id, id, payment_id, invoice_id, provider,
            provider_reversal_id, kind, amount, returned, to_balance, from_balance, reason,
            created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $13, $11, $12, $12)
        on conflict (tenant_id, provider, provider_reversal_id) do update
        set kind = $7, amount = greatest(known.amount, $8), returned = known.returned + $9,
            to_balance = known.to_balance + $10, from_balance = known.from_balance + $13,
            updated_at = $12
        """,
        tenant_id,
        reversal_id,
        payment.id,
        payment.invoice_id,
        payment.provider,
        reported.id,
        step.kind.value,
        reported.amount,
        step.returned,
        step.to_balance,
        reported.reason,
        now,
        step.from_balance,
    )


async def pass_to_balance(
    tx: Tx, tenant_id: UUID, invoice_id: UUID, amount: int, now: datetime
) -> None:
    """Of what is reversed of a locked invoice, the balance has `amount` more, or less where
    it is below zero; the balance itself is moved by the caller.
    """
    await tx.execute(
        """
        update invoices set spare = spare + $3, updated_at = $4
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        invoice_id,
        amount,
        now,
    )


async def lose(tx: Tx, tenant_id: UUID, invoice_id: UUID, amount: int, now: datetime) -> None:
    """Of the payments of a locked invoice `amount` more is lost, or less below zero."""
    await tx.execute(
        """
        update invoices set lost = lost + $3, updated_at = $4
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        invoice_id,
        amount,
        now,
    )


async def owe_again(
    tx: Tx, tenant_id: UUID, invoice_id: UUID, amount: int, now: datetime
) -> bool:
    """A locked invoice owes `amount` more, or less where it is below zero.

    What it owes more waits for a person: nobody collects it before. True when it owes nothing
    now: it is PAID. Of a void one nothing is asked.
    """
    paid: bool = await tx.fetchval(
        """
        update invoices i
        set reversed = i.reversed + $3, amount_due = after.due, updated_at = $4,
            payment_status = case
                when i.status = 'VOID' then i.payment_status
                when after.due = 0 then 'PAID'
                when i.payment_status in ('PROCESSING', 'ERRORED') then i.payment_status
                when i.settled > i.reversed + $3 then 'PARTIALLY_PAID' else 'UNPAID' end,
            paid_at = case when after.due = 0 and i.status <> 'VOID' then $4::timestamptz end,
            status = case when i.status = 'UNCOLLECTIBLE' and after.due = 0 then 'FINALIZED'
                          else i.status end,
            awaits_person = (i.awaits_person or $3 > 0)
                and i.reversed + $3 > 0 and after.due > 0
        from (
            select case when status = 'VOID' then 0 else amount_due + $3 end as due
            from invoices where tenant_id = $1 and id = $2) after
        where i.tenant_id = $1 and i.id = $2
        returning i.status <> 'VOID' and i.amount_due = 0
        """,
        tenant_id,
        invoice_id,
        amount,
        now,
    )
    return paid
