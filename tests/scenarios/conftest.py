from collections.abc import AsyncIterator

import pytest

from tallystick.db.engine import Database
from tests.crowds import open_crowd
from tests.world import World, open_world


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own."""
    return await open_world(db)


@pytest.fixture
async def busy(database_dsn: str) -> AsyncIterator[World]:
    """A shop for crowds: its bank has connections of its own, as in the product."""
    async with open_crowd(database_dsn) as world:
        yield world
