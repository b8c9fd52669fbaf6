"""Webhooks: `/webhooks`."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from tallystick.db import webhook_deliveries, webhook_endpoints
from tallystick.db.paging import Page
from tallystick.domain.errors import Conflict
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.webhook_delivery import DeliveryEntry
from tallystick.domain.webhook_endpoint import WebhookEndpoint
from tallystick.http.door import Entered, Route
from tallystick.http.reads_too import READS_TOO
from tallystick.http.v1.existing import existing
from tallystick.http.v1.scalars import WebhookDeliveryId, WebhookEndpointId
from tallystick.http.v1.webhook_schemas import (
    CreatedWebhookEndpoint,
    CreateWebhookEndpointRequest,
    DeliveryQuery,
    UpdateWebhookEndpointRequest,
    WebhookDeliveryList,
    WebhookDeliveryOut,
    WebhookEndpointList,
    WebhookEndpointOut,
    WebhookEndpointSecret,
    said_about,
    show_created,
    show_delivery,
    show_endpoint,
    show_secret,
    to_fields,
)
from tallystick.services.context import Context
from tallystick.services.create_webhook_endpoint import create_webhook_endpoint
from tallystick.services.edit_webhook_endpoint import (
    delete_webhook_endpoint,
    edit_webhook_endpoint,
    reveal_webhook_secret,
    rotate_webhook_secret,
)
from tallystick.services.resend_delivery import resend_delivery

router = APIRouter(prefix="/webhooks", tags=["Webhooks"], route_class=Route)


@router.get("/endpoints", response_model=WebhookEndpointList)
async def list_endpoints(door: Entered) -> Response:
    """List webhook endpoints."""

    def show(found: tuple[WebhookEndpoint, ...]) -> WebhookEndpointList:
        return WebhookEndpointList(data=[show_endpoint(one) for one in found])

    return await door.read(
        lambda ctx: webhook_endpoints.every(ctx.transaction, ctx.tenant.id), show
    )


@router.post(
    "/endpoints",
    status_code=201,
    response_model=CreatedWebhookEndpoint,
    dependencies=[READS_TOO],
)
async def post_endpoint(door: Entered, body: CreateWebhookEndpointRequest) -> Response:
    """Create a webhook endpoint; its secret is in the answer.

    It is sent what happens from now on; so the key needs both scopes. A repeat under the same
    `Idempotency-Key` does not get the secret again: it is answered 409 with the endpoint's id.
    """
    wanted = to_fields(body)
    return await door.write(
        lambda ctx: create_webhook_endpoint(ctx, wanted),
        show_created,
        status=201,
        once_shown=lambda created: _once_shown("created", created.endpoint.id),
    )


@router.get("/endpoints/{endpoint_id}", response_model=WebhookEndpointOut)
async def get_endpoint(door: Entered, endpoint_id: WebhookEndpointId) -> Response:
    """Get a webhook endpoint."""
    return await door.read(
        lambda ctx: existing(
            webhook_endpoints.load(ctx.transaction, ctx.tenant.id, endpoint_id),
            "webhook endpoint",
        ),
        show_endpoint,
    )


@router.patch(
    "/endpoints/{endpoint_id}", response_model=WebhookEndpointOut, dependencies=[READS_TOO]
)
async def patch_endpoint(
    door: Entered, endpoint_id: WebhookEndpointId, body: UpdateWebhookEndpointRequest
) -> Response:
    """Change a webhook endpoint: what is left out stays, null clears.

    Where `url` changes to another host, the values of sensitive headers must be given again.
    The key needs both scopes, as for a new endpoint.
    """
    said = said_about(body)
    return await door.write(
        lambda ctx: edit_webhook_endpoint(ctx, endpoint_id, said, disabled=body.disabled),
        show_endpoint,
    )


@router.delete("/endpoints/{endpoint_id}", status_code=204)
async def delete_endpoint(door: Entered, endpoint_id: WebhookEndpointId) -> Response:
    """Delete a webhook endpoint; what was still to be sent to it is cancelled."""
    return await door.write(
        lambda ctx: delete_webhook_endpoint(ctx, endpoint_id), None, status=204
    )


@router.get("/endpoints/{endpoint_id}/deliveries", response_model=WebhookDeliveryList)
async def list_deliveries(
    door: Entered, endpoint_id: WebhookEndpointId, query: Annotated[DeliveryQuery, Query()]
) -> Response:
    """List what was and will be sent to a webhook endpoint, each with its attempts.

    Deliveries are kept for 30 days after their end.
    """

    async def find(ctx: Context) -> Page[DeliveryEntry]:
        tx, tenant_id = ctx.transaction, ctx.tenant.id
        await existing(webhook_endpoints.load(tx, tenant_id, endpoint_id), "webhook endpoint")
        return await webhook_deliveries.page(
            tx,
            tenant_id,
            query.window(query.order_by),
            endpoint_id=endpoint_id,
            status=query.status,
        )

    def show(page: Page[DeliveryEntry]) -> WebhookDeliveryList:
        return WebhookDeliveryList(
            data=[show_delivery(one) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    return await door.read(find, show)


@router.post(
    "/endpoints/{endpoint_id}/rotate-secret",
    response_model=WebhookEndpointSecret,
    dependencies=[READS_TOO],
)
async def rotate_secret(door: Entered, endpoint_id: WebhookEndpointId) -> Response:
    """Give a webhook endpoint a new secret; the old one signs beside it for 24 hours.

    The new one is in the answer; so the key needs both scopes.
    """
    return await door.write(
        lambda ctx: rotate_webhook_secret(ctx, endpoint_id),
        show_secret,
        once_shown=lambda _: _once_shown("given a new secret", endpoint_id),
    )


@router.get("/endpoints/{endpoint_id}/secret", response_model=WebhookEndpointSecret)
async def get_secret(door: Entered, endpoint_id: WebhookEndpointId) -> Response:
    """Reveal the current secret of a webhook endpoint."""
    return await door.read(lambda ctx: reveal_webhook_secret(ctx, endpoint_id), show_secret)


@router.post("/deliveries/{delivery_id}/resend", response_model=WebhookDeliveryOut)
async def resend(door: Entered, delivery_id: WebhookDeliveryId) -> Response:
    """Send an event to its endpoint once more, at once and out of order.

    The new delivery has the `webhook-id` of the old one, so that a receiver that has taken the
    event knows it again.
    """
    return await door.write(lambda ctx: resend_delivery(ctx, delivery_id), show_delivery)


def _once_shown(done: str, endpoint_id: WebhookEndpointId) -> Conflict:
    name = encode(Prefix.WEBHOOK_ENDPOINT, endpoint_id)
    return Conflict(
        f"The webhook endpoint {name} was {done} by the first request with this "
        "Idempotency-Key, and its secret was in the answer to it. "
        f"GET /api/v1/webhooks/endpoints/{name}/secret shows it again."
    )
