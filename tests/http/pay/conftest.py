"""A shop with an invoice of EUR 49 that nobody has paid, and a browser with its link."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from tallystick.db.engine import Database
from tallystick.http.app import create_app
from tallystick.services.collect_invoice import collect_due
from tallystick.services.link import payment_url
from tests.http.checkout.buyer import Buyer, browser
from tests.subscribing import Merchant
from tests.world import PUBLIC_URL, World, open_world

Come = Callable[..., Awaitable[Buyer]]


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own."""
    return await open_world(db)


@pytest.fixture
async def invoice_id(world: World) -> UUID:
    """The invoice of a subscription whose customer has no method on file."""
    merchant = Merchant(world=world)
    await merchant.subscribe(await world.customer(), await world.plan(), date(2026, 3, 10))
    await collect_due(world.ctx)
    row: dict[str, Any] = await world.one("select id from invoices")
    found: UUID = row["id"]
    return found


def link_of(world: World, invoice_id: UUID) -> str:
    """The path of an invoice's page."""
    tenant = world.ctx.tenant
    link = payment_url(PUBLIC_URL, tenant.link_secret, tenant.id, invoice_id)
    return link.removeprefix(PUBLIC_URL)


@pytest.fixture
async def come(world: World, invoice_id: UUID) -> AsyncIterator[Come]:
    """A way to come with the invoice's link, in a fresh browser."""
    web = create_app(world.app)
    clients = []

    async def visit(**headers: str) -> Buyer:
        client = browser(web, **headers)
        clients.append(client)
        return Buyer(client, link_of(world, invoice_id))

    yield visit
    for client in clients:
        await client.aclose()
