"""A small HTTP client over one kept connection: little work of its own beside the server's."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from tallystick.cli.bench.measured import BenchFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response: `headers` by their names in lower case, the last of each name."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Client:
    """A connection to one server, with the cookies it has set."""

    host: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    cookies: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to a server: `async with await Client.open(url) as client`."""
        parts = urlsplit(url)
        assert parts.hostname is not None, "the bench's own server"
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        return cls(parts.netloc, reader, writer)

    async def __aenter__(self) -> Self:
        """Open already: what makes it hang up at the end of its block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up, whatever the answers were."""
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """Send a request and read its answer.

        Raises:
            BenchFailed: The server hung up, or answers without saying how long its body is.
        """
        self.writer.write(self._request(method, path, headers, body))
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            raise BenchFailed(f"The server hung up on {method} {path}.") from None
        first, *lines = head.decode("latin-1").split("\r\n")
        found: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            found[name.lower()] = value.strip()
            if name.lower() == "set-cookie":
                cookie, _, content = value.strip().partition(";")[0].partition("=")
                self.cookies[cookie] = content
        status = int(first.split(" ", 2)[1])
        if "content-length" not in found:
            raise BenchFailed(f"{method} {path} was answered with {status} and no length.")
        length = int(found["content-length"])
        return Answer(status=status, headers=found, body=await self.reader.readexactly(length))

    def _request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if self.cookies:
            lines.append("cookie: " + "; ".join(f"{k}={v}" for k, v in self.cookies.items()))
        if body or method != "GET":
            lines.append(f"content-length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
