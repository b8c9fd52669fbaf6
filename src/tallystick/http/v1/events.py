"""Usage events: `/events`."""

from fastapi import APIRouter
from starlette.responses import Response

from tallystick.http.door import Entered, Route
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
