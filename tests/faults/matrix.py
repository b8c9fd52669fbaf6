"""The matrix: every story, under every outcome, with a failure at every step of it.

A cell is a story with an outcome. Its steps are those that a run without a failure takes; each
is then failed at in both ways, for a customer of its own. When the worker has gone round, every
case has happened once, or not at all and can happen yet, which is tried.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tallystick.domain.errors import TallystickError
from tallystick.services.examine import examine
from tallystick.services.late_money import RefundUnanswered
from tests.faults import wire
from tests.faults.at_a_page import Activates, Buys, ChangesPlan, PaysElsewhere, Saves
from tests.faults.banks import SANDBOX
from tests.faults.collecting import BuysSlots, EndsTrial, IsPaidByHand, Renews
from tests.faults.endings import Expires, IsCancelled, LeavesForAnotherCard
from tests.faults.giving_back import (
    IsPaidElsewhere,
    IsVoided,
    LateMoney,
    LateMoneyAfterAll,
    LateMoneyForNothing,
    Refunds,
)
from tests.faults.killed_child import tell_and_die
from tests.faults.late_tries import LateTry, LateTryAfterAll
from tests.faults.outcomes import NOBODY, SUCCESS, Outcome
from tests.faults.process import BROKEN, Break, Process, in_process
from tests.faults.stage import Case, Facts, Stage
from tests.faults.story import Story
from tests.scripted_bank import through
from tests.soundness import unreadable

STORIES: Sequence[Story] = (
    Buys(),
    Saves(),
    PaysElsewhere(),
    Activates(),
    ChangesPlan(),
    Renews(),
    EndsTrial(),
    IsPaidByHand(),
    BuysSlots(),
    IsCancelled(),
    Expires(),
    LeavesForAnotherCard(),
    Refunds(),
    LateMoney(),
    LateMoneyAfterAll(),
    LateMoneyForNothing(),
    LateTry(),
    LateTryAfterAll(),
    IsVoided(),
    IsPaidElsewhere(),
)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A story under an outcome."""

    story: Story
    outcome: Outcome

    @property
    def name(self) -> str:
        """As `--story` and the table call it."""
        return f"{self.story.name} / {self.outcome.name}"


@dataclass(frozen=True, order=True)
class Point:
    """Where a process fails, and how; step 0 is nowhere."""

    step: int
    how: Break = Break.KILLED

    @property
    def name(self) -> str:
        """As `--only-case` takes it."""
        return f"{self.step} {self.how.value}" if self.step else "0"


NOWHERE = Point(0)


@dataclass(kw_only=True)
class Result:
    """What a cell has come to."""

    cell: str
    points: int = 0
    cases: int = 0
    once: int = 0
    none: int = 0
    breaches: list[str] = field(default_factory=list)
    seconds: float = 0.0


def cells(provider: str = SANDBOX) -> list[Cell]:
    """The whole matrix of a provider."""
    return [
        Cell(story=story, outcome=outcome)
        for story in STORIES
        for outcome in outcomes_of(story, provider)
    ]


def outcomes_of(story: Story, provider: str) -> Sequence[Outcome]:
    """What a provider may make of a story; one behind a wire has more to it."""
    if provider == SANDBOX:
        return story.outcomes
    if NOBODY in story.outcomes:
        return ()
    if isinstance(story, Refunds | LateMoneyAfterAll | LateMoneyForNothing | LateTryAfterAll):
        return (*story.outcomes, *wire.REFUNDS)
    return (*story.outcomes, *(wire.CHARGES if SUCCESS in story.outcomes else ()))


def every_point(steps: int) -> list[Point]:
    """A failure at every step, in both ways."""
    return [Point(step, how) for step in range(1, steps + 1) for how in Break]


class Run:
    """One cell on a stage of its own."""

    def __init__(self, stage: Stage, cell: Cell, *, killed: bool = False) -> None:
        self.stage, self.story, self.outcome = stage, cell.story, cell.outcome
        self.killed = killed
        self.result = Result(cell=cell.name)
        self.began = time.monotonic()
        self.told: list[Case] = []

    async def discover(self) -> list[str]:
        """Tell the story without a failure, and learn its steps."""
        case = await self._begin([NOWHERE])
        process = Process()
        await self._tell(case[0], process)
        self.result.points = len(process.steps)
        await self._end(case, [NOWHERE], [process])
        return process.steps

    async def fail_at(self, points: Sequence[Point]) -> None:
        """Tell it once for each point, and look what is left when all is over."""
        cases = await self._begin(points)
        processes = [Process(point.step, point.how) for point in points]
        for case, point, process in zip(cases, points, processes, strict=True):
            if self.killed:
                await tell_and_die(self.stage, self.story, self.outcome, case, point.step)
            else:
                await self._tell(case, process)
        await self._end(cases, points, processes)

    async def finish(self) -> Result:
        """All news comes once more, and changes nothing; the doctor looks at everything."""
        await self._hear_again()
        found = (await examine(self.stage.world.database)).breaches
        self.result.breaches += [f"doctor: {breach}" for breach in found]
        self.result.breaches += await unreadable(self.stage.world)
        self.result.seconds = time.monotonic() - self.began
        return self.result

    async def _begin(self, points: Sequence[Point]) -> list[Case]:
        cases = [await self.story.begin(self.stage, self.outcome) for _ in points]
        await self.story.ready(self.stage, cases)
        for case, facts in zip(cases, await self.stage.facts(cases), strict=True):
            case.was = facts
        self.told += cases
        return cases

    async def _tell(self, case: Case, process: Process) -> None:
        self.outcome.scripts(self.stage, case)
        shop = in_process(self.stage.world, case.bank, process)
        # An answer to the merchant or the buyer is no failure: "ask again", "it has ended".
        with suppress(*BROKEN, TallystickError, RefundUnanswered):
            await self.story.tell(self.stage, case, self.outcome, shop)
        case.bank.steps.clear()
        case.bank.otherwise = through

    async def _end(
        self, cases: Sequence[Case], points: Sequence[Point], processes: Sequence[Process]
    ) -> None:
        """Everybody else goes on, and each case has one end or the other."""
        for case in cases:
            with suppress(TallystickError):
                await self.story.afterwards(self.stage, case, self.outcome)
        await self.story.rounds(self.stage, cases, self.outcome)
        self.result.cases += len(cases)
        paid = self.story.paid(self.outcome)
        nothing: list[tuple[Case, str]] = []
        for case, point, process, now in zip(
            cases, points, processes, await self.stage.facts(cases), strict=True
        ):
            name = f"{self.result.cell} / {point.name} ({self._where(point, process)})"
            seen = self.story.seen(case, now)
            if (reason := unbalanced(now)) is not None:
                self.result.breaches.append(f"{name}: {reason}")
            elif seen == self.story.once(case, paid):
                self.result.once += 1
            elif seen in self.story.none(case):
                nothing.append((case, name))
            else:
                self.result.breaches.append(f"{name}: {seen}")
        if nothing:
            await self._again(nothing)

    async def _again(self, nothing: Sequence[tuple[Case, str]]) -> None:
        """Whoever got nothing gets it now, once."""
        cases = [case for case, _ in nothing]
        try:
            await self.story.again(self.stage, cases)
        except (AssertionError, TallystickError) as refused:
            self.result.breaches.append(f"{self.result.cell}: again: {refused!r}")
        await self.stage.rounds(cases)
        for (case, name), now in zip(nothing, await self.stage.facts(cases), strict=True):
            seen = self.story.seen(case, now)
            wanted = self.story.once(case, self.story.paid_again)
            if unbalanced(now) is None and seen == wanted:
                self.result.none += 1
            else:
                self.result.breaches.append(f"{name}: again: {unbalanced(now) or seen}")

    async def _hear_again(self) -> None:
        """The provider tells everything again, the newest first: nothing is new to us."""
        stage, customers = self.stage, [case.customer for case in self.told]
        before = await stage.facts(self.told)
        if not await stage.bank.tells(stage.world, customers, backwards=True):
            return
        await stage.rounds(self.told, decides=False)
        for was, now in zip(before, await stage.facts(self.told), strict=True):
            if was != now:
                self.result.breaches.append(f"{self.result.cell}: heard again: {was}, {now}")

    def _where(self, point: Point, process: Process) -> str:
        """The step in words."""
        if not point.step:
            return "no failure"
        if self.killed:
            return "SIGKILL"
        there = len(process.steps) >= point.step
        return process.steps[point.step - 1] if there else "not reached"


def unbalanced(now: Facts) -> str | None:
    """What must never be, whatever the story."""
    if now.kept != now.recorded:
        return f"the bank has {now.kept}, and {now.recorded} is recorded"
    if now.under_way:
        return f"{now.under_way} under way for ever"
    if now.could_take:
        return f"{now.could_take} intents could take money yet"
    return None
