"""What is to be sent now: events that are passed on to endpoints, and deliveries that are due.

Whoever works on an endpoint holds its lock meanwhile: passing events on, taking deliveries up,
noting what became of them. Workers pass over an endpoint that another one holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.domain.webhook_endpoint import DisabledReason, Health, WebhookHeader

_BEHIND = """
    select e.tenant_id, e.id, e.relayed_to, e.event_types,
           least(c.last_sequence, e.relayed_to + $1) as up_to
    from webhook_endpoints e join event_counters c using (tenant_id)
    where e.archived_at is null and e.disabled_reason is null
      and e.relayed_to < c.last_sequence
    order by e.relayed_to - c.last_sequence, e.tenant_id, e.id limit $2
    for no key update of e skip locked
"""

_NEWS = """
    select e.tenant_id, e.id as endpoint_id, v.id as event_id, v.type, v.object_id, v.sequence
    from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
        as b (tenant_id, id, after, up_to)
    join webhook_endpoints e on e.tenant_id = b.tenant_id and e.id = b.id
    join events v on v.tenant_id = b.tenant_id and v.sequence > b.after
        and v.sequence <= b.up_to
    where e.event_types = '{}' or v.type = any(e.event_types)
    order by e.tenant_id, e.id, v.sequence
"""

_INSERT = """
    insert into webhook_deliveries (tenant_id, id, endpoint_id, event_id, event_type,
        object_id, sequence, manual, next_attempt_at, created_at)
    select w.*, false,
        case when row_number() over (
                partition by w.tenant_id, w.endpoint_id, w.object_id order by w.sequence) = 1
            and not exists (
                select from webhook_deliveries d
                where d.tenant_id = w.tenant_id and d.endpoint_id = w.endpoint_id
                  and d.object_id = w.object_id and d.status in ('PENDING', 'IN_FLIGHT')
                  and not d.manual)
        then $8::timestamptz end, $8::timestamptz
    from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[],
        $7::bigint[]) as w (tenant_id, id, endpoint_id, event_id, type, object_id, sequence)
    order by w.tenant_id, w.endpoint_id, w.sequence
"""

_ADVANCE = """
    update webhook_endpoints e set relayed_to = b.up_to
    from unnest($1::uuid[], $2::uuid[], $3::bigint[]) as b (tenant_id, id, up_to)
    where e.tenant_id = b.tenant_id and e.id = b.id
"""

_DUE = """
    select e.tenant_id, e.id from webhook_endpoints e
    where e.archived_at is null and e.tenant_id <> all ($3)
      and (e.disabled_reason is null
           and (e.paused_until is null or e.paused_until <= $1)
           and exists (select from webhook_deliveries d where d.tenant_id = e.tenant_id
                       and d.endpoint_id = e.id and d.next_attempt_at <= $1)
           and e.max_in_flight > (
               select count(*) from webhook_deliveries d where d.tenant_id = e.tenant_id
               and d.endpoint_id = e.id and d.lease_until is not null)
        -- What was lost with its worker is found out of endpoints that rest, too.
        or exists (select from webhook_deliveries d where d.tenant_id = e.tenant_id
                   and d.endpoint_id = e.id and d.lease_until <= $1))
    order by e.taken_at nulls first limit $2
"""

_LOCK = """
    select e.url, e.headers, e.rate_limit_per_sec, e.max_in_flight, e.disabled_reason,
           t.is_test, json_build_object(
               'consecutive_failures', e.consecutive_failures, 'unreached', e.unreached,
               'failing_since', e.failing_since, 'last_success_at', e.last_success_at,
               'last_failure_at', e.last_failure_at, 'paused_until', e.paused_until) as health
    from webhook_endpoints e join tenants t on t.id = e.tenant_id
    where e.tenant_id = $1 and e.id = $2
    for no key update of e
"""

_LOST = """
    select id, attempt_count, object_id, created_at, manual from webhook_deliveries
    where tenant_id = $1 and endpoint_id = $2 and lease_until <= $3
    order by lease_until
"""

_BUSY = """
    select (select count(*) from webhook_deliveries where tenant_id = $1 and endpoint_id = $2
            and lease_until is not null) as in_flight,
           (select count(*) from webhook_attempts where tenant_id = $1 and endpoint_id = $2
            and started_at > $3::timestamptz - interval '1 second') as begun
"""

_TAKE = """
    with due as (
        select tenant_id, id from webhook_deliveries
        where tenant_id = $1 and endpoint_id = $2 and next_attempt_at <= $3
        order by next_attempt_at, sequence limit $4),
    taken as (
        update webhook_deliveries d set status = 'IN_FLIGHT', next_attempt_at = null,
            lease_until = $5, attempt_count = d.attempt_count + 1
        from due where d.tenant_id = due.tenant_id and d.id = due.id
        returning d.tenant_id, d.id, d.event_id, d.attempt_count, d.sequence),
    begun as (
        insert into webhook_attempts (tenant_id, delivery_id, number, endpoint_id, started_at)
        select tenant_id, id, attempt_count, $2, $3 from taken),
    seen as (
        update webhook_endpoints set taken_at = $3 where tenant_id = $1 and id = $2)
    select k.id, k.attempt_count, v.id as event_id, v.type, v.data, v.happened_at, v.sequence
    from taken k join events v on v.tenant_id = k.tenant_id and v.id = k.event_id
    order by k.sequence
"""

_UNDER_WAY = """
    select object_id, created_at, manual, attempt_count from webhook_deliveries
    where tenant_id = $1 and id = $2 and status = 'IN_FLIGHT' and attempt_count = $3
"""

_health: Codec[Health] = Codec(Health)
_headers: Codec[tuple[WebhookHeader, ...]] = Codec(tuple[WebhookHeader, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """An endpoint that is locked, and up to which number events are passed on to it now."""

    tenant_id: UUID
    id: UUID
    relayed_to: int
    up_to: int


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """An event that an endpoint wants to hear of."""

    tenant_id: UUID
    endpoint_id: UUID
    event_id: UUID
    type: str
    object_id: UUID
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedEndpoint:
    """What sending needs to know of an endpoint, which is locked."""

    url: str
    headers: tuple[WebhookHeader, ...]
    rate_limit_per_sec: int | None
    max_in_flight: int
    disabled_reason: DisabledReason | None
    is_test: bool
    health: Health


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """A delivery that is under way: its `attempt_count`-th attempt."""

    id: UUID
    object_id: UUID
    created_at: datetime
    manual: bool
    attempt_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """Deliveries of an endpoint under way, and attempts begun within the last second."""

    in_flight: int
    begun: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A delivery just taken up, with its event; `data` is JSON text."""

    id: UUID
    attempt: int
    event_id: UUID
    type: str
    data: str
    happened_at: datetime
    sequence: int


async def real_time(tx: Tx) -> datetime:
    """The database's time, which is everybody's."""
    now: datetime = await tx.fetchval("select clock_timestamp()")
    return now


async def behind(tx: Tx, numbers: int, limit: int) -> list[Behind]:
    """Lock endpoints of all tenants that have events to hear of; who is far behind first.

    Args:
        tx: The transaction.
        numbers: Over how many numbers each may go now.
        limit: How many endpoints.
    """
    rows = await tx.fetch(_BEHIND, numbers, limit)
    return [
        Behind(
            tenant_id=row["tenant_id"],
            id=row["id"],
            relayed_to=row["relayed_to"],
            up_to=row["up_to"],
        )
        for row in rows
    ]


async def news(tx: Tx, endpoints: Sequence[Behind]) -> list[News]:
    """The events that these endpoints want, in their order."""
    rows = await tx.fetch(
        _NEWS,
        [one.tenant_id for one in endpoints],
        [one.id for one in endpoints],
        [one.relayed_to for one in endpoints],
        [one.up_to for one in endpoints],
    )
    return [News(**row) for row in rows]


async def relay(
    tx: Tx, endpoints: Sequence[Behind], wanted: Sequence[tuple[UUID, News]], now: datetime
) -> None:
    """Write the deliveries of events, each with its id, and how far the endpoints are then.

    The first that is not done of each object is due at once; those after it wait for it.
    """
    if wanted:
        await tx.execute(
            _INSERT,
            [one.tenant_id for _, one in wanted],
            [delivery_id for delivery_id, _ in wanted],
            [one.endpoint_id for _, one in wanted],
            [one.event_id for _, one in wanted],
            [one.type for _, one in wanted],
            [one.object_id for _, one in wanted],
            [one.sequence for _, one in wanted],
            now,
        )
    await tx.execute(
        _ADVANCE,
        [one.tenant_id for one in endpoints],
        [one.id for one in endpoints],
        [one.up_to for one in endpoints],
    )


async def endpoints_due(
    tx: Tx, now: datetime, limit: int, without: Sequence[UUID] = ()
) -> list[tuple[UUID, UUID]]:
    """Tenant and id of the endpoints with something to send, or something that was lost.

    Who has waited longest comes first.

    Those that have as much under way as they may are left out, and those of some tenants.
    """
    rows = await tx.fetch(_DUE, now, limit, list(without))
    return [(row["tenant_id"], row["id"]) for row in rows]


async def lock_endpoint(
    tx: Tx, tenant_id: UUID, endpoint_id: UUID, *, waits: bool
) -> LockedEndpoint | None:
    """Lock an endpoint, an archived one too.

    None when another holds it, and `waits` does not say to wait for that.
    """
    row = await tx.fetchrow(_LOCK + ("" if waits else " skip locked"), tenant_id, endpoint_id)
    if row is None:
        return None
    reason = row["disabled_reason"]
    return LockedEndpoint(
        url=row["url"],
        headers=_headers.load(row["headers"]),
        rate_limit_per_sec=row["rate_limit_per_sec"],
        max_in_flight=row["max_in_flight"],
        disabled_reason=None if reason is None else DisabledReason(reason),
        is_test=row["is_test"],
        health=_health.load(row["health"]),
    )


async def lost(tx: Tx, tenant_id: UUID, endpoint_id: UUID, now: datetime) -> list[UnderWay]:
    """Deliveries of an endpoint that is locked, whose worker has not been heard of in time."""
    return [UnderWay(**row) for row in await tx.fetch(_LOST, tenant_id, endpoint_id, now)]


async def under_way(
    tx: Tx, tenant_id: UUID, delivery_id: UUID, attempt: int
) -> UnderWay | None:
    """A delivery in its `attempt`-th attempt; None when it has ended, or was taken up again."""
    row = await tx.fetchrow(_UNDER_WAY, tenant_id, delivery_id, attempt)
    return None if row is None else UnderWay(id=delivery_id, **row)


async def busy(tx: Tx, tenant_id: UUID, endpoint_id: UUID, now: datetime) -> Busy:
    """How busy an endpoint is that is locked."""
    row = await tx.fetchrow(_BUSY, tenant_id, endpoint_id, now)
    assert row is not None, "a select without from yields one row"
    return Busy(in_flight=row["in_flight"], begun=row["begun"])


async def take(
    tx: Tx,
    tenant_id: UUID,
    endpoint_id: UUID,
    *,
    limit: int,
    now: datetime,
    lease_until: datetime,
) -> list[Taken]:
    """Take up due deliveries of an endpoint that is locked; each attempt counts from here."""
    rows = await tx.fetch(_TAKE, tenant_id, endpoint_id, now, limit, lease_until)
    return [
        Taken(
            id=row["id"],
            attempt=row["attempt_count"],
            event_id=row["event_id"],
            type=row["type"],
            data=row["data"],
            happened_at=row["happened_at"],
            sequence=row["sequence"],
        )
        for row in rows
    ]
