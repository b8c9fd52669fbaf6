"""Change an endpoint of webhooks: what it gets, whether it gets it, its secret; delete it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from tallystick.db import webhook_deliveries, webhook_endpoints
from tallystick.domain.errors import Conflict, Fault, NotFound, fail_if
from tallystick.domain.webhook_delivery import TRIED_FOR
from tallystick.domain.webhook_endpoint import (
    DisabledReason,
    WebhookEndpoint,
    endpoint_faults,
    merged_headers,
    moved_faults,
    needs_setup,
    roused,
    untried,
)
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.webhook_secret import new_secret

SECRETS_MAX = 5
"""So many sign at once: the current one, and those that were replaced within a day."""


async def edit_webhook_endpoint(
    ctx: Context,
    endpoint_id: UUID,
    said: Mapping[str, Any],
    *,
    disabled: bool | None = None,
) -> WebhookEndpoint:
    """Change an endpoint and return what it is then.

    Enabling it forgets its failures, and so does another address. What it missed while it was
    disabled is sent then, as far as that is not older than three days. One that rests is tried
    at once when it is enabled again.

    Args:
        ctx: The context, with its transaction.
        endpoint_id: Which one.
        said: The fields to change, of `EndpointFields`.
        disabled: Whether it is to be disabled; None leaves that as it is.

    Raises:
        NotFound: There is no such endpoint.
        InvalidInput: It cannot be as changed; every fault together.
        Conflict: It is to be enabled, and a sensitive header still waits for its value.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    before = await _locked(ctx, endpoint_id)
    after = replace(before, **said, updated_at=ctx.now)
    if "headers" in said:
        after = replace(after, headers=merged_headers(before.headers, after.headers))
    faults = endpoint_faults(
        # An address that is not changed was good enough when it was.
        after,
        allows_private=ctx.allows_private_webhooks or after.url == before.url,
    )
    faults += moved_faults(before, after, said.get("headers", ()))
    fail_if(faults)
    if after.url != before.url:
        after = replace(after, health=untried(before.health))
    after = _switched(before, after, disabled=disabled)
    await webhook_endpoints.save(tx, tenant_id, after)
    if before.disabled_reason is not None and after.disabled_reason is None:
        old = TRIED_FOR.total_seconds()
        await webhook_endpoints.skip_old(tx, tenant_id, endpoint_id, old)
        await webhook_deliveries.cancel(tx, tenant_id, endpoint_id, older_than=old)
    return after


async def delete_webhook_endpoint(ctx: Context, endpoint_id: UUID) -> None:
    """Delete an endpoint; what was still to be sent to it is cancelled.

    Raises:
        NotFound: There is no such endpoint.
    """
    await _locked(ctx, endpoint_id)
    await webhook_deliveries.cancel(ctx.transaction, ctx.tenant.id, endpoint_id)
    await webhook_endpoints.archive(ctx.transaction, ctx.tenant.id, endpoint_id, ctx.now)


async def rotate_webhook_secret(ctx: Context, endpoint_id: UUID) -> bytes:
    """Give an endpoint a new secret and return it; the old one signs beside it for a day.

    Raises:
        NotFound: There is no such endpoint.
        Conflict: It was rotated so often within a day that receivers could not keep up.
    """
    await _locked(ctx, endpoint_id)
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    if len(await webhook_endpoints.secrets(tx, tenant_id, endpoint_id)) >= SECRETS_MAX:
        raise Conflict(
            f"This secret was rotated {SECRETS_MAX - 1} times within 24 hours, and the old "
            "ones still sign. Wait until the first of them has run out."
        )
    secret = new_secret()
    await webhook_endpoints.add_secret(tx, tenant_id, endpoint_id, new_id(), secret)
    return secret


async def reveal_webhook_secret(ctx: Context, endpoint_id: UUID) -> bytes:
    """The current secret of an endpoint.

    Raises:
        NotFound: There is no such endpoint.
    """
    if await webhook_endpoints.load(ctx.transaction, ctx.tenant.id, endpoint_id) is None:
        raise endpoint_not_found()
    (current, *_) = await webhook_endpoints.secrets(ctx.transaction, ctx.tenant.id, endpoint_id)
    assert current.is_current, "every endpoint has a current secret"
    return current.secret


def endpoint_not_found() -> NotFound:
    """What is told about an id that no endpoint of the tenant has."""
    return NotFound("There is no such webhook endpoint.")


async def _locked(ctx: Context, endpoint_id: UUID) -> WebhookEndpoint:
    found = await webhook_endpoints.load(ctx.transaction, ctx.tenant.id, endpoint_id, lock=True)
    if found is None:
        raise endpoint_not_found()
    return found


def _switched(
    before: WebhookEndpoint, after: WebhookEndpoint, *, disabled: bool | None
) -> WebhookEndpoint:
    """Enabled or disabled, as asked and as its headers let it be."""
    is_waiting = needs_setup(after.headers)
    if disabled is False and is_waiting:
        waiting = ", ".join(one.name for one in after.headers if one.value is None)
        fault = Fault("disabled", "needs_setup", f"needs the value of {waiting} first")
        raise Conflict(f"disabled: {fault.message}", (fault,))
    if disabled is False:
        if before.disabled_reason is None:
            return replace(after, health=roused(after.health))
        return replace(after, disabled_reason=None, health=untried(before.health))
    if disabled or is_waiting:
        return replace(after, disabled_reason=before.disabled_reason or DisabledReason.MANUAL)
    return after
