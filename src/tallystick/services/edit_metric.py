"""Change a metric as far as no price depends on it, and take it off the shelf."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tallystick.db import metrics, promised_offers
from tallystick.db.refusals import UniqueViolation
from tallystick.domain.errors import Conflict, Fault, NotFound, fail_if, sentence
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.metrics import Metric, faults_of_definition
from tallystick.services.catalog_events import metric_archived, metric_updated
from tallystick.services.context import Context

_COUNTING = ("filters", "unit_conversion")
"""What of a definition decides what is billed. Its segmentation is what reports tell apart."""


async def edit_metric(
    ctx: Context, metric_id: UUID, said: Mapping[str, Any], defined: Mapping[str, Any]
) -> Metric:
    """Change fields of a metric and, in `defined`, of its definition; what it is then.

    Usage is counted when it is asked for: another definition counts the events anew that were
    sent before. Where a price counts with the metric, what was sold would change, so that
    filters and conversion are fixed from then on.

    Raises:
        NotFound: no such metric.
        InvalidInput: it could not count.
        Conflict: filters or conversion differ, and a price counts with them.
    """
    before = await _locked(ctx, metric_id)
    definition = replace(before.definition, **defined)
    after = replace(before, definition=definition, **said)
    if after == before:
        return before
    fail_if(faults_of_definition(after.aggregation, after.aggregation_key, definition))
    counting = [
        name
        for name in _COUNTING
        if getattr(definition, name) != getattr(before.definition, name)
    ]
    if counting:
        await _check_unused(ctx, metric_id, counting)
    await metrics.save(
        ctx.transaction,
        ctx.tenant.id,
        after,
        definition=None if definition == before.definition else definition,
    )
    await metric_updated(ctx, after)
    return after


async def archive_metric(ctx: Context, metric_id: UUID) -> None:
    """Let nothing new count with a metric: what is priced by it goes on being counted.

    Raises:
        NotFound: no such metric.
    """
    metric = await _locked(ctx, metric_id)
    if metric.archived_at is None:
        await metric_archived(ctx, await _set_archived(ctx, metric, ctx.now))


async def unarchive_metric(ctx: Context, metric_id: UUID) -> None:
    """Let things count with a metric again.

    Raises:
        NotFound: no such metric.
        Conflict: another unarchived metric has its code by now.
    """
    metric = await _locked(ctx, metric_id)
    if metric.archived_at is None:
        return
    try:
        after = await _set_archived(ctx, metric, None)
    except UniqueViolation:
        faults = [Fault("code", "duplicate", f"{metric.code!r} is another metric's by now")]
        raise Conflict(sentence(faults), tuple(faults)) from None
    await metric_updated(ctx, after)


async def _check_unused(ctx: Context, metric_id: UUID, fields: list[str]) -> None:
    message = ""
    if await metrics.is_priced(ctx.transaction, ctx.tenant.id, metric_id):
        message = (
            "cannot change: a price counts with this metric, and what was sold never changes;"
            " archive it and make another one"
        )
    else:
        promising = await promised_offers.promising(
            ctx.transaction, ctx.tenant.id, ctx.now, product_id=None, metric_id=metric_id
        )
        if promising is not None:
            session = encode(Prefix.CHECKOUT_SESSION, promising)
            message = f"must stay while the open checkout {session} counts with this metric"
    if message:
        faults = [Fault(field, "in_use", message) for field in fields]
        raise Conflict(sentence(faults), tuple(faults))


async def _locked(ctx: Context, metric_id: UUID) -> Metric:
    if not await metrics.hold(ctx.transaction, ctx.tenant.id, metric_id):
        raise NotFound("There is no such metric.")
    metric = await metrics.load(ctx.transaction, ctx.tenant.id, metric_id)
    assert metric is not None, "it is locked"
    return metric


async def _set_archived(ctx: Context, metric: Metric, at: datetime | None) -> Metric:
    after = replace(metric, archived_at=at)
    await metrics.save(ctx.transaction, ctx.tenant.id, after, definition=None)
    return after
