"""Holds on a customer's balance: taken by a claim, spent by the purchase, or given back."""

from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.db.one_row import hits_one_row


async def hold(tx: Tx, tenant_id: UUID, customer_id: UUID, currency: str, amount: int) -> None:
    """Hold part of the balance; the schema refuses to hold more than there is.

    The customer's row is locked by the caller, so two checkouts cannot hold the same money.
    """
    if amount > 0:
        done = await tx.execute(
            """
            update customer_balances set held = held + $4
            where tenant_id = $1 and customer_id = $2 and currency = $3
            """,
            tenant_id,
            customer_id,
            currency,
            amount,
        )
        hits_one_row(done, "the balance of a hold")


async def give_back(
    tx: Tx, tenant_id: UUID, customer_id: UUID, currency: str, amount: int
) -> None:
    """Release a hold unspent."""
    if amount > 0:
        done = await tx.execute(
            """
            update customer_balances set held = held - $4
            where tenant_id = $1 and customer_id = $2 and currency = $3
            """,
            tenant_id,
            customer_id,
            currency,
            amount,
        )
        hits_one_row(done, "the balance of a hold")


async def spend(
    tx: Tx,
    tenant_id: UUID,
    customer_id: UUID,
    currency: str,
    amount: int,
    *,
    entry_id: UUID,
    invoice_id: UUID,
    now: datetime,
) -> None:
    """Turn a hold into credit applied to an invoice, with its entry."""
    if amount > 0:
        done = await tx.execute(
            """
            with spent as (
                update customer_balances set held = held - $4, balance = balance - $4
                where tenant_id = $1 and customer_id = $2 and currency = $3
                returning balance)
            insert into balance_entries (tenant_id, id, customer_id, currency, amount,
                                         balance_after, reason, invoice_id, created_at)
            select $1, $5, $2, $3, -$4::bigint, balance, 'INVOICE', $6, $7 from spent
            """,
            tenant_id,
            customer_id,
            currency,
            amount,
            entry_id,
            invoice_id,
            now,
        )
        hits_one_row(done, "the balance of a hold")


async def available(tx: Tx, tenant_id: UUID, customer_id: UUID, currency: str) -> int:
    """The balance less holds, in minor units."""
    found = await tx.fetchval(
        """
        select balance - held from customer_balances
        where tenant_id = $1 and customer_id = $2 and currency = $3
        """,
        tenant_id,
        customer_id,
        currency,
    )
    return found or 0
