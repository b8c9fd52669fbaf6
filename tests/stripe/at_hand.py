"""The twin without sockets: requests are handed to it where they are sent.

For the many thousand cases of a matrix, in which the way of the bytes is the dearest part. The
adapter, its SDK and httpx are the same; what a broken connection is to them stays one.
"""

import httpx
from typing_extensions import override

from tests.stripe.twin import Twin
from tests.stripe.wire import Request, Silence


class AtHand(httpx.AsyncBaseTransport):
    """Carries requests to a twin in this process."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._twin.answered(
            Request(
                method=request.method,
                path=request.url.path,
                query=request.url.query.decode(),
                headers=dict(request.headers),
                body=await request.aread(),
            )
        )
        if isinstance(answer, Silence):
            raise httpx.RemoteProtocolError("Server disconnected without an answer.")
        return httpx.Response(
            answer.status, headers=dict(answer.headers), content=answer.body, request=request
        )
