"""A process that fails at a chosen step.

Every statement, commit and call to the bank is a step, numbered as they come. At the chosen
one the process is killed, or only loses the connection it was using:

    process = Process(breaks_at=17, how=Break.KILLED)
    shop = in_process(world, process)
    with suppress(*BROKEN):
        await story(shop)

Nothing here knows the code under test: the steps of a story are found by running it once.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from enum import StrEnum
from typing import cast

from typing_extensions import override

from tallystick.db.engine import Database, DatabaseUnavailable, Isolation, Tx
from tests.scripted_bank import Ask, NetworkDown, ScriptedBank
from tests.world import World


class Break(StrEnum):
    """How a process fails: for good, or by one lost connection or answer."""

    KILLED = "KILLED"
    DROPPED = "DROPPED"


class Killed(BaseException):
    """The process is no more; nothing in it may catch this."""


BROKEN = (Killed, DatabaseUnavailable, NetworkDown)
"""What a story ends with when its process fails."""


class Process:
    """Counts the steps of a process and fails at one of them; `steps` names those it took."""

    def __init__(self, breaks_at: int | None = None, how: Break = Break.KILLED) -> None:
        self.steps: list[str] = []
        self.how = how
        self._breaks_at = breaks_at
        self._dead = False

    def step(self, name: str, lost: type[Exception]) -> None:
        """Take a step, unless the process fails at it or is dead."""
        self.steps.append(name)
        if self._dead:
            raise Killed(name)
        if len(self.steps) == self._breaks_at:
            if self.how is Break.DROPPED:
                raise lost(name)
            self._dead = True
            raise Killed(name)


class FrailConnection:
    """A connection whose every statement is a step."""

    def __init__(self, connection: Tx, process: Process) -> None:
        self._connection = connection
        self._process = process

    def __getattr__(self, name: str) -> object:
        """The rest of the driver's connection, as it is."""
        return getattr(self._connection, name)

    async def execute(self, query: str, *args: object) -> object:
        """A step, then the statement."""
        self._step(query)
        return await self._connection.execute(query, *args)

    async def executemany(self, query: str, args: Iterable[Sequence[object]]) -> None:
        """A step, then the statements."""
        self._step(query)
        await self._connection.executemany(query, args)

    async def fetch(self, query: str, *args: object) -> object:
        """A step, then the statement."""
        self._step(query)
        return await self._connection.fetch(query, *args)

    async def fetchrow(self, query: str, *args: object) -> object:
        """A step, then the statement."""
        self._step(query)
        return await self._connection.fetchrow(query, *args)

    async def fetchval(self, query: str, *args: object) -> object:
        """A step, then the statement."""
        self._step(query)
        return await self._connection.fetchval(query, *args)

    def _step(self, query: str) -> None:
        self._process.step(" ".join(query.split())[:60], DatabaseUnavailable)


class FrailDatabase(Database):
    """The database as a process that may fail sees it."""

    def __init__(self, database: Database, process: Process) -> None:
        super().__init__(database.dsn, database.pool)
        self._process = process

    @override
    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Tx]:
        async with super().connection() as real:
            try:
                yield cast("Tx", FrailConnection(real, self._process))
            except BROKEN:
                # The server sees the connection go, and undoes what was not committed.
                real.terminate()
                raise

    @override
    @asynccontextmanager
    async def transaction(
        self, *, isolation: Isolation | None = None, readonly: bool = False
    ) -> AsyncIterator[Tx]:
        lost = DatabaseUnavailable
        async with self.connection() as frail:
            transaction = frail.transaction(isolation=isolation, readonly=readonly)
            await transaction.start()
            try:
                yield frail
                self._process.step("before the commit", lost)
            except BROKEN:
                raise
            except BaseException:
                await transaction.rollback()
                raise
            await transaction.commit()
            self._process.step("after the commit", lost)


class FrailBank(ScriptedBank):
    """The bank as a process that may fail sees it: each question and each answer is a step."""

    def __init__(self, bank: ScriptedBank, process: Process) -> None:
        super().__init__(bank.bank)
        self.steps, self.calls, self.otherwise = bank.steps, bank.calls, bank.otherwise
        self._process = process

    @override
    async def _do(self, call: str, ask: Ask) -> object:
        self._process.step(f"before asking: {call}", NetworkDown)
        answer = await super()._do(call, ask)
        self._process.step(f"after the answer: {call}", NetworkDown)
        return answer


def in_process(world: World, bank: ScriptedBank, process: Process) -> World:
    """The same shop, run by a process that may fail. The bank does not fail with it."""
    database = FrailDatabase(world.database, process)
    app = replace(world.app, database=database, providers={"sandbox": FrailBank(bank, process)})
    return replace(world, app=app, ctx=replace(world.ctx, app=app), database=database)
