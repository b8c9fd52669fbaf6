"""The matrix as a whole, or a part of it, on several processes and databases of their own."""

import asyncio
import logging
import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.queues import Queue
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Self, TypeAlias

import structlog

from tallystick.db.engine import Database, DatabaseUnavailable
from tallystick.db.migrate import head
from tallystick.db.server import EmbeddedServer
from tests.cluster import place
from tests.database import administer, make_template
from tests.faults.banks import SANDBOX
from tests.faults.matrix import Cell, Point, Result, Run, cells, every_point
from tests.faults.process import Break
from tests.faults.stage import Stage
from tests.forked import LOADED

PRELOADED = "tests.faults.campaign"
CELLS_AT_ONCE = 6
"""Of one process, each in a database where no other one is."""
CELLS_OF_A_DATABASE = 8
CONNECTIONS_OF_A_CELL = 5
TRIES = 3
PATIENCE_SECONDS = 600
"""A cell that takes longer hangs."""


@dataclass(frozen=True, kw_only=True)
class Draw:
    """A point of a cell whose steps are not known yet: `part` of the way through it."""

    part: float
    how: Break

    def of(self, steps: int) -> Point:
        """The point, once there are steps."""
        return Point(1 + int(self.part * steps), self.how)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is to be tried of a cell: every point, or those that were drawn or named.

    `killed` says that each is tried in a process that really dies.
    """

    cell: str
    draws: tuple[Draw, ...] | None = None
    points: tuple[Point, ...] | None = None
    killed: bool = False
    provider: str = SANDBOX

    def chosen(self, steps: int) -> list[Point]:
        """The points of a cell of so many steps."""
        if self.points is not None:
            return list(self.points)
        if self.draws is not None:
            return sorted({draw.of(steps) for draw in self.draws})
        return every_point(steps)


if TYPE_CHECKING:
    Waiting: TypeAlias = Queue[tuple[int, Task] | None]
    Done: TypeAlias = Queue[tuple[int, Result]]
else:
    Waiting = Done = Queue


def everything(provider: str) -> list[Task]:
    """The whole matrix."""
    return [Task(cell=cell.name, provider=provider) for cell in cells(provider)]


def sampled(tasks: Sequence[Task], how_many: int, seed: int) -> list[Task]:
    """So many cases by chance; the same of the same seed."""
    random = Random(seed)
    drawn: dict[str, list[Draw]] = {}
    order = [task.cell for task in tasks]
    random.shuffle(order)
    for number in range(how_many):
        # No cell is drawn again before each was.
        draw = Draw(part=random.random(), how=random.choice(list(Break)))
        drawn.setdefault(order[number % len(order)], []).append(draw)
    return [
        replace(task, draws=tuple(drawn[task.cell])) for task in tasks if task.cell in drawn
    ]


def really_killed(tasks: Sequence[Task], how_many: int, seed: int) -> list[Task]:
    """So many cases by chance in which the process dies of a SIGKILL.

    Not those with a call on its way, for that would die with the process that has sent it.
    """
    delayed = {
        cell.name
        for provider in {task.provider for task in tasks}
        for cell in cells(provider)
        if cell.outcome.delays
    }
    lasting = [task for task in tasks if task.cell not in delayed]
    return [replace(task, killed=True) for task in sampled(lasting, how_many, seed)]


def cell_of(name: str, provider: str = SANDBOX) -> Cell:
    """A cell by its name."""
    return next(cell for cell in cells(provider) if cell.name == name)


async def run_task(database: Database, task: Task) -> Result:
    """Run what is wanted of a cell on a stage of its own in a database."""
    stage = await Stage.open(database, task.provider)
    try:
        run = Run(stage, cell_of(task.cell, task.provider), killed=task.killed)
        steps = await run.discover()
        await run.fail_at(task.chosen(len(steps)))
        return await run.finish()
    finally:
        await stage.close()


def run_all(
    tasks: Sequence[Task], processes: int, tell: Callable[[Result], None]
) -> tuple[dict[int, Result], float]:
    """Run all of it, and return what each has come to, by its place, and the seconds.

    Whoever interrupts it gets what there is by then.
    """
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="tallystick-faults-", dir=place()))
    folder.chmod(0o755)
    server = EmbeddedServer(folder / "data", tuned_for_tests=True)
    server.ensure_running()
    template = f"template_{head()}"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOADED, *LOADED])
    waiting: Waiting = context.Queue()
    done: Done = context.Queue()
    found: dict[int, Result] = {}
    workers = [
        context.Process(target=_work, args=(folder / "data", template, waiting, done))
        for _ in range(processes)
    ]
    try:
        asyncio.run(make_template(server, template))
        for worker in workers:
            worker.start()
        for numbered in (*enumerate(tasks), *[None] * (processes * CELLS_AT_ONCE)):
            waiting.put(numbered)
        with suppress(KeyboardInterrupt):
            while len(found) < len(tasks):
                number, result = done.get(timeout=PATIENCE_SECONDS)
                found[number] = result
                tell(result)
        return found, time.monotonic() - began
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()
        server.stop(immediately=True)
        shutil.rmtree(folder, ignore_errors=True)


def be_quiet() -> None:
    """Failures are what it is about: nobody reads their logs."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _work(folder: Path, template: str, waiting: Waiting, done: Done) -> None:
    # Ctrl-C is for the one who counts; workers are told to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    be_quiet()
    asyncio.run(
        _take_cells(EmbeddedServer(folder, tuned_for_tests=True), template, waiting, done)
    )


async def _take_cells(
    server: EmbeddedServer, template: str, waiting: Waiting, done: Done
) -> None:
    """Run some cells at once: while one waits for its database, another computes."""

    async def one_after_another(slot: int) -> None:
        async with Place(server, template, f"cells_{os.getpid()}_{slot}") as place:
            while (taken := await asyncio.to_thread(waiting.get)) is not None:
                number, task = taken
                done.put((number, await place.run(task)))

    await asyncio.gather(*(one_after_another(slot) for slot in range(CELLS_AT_ONCE)))


class Place:
    """A database in which one cell is run after the other, each with tenants of its own.

    It is made anew now and then, for tables grow; and for a cell whose worker goes round all
    tenants, which must find nothing of others.
    """

    def __init__(self, server: EmbeddedServer, template: str, name: str) -> None:
        self._server, self._template, self._name = server, template, name
        self._made = 0
        self._cells = 0
        self._database: Database | None = None

    async def __aenter__(self) -> Self:
        """Nothing is made yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is left."""
        await self._leave()

    async def run(self, task: Task) -> Result:
        """Run a cell; a machine that is too busy for it is asked again."""
        failed: Exception = DatabaseUnavailable()
        for _ in range(TRIES):
            try:
                return await run_task(await self._fresh(task), task)
            except DatabaseUnavailable as reason:
                failed = reason
                await self._leave()
            except Exception as defect:  # noqa: BLE001 - a cell that cannot be run is a breach
                failed = defect
                await self._leave()
                break
        return Result(cell=task.cell, breaches=[f"{task.cell}: cannot be run: {failed!r}"])

    async def _fresh(self, task: Task) -> Database:
        alone = cell_of(task.cell, task.provider).story.is_alone
        if self._database is not None and (alone or self._cells >= CELLS_OF_A_DATABASE):
            await self._leave()
        self._cells = CELLS_OF_A_DATABASE if alone else self._cells + 1
        if self._database is None:
            self._made += 1
            await administer(
                self._server, f"create database {self._own} template {self._template}"
            )
            dsn = self._server.dsn_of(self._own)
            self._database = await Database.open(dsn, max_size=CONNECTIONS_OF_A_CELL)
        return self._database

    @property
    def _own(self) -> str:
        return f"{self._name}_{self._made}"

    async def _leave(self) -> None:
        database, self._database, self._cells = self._database, None, 0
        if database is not None:
            await database.close()
        await administer(self._server, f"drop database if exists {self._own} with (force)")
