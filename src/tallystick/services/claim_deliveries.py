"""Take up deliveries that are due: each is written down as begun before it is sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tallystick.db import due_deliveries, webhook_endpoints
from tallystick.db.due_deliveries import LockedEndpoint, Taken
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.webhook_delivery import Lost, room_of
from tallystick.services.context import App
from tallystick.services.event_body import event_body
from tallystick.services.record_delivery import settle

LEASE = timedelta(seconds=60)
"""Longer than any attempt takes: what is not noted by then was lost with its worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One attempt to deliver one event.

    Attributes:
        tenant_id: Whose event it is.
        endpoint_id: Where it goes.
        delivery_id: Which delivery this is an attempt of.
        attempt: The how-manieth, from 1.
        url: Where to.
        headers: Headers of the merchant's own.
        message_id: The event's id as it is known outside: `webhook-id`.
        body: What is sent, and signed.
        secrets: What signs it, the current secret first.
        begun_at: Real time.
        allows_private: Whether it may go to a private address.
    """

    tenant_id: UUID
    endpoint_id: UUID
    delivery_id: UUID
    attempt: int
    url: str
    headers: tuple[tuple[str, str], ...]
    message_id: str
    body: bytes
    secrets: tuple[bytes, ...]
    begun_at: datetime
    allows_private: bool


async def claim_deliveries(
    app: App, tenant_id: UUID, endpoint_id: UUID, now: datetime, limit: int
) -> list[Outgoing]:
    """Take up what is due for an endpoint, as much of it as the endpoint may get at once.

    A long verb of one transaction. Whoever is given an attempt sends it and records what it
    came to; if that does not happen within the lease, the delivery is taken up again.

    Args:
        app: What is wired once per process.
        tenant_id: Whose endpoint it is.
        endpoint_id: Which one; nothing is taken where another worker is at it.
        now: Real time.
        limit: How many the caller can send.
    """
    async with app.transaction() as tx:
        endpoint = await due_deliveries.lock_endpoint(tx, tenant_id, endpoint_id, waits=False)
        if endpoint is None:
            return []
        for delivery in await due_deliveries.lost(tx, tenant_id, endpoint_id, now):
            endpoint = await settle(tx, tenant_id, endpoint_id, endpoint, delivery, Lost(), now)
        if not _may_be_sent_to(endpoint, now):
            return []
        busy = await due_deliveries.busy(tx, tenant_id, endpoint_id, now)
        room = min(limit, room_of(endpoint.health, endpoint.max_in_flight, busy.in_flight))
        if endpoint.rate_limit_per_sec is not None:
            room = min(room, endpoint.rate_limit_per_sec - busy.begun)
        if room <= 0:
            return []
        taken = await due_deliveries.take(
            tx, tenant_id, endpoint_id, limit=room, now=now, lease_until=now + LEASE
        )
        secrets = await webhook_endpoints.secrets(tx, tenant_id, endpoint_id, now)
    headers = tuple((one.name, one.value) for one in endpoint.headers if one.value is not None)
    return [
        Outgoing(
            tenant_id=tenant_id,
            endpoint_id=endpoint_id,
            delivery_id=one.id,
            attempt=one.attempt,
            url=endpoint.url,
            headers=headers,
            message_id=encode(Prefix.EVENT, one.event_id),
            body=_body(one),
            secrets=tuple(secret.secret for secret in secrets),
            begun_at=now,
            allows_private=app.private_webhooks and endpoint.is_test,
        )
        for one in taken
    ]


def _may_be_sent_to(endpoint: LockedEndpoint, now: datetime) -> bool:
    paused_until = endpoint.health.paused_until
    is_paused = paused_until is not None and paused_until > now
    return endpoint.disabled_reason is None and not is_paused


def _body(one: Taken) -> bytes:
    return event_body(one.event_id, one.type, one.happened_at, one.sequence, one.data).encode()
