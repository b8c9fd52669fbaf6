"""The edge of the application: an id for every request, a limit on every body, no way out for a
defect.

Plain ASGI, because every request passes here.
"""

import os
from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tallystick.http.errors import BodyTooLarge, too_large, unexpected

BODY_BYTES_MAX = 1024 * 1024
ADDED_HEADERS = "tallystick.headers"
"""Where in the scope of a request headers may be added for its answer, whatever it will be."""


def new_request_id() -> str:
    """An id for a request; it stands on its answer and in the log."""
    return f"req_{os.urandom(12).hex()}"


class Edge:
    """Wraps the application; sets `Request-Id` on every answer.

    HEAD is answered as GET is, without a body.

    Args:
        app: What is wrapped.
        body_bytes_max: The largest body that is read.
        others: Paths whose bodies may have another size.
    """

    def __init__(
        self,
        app: ASGIApp,
        body_bytes_max: int = BODY_BYTES_MAX,
        others: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.app = app
        self.body_bytes_max = body_bytes_max
        self.others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = new_request_id()
        scope["tallystick.request_id"] = request_id
        added = [(b"request-id", request_id.encode())]
        scope[ADDED_HEADERS] = added
        started = False

        wants_body = scope["method"] != "HEAD"
        if not wants_body:
            # Another scope: the server must still know that it was HEAD.
            scope = {**scope, "method": "GET"}

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], *added]
            elif not wants_body:
                message = {**message, "body": b""}
            await send(message)

        limit = self.others.get(scope["path"], self.body_bytes_max)
        declared = _declared_length(scope)
        if declared is None:
            receive = _counted(receive, limit)
        elif declared > limit:
            await too_large(scope, limit)(scope, receive, send_with_id)
            return
        try:
            await self.app(scope, receive, send_with_id)
        except ClientDisconnect:
            # Nobody is left to answer, and nothing is wrong with us.
            return
        except Exception as error:  # noqa: BLE001 - the last door: a defect is logged here
            answer = unexpected(scope, error)
            if not started:
                await answer(scope, receive, send_with_id)


def _counted(receive: Receive, limit: int) -> Receive:
    """Receive a body of undeclared length up to a limit."""
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise BodyTooLarge(limit)
        return message

    return counted


def _declared_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else None
    return None
