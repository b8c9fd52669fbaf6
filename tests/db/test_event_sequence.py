"""Numbers are given without gap, and in the order in which things happened to an object."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from uuid import UUID

import pytest

from tallystick.db import event_sequence, events, tenants
from tallystick.db.engine import Database, Tx
from tallystick.services.context import App
from tallystick.services.ids import new_id
from tallystick.services.sequence_events import EVENTS_AT_ONCE, sequence_events

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Log:
    """The event log of some tenants, as a test writes and reads it."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.app = App(
            database=db,
            providers={},
            public_url="http://localhost",
            call_limit_seconds=1,
            plan_versions={},
        )

    async def tenant(self) -> UUID:
        """A new tenant."""
        tenant_id = new_id()
        async with self.db.transaction() as tx:
            await tenants.insert(
                tx,
                tenant_id,
                name="Acme",
                currency="EUR",
                is_test=True,
                clock=None,
                link_secret=bytes(32),
            )
        return tenant_id

    async def write(
        self, tx: Tx, tenant_id: UUID, name: str, object_id: UUID | None = None
    ) -> None:
        """Write an event in a transaction that the test holds."""
        await events.append(tx, tenant_id, new_id(), name, object_id or new_id(), {}, NOW)

    async def happened(self, tenant_id: UUID, name: str, object_id: UUID | None = None) -> None:
        """Write an event and commit it."""
        async with self.db.transaction() as tx:
            await self.write(tx, tenant_id, name, object_id)

    async def undone(self, tenant_id: UUID, name: str) -> None:
        """Write an event and roll back."""
        async with self.db.transaction() as tx:
            await self.write(tx, tenant_id, name)
            raise ZeroDivisionError

    async def numbered(self, tenant_id: UUID) -> list[tuple[int, str]]:
        """Numbers and names of what a reader sees, in the reader's order."""
        async with self.db.connection() as tx:
            rows = await tx.fetch(
                "select sequence, type from events "
                "where tenant_id = $1 and sequence is not null order by sequence",
                tenant_id,
            )
        return [(row["sequence"], row["type"]) for row in rows]


@pytest.fixture
async def log(db: Database) -> Log:
    """The event log of an empty database."""
    return Log(db)


async def test_numbers_are_gapless_per_tenant(log: Log) -> None:
    """Each tenant's events are numbered 1, 2, 3..., whoever else writes in between."""
    one, other = await log.tenant(), await log.tenant()
    for tenant_id, name in [(one, "a"), (other, "b"), (one, "c"), (one, "d"), (other, "e")]:
        await log.happened(tenant_id, name)

    assert await sequence_events(log.app) == 5
    await log.happened(other, "f")
    assert await sequence_events(log.app) == 1
    assert await sequence_events(log.app) == 0

    assert await log.numbered(one) == [(1, "a"), (2, "c"), (3, "d")]
    assert await log.numbered(other) == [(1, "b"), (2, "e"), (3, "f")]


async def test_an_open_transaction_leaves_no_gap(log: Log) -> None:
    """What is not committed yet gets its number later, and what is rolled back gets none."""
    tenant_id = await log.tenant()
    async with log.db.transaction() as slow:
        await log.write(slow, tenant_id, "slow")
        with pytest.raises(ZeroDivisionError):
            await log.undone(tenant_id, "never")
        await log.happened(tenant_id, "fast")
        assert await sequence_events(log.app) == 1
        assert await log.numbered(tenant_id) == [(1, "fast")]

    await log.happened(tenant_id, "last")
    assert await sequence_events(log.app) == 2
    assert await log.numbered(tenant_id) == [(1, "fast"), (2, "slow"), (3, "last")]


async def test_an_open_transaction_holds_nobody_up(log: Log) -> None:
    """Events are numbered at once however long an older transaction stays open."""
    tenant_id = await log.tenant()
    async with log.db.transaction() as oldest:
        await oldest.execute("select pg_current_xact_id()")
        await log.happened(tenant_id, "done")

        assert await sequence_events(log.app) == 1


async def test_events_of_an_object_keep_their_order(log: Log) -> None:
    """The later change of an object has the higher number, whoever began first.

    Here the second change comes from the oldest transaction, and one whose id lies between the
    two is still open: holding events back by the ids of transactions would swap them.
    """
    tenant_id, thing = await log.tenant(), new_id()
    async with AsyncExitStack() as still_open:
        async with log.db.transaction() as second:
            await second.execute("select pg_current_xact_id()")
            bystander = await still_open.enter_async_context(log.db.transaction())
            await bystander.execute("select pg_current_xact_id()")
            await log.happened(tenant_id, "first", thing)
            await log.write(second, tenant_id, "second", thing)

        await sequence_events(log.app)
    await sequence_events(log.app)

    assert await log.numbered(tenant_id) == [(1, "first"), (2, "second")]


async def test_a_batch_never_splits_an_object_backwards(log: Log) -> None:
    """Numbers follow the log's positions from one batch to the next."""
    tenant_id, thing = await log.tenant(), new_id()
    for name in "abcdefg":
        await log.happened(tenant_id, name, thing)
    for expected in (3, 3, 1, 0):
        async with log.db.transaction() as tx:
            assert await event_sequence.number(tx, 3) == expected

    assert await log.numbered(tenant_id) == list(enumerate("abcdefg", start=1))


async def test_one_process_numbers_at_a_time(log: Log) -> None:
    """A second sequencer does nothing while the first one has not committed."""
    tenant_id = await log.tenant()
    await log.happened(tenant_id, "a")
    async with log.db.transaction() as tx:
        assert await event_sequence.number(tx, 10) == 1
        async with log.db.transaction() as second:
            assert await event_sequence.number(second, 10) is None
        assert await sequence_events(log.app) == 0

    await log.happened(tenant_id, "b")
    await sequence_events(log.app)
    assert await log.numbered(tenant_id) == [(1, "a"), (2, "b")]


async def test_writers_and_sequencers_at_once(log: Log) -> None:
    """Sixteen writers of four objects, three sequencers: no gap, no number twice, no swap."""
    tenant_id = await log.tenant()
    objects = [new_id() for _ in range(4)]
    async with log.db.transaction() as tx:
        await tx.execute("create table things (id uuid primary key, version int not null)")
        await tx.executemany("insert into things values ($1, 0)", [(one,) for one in objects])

    async def write(thing: UUID) -> None:
        for _ in range(10):
            async with log.db.transaction() as tx:
                await tx.execute("select pg_current_xact_id()")
                await asyncio.sleep(0.001)
                version = await tx.fetchval(
                    "update things set version = version + 1 where id = $1 returning version",
                    thing,
                )
                await log.write(tx, tenant_id, f"{thing}:{version}", thing)

    async def number() -> None:
        while not done.is_set():
            await sequence_events(log.app)

    done = asyncio.Event()
    sequencers = [asyncio.create_task(number()) for _ in range(3)]
    await asyncio.gather(*(write(thing) for thing in objects * 4))
    done.set()
    await asyncio.gather(*sequencers)
    await sequence_events(log.app)

    numbered = await log.numbered(tenant_id)
    assert [number for number, _ in numbered] == list(range(1, 161))
    for thing in objects:
        versions = [int(name.split(":")[1]) for _, name in numbered if str(thing) in name]
        assert versions == list(range(1, 41))


async def test_a_backlog_is_worked_off(log: Log) -> None:
    """More events than one batch holds are numbered in one go."""
    tenant_id = await log.tenant()
    async with log.db.transaction() as tx:
        await tx.execute(
            "insert into events (tenant_id, id, type, object_id, data, happened_at) "
            "select $1, gen_random_uuid(), 'x', gen_random_uuid(), '{}', now() "
            "from generate_series(1, $2)",
            tenant_id,
            2 * EVENTS_AT_ONCE + 7,
        )

    assert await sequence_events(log.app) == 2 * EVENTS_AT_ONCE + 7
    numbered = await log.numbered(tenant_id)
    assert (numbered[0][0], numbered[-1][0]) == (1, 2 * EVENTS_AT_ONCE + 7)
