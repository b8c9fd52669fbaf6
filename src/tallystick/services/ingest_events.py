"""Take usage events."""

from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.db import metrics, usage_events
from tallystick.domain.errors import fail_if
from tallystick.domain.usage_events import IncomingEvent, RefusedEvent, judge
from tallystick.services.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What became of a call: `taken` were new, `known` had been sent before."""

    taken: int
    known: int
    refused: tuple[RefusedEvent, ...]


async def ingest_events(
    ctx: Context,
    events: Sequence[IncomingEvent],
    *,
    allow_backfilling: bool = False,
    allow_partial_failures: bool = False,
) -> Ingested:
    """Keep events, each once for its customer and id: all of them or none, by default.

    Args:
        ctx: Who, when.
        events: As they were sent.
        allow_backfilling: Whether events may be of any age.
        allow_partial_failures: Whether to keep those that can be counted and report the rest.

    Raises:
        InvalidInput: An event cannot be taken, and all of them were to be.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    formed = [event for event in events if not event.faults]
    customers = await usage_events.customers_named(
        tx, tenant_id, {event.customer for event in formed}
    )
    named = await metrics.by_codes(tx, tenant_id, {event.code for event in formed})
    judged = judge(
        events,
        customers=customers,
        metrics=named,
        now=ctx.now,
        allow_backfilling=allow_backfilling,
    )
    if not allow_partial_failures:
        fail_if([fault for one in judged.refused for fault in one.in_call()])
    taken = 0
    if judged.taken:
        taken = await usage_events.insert(tx, tenant_id, judged.taken, ctx.now)
    return Ingested(taken=taken, known=len(judged.taken) - taken, refused=judged.refused)
