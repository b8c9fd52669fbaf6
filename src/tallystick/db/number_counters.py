"""The numbers of an entity's invoices and credit notes: counter rows, so that none is skipped.

A counter stays locked until the transaction ends.
"""

from typing import Literal
from uuid import UUID

from tallystick.db.engine import Tx


async def count_invoices(tx: Tx, tenant_id: UUID, entity_id: UUID, invoices: int) -> int:
    """Count an entity's invoices up by so many, and return the last number."""
    return await _count_up(tx, "invoice_counters", tenant_id, entity_id, invoices)


async def next_credit_note(tx: Tx, tenant_id: UUID, entity_id: UUID) -> int:
    """The next number of an entity's credit notes."""
    return await _count_up(tx, "credit_note_counters", tenant_id, entity_id, 1)


async def _count_up(
    tx: Tx,
    counters: Literal["invoice_counters", "credit_note_counters"],
    tenant_id: UUID,
    entity_id: UUID,
    by: int,
) -> int:
    last: int = await tx.fetchval(
        f"""
        insert into {counters} as c (tenant_id, invoicing_entity_id, last_number)
        values ($1, $2, $3)
        on conflict (tenant_id, invoicing_entity_id)
        do update set last_number = c.last_number + excluded.last_number
        returning last_number
        """,
        tenant_id,
        entity_id,
        by,
    )
    return last
