"""Grant features by a version of a plan, by an add-on, with a product, to a subscription."""

from collections.abc import Sequence
from uuid import UUID

from tallystick.db import (
    add_ons,
    entitled_subscriptions,
    entitlements,
    features,
    products,
)
from tallystick.domain.entitlement import Entitlement, Holder, HolderKind, NewEntitlement
from tallystick.domain.errors import Conflict, InvalidInput, NotFound, sentence
from tallystick.domain.feature import are_unknown, grant_faults
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.services.context import Context
from tallystick.services.feature_events import entitlements_created
from tallystick.services.ids import new_id

_OVER = (
    SubscriptionStatus.CANCELLED,
    SubscriptionStatus.COMPLETED,
    SubscriptionStatus.SUPERSEDED,
)


async def attach_to_version(
    ctx: Context, version_id: UUID, wanted: Sequence[NewEntitlement]
) -> tuple[Entitlement, ...]:
    """Grant features by a version of a plan, published or not; those it grants stay.

    A published version's prices never change; what it grants may (decision 0045).

    Raises:
        NotFound: no such version, or no such feature.
        InvalidInput: what else is wrong; every fault together.
    """
    found = await entitled_subscriptions.version(ctx.transaction, ctx.tenant.id, version_id)
    if found is None:
        raise NotFound("There is no such plan version.")
    await _check(ctx, wanted)
    return await attach(ctx, Holder(HolderKind.PLAN_VERSION, version_id), wanted)


async def attach_to_add_on(
    ctx: Context, add_on_id: UUID, wanted: Sequence[NewEntitlement]
) -> tuple[Entitlement, ...]:
    """Grant features by an add-on; those it grants stay. Raises as `attach_to_version`."""
    if not await add_ons.load_many(ctx.transaction, ctx.tenant.id, [add_on_id]):
        raise NotFound("There is no such add-on.")
    await _check(ctx, wanted)
    return await attach(ctx, Holder(HolderKind.ADD_ON, add_on_id), wanted)


async def attach_to_product(
    ctx: Context, product_id: UUID, wanted: Sequence[NewEntitlement]
) -> tuple[Entitlement, ...]:
    """Give defaults to features of a product; those that have one keep it.

    Raises as `attach_to_version`, also for a feature that is not of this product.
    """
    if await products.load(ctx.transaction, ctx.tenant.id, product_id) is None:
        raise NotFound("There is no such product.")
    await _check(ctx, wanted, product_id)
    made = [
        _entitlement(ctx, Holder(HolderKind.FEATURE, one.feature_id), one) for one in wanted
    ]
    return await _write(ctx, made)


async def attach_to_subscription(
    ctx: Context, subscription_id: UUID, wanted: Sequence[NewEntitlement]
) -> tuple[Entitlement, ...]:
    """Grant features to one subscription, in the place of what its plan and add-ons grant.

    Raises as `attach_to_version`, and:
        Conflict: the subscription is over.
    """
    facts = await entitled_subscriptions.load(ctx.transaction, ctx.tenant.id, subscription_id)
    if facts is None:
        raise NotFound("There is no such subscription.")
    await _check(ctx, wanted)
    if facts.status in _OVER:
        raise Conflict(f"This subscription is {facts.status.value}: it grants nothing more.")
    return await attach(ctx, Holder(HolderKind.SUBSCRIPTION, subscription_id), wanted)


async def attach(
    ctx: Context, holder: Holder, wanted: Sequence[NewEntitlement]
) -> tuple[Entitlement, ...]:
    """Write what was checked already; returns what was not there yet."""
    return await _write(ctx, [_entitlement(ctx, holder, one) for one in wanted])


async def _check(
    ctx: Context, wanted: Sequence[NewEntitlement], product_id: UUID | None = None
) -> None:
    found = await features.by_ids(
        ctx.transaction, ctx.tenant.id, {one.feature_id for one in wanted}
    )
    faults = grant_faults(wanted, found, product_id=product_id)
    if are_unknown(faults):
        raise NotFound(sentence(faults), tuple(faults))
    if faults:
        raise InvalidInput(sentence(faults), tuple(faults))


def _entitlement(ctx: Context, holder: Holder, new: NewEntitlement) -> Entitlement:
    return Entitlement(
        id=new_id(),
        feature_id=new.feature_id,
        holder=holder,
        value=new.value,
        created_at=ctx.now,
        updated_at=ctx.now,
    )


async def _write(ctx: Context, made: Sequence[Entitlement]) -> tuple[Entitlement, ...]:
    if not made:
        return ()
    written = await entitlements.insert_missing(ctx.transaction, ctx.tenant.id, made)
    if written:
        await entitlements_created(ctx, written)
    return written
