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
from tallystick.services.sequence_events import sequence_events
from tests.faults.applying import outcomes_of
from tests.faults.at_a_page import Activates, Buys, ChangesPlan, PaysElsewhere, Saves
from tests.faults.banks import SANDBOX
from tests.faults.by_the_clock import (
    ChangesAtTheEnd,
    EndsAtTheEnd,
    RenewsByTheClock,
    TrialEndsByTheClock,
)
from tests.faults.changing import ChangesPlanAtOnce
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
from tests.faults.in_the_portal import AddsMethod
from tests.faults.killed_child import tell_and_die
from tests.faults.late_tries import LateTry, LateTryAfterAll
from tests.faults.outcomes import Outcome
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
    AddsMethod(),
    RenewsByTheClock(),
    Renews(),
    TrialEndsByTheClock(),
    EndsTrial(),
    IsPaidByHand(),
    ChangesPlanAtOnce(),
    ChangesAtTheEnd(),
    EndsAtTheEnd(),
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
HEARD_EVERY = 4
"""Of so many cases one is told of everything once more in the end."""


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
                stage = self._of(case)
                await tell_and_die(stage, self.story, self.outcome, case, point.step)
                await self.story.told(stage, case)
            else:
                await self._tell(case, process)
        await self._end(cases, points, processes)

    async def finish(self) -> Result:
        """All news comes once more, and changes nothing; the doctor looks at everything."""
        for stage, cases in self._stages(self.told[::HEARD_EVERY]):
            await self._hear_again(stage, cases)
        for stage, _ in self._stages(self.told):
            self.result.breaches += await unreadable(stage.world)
        # The worker's round, too: a cell may take longer than events may wait for a number.
        while await sequence_events(self.stage.world.app):
            pass
        found = (await examine(self.stage.world.database)).breaches
        self.result.breaches += [f"doctor: {breach}" for breach in found]
        self.result.seconds = time.monotonic() - self.began
        return self.result

    async def _begin(self, points: Sequence[Point]) -> list[Case]:
        cases = [await self.story.begin(self.stage, self.outcome) for _ in points]
        for stage, _ in self._stages(cases):
            stage.bank.has_told()
        await self.story.ready(self.stage, cases)
        for case, facts in zip(cases, await self._facts(cases), strict=True):
            case.was = facts
        self.told += cases
        return cases

    async def _tell(self, case: Case, process: Process) -> None:
        stage = self._of(case)
        self.outcome.scripts(stage, case)
        shop = in_process(stage.world, case.bank, process)
        # An answer to the merchant or the buyer is no failure: "ask again", "it has ended".
        with suppress(*BROKEN, TallystickError, RefundUnanswered):
            await self.story.tell(stage, case, self.outcome, shop)
        case.bank.steps.clear()
        case.bank.otherwise = through
        await self.story.told(stage, case)

    async def _end(
        self, cases: Sequence[Case], points: Sequence[Point], processes: Sequence[Process]
    ) -> None:
        """Everybody else goes on, and each case has one end or the other."""
        for case in cases:
            with suppress(TallystickError):
                await self.story.afterwards(self._of(case), case, self.outcome)
        for stage, its in self._stages(cases):
            await self.story.rounds(stage, its, self.outcome)
        self.result.cases += len(cases)
        paid = self.story.paid(self.outcome)
        nothing: list[tuple[Case, str]] = []
        for case, point, process, now in zip(
            cases, points, processes, await self._facts(cases), strict=True
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
        for stage, cases in self._stages([case for case, _ in nothing]):
            try:
                await self.story.again(stage, cases)
            except (AssertionError, TallystickError) as refused:
                self.result.breaches.append(f"{self.result.cell}: again: {refused!r}")
            await stage.rounds(cases)
        facts = await self._facts([case for case, _ in nothing])
        for (case, name), now in zip(nothing, facts, strict=True):
            seen = self.story.seen(case, now)
            wanted = self.story.once(case, self.story.paid_again)
            if unbalanced(now) is None and seen == wanted:
                self.result.none += 1
            else:
                self.result.breaches.append(f"{name}: again: {unbalanced(now) or seen}")

    async def _hear_again(self, stage: Stage, cases: Sequence[Case]) -> None:
        """The provider tells everything again, the newest first: nothing is new to us."""
        before = await stage.facts(cases)
        if not await stage.bank.tells(
            stage.world, [case.customer for case in cases], again=True
        ):
            return
        await stage.rounds(cases, decides=False)
        for was, now in zip(before, await stage.facts(cases), strict=True):
            if was != now:
                self.result.breaches.append(f"{self.result.cell}: heard again: {was}, {now}")

    def _of(self, case: Case) -> Stage:
        """The stage that a case is played on."""
        return case.own or self.stage

    def _stages(self, cases: Sequence[Case]) -> list[tuple[Stage, list[Case]]]:
        """The cases of each stage, in their order."""
        found: dict[int, tuple[Stage, list[Case]]] = {}
        for case in cases:
            stage = self._of(case)
            found.setdefault(id(stage), (stage, []))[1].append(case)
        return list(found.values())

    async def _facts(self, cases: Sequence[Case]) -> list[Facts]:
        """What is true of each customer now."""
        facts: dict[int, Facts] = {}
        for stage, its in self._stages(cases):
            for case, one in zip(its, await stage.facts(its), strict=True):
                facts[id(case)] = one
        return [facts[id(case)] for case in cases]

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
