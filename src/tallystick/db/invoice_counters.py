"""The numbers of an entity's invoices: a counter row, so that none is skipped."""

from uuid import UUID

from tallystick.db.engine import Tx


async def count_up(tx: Tx, tenant_id: UUID, entity_id: UUID, invoices: int) -> int:
    """Count an entity's invoices up by so many, and return the last number.

    The counter stays locked until the transaction ends, so that no number is skipped.
    """
    last: int = await tx.fetchval(
        """
        insert into invoice_counters as c (tenant_id, invoicing_entity_id, last_number)
        values ($1, $2, $3)
        on conflict (tenant_id, invoicing_entity_id)
        do update set last_number = c.last_number + excluded.last_number
        returning last_number
        """,
        tenant_id,
        entity_id,
        invoices,
    )
    return last
