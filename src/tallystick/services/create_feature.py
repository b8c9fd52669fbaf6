"""Create a feature, with its default if it has one."""

from dataclasses import dataclass, replace
from uuid import UUID

from tallystick.db import entitlements, features, metrics, products
from tallystick.domain.entitlement import Entitlement, EntitlementValue, Holder, HolderKind
from tallystick.domain.errors import Conflict, Fault, NotFound, fail_if, sentence
from tallystick.domain.feature import (
    Feature,
    FeatureProduct,
    FeatureType,
    MeteredFeature,
    feature_faults,
)
from tallystick.services.context import Context
from tallystick.services.feature_events import entitlements_created, feature_told
from tallystick.services.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFeature:
    """A feature to be; `default` is what it grants by itself."""

    code: str
    name: str
    kind: FeatureType
    description: str | None = None
    product_id: UUID | None = None
    default: EntitlementValue | None = None


async def create_feature(ctx: Context, new: NewFeature) -> Feature:
    """Make a new feature.

    Raises:
        InvalidInput: it cannot be so; every fault together.
        NotFound: no such product, or no such unarchived metric.
        Conflict: another feature has its code, archived or not.
    """
    fail_if(feature_faults(new.code, new.kind, new.default))
    feature = Feature(
        id=new_id(),
        code=new.code,
        name=new.name,
        description=new.description,
        kind=new.kind,
        product=await _product(ctx, new),
        entitlement=None,
        archived_at=None,
        created_at=ctx.now,
        updated_at=ctx.now,
    )
    if not await features.insert(ctx.transaction, ctx.tenant.id, feature):
        faults = [Fault("code", "duplicate", "is the code of another feature")]
        raise Conflict(sentence(faults), tuple(faults))
    await feature_told(ctx, "created", feature)
    if new.default is None:
        return feature
    default = Entitlement(
        id=new_id(),
        feature_id=feature.id,
        holder=Holder(HolderKind.FEATURE, feature.id),
        value=new.default,
        created_at=ctx.now,
        updated_at=ctx.now,
    )
    await entitlements.insert_missing(ctx.transaction, ctx.tenant.id, [default])
    await entitlements_created(ctx, (default,))
    return replace(feature, entitlement=default)


async def _product(ctx: Context, new: NewFeature) -> FeatureProduct | None:
    """The product of a feature to be, once everything that it names is there."""
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    faults = []
    if isinstance(new.kind, MeteredFeature):
        metric_id = new.kind.metric_id
        if not await metrics.known_ids(tx, tenant_id, [metric_id]):
            message = "must be an unarchived metric"
            faults.append(Fault("feature_type.metric_id", "unknown", message))
    product = None
    if new.product_id is not None:
        product = await products.load(tx, tenant_id, new.product_id)
        if product is None:
            faults.append(Fault("product_id", "unknown", "must be a product"))
    if faults:
        raise NotFound(sentence(faults), tuple(faults))
    return None if product is None else FeatureProduct(id=product.id, name=product.name)
