"""Real workers, really killed: SIGKILL at random while they share one tenant's renewals."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import pytest

from tallystick.cli.bench.many_subscriptions import copy_first
from tests.forked import Forked
from tests.scenarios.consolidating import Consolidating
from tests.scenarios.test_usage_billed import metered_plan
from tests.subscribing import Merchant
from tests.world import World

SUBSCRIPTIONS = 500
CUSTOMERS = 120
ROUNDS = 2
AFTER_GRACE = datetime(2026, 4, 11, 12, tzinfo=UTC)
PATIENCE_SECONDS = 60

# Every second subscription, with its place, becomes one of the customer before.
PAIRED = """
    with numbered as (
        select id, customer_id, row_number() over (order by id) - 1 as n from subscriptions),
    pairs as (
        select id, n, first_value(customer_id) over (partition by n / 2 order by n) as customer
        from numbered),
    places as (
        update plan_places p set customer_id = w.customer, place = w.n % 2
        from pairs w where p.holder = w.id)
    update subscriptions s set customer_id = w.customer from pairs w where s.id = w.id
"""

Start = Callable[[], Awaitable[Forked]]


@pytest.fixture
async def start(database_dsn: str, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts workers on the database of this test, which bill as soon as they can."""
    started: list[Forked] = []

    async def worker() -> Forked:
        said = tmp_path / f"said-{len(started)}"
        quick = {"DATABASE_URL": database_dsn, "TALLYSTICK_BILL_SECONDS": "0.05"}
        process = await asyncio.to_thread(Forked, ["worker"], said, quick)
        started.append(process)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not said.exists() or "The worker runs." not in said.read_text():
                assert process.poll() is None, "it did not start"
                await asyncio.sleep(0.01)
        return process

    yield worker
    for process in started:
        process.kill()
        process.wait()


async def left(world: World, subscriptions: int) -> int:
    """How many renewals are not finalized yet, be it as part of a consolidated invoice."""
    found = await world.one(
        "select count(*) as finalized from invoices "
        "where invoice_date = '2026-04-10' and subscription_id is not null "
        "and (status = 'FINALIZED' or consolidated_into_invoice_id is not null)"
    )
    return subscriptions - int(found["finalized"])


async def are_killed(merchant: Merchant, start: Start, subscriptions: int) -> None:
    """All falls due; workers are killed in the middle of it, and two finish what is left."""
    random, world = Random(11), merchant.world
    left_at_kills = []
    for _ in range(ROUNDS):
        workers = await asyncio.gather(start(), start())
        await merchant.stand_at(AFTER_GRACE)
        for worker in workers:
            await asyncio.sleep(random.uniform(0, 0.15))
            left_at_kills.append(await left(world, subscriptions))
            worker.send_signal(signal.SIGKILL)
            worker.wait()

    await asyncio.gather(start(), start())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await left(world, subscriptions):
            await asyncio.sleep(0.05)
    assert any(left_at_kills), "every worker was killed too late"


@pytest.mark.timeout(300)
async def test_killed_workers_bill_everybody_once(world: World, start: Start) -> None:
    """No invoice is missing, twice, or out of count."""
    merchant = Merchant(world=world)
    plan = await metered_plan(world)
    made = await merchant.subscribe(await world.customer(), plan, date(2026, 3, 10))
    await copy_first(world.app, world.tenant_id, made.subscription.id, SUBSCRIPTIONS - 1)

    await are_killed(merchant, start, SUBSCRIPTIONS)

    renewed = await world.fetch(
        "select subscription_id, total, number from invoices where invoice_date = '2026-04-10'"
    )
    assert len({row["subscription_id"] for row in renewed}) == SUBSCRIPTIONS
    assert {row["total"] for row in renewed} == {2000}
    # The first invoice, at the start, was number 1.
    numbers = sorted(row["number"] for row in renewed)
    assert numbers == list(range(2, SUBSCRIPTIONS + 2))
    await merchant.is_sound()


@pytest.mark.timeout(300)
async def test_killed_workers_consolidate_everybody_once(world: World, start: Start) -> None:
    """Each customer has one invoice of both renewals, and none of them is billed besides."""
    merchant = await Consolidating.open(world)
    (first,) = await merchant.sells(await world.customer(), [await world.plan()])
    await copy_first(world.app, world.tenant_id, first, 2 * CUSTOMERS - 1)
    await world.execute(PAIRED)

    await are_killed(merchant, start, 2 * CUSTOMERS)

    whole, members, alone = await merchant.of(date(2026, 4, 10))
    assert (len({one["customer_id"] for one in whole}), len(members)) == (
        CUSTOMERS,
        2 * CUSTOMERS,
    )
    assert ({one["total"] for one in whole}, alone) == ({9800}, [])
    assert sorted(one["number"] for one in whole) == list(range(2, CUSTOMERS + 2))
    await merchant.is_sound()
