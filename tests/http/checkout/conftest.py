"""A shop, its pages, and a buyer who has a link."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tallystick.db.engine import Database
from tallystick.http.app import create_app
from tests.http.checkout.buyer import Buyer, browser, link_of
from tests.world import SoldPlan, World, open_world

Visit = Callable[..., Awaitable[Buyer]]


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own."""
    return await open_world(db)


@pytest.fixture
async def visit(world: World) -> AsyncIterator[Visit]:
    """A way to come with the link of a new session, in a fresh browser.

    `plan` names what is sold; `headers` are the browser's; other words are the session's.
    """
    web = create_app(world.app)
    clients = []

    async def come(
        plan: SoldPlan | None = None,
        headers: dict[str, str] | None = None,
        **fields: Any,  # noqa: ANN401 - fields of the request
    ) -> Buyer:
        client = browser(web, **(headers or {}))
        clients.append(client)
        customer_id = fields.pop("customer_id", None) or await world.customer()
        sold = plan or await world.plan()
        session_id = await world.session(customer_id, sold, **fields)
        return Buyer(client, link_of(world, session_id))

    yield come
    for client in clients:
        await client.aclose()
