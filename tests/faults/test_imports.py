"""Workers that import a file and are killed: every row is made once, and counted once."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random

import pytest

from tallystick.domain.batch_job import BatchJobStatus, BatchJobType
from tallystick.http.v1.import_rows import read_chunk
from tallystick.services.examine import examine
from tallystick.services.run_imports import run_imports
from tests.faults.process import BROKEN, Break, in_process
from tests.faults.process import Process as FrailProcess
from tests.faults.test_killed_workers import start
from tests.forked import Forked
from tests.importing import CUSTOMERS, SUBSCRIPTIONS, job_of, sent
from tests.scripted_bank import ScriptedBank
from tests.world import World

__all__ = ["start"]

ROWS = 3000
PATIENCE_SECONDS = 60
STORIES = {
    CUSTOMERS: "name,currency\nGood,EUR\nBad,EURO\nBest,EUR\n",
    SUBSCRIPTIONS: "customer,plan,start_date\n"
    "globex,Pro,2026-03-10\nnobody,Pro,2026-03-10\nglobex,Pro,2026-03-01\n",
}
EVERY = {CUSTOMERS: 1, SUBSCRIPTIONS: 7}
"""Of a customer every step; a subscription takes many, and they are alike."""
MADE = {CUSTOMERS: "customers", SUBSCRIPTIONS: "subscriptions"}


async def tell(world: World, kind: BatchJobType, process: FrailProcess) -> tuple[int, int]:
    """Import the story's file in a process that may fail, then finish it in another one."""
    before = await _count(world, MADE[kind])
    job_id = await sent(world, STORIES[kind], kind)
    frail = in_process(world, ScriptedBank(world.sandbox), process)
    with suppress(*BROKEN):
        await run_imports(frail.app, world.ctx.now, read_chunk)
    async with asyncio.timeout(PATIENCE_SECONDS):
        # The server may hold the locks of the dead for a moment.
        while not (job := await job_of(world, job_id)).status.has_ended:
            await run_imports(world.app, world.ctx.now, read_chunk)
    assert job.status is BatchJobStatus.COMPLETED_WITH_ERRORS
    assert (job.processed_items, job.failed_items) == (3, 1)
    return await _count(world, MADE[kind]) - before, len(process.steps)


async def _count(world: World, table: str) -> int:
    (row,) = await world.fetch(f"select count(*) from {table}")
    return int(row["count"])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", STORIES)
async def test_a_worker_that_dies_at_any_step(world: World, kind: BatchJobType) -> None:
    """Killed at statements and commits in turn: two rows are made, and one has failed."""
    await world.customer("Globex", alias="globex")
    await world.plan(name="Pro")
    made, steps = await tell(world, kind, FrailProcess())
    assert made == 2
    assert steps > 10

    for at in range(1, steps + 1, EVERY[kind]):
        made, _ = await tell(world, kind, FrailProcess(breaks_at=at, how=Break.KILLED))
        assert made == 2, f"killed at step {at}"
    assert (await examine(world.database)).breaches == ()


@pytest.mark.timeout(300)
async def test_killed_workers_import_every_row_once(
    world: World, start: Callable[[], Awaitable[Forked]]
) -> None:
    """Real workers, killed at random in the middle of a file; others take it up."""
    random = Random(7)
    workers = await asyncio.gather(start(), start())
    content = "name,currency\n" + "".join(f"C{n},EUR\n" for n in range(ROWS))
    job_id = await sent(world, content)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await job_of(world, job_id)).processed_items:
            await asyncio.sleep(0.002)
    left = []
    for worker in workers:
        await asyncio.sleep(random.uniform(0, 0.05))
        left.append(ROWS - (await job_of(world, job_id)).processed_items)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    await start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await job_of(world, job_id)).status.has_ended:
            await asyncio.sleep(0.05)

    assert any(left), "every worker was killed too late"
    job = await job_of(world, job_id)
    assert (job.status, job.processed_items) == (BatchJobStatus.COMPLETED, ROWS)
    rows = await world.fetch("select name from customers order by id")
    assert [row["name"] for row in rows] == [f"C{n}" for n in range(ROWS)]
    assert (await examine(world.database)).breaches == ()
