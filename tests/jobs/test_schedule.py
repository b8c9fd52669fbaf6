"""Periodic work is done by one worker per turn, on time, whatever fails."""

import asyncio
from datetime import UTC, datetime, timedelta

from tallystick.db import periodic_work
from tallystick.http.v1.import_rows import read_chunk
from tallystick.jobs.schedule import Periodic, every_kind
from tallystick.services.context import App
from tallystick.settings import Settings
from tests.jobs.conftest import Bench, until


class Turns:
    """Work that remembers when it was done."""

    def __init__(self) -> None:
        self.taken: list[datetime] = []

    async def __call__(self, _: App, now: datetime) -> int:
        """Do it."""
        self.taken.append(now)
        return 1


async def test_workers_share_the_turns(bench: Bench) -> None:
    """Three workers do the work as often as one would."""
    turns = Turns()
    kinds = [Periodic(name="count", seconds=0.2, turn=turns)]
    async with bench.worker({}, kinds), bench.worker({}, kinds), bench.worker({}, kinds):
        await asyncio.sleep(1.1)

    lasted = (turns.taken[-1] - turns.taken[0]).total_seconds()
    assert 4 <= len(turns.taken) <= lasted / 0.2 + 2
    assert all(now.tzinfo is UTC for now in turns.taken)


async def test_a_turn_that_fails_is_taken_again(bench: Bench) -> None:
    """A failure is logged; its next turn comes on time, and other work is not held up."""
    turns, tries = Turns(), []

    async def fail(_: App, now: datetime) -> int:
        tries.append(now)
        raise RuntimeError("not today")

    kinds = [
        Periodic(name="fail", seconds=0.1, turn=fail),
        Periodic(name="count", seconds=0.1, turn=turns),
    ]
    async with bench.worker({}, kinds):
        await until(lambda: _is(len(tries) >= 3 and len(turns.taken) >= 3))


async def test_a_worker_does_not_overtake_itself(bench: Bench) -> None:
    """While a turn takes long, its worker takes no other one of that kind, but another may."""
    under_way, most = 0, 0

    async def slow(_: App, __: datetime) -> int:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.5)
        under_way -= 1
        return 0

    kinds = [Periodic(name="slow", seconds=0.1, turn=slow)]
    async with bench.worker({}, kinds):
        await asyncio.sleep(0.8)
    assert most == 1

    async with bench.worker({}, kinds), bench.worker({}, kinds):
        await asyncio.sleep(0.8)
    assert most == 2


async def test_stopping_lets_a_turn_end(bench: Bench) -> None:
    """A worker that is told to stop finishes the turn it has begun."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def slow(_: App, __: datetime) -> int:
        begun.set()
        await asyncio.sleep(0.3)
        ended.set()
        return 0

    async with bench.worker({}, [Periodic(name="slow", seconds=60, turn=slow)]):
        await begun.wait()

    assert ended.is_set()


async def test_a_shorter_interval_counts_at_once(bench: Bench) -> None:
    """A turn that lies further away than the interval is due: the setting was changed."""
    async with bench.app.database.connection() as tx:
        await periodic_work.add(tx, ["rare"])
        assert await periodic_work.take_due(tx, {"rare": 3600}) == ["rare"]
        assert await periodic_work.take_due(tx, {"rare": 3600}) == []
        assert await periodic_work.take_due(tx, {"rare": 60}) == ["rare"]


def test_every_interval_is_a_setting() -> None:
    """The periodic work of the program, and how often it is done by default."""
    assert {kind.name: kind.seconds for kind in every_kind(Settings(), read_chunk)} == {
        "sweep_attempts": 15,
        "sweep_collections": 15,
        "sweep_refunds": 15,
        "sweep_setups": 15,
        "forget_methods": 15,
        "tell_of_customers": 15,
        "bill_due": 10,
        "expire_sessions": 10,
        "settle_debits": 3,
        "record_reversals": 3,
        "record_failed_refunds": 15,
        "reconcile": 15,
        "look_after_connections": 15,
        "run_imports": 1,
        "sequence_events": 1,
        "compact_list_counts": 10,
        "pass_on_names": 10,
        "purge_idempotency_keys": 3600,
        "purge_deliveries": 3600,
        "purge_secrets": 3600,
        "purge_provider_events": 3600,
    }


async def test_every_kind_runs_on_an_empty_database(bench: Bench) -> None:
    """With nothing to do, each kind of work finds nothing to do."""
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta()
    done = {
        kind.name: await kind.turn(bench.app, now)
        for kind in every_kind(Settings(), read_chunk)
    }

    assert set(done.values()) == {0}


async def _is(fact: bool) -> bool:
    return fact
