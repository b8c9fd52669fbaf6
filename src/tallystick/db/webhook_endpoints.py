"""Endpoints of webhooks, and the secrets that sign what is sent to them.

A secret must be had again for each signature, so it is kept as it is, like the tenants' link
secrets: who can read the database can sign.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.one_row import hits_one_row
from tallystick.domain.webhook_endpoint import (
    DisabledReason,
    Health,
    WebhookEndpoint,
    WebhookHeader,
    needs_setup,
)

OLD_SECRET_LIFE = "interval '24 hours'"  # noqa: S105 - a span of time
"""How long a secret that was replaced still signs, in real time."""

_ENDPOINT = """
    json_build_object('id', e.id, 'url', e.url, 'description', e.description,
        'event_types', e.event_types, 'headers', e.headers,
        'rate_limit_per_sec', e.rate_limit_per_sec, 'max_in_flight', e.max_in_flight,
        'disabled_reason', e.disabled_reason,
        'health', json_build_object('consecutive_failures', e.consecutive_failures,
            'unreached', e.unreached, 'failing_since', e.failing_since,
            'last_success_at', e.last_success_at, 'last_failure_at', e.last_failure_at,
            'paused_until', e.paused_until),
        'created_at', e.created_at, 'updated_at', e.updated_at)
"""

_LAST_NUMBER = """
    coalesce((select last_sequence from event_counters where tenant_id = $1), 0)
"""

_endpoint: Codec[WebhookEndpoint] = Codec(WebhookEndpoint)
_endpoints: Codec[tuple[WebhookEndpoint, ...]] = Codec(tuple[WebhookEndpoint, ...])
_headers: Codec[tuple[WebhookHeader, ...]] = Codec(tuple[WebhookHeader, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret that signs; the current one is not replaced."""

    secret: bytes
    is_current: bool


async def insert(tx: Tx, tenant_id: UUID, endpoint: WebhookEndpoint) -> None:
    """Write a new endpoint; it is sent what gets its number from now on."""
    await tx.execute(
        f"""
        insert into webhook_endpoints (tenant_id, id, url, description, event_types, headers,
            needs_setup, rate_limit_per_sec, max_in_flight, disabled_reason, relayed_to,
            created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, {_LAST_NUMBER}, $11, $12)
        """,
        tenant_id,
        endpoint.id,
        endpoint.url,
        endpoint.description,
        list(endpoint.event_types),
        _headers.dump(endpoint.headers),
        needs_setup(endpoint.headers),
        endpoint.rate_limit_per_sec,
        endpoint.max_in_flight,
        endpoint.disabled_reason,
        endpoint.created_at,
        endpoint.updated_at,
    )


async def count(tx: Tx, tenant_id: UUID) -> int:
    """How many endpoints the tenant has; whoever adds one waits for whoever is adding one."""
    await tx.execute("select from tenants where id = $1 for no key update", tenant_id)
    found: int = await tx.fetchval(
        "select count(*) from webhook_endpoints where tenant_id = $1 and archived_at is null",
        tenant_id,
    )
    return found


async def every(tx: Tx, tenant_id: UUID) -> tuple[WebhookEndpoint, ...]:
    """Every endpoint of the tenant, newest first; there are not many."""
    text = await tx.fetchval(
        f"""
        select coalesce(json_agg({_ENDPOINT} order by e.created_at desc, e.id desc), '[]')
        from webhook_endpoints e where e.tenant_id = $1 and e.archived_at is null
        """,
        tenant_id,
    )
    return _endpoints.load(text)


async def load(
    tx: Tx, tenant_id: UUID, endpoint_id: UUID, *, lock: bool = False
) -> WebhookEndpoint | None:
    """The endpoint, or None where the tenant has none of that id, or has deleted it."""
    text = await tx.fetchval(
        f"""
        select {_ENDPOINT} from webhook_endpoints e
        where e.tenant_id = $1 and e.id = $2 and e.archived_at is null
        {"for no key update" if lock else ""}
        """,
        tenant_id,
        endpoint_id,
    )
    return _endpoint.load_optional(text)


async def save(tx: Tx, tenant_id: UUID, endpoint: WebhookEndpoint) -> None:
    """Write an endpoint that is locked, as it is to be."""
    done = await tx.execute(
        """
        update webhook_endpoints set url = $3, description = $4, event_types = $5,
            headers = $6, needs_setup = $7, rate_limit_per_sec = $8, disabled_reason = $9,
            updated_at = $10
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        endpoint.id,
        endpoint.url,
        endpoint.description,
        list(endpoint.event_types),
        _headers.dump(endpoint.headers),
        needs_setup(endpoint.headers),
        endpoint.rate_limit_per_sec,
        endpoint.disabled_reason,
        endpoint.updated_at,
    )
    hits_one_row(done, "a webhook endpoint")
    await note_health(tx, tenant_id, endpoint.id, endpoint.health, endpoint.disabled_reason)


async def note_health(
    tx: Tx,
    tenant_id: UUID,
    endpoint_id: UUID,
    health: Health,
    disabled_reason: DisabledReason | None,
) -> None:
    """Write how an endpoint that is locked does, and why nothing is sent to it, if so."""
    done = await tx.execute(
        """
        update webhook_endpoints set consecutive_failures = $3, unreached = $4,
            failing_since = $5, last_success_at = $6, last_failure_at = $7, paused_until = $8,
            disabled_reason = $9
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        endpoint_id,
        health.consecutive_failures,
        health.unreached,
        health.failing_since,
        health.last_success_at,
        health.last_failure_at,
        health.paused_until,
        disabled_reason,
    )
    hits_one_row(done, "a webhook endpoint")


async def skip_old(tx: Tx, tenant_id: UUID, endpoint_id: UUID, seconds: float) -> None:
    """Let an endpoint that is locked miss the events that were stored so long ago."""
    await tx.execute(
        """
        update webhook_endpoints set relayed_to = greatest(relayed_to, coalesce((
            select v.sequence from events v
            where v.tenant_id = $1 and v.sequence is not null
              and v.stored_at < clock_timestamp() - make_interval(secs => $3)
            order by v.sequence desc limit 1), 0))
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        endpoint_id,
        seconds,
    )


async def archive(tx: Tx, tenant_id: UUID, endpoint_id: UUID, now: datetime) -> None:
    """Delete an endpoint that is locked: it is kept for its deliveries, and seen no more.

    Its secrets and its headers are forgotten, since they open doors of the merchant's.
    """
    done = await tx.execute(
        """
        update webhook_endpoints
        set archived_at = $3, updated_at = $3, headers = '[]', needs_setup = false
        where tenant_id = $1 and id = $2 and archived_at is null
        """,
        tenant_id,
        endpoint_id,
        now,
    )
    hits_one_row(done, "a webhook endpoint")
    await tx.execute(
        "delete from webhook_secrets where tenant_id = $1 and endpoint_id = $2",
        tenant_id,
        endpoint_id,
    )


async def forget_replaced_secrets(tx: Tx) -> int:
    """Delete secrets of all tenants that sign no more, and return how many."""
    tag = await tx.execute("delete from webhook_secrets where valid_until <= clock_timestamp()")
    return int(tag.rpartition(" ")[2])


async def add_secret(
    tx: Tx, tenant_id: UUID, endpoint_id: UUID, secret_id: UUID, secret: bytes
) -> None:
    """Make a secret the current one; the one before signs for a day more."""
    await tx.execute(
        f"""
        update webhook_secrets set valid_until = clock_timestamp() + {OLD_SECRET_LIFE}
        where tenant_id = $1 and endpoint_id = $2 and valid_until is null
        """,
        tenant_id,
        endpoint_id,
    )
    await tx.execute(
        """
        insert into webhook_secrets (tenant_id, id, endpoint_id, secret)
        values ($1, $2, $3, $4)
        """,
        tenant_id,
        secret_id,
        endpoint_id,
        secret,
    )


async def secrets(
    tx: Tx, tenant_id: UUID, endpoint_id: UUID, now: datetime | None = None
) -> list[Secret]:
    """The secrets that sign at an instant of real time (None: this one), newest first."""
    rows = await tx.fetch(
        """
        select secret, valid_until is null as is_current from webhook_secrets
        where tenant_id = $1 and endpoint_id = $2
          and (valid_until is null or valid_until > coalesce($3, clock_timestamp()))
        order by valid_until is null desc, valid_until desc
        """,
        tenant_id,
        endpoint_id,
        now,
    )
    return [Secret(secret=row["secret"], is_current=row["is_current"]) for row in rows]
