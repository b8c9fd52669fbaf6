"""What customers may do now, and what single things grant."""

from collections.abc import Sequence
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

from tallystick.db import (
    add_ons,
    customers,
    entitled_subscriptions,
    entitlements,
    features,
    metrics,
    products,
    usage,
)
from tallystick.domain.entitlement import EntitlementValue, Holder, HolderKind
from tallystick.domain.errors import NotFound
from tallystick.domain.feature import Feature, MeteredFeature
from tallystick.domain.live_subscription import SubscriptionFacts, subscribed
from tallystick.domain.resolve_entitlements import (
    Effective,
    Resolved,
    Subscribed,
    attached,
    effective,
    resolve_subscriptions,
    resolve_thing,
)
from tallystick.domain.usage_window import Window, window_of
from tallystick.services.context import Context
from tallystick.services.edit_customer import customer_not_found

Granted = list[tuple[Feature, EntitlementValue]]
"""What one thing grants of each feature."""


async def customer_entitlements(ctx: Context, id_or_alias: UUID | str) -> list[Effective]:
    """What a customer may do by all of its subscriptions, and how much is left.

    Raises `NotFound`.
    """
    customer = await customers.load(ctx.transaction, ctx.tenant.id, id_or_alias)
    if customer is None:
        raise customer_not_found()
    facts = await entitled_subscriptions.of_customer(
        ctx.transaction, ctx.tenant.id, customer.id
    )
    return await _effective(ctx, customer.id, facts)


async def subscription_entitlements(ctx: Context, subscription_id: UUID) -> list[Effective]:
    """What a subscription grants, and how much of it its customer has left.

    Raises `NotFound`.
    """
    facts = await entitled_subscriptions.load(ctx.transaction, ctx.tenant.id, subscription_id)
    if facts is None:
        raise NotFound("There is no such subscription.")
    return await _effective(ctx, facts.customer_id, [facts])


async def version_entitlements(ctx: Context, version_id: UUID) -> Granted:
    """What a version of a plan grants, without its add-ons; raises `NotFound`."""
    version = await entitled_subscriptions.version(ctx.transaction, ctx.tenant.id, version_id)
    if version is None:
        raise NotFound("There is no such plan version.")
    holder = Holder(HolderKind.PLAN_VERSION, version_id)
    return await _of_thing(ctx, holder, version.product_ids, with_global=True)


async def add_on_entitlements(ctx: Context, add_on_id: UUID) -> Granted:
    """What one of an add-on grants; raises `NotFound`."""
    found = await add_ons.load_many(ctx.transaction, ctx.tenant.id, [add_on_id])
    if add_on_id not in found:
        raise NotFound("There is no such add-on.")
    product_ids = frozenset({found[add_on_id].product.id})
    return await _of_thing(ctx, Holder(HolderKind.ADD_ON, add_on_id), product_ids)


async def product_entitlements(ctx: Context, product_id: UUID) -> Granted:
    """The defaults of a product's features; raises `NotFound`."""
    if await products.load(ctx.transaction, ctx.tenant.id, product_id) is None:
        raise NotFound("There is no such product.")
    return await _of_thing(ctx, None, frozenset({product_id}))


async def _of_thing(
    ctx: Context,
    holder: Holder | None,
    product_ids: frozenset[UUID],
    *,
    with_global: bool = False,
) -> Granted:
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    found = await entitlements.of_holders(tx, tenant_id, [] if holder is None else [holder])
    named = {one.feature_id for one in found}
    grantable = await features.grantable(
        tx, tenant_id, named, product_ids, with_global=with_global
    )
    return resolve_thing(
        grantable, attached(found), holder, product_ids, with_global=with_global
    )


async def _effective(
    ctx: Context, customer_id: UUID, facts: Sequence[SubscriptionFacts]
) -> list[Effective]:
    zone = ZoneInfo(ctx.tenant.time_zone)
    living = [subscribed(one, ctx.today, zone) for one in facts]
    subscriptions = [one for one in living if one is not None]
    if not subscriptions:
        return []
    resolved = await _resolve(ctx, subscriptions)
    windows = [
        [window_of(one.reset, one.anchors, ctx.now, zone) for one in each.value]
        if isinstance(each.value, tuple)
        else []
        for each in resolved
    ]
    consumed = await _consumed(ctx, customer_id, resolved, windows)
    return [
        effective(each, its, used)
        for each, its, used in zip(resolved, windows, consumed, strict=True)
    ]


async def _resolve(ctx: Context, subscriptions: Sequence[Subscribed]) -> list[Resolved]:
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    holders = {
        *(Holder(HolderKind.SUBSCRIPTION, one.id) for one in subscriptions),
        *(Holder(HolderKind.PLAN_VERSION, one.plan_version_id) for one in subscriptions),
        *(
            Holder(HolderKind.ADD_ON, add_on.add_on_id)
            for one in subscriptions
            for add_on in one.add_ons
        ),
    }
    product_ids = {
        *(product_id for one in subscriptions for product_id in one.product_ids),
        *(add_on.product_id for one in subscriptions for add_on in one.add_ons),
    }
    found = await entitlements.of_holders(tx, tenant_id, holders)
    grantable = await features.grantable(
        tx, tenant_id, {one.feature_id for one in found}, product_ids, with_global=True
    )
    return resolve_subscriptions(subscriptions, grantable, attached(found))


async def _consumed(
    ctx: Context,
    customer_id: UUID,
    resolved: Sequence[Resolved],
    windows: Sequence[Sequence[Window]],
) -> list[list[Fraction]]:
    """What the customer used in each window of each feature; one statement a metric."""
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    metric_ids = [
        each.feature.kind.metric_id if isinstance(each.feature.kind, MeteredFeature) else None
        for each in resolved
    ]
    wanted: dict[UUID, list[Window]] = {}
    for metric_id, its in zip(metric_ids, windows, strict=True):
        if metric_id is not None:
            wanted.setdefault(metric_id, []).extend(its)
    if not wanted:
        return [[] for _ in resolved]
    known = await metrics.by_ids(tx, tenant_id, wanted)
    used: dict[UUID, dict[Window, Fraction]] = {}
    for metric_id, asked in wanted.items():
        distinct = list(dict.fromkeys(asked))
        units = await usage.usage_between(
            tx, tenant_id, customer_id, known[metric_id], distinct
        )
        used[metric_id] = dict(zip(distinct, units, strict=True))
    return [
        [] if metric_id is None else [used[metric_id][one] for one in its]
        for metric_id, its in zip(metric_ids, windows, strict=True)
    ]
