"""Usage events: written once each, however often they are sent."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.db.usage_marks import MARK
from tallystick.domain.usage_events import UsageEvent

STAGING = "staged_usage_events"

_MAKE_STAGING = f"""
    create temporary table if not exists {STAGING} (customer_id uuid, event_id text, code text,
        happened_at timestamptz, properties jsonb) on commit delete rows
"""
# Kept for as long as its connection: emptying it costs less than making it again.

_COLUMNS = ("customer_id", "event_id", "code", "happened_at", "properties")

# The customers are marked in the same statement: a round trip of its own would cost more.
_TAKE = f"""
    with marked as ({MARK.format(customers="$3")})
    insert into usage_events
        (tenant_id, customer_id, event_id, code, happened_at, received_at, properties)
    select customer.tenant_id, customer.id, staged.event_id, staged.code, staged.happened_at,
        $2, staged.properties
    from {STAGING} staged
    join customers customer on customer.tenant_id = $1 and customer.id = staged.customer_id
    on conflict (tenant_id, customer_id, event_id) do nothing
"""

_CUSTOMERS = """
    select id, alias, archived_at is null as live from customers
    where tenant_id = $1 and (id = any($2) or (alias = any($3) and archived_at is null))
"""

_by_key = attrgetter("customer_id", "event_id")
# Made once: making an encoder costs more than encoding a few properties.
_json = json.JSONEncoder(separators=(",", ":")).encode


async def insert(
    tx: Tx, tenant_id: UUID, events: Sequence[UsageEvent], received_at: datetime
) -> int:
    """Write events of existing customers, and return how many were new.

    One whose id its customer has already is left as it was first sent; within one call, too,
    the first one stays.
    """
    # In one order everywhere, so that two calls with the same events wait and do not deadlock.
    # Sorting keeps the order of equal keys, so the first one is written.
    rows = [
        (one.customer_id, one.event_id, one.code, one.happened_at, _json(one.properties))
        for one in sorted(events, key=_by_key)
    ]
    await tx.execute(_MAKE_STAGING)
    await tx.copy_records_to_table(STAGING, records=rows, columns=_COLUMNS)
    customers = {one.customer_id for one in events}
    written = await tx.execute(_TAKE, tenant_id, received_at, list(customers))
    return int(written.rpartition(" ")[2])


async def customers_named(
    tx: Tx, tenant_id: UUID, names: Iterable[UUID | str]
) -> dict[UUID | str, UUID]:
    """The customers that events name, by id (archived ones, too) and by alias."""
    wanted = set(names)
    rows = await tx.fetch(
        _CUSTOMERS,
        tenant_id,
        [name for name in wanted if isinstance(name, UUID)],
        [name for name in wanted if isinstance(name, str)],
    )
    found: dict[UUID | str, UUID] = {row["id"]: row["id"] for row in rows}
    found |= {row["alias"]: row["id"] for row in rows if row["live"] and row["alias"]}
    return {name: customer_id for name, customer_id in found.items() if name in wanted}
