"""Jobs are done once their transaction is committed, and none is lost."""

import asyncio
from datetime import timedelta

import pytest

from tallystick.db import job_queue
from tallystick.db.server import EmbeddedServer
from tallystick.jobs import run_job, worker
from tallystick.jobs.handlers import HANDLERS, Handler, Ids
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tests.database import administer, in_own_loop
from tests.jobs.conftest import Bench, until


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that failed is tried again at once, and is soon found."""
    monkeypatch.setattr(run_job, "FIRST_PAUSE", timedelta(milliseconds=1))
    monkeypatch.setattr(worker, "LOOK_AGAIN", timedelta(seconds=0.1))


async def test_a_job_is_done_when_its_cause_is_committed(bench: Bench) -> None:
    """What was rolled back is never done; what was committed is, within its tenant."""
    thing = new_id()
    async with bench.worker({"note": Handler(verb=bench.note)}):
        with pytest.raises(ZeroDivisionError):
            await _enqueued_and_undone(bench)
        await bench.enqueue("note", thing=thing)
        await until(lambda: _is(len(bench.done) == 1))

    assert bench.done == [{"tenant_id": bench.tenant_id, "thing": thing}]
    assert (await bench.jobs(), await bench.starts()) == ([], [])


async def test_a_job_that_fails_is_tried_again(bench: Bench) -> None:
    """Two failures and a success: done, with nothing left behind."""
    tries = []

    async def third_time_lucky(_: Context, ids: Ids) -> None:
        tries.append(ids)
        if len(tries) < 3:
            raise RuntimeError("no answer")

    async with bench.worker({"try": Handler(verb=third_time_lucky)}):
        await bench.enqueue("try")
        await until(lambda: _is(len(tries) == 3))
        await until(lambda: _none_left(bench))

    assert (len(tries), await bench.starts()) == (3, [])


async def test_a_hopeless_job_is_kept_for_a_person(bench: Bench) -> None:
    """An error that no other try can mend holds the job at once, and drops nothing."""

    async def refuse(_: Context, ids: Ids) -> None:
        bench.done.append(ids)
        raise ZeroDivisionError

    async with bench.worker({"refuse": Handler(verb=refuse, hopeless=(ZeroDivisionError,))}):
        await bench.enqueue("refuse")
        await until(lambda: _held(bench))

    assert len(bench.done) == 1
    async with bench.app.database.connection() as tx:
        (held,) = await job_queue.held(tx, 10)
    assert (held.entrypoint, str(bench.tenant_id) in held.payload) == ("refuse", True)


async def test_a_job_that_always_fails_is_kept_for_a_person(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many starts it is held; queued again by hand, counting begins anew."""
    monkeypatch.setattr(run_job, "STARTS_MAX", 3)

    async def fail(_: Context, ids: Ids) -> None:
        bench.done.append(ids)
        raise RuntimeError("no answer")

    async with bench.worker({"fail": Handler(verb=fail)}):
        await bench.enqueue("fail")
        await until(lambda: _held(bench))

    assert (len(bench.done), await bench.starts()) == (3, [])


async def test_a_job_that_kills_its_worker_is_not_begun_for_ever(bench: Bench) -> None:
    """Starts that never ended count, too: past the limit the job is held, not begun."""
    await bench.enqueue("note")
    async with bench.app.transaction() as tx:
        job_id = await tx.fetchval("select id from pgqueuer")
        for _ in range(run_job.STARTS_MAX):
            await job_queue.note_start(tx, bench.tenant_id, job_id)

    async with bench.worker({"note": Handler(verb=bench.note)}):
        await until(lambda: _held(bench))

    assert bench.done == []


@pytest.mark.parametrize("payload", [b"not json", b"{}", b'{"tenant_id": "nobody"}'])
async def test_a_payload_that_is_none_of_ours_is_held(bench: Bench, payload: bytes) -> None:
    """A job that cannot be read is kept for a person."""
    await bench.enqueue("note")
    await bench.app.database.pool.execute("update pgqueuer set payload = $1", payload)

    async with bench.worker({"note": Handler(verb=bench.note)}):
        await until(lambda: _held(bench))

    assert bench.done == []


async def test_stopping_lets_a_job_end(bench: Bench) -> None:
    """A worker that is told to stop finishes what it has begun."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def slow(_: Context, __: Ids) -> None:
        begun.set()
        await asyncio.sleep(0.3)
        ended.set()

    async with bench.worker({"slow": Handler(verb=slow)}):
        await bench.enqueue("slow")
        await begun.wait()

    assert ended.is_set()
    assert await bench.jobs() == []


async def test_cancelling_loses_no_job(bench: Bench) -> None:
    """A worker that is ended in the middle of a job leaves the job to the next worker."""
    begun = asyncio.Event()

    async def endless(_: Context, __: Ids) -> None:
        begun.set()
        await asyncio.Event().wait()

    await bench.enqueue("do")
    async with bench.worker({"do": Handler(verb=endless)}) as ended:
        await begun.wait()
        ended.cancel()
        await asyncio.wait({ended})
    assert await bench.jobs() == [("do", "queued")]

    async with bench.worker({"do": Handler(verb=bench.note)}):
        await until(lambda: _none_left(bench))
    assert len(bench.done) == 1


async def test_two_workers_share_the_jobs(bench: Bench) -> None:
    """Thirty jobs and two workers: each job is done once."""
    handlers = {"note": Handler(verb=bench.note)}
    async with bench.worker(handlers), bench.worker(handlers):
        things = [new_id() for _ in range(30)]
        for thing in things:
            await bench.enqueue("note", thing=thing)
        await until(lambda: _none_left(bench))

    assert sorted(ids["thing"] for ids in bench.done) == sorted(things)


async def test_lost_connections_end_nothing(bench: Bench) -> None:
    """A worker whose every connection is cut works on, and does what waits for it."""
    async with bench.worker({"note": Handler(verb=bench.note)}):
        await bench.enqueue("note")
        await until(lambda: _is(len(bench.done) == 1))
        await bench.app.database.pool.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        await bench.enqueue("note")
        await until(lambda: _is(len(bench.done) == 2))


async def test_a_database_that_is_away_is_waited_for(
    bench: Bench, server: EmbeddedServer, database_dsn: str
) -> None:
    """The worker begins again by itself when the database is back, and does what waits."""
    name = database_dsn.split("?", maxsplit=1)[0].rpartition("/")[2]
    async with bench.worker({"note": Handler(verb=bench.note)}):
        await bench.enqueue("note")
        await until(lambda: _is(len(bench.done) == 1))
        # The worker shall not come back in between, so its event loop has to stand still.
        in_own_loop(
            administer(
                server,
                "select pg_terminate_backend(pid) from pg_stat_activity "
                f"where datname = '{name}'; alter database {name} rename to {name}_away",
            )
        )
        await asyncio.sleep(1.2)
        await administer(server, f"alter database {name}_away rename to {name}")
        await bench.enqueue("note")
        await until(lambda: _is(len(bench.done) == 2))


def test_every_job_has_its_handler() -> None:
    """The names that verbs enqueue are the names of handlers."""
    assert set(HANDLERS) == {"refund_late_money", "provider_event"}


@pytest.mark.parametrize(
    ("starts", "seconds"), [(1, 1), (2, 2), (3, 4), (12, 2048), (13, 3600), (19, 3600)]
)
def test_pauses_double_up_to_an_hour(
    starts: int, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider that is away for hours is asked some more times, not thousands."""
    monkeypatch.setattr(run_job, "FIRST_PAUSE", timedelta(seconds=1))
    assert run_job.pause_after(starts) == timedelta(seconds=seconds)


async def _enqueued_and_undone(bench: Bench) -> None:
    async with bench.app.transaction() as tx:
        await job_queue.enqueue(tx, "note", {"tenant_id": bench.tenant_id})
        raise ZeroDivisionError


async def _is(fact: bool) -> bool:
    return fact


async def _none_left(bench: Bench) -> bool:
    return await bench.jobs() == []


async def _held(bench: Bench) -> bool:
    return [status for _, status in await bench.jobs()] == ["failed"]
