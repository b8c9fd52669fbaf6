"""A worker fails at every step of a trial's end: it is charged once, and goes on, or waits."""

import os
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest

from tallystick.services.collect_invoice import collect_due, sweep_collections
from tallystick.services.confirm_result import Completed
from tallystick.services.examine import examine
from tallystick.services.renew_due import renew_due
from tests.faults.process import BROKEN, Break, Process, in_process
from tests.faults.stories import Kind, Stock, open_stock, saves_a_card
from tests.trials import ENDS
from tests.world import World

EVERY = int(os.environ.get("TALLYSTICK_FAULTS_EVERY", "5"))
TRIAL = Kind(tell=saves_a_card, due=0, offer={"trial_duration_days": 14})


@pytest.fixture
async def stock(world: World) -> Stock:
    """A shop whose bank can be scripted."""
    return await open_stock(world)


async def in_trial(stock: Stock, number: int) -> UUID:
    """A trial that is about to end, with a card, a coupon, and EUR 10 of credit."""
    case = await stock.begin(TRIAL, number)
    assert await case.confirm(stock.world) == Completed()
    row = await stock.world.one(
        "select id from subscriptions where checkout_session_id = $1", case.session
    )
    found: UUID = row["id"]
    return found


async def ends(shop: World) -> None:
    """The worker's round on the day on which the trial ends."""
    await renew_due(shop.at(ENDS).ctx)
    await collect_due(shop.at(ENDS).ctx)


async def assert_charged_once(stock: Stock, subscription: UUID) -> None:
    """Other workers go on: EUR 14.50 were taken, once, and the subscription is active."""
    world = stock.world
    await ends(world)
    for _ in range(2):
        await world.execute(
            "update collections set check_at = now() - interval '1 second' where state = 'LIVE'"
        )
        await sweep_collections(world.app, ENDS)
    # What ended without money is tried again three days later.
    await collect_due(world.at(ENDS + timedelta(days=3)).ctx)
    taken = await world.fetch(
        "select m.amount from sandbox.movements m join collections c"
        " on c.tenant_id = m.tenant_id and c.reference = m.reference"
        " where c.activates = $1 and m.kind = 'CHARGE'",
        subscription,
    )
    assert [row["amount"] for row in taken] == [1450]
    now = await world.one("select status from subscriptions where id = $1", subscription)
    assert now["status"] == "ACTIVE"
    invoices = await world.fetch(
        "select status, payment_status from invoices where subscription_id = $1", subscription
    )
    assert [(one["status"], one["payment_status"]) for one in invoices] == [
        ("FINALIZED", "PAID")
    ]
    assert (await examine(world.database)).breaches == ()


@pytest.mark.parametrize("how", Break)
async def test_a_worker_fails_at_any_step(stock: Stock, how: Break) -> None:
    """Killed, or its connections lost: the other workers find what happened, and finish it."""
    healthy = Process()
    subscription = await in_trial(stock, 0)
    await ends(in_process(stock.world, stock.bank, healthy))
    await assert_charged_once(stock, subscription)
    assert "confirm" in " ".join(healthy.steps)

    for step in range(1 + len(how.name) % EVERY, len(healthy.steps) + 1, EVERY):
        subscription = await in_trial(stock, step)
        process = Process(step, how)
        with suppress(*BROKEN):
            await ends(in_process(stock.world, stock.bank, process))
        try:
            await assert_charged_once(stock, subscription)
        except BaseException as breach:
            breach.add_note(f"{how} at step {step}: {process.steps[step - 1 :][:1]}")
            raise
