"""The event log: append-only, written in the transaction of its cause.

No counter is locked here. A sequencer gives committed events their tenant's gapless number
later; readers and webhooks see numbered events only.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Tx

_INSERT = """
    insert into events (tenant_id, id, type, object_id, data, happened_at)
    values ($1, $2, $3, $4, $5, $6)
"""


async def append(
    tx: Tx,
    tenant_id: UUID,
    event_id: UUID,
    event_type: str,
    object_id: UUID,
    data: Mapping[str, object],
    now: datetime,
) -> None:
    """Write one event.

    Args:
        tx: The transaction of what happened.
        tenant_id: Whose event it is.
        event_id: Its id, made by the caller.
        event_type: `noun.verb`, such as `customer.created`.
        object_id: What it happened to; events of one object are delivered in their order.
        data: The body without `id`, `type` and `timestamp`, ready for JSON.
        now: Business time of what happened.
    """
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    await tx.execute(_INSERT, tenant_id, event_id, event_type, object_id, body, now)
