from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tallystick.db.engine import Database
from tallystick.providers.sandbox import Sandbox
from tests.world import PUBLIC_URL, World, open_world


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own."""
    return await open_world(db)


@pytest.fixture
async def busy(database_dsn: str) -> AsyncIterator[World]:
    """A shop for crowds: its bank has connections of its own, as in the product."""
    database = await Database.open(database_dsn, max_size=12)
    bank = await Database.open(database_dsn, max_size=6)
    world = await open_world(database)
    sandbox = Sandbox(bank, public_url=PUBLIC_URL, debit_seconds=5)
    app = replace(world.app, providers={"sandbox": sandbox})
    yield replace(world, app=app, ctx=replace(world.ctx, app=app), sandbox=sandbox)
    await database.close()
    await bank.close()
