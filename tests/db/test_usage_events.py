"""Usage events are written once each."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from tallystick.bootstrap import wired
from tallystick.db import usage_events
from tallystick.db.engine import Database, retrying
from tallystick.domain.usage_events import UsageEvent
from tallystick.services.create_tenant import create_tenant
from tallystick.services.ids import new_id
from tallystick.settings import Settings

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
async def tenant_id(db: Database) -> UUID:
    """A tenant."""
    async with wired(Settings(), db.dsn) as app, app.transaction() as tx:
        made = await create_tenant(
            app, tx, name="Acme", currency="EUR", clock=NOW, live=False, real_now=NOW
        )
    return made.tenant_id


async def _customer(db: Database, tenant_id: UUID) -> UUID:
    customer_id = new_id()
    async with db.transaction() as tx:
        await tx.execute(
            """
            insert into customers (tenant_id, id, invoicing_entity_id, name, currency,
                created_at, updated_at)
            select tenant_id, $2, id, 'Globex', 'EUR', $3, $3 from invoicing_entities
            where tenant_id = $1
            """,
            tenant_id,
            customer_id,
            NOW,
        )
    return customer_id


def _events(customer_id: UUID, *ids: str) -> list[UsageEvent]:
    return [
        UsageEvent(
            customer_id=customer_id, event_id=one, code="calls", happened_at=NOW, properties={}
        )
        for one in ids
    ]


async def test_calls_that_meet_write_each_event_once(db: Database, tenant_id: UUID) -> None:
    """Eight calls at once with the same events in different orders: each is new to one."""
    customer_id = await _customer(db, tenant_id)
    ids = [f"e{n}" for n in range(200)]

    async def ingest(turn: int) -> int:
        events = _events(customer_id, *ids[turn * 25 :], *ids[: turn * 25])
        return await retrying(
            db, lambda tx: usage_events.insert(tx, tenant_id, events, NOW), attempts=1
        )

    counts = await asyncio.gather(*(ingest(turn) for turn in range(8)))

    assert sum(counts) == 200
    async with db.connection() as tx:
        assert await tx.fetchval("select count(*) from usage_events") == 200


async def test_what_is_rolled_back_is_staged_no_more(db: Database, tenant_id: UUID) -> None:
    """A call that fails leaves nothing behind for the next one on its connection."""
    customer_id = await _customer(db, tenant_id)
    async with db.connection() as connection:
        failing = connection.transaction()
        await failing.start()
        await usage_events.insert(connection, tenant_id, _events(customer_id, "a"), NOW)
        await failing.rollback()
        async with connection.transaction():
            taken = await usage_events.insert(
                connection, tenant_id, _events(customer_id, "b", "c"), NOW
            )
        kept = await connection.fetch("select event_id from usage_events order by event_id")
    assert (taken, [row["event_id"] for row in kept]) == (2, ["b", "c"])


async def test_no_event_of_a_stranger(db: Database, tenant_id: UUID) -> None:
    """An event whose customer this tenant does not have is not written at all."""
    async with db.transaction() as tx:
        assert await usage_events.insert(tx, tenant_id, _events(new_id(), "a"), NOW) == 0
        assert await tx.fetchval("select count(*) from usage_events") == 0
