"""Sessions whose time is up, of every tenant at once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Tx

# One short look per tenant into the index of what can expire, because each tenant has its own
# now. Ten thousand tenants with nothing due take some hundredths of a second. By lot, so that
# sessions which cannot be ended do not stand first for ever and keep the others waiting.
_DUE = """
    select due.tenant_id, due.id
    from tenants t
    cross join lateral (
        select s.tenant_id, s.id from checkout_sessions s
        where s.tenant_id = t.id and s.expires_at <= coalesce(t.clock, $1)
          and s.state in ('CREATED', 'AWAITING_PAYMENT') and s.ending_requested is null
        order by random() limit $2) due
    order by random() limit $3
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueSession:
    """A session that has expired at its tenant's now and has not been ended yet."""

    tenant_id: UUID
    id: UUID


async def due_to_expire(
    tx: Tx, real_now: datetime, *, limit: int, limit_per_tenant: int
) -> list[DueSession]:
    """Sessions to expire, of every tenant at its own now: its frozen clock, else `real_now`.

    Where there are more than may be taken, the lot decides.
    """
    rows = await tx.fetch(_DUE, real_now, limit_per_tenant, limit)
    return [DueSession(tenant_id=row["tenant_id"], id=row["id"]) for row in rows]


async def due_of_tenant(tx: Tx, tenant_id: UUID, now: datetime) -> list[UUID]:
    """The tenant's sessions to expire at its now, longest overdue first."""
    rows = await tx.fetch(
        """
        select id from checkout_sessions
        where tenant_id = $1 and expires_at <= $2
          and state in ('CREATED', 'AWAITING_PAYMENT') and ending_requested is null
        order by expires_at
        """,
        tenant_id,
        now,
    )
    return [row["id"] for row in rows]
