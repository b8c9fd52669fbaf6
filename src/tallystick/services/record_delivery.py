"""Note what an attempt to deliver came to, and decide what follows from it."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog

from tallystick.db import due_deliveries, webhook_deliveries, webhook_endpoints
from tallystick.db.due_deliveries import LockedEndpoint, UnderWay
from tallystick.db.engine import Tx
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.webhook_delivery import (
    DeliveryStatus,
    Outcome,
    disabled_by,
    health_after,
    is_success,
    next_attempt,
)
from tallystick.services.context import App

log = structlog.get_logger(__name__)


async def record_delivery(
    app: App,
    tenant_id: UUID,
    endpoint_id: UUID,
    *,
    delivery_id: UUID,
    attempt: int,
    outcome: Outcome,
    now: datetime,
) -> None:
    """Note what an attempt came to. Twice, or too late, changes nothing but the attempt.

    A long verb of one transaction.

    Args:
        app: What is wired once per process.
        tenant_id: Whose delivery it is.
        endpoint_id: Its endpoint.
        delivery_id: Which one.
        attempt: The how-manieth attempt.
        outcome: What it came to.
        now: Real time.
    """
    async with app.transaction() as tx:
        endpoint = await due_deliveries.lock_endpoint(tx, tenant_id, endpoint_id, waits=True)
        assert endpoint is not None, "endpoints are kept"
        delivery = await due_deliveries.under_way(tx, tenant_id, delivery_id, attempt)
        if delivery is None:
            # It was cancelled, or taken for lost and taken up again.
            await webhook_deliveries.note_outcome(
                tx, tenant_id, delivery_id, attempt, outcome, now
            )
            return
        await settle(tx, tenant_id, endpoint_id, endpoint, delivery, outcome, now)


async def settle(
    tx: Tx,
    tenant_id: UUID,
    endpoint_id: UUID,
    endpoint: LockedEndpoint,
    delivery: UnderWay,
    outcome: Outcome,
    now: datetime,
) -> LockedEndpoint:
    """Write what an attempt leads to, and return the endpoint as it is then."""
    await webhook_deliveries.note_outcome(
        tx, tenant_id, delivery.id, delivery.attempt_count, outcome, now
    )
    again = None
    if is_success(outcome):
        status = DeliveryStatus.SUCCEEDED
    else:
        again = next_attempt(delivery.attempt_count, delivery.created_at, now)
        status = DeliveryStatus.FAILED if again is None else DeliveryStatus.PENDING
    await webhook_deliveries.move(
        tx,
        tenant_id,
        delivery.id,
        status=status,
        outcome=outcome,
        next_attempt_at=again,
        now=now,
    )
    if again is None and not delivery.manual:
        await webhook_deliveries.promote(tx, tenant_id, endpoint_id, delivery.object_id, now)
    health = health_after(endpoint.health, outcome, now)
    disabled = endpoint.disabled_reason or disabled_by(health, outcome, now)
    if health != endpoint.health or disabled is not endpoint.disabled_reason:
        await webhook_endpoints.note_health(tx, tenant_id, endpoint_id, health, disabled)
    if disabled is not endpoint.disabled_reason:
        log.warning(
            "webhook.endpoint_disabled",
            endpoint=encode(Prefix.WEBHOOK_ENDPOINT, endpoint_id),
            tenant=encode(Prefix.TENANT, tenant_id),
            reason=disabled,
        )
    return replace(endpoint, health=health, disabled_reason=disabled)
