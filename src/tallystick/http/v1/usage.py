"""What was used: `/usage`."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from tallystick.db import customers, metrics, subscriptions
from tallystick.http.door import Entered, Route
from tallystick.http.v1.existing import existing
from tallystick.http.v1.scalars import (
    AnswerModel,
    CustomerIdOrAlias,
    Day,
    DecimalOut,
    MetricId,
    RequestModel,
    SubscriptionId,
)
from tallystick.services.context import Context
from tallystick.services.report_usage import (
    MetricReport,
    UsageReport,
    report_subscription_usage,
    report_usage,
    window_between,
)

DECIMALS = 12
"""Decimals of a quantity that is sent: as many as one that is received may have."""

router = APIRouter(prefix="/usage", tags=["Usage"], route_class=Route)


class UsageQuery(RequestModel):
    """The days from `start_date` up to, and without, `end_date`: at most 366 of them."""

    start_date: Day
    end_date: Day
    metric_id: MetricId | None = None


class SubscriptionUsageQuery(RequestModel):
    """The same; what is left out is the current billing period's."""

    start_date: Day | None = None
    end_date: Day | None = None
    metric_id: MetricId | None = None


class GroupedUsageOut(AnswerModel):
    """The usage of one combination of values; a property that its events lack is left out."""

    dimensions: dict[str, str]
    value: DecimalOut


class MetricUsageOut(AnswerModel):
    """What was used of a metric, in converted units.

    `grouped_usage` tells group key and segmentation apart; where it was cut after 1000 groups,
    `is_truncated` says so. `total_value` is the metric over all events.
    """

    metric_id: MetricId
    metric_code: str
    metric_name: str
    total_value: DecimalOut
    grouped_usage: list[GroupedUsageOut]
    is_truncated: bool


class UsageOut(AnswerModel):
    """What was used in the days from `period_start` up to, and without, `period_end`."""

    period_start: Day
    period_end: Day
    usage: list[MetricUsageOut]


def show_quantity(units: Fraction) -> Decimal:
    """A quantity as it is sent: exact, or to the nearest of twelve decimals."""
    scale = 10**DECIMALS
    doubled = 2 * abs(units.numerator) * scale + units.denominator
    whole, part = divmod(doubled // (2 * units.denominator), scale)
    decimals = f"{part:0{DECIMALS}}".rstrip("0")
    sign = "-" if units < 0 and (whole or part) else ""
    return Decimal(f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}")


def _show(report: UsageReport) -> UsageOut:
    return UsageOut(
        period_start=report.window.start,
        period_end=report.window.end,
        usage=[_show_metric(one) for one in report.metrics],
    )


def _show_metric(one: MetricReport) -> MetricUsageOut:
    return MetricUsageOut(
        metric_id=one.metric.id,
        metric_code=one.metric.code,
        metric_name=one.metric.name,
        total_value=show_quantity(one.total),
        grouped_usage=[
            GroupedUsageOut(dimensions=dict(values), value=show_quantity(units))
            for values, units in one.groups
        ],
        is_truncated=one.is_cut,
    )


async def _check_metric(ctx: Context, metric_id: UUID | None) -> None:
    if metric_id is not None:
        await existing(metrics.load(ctx.transaction, ctx.tenant.id, metric_id), "metric")


@router.get("/customer/{customer_id}", response_model=UsageOut)
async def get_customer_usage(
    door: Entered, customer_id: CustomerIdOrAlias, query: Annotated[UsageQuery, Query()]
) -> Response:
    """Get what a customer used, of every unarchived metric or of one."""

    async def report(ctx: Context) -> UsageReport:
        window = window_between(query.start_date, query.end_date)
        customer = await existing(
            customers.load(ctx.transaction, ctx.tenant.id, customer_id), "customer"
        )
        await _check_metric(ctx, query.metric_id)
        return await report_usage(
            ctx,
            window,
            customer_id=customer.id,
            metric_ids=None if query.metric_id is None else [query.metric_id],
        )

    return await door.read(report, _show)


@router.get("/subscription/{subscription_id}", response_model=UsageOut)
async def get_subscription_usage(
    door: Entered,
    subscription_id: SubscriptionId,
    query: Annotated[SubscriptionUsageQuery, Query()],
) -> Response:
    """Get what a subscription's customer used of the metrics that it is billed by.

    Without dates, in its current billing period.
    """

    async def report(ctx: Context) -> UsageReport:
        details = await existing(
            subscriptions.load(ctx.transaction, ctx.tenant.id, subscription_id),
            "subscription",
        )
        await _check_metric(ctx, query.metric_id)
        return await report_subscription_usage(
            ctx,
            details,
            start=query.start_date,
            end=query.end_date,
            metric_id=query.metric_id,
        )

    return await door.read(report, _show)


@router.get("/summary", response_model=UsageOut)
async def get_usage_summary(door: Entered, query: Annotated[UsageQuery, Query()]) -> Response:
    """Get what all customers used together, of every unarchived metric or of one."""

    async def report(ctx: Context) -> UsageReport:
        window = window_between(query.start_date, query.end_date)
        await _check_metric(ctx, query.metric_id)
        return await report_usage(
            ctx, window, metric_ids=None if query.metric_id is None else [query.metric_id]
        )

    return await door.read(report, _show)
