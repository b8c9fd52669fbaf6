"""Deliveries as they are listed, asked for again, given an end, and forgotten."""

from datetime import datetime
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.one_row import hits_one_row
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.domain.webhook_delivery import (
    Answered,
    DeliveryEntry,
    DeliveryStatus,
    Outcome,
    error_of,
)

ORDERS = {"created_at": "d.created_at"}

KEPT_DAYS = 30
"""How long a delivery that has ended is listed."""

_ENTRY = """
    json_build_object('id', d.id, 'endpoint_id', d.endpoint_id, 'event_id', d.event_id,
        'event_type', d.event_type, 'sequence', d.sequence, 'manual', d.manual,
        'status', d.status, 'attempt_count', d.attempt_count,
        'next_attempt_at', d.next_attempt_at, 'last_response_status', d.last_response_status,
        'last_error', d.last_error, 'created_at', d.created_at,
        'completed_at', d.completed_at, 'attempts', coalesce((
            select json_agg(json_build_object('number', a.number, 'started_at', a.started_at,
                'ended_at', a.ended_at, 'response_status', a.response_status,
                'error', a.error, 'response_excerpt', a.response_excerpt) order by a.number)
            from webhook_attempts a
            where a.tenant_id = d.tenant_id and a.delivery_id = d.id), '[]'))
"""

_entry: Codec[DeliveryEntry] = Codec(DeliveryEntry)
_entries: Codec[tuple[DeliveryEntry, ...]] = Codec(tuple[DeliveryEntry, ...])

_PROMOTE = """
    update webhook_deliveries set next_attempt_at = $4
    where tenant_id = $1 and id = (
        select id from webhook_deliveries
        where tenant_id = $1 and endpoint_id = $2 and object_id = $3
          and status in ('PENDING', 'IN_FLIGHT') and status = 'PENDING' and not manual
        order by sequence limit 1)
"""

_PROMOTE_ALL = """
    update webhook_deliveries set next_attempt_at = clock_timestamp()
    where tenant_id = $1 and next_attempt_at is null and id in (
        select distinct on (object_id) id from webhook_deliveries
        where tenant_id = $1 and endpoint_id = $2 and status in ('PENDING', 'IN_FLIGHT')
          and not manual
        order by object_id, sequence)
      and status = 'PENDING'
"""


async def page(
    tx: Tx,
    tenant_id: UUID,
    window: Window,
    *,
    endpoint_id: UUID,
    status: DeliveryStatus | None = None,
) -> Page[DeliveryEntry]:
    """The window's deliveries of an endpoint, each with its attempts."""
    matching = Matching(tenant_id, "d")
    matching.only("d.endpoint_id = {}", endpoint_id)
    matching.only("d.status = {}", status)
    return await fetch_page(
        tx,
        _entries,
        item=_ENTRY,
        tables="webhook_deliveries d",
        matching=matching,
        orders=ORDERS,
        window=window,
    )


async def load(tx: Tx, tenant_id: UUID, delivery_id: UUID) -> DeliveryEntry | None:
    """The delivery, or None where the tenant has none of that id."""
    text = await tx.fetchval(
        f"""
        select {_ENTRY} from webhook_deliveries d where d.tenant_id = $1 and d.id = $2
        """,
        tenant_id,
        delivery_id,
    )
    return _entry.load_optional(text)


async def insert_again(tx: Tx, tenant_id: UUID, delivery_id: UUID, again_id: UUID) -> None:
    """Write a delivery of the same event to the same endpoint, due at once, out of order."""
    done = await tx.execute(
        """
        insert into webhook_deliveries (tenant_id, id, endpoint_id, event_id, event_type,
            object_id, sequence, manual, next_attempt_at, created_at)
        select tenant_id, $3, endpoint_id, event_id, event_type, object_id, sequence, true,
            clock_timestamp(), clock_timestamp()
        from webhook_deliveries where tenant_id = $1 and id = $2
        """,
        tenant_id,
        delivery_id,
        again_id,
    )
    hits_one_row(done, "a webhook delivery")


async def cancel(
    tx: Tx, tenant_id: UUID, endpoint_id: UUID, *, older_than: float | None = None
) -> None:
    """Give up what is not done of an endpoint that is locked, and let what follows come.

    Args:
        tx: The transaction.
        tenant_id: Whose endpoint it is.
        endpoint_id: The endpoint.
        older_than: Only what waits, and was made so many seconds ago; None: everything.
    """
    which = "status in ('PENDING', 'IN_FLIGHT')"
    if older_than is not None:
        which = """
            status in ('PENDING', 'IN_FLIGHT') and status = 'PENDING'
            and created_at < clock_timestamp() - make_interval(secs => $3)
        """
    await tx.execute(
        f"""
        update webhook_deliveries set status = 'CANCELLED', completed_at = clock_timestamp(),
            next_attempt_at = null, lease_until = null
        where tenant_id = $1 and endpoint_id = $2 and {which}
        """,
        tenant_id,
        endpoint_id,
        *(() if older_than is None else (older_than,)),
    )
    await tx.execute(_PROMOTE_ALL, tenant_id, endpoint_id)


async def note_outcome(
    tx: Tx,
    tenant_id: UUID,
    delivery_id: UUID,
    number: int,
    outcome: Outcome,
    now: datetime,
) -> None:
    """Write what an attempt came to, unless that is known already."""
    answered = outcome if isinstance(outcome, Answered) else None
    await tx.execute(
        """
        update webhook_attempts set ended_at = $4, response_status = $5, error = $6,
            response_excerpt = $7
        where tenant_id = $1 and delivery_id = $2 and number = $3 and ended_at is null
        """,
        tenant_id,
        delivery_id,
        number,
        now,
        None if answered is None else answered.status,
        error_of(outcome),
        None if answered is None else answered.excerpt,
    )


async def move(
    tx: Tx,
    tenant_id: UUID,
    delivery_id: UUID,
    *,
    status: DeliveryStatus,
    outcome: Outcome,
    next_attempt_at: datetime | None,
    now: datetime,
) -> None:
    """Write what becomes of a delivery that is under way, its endpoint being locked."""
    done = await tx.execute(
        """
        update webhook_deliveries set status = $3, next_attempt_at = $4, lease_until = null,
            last_response_status = $5, last_error = $6, completed_at = $7
        where tenant_id = $1 and id = $2 and status = 'IN_FLIGHT'
        """,
        tenant_id,
        delivery_id,
        status,
        next_attempt_at,
        outcome.status if isinstance(outcome, Answered) else None,
        error_of(outcome),
        now if status is not DeliveryStatus.PENDING else None,
    )
    hits_one_row(done, "a webhook delivery under way")


async def promote(
    tx: Tx, tenant_id: UUID, endpoint_id: UUID, object_id: UUID, now: datetime
) -> None:
    """Make the next event of an object due, the one before it being done."""
    await tx.execute(_PROMOTE, tenant_id, endpoint_id, object_id, now)


async def forget_ended(tx: Tx, limit: int) -> int:
    """Delete deliveries of all tenants that ended long ago, and return how many."""
    tag = await tx.execute(
        f"""
        delete from webhook_deliveries where (tenant_id, id) in (
            select tenant_id, id from webhook_deliveries
            where completed_at < clock_timestamp() - interval '{KEPT_DAYS} days'
            order by completed_at limit $1 for update skip locked)
        """,
        limit,
    )
    return int(tag.rpartition(" ")[2])
