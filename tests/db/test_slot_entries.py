"""What the schema refuses of the ledger of slots."""

import pytest

from tallystick.db.engine import Database
from tests.scenarios.slots import Seats, begin
from tests.world import World, open_world

_ENTRY = """
    insert into slot_entries (tenant_id, id, item_id, delta, effective_on, invoice_id, created_at)
    select tenant_id, gen_random_uuid(), id, $1, $2, null, now() from subscription_items
"""


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own."""
    return await open_world(db)


@pytest.fixture
async def seats(world: World) -> Seats:
    """Five seats, of which two stay; eight at most."""
    return await begin(world, least=2, most=8, count=5)
