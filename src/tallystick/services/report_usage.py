"""Report what was used, as merchants and their customers look at it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

from tallystick.db import metrics, usage
from tallystick.domain.billing_entries import SubscriptionDetails
from tallystick.domain.errors import Fault, fail_if
from tallystick.domain.metrics import Metric, segmentation_keys
from tallystick.domain.new_plan import metric_of
from tallystick.domain.periods import Period
from tallystick.services.context import Context

WINDOW_DAYS_MAX = 366
"""Days in a report: a year, whichever."""
GROUPS_MAX = 1000
"""Groups of one metric in a report: a key may have as many values as there are events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricReport:
    """What was used of one metric, in converted units.

    `total` is the metric over all events of the window; for a maximum or for distinct values
    that is not the sum of the groups. `groups` are told apart by the metric's group key and
    its segmentation; there are more than are listed where `is_cut`.
    """

    metric: Metric
    total: Fraction
    groups: tuple[tuple[Mapping[str, str], Fraction], ...] = ()
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """What was used in a window of days."""

    window: Period
    metrics: tuple[MetricReport, ...]


async def report_usage(
    ctx: Context,
    window: Period,
    *,
    customer_id: UUID | None = None,
    metric_ids: Iterable[UUID] | None = None,
) -> UsageReport:
    """What a customer used, or all of them together.

    Args:
        ctx: Who, when.
        window: When.
        customer_id: Whose usage; None for all customers.
        metric_ids: Of these metrics, archived or not; None for all unarchived ones.
    """
    tx, tenant_id, zone = ctx.transaction, ctx.tenant.id, ZoneInfo(ctx.tenant.time_zone)
    if metric_ids is None:
        wanted = await metrics.unarchived(tx, tenant_id)
    else:
        wanted = tuple((await metrics.by_ids(tx, tenant_id, metric_ids)).values())
    used = await usage.codes_used(
        tx, tenant_id, zone, window, {one.code for one in wanted}, customer_id
    )
    reports = []
    for metric in sorted(wanted, key=lambda one: (one.name, one.id)):
        if metric.code in used:
            reports.append(await _report(ctx, zone, metric, window, customer_id))
        else:
            reports.append(MetricReport(metric=metric, total=Fraction(0)))
    return UsageReport(window=window, metrics=tuple(reports))


async def report_subscription_usage(
    ctx: Context,
    details: SubscriptionDetails,
    *,
    start: date | None = None,
    end: date | None = None,
    metric_id: UUID | None = None,
) -> UsageReport:
    """What a subscription's customer used of the metrics that it is billed by.

    Args:
        ctx: Who, when.
        details: The subscription.
        start: The first day; None for the current period's.
        end: The first day after it; None for the current period's end.
        metric_id: Of this metric alone, if the subscription is billed by it.

    Raises:
        InvalidInput: The window is none, or too long.
    """
    current = _current_window(details, ctx)
    window = window_between(start or current.start, end or current.end)
    billed_by = {one for item in details.items if (one := metric_of(item.fee)) is not None}
    return await report_usage(
        ctx,
        window,
        customer_id=details.subscription.customer_id,
        metric_ids=billed_by if metric_id is None else billed_by & {metric_id},
    )


def window_between(start: date, end: date) -> Period:
    """The days from `start` up to, and without, `end`; raises `InvalidInput`."""
    if end <= start:
        fail_if([Fault("end_date", "out_of_range", "must be after start_date")])
    if (end - start).days > WINDOW_DAYS_MAX:
        message = f"must be at most {WINDOW_DAYS_MAX} days after start_date"
        fail_if([Fault("end_date", "out_of_range", message)])
    return Period(start, end)


def _current_window(details: SubscriptionDetails, ctx: Context) -> Period:
    """The current billing period; up to today where it has no end, or none yet."""
    entry = details.subscription
    start = entry.current_period_start
    end = entry.current_period_end
    if end is None or end <= start:
        end = max(ctx.today, start) + timedelta(days=1)
    return Period(start, end)


async def _report(
    ctx: Context, zone: ZoneInfo, metric: Metric, window: Period, customer_id: UUID | None
) -> MetricReport:
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    ((_, total),) = await usage.usage_of_everyone(
        tx, tenant_id, zone, metric, window, customer_id=customer_id
    )
    group_key = metric.definition.usage_group_key
    keys = [*([group_key] if group_key else []), *segmentation_keys(metric.definition)]
    if not keys:
        return MetricReport(metric=metric, total=total)
    groups = await usage.usage_of_everyone(
        tx,
        tenant_id,
        zone,
        metric,
        window,
        customer_id=customer_id,
        keys=list(dict.fromkeys(keys)),
        limit=GROUPS_MAX + 1,
    )
    return MetricReport(
        metric=metric,
        total=total,
        groups=tuple(groups[:GROUPS_MAX]),
        is_cut=len(groups) > GROUPS_MAX,
    )
