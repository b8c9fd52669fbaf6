"""The API, served in process, and over a socket for clients that need one."""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from meteroid import Meteroid

from tallystick.bootstrap import wired
from tallystick.cli.terminal import configure_logging
from tallystick.http.app import create_app
from tallystick.services.context import App
from tallystick.services.create_tenant import NewTenant, create_tenant
from tallystick.settings import Settings

# As every process does: a defect is told without the values of its variables.
configure_logging(Settings())

TRUSTED = ssl.create_default_context()
"""Whom clients would trust if anything here were encrypted; reading it for each costs more than
many a test.
"""

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Shop:
    """A served application with one tenant of a frozen clock, and its client."""

    app: App
    web: FastAPI
    tenant: NewTenant
    client: httpx.AsyncClient

    async def another(self, name: str = "Initech") -> "Shop":
        """The same application with another tenant."""
        tenant = await new_tenant(self.app, name)
        return Shop(self.app, self.web, tenant, client_of(self.web, tenant.api_key))


async def new_tenant(app: App, name: str = "Acme") -> NewTenant:
    """A test tenant whose clock stands at noon."""
    async with app.transaction() as tx:
        return await create_tenant(
            app, tx, name=name, currency="EUR", clock=NOON, live=False, real_now=NOON
        )


def client_of(web: FastAPI, api_key: str) -> httpx.AsyncClient:
    """An HTTP client of an application, in process."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(web),
        base_url="http://testserver/api/v1",
        headers={"Authorization": f"Bearer {api_key}"},
    )


@asynccontextmanager
async def opened(dsn: str, **options: float) -> AsyncIterator[Shop]:
    """A shop on a database, with options of `create_app`."""
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(wired(Settings(), dsn))
        web = create_app(app, **options)  # type: ignore[arg-type]
        await stack.enter_async_context(web.router.lifespan_context(web))
        tenant = await new_tenant(app)
        client = await stack.enter_async_context(client_of(web, tenant.api_key))
        yield Shop(app, web, tenant, client)


@pytest.fixture
async def shop(shared_dsn: str) -> AsyncIterator[Shop]:
    """A shop of one test, on the database of its module."""
    async with opened(shared_dsn) as shop:
        yield shop


@pytest.fixture
async def client(shop: Shop) -> httpx.AsyncClient:
    """The client of the shop's tenant; paths are relative to `/api/v1`."""
    return shop.client


@dataclass(frozen=True)
class Served:
    """An application behind a socket of its own, and a tenant of it."""

    url: str
    tenant: NewTenant


@contextmanager
def served(dsn: str) -> Iterator[Served]:
    """Serve an application in a thread with its own event loop, as a process would."""
    ready = threading.Event()
    found: list[Served] = []
    stopping: list[uvicorn.Server] = []

    async def serve() -> None:
        async with wired(Settings(), dsn) as app:
            config = uvicorn.Config(create_app(app), port=0, log_config=None, ws="none")
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve())
            stopping.append(server)
            while not server.started:
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            tenant = await new_tenant(app)
            found.append(Served(f"http://127.0.0.1:{port}", tenant))
            ready.set()
            await serving

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    try:
        assert ready.wait(30), "the server does not start"
        yield found[0]
    finally:
        for server in stopping:
            server.should_exit = True
        thread.join(30)


@pytest.fixture(scope="module")
def api(shared_dsn: str) -> Iterator[Served]:
    """A served application that the tests of a module share."""
    with served(shared_dsn) as found:
        yield found


@pytest.fixture
def sdk(api: Served) -> Iterator[Meteroid]:
    """The official client of the reference API, speaking to the served application."""
    with (
        httpx.Client(verify=TRUSTED, timeout=60) as http,
        Meteroid(api_key=api.tenant.api_key, base_url=api.url, http_client=http) as client,
    ):
        yield client
