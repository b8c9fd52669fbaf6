"""Change what is granted, and take it away."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

from tallystick.db import entitlements, features
from tallystick.domain.entitlement import (
    Entitlement,
    EntitlementValue,
    Holder,
    HolderKind,
    NewEntitlement,
)
from tallystick.domain.errors import NotFound, fail_if
from tallystick.domain.feature import value_faults
from tallystick.services.attach_entitlements import attach
from tallystick.services.context import Context
from tallystick.services.feature_events import entitlement_told


async def edit_entitlement(
    ctx: Context,
    entitlement_id: UUID,
    change: Callable[[EntitlementValue], EntitlementValue],
) -> Entitlement:
    """Give an entitlement another value; it holds at once, for all who have it.

    Raises:
        NotFound: no such entitlement.
        InvalidInput: the value is not one of the feature's type.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    before = await entitlements.load(tx, tenant_id, entitlement_id, lock=True)
    if before is None:
        raise entitlement_not_found()
    value = change(before.value)
    feature = (await features.by_ids(tx, tenant_id, [before.feature_id]))[before.feature_id]
    fail_if(list(value_faults(feature.kind, value, "value")))
    if value == before.value:
        return before
    after = replace(before, value=value, updated_at=ctx.now)
    await _save(ctx, after)
    return after


async def delete_entitlement(ctx: Context, entitlement_id: UUID) -> None:
    """Take an entitlement away; raises `NotFound`."""
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    gone = await entitlements.load(tx, tenant_id, entitlement_id, lock=True)
    if gone is None:
        raise entitlement_not_found()
    await entitlements.delete(tx, tenant_id, entitlement_id)
    await entitlement_told(ctx, "deleted", gone)


async def set_entitlements(
    ctx: Context, version_id: UUID, wanted: Sequence[NewEntitlement]
) -> None:
    """Let a plan version grant exactly this, which was checked already."""
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    holder = Holder(HolderKind.PLAN_VERSION, version_id)
    values = {one.feature_id: one.value for one in wanted}
    for one in await entitlements.of_holders(tx, tenant_id, [holder]):
        value = values.get(one.feature_id)
        if value is None:
            await delete_entitlement(ctx, one.id)
        elif value != one.value:
            await _save(ctx, replace(one, value=value, updated_at=ctx.now))
    await attach(ctx, holder, wanted)


async def _save(ctx: Context, after: Entitlement) -> None:
    await entitlements.save(ctx.transaction, ctx.tenant.id, after)
    await entitlement_told(ctx, "updated", after)


def entitlement_not_found() -> NotFound:
    """What is told about an id that no entitlement of the tenant has."""
    return NotFound("There is no such entitlement.")
