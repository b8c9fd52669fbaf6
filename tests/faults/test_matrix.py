"""A fixed sample of the matrix, some of every story; `make faults` runs all of it."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from tallystick.db.engine import Database
from tests.faults import table
from tests.faults.campaign import cell_of, everything, really_killed, sampled
from tests.faults.killed_child import tell_and_die
from tests.faults.matrix import STORIES, Cell, Result, Run, cells, every_point
from tests.faults.process import Break
from tests.faults.stage import Case, Stage
from tests.faults.story import Story

OUTCOMES = 2
POINTS = 3
BUYS = "checkout with payment / success"


@pytest.mark.parametrize("story", STORIES, ids=lambda one: one.name)
async def test_a_process_fails_somewhere(db: Database, story: Story) -> None:
    """Drawn points of drawn outcomes: it has happened once, or not at all and then can."""
    random = Random(story.name)
    outcomes = random.sample(list(story.outcomes), min(OUTCOMES, len(story.outcomes)))
    for outcome in outcomes:
        run = Run(await Stage.open(db), Cell(story=story, outcome=outcome))
        every = every_point(len(await run.discover()))

        await run.fail_at(sorted(random.sample(every, POINTS)))

        result = await run.finish()
        assert result.breaches == []
        assert result.once + result.none == result.cases == POINTS + 1


async def test_a_purchase_is_killed_at_every_step(db: Database) -> None:
    """Of the plain purchase every step is tried each time."""
    run = Run(await Stage.open(db), cell_of(BUYS))
    steps = await run.discover()

    await run.fail_at([one for one in every_point(len(steps)) if one.how is Break.KILLED])

    result = await run.finish()
    assert result.breaches == []
    # Whoever is killed before the bank is asked for the money has bought nothing.
    asked = steps.index("before asking: confirm") + 1
    assert (result.once, result.none) == (1 + len(steps) - asked, asked)


async def test_the_steps_of_a_purchase_are_all_there(db: Database) -> None:
    """The story of a good card has its three transactions and its two questions, in order."""
    steps = await Run(await Stage.open(db), cell_of(BUYS)).discover()

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


async def test_a_process_really_dies(db: Database) -> None:
    """A child kills itself where it is told to, and the others find one purchase or none."""
    stage, cell = await Stage.open(db), cell_of(BUYS)
    steps = await Run(stage, cell).discover()
    case = await cell.story.begin(stage, cell.outcome)

    died = await tell_and_die(
        stage, cell.story, cell.outcome, case, steps.index("before asking: confirm") + 1
    )

    assert died
    (found,) = await stage.facts([case])
    assert (found.under_way, found.could_take, found.kept) == (1, 1, 0)
    await stage.rounds([case])
    (found,) = await stage.facts([case])
    assert (found.under_way, found.could_take, found.kept) == (0, 0, 0)


async def test_what_is_wrong_is_found(db: Database) -> None:
    """A bank whose books have a charge more than ours: the matrix can fail."""
    stage = await Stage.open(db)
    run = Run(stage, cell_of(BUYS))
    rounds = stage.rounds

    async def and_takes_more(cases: Sequence[Case], *, decides: bool = True) -> None:
        await rounds(cases, decides=decides)
        await stage.world.execute("update sandbox.movements set amount = amount + 1")

    stage.rounds = and_takes_more  # type: ignore[method-assign]
    await run.discover()

    assert [breach.rpartition(": ")[2] for breach in run.result.breaches] == [
        "the bank has 1451, and 1450 is recorded"
    ]


def test_a_sample_follows_from_its_seed() -> None:
    """The same seed draws the same cases, and what dies for real has nothing on its way."""
    tasks = everything("sandbox")

    assert sampled(tasks, 50, 7) == sampled(tasks, 50, 7) != sampled(tasks, 50, 8)
    assert sum(len(task.draws or ()) for task in sampled(tasks, 50, 7)) == 50
    assert not any(cell_of(one.cell).outcome.delays for one in really_killed(tasks, 50, 7))


def test_the_table_keeps_what_was_not_tried(tmp_path: Path) -> None:
    """A run renews its own rows, and the sum is of all of them."""
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n{table.BEGIN}\n{table.END}\n\nThe end.\n")
    first, second = (cell.name for cell in cells()[:2])
    table.write(
        [
            Result(cell=first, points=1200, cases=9, once=9),
            Result(cell=second, cases=3, none=3),
        ],
        [],
        "long ago",
        page,
    )

    table.write([Result(cell=second, points=5, cases=4, none=4)], [], "today", page)

    text = page.read_text()
    assert "13 cases in 2 of" in text
    assert f"| {first.replace(' / ', ' | ')} | 1,200 | 9 | 9 | 0 | 0 |" in text
    assert f"| {second.replace(' / ', ' | ')} | 5 | 4 | 0 | 4 | 0 |" in text
    assert "| **all** |  | 1,205 | 13 | 9 | 4 | 0 |" in text
    assert "today" in text
    assert "long ago" not in text
    assert [one.name for one in tmp_path.iterdir()] == ["page.md"]
    assert text.endswith("The end.\n")
