"""Customers as the accounts of payment providers know them."""

from uuid import UUID

from tallystick.db.engine import Tx


async def find(tx: Tx, tenant_id: UUID, provider: str, customer_id: UUID) -> str | None:
    """The reference of a customer at a provider, None where it has none yet."""
    found: str | None = await tx.fetchval(
        """
        select reference from provider_customers
        where tenant_id = $1 and provider = $2 and customer_id = $3
        """,
        tenant_id,
        provider,
        customer_id,
    )
    return found


async def keep(
    tx: Tx, tenant_id: UUID, provider: str, customer_id: UUID, reference: str
) -> str:
    """Keep a reference, unless somebody was faster; returns the one that is kept."""
    await tx.execute(
        """
        insert into provider_customers (tenant_id, provider, customer_id, reference)
        values ($1, $2, $3, $4)
        on conflict (tenant_id, provider, customer_id) do nothing
        """,
        tenant_id,
        provider,
        customer_id,
        reference,
    )
    kept = await find(tx, tenant_id, provider, customer_id)
    assert kept is not None, "it was just kept"
    return kept


async def forget(
    tx: Tx, tenant_id: UUID, provider: str, customer_id: UUID, reference: str | None
) -> None:
    """A provider does not know the customer by this reference any more."""
    await tx.execute(
        """
        delete from provider_customers
        where tenant_id = $1 and provider = $2 and customer_id = $3 and reference = $4
        """,
        tenant_id,
        provider,
        customer_id,
        reference,
    )
