"""One route: a provider's message is verified, kept once, and answered at once.

Whoever sends has no key of ours: what counts is the signature over the body, which the
provider's adapter verifies with the secrets of the connection that the address names. What the
message is about is looked into by the worker.
"""

from datetime import UTC, datetime

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from tallystick.domain.errors import NotFound
from tallystick.domain.ids import MalformedId, Prefix, decode
from tallystick.domain.provider_event import EventRefused
from tallystick.services.context import App
from tallystick.services.hear_provider import hear_provider

_TAKEN = b'{"received":true}'

log = structlog.get_logger(__name__)


def router(app: App) -> APIRouter:
    """The route, below `/inbound`."""
    routes = APIRouter(prefix="/inbound", include_in_schema=False)

    @routes.post("/stripe/{connection}")
    async def stripe(request: Request, connection: str) -> Response:
        try:
            connection_id = decode(Prefix.PROVIDER_CONNECTION, connection)
        except MalformedId:
            raise NotFound("There is no such connection.") from None
        body = await request.body()
        headers = {name.lower(): value for name, value in request.headers.items()}
        # The door: real time is read here.
        now = datetime.now(UTC)  # noqa: TID251
        try:
            await hear_provider(app, connection_id, headers, body, now)
        except EventRefused as refused:
            log.warning("provider.event_refused", connection=connection, reason=str(refused))
            return Response(b'{"received":false}', 400, media_type="application/json")
        return Response(_TAKEN, media_type="application/json")

    return routes
