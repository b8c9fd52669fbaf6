"""The event log: append-only, written in the transaction of its cause.

No counter is locked here. A sequencer gives committed events their tenant's gapless number
later; readers and webhooks see numbered events only.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Tx

_INSERT = """
    insert into events (tenant_id, id, type, object_id, data, happened_at)
    values ($1, $2, $3, $4, $5, $6)
"""

_COLUMNS = ("tenant_id", "id", "type", "object_id", "data", "happened_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class WiredEvent:
    """An event to write: `data` as in `append`."""

    id: UUID
    type: str
    object_id: UUID
    data: Mapping[str, object]


async def append_many(
    tx: Tx, tenant_id: UUID, written: Sequence[WiredEvent], now: datetime
) -> None:
    """Write events in their order, by COPY."""
    await tx.copy_records_to_table(
        "events",
        columns=_COLUMNS,
        records=[
            (tenant_id, one.id, one.type, one.object_id, _text(one.data), now)
            for one in written
        ],
    )


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
    await tx.execute(_INSERT, tenant_id, event_id, event_type, object_id, _text(data), now)


def _text(data: Mapping[str, object]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
