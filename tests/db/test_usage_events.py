"""Usage events are written once each."""

import asyncio
from uuid import UUID

from tallystick.db import usage_events
from tallystick.db.engine import Database, retrying
from tallystick.domain.usage_events import UsageEvent
from tallystick.services.ids import new_id
from tests.db.metered import NOW, open_metered


def _events(customer_id: UUID, *ids: str) -> list[UsageEvent]:
    return [
        UsageEvent(
            customer_id=customer_id, event_id=one, code="calls", happened_at=NOW, properties={}
        )
        for one in ids
    ]


async def test_calls_that_meet_write_each_event_once(db: Database) -> None:
    """Eight calls at once with the same events in different orders: each is new to one."""
    metered = await open_metered(db)
    customer_id = await metered.customer()
    ids = [f"e{n}" for n in range(200)]

    async def ingest(turn: int) -> int:
        events = _events(customer_id, *ids[turn * 25 :], *ids[: turn * 25])
        return await retrying(
            db, lambda tx: usage_events.insert(tx, metered.tenant_id, events, NOW), attempts=1
        )

    counts = await asyncio.gather(*(ingest(turn) for turn in range(8)))

    assert sum(counts) == 200
    async with db.connection() as tx:
        assert await tx.fetchval("select count(*) from usage_events") == 200


async def test_what_is_rolled_back_is_staged_no_more(db: Database) -> None:
    """A call that fails leaves nothing behind for the next one on its connection."""
    metered = await open_metered(db)
    customer_id = await metered.customer()
    async with db.connection() as tx:
        failing = tx.transaction()
        await failing.start()
        await usage_events.insert(tx, metered.tenant_id, _events(customer_id, "a"), NOW)
        await failing.rollback()
        async with tx.transaction():
            events = _events(customer_id, "b", "c")
            taken = await usage_events.insert(tx, metered.tenant_id, events, NOW)
        kept = await tx.fetch("select event_id from usage_events order by event_id")
    assert (taken, [row["event_id"] for row in kept]) == (2, ["b", "c"])


async def test_no_event_of_a_stranger(db: Database) -> None:
    """An event whose customer this tenant does not have is not written at all."""
    metered = await open_metered(db)
    async with db.transaction() as tx:
        events = _events(new_id(), "a")
        assert await usage_events.insert(tx, metered.tenant_id, events, NOW) == 0
        assert await tx.fetchval("select count(*) from usage_events") == 0
