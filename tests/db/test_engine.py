"""Connections, transactions, and the database that goes away and comes back."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tallystick.db import engine
from tallystick.db.engine import Database, DatabaseUnavailable, Tx, retrying, savepoint
from tallystick.db.refusals import LockTimeout, UniqueViolation, constraint_of
from tallystick.db.server import EmbeddedServer
from tallystick.db.server_watch import kept_running
from tests.database import out_of_room


@pytest.fixture
async def notes(db: Database) -> Database:
    """A database with a small table to write to."""
    async with db.connection() as connection:
        await connection.execute("create table notes (id int constraint once primary key)")
    return db


async def _count_notes(db: Database) -> int:
    async with db.connection() as connection:
        return int(await connection.fetchval("select count(*) from notes"))


async def test_a_block_that_ends_is_committed(notes: Database) -> None:
    """What a transaction's block wrote is there for others when it has ended."""
    async with notes.transaction() as tx:
        await tx.execute("insert into notes values (1)")

    assert await _count_notes(notes) == 1


async def test_a_block_that_raises_is_rolled_back(notes: Database) -> None:
    """What a transaction's block wrote is gone when it raises, and the error is its own."""

    async def refuse() -> None:
        async with notes.transaction() as tx:
            await tx.execute("insert into notes values (1)")
            raise LookupError

    with pytest.raises(LookupError):
        await refuse()

    assert await _count_notes(notes) == 0


async def test_a_commit_that_fails_is_not_taken_for_one(notes: Database) -> None:
    """A rule checked at commit raises at the end of the block."""
    async with notes.connection() as connection:
        await connection.execute(
            "create table replies (note int references notes initially deferred)"
        )

    with pytest.raises(Exception, match="violates foreign key"):
        async with notes.transaction() as tx:
            await tx.execute("insert into replies values (7)")


async def test_a_savepoint_keeps_the_transaction_usable(notes: Database) -> None:
    """After a refused statement inside a savepoint the transaction goes on."""
    async with notes.transaction() as tx:
        await tx.execute("insert into notes values (1)")
        with pytest.raises(UniqueViolation) as refusal:
            async with savepoint(tx):
                await tx.execute("insert into notes values (1)")
        await tx.execute("insert into notes values (2)")

    assert constraint_of(refusal.value) == "once"
    assert await _count_notes(notes) == 2


async def test_a_transaction_left_open_does_not_reach_the_next_user(
    notes: Database,
) -> None:
    """A connection given back inside a transaction comes out of the pool without one."""
    async with notes.connection() as connection:
        await connection.execute("begin; insert into notes values (1)")

    async with notes.connection() as connection:
        assert not connection.is_in_transaction()
    assert await _count_notes(notes) == 0


async def test_settings_of_a_session(db: Database) -> None:
    """Every connection has its limits, and speaks UTC."""
    async with db.connection() as connection:
        shown = [
            await connection.fetchval("select current_setting($1)", name)
            for name in ("statement_timeout", "lock_timeout", "TimeZone", "application_name")
        ]

    assert shown == ["30s", "10s", "UTC", "tallystick"]


async def test_json_travels_as_text(db: Database) -> None:
    """JSON goes in as the text it is and comes back as text."""
    async with db.connection() as connection:
        stored = await connection.fetchval("select $1::jsonb", '{"amount": 5412}')

    assert stored == '{"amount": 5412}'


async def test_waiting_for_a_lock_ends(notes: Database) -> None:
    """Who waits too long for a row is told so."""
    await _insert(notes, 1)
    async with notes.transaction() as first, notes.transaction() as second:
        await first.execute("select from notes for update")
        await second.execute("set local lock_timeout = '50ms'")
        with pytest.raises(LockTimeout):
            await second.execute("select from notes for update")


async def test_two_that_meet_are_tried_again(notes: Database) -> None:
    """Of two transactions in a deadlock one is undone, tried again, and both are done."""
    await _insert(notes, 1)
    await _insert(notes, 2)
    both_hold_one = asyncio.Barrier(2)
    runs: list[int] = []

    async def take(first: int, then: int) -> None:
        first_run = True

        async def verb(tx: Tx) -> None:
            nonlocal first_run
            runs.append(first)
            await tx.execute("select from notes where id = $1 for update", first)
            if first_run:
                first_run = False
                await both_hold_one.wait()
            await tx.execute("select from notes where id = $1 for update", then)

        await retrying(notes, verb)

    await asyncio.gather(take(1, 2), take(2, 1))

    assert len(runs) == 3


async def test_no_connection_is_free(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When all connections are lent for too long, the database counts as unavailable."""
    monkeypatch.setattr(engine, "ACQUIRE_SECONDS_MAX", 0.05)
    db = await Database.open(database_dsn, max_size=1)
    async with db.connection():
        with pytest.raises(DatabaseUnavailable):
            async with db.connection():
                raise AssertionError
    await db.close()


@pytest.mark.parametrize("asks", ["while it ends", "afterwards"])
async def test_a_connection_that_ends_in_use(db: Database, asks: str) -> None:
    """However the driver has taken the end of a connection in, the database is away."""

    async def ask() -> None:
        async with db.transaction() as tx:
            pid = await tx.fetchval("select pg_backend_pid()")
            asking = asyncio.ensure_future(
                tx.execute("select pg_sleep(9)")
                if asks == "while it ends"
                else asyncio.sleep(0)
            )
            async with db.connection() as other:
                await asyncio.sleep(0.05)
                await other.execute("select pg_terminate_backend($1)", pid)
                await asyncio.sleep(0.2)
            await asking
            await tx.execute("select 1")

    with pytest.raises(DatabaseUnavailable):
        await ask()
    assert await _answers(db) == 1


async def test_a_connection_that_ends_while_it_is_opened(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends a new connection before its first use: the database is away."""
    learn_arrays = engine._learn_arrays

    async def ended_first(connection: Tx) -> None:
        pid = await connection.fetchval("select pg_backend_pid()")
        async with db.connection() as other:
            await other.execute("select pg_terminate_backend($1)", pid)
        await learn_arrays(connection)

    monkeypatch.setattr(engine, "_learn_arrays", ended_first)

    with pytest.raises(DatabaseUnavailable):
        await Database.open(db.dsn)


async def test_a_connection_of_ones_own_that_ends_in_use(db: Database) -> None:
    """Who holds a connection outside the pool hears the same when it is lost."""

    async def ask() -> None:
        async with db.own_connection() as own:
            pid = await own.fetchval("select pg_backend_pid()")
            async with db.connection() as other:
                await other.execute("select pg_terminate_backend($1)", pid)
            await own.fetchval("select pg_sleep(1)")

    with pytest.raises(DatabaseUnavailable):
        await ask()


@pytest.mark.parametrize("state", ["53100", "53200", "58030"])
async def test_no_room_is_left(notes: Database, state: str) -> None:
    """A server that cannot write now, its disk or memory full, counts as unavailable."""

    async def write() -> None:
        async with notes.transaction() as tx:
            await tx.execute("insert into notes values (1)")
            await tx.execute(out_of_room(state))

    with pytest.raises(DatabaseUnavailable):
        await write()

    assert await _count_notes(notes) == 0


async def test_nobody_listens(tmp_path: Path) -> None:
    """Opening a database that is not there says that it is unavailable."""
    with pytest.raises(DatabaseUnavailable):
        await Database.open(f"postgresql://postgres@/none?host={tmp_path}")


async def test_an_error_of_the_body_stays_its_own(db: Database) -> None:
    """A network error of the caller's own is not taken for the database's."""
    with pytest.raises(ConnectionRefusedError):
        async with db.connection():
            raise ConnectionRefusedError


@pytest.fixture
async def watched(own_server: EmbeddedServer) -> AsyncIterator[Database]:
    """A database on a server of its own that is watched over."""
    async with kept_running(own_server, interval=0.1) as dsn:
        db = await Database.open(dsn)
        yield db
        await db.close()


async def test_a_killed_server_comes_back(
    watched: Database, own_server: EmbeddedServer
) -> None:
    """While PostgreSQL is gone calls say so; afterwards they work again by themselves."""
    pid = own_server.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    with pytest.raises(DatabaseUnavailable):
        await _until_lost(watched)
    async with asyncio.timeout(30):
        while await _answers(watched) != 1:
            await asyncio.sleep(0.1)


async def _insert(db: Database, number: int) -> None:
    async with db.transaction() as tx:
        await tx.execute("insert into notes values ($1)", number)


async def _answers(db: Database) -> int | None:
    try:
        async with db.connection() as connection:
            return int(await connection.fetchval("select 1"))
    except DatabaseUnavailable:
        return None


async def _until_lost(db: Database) -> None:
    async with asyncio.timeout(30):
        while True:
            async with db.connection() as connection:
                await connection.fetchval("select 1")
