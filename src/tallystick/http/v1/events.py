"""Events: usage comes in at `/events/ingest`, what happened is read at `/events`."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from tallystick.db import event_log
from tallystick.http.door import Entered, Route
from tallystick.http.v1.event_log_schemas import EventList, EventQuery, show_events
from tallystick.http.v1.event_schemas import (
    IngestEventsOut,
    IngestEventsRequest,
    IngestFailureOut,
)
from tallystick.services.ingest_events import Ingested, ingest_events

router = APIRouter(prefix="/events", tags=["Events"], route_class=Route)


def _show(done: Ingested) -> bytes:
    failures = [
        IngestFailureOut(event_id=one.event_id, reason=one.reason) for one in done.refused
    ]
    shown = IngestEventsOut(
        failures=failures or None, ingested=done.taken, duplicates=done.known
    )
    return shown.model_dump_json(exclude_none=True).encode()


@router.post("/ingest", response_model=IngestEventsOut)
async def ingest(door: Entered, body: IngestEventsRequest) -> Response:
    """Ingest usage events, each counted once for its customer and event id."""
    return await door.write(
        lambda ctx: ingest_events(
            ctx,
            body.events,
            allow_backfilling=bool(body.allow_backfilling),
            allow_partial_failures=bool(body.allow_partial_failures),
        ),
        _show,
    )


@router.get("", response_model=EventList)
async def list_events(door: Entered, query: Annotated[EventQuery, Query()]) -> Response:
    """Read the log of what happened: the events that webhooks carry, in their order.

    An event is numbered about a second after it happened. The numbers of a tenant have no gap,
    so whoever asks again `after` the last `sequence` misses nothing and gets nothing twice.
    """
    return await door.read(
        lambda ctx: event_log.after(
            ctx.transaction, ctx.tenant.id, query.after, query.limit + 1, query.type or ()
        ),
        lambda found: show_events(found, query.limit),
    )
