"""Create an endpoint of webhooks, with its secret."""

from dataclasses import dataclass

from tallystick.db import webhook_endpoints
from tallystick.domain.errors import Conflict, fail_if
from tallystick.domain.webhook_endpoint import (
    DisabledReason,
    EndpointFields,
    Health,
    WebhookEndpoint,
    endpoint_faults,
    needs_setup,
)
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.webhook_secret import new_secret

ENDPOINTS_MAX = 50
"""Of one tenant; each gets a copy of every event that it asks for."""
IN_FLIGHT_OF_TEST = 5
IN_FLIGHT_OF_LIVE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedEndpoint:
    """An endpoint just made, and the secret that signs what it gets."""

    endpoint: WebhookEndpoint
    secret: bytes


async def create_webhook_endpoint(ctx: Context, wanted: EndpointFields) -> CreatedEndpoint:
    """Create an endpoint of the tenant, which is sent what happens from now on.

    One with a sensitive header that has no value yet begins disabled.

    Raises:
        InvalidInput: What is said cannot be; every fault together.
        Conflict: The tenant has as many as it may.
    """
    fail_if(endpoint_faults(wanted, allows_private=ctx.allows_private_webhooks))
    if await webhook_endpoints.count(ctx.transaction, ctx.tenant.id) >= ENDPOINTS_MAX:
        raise Conflict(f"There are {ENDPOINTS_MAX} webhook endpoints; delete one first.")
    is_waiting = needs_setup(wanted.headers)
    endpoint = WebhookEndpoint(
        url=wanted.url,
        description=wanted.description,
        event_types=wanted.event_types,
        headers=wanted.headers,
        rate_limit_per_sec=wanted.rate_limit_per_sec,
        id=new_id(),
        max_in_flight=IN_FLIGHT_OF_TEST if ctx.tenant.is_test else IN_FLIGHT_OF_LIVE,
        disabled_reason=DisabledReason.MANUAL if is_waiting else None,
        health=Health(),
        created_at=ctx.now,
        updated_at=ctx.now,
    )
    secret = new_secret()
    await webhook_endpoints.insert(ctx.transaction, ctx.tenant.id, endpoint)
    await webhook_endpoints.add_secret(
        ctx.transaction, ctx.tenant.id, endpoint.id, new_id(), secret
    )
    return CreatedEndpoint(endpoint=endpoint, secret=secret)
