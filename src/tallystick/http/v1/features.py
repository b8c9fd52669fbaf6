"""Features: `/features`."""

from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any, Literal, assert_never

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tallystick.db import features
from tallystick.db.paging import Page
from tallystick.domain.feature import (
    BooleanFeature,
    ConfigFeature,
    ConfigValueType,
    Feature,
    FeatureType,
    MeteredFeature,
)
from tallystick.http.door import Entered, Route
from tallystick.http.v1.entitlement_schemas import (
    EntitlementOut,
    EntitlementProductOut,
    show_entitlement,
    show_product_ref,
)
from tallystick.http.v1.entitlement_values import EntitlementValueSchema, to_value
from tallystick.http.v1.paging import (
    NEWEST_FIRST,
    Order,
    OrderBy,
    PageQuery,
    PaginationMeta,
)
from tallystick.http.v1.scalars import (
    LIST_MAX,
    Alias,
    AnswerModel,
    FeatureId,
    FeatureIdOrCode,
    Instant,
    LongText,
    MetricId,
    Name,
    ProductId,
    RequestModel,
    ShortText,
)
from tallystick.services.context import Context
from tallystick.services.create_feature import NewFeature, create_feature
from tallystick.services.edit_feature import (
    archive_feature,
    edit_feature,
    feature_not_found,
    unarchive_feature,
)

router = APIRouter(prefix="/features", tags=["Features"], route_class=Route)


class FeatureStatus(StrEnum):
    """Every status of the reference; DISABLED never occurs."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    ARCHIVED = "ARCHIVED"


class BooleanType(RequestModel):
    """A feature that is there, or is not."""

    type: Literal["BOOLEAN"]


class MeteredType(RequestModel):
    """A feature whose use is counted with a metric."""

    type: Literal["METERED"]
    metric_id: Annotated[
        MetricId, Field(description="What its use is counted with: an unarchived metric.")
    ]


class ConfigType(RequestModel):
    """A setting."""

    type: Literal["CONFIG"]
    value_type: Annotated[
        ConfigValueType,
        Field(description="A SELECT is one of its options, a MAP is a JSON object."),
    ]
    options: Annotated[
        list[Name] | None,
        Field(max_length=LIST_MAX, description="What a SELECT may be; else none."),
    ] = None


FeatureTypeSchema = Annotated[
    BooleanType | MeteredType | ConfigType, Field(discriminator="type")
]


class CreateFeatureRequest(RequestModel):
    """A feature to be. Code, type and product never change."""

    code: Annotated[Alias, Field(description="Its name in your code; no other feature has it.")]
    name: Annotated[Name, Field(description="Its name for people.")]
    feature_type: Annotated[FeatureTypeSchema, Field(description="It never changes.")]
    description: Annotated[LongText | None, Field(description="What it is, in your words.")] = (
        None
    )
    entitlement: Annotated[
        EntitlementValueSchema | None,
        Field(
            description="Its default: what everybody has who has the product, and everybody "
            "with a subscription where it belongs to none."
        ),
    ] = None
    product_id: Annotated[
        ProductId | None, Field(description="The product that it belongs to, if it does.")
    ] = None


class UpdateFeatureRequest(RequestModel):
    """A change of a feature: what is left out stays, null clears."""

    # Cannot be cleared: null is refused, and what is left out is not looked at.
    name: Annotated[Name, Field(description="Its name for people.")] = ""
    description: Annotated[
        LongText | None, Field(description="What it is, in your words. Null clears it.")
    ] = None


class FeatureOut(AnswerModel):
    """What a merchant's program asks about before it lets a customer do something."""

    id: Annotated[FeatureId, Field(description="The feature.")]
    code: Annotated[str, Field(description="Its name in the merchant's code.")]
    name: Annotated[str, Field(description="Its name for people.")]
    description: Annotated[str | None, Field(description="What it is.")]
    feature_type: Annotated[FeatureTypeSchema, Field(description="Fixed for ever.")]
    status: Annotated[
        FeatureStatus, Field(description="ACTIVE, or ARCHIVED: granted to nobody.")
    ]
    product: Annotated[
        EntitlementProductOut | None, Field(description="Null: it belongs to none.")
    ]
    entitlement: Annotated[
        EntitlementOut | None, Field(description="Its default. Null: it grants nothing.")
    ]
    created_at: Annotated[Instant, Field(description="When it was made.")]


class FeatureList(AnswerModel):
    """One page of features."""

    data: Annotated[list[FeatureOut], Field(description="Features in the order asked for.")]
    pagination_meta: Annotated[PaginationMeta, Field(description="Where the page lies.")]


class FeatureQuery(PageQuery):
    """Filters and order; `statuses` can be repeated, `search` is a part of name or code."""

    order_by: Annotated[Order, OrderBy(*features.ORDERS)] = NEWEST_FIRST
    statuses: Annotated[
        list[FeatureStatus], Field(default_factory=list, max_length=len(FeatureStatus))
    ]
    product_id: ProductId | None = None
    search: ShortText | None = None


def show_feature(feature: Feature) -> FeatureOut:
    """A feature as it is sent."""
    return FeatureOut.model_construct(
        id=feature.id,
        code=feature.code,
        name=feature.name,
        description=feature.description,
        feature_type=_show_type(feature.kind),
        status=FeatureStatus.ACTIVE if feature.archived_at is None else FeatureStatus.ARCHIVED,
        product=show_product_ref(feature),
        entitlement=None
        if feature.entitlement is None
        else show_entitlement(feature.entitlement),
        created_at=feature.created_at,
    )


def _show_type(kind: FeatureType) -> FeatureTypeSchema:
    match kind:
        case BooleanFeature():
            return BooleanType.model_construct(type=kind.type)
        case MeteredFeature():
            return MeteredType.model_construct(type=kind.type, metric_id=kind.metric_id)
        case ConfigFeature():
            return ConfigType.model_construct(
                type=kind.type, value_type=kind.value_type, options=list(kind.options)
            )
    assert_never(kind)


def _to_type(schema: FeatureTypeSchema) -> FeatureType:
    match schema:
        case BooleanType():
            return BooleanFeature()
        case MeteredType():
            return MeteredFeature(metric_id=schema.metric_id)
        case ConfigType():
            return ConfigFeature(
                value_type=schema.value_type, options=tuple(schema.options or ())
            )
    assert_never(schema)


@router.post("", status_code=201, response_model=FeatureOut)
async def post_feature(door: Entered, body: CreateFeatureRequest) -> Response:
    """Create a feature."""
    new = NewFeature(
        code=body.code,
        name=body.name,
        kind=_to_type(body.feature_type),
        description=body.description,
        product_id=body.product_id,
        default=None if body.entitlement is None else to_value(body.entitlement),
    )
    return await door.write(lambda ctx: create_feature(ctx, new), show_feature, status=201)


@router.get("", response_model=FeatureList)
async def list_features(door: Entered, query: Annotated[FeatureQuery, Query()]) -> Response:
    """List features, archived ones included unless a status is asked for."""

    def show(page: Page[Feature]) -> FeatureList:
        return FeatureList.model_construct(
            data=[show_feature(one) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    wanted = set(query.statuses or FeatureStatus)
    are_archived = [
        is_archived
        for is_archived, status in (
            (False, FeatureStatus.ACTIVE),
            (True, FeatureStatus.ARCHIVED),
        )
        if status in wanted
    ]
    return await door.read(
        lambda ctx: features.page(
            ctx.transaction,
            ctx.tenant.id,
            query.window(query.order_by),
            are_archived=are_archived,
            product_id=query.product_id,
            search=query.search or None,
        ),
        show,
    )


@router.get("/{id_or_code}", response_model=FeatureOut)
async def get_feature(door: Entered, id_or_code: FeatureIdOrCode) -> Response:
    """Get a feature by its id or its code."""

    async def find(ctx: Context) -> Feature:
        found = await features.load(ctx.transaction, ctx.tenant.id, id_or_code)
        if found is None:
            raise feature_not_found()
        return found

    return await door.read(find, show_feature)


@router.patch("/{id_or_code}", response_model=FeatureOut)
async def patch_feature(
    door: Entered, id_or_code: FeatureIdOrCode, body: UpdateFeatureRequest
) -> Response:
    """Change a feature's name or description."""
    said: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    return await door.write(
        lambda ctx: edit_feature(ctx, id_or_code, lambda before: replace(before, **said)),
        show_feature,
    )


@router.post("/{id_or_code}/archive", status_code=204)
async def post_archive(door: Entered, id_or_code: FeatureIdOrCode) -> Response:
    """Archive a feature: it is granted to nobody, and kept with what is granted of it."""
    return await door.write(lambda ctx: archive_feature(ctx, id_or_code), None, status=204)


@router.post("/{id_or_code}/unarchive", status_code=204)
async def post_unarchive(door: Entered, id_or_code: FeatureIdOrCode) -> Response:
    """Bring an archived feature back; it is granted as before."""
    return await door.write(lambda ctx: unarchive_feature(ctx, id_or_code), None, status=204)
