"""A worker fails at every step of a trial's end: it is charged once, and goes on, or waits."""

import os
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest

from tallystick.services.collect_invoice import collect_due
from tallystick.services.confirm_result import Completed
from tallystick.services.end_dunning import end_dunning
from tallystick.services.examine import examine
from tallystick.services.renew_due import renew_due
from tallystick.services.try_to_collect import sweep_collections
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


async def in_two_trials(stock: Stock, number: int) -> UUID:
    """A customer with two trials that are about to end, a card, and EUR 10 of credit."""
    world = stock.world
    customer = await world.customer(f"Customer of two {number}")
    await world.balance(customer, 1000)
    for _ in range(2):
        session = await world.session(customer, await world.plan(), trial_duration_days=14)
        assert await world.confirm(session) == Completed()
    return customer


async def ends(shop: World) -> None:
    """The worker's round on the day on which the trial ends."""
    await renew_due(shop.at(ENDS).ctx)
    await collect_due(shop.at(ENDS).ctx)


async def others_go_on(world: World) -> None:
    """Another worker's round, the sweeper's, and a round three days later."""
    await ends(world)
    for _ in range(2):
        await world.execute(
            "update collections set check_at = now() - interval '1 second' where state = 'LIVE'"
        )
        await sweep_collections(world.app, ENDS)
    # What ended without money is tried again three days later.
    await collect_due(world.at(ENDS + timedelta(days=3)).ctx)


async def assert_charged_once(stock: Stock, subscription: UUID) -> None:
    """Other workers go on: EUR 14.50 were taken, once, and the subscription is active."""
    world = stock.world
    await others_go_on(world)
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


async def assert_charged_as_one(stock: Stock, customer: UUID) -> None:
    """Other workers go on: EUR 88 were taken, once, for one invoice, and both are active."""
    world = stock.world
    await others_go_on(world)
    taken = await world.fetch(
        "select m.amount from sandbox.movements m join collections c"
        " on c.tenant_id = m.tenant_id and c.reference = m.reference"
        " where c.customer_id = $1 and m.kind = 'CHARGE'",
        customer,
    )
    assert [row["amount"] for row in taken] == [8800]
    rows = await world.fetch(
        "select status from subscriptions where customer_id = $1", customer
    )
    assert [row["status"] for row in rows] == ["ACTIVE", "ACTIVE"]
    made = await world.fetch(
        "select status, total from invoices where customer_id = $1 order by total", customer
    )
    assert [(one["status"], one["total"]) for one in made] == [
        ("DRAFT", 4900),
        ("DRAFT", 4900),
        ("FINALIZED", 9800),
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


@pytest.mark.parametrize("how", Break)
async def test_a_worker_fails_at_any_step_of_several(stock: Stock, how: Break) -> None:
    """The same of two trials that are charged as one."""
    await stock.world.execute(
        "update invoicing_entities set consolidate_recurring_invoices = true"
    )
    healthy = Process()
    customer = await in_two_trials(stock, 0)
    await ends(in_process(stock.world, stock.bank, healthy))
    await assert_charged_as_one(stock, customer)

    for step in range(1 + len(how.name) % EVERY, len(healthy.steps) + 1, EVERY):
        customer = await in_two_trials(stock, step)
        process = Process(step, how)
        with suppress(*BROKEN):
            await ends(in_process(stock.world, stock.bank, process))
        try:
            await assert_charged_as_one(stock, customer)
        except BaseException as breach:
            breach.add_note(f"{how} at step {step}: {process.steps[step - 1 :][:1]}")
            raise


async def unpaid(stock: Stock, number: int) -> UUID:
    """A trial whose last try has failed, about which nothing was decided."""
    world = stock.world
    subscription = await in_trial(stock, number)
    failing = await world.card("4000000000000341")
    await world.execute("update payment_methods set token = $1", failing.token)
    await renew_due(world.at(ENDS).ctx)
    for days in (0, 3, 8, 15):
        await collect_due(world.at(ENDS + timedelta(days=days)).ctx)
    return subscription


async def policy(shop: World) -> None:
    """The worker's round on the day of the last failure."""
    last = shop.at(ENDS + timedelta(days=15))
    await end_dunning(last.ctx)
    await renew_due(last.ctx)


@pytest.mark.parametrize("how", Break)
async def test_a_worker_fails_at_any_step_of_the_policy(stock: Stock, how: Break) -> None:
    """It is cancelled once, without its draft, whoever finishes it; nothing was taken."""
    world = stock.world
    await world.execute(
        "update invoicing_entities"
        " set dunning_policy = 'CANCEL', dunning_marks_uncollectible = true"
    )
    healthy = Process()
    await unpaid(stock, 0)
    await policy(in_process(world, stock.bank, healthy))
    assert len(healthy.steps) > EVERY

    for step in range(1 + len(how.name) % EVERY, len(healthy.steps) + 1, EVERY):
        subscription = await unpaid(stock, step)
        process = Process(step, how)
        with suppress(*BROKEN):
            await policy(in_process(world, stock.bank, process))
        await policy(world)
        now = await world.one("select status from subscriptions where id = $1", subscription)
        assert now["status"] == "CANCELLED", process.steps[step - 1 :][:1]
        told = await world.fetch(
            "select from events where object_id = $1 and type = 'subscription.cancelled'",
            subscription,
        )
        assert len(told) == 1
    assert await world.fetch("select from invoices") == []
    assert await world.charges() == []
    assert (await examine(world.database)).breaches == ()
