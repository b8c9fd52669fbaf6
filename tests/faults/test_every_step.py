"""A process fails at every step of every story: one purchase comes of it, or none.

The steps are found by telling each story once without a failure. `TALLYSTICK_FAULTS_EVERY=1`
tries each of them in both ways; by default the kills of the plain purchase are complete and
the rest is a sample, the same in every run.
"""

import os
from contextlib import suppress

import pytest

from tallystick.domain.errors import TallystickError
from tests.faults.aftermath import assert_bought_once_or_not_at_all
from tests.faults.process import BROKEN, Break, Process, in_process
from tests.faults.stories import STORIES, Kind, Stock, open_stock
from tests.soundness import assert_sound
from tests.world import World

EVERY = int(os.environ.get("TALLYSTICK_FAULTS_EVERY", "9"))


@pytest.fixture
async def stock(world: World) -> Stock:
    """A shop whose bank can be scripted."""
    return await open_stock(world)


async def steps_of(stock: Stock, kind: Kind) -> list[str]:
    """Every step of a story that goes well."""
    case = await stock.begin(kind, 0)
    process = Process()
    await kind.tell(case, in_process(stock.world, stock.bank, process))
    await assert_bought_once_or_not_at_all(case, kind)
    return process.steps


async def fails(stock: Stock, kind: Kind, step: int, how: Break) -> None:
    """Tell a story to a process that fails at one step, and see what is left."""
    case = await stock.begin(kind, step)
    process = Process(step, how)
    # An answer to the merchant or the buyer is no failure: "ask again", "it has ended".
    with suppress(*BROKEN, TallystickError):
        await kind.tell(case, in_process(stock.world, stock.bank, process))
    try:
        await assert_bought_once_or_not_at_all(case, kind)
    except BaseException as breach:
        breach.add_note(f"{how} at step {step}: {process.steps[step - 1 :][:1]}")
        raise


@pytest.mark.parametrize("name", STORIES)
async def test_a_process_is_killed_at_any_step(stock: Stock, name: str) -> None:
    """Killed anywhere: one charge and one subscription, or none of both and a usable link."""
    kind = STORIES[name]
    steps = await steps_of(stock, kind)
    every = 1 if name == "buys" else EVERY

    for step in range(1 + len(name) % every, len(steps) + 1, every):
        await fails(stock, kind, step, Break.KILLED)

    await assert_sound(stock.world)


@pytest.mark.parametrize("name", STORIES)
async def test_a_connection_is_lost_at_any_step(stock: Stock, name: str) -> None:
    """Lost anywhere, to the database or to the bank, by a process that lives on: the same."""
    kind = STORIES[name]
    steps = await steps_of(stock, kind)

    for step in range(1 + (len(name) + EVERY // 2) % EVERY, len(steps) + 1, EVERY):
        await fails(stock, kind, step, Break.DROPPED)

    await assert_sound(stock.world)


async def test_the_steps_of_a_purchase_are_all_there(stock: Stock) -> None:
    """The story of a good card has its three transactions and its two questions, in order."""
    steps = await steps_of(stock, STORIES["buys"])

    marks = [
        step.removeprefix("before asking: ")
        for step in steps
        if step == "after the commit" or step.startswith("before asking")
    ]
    assert marks == [
        "after the commit",
        "open",
        "after the commit",
        "confirm",
        "after the commit",
    ]
    assert sum("insert into invoices" in step for step in steps) == 1
