import pytest

from tallystick.db.engine import Database
from tests.world import World, open_world


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own."""
    return await open_world(db)
