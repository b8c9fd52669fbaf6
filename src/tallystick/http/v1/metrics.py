"""Billable metrics: `/metrics`."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tallystick.db import metrics
from tallystick.db.paging import Page
from tallystick.domain.metrics import Aggregation, Metric
from tallystick.http.door import Entered, Route
from tallystick.http.v1.existing import existing
from tallystick.http.v1.kept import kept, said_in
from tallystick.http.v1.metric_schemas import (
    FILTERS_MAX,
    FilterSchema,
    SegmentationSchema,
    UnitConversionSchema,
    changed_parts,
    show_conversion,
    show_filters,
    show_segmentation,
    to_definition,
)
from tallystick.http.v1.paging import BY_NAME, Order, OrderBy, PageQuery, PaginationMeta
from tallystick.http.v1.scalars import (
    AnswerModel,
    Instant,
    LongText,
    MetricId,
    Name,
    ProductFamilyId,
    ProductId,
    RequestModel,
    ShortText,
)
from tallystick.services.create_metric import NewMetric, create_metric
from tallystick.services.edit_metric import archive_metric, edit_metric, unarchive_metric

router = APIRouter(prefix="/metrics", tags=["Metrics"], route_class=Route)


class CreateMetricRequest(RequestModel):
    """A metric to be; `aggregation_key` is the property aggregated (COUNT needs none)."""

    product_family_id: Annotated[
        ProductFamilyId, Field(description="The family it belongs to.")
    ]
    code: Annotated[
        Name,
        Field(
            description="The `code` of the events that it counts; one unarchived metric has it."
        ),
    ]
    name: Annotated[Name, Field(description="What it is called in reports.")]
    aggregation_type: Annotated[
        Aggregation, Field(description="What is made of a window's events.")
    ]
    aggregation_key: Annotated[
        Name | None,
        Field(description="The property whose values are aggregated; COUNT needs none."),
    ] = None
    description: Annotated[LongText | None, Field(description="For the merchant.")] = None
    product_id: Annotated[
        ProductId | None, Field(description="A product that it belongs to, for the merchant.")
    ] = None
    filters: Annotated[
        Annotated[list[FilterSchema], Field(max_length=FILTERS_MAX)] | None,
        Field(description="Only events for which all of them hold are counted."),
    ] = None
    segmentation_matrix: Annotated[
        SegmentationSchema | None,
        Field(description="What reports tell apart. A matrix price has rows of its own."),
    ] = None
    unit_conversion: Annotated[
        UnitConversionSchema | None,
        Field(description="What is made of the aggregated number before it is priced."),
    ] = None
    usage_group_key: Annotated[
        Name | None, Field(description="The property by which usage is priced group by group.")
    ] = None


class UpdateMetricRequest(RequestModel):
    """A change of a metric: what is left out stays, null clears.

    Usage is counted when it is asked for, so that events are counted anew. Once a price counts
    with the metric, `filters` and `unit_conversion` are fixed.
    """

    name: Name = kept("What it is called in reports.")
    description: Annotated[
        LongText | None, Field(description="For the merchant; null: none.")
    ] = None
    filters: Annotated[
        list[FilterSchema] | None,
        Field(max_length=FILTERS_MAX, description="In place of all that it has; null: none."),
    ] = None
    segmentation_matrix: Annotated[
        SegmentationSchema | None,
        Field(
            description="What reports tell apart; null: nothing. Prices have their own rows."
        ),
    ] = None
    unit_conversion: Annotated[
        UnitConversionSchema | None, Field(description="Null: none, raw units are counted.")
    ] = None


class MetricSummaryOut(AnswerModel):
    """A metric in a list."""

    id: Annotated[MetricId, Field(description="Its id.")]
    code: Annotated[str, Field(description="The `code` of the events that it counts.")]
    name: Annotated[str, Field(description="What it is called in reports.")]
    description: Annotated[str | None, Field(description="For the merchant.")]
    aggregation_type: Annotated[
        Aggregation, Field(description="What is made of a window's events.")
    ]
    aggregation_key: Annotated[
        str | None, Field(description="The property whose values are aggregated.")
    ]
    archived_at: Annotated[
        Instant | None,
        Field(description="From when on nothing new counts with it; null: it is not archived."),
    ]
    created_at: Annotated[Instant, Field(description="When it was made.")]


class MetricOut(MetricSummaryOut):
    """How usage events become a number that can be priced."""

    product_family_id: Annotated[
        ProductFamilyId, Field(description="The family it belongs to.")
    ]
    product_id: Annotated[
        ProductId | None, Field(description="A product that it belongs to, for the merchant.")
    ]
    filters: Annotated[
        list[FilterSchema],
        Field(description="Only events for which all of them hold are counted."),
    ]
    segmentation_matrix: Annotated[
        SegmentationSchema | None, Field(description="What reports tell apart.")
    ]
    unit_conversion: Annotated[
        UnitConversionSchema | None,
        Field(description="What is made of the aggregated number before it is priced."),
    ]
    usage_group_key: Annotated[
        str | None, Field(description="The property by which usage is priced group by group.")
    ]


class MetricList(AnswerModel):
    """One page of metrics."""

    data: list[MetricSummaryOut]
    pagination_meta: PaginationMeta


class MetricQuery(PageQuery):
    """Filters and order of the list."""

    order_by: Annotated[
        Order, OrderBy("name", "code", "created_at"), Field(description="Column and direction.")
    ] = BY_NAME
    product_family_id: Annotated[
        ProductFamilyId | None, Field(description="Only those of this family.")
    ] = None
    search: Annotated[
        ShortText | None,
        Field(description="A part of the name or of the code, in any case of letters."),
    ] = None


def show_metric(metric: Metric) -> MetricOut:
    """A metric as it is sent."""
    return MetricOut(
        id=metric.id,
        product_family_id=metric.product_family_id,
        product_id=metric.product_id,
        code=metric.code,
        name=metric.name,
        description=metric.description,
        aggregation_type=metric.aggregation,
        aggregation_key=metric.aggregation_key,
        filters=show_filters(metric.definition),
        segmentation_matrix=show_segmentation(metric.definition),
        unit_conversion=show_conversion(metric.definition),
        usage_group_key=metric.definition.usage_group_key,
        archived_at=metric.archived_at,
        created_at=metric.created_at,
    )


def _show_summary(metric: Metric) -> MetricSummaryOut:
    return MetricSummaryOut(
        id=metric.id,
        code=metric.code,
        name=metric.name,
        description=metric.description,
        aggregation_type=metric.aggregation,
        aggregation_key=metric.aggregation_key,
        archived_at=metric.archived_at,
        created_at=metric.created_at,
    )


@router.post("", status_code=201, response_model=MetricOut)
async def post_metric(door: Entered, body: CreateMetricRequest) -> Response:
    """Create a billable metric."""
    new = NewMetric(
        product_family_id=body.product_family_id,
        code=body.code,
        name=body.name,
        aggregation=body.aggregation_type,
        definition=to_definition(
            body.filters,
            body.segmentation_matrix,
            body.unit_conversion,
            body.usage_group_key,
        ),
        description=body.description,
        aggregation_key=body.aggregation_key,
        product_id=body.product_id,
    )
    return await door.write(lambda ctx: create_metric(ctx, new), show_metric, status=201)


@router.get("", response_model=MetricList)
async def list_metrics(door: Entered, query: Annotated[MetricQuery, Query()]) -> Response:
    """List the unarchived metrics."""

    def show(page: Page[Metric]) -> MetricList:
        return MetricList(
            data=[_show_summary(one) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    return await door.read(
        lambda ctx: metrics.page(
            ctx.transaction,
            ctx.tenant.id,
            query.window(query.order_by),
            product_family_id=query.product_family_id,
            search=query.search or None,
        ),
        show,
    )


@router.get("/{metric_id}", response_model=MetricOut)
async def get_metric(door: Entered, metric_id: MetricId) -> Response:
    """Get a billable metric."""
    return await door.read(
        lambda ctx: existing(metrics.load(ctx.transaction, ctx.tenant.id, metric_id), "metric"),
        show_metric,
    )


@router.patch("/{metric_id}", response_model=MetricOut)
async def patch_metric(
    door: Entered, metric_id: MetricId, body: UpdateMetricRequest
) -> Response:
    """Change a metric: what is left out stays, null clears."""
    defined = changed_parts(
        body.model_fields_set, body.filters, body.segmentation_matrix, body.unit_conversion
    )
    said = said_in(body, "name", "description")
    return await door.write(lambda ctx: edit_metric(ctx, metric_id, said, defined), show_metric)


@router.post("/{metric_id}/archive", status_code=204)
async def post_metric_archive(door: Entered, metric_id: MetricId) -> Response:
    """Archive a metric.

    Nothing new can count with it, and its code is free for another. What is priced by it goes
    on being counted.
    """
    return await door.write(lambda ctx: archive_metric(ctx, metric_id), None, status=204)


@router.post("/{metric_id}/unarchive", status_code=204)
async def post_metric_unarchive(door: Entered, metric_id: MetricId) -> Response:
    """Unarchive a metric; 409 where its code is another one's by now."""
    return await door.write(lambda ctx: unarchive_metric(ctx, metric_id), None, status=204)
