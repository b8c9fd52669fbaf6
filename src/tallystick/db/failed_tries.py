"""What an invoice keeps of tries that failed, and when it is tried again."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.collections import COLLECTED_BY
from tallystick.db.engine import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How often an invoice's tries have failed, and whether it is charged automatically.

    `is_final` is false for the draft of a trial, which is charged before it is final.
    """

    failures: int
    charges: bool
    is_final: bool
    collect_at: datetime | None


async def tried(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> Tried:
    """What decides about another try of an invoice."""
    row = await tx.fetchrow(
        f"""
        select i.collection_failures as failures,
               coalesce(s.charge_automatically, false) and i.status <> 'UNCOLLECTIBLE'
                   as charges,
               i.status <> 'DRAFT' as is_final, i.collect_at
        from invoices i
        left join subscriptions s on s.tenant_id = i.tenant_id and s.id = {COLLECTED_BY}
        where i.tenant_id = $1 and i.id = $2
        """,
        tenant_id,
        invoice_id,
    )
    assert row is not None, "a payment has its invoice"
    return Tried(**dict(row))


async def failed(
    tx: Tx,
    tenant_id: UUID,
    invoice_id: UUID,
    again: datetime | None,
    at: datetime,
    *,
    is_last: bool,
) -> None:
    """A try failed: the invoice says so, and is tried again at `again`, if ever.

    After the last one it is decided what becomes of what it bills.
    """
    await tx.execute(
        """
        update invoices
        set payment_status = 'ERRORED', collection_failures = collection_failures + 1,
            collect_at = $3, updated_at = $4,
            policy_at = case when $5 then $4::timestamptz end
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        invoice_id,
        again,
        at,
        is_last,
    )
