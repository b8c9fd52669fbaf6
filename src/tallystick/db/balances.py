"""Customers' balances: money for their next invoices, one per currency, never negative."""

from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Tx

_MOVE = """
    insert into customer_balances as b (tenant_id, customer_id, currency, balance)
    values ($1, $2, $3, greatest($4::bigint, 0))
    on conflict (tenant_id, customer_id, currency) do update set balance = b.balance + $4
    returning balance
"""

_LOCK = """
    select balance, held from customer_balances
    where tenant_id = $1 and customer_id = $2 and currency = $3
    for no key update
"""

_INSERT = """
    insert into balance_entries (tenant_id, id, customer_id, currency, amount, balance_after,
                                 reason, note, created_at)
    values ($1, $2, $3, $4, $5, $6, 'MANUAL', $7, $8)
"""


async def lock(tx: Tx, tenant_id: UUID, customer_id: UUID, currency: str) -> tuple[int, int]:
    """Balance and the part of it that checkouts hold, in minor units, locked until the end."""
    row = await tx.fetchrow(_LOCK, tenant_id, customer_id, currency)
    return (0, 0) if row is None else (row["balance"], row["held"])


async def add_manual_entry(
    tx: Tx,
    tenant_id: UUID,
    entry_id: UUID,
    *,
    customer_id: UUID,
    currency: str,
    amount: int,
    note: str | None,
    now: datetime,
) -> int:
    """Move a balance by hand, above zero up, and return what it is then, in minor units."""
    after: int = await tx.fetchval(_MOVE, tenant_id, customer_id, currency, amount)
    await tx.execute(
        _INSERT, tenant_id, entry_id, customer_id, currency, amount, after, note, now
    )
    return after


async def move(
    tx: Tx,
    tenant_id: UUID,
    *,
    entry_id: UUID,
    invoice_id: UUID,
    customer_id: UUID,
    currency: str,
    amount: int,
    reason: str,
    at: datetime,
    note_id: UUID | None = None,
) -> None:
    """Give an amount of an invoice to a balance; below zero takes it back.

    `note_id` is the credit note that moves it.
    """
    await tx.execute(
        """
        with moved as (
            insert into customer_balances as b (tenant_id, customer_id, currency, balance)
            values ($1, $2, $3, greatest($5::bigint, 0))
            on conflict (tenant_id, customer_id, currency)
            do update set balance = b.balance + $5
            returning balance)
        insert into balance_entries (tenant_id, id, customer_id, currency, amount,
                                     balance_after, reason, invoice_id, credit_note_id,
                                     created_at)
        select $1, $4, $2, $3, $5, balance, $6, $7, $8, $9 from moved
        """,
        tenant_id,
        customer_id,
        currency,
        entry_id,
        amount,
        reason,
        invoice_id,
        note_id,
        at,
    )
