"""Sending one message to one receiver, within limits of time and size, following nobody.

Proxies of the environment, cookies and redirects are unknown here: what is sent goes to the
address that was named, or nowhere.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpcore
import httpx

from tallystick.domain.webhook_delivery import Answered, Outcome, Unreached
from tallystick.webhooks.connecting import CheckedBackend, Lookup, Lookups, NotFound, NotPublic

CONNECT_SECONDS_MAX = 5.0
READ_BYTES_MAX = 64 * 1024
"""An answer that is longer is left where it is, and its connection closed."""
EXCERPT_CHARS = 500
IDLE_CONNECTIONS = 50
IDLE_SECONDS = 4.0
"""Less than servers commonly wait before they close: a message could meet the close."""

_OWN = [
    ("content-type", "application/json"),
    ("user-agent", "Tallystick-Webhooks/1"),
    ("accept-encoding", "identity"),
]


class Sender:
    """Sends messages; any number at once.

    Args:
        seconds_max: How long a receiver may take altogether, from the look-up of its name to
            the end of its answer.
        lookup: What asks for the addresses of hosts.
        trusted: Whose certificates are good enough.
    """

    def __init__(
        self, seconds_max: float, lookup: Lookup, trusted: ssl.SSLContext | None = None
    ) -> None:
        self._seconds_max = seconds_max
        trusted = trusted or httpx.create_ssl_context()
        self._public, self._private = (
            httpcore.AsyncConnectionPool(
                ssl_context=trusted,
                max_connections=None,
                max_keepalive_connections=IDLE_CONNECTIONS,
                keepalive_expiry=IDLE_SECONDS,
                network_backend=CheckedBackend(lookup, allows_private=allows_private),
            )
            for allows_private in (False, True)
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._public.aclose()
        await self._private.aclose()

    async def post(
        self,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        *,
        allows_private: bool = False,
    ) -> Outcome:
        """Send a message once, and return what came of it; nothing from outside raises.

        Args:
            url: An absolute http(s) address.
            headers: Those of the message; what every message has is added.
            body: JSON.
            allows_private: Whether it may go to a private address.
        """
        pool = self._private if allows_private else self._public
        try:
            async with asyncio.timeout(self._seconds_max):
                return await self._ask(pool, url, headers, body)
        except TimeoutError:
            return Unreached(error=f"no answer within {self._seconds_max:g} seconds")
        except httpcore.ConnectTimeout:
            return Unreached(error=f"no connection within {CONNECT_SECONDS_MAX:g} seconds")
        except NotPublic:
            return Unreached(error="its address is not public")
        except NotFound:
            return Unreached(error="its host has no address")
        except httpcore.ConnectError as reason:
            return Unreached(error=_short(f"no connection: {reason}"))
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as reason:
            return Unreached(error=_short(f"the connection broke: {reason}"))
        except (httpcore.UnsupportedProtocol, httpx.InvalidURL, ValueError):
            return Unreached(error="its address is not a valid one")

    async def _ask(
        self,
        pool: httpcore.AsyncConnectionPool,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
    ) -> Outcome:
        target = httpx.URL(url)
        address = httpcore.URL(
            scheme=target.raw_scheme,
            host=target.raw_host,
            port=target.port,
            target=target.raw_path,
        )
        host = target.netloc.decode("ascii")
        sent = [("host", host), *_OWN, ("content-length", str(len(body))), *headers]
        async with pool.stream(
            "POST",
            address,
            headers=[(name.encode(), value.encode()) for name, value in sent],
            content=body,
            extensions={"timeout": {"connect": CONNECT_SECONDS_MAX}},
        ) as response:
            return Answered(status=response.status, excerpt=await _beginning(response))


async def _beginning(response: httpcore.Response) -> str:
    """The beginning of an answer as text that can be stored."""
    found = b""
    size = 0
    async for part in response.aiter_stream():
        size += len(part)
        found += part[: max(4 * EXCERPT_CHARS - len(found), 0)]
        if size > READ_BYTES_MAX:
            break
    return found.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")[
        :EXCERPT_CHARS
    ]


def _short(text: str) -> str:
    return text.replace("\0", "")[:200]


@asynccontextmanager
async def open_sender(seconds_max: float) -> AsyncIterator[Sender]:
    """A sender with look-ups of its own, closed afterwards."""
    lookups = Lookups()
    sender = Sender(seconds_max, lookups)
    try:
        yield sender
    finally:
        await sender.close()
        lookups.close()
