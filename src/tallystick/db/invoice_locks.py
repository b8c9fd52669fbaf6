"""The order of locks around an invoice: its customer comes first."""

from uuid import UUID

from tallystick.db.engine import Tx


async def lock_customer(tx: Tx, tenant_id: UUID, customer_id: UUID) -> None:
    """Lock a customer, before anything of it."""
    await tx.execute(
        "select from customers where tenant_id = $1 and id = $2 for no key update",
        tenant_id,
        customer_id,
    )


async def lock_customer_of(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> None:
    """Lock the customer of an invoice; nothing where this tenant has none of that id."""
    await tx.execute(
        """
        select from customers c join invoices i
          on i.tenant_id = c.tenant_id and i.customer_id = c.id
        where i.tenant_id = $1 and i.id = $2 for no key update of c
        """,
        tenant_id,
        invoice_id,
    )
