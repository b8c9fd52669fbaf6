from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from meteroid import AsyncMeteroid

from tallystick.db.engine import Database
from tallystick.http.app import create_app
from tallystick.services.api_keys import create_api_key
from tests.world import World, open_world


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own."""
    return await open_world(db)


@asynccontextmanager
async def served(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The application, in process, for whom the shop's key lets in."""
    async with world.app.transaction() as tx:
        key = await create_api_key(world.ctx.within(tx), "test")
    web = create_app(world.app)
    async with (
        web.router.lifespan_context(web),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(web),
            base_url="http://testserver",
            headers={"Authorization": f"Bearer {key.secret}"},
        ) as client,
    ):
        yield client


@pytest.fixture
async def api(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The application, for whom the shop's key lets in."""
    async with served(world) as client:
        yield client


@pytest.fixture
async def sdk(api: httpx.AsyncClient) -> AsyncIterator[AsyncMeteroid]:
    """The official client, as the shop's merchant."""
    async with AsyncMeteroid(
        api_key=api.headers["Authorization"].removeprefix("Bearer "),
        base_url="http://testserver",
        http_client=api,
        max_retries=0,
    ) as client:
        yield client
