"""A process that fails at a chosen step.

Every connection that is taken, every statement, every commit, every call to the bank and every
answer is a step, numbered as they come: wherever the process waits for something that is not
itself. At the chosen one it is killed, or only loses the connection it was using:

    process = Process(breaks_at=17, how=Break.KILLED)
    shop = in_process(world, process)
    with suppress(*BROKEN):
        await story(shop)

Nothing here knows the code under test: the steps of a story are found by running it once.
"""

import os
import signal
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from enum import StrEnum
from typing import TypeVar, cast
from uuid import UUID

from typing_extensions import override

from tallystick.db.engine import Database, DatabaseUnavailable, Isolation, Tx
from tallystick.domain.payment import Method, MethodKind
from tests.scripted_bank import Ask, NetworkDown, ScriptedBank
from tests.world import World

Answer = TypeVar("Answer")


class Break(StrEnum):
    """How a process fails: for good, or by one lost connection or answer."""

    KILLED = "KILLED"
    DROPPED = "DROPPED"


CUT_EVERY = 16
"""Of so many steps there is one at which a connection that is lost is really cut."""


class Killed(BaseException):
    """The process is no more; nothing in it may catch this."""


BROKEN = (Killed, DatabaseUnavailable, NetworkDown)
"""What a story ends with when its process fails."""


class Process:
    """Counts the steps of a process and fails at one of them; `steps` names those it took.

    `cuts` says that a connection that is lost is really cut, as at one of some steps. Otherwise
    what was not committed is undone, as the server does then, and every further word on it is
    refused, as the driver does; the next one need not be opened anew, which takes as long as
    forty statements.
    """

    def __init__(self, breaks_at: int | None = None, how: Break = Break.KILLED) -> None:
        self.steps: list[str] = []
        self.how = how
        self.cuts = breaks_at is not None and breaks_at % CUT_EVERY == 1
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
            self.dies(name)

    def dies(self, name: str) -> None:
        """Do nothing more, whatever is tried."""
        self._dead = True
        raise Killed(name)


class MortalProcess(Process):
    """A process of the operating system that kills itself, with SIGKILL, at a step."""

    @override
    def dies(self, name: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class FrailConnection:
    """A connection whose every statement is a step, and the answer to one that stands alone."""

    def __init__(self, connection: Tx, process: Process) -> None:
        self._connection = connection
        self._process = process
        self._is_lost = False

    def __getattr__(self, name: str) -> object:
        """The rest of the driver's connection, as it is."""
        return getattr(self._connection, name)

    async def execute(self, query: str, *args: object) -> object:
        """A step, then the statement."""
        return await self._run(query, self._connection.execute(query, *args))

    async def executemany(self, query: str, args: Iterable[Sequence[object]]) -> None:
        """A step, then the statements."""
        await self._run(query, self._connection.executemany(query, args))

    async def fetch(self, query: str, *args: object) -> object:
        """A step, then the statement."""
        return await self._run(query, self._connection.fetch(query, *args))

    async def fetchrow(self, query: str, *args: object) -> object:
        """A step, then the statement."""
        return await self._run(query, self._connection.fetchrow(query, *args))

    async def fetchval(self, query: str, *args: object) -> object:
        """A step, then the statement."""
        return await self._run(query, self._connection.fetchval(query, *args))

    async def copy_records_to_table(self, table_name: str, **named: object) -> object:
        """A step, then the rows."""
        copied = self._connection.copy_records_to_table(
            table_name,
            **named,  # type: ignore[arg-type]
        )
        return await self._run(f"copy {table_name}", copied)

    async def free(self) -> None:
        """Let go of every lock of the session, as the server does when a connection goes."""
        if not self._connection.is_closed():
            await self._connection.execute("select pg_advisory_unlock_all()")

    async def _run(self, query: str, statement: Coroutine[object, object, Answer]) -> Answer:
        name = " ".join(query.split())[:60]
        try:
            self._step(name)
        except BROKEN:
            statement.close()
            raise
        answer = await statement
        if not self._connection.is_in_transaction():
            # It is committed, and whether anybody hears of it is another matter.
            self._step(f"after: {name}")
        return answer

    def _step(self, name: str) -> None:
        if self._is_lost:
            raise DatabaseUnavailable(name)
        try:
            self._process.step(name, DatabaseUnavailable)
        except DatabaseUnavailable:
            self._is_lost = True
            raise


class FrailDatabase(Database):
    """The database as a process that may fail sees it."""

    def __init__(self, database: Database, process: Process) -> None:
        super().__init__(database.dsn, database.pool)
        self._process = process

    @override
    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Tx]:
        self._process.step("take a connection", DatabaseUnavailable)
        async with super().connection() as real:
            try:
                yield cast("Tx", FrailConnection(real, self._process))
            except DatabaseUnavailable:
                if self._process.cuts:
                    # The server sees the connection go, and undoes what was not committed.
                    real.terminate()
                raise

    @override
    @asynccontextmanager
    async def own_connection(self) -> AsyncIterator[Tx]:
        """One of the pool's: what is held on it goes when its process lets go of it."""
        async with self.connection() as frail:
            try:
                yield frail
            finally:
                await cast("FrailConnection", frail).free()

    @override
    @asynccontextmanager
    async def transaction(
        self, *, isolation: Isolation | None = None, readonly: bool = False
    ) -> AsyncIterator[Tx]:
        lost = DatabaseUnavailable
        async with self.connection() as frail:
            transaction = frail.transaction(isolation=isolation, readonly=readonly)
            self._process.step("begin", lost)
            await transaction.start()
            try:
                yield frail
                self._process.step("before the commit", lost)
            except DatabaseUnavailable:
                if not self._process.cuts:
                    await transaction.rollback()
                raise
            except BaseException:
                # So does the server when it sees the connection of a dead process go.
                await transaction.rollback()
                raise
            await transaction.commit()
            self._process.step("after the commit", lost)


class FrailBank(ScriptedBank):
    """The bank as a process that may fail sees it: each question and each answer is a step."""

    def __init__(self, bank: ScriptedBank, process: Process) -> None:
        super().__init__(bank.bank)
        self.steps, self.calls, self.otherwise = bank.steps, bank.calls, bank.otherwise
        self.opened = bank.opened
        self._process = process

    @override
    async def debits_to_settle(self) -> list[tuple[UUID, str]]:
        """Those of this bank's own customers: each story has its own."""
        self._process.step("before asking: debits", NetworkDown)
        listed = await super().debits_to_settle()
        self._process.step("after the answer: debits", NetworkDown)
        return [one for one in listed if one[1] in self.opened]

    @override
    async def collect(
        self, tenant_id: UUID, session_id: UUID, kind: MethodKind, fields: Mapping[str, str]
    ) -> Method:
        self._process.step("before asking: collect", NetworkDown)
        method = await super().collect(tenant_id, session_id, kind, fields)
        self._process.step("after the answer: collect", NetworkDown)
        return method

    @override
    async def acknowledge_debit(self, tenant_id: UUID, reference: str) -> None:
        self._process.step("before telling: debit", NetworkDown)
        await super().acknowledge_debit(tenant_id, reference)
        self._process.step("after telling: debit", NetworkDown)

    @override
    async def _do(self, call: str, ask: Ask) -> object:
        self._process.step(f"before asking: {call}", NetworkDown)
        answer = await super()._do(call, ask)
        self._process.step(f"after the answer: {call}", NetworkDown)
        return answer


def in_process(world: World, bank: ScriptedBank, process: Process) -> World:
    """The same shop, run by a process that may fail. The bank does not fail with it."""
    database = FrailDatabase(world.database, process)
    frail = FrailBank(bank, process)
    app = replace(
        world.app, database=database, providers={bank.name: frail}, connect=lambda _: frail
    )
    return replace(world, app=app, ctx=replace(world.ctx, app=app), database=database)
