"""Refunds: claimed, asked of the provider, recorded."""

from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Row, Tx
from tallystick.db.leases import Leased, leased
from tallystick.domain.refund import RefundOrder, RefundState

_COLUMNS = """
    id, customer_id, credit_note_id, payment_id, collection_id, provider, reference, amount,
    currency, state, failure, claimed_at
"""


async def insert(tx: Tx, tenant_id: UUID, refund: RefundOrder, lease_seconds: float) -> bool:
    """Write a claimed refund; False where the money that came late has one already."""
    done = await tx.execute(
        """
        insert into refunds (tenant_id, id, customer_id, credit_note_id, payment_id,
            collection_id, provider, reference, amount, currency, claimed_at, check_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
                clock_timestamp() + make_interval(secs => $12))
        on conflict (tenant_id, collection_id) where collection_id is not null do nothing
        """,
        tenant_id,
        refund.id,
        refund.customer_id,
        refund.credit_note_id,
        refund.payment_id,
        refund.collection_id,
        refund.provider,
        refund.reference,
        refund.amount,
        refund.currency,
        refund.claimed_at,
        lease_seconds,
    )
    return bool(done == "INSERT 0 1")


async def load(tx: Tx, tenant_id: UUID, refund_id: UUID) -> RefundOrder | None:
    """A refund as it stands now."""
    row = await tx.fetchrow(
        f"select {_COLUMNS} from refunds where tenant_id = $1 and id = $2",
        tenant_id,
        refund_id,
    )
    return None if row is None else _refund(row)


async def of_note(tx: Tx, tenant_id: UUID, note_id: UUID) -> RefundOrder | None:
    """The refund of a credit note, as it stands now."""
    row = await tx.fetchrow(
        f"select {_COLUMNS} from refunds where tenant_id = $1 and credit_note_id = $2",
        tenant_id,
        note_id,
    )
    return None if row is None else _refund(row)


async def came_back(tx: Tx, tenant_id: UUID, refund_id: UUID, why: str) -> bool:
    """A refund that was given did not arrive; False where that is known."""
    done = await tx.execute(
        """
        update refunds set came_back_at = now(), came_back_because = $3
        where tenant_id = $1 and id = $2 and state = 'SUCCEEDED' and came_back_at is null
        """,
        tenant_id,
        refund_id,
        why,
    )
    return bool(done == "UPDATE 1")


async def lock(tx: Tx, tenant_id: UUID, refund_id: UUID) -> RefundOrder:
    """A refund as it stands now, and stays; its invoice, if any, is locked by the caller."""
    row = await tx.fetchrow(
        f"select {_COLUMNS} from refunds where tenant_id = $1 and id = $2 for no key update",
        tenant_id,
        refund_id,
    )
    assert row is not None, "refunds are not deleted"
    return _refund(row)


async def finish(
    tx: Tx, tenant_id: UUID, refund_id: UUID, state: RefundState, failure: str | None
) -> None:
    """The provider has answered."""
    await tx.execute(
        """
        update refunds set state = $3, failure = $4, check_at = null, recorded_at = now()
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        refund_id,
        state.value,
        failure,
    )


async def insert_transaction(
    tx: Tx, tenant_id: UUID, refund: RefundOrder, *, mode: str, at: datetime
) -> None:
    """The money of a note's refund went back."""
    await tx.execute(
        """
        insert into transactions (tenant_id, id, invoice_id, customer_id, payment_method_id,
            payment_type, status, provider, reference, amount, currency, method, parent_id,
            credit_note_id, refund_mode, created_at, processed_at)
        select p.tenant_id, $3, p.invoice_id, p.customer_id, p.payment_method_id, 'REFUND',
               'SETTLED', $4, $5, $6, p.currency, p.method, p.id, $7, $8, $9, $10
        from transactions p where p.tenant_id = $1 and p.id = $2
        """,
        tenant_id,
        refund.payment_id,
        refund.id,
        refund.provider,
        refund.reference,
        refund.amount,
        refund.credit_note_id,
        mode,
        refund.claimed_at,
        at,
    )


async def lease_due(tx: Tx, limit: int, lease_seconds: float) -> list[Leased]:
    """Lease refunds, of every tenant, that nobody has recorded in time; oldest first."""
    rows = await tx.fetch(
        """
        with due as (
            select tenant_id, id from refunds
            where state = 'LIVE' and check_at <= clock_timestamp()
            order by check_at limit $1 for no key update skip locked)
        update refunds r set check_at = clock_timestamp() + make_interval(secs => $2)
        from due where r.tenant_id = due.tenant_id and r.id = due.id
        returning r.tenant_id, r.id
        """,
        limit,
        lease_seconds,
    )
    return leased(rows)


def _refund(row: Row) -> RefundOrder:
    fields = dict(row)
    return RefundOrder(state=RefundState(fields.pop("state")), **fields)
