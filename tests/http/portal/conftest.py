"""A shop, and its portal."""

import pytest
from fastapi import FastAPI

from tallystick.db.engine import Database
from tallystick.http.app import create_app
from tests.world import World, open_world


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own."""
    return await open_world(db)


@pytest.fixture
def web(world: World) -> FastAPI:
    """The application."""
    return create_app(world.app)
