"""Many subscriptions renewed by real workers, against the bare COPY of what they wrote."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as day_time
from pathlib import Path
from uuid import UUID

from tallystick.cli.bench.cpu import PROC, cpu_seconds
from tallystick.cli.bench.many_subscriptions import (
    SECONDS_MAX,
    copy_first,
    first_subscription,
    settle_down,
    use,
)
from tallystick.cli.bench.measured import BenchFailed
from tallystick.cli.bench.stage import END_SECONDS_MAX, START_SECONDS_MAX, Stage
from tallystick.db import tenants

START = date(2026, 1, 1)
WARM_UP, FIRST_ROUND, SECOND_ROUND = (date(2026, month, 1) for month in (2, 3, 4))
SMALLER = 10
"""The first round is so many times smaller than the second."""
WARM_UP_MAX = 1_000
"""So many are renewed before, unmeasured: no merchant's statements are planned for no rows."""
LOOK_SECONDS = 0.02
RUNS = "The worker runs."
WORKER = "from tallystick.cli import app; app()"
BARE = (("invoice_lines", "invoice_id"), ("invoices", "id"), ("events", "object_id"))
"""The tables that a renewal writes, and where they name the invoice."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What it took to renew everybody once.

    Attributes:
        invoices: How many were finalized.
        seconds: From the moment that all are due to the last number given.
        workers_ms: Processor time of the workers for each invoice; None where it is unknown.
        postgres_ms: The same of PostgreSQL.
        memory_bytes: The most that any worker had in memory; None where it is unknown.
    """

    invoices: int
    seconds: float
    workers_ms: float | None
    postgres_ms: float | None
    memory_bytes: int | None

    @property
    def per_second(self) -> float:
        """Invoices finalized in a second by all workers together."""
        return self.invoices / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewals:
    """Two rounds, a small and a large one, and the bare COPY of what the large one wrote."""

    workers: int
    grace_hours: int
    small: Round
    large: Round
    bare_seconds: float

    @property
    def ratio(self) -> float:
        """The product's part of the limit."""
        return self.bare_seconds / self.large.seconds

    @property
    def growth(self) -> float:
        """The cost of an invoice in the large round, in that of the small one."""
        return self.small.per_second / self.large.per_second


async def measure_renewals(
    stage: Stage, subscriptions: int, workers: int, grace_hours: int, say: Say
) -> Renewals:
    """Renew a tenth of the subscriptions, then all of them, and copy what that wrote.

    Raises:
        BenchFailed: Not every subscription was billed once.
    """
    few = max(subscriptions // SMALLER, 1)
    first = await first_subscription(stage, grace_hours)
    warm = min(few, WARM_UP_MAX)
    say(f"renewing {warm:,} subscriptions, unmeasured")
    await copy_first(stage.app, stage.tenant_id, first, warm - 1)
    await use(stage, START)
    await settle_down(stage)
    await _round(stage, WARM_UP, warm, workers, grace_hours)
    say(f"creating {few:,} subscriptions")
    await copy_first(stage.app, stage.tenant_id, first, few - warm)
    await use(stage, WARM_UP)
    await settle_down(stage)
    say(f"renewing {few:,} subscriptions")
    small = await _round(stage, FIRST_ROUND, few, workers, grace_hours)
    say(f"creating {subscriptions - few:,} more subscriptions")
    await copy_first(stage.app, stage.tenant_id, first, subscriptions - few)
    await use(stage, FIRST_ROUND)
    await settle_down(stage)
    say(f"renewing {subscriptions:,} subscriptions")
    large = await _round(stage, SECOND_ROUND, subscriptions, workers, grace_hours)
    say("the bare COPY of what that wrote")
    return Renewals(
        workers=workers,
        grace_hours=grace_hours,
        small=small,
        large=large,
        bare_seconds=await _copy(stage, SECOND_ROUND, workers),
    )


async def _round(
    stage: Stage, day: date, subscriptions: int, workers: int, grace_hours: int
) -> Round:
    """Start workers, let everything fall due, and wait for the last number.

    With grace, the clock moves on by it once every draft is there.
    """
    last = await _last_number(stage) + subscriptions
    midnight = datetime.combine(day, day_time(), UTC)
    async with _workers(stage, workers) as pids:
        spent = _spent(stage, pids)
        began = time.monotonic()
        await _stand_at(stage, midnight)
        if grace_hours:
            await _until(lambda: _all_renewed(stage, day))
            await _stand_at(stage, midnight + timedelta(hours=grace_hours))
        await _until(lambda: _numbered_up_to(stage, last))
        seconds = time.monotonic() - began
        workers_ms, postgres_ms = (
            None if one is None or other is None else (other - one) * 1e3 / subscriptions
            for one, other in zip(spent, _spent(stage, pids), strict=True)
        )
        memory = _memory_bytes(pids)
    await _check(stage, day, subscriptions)
    return Round(
        invoices=subscriptions,
        seconds=seconds,
        workers_ms=workers_ms,
        postgres_ms=postgres_ms,
        memory_bytes=memory,
    )


async def _stand_at(stage: Stage, now: datetime) -> None:
    async with stage.app.transaction() as tx:
        await tenants.set_clock(tx, stage.tenant_id, now)


async def _until(done: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not await done():
        if time.monotonic() > deadline:
            raise BenchFailed("The workers did not come to an end.")
        await asyncio.sleep(LOOK_SECONDS)


async def _all_renewed(stage: Stage, day: date) -> bool:
    async with stage.app.database.connection() as tx:
        found: bool = await tx.fetchval(
            "select not exists (select from subscriptions "
            "where tenant_id = $1 and next_step_on <= $2 and billing_error is null)",
            stage.tenant_id,
            day,
        )
    return found


async def _numbered_up_to(stage: Stage, number: int) -> bool:
    return await _last_number(stage) >= number


async def _last_number(stage: Stage) -> int:
    async with stage.app.database.connection() as tx:
        found: int | None = await tx.fetchval(
            "select last_number from invoice_counters where tenant_id = $1", stage.tenant_id
        )
    return found or 0


async def _check(stage: Stage, day: date, subscriptions: int) -> None:
    async with stage.app.database.own_connection() as tx:
        await tx.execute("set statement_timeout = 0")
        found: int = await tx.fetchval(
            "select count(distinct subscription_id) from invoices "
            "where tenant_id = $1 and invoice_date = $2 and status = 'FINALIZED'",
            stage.tenant_id,
            day,
            timeout=SECONDS_MAX,
        )
    if found != subscriptions:
        raise BenchFailed(f"{found:,} of {subscriptions:,} subscriptions were billed.")


@asynccontextmanager
async def _workers(stage: Stage, count: int) -> AsyncIterator[list[int]]:
    """`tallystick worker` as anybody would start it, so many of them."""
    said = [stage.folder / f"worker-{number}.log" for number in range(count)]
    started = [await _worker(stage, log) for log in said]
    try:
        for process, log in zip(started, said, strict=True):
            await _runs(process, log)
        yield [process.pid for process in started]
    finally:
        for process in started:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in started:
            try:
                await asyncio.wait_for(process.wait(), END_SECONDS_MAX)
            except TimeoutError:
                process.kill()


async def _worker(stage: Stage, log: Path) -> asyncio.subprocess.Process:
    with log.open("wb") as output:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WORKER, "worker"),
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("TALLYSTICK_")},
                "DATABASE_URL": stage.dsn,
                # Everybody joins in at once, not at the next turn in ten seconds.
                "TALLYSTICK_BILL_SECONDS": "0.1",
            },
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


async def _runs(process: asyncio.subprocess.Process, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.returncode is None:
        if RUNS in await asyncio.to_thread(log.read_text, errors="replace"):
            return
        await asyncio.sleep(LOOK_SECONDS)
    said = await asyncio.to_thread(log.read_text, errors="replace")
    raise BenchFailed(f"A worker did not start:\n{said[-2000:]}")


def _spent(stage: Stage, pids: Sequence[int]) -> tuple[float | None, float | None]:
    """Processor time so far: of the workers together, and of PostgreSQL."""
    each = [cpu_seconds(pid) for pid in pids]
    known = [one for one in each if one is not None]
    return sum(known) if len(known) == len(each) else None, cpu_seconds(stage.postgres)


def _memory_bytes(pids: Sequence[int]) -> int | None:
    """The highest peak of resident memory, from /proc."""
    peaks = []
    for pid in pids:
        try:
            lines = (PROC / str(pid) / "status").read_text().splitlines()
        except OSError:
            return None
        peaks += [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
    return max(peaks, default=None)


async def _copy(stage: Stage, day: date, connections: int) -> float:
    """Copy the rows of a round into empty tables like theirs, indexed and checked alike.

    Written out before the clock runs, one part for each connection.
    """
    async with stage.app.database.own_connection() as tx:
        await tx.execute("set statement_timeout = 0")
        for table, _ in BARE:
            await tx.execute(f"create table bare_{table} (like {table} including all)")
    parts = [
        [
            await _written_out(stage, day, table, column, (part, connections))
            for table, column in BARE
        ]
        for part in range(connections)
    ]
    await settle_down(stage)

    async def copy(files: Sequence[Path]) -> None:
        async with stage.app.database.own_connection() as tx:
            await tx.execute("set statement_timeout = 0")
            for (table, _), file in zip(BARE, files, strict=True):
                await tx.copy_to_table(f"bare_{table}", source=file, timeout=SECONDS_MAX)

    began = time.monotonic()
    await asyncio.gather(*(copy(files) for files in parts))
    return time.monotonic() - began


async def _written_out(
    stage: Stage, day: date, table: str, column: str, part: tuple[int, int]
) -> Path:
    file = stage.folder / f"{table}-{part[0]}.copy"
    # Every name in it is the schema's or ours, every value a number, an id or a date of ours.
    query = f"""
        select t.* from invoices i join {table} t
          on t.tenant_id = i.tenant_id and t.{column} = i.id
        where i.tenant_id = '{UUID(str(stage.tenant_id))}' and i.invoice_date = '{day}'
          and abs(hashtext(i.id::text)) % {part[1]:d} = {part[0]:d}
    """  # noqa: S608
    async with stage.app.database.own_connection() as tx:
        await tx.execute("set statement_timeout = 0")
        await tx.copy_from_query(query, output=file, timeout=SECONDS_MAX)
    return file
