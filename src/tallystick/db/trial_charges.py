"""Drafts that are charged before they are final: the first invoices after free trials."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Tx


async def activates(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> UUID | None:
    """The subscription that a draft's payment makes active; None for any other invoice."""
    found: UUID | None = await tx.fetchval(
        "select subscription_id from invoices where tenant_id = $1 and id = $2 "
        "and charged_first",
        tenant_id,
        invoice_id,
    )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftToCharge:
    """A locked draft that is charged before it is final, and how often that failed."""

    total: int
    failures: int


async def lock_draft(
    tx: Tx, tenant_id: UUID, invoice_id: UUID, now: datetime
) -> DraftToCharge | None:
    """Lock a draft that is to be charged at `now`; None where it is not, or no more."""
    row = await tx.fetchrow(
        """
        select total, collection_failures as failures from invoices
        where tenant_id = $1 and id = $2 and charged_first and collect_at <= $3
        for no key update
        """,
        tenant_id,
        invoice_id,
        now,
    )
    return None if row is None else DraftToCharge(**dict(row))
