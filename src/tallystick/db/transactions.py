"""Payment transactions: money that moved, or is on its way, for an invoice."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.domain.attempt import Attempt
from tallystick.domain.payment import FailureReason, Method

METHOD: Codec[Method] = Codec(Method)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPayment:
    """A payment that a provider accepted and has not settled yet."""

    id: UUID
    invoice_id: UUID
    customer_id: UUID
    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPayment:
    """A payment as it stands: under which reference its provider knows it."""

    invoice_id: UUID
    provider: str
    reference: str
    status: str


async def find(tx: Tx, tenant_id: UUID, payment_id: UUID) -> KnownPayment | None:
    """A payment by its id."""
    row = await tx.fetchrow(
        """
        select invoice_id, provider, reference, status from transactions
        where tenant_id = $1 and id = $2 and payment_type = 'PAYMENT'
        """,
        tenant_id,
        payment_id,
    )
    return None if row is None else KnownPayment(**dict(row))


async def insert_payment(tx: Tx, tenant_id: UUID, attempt: Attempt, *, pending: bool) -> None:
    """The payment of an attempt: settled, or pending until the provider says how it ended."""
    assert attempt.reference is not None, "what was paid was opened"
    await tx.execute(
        """
        insert into transactions (tenant_id, id, invoice_id, customer_id, attempt_id,
            payment_method_id, payment_type, status, provider, reference, amount, currency,
            method, created_at, processed_at)
        values ($1, $2, $3, $4, $5, $6, 'PAYMENT', $7, $8, $9, $10, $11, $12, $13, $14)
        """,
        tenant_id,
        attempt.transaction_id,
        attempt.invoice_id,
        attempt.customer_id,
        attempt.id,
        attempt.payment_method_id,
        "PENDING" if pending else "SETTLED",
        attempt.provider,
        attempt.reference,
        attempt.amount,
        attempt.currency,
        METHOD.dump_optional(attempt.method),
        attempt.claimed_at,
        None if pending else attempt.claimed_at,
    )


async def lock_pending(
    tx: Tx, tenant_id: UUID, provider: str, reference: str
) -> PendingPayment | None:
    """Lock the customer and the pending payment behind a provider's reference, if there is
    one.
    """
    await tx.execute(
        """
        select from customers c join transactions t
          on t.tenant_id = c.tenant_id and t.customer_id = c.id
        where t.tenant_id = $1 and t.provider = $2 and t.reference = $3
          and t.payment_type = 'PAYMENT'
        for no key update of c
        """,
        tenant_id,
        provider,
        reference,
    )
    row = await tx.fetchrow(
        """
        select id, invoice_id, customer_id, amount, currency from transactions
        where tenant_id = $1 and provider = $2 and reference = $3 and payment_type = 'PAYMENT'
          and status = 'PENDING'
        for no key update
        """,
        tenant_id,
        provider,
        reference,
    )
    return None if row is None else PendingPayment(**dict(row))


async def settle(tx: Tx, tenant_id: UUID, payment: PendingPayment, at: datetime) -> bool:
    """The money came: the invoice owes that much less. True when it is paid in full now."""
    await tx.execute(
        "update transactions set status = 'SETTLED', processed_at = $3 "
        "where tenant_id = $1 and id = $2",
        tenant_id,
        payment.id,
        at,
    )
    return await credit(tx, tenant_id, payment.invoice_id, payment.amount, at, now=at)


async def credit(
    tx: Tx, tenant_id: UUID, invoice_id: UUID, amount: int, paid_at: datetime, *, now: datetime
) -> bool:
    """Money came for an invoice: it owes that much less. True when it is paid in full now.

    What is paid in full is not collected any more.
    """
    paid: bool = await tx.fetchval(
        """
        update invoices
        set settled = settled + $3, amount_due = amount_due - $3, updated_at = $5,
            collect_at = case when amount_due > $3 then collect_at end,
            payment_status = case when amount_due = $3 then 'PAID' else 'PARTIALLY_PAID' end,
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
        paid_at,
        now,
    )
    return paid


async def fail(
    tx: Tx, tenant_id: UUID, payment: PendingPayment, reason: FailureReason, at: datetime
) -> None:
    """The money will not come; what becomes of the invoice, `collections.failed` says."""
    await tx.execute(
        """
        update transactions set status = 'FAILED', processed_at = $3,
            error = jsonb_build_object('reason', $4::text)
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        payment.id,
        at,
        reason.value,
    )
