"""Reading the event log: numbered events, in their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Tx

_AFTER = """
    select id, type, data, happened_at, sequence from events
    where tenant_id = $1 and sequence > $2 order by sequence limit $3
"""

# One look into the index for each type: a rare one is found without what lies between.
_OF_TYPES = """
    select v.* from unnest($4::text[]) as wanted (type)
    cross join lateral (
        select id, type, data, happened_at, sequence from events
        where tenant_id = $1 and type = wanted.type and sequence > $2
        order by sequence limit $3) v
    order by v.sequence limit $3
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """A numbered event; `data` is JSON text, `happened_at` business time."""

    id: UUID
    type: str
    data: str
    happened_at: datetime
    sequence: int


async def after(
    tx: Tx, tenant_id: UUID, sequence: int, limit: int, types: Sequence[str] = ()
) -> list[LoggedEvent]:
    """The tenant's next events after a number, of some types; of all without any."""
    rows = await (
        tx.fetch(_OF_TYPES, tenant_id, sequence, limit, sorted(set(types)))
        if types
        else tx.fetch(_AFTER, tenant_id, sequence, limit)
    )
    return [LoggedEvent(**row) for row in rows]


async def last(tx: Tx, tenant_id: UUID) -> int:
    """The number of the tenant's newest event, 0 when it has none."""
    found: int | None = await tx.fetchval(
        "select last_sequence from event_counters where tenant_id = $1", tenant_id
    )
    return found or 0
