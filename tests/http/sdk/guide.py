"""Who leads the tour of the SDK's operations, and keeps what was asked and answered."""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx
from typing_extensions import override

from tests.http.conftest import TRUSTED

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request and its answer."""

    method: str
    path: str
    query: str
    sent: bytes
    content_type: str
    key: str
    status: int
    answer: bytes

    @property
    def body(self) -> Any:  # noqa: ANN401 - any JSON
        """What was answered, of what is JSON."""
        return json.loads(self.answer)


@dataclass(kw_only=True)
class Log:
    """Every exchange so far."""

    api_key: str = ""
    exchanges: list[Exchange] = field(default_factory=list)

    def give_key(self, request: httpx.Request) -> None:
        """Let a POST be one request, however often it is sent."""
        if request.method == "POST":
            request.headers["idempotency-key"] = f"tour-{len(self.exchanges)}"

    def keep(self, request: httpx.Request, response: httpx.Response) -> None:
        """Note an exchange whose answer has been read."""
        self.exchanges.append(
            Exchange(
                method=request.method.lower(),
                path=request.url.path,
                query=request.url.query.decode(),
                sent=request.content,
                content_type=request.headers.get("content-type", ""),
                key=request.headers.get("idempotency-key", ""),
                status=response.status_code,
                answer=response.content,
            )
        )


def fits(path: str, shape: str) -> bool:
    """Whether an address is one of a shape."""
    parts, shapes = path.split("/"), shape.split("/")
    return len(parts) == len(shapes) and all(
        wanted in ("{}", part) for part, wanted in zip(parts, shapes, strict=True)
    )


class Sync(httpx.HTTPTransport):
    """A transport that keeps what goes over it."""

    def __init__(self, log: Log) -> None:
        """Keep it here."""
        super().__init__(verify=TRUSTED)
        self.log = log

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, and keep it with its answer."""
        self.log.give_key(request)
        response = super().handle_request(request)
        response.read()
        self.log.keep(request, response)
        return response


class Async(httpx.AsyncHTTPTransport):
    """The same for the asynchronous client."""

    def __init__(self, log: Log) -> None:
        """Keep it here."""
        super().__init__(verify=TRUSTED)
        self.log = log

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, and keep it with its answer."""
        self.log.give_key(request)
        response = await super().handle_async_request(request)
        await response.aread()
        self.log.keep(request, response)
        return response


@dataclass(kw_only=True)
class Guide:
    """A merchant: `sdk` is either client, asked asynchronously; `raw` asks our own doors."""

    sdk: Any
    raw: httpx.AsyncClient
    log: Log

    async def post(self, path: str, body: Json | None = None) -> Json:
        """Ask a door that the SDK does not have."""
        return await self._asked(await self.raw.post(path, json=body))

    async def patch(self, path: str, body: Json) -> Json:
        """Change something by such a door."""
        return await self._asked(await self.raw.patch(path, json=body))

    async def get(self, path: str) -> Json:
        """Read something by such a door."""
        return await self._asked(await self.raw.get(path))

    async def _asked(self, answer: httpx.Response) -> Json:
        assert answer.status_code < 400, f"{answer.request.url}: {answer.text}"
        found: Json = answer.json()
        return found
