"""Features: written, found by id or code, listed."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.entitlements import ENTITLEMENT_JSON
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.domain.feature import ConfigFeature, Feature, MeteredFeature

CODE_TAKEN = "feature_code"
"""The constraint that gives a code to one feature."""

ORDERS = {
    "name": "lower(feature.name)",
    "code": "feature.code",
    "created_at": "feature.created_at",
}

_FEATURE_JSON = f"""
    json_build_object('id', feature.id, 'code', feature.code, 'name', feature.name,
        'description', feature.description,
        'kind', case feature.feature_type
            when 'METERED' then json_build_object('type', 'METERED',
                'metric_id', feature.metric_id)
            when 'CONFIG' then json_build_object('type', 'CONFIG',
                'value_type', feature.value_type, 'options', feature.options)
            else json_build_object('type', 'BOOLEAN') end,
        'product', (select json_build_object('id', product.id, 'name', product.name)
            from products product where product.tenant_id = feature.tenant_id
                and product.id = feature.product_id),
        'entitlement', (select {ENTITLEMENT_JSON} from entitlements entitlement
            where entitlement.tenant_id = feature.tenant_id
              and entitlement.feature_id = feature.id
              and entitlement.plan_version_id is null and entitlement.add_on_id is null
              and entitlement.subscription_id is null),
        'archived_at', feature.archived_at, 'created_at', feature.created_at,
        'updated_at', feature.updated_at)
"""

_feature: Codec[Feature] = Codec(Feature)
_features: Codec[tuple[Feature, ...]] = Codec(tuple[Feature, ...])


async def insert(tx: Tx, tenant_id: UUID, feature: Feature) -> bool:
    """Write a new feature without its default; False where another one has its code."""
    kind = feature.kind
    written = await tx.fetchval(
        """
        insert into features (tenant_id, id, product_id, code, name, description, feature_type,
            metric_id, value_type, options, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        on conflict on constraint feature_code do nothing returning true
        """,
        tenant_id,
        feature.id,
        None if feature.product is None else feature.product.id,
        feature.code,
        feature.name,
        feature.description,
        kind.type,
        kind.metric_id if isinstance(kind, MeteredFeature) else None,
        kind.value_type.value if isinstance(kind, ConfigFeature) else None,
        list(kind.options) if isinstance(kind, ConfigFeature) else [],
        feature.created_at,
        feature.updated_at,
    )
    return bool(written)


async def load(
    tx: Tx, tenant_id: UUID, id_or_code: UUID | str, *, lock: bool = False
) -> Feature | None:
    """The feature of an id or of a code, archived or not, or None.

    `lock` keeps it from other changes until the transaction ends.
    """
    text = await tx.fetchval(
        f"""
        select {_FEATURE_JSON} from features feature
        where feature.tenant_id = $1
          and feature.{"id" if isinstance(id_or_code, UUID) else "code"} = $2
        {"for no key update" if lock else ""}
        """,
        tenant_id,
        id_or_code,
    )
    return _feature.load_optional(text)


async def by_ids(tx: Tx, tenant_id: UUID, ids: Iterable[UUID]) -> dict[UUID, Feature]:
    """The features of these ids, archived or not, as far as this tenant has them."""
    wanted = list(ids)
    if not wanted:
        return {}
    text = await tx.fetchval(
        f"""
        select coalesce(json_agg({_FEATURE_JSON}), '[]') from features feature
        where feature.tenant_id = $1 and feature.id = any($2)
        """,
        tenant_id,
        wanted,
    )
    return {feature.id: feature for feature in _features.load(text)}


async def grantable(
    tx: Tx,
    tenant_id: UUID,
    ids: Iterable[UUID],
    product_ids: Iterable[UUID],
    *,
    with_global: bool,
) -> tuple[Feature, ...]:
    """The unarchived features of these ids, and those with a default that these products have.

    `with_global` adds those with a default that belong to no product.
    """
    text = await tx.fetchval(
        f"""
        select coalesce(json_agg({_FEATURE_JSON}), '[]') from features feature
        where feature.tenant_id = $1 and feature.archived_at is null and (
            feature.id = any($2)
            or ((feature.product_id = any($3) or (feature.product_id is null and $4))
                and exists (select from entitlements own
                    where own.tenant_id = feature.tenant_id and own.feature_id = feature.id
                      and own.plan_version_id is null and own.add_on_id is null
                      and own.subscription_id is null)))
        """,
        tenant_id,
        list(ids),
        list(product_ids),
        with_global,
    )
    return _features.load(text)


async def page(
    tx: Tx,
    tenant_id: UUID,
    window: Window,
    *,
    are_archived: Sequence[bool] = (False, True),
    product_id: UUID | None = None,
    search: str | None = None,
) -> Page[Feature]:
    """The window's features.

    Args:
        tx: Where.
        tenant_id: Whose features.
        window: Which part of the list.
        are_archived: Whether those that are not are listed, those that are, or both.
        product_id: Of this product alone.
        search: A part of the name or of the code, in any case of letters.
    """
    matching = Matching(tenant_id, "feature")
    if set(are_archived) != {False, True}:
        matching.only("(feature.archived_at is not null) = any({})", list(are_archived))
    matching.only("feature.product_id = {}", product_id)
    matching.only(
        "strpos(lower(feature.name), lower({0})) > 0"
        " or strpos(lower(feature.code), lower({0})) > 0",
        search,
    )
    return await fetch_page(
        tx,
        _features,
        item=_FEATURE_JSON,
        tables="features feature",
        matching=matching,
        orders=ORDERS,
        window=window,
    )


async def save(tx: Tx, tenant_id: UUID, feature: Feature) -> None:
    """Write a feature's name, description and archive."""
    await tx.execute(
        """
        update features set name = $3, description = $4, archived_at = $5, updated_at = $6
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        feature.id,
        feature.name,
        feature.description,
        feature.archived_at,
        feature.updated_at,
    )
