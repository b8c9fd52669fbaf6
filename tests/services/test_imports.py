"""Files that are imported by many, cancelled meanwhile, and by workers that fail."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tallystick.db import batch_chunks
from tallystick.db.batch_chunks import DueChunk
from tallystick.db.engine import DatabaseUnavailable
from tallystick.domain.batch_job import BatchJobStatus, BatchJobType, Chunk
from tallystick.domain.errors import Conflict
from tallystick.http.v1 import receive_import as receiving
from tallystick.http.v1.import_rows import read_chunk
from tallystick.services import run_imports as running
from tallystick.services.cancel_import import cancel_import
from tallystick.services.context import Context
from tallystick.services.create_customer import create_customer
from tallystick.services.examine import examine
from tallystick.services.import_rows import ReadChunk
from tallystick.services.run_imports import import_step, run_imports
from tallystick.services.start_import import CUT_OFF_SECONDS, add_chunk, give_up_cut_off
from tests.database import out_of_room
from tests.importing import CUSTOMERS, EVENTS, SUBSCRIPTIONS, imported, job_of, sent
from tests.world import World


def customers(count: int) -> str:
    """A file of so many customers."""
    return "name,currency\n" + "".join(f"C{n},EUR\n" for n in range(count))


async def made(world: World) -> list[str]:
    """The names of every customer, in the order of their ids."""
    rows = await world.fetch(
        "select name from customers where tenant_id = $1 order by id", world.tenant_id
    )
    return [row["name"] for row in rows]


async def test_workers_share_a_file(world: World) -> None:
    """Five workers, one file: each row is made once, and in the order of the file."""
    job_id = await sent(world, customers(1000))
    done = await asyncio.gather(
        *(run_imports(world.app, world.ctx.now, read_chunk) for _ in range(5))
    )

    job = await job_of(world, job_id)
    assert (sum(done), job.status, job.processed_items) == (
        1000,
        BatchJobStatus.COMPLETED,
        1000,
    )
    assert await made(world) == [f"C{n}" for n in range(1000)]
    assert sum(share > 0 for share in done) > 1
    assert (await examine(world.database)).breaches == ()


async def test_cancelling_in_the_middle(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While five workers import it: when the answer is there, nothing more is made."""
    # So many steps that whoever cancels finds some of them left, however slow it is.
    monkeypatch.setitem(running.ROWS_AT_ONCE, BatchJobType.CUSTOMER_CSV_IMPORT, 10)
    job_id = await sent(world, customers(2000))
    workers = [
        asyncio.create_task(run_imports(world.app, world.ctx.now, read_chunk)) for _ in range(5)
    ]
    while not (await job_of(world, job_id)).processed_items:
        await asyncio.sleep(0.005)
    async with world.app.transaction() as tx:
        cancelled = await cancel_import(world.ctx.within(tx), job_id)
    at_once = len(await made(world))
    await asyncio.gather(*workers)

    job = await job_of(world, job_id)
    assert (job, job.status) == (cancelled, BatchJobStatus.CANCELLED)
    assert 0 < at_once < 2000
    assert len(await made(world)) == at_once == job.processed_items
    assert (await examine(world.database)).breaches == ()


async def test_cancelling_while_a_file_comes_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the file is refused, and nothing of it is imported."""
    monkeypatch.setitem(receiving.CHUNK_ITEMS_MAX, CUSTOMERS, 2)

    async def cancel_before(ctx: Context, job_id: UUID, chunk: Chunk) -> None:
        rows = await world.fetch("select id from batch_jobs")
        async with world.app.transaction() as tx:
            await cancel_import(world.ctx.within(tx), rows[0]["id"])
        await add_chunk(ctx, job_id, chunk)

    monkeypatch.setattr(receiving, "add_chunk", cancel_before)
    with pytest.raises(Conflict, match="ended while its file came in"):
        await sent(world, customers(5))

    (job,) = await world.fetch("select status from batch_jobs")
    assert (job["status"], await made(world)) == ("CANCELLED", [])
    assert (await examine(world.database)).breaches == ()


async def test_a_file_that_stopped_coming_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process died while it received a file: its job has FAILED, and says why."""
    monkeypatch.setattr(receiving, "discard_import", lambda *_: asyncio.sleep(0))
    monkeypatch.setattr("tests.importing.finish_import", _dies)
    with pytest.raises(ZeroDivisionError):
        await sent(world, customers(5))
    assert await give_up_cut_off(world.app, world.ctx.now) == 0
    await world.execute(
        "update batch_jobs set touched_at = touched_at - $1::interval",
        timedelta(seconds=CUT_OFF_SECONDS + 1),
    )

    assert await run_imports(world.app, world.ctx.now, read_chunk) == 0
    (job,) = await world.fetch("select status, error from batch_jobs")
    assert job["status"] == "FAILED"
    assert "did not come in as a whole" in job["error"]
    assert (await made(world), (await examine(world.database)).breaches) == ([], ())


async def _dies(*_: object, **__: object) -> None:
    raise ZeroDivisionError


async def test_a_defect_of_one_row(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that we fail with is reported as our fault, and stops none of the others."""

    async def fails(*args: Any, **more: Any) -> object:  # noqa: ANN401
        if "C1'" in repr(args):
            raise ZeroDivisionError
        return await create_customer(*args, **more)

    async def fail_together(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(running, "create_customer", fails)
    monkeypatch.setattr(running, "import_customers", fail_together)
    job = await imported(world, customers(3))

    assert (job.status, job.failed_items) == (BatchJobStatus.COMPLETED_WITH_ERRORS, 1)
    assert await made(world) == ["C0", "C2"]
    (failure,) = await world.fetch("select reason, row_number from batch_job_failures")
    assert (failure["row_number"], failure["reason"]) == (3, running.DEFECT)


async def test_a_chunk_that_cannot_be_worked_on(world: World) -> None:
    """It rests, each time for longer, and after some tries its job has FAILED."""
    job_id = await sent(world, customers(3))

    def unreadable(_: DueChunk, rows_max: int) -> ReadChunk:
        raise ZeroDivisionError(rows_max)

    for tries in range(1, running.TRIES_MAX + 1):
        assert (await job_of(world, job_id)).status is BatchJobStatus.PENDING
        assert await import_step(world.app, world.ctx.now, unreadable) == 0
        assert await import_step(world.app, world.ctx.now, unreadable) is None, "it rests"
        rows = await world.fetch("select tries, due_at - now() as rest from batch_job_chunks")
        assert rows[0]["tries"] == tries
        assert rows[0]["rest"] < timedelta(seconds=2 ** (tries - 1))
        await world.execute("update batch_job_chunks set due_at = now()")

    job = await job_of(world, job_id)
    assert job.status is BatchJobStatus.FAILED
    assert job.error is not None
    assert job.error == running.STOPPED.format(row=2)
    assert "ZeroDivision" not in job.error, "what went wrong inside is for the log"
    assert (await made(world), (await examine(world.database)).breaches) == ([], ())


async def test_a_row_cannot_come_twice(world: World) -> None:
    """Were a step done again after its commit, the database would refuse every row of it."""
    job_id = await sent(world, customers(3))
    await run_imports(world.app, world.ctx.now, read_chunk)
    await world.execute("update batch_job_chunks set state = 'DUE', done = 0")
    await world.execute(
        "update batch_jobs set status = 'PENDING', processed_items = 0, chunks_left = 1,"
        " completed_at = null"
    )

    await run_imports(world.app, world.ctx.now, read_chunk)

    assert await made(world) == ["C0", "C1", "C2"]
    assert (await job_of(world, job_id)).failed_items == 3


async def test_a_step_locks_no_more_than_its_chunk(world: World) -> None:
    """While a chunk is worked on, the next file can come in and be looked at."""
    job_id = await sent(world, customers(3))
    async with world.app.transaction() as tx:
        assert await batch_chunks.lock_due(tx, job_id) is not None
        assert await batch_chunks.lock_due(tx, None) is not None, "its own lock"
        assert await import_step(world.app, world.ctx.now, read_chunk) is None
        other = await imported(world, customers(2))
    assert other.status is BatchJobStatus.COMPLETED


async def test_subscriptions_of_one_customer_by_many_workers(world: World) -> None:
    """Forty subscriptions, four workers: all made, each once, numbered without a gap."""
    await world.customer("Globex", alias="globex")
    await world.plan(name="Pro")
    content = "customer,plan,start_date\n" + "globex,Pro,2026-03-10\n" * 40
    job_id = await sent(world, content, SUBSCRIPTIONS)
    await asyncio.gather(*(run_imports(world.app, world.ctx.now, read_chunk) for _ in range(4)))

    job = await job_of(world, job_id)
    assert (job.status, job.failed_items) == (BatchJobStatus.COMPLETED, 0)
    rows = await world.fetch("select number from invoices order by number")
    assert [row["number"] for row in rows] == list(range(1, 41))
    assert (await examine(world.database)).breaches == ()


async def test_events_of_a_file_and_of_a_call(world: World) -> None:
    """The same event twice in a file and from two files at once is kept once."""
    await world.customer("Globex", alias="globex")
    await world.execute(
        "insert into metrics (tenant_id, id, product_family_id, code, name, aggregation_type,"
        " definition, created_at) values ($1, gen_random_uuid(), $2, 'calls', 'Calls',"
        " 'COUNT', '{}', now())",
        world.tenant_id,
        world.family_id,
    )
    content = "event_id,customer,code,timestamp\n" + "".join(
        f"e{n % 1500},globex,calls,2026-01-01T00:00:00Z\n" for n in range(3000)
    )
    jobs = [await sent(world, content, EVENTS) for _ in range(2)]
    await asyncio.gather(*(run_imports(world.app, world.ctx.now, read_chunk) for _ in range(4)))

    assert {(await job_of(world, one)).status for one in jobs} == {BatchJobStatus.COMPLETED}
    (kept,) = await world.fetch("select count(*) from usage_events")
    assert kept["count"] == 1500


async def test_a_full_disk_is_no_fault_of_a_row(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the server cannot write, nothing is made or reported; afterwards everything is."""
    job_id = await sent(world, customers(3))

    async def finds_no_room(ctx: Context, *_: object, **__: object) -> object:
        return await ctx.transaction.execute(out_of_room())

    with monkeypatch.context() as patched:
        patched.setattr(running, "create_customer", finds_no_room)
        patched.setattr(running, "import_customers", finds_no_room)
        with pytest.raises(DatabaseUnavailable):
            await run_imports(world.app, world.ctx.now, read_chunk)
    assert (await job_of(world, job_id)).processed_items == 0

    assert await run_imports(world.app, world.ctx.now, read_chunk) == 3
    assert (await job_of(world, job_id)).status is BatchJobStatus.COMPLETED
