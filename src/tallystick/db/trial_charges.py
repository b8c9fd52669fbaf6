"""Drafts that are charged before they are final: the first invoices after free trials."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Tx


async def is_charged_first(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> bool:
    """Whether a draft is final only once it is paid."""
    found: bool = await tx.fetchval(
        "select exists (select from invoices where tenant_id = $1 and id = $2"
        " and charged_first)",
        tenant_id,
        invoice_id,
    )
    return found


async def due_with(
    tx: Tx, tenant_id: UUID, invoice_id: UUID, now: datetime
) -> list[tuple[UUID, UUID]]:
    """A draft that is to be charged at `now`, and what may be charged as one with it.

    Of each its subscription and itself, in the order in which they are locked. The customer is
    locked; nothing where the draft is not to be charged.
    """
    rows = await tx.fetch(
        """
        select o.subscription_id, o.id
        from invoices i
        join invoicing_entities e
          on e.tenant_id = i.tenant_id and e.id = i.invoicing_entity_id
        join invoices o on o.tenant_id = i.tenant_id and o.customer_id = i.customer_id
        where i.tenant_id = $1 and i.id = $2 and i.charged_first and i.collect_at <= $3
          and o.charged_first and o.collect_at <= $3
          and (o.id = i.id or (e.consolidate_recurring_invoices and i.may_merge
               and o.may_merge and o.invoicing_entity_id = i.invoicing_entity_id))
        order by o.subscription_id
        """,
        tenant_id,
        invoice_id,
        now,
    )
    return [(row["subscription_id"], row["id"]) for row in rows]


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
