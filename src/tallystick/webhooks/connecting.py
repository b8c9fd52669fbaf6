"""Connecting where anybody may connect to: a name is looked up, and each answer is looked at.

The address that was looked at is the one that is connected to. A name that leads to a public
address when it is checked and to a private one a moment later leads nowhere here. Encryption
still asks for the certificate of the name.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

from httpcore import AnyIOBackend, AsyncNetworkBackend, AsyncNetworkStream, ConnectError
from typing_extensions import override

from tallystick.domain.public_address import is_public

LOOKUPS_AT_ONCE = 64
"""Asking for a name takes a thread, for as long as its servers keep silent."""

Lookup: TypeAlias = Callable[[str, int], Awaitable[list[str]]]
"""Host and port -> the IP addresses of the host, in the order to try them in."""


class NotPublic(ConnectError):
    """A host has an address that is not public."""


class NotFound(ConnectError):
    """A host has no address."""


class Lookups:
    """Looks names up, in threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="lookup")

    async def __call__(self, host: str, port: int) -> list[str]:
        """The addresses of a host.

        Raises:
            NotFound: There is none.
        """

        def ask() -> list[str]:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            return [str(address[0]) for *_, address in found]

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        except (OSError, UnicodeError) as reason:
            raise NotFound(f"{host} has no address") from reason

    def close(self) -> None:
        """Wait for nobody."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class ClosedWhenCutOff(AsyncNetworkStream):
    """A connection that is closed, too, when its handshake is cut off from outside.

    The library closes it when the handshake fails, and leaves it open when it is cancelled.
    """

    def __init__(self, inner: AsyncNetworkStream) -> None:
        self._inner = inner

    @override
    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> AsyncNetworkStream:
        try:
            return await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._inner.aclose()
            raise

    @override
    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,
    ) -> bytes:
        return await self._inner.read(max_bytes, timeout)

    @override
    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,
    ) -> None:
        await self._inner.write(buffer, timeout)

    @override
    async def aclose(self) -> None:
        await self._inner.aclose()

    @override
    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class CheckedBackend(AsyncNetworkBackend):
    """Connects to the addresses that `lookup` gives, once each of them has been looked at.

    Args:
        lookup: What asks for the addresses of a host.
        allows_private: Whether private addresses are good enough.
    """

    def __init__(self, lookup: Lookup, *, allows_private: bool) -> None:
        self._lookup = lookup
        self._allows_private = allows_private
        self._inner = AnyIOBackend()

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[object] | None = None,
    ) -> AsyncNetworkStream:
        """Connect to the first address of a host that lets us.

        Raises:
            NotPublic: One of them is not public.
            NotFound: There is none.
            ConnectError: None of them lets us.
        """
        addresses = await self._lookup(host, port)
        if not addresses:
            raise NotFound(f"{host} has no address")
        if not self._allows_private and not all(map(is_public, addresses)):
            raise NotPublic(f"{host} has an address that is not public")
        failure: Exception | None = None
        for address in dict.fromkeys(addresses):
            try:
                return ClosedWhenCutOff(await self._inner.connect_tcp(address, port, timeout))
            except ConnectError as refused:
                failure = refused
        assert failure is not None, "there is an address"
        raise failure

    @override
    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[object] | None = None,
    ) -> AsyncNetworkStream:
        raise NotPublic("webhooks are sent over the network")

    @override
    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)
