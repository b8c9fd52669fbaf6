"""One PostgreSQL for a run of the tests, and a database of its own for each test that asks.

    async def test_something(db: Database) -> None: ...           # a fresh, migrated database
    def test_of_a_process(database_dsn: str) -> None: ...         # the same, as a URL
    def test_that_only_reads(shared_dsn: str) -> None: ...        # one per module

The server starts when the first test asks for it, is shared by all workers of xdist, does
without durability, and ends with the run. Databases are cloned from a template that has every
migration, and emptied for the next test (`tests/emptying.py`), so that real concurrency can be
tested without one test seeing another.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tallystick.db.engine import Database, connect
from tallystick.db.migrate import head, migrate
from tallystick.db.server import EmbeddedServer
from tests.cluster import CLUSTER_VARIABLE
from tests.emptying import Emptying

Result = TypeVar("Result")

_numbers = count(1)
_emptying = Emptying()
_spare: list[str] = []
"""Databases of this process that nobody uses."""


@pytest.fixture(scope="session")
def server() -> EmbeddedServer:
    """The running server of this run of the tests."""
    server = EmbeddedServer(Path(os.environ[CLUSTER_VARIABLE]), tuned_for_tests=True)
    server.ensure_running()
    return server


@pytest.fixture(scope="session")
def template(server: EmbeddedServer) -> str:
    """The name of a database with every migration, never connected to, only cloned."""
    name = f"template_{head()}"
    with _locked(server.data_dir / "template.lock"):
        in_own_loop(make_template(server, name))
    return name


@pytest.fixture
def database_dsn(server: EmbeddedServer, template: str) -> Iterator[str]:
    """The URL of a fresh, migrated database of one test."""
    with fresh_database(server, template) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def shared_dsn(server: EmbeddedServer, template: str) -> Iterator[str]:
    """The URL of a fresh, migrated database that the tests of one module share."""
    with fresh_database(server, template) as dsn:
        yield dsn


@pytest.fixture
async def db(database_dsn: str) -> AsyncIterator[Database]:
    """A fresh, migrated database of one test."""
    db = await Database.open(database_dsn)
    yield db
    await db.close()


@contextmanager
def fresh_database(server: EmbeddedServer, template: str) -> Iterator[str]:
    """Lend a database that is as good as a new clone, whoever is still connected afterwards."""
    if not _spare:
        name = f"test_{os.getpid()}_{next(_numbers)}"
        in_own_loop(_clone(server, template, name))
        _spare.append(name)
    name = _spare.pop()
    try:
        yield server.dsn_of(name)
    finally:
        if in_own_loop(_empty(server, name)):
            _spare.append(name)


async def _clone(server: EmbeddedServer, template: str, name: str) -> None:
    await administer(server, f"create database {name} template {template}")
    await _emptying.learn(server.dsn_of(name))


async def _empty(server: EmbeddedServer, name: str) -> bool:
    """Whether the database can be lent again; otherwise it is gone."""
    # A test may have killed or stopped the server.
    if await _emptying.empty(server.dsn_of(name)):
        return True
    server.ensure_running()
    await administer(server, f"drop database if exists {name} with (force)")
    return False


async def administer(server: EmbeddedServer, statement: str) -> None:
    """Run one statement that concerns whole databases."""
    connection = await connect(server.dsn_of("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def out_of_room(state: str = "53100") -> str:
    """A statement that is refused as on a full disk."""
    return f"do $$ begin raise 'no space left on device' using errcode = '{state}'; end $$"


def in_own_loop(work: Coroutine[Any, Any, Result]) -> Result:
    """Run asynchronous work beside whatever event loop the test has."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, work).result()


async def make_template(server: EmbeddedServer, name: str) -> None:
    """Make a database with every migration, unless it is there."""
    connection = await connect(server.dsn_of("postgres"))
    try:
        if await connection.fetchval("select 1 from pg_database where datname = $1", name):
            return
        # Under another name until it is whole: a migration may fail.
        await connection.execute("drop database if exists template_unfinished with (force)")
        await connection.execute("create database template_unfinished")
        await migrate(server.dsn_of("template_unfinished"))
        await connection.execute(f"alter database template_unfinished rename to {name}")
    finally:
        await connection.close()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def stop_server(folder: Path) -> None:
    """End the server of a run, which nothing needs any more."""
    EmbeddedServer(folder).stop(immediately=True)
