"""How often API keys ask of each process, so that the processes keep one limit together."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tallystick.db.engine import Tx

FRESH = "interval '3 seconds'"
"""What was counted before says nothing any more: a process tells every second."""
FORGOTTEN = "interval '1 minute'"

# Rows are written in one order everywhere, so that processes wait and do not deadlock.
_EXCHANGE = f"""
    with own as (
        insert into api_key_paces as p (tenant_id, api_key_id, process_id, requests_per_second)
        select k.tenant_id, k.api_key_id, $1, k.pace
        from unnest($2::uuid[], $3::uuid[], $4::real[]) as k (tenant_id, api_key_id, pace)
        order by 1, 2
        on conflict (tenant_id, api_key_id, process_id) do update
        set requests_per_second = excluded.requests_per_second, counted_at = clock_timestamp()),
    gone as (
        delete from api_key_paces where ctid = any (array(
            select ctid from api_key_paces where counted_at < clock_timestamp() - {FORGOTTEN}
            limit 1000 for update skip locked)))
    select p.api_key_id, sum(p.requests_per_second)::float8 as pace
    from api_key_paces p
    join unnest($2::uuid[], $3::uuid[]) as k (tenant_id, api_key_id)
      on k.tenant_id = p.tenant_id and k.api_key_id = p.api_key_id
    where p.process_id <> $1 and p.counted_at >= clock_timestamp() - {FRESH}
    group by p.api_key_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedPace:
    """How often a key asks of one process, in requests a second."""

    tenant_id: UUID
    key_id: UUID
    pace: float


async def exchange(
    tx: Tx, process_id: UUID, counted: Sequence[CountedPace]
) -> dict[UUID, float]:
    """Tell what this process has counted, and hear how often these keys ask of all others."""
    rows = await tx.fetch(
        _EXCHANGE,
        process_id,
        [one.tenant_id for one in counted],
        [one.key_id for one in counted],
        [one.pace for one in counted],
    )
    return {row["api_key_id"]: row["pace"] for row in rows}
