"""Tries that buyers make on the pages of their invoices."""

from uuid import UUID

from tallystick.db.collections import COLUMNS, collection_of
from tallystick.db.engine import Tx
from tallystick.domain.collection import Collection


async def newest_of(
    tx: Tx, tenant_id: UUID, invoice_id: UUID, *, by_buyer: bool | None = None
) -> Collection | None:
    """The newest try of an invoice, a live one before all others; None where there is none."""
    row = await tx.fetchrow(
        f"""
        select {COLUMNS} from collections
        where tenant_id = $1 and invoice_id = $2 and by_buyer = coalesce($3, by_buyer)
        order by state = 'LIVE' desc, claimed_on desc limit 1
        """,
        tenant_id,
        invoice_id,
        by_buyer,
    )
    return None if row is None else collection_of(row)


async def buyers_tries(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> int:
    """How often its page has tried to pay an invoice within a day of real time."""
    found: int = await tx.fetchval(
        """
        select count(*) from collections
        where tenant_id = $1 and invoice_id = $2 and by_buyer
          and claimed_on > clock_timestamp() - interval '1 day'
        """,
        tenant_id,
        invoice_id,
    )
    return found


async def await_challenge(
    tx: Tx, tenant_id: UUID, collection_id: UUID, url: str, seconds: float
) -> None:
    """The buyer of a live try authenticates at `url`; nobody asks before so much real time."""
    await tx.execute(
        """
        update collections
        set challenge_url = $3, check_at = clock_timestamp() + make_interval(secs => $4)
        where tenant_id = $1 and id = $2 and state = 'LIVE' and challenge_url is null
        """,
        tenant_id,
        collection_id,
        url,
        seconds,
    )
