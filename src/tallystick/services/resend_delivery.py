"""Send an event to an endpoint once more, because somebody asks for it."""

from uuid import UUID

from tallystick.db import webhook_deliveries, webhook_endpoints
from tallystick.domain.errors import Conflict, NotFound
from tallystick.domain.webhook_delivery import DeliveryEntry
from tallystick.domain.webhook_endpoint import roused
from tallystick.services.context import Context
from tallystick.services.ids import new_id


async def resend_delivery(ctx: Context, delivery_id: UUID) -> DeliveryEntry:
    """Queue the event of a delivery for the same endpoint again, and return the new delivery.

    It is sent at once, whatever else waits for the same object, under the same `webhook-id`;
    an endpoint that rests is tried again for it.

    Raises:
        NotFound: There is no such delivery, or its endpoint was deleted.
        Conflict: The endpoint is disabled.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    before = await webhook_deliveries.load(tx, tenant_id, delivery_id)
    endpoint = None
    if before is not None:
        endpoint = await webhook_endpoints.load(tx, tenant_id, before.endpoint_id, lock=True)
    if before is None or endpoint is None:
        raise NotFound("There is no such webhook delivery.")
    if endpoint.disabled_reason is not None:
        raise Conflict("This delivery's endpoint is disabled: enable it, then send again.")
    again_id = new_id()
    if endpoint.health.paused_until is not None:
        await webhook_endpoints.note_health(
            tx, tenant_id, endpoint.id, roused(endpoint.health), endpoint.disabled_reason
        )
    await webhook_deliveries.insert_again(tx, tenant_id, delivery_id, again_id)
    again = await webhook_deliveries.load(tx, tenant_id, again_id)
    assert again is not None, "just written"
    return again
