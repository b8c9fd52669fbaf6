"""HTTP on loopback, in a thread of its own: as much of it as the test servers need.

    with Wires() as wires:
        origin = wires.serve(handler)         # "http://127.0.0.1:41234"
        wires.run(something_asynchronous())

Unlike a real server, this one can leave a request without an answer: `Silence` closes the
connection, which is what a client sees of a network that fails.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self, TypeVar
from urllib.parse import unquote, urlsplit

Result = TypeVar("Result")

BODY_MAX = 1_000_000

NO_TLS = False
"""What httpx verifies of servers without TLS: reading certificates takes longer than a test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it came in; names of headers are in lower case, `path` is decoded."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Silence:
    """The connection is closed, and nothing is said."""


Handler = Callable[[Request], Awaitable[Answer | Silence]]


class Wires:
    """A loop in a thread, and the servers that listen in it. Ends with its `with` block."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close what is open, and end the thread."""
        self.run(self._end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=10)
        self.loop.close()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do something in this loop, from another thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=30)

    def serve(self, handler: Handler) -> str:
        """Listen on a free port of loopback; returns the origin."""
        return self.run(self._serve(handler))

    async def _serve(self, handler: Handler) -> str:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None, "connections are tasks"
            self._connections.add(task)
            try:
                await _talk(handler, reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                self._connections.discard(task)
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        open_still = list(self._connections)
        for task in open_still:
            task.cancel()
        await asyncio.gather(*open_still, return_exceptions=True)
        # What was closed tells its transport in the loop's next rounds.
        await asyncio.sleep(0.01)


async def _talk(
    handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer one request after the other, until the other side has enough."""
    while (request := await _read(reader)) is not None:
        answer = await handler(request)
        if isinstance(answer, Silence):
            writer.transport.abort()
            return
        headers = {"content-length": str(len(answer.body)), **answer.headers}
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body)
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """The next request; None when there is none."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = int(headers.get("content-length", "0"))
    assert "transfer-encoding" not in headers, "no client of the tests sends chunks"
    assert length <= BODY_MAX, "no client of the tests sends so much"
    parts = urlsplit(target)
    return Request(
        method=method,
        path=unquote(parts.path),
        query=parts.query,
        headers=headers,
        body=await reader.readexactly(length) if length else b"",
    )
