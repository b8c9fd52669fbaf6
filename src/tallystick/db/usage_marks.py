"""Marks: customers of whom something has changed that may reach a threshold.

Written in the transaction of its cause, one row for each, and taken away by whoever looks, in
the transaction in which they look: what they cannot see yet has a mark that they cannot see
either. Nobody who writes one waits for anybody.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from tallystick.db.engine import Tx

# The limit keeps it a look into the index for each customer, however many thresholds there are.
MARK = """
    insert into usage_marks (tenant_id, customer_id)
    select $1, named.id from unnest({customers}::uuid[]) as named (id)
    cross join lateral (
        select from subscriptions s
        where s.tenant_id = $1 and s.customer_id = named.id
          and s.invoice_threshold is not null
          and s.status not in ('CANCELLED', 'COMPLETED', 'SUPERSEDED')
        limit 1) watched
"""
"""Marks those customers who have a subscription with a threshold."""

_TAKE = """
    delete from usage_marks m
    using (select id from usage_marks
           where tenant_id = $1 and customer_id = any($2) and error is null
           for update skip locked) due
    where m.tenant_id = $1 and m.id = due.id
    returning m.customer_id
"""


async def insert(tx: Tx, tenant_id: UUID, customer_ids: Collection[UUID]) -> None:
    """Mark those of these customers who have a subscription with a threshold."""
    if customer_ids:
        await tx.execute(MARK.format(customers="$2"), tenant_id, list(customer_ids))


async def lock_due(tx: Tx, tenant_id: UUID, limit: int) -> list[UUID]:
    """Lock so many marks at most, and return their customers, to look at.

    Those that somebody else has locked are passed over.
    """
    rows = await tx.fetch(
        """
        select customer_id from usage_marks
        where tenant_id = $1 and error is null order by customer_id limit $2
        for update skip locked
        """,
        tenant_id,
        limit,
    )
    return sorted({row["customer_id"] for row in rows})


async def take(tx: Tx, tenant_id: UUID, customer_ids: Sequence[UUID]) -> list[UUID]:
    """Take away the marks of these customers; whose marks nobody else was taking."""
    rows = await tx.fetch(_TAKE, tenant_id, customer_ids)
    return sorted({row["customer_id"] for row in rows})


async def set_aside(tx: Tx, tenant_id: UUID, customer_id: UUID, reason: str) -> None:
    """A customer who cannot be looked at is set aside with the reason."""
    await tx.execute(
        """
        update usage_marks set error = $3, tried_at = now()
        where tenant_id = $1 and customer_id = $2 and error is null
        """,
        tenant_id,
        customer_id,
        reason,
    )


async def take_up_again(tx: Tx, tenant_id: UUID, after_seconds: float) -> None:
    """Customers who were set aside some real time ago are looked at again."""
    await tx.execute(
        """
        update usage_marks set error = null
        where tenant_id = $1 and error is not null
          and tried_at <= now() - make_interval(secs => $2)
        """,
        tenant_id,
        after_seconds,
    )
