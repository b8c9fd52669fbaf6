"""Sessions whose checkout would activate a subscription, ended with it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tallystick.db import checkout_sessions
from tallystick.db.checkout_sessions import SessionRecord
from tallystick.db.engine import Tx


async def cancel_activations(
    tx: Tx, tenant_id: UUID, subscription_ids: Sequence[UUID], now: datetime
) -> list[SessionRecord]:
    """Cancel the open sessions that would activate these subscriptions, and return them."""
    rows = await tx.fetch(
        """
        update checkout_sessions s set state = 'CANCELLED', updated_at = $3
        from subscriptions x
        where x.tenant_id = $1 and x.id = any($2) and s.tenant_id = $1
          and s.id = x.checkout_session_id and s.checkout_type = 'SUBSCRIPTION_ACTIVATION'
          and s.state = 'CREATED'
        returning s.id
        """,
        tenant_id,
        subscription_ids,
        now,
    )
    found = [await checkout_sessions.load(tx, tenant_id, row["id"]) for row in rows]
    return [record for record in found if record is not None]
