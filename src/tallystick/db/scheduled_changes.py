"""What is scheduled for the end of a subscription's period; it is read with its contract."""

from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.domain.scheduled import Scheduled

SCHEDULED: Codec[Scheduled] = Codec(Scheduled)


async def put(tx: Tx, tenant_id: UUID, subscription_id: UUID, change: Scheduled) -> None:
    """Schedule a change of a locked subscription, instead of the one before, if any."""
    await tx.execute(
        """
        insert into scheduled_changes (tenant_id, subscription_id, kind, effective_on, change)
        values ($1, $2, $3, $4, $5)
        on conflict (tenant_id, subscription_id) do update
        set kind = excluded.kind, effective_on = excluded.effective_on,
            change = excluded.change
        """,
        tenant_id,
        subscription_id,
        change.type,
        change.effective_on,
        SCHEDULED.dump(change),
    )


async def drop(tx: Tx, tenant_id: UUID, subscription_id: UUID) -> None:
    """What is scheduled is done, or not wanted any more; there may be nothing."""
    await tx.execute(
        "delete from scheduled_changes where tenant_id = $1 and subscription_id = $2",
        tenant_id,
        subscription_id,
    )
