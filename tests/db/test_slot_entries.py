"""What the schema refuses of the ledger of slots."""

import asyncpg
import pytest

from tallystick.db.engine import Database
from tallystick.services.examine import examine
from tests.scenarios.slots import Seats, begin
from tests.world import World, open_world

_COUNTS = """
    insert into slot_entries (tenant_id, id, item_id, delta, effective_on, created_at)
    select tenant_id, gen_random_uuid(), id, {delta}, '{day}', now() from subscription_items
"""
_WAITS = """
    insert into slot_entries (tenant_id, id, item_id, delta, invoice_id, created_at)
    select i.tenant_id, gen_random_uuid(), i.id, {delta}, v.id, now()
    from subscription_items i join invoices v on v.subscription_id = i.subscription_id
"""

_FOR_NOTHING = """
    insert into slot_entries (tenant_id, id, item_id, delta, created_at)
    select tenant_id, gen_random_uuid(), id, 1, now() from subscription_items
"""


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own."""
    return await open_world(db)


@pytest.fixture
async def seats(world: World) -> Seats:
    """Five seats, of which two stay; eight at most."""
    return await begin(world, least=2, most=8, count=5)


@pytest.mark.parametrize(
    "statement",
    [
        _COUNTS.format(delta=4, day="2024-01-10"),
        _COUNTS.format(delta=-4, day="2024-02-01"),
        _COUNTS.format(delta=0, day="2024-01-10"),
        _WAITS.format(delta=-1),
        _FOR_NOTHING,
        "update slot_entries set delta = 6",
        "delete from slot_entries",
        "update slot_entries set dropped_at = now()",
        """update subscription_items set item = item || '{"slots": 5}'""",
        """update subscription_items
           set item = item || '{"slot_changes": [{"delta": 1, "on": null}]}'""",
    ],
    ids=[
        "above the most",
        "below the least",
        "of nothing",
        "fewer that wait",
        "for no invoice",
        "another first number",
        "without its first entry",
        "a first entry that is dropped",
        "a count beside it",
        "a change beside it",
    ],
)
async def test_refused(world: World, seats: Seats, statement: str) -> None:
    """Whatever breaks the ledger is refused, and five seats stay five."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await world.execute(statement)

    assert await seats.count() == 5
    assert (await examine(world.database)).breaches == ()


@pytest.mark.usefixtures("seats")
async def test_the_bounds_hold_day_by_day(world: World) -> None:
    """Three more on the 10th are eight: there is room again on the 20th, when three go."""
    await world.execute(_COUNTS.format(delta=3, day="2024-01-10"))
    await world.execute(_COUNTS.format(delta=-3, day="2024-01-20"))

    with pytest.raises(asyncpg.CheckViolationError, match="would have 9 slots on 2024-01-15"):
        await world.execute(_COUNTS.format(delta=1, day="2024-01-15"))

    await world.execute(_COUNTS.format(delta=1, day="2024-01-20"))
    assert (await examine(world.database)).breaches == ()


@pytest.mark.parametrize(
    "change",
    ["set effective_on = '2024-01-20'", "set dropped_at = now(), effective_on = null"],
)
async def test_what_counts_stays(world: World, seats: Seats, change: str) -> None:
    """An entry that has its day keeps it, and one that is dropped never gets one."""
    await seats.change(1)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await world.execute(f"update slot_entries {change} where id <> item_id")
