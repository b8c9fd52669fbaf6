"""Real workers, really killed: SIGKILL at random while they share one tenant's renewals."""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import pytest

from tallystick.cli.bench.many_subscriptions import copy_first
from tests.scenarios.test_usage_billed import metered_plan
from tests.subscribing import Merchant
from tests.world import World

TALLYSTICK = Path(sys.executable).with_name("tallystick")
SUBSCRIPTIONS = 600
ROUNDS = 4
AFTER_GRACE = datetime(2026, 4, 11, 12, tzinfo=UTC)
PATIENCE_SECONDS = 60

Start = Callable[[], Awaitable[Process]]


@pytest.fixture
async def start(database_dsn: str) -> AsyncIterator[Start]:
    """Starts workers on the database of this test, which bill as soon as they can."""
    started: list[Process] = []

    async def worker() -> Process:
        process = await asyncio.create_subprocess_exec(
            TALLYSTICK,
            "worker",
            env={"DATABASE_URL": database_dsn, "TALLYSTICK_BILL_SECONDS": "0.05"},
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"The worker runs." not in await process.stderr.readline():
                assert not process.stderr.at_eof(), "it did not start"
        return process

    yield worker
    for process in started:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def left(world: World) -> int:
    """How many renewals are not finalized yet."""
    found = await world.one(
        "select count(*) as finalized from invoices "
        "where invoice_date = '2026-04-10' and status = 'FINALIZED'"
    )
    return SUBSCRIPTIONS - int(found["finalized"])


@pytest.mark.timeout(300)
async def test_killed_workers_bill_everybody_once(world: World, start: Start) -> None:
    """Two at a time are killed in the middle; no invoice is missing, twice, or out of count."""
    random, merchant = Random(11), Merchant(world=world)
    plan = await metered_plan(world)
    made = await merchant.subscribe(await world.customer(), plan, date(2026, 3, 10))
    await copy_first(world.app, world.tenant_id, made.subscription.id, SUBSCRIPTIONS - 1)
    await merchant.stand_at(AFTER_GRACE)
    left_at_kills = []
    for _ in range(ROUNDS):
        for worker in await asyncio.gather(start(), start()):
            await asyncio.sleep(random.uniform(0, 0.4))
            left_at_kills.append(await left(world))
            worker.send_signal(signal.SIGKILL)
            await worker.wait()

    await asyncio.gather(start(), start())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await left(world):
            await asyncio.sleep(0.05)

    assert any(left_at_kills), "every worker was killed too late"
    renewed = await world.fetch(
        "select subscription_id, total, number from invoices where invoice_date = '2026-04-10'"
    )
    assert len({row["subscription_id"] for row in renewed}) == SUBSCRIPTIONS
    assert {row["total"] for row in renewed} == {2000}
    # The first invoice, at the start, was number 1.
    numbers = sorted(row["number"] for row in renewed)
    assert numbers == list(range(2, SUBSCRIPTIONS + 2))
    await merchant.is_sound()
