"""What the offers of open sessions promise of the catalog."""

import json
from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Tx


async def promising(
    tx: Tx, tenant_id: UUID, now: datetime, *, product_id: UUID | None, metric_id: UUID | None
) -> UUID | None:
    """A session that may still be bought at `now`, whose offer has an item of a product, or
    one that counts with a metric.
    """
    part = [{"product_id": str(product_id)}] if product_id else []
    counted = [{"fee": {"metric_id": str(metric_id)}}] if metric_id else []
    found: UUID | None = await tx.fetchval(
        """
        select id from checkout_sessions
        where tenant_id = $1 and (state = 'AWAITING_PAYMENT'
            or (state = 'CREATED' and (expires_at is null or expires_at > $2)))
          and offer -> 'items' @> $3
        order by created_at limit 1
        """,
        tenant_id,
        now,
        json.dumps([*part, *counted]),
    )
    return found
