"""A worker in the test's own process, with jobs and periodic work that the test chooses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from tallystick.db import job_queue, tenants
from tallystick.db.engine import Database
from tallystick.http.v1.import_rows import read_chunk
from tallystick.jobs.handlers import Handler, Ids
from tallystick.jobs.schedule import Periodic
from tallystick.jobs.worker import run_worker
from tallystick.services.context import App, Context
from tallystick.services.ids import new_id
from tallystick.settings import Settings

PATIENCE_SECONDS = 20

Condition = Callable[[], Awaitable[bool]]


async def until(condition: Condition) -> None:
    """Wait until something holds; fail when it does not in time."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():
            await asyncio.sleep(0.02)


@dataclass
class Bench:
    """A database with one tenant, and what is known of its queue."""

    app: App
    tenant_id: UUID
    done: list[Ids] = field(default_factory=list)

    async def note(self, _: Context, ids: Ids) -> None:
        """A verb that remembers what it was asked for."""
        self.done.append(ids)

    async def enqueue(self, name: str, **ids: UUID) -> None:
        """Leave a job in a transaction of its own."""
        async with self.app.transaction() as tx:
            await job_queue.enqueue(tx, name, {"tenant_id": self.tenant_id, **ids})

    async def jobs(self) -> list[tuple[str, str]]:
        """The jobs in the queue, with their states."""
        rows = await self.app.database.pool.fetch(
            "select entrypoint, status::text as status from pgqueuer order by id"
        )
        return [(row["entrypoint"], row["status"]) for row in rows]

    async def starts(self) -> list[int]:
        """How often each job that has not ended was begun."""
        rows = await self.app.database.pool.fetch("select starts from job_starts")
        return [row["starts"] for row in rows]

    @asynccontextmanager
    async def worker(
        self, handlers: Mapping[str, Handler], kinds: Sequence[Periodic] = ()
    ) -> AsyncIterator[asyncio.Task[None]]:
        """A worker that runs while the block does, and is then told to stop."""
        stop = asyncio.Event()
        worker = asyncio.create_task(
            run_worker(
                self.app,
                Settings(),
                stop,
                read_rows=read_chunk,
                handlers=handlers,
                kinds=kinds,
            )
        )
        try:
            yield worker
        finally:
            stop.set()
            if not worker.cancelled():
                await worker


@pytest.fixture
async def bench(db: Database) -> Bench:
    """An empty database with one tenant."""
    app = App(
        database=db,
        providers={},
        public_url="http://localhost",
        call_limit_seconds=1,
        plan_versions={},
    )
    tenant_id = new_id()
    async with db.transaction() as tx:
        await tenants.insert(
            tx,
            tenant_id,
            name="Acme",
            currency="EUR",
            is_test=True,
            clock=None,
            link_secret=bytes(32),
        )
    return Bench(app=app, tenant_id=tenant_id)
