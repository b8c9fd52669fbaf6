"""A fixed sample of the matrix with Stripe's adapter, at the twin of Stripe."""

from collections.abc import AsyncIterator

import pytest

from tallystick.db.engine import Database
from tests.faults.banks import STRIPE
from tests.faults.campaign import cell_of, everything, really_killed
from tests.faults.killed_child import tell_and_die
from tests.faults.matrix import Point, Run, cells
from tests.faults.process import Break
from tests.faults.stage import Stage
from tests.faults.stripe_bank import StripeBank

SAMPLE = (
    "checkout with payment / success",
    "checkout with payment / confirm fails (500), done",
    "checkout that saves a method / 3-D Secure approved before it is recorded",
    "charge of an invoice / debit settled before it is recorded",
    "cancel while paying / confirm lands under the cancel",
    "late money, bought by another card / time-out after the money moved",
    "refund by a credit note / refund fails (500), not done",
)


@pytest.fixture
async def stage(db: Database) -> AsyncIterator[Stage]:
    """A tenant that is connected to an account of its own at the twin."""
    stage = await Stage.open(db, STRIPE)
    yield stage
    await stage.bank.close()


@pytest.mark.parametrize("name", SAMPLE)
async def test_a_process_fails_somewhere(stage: Stage, name: str) -> None:
    """Killed in the middle, or cut off from Stripe: it has happened once, or can happen yet."""
    run = Run(stage, cell_of(name, STRIPE))
    steps = await run.discover()
    asked = next(
        number
        for number, step in enumerate(steps, start=1)
        if step.startswith("before asking: ")
    )

    await run.fail_at([Point(len(steps) // 2), Point(asked, Break.DROPPED)])

    result = await run.finish()
    assert result.breaches == []
    assert result.once + result.none == result.cases == 3


async def test_losses_are_lost_on_the_wire(stage: Stage) -> None:
    """The adapter asks, the twin takes the money, and nobody hears of it but the sweeper."""
    cell = cell_of("checkout with payment / time-out after the money moved", STRIPE)
    run = Run(stage, cell)

    await run.discover()

    assert isinstance(stage.bank, StripeBank)
    account = stage.bank.account
    (case,) = run.told
    assert run.result.breaches == []
    assert account.moved() == [case.due]
    assert len(account.called("payment_intents.confirm")) == 1
    assert len(account.called("payment_intents.retrieve")) == 1


async def test_news_comes_through_the_door(stage: Stage) -> None:
    """Every event of a payment is kept once, looked into, and tells nothing new afterwards."""
    run = Run(stage, cell_of("checkout with payment / news instead of an answer", STRIPE))
    await run.discover()
    before = await stage.world.fetch("select kind, looked_into_at from provider_events")

    result = await run.finish()

    after = await stage.world.fetch("select kind, looked_into_at from provider_events")
    kinds = sorted(row["kind"] for row in before if row["looked_into_at"] is not None)
    assert "payment_intent.succeeded" in kinds
    assert len(after) == len(before)
    assert (result.breaches, result.once) == ([], 1)


async def test_what_is_wrong_is_found(stage: Stage) -> None:
    """Stripe has a charge more than ours: the matrix can fail."""
    assert isinstance(stage.bank, StripeBank)
    account, rounds = stage.bank.account, stage.rounds

    async def and_takes_more(*args: object, **named: object) -> None:
        await rounds(*args, **named)  # type: ignore[arg-type]
        account.ledger.append(account.ledger[-1])

    stage.rounds = and_takes_more  # type: ignore[method-assign]
    run = Run(stage, cell_of("checkout with payment / success", STRIPE))
    await run.discover()

    assert [breach.rpartition(": ")[2] for breach in run.result.breaches] == [
        "the bank has 2900, and 1450 is recorded"
    ]


def test_what_does_not_apply_is_left_out() -> None:
    """Where no provider is asked there is nothing to try; what dies has nothing on its way."""
    names = [cell.name for cell in cells(STRIPE)]

    assert not any(name.endswith("no provider is asked") for name in names)
    assert any("(500)" in name for name in names)
    killed = really_killed(everything(STRIPE), 50, 7)
    assert not any(cell_of(one.cell, STRIPE).outcome.delays for one in killed)
    assert sum(len(one.draws or ()) for one in killed) == 50


async def test_a_process_really_dies(stage: Stage) -> None:
    """A child kills itself when the twin has taken the money and before that is written down;
    what was to befall the next call is forgotten with it.
    """
    cell = cell_of("checkout with payment / answer of look lost", STRIPE)
    steps = await Run(stage, cell).discover()
    case = await cell.story.begin(stage, cell.outcome)

    asked = steps.index("before asking: confirm") + 2
    assert await tell_and_die(stage, cell.story, cell.outcome, case, asked)

    (found,) = await stage.facts([case])
    assert (found.under_way, found.kept, found.recorded) == (1, case.due, 0)
    await stage.rounds([case])
    (found,) = await stage.facts([case])
    assert (found.under_way, found.kept, found.recorded) == (0, case.due, case.due)
