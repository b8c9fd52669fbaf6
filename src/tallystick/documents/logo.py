"""The seller's logo: fetched from where it says, and looked at before it is drawn.

The address comes from a merchant, so it is treated as a stranger's: only https, only addresses
of the public network, no redirects, little time and few bytes, and only pictures that our
typesetter needs little work for. A logo that cannot be had is left out: no document waits for
it. It is kept in memory for an hour, so that a run of downloads asks once.
"""

import asyncio
import base64
import ipaddress
import re
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import structlog

LIMIT_SECONDS = 3
BYTES_MAX = 300_000
PIXELS_MAX = 4_000_000
KEPT_SECONDS = 3_600
KEPT_MAX = 500
"""How many logos a process keeps before it begins anew."""
PORT = 443

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}")
_SIZES_OF_JPEG = frozenset({0xC0, 0xC1, 0xC2})
"""Segments of a JPEG that tell its size: baseline, extended, progressive."""

log = structlog.get_logger(__name__)


class NoLogo(Exception):
    """There is none to be had from an address; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that can be drawn: its kind for a data URL, its size in pixels, its bytes."""

    kind: str
    width: int
    height: int
    content: bytes

    @property
    def svg(self) -> str:
        """The picture inside a drawing: the form in which the template takes it."""
        data = base64.b64encode(self.content).decode()
        return (
            '<svg xmlns="http://www.w3.org/2000/svg"'
            f' width="{self.width}" height="{self.height}">'
            f'<image width="{self.width}" height="{self.height}"'
            f' href="data:{self.kind};base64,{data}"/></svg>'
        )


def picture_of(content: bytes) -> Picture:
    """A PNG or JPEG of a size that can be drawn.

    Raises:
        NoLogo: It is anything else.
    """
    if content.startswith(_PNG) and content[12:16] == b"IHDR":
        kind, (width, height) = (
            "image/png",
            struct.unpack(">II", content[16:24].ljust(8, b"\0")),
        )
    elif content.startswith(_JPEG):
        kind, (width, height) = "image/jpeg", _size_of_jpeg(content)
    else:
        raise NoLogo("it is neither a PNG nor a JPEG")
    if not (width and height) or width * height > PIXELS_MAX:
        raise NoLogo(f"{width} x {height} pixels are nothing, or more than can be drawn")
    return Picture(kind=kind, width=width, height=height, content=content)


def _size_of_jpeg(content: bytes) -> tuple[int, int]:
    """Width and height, from the segment that tells them."""
    at = 2
    while at + 9 < len(content) and content[at] == _JPEG[0]:
        if content[at + 1] in _SIZES_OF_JPEG:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return 0, 0


async def fetched(url: str) -> Picture:
    """The picture at an address.

    Raises:
        NoLogo: It cannot be had, or must not be asked for.
    """
    host = _host_of(url)
    address = await _public_address(host)
    try:
        target = httpx.URL(url).copy_with(host=address, fragment=None)
        async with (
            httpx.AsyncClient(follow_redirects=False, trust_env=False) as client,
            client.stream(
                "GET",
                target,
                headers={"Host": host, "Accept": "image/png, image/jpeg"},
                # The certificate must be the name's, though we go to the address we looked at.
                extensions={"sni_hostname": host},
            ) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise NoLogo(f"it answers {answer.status_code}")
            return picture_of(await _at_most(answer.aiter_bytes()))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NoLogo(f"it cannot be read: {type(error).__name__}") from None


def _host_of(url: str) -> str:
    """The host of an address that may be asked."""
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme == "https" and (parts.port or PORT) == PORT
    except ValueError:
        raise NoLogo("it is no address") from None
    if not is_plain or parts.username is not None:
        raise NoLogo("only plain https addresses are asked")
    return parts.hostname or ""


async def _public_address(host: str) -> str:
    """An address of a host, all of whose addresses are public."""
    if not _HOST.fullmatch(host):
        raise NoLogo("its host is no plain name")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, PORT, type=socket.SOCK_STREAM
        )
    except (OSError, UnicodeError):
        raise NoLogo("its host is not known") from None
    addresses = [str(one[4][0]) for one in found]
    if not addresses or not all(ipaddress.ip_address(one).is_global for one in addresses):
        raise NoLogo("its host is not on the public network")
    return addresses[0]


async def _at_most(parts: AsyncIterator[bytes]) -> bytes:
    content = b""
    async for part in parts:
        content += part
        if len(content) > BYTES_MAX:
            raise NoLogo(f"it has more than {BYTES_MAX} bytes")
    return content


@dataclass(slots=True)
class Logos:
    """The logos that this process has asked for lately, those that could not be had too."""

    fetch: Callable[[str], Awaitable[Picture]] = fetched
    kept: dict[str, tuple[float, Picture | None]] = field(default_factory=dict)

    async def of(self, url: str | None) -> Picture | None:
        """The picture at an address, None where there is none to be had."""
        if url is None:
            return None
        known = self.kept.get(url)
        if known is not None and time.monotonic() - known[0] < KEPT_SECONDS:
            return known[1]
        found: Picture | None = None
        try:
            found = await asyncio.wait_for(self.fetch(url), LIMIT_SECONDS)
        except (NoLogo, TimeoutError) as error:
            log.info("logo.left_out", host=urlsplit(url).hostname, reason=str(error) or "late")
        if len(self.kept) >= KEPT_MAX:
            self.kept.clear()
        self.kept[url] = (time.monotonic(), found)
        return found


LOGOS = Logos()
"""Those of this process."""
