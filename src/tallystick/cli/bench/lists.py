"""`tallystick bench-lists`: measure lookups in a tenant with a million of everything."""

import asyncio
import json
import signal
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from random import Random
from statistics import median, quantiles
from typing import Annotated

import typer
from rich.status import Status
from rich.table import Table

from tallystick.cli.bench.http_client import Client
from tallystick.cli.bench.long_lists import fill, one_of_each
from tallystick.cli.bench.looked_up import Lookup, lookups, sample
from tallystick.cli.bench.measured import BenchFailed
from tallystick.cli.bench.report import circumstances, facts
from tallystick.cli.bench.stage import Stage, set_stage
from tallystick.cli.demo_api import DemoFailed
from tallystick.cli.terminal import err, fail, failures_told, out

INTERRUPTED = 130
AIM_MS = 50.0
FEW_MAX = 1_000
FEW_SHARE = 10
WARMING = 3
SHOWN = 15
OK = 200

Entries = Annotated[
    int, typer.Option("--entries", min=100, help="How many of everything there are.")
]
Requests = Annotated[
    int, typer.Option("--requests", min=2, help="How many of each kind are sent.")
]
Only = Annotated[str, typer.Option("--only", help="Kinds whose name has this in it.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How long one kind of request took, in milliseconds; `few` with few entries."""

    name: str
    median: float
    p95: float
    slowest: float
    few: float

    @property
    def growth(self) -> float:
        """What it takes with all entries, for each millisecond with few."""
        return self.median / self.few


@dataclass(frozen=True, slots=True)
class Asking:
    """How many requests of each kind, and which kinds."""

    requests: int
    only: str


def bench_lists(
    entries: Entries = 1_000_000,
    requests: Requests = 60,
    only: Only = "",
    *,
    as_json: Json = False,
) -> None:
    """Measure every list, search and lookup with a million of everything in the database.

    Starts a PostgreSQL of its own, with the settings of production, and a server with two
    processes; fills one tenant with customers, subscriptions, sessions and invoices, first a
    few, then all; and sends every kind of request one after the other. Prints the slowest
    kinds, and what they took with few entries. Nothing is left behind.

    Leave the machine alone meanwhile: load, database and server share it.
    """
    with failures_told(), err.status("Starting PostgreSQL and the server...") as status:
        try:
            about, found = asyncio.run(_measure(entries, Asking(requests, only), status))
        except (BenchFailed, DemoFailed) as reason:
            fail(str(reason))
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise typer.Exit(INTERRUPTED) from None
    if as_json:
        kinds = [{**asdict(one), "growth": one.growth} for one in found]
        typer.echo(json.dumps({"circumstances": about, "entries": entries, "kinds": kinds}))
    else:
        _show(found, about, entries)


def few_of(entries: int) -> int:
    """How many entries there are at first, for comparison."""
    return min(FEW_MAX, entries // FEW_SHARE)


async def _measure(
    entries: int, asking: Asking, status: Status
) -> tuple[dict[str, str], list[Found]]:
    this = asyncio.current_task()
    assert this is not None, "a coroutine that runs is a task"
    with suppress(NotImplementedError):
        # Terminated, it tidies up as after Ctrl-C.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    async with set_stage(datetime.now(UTC), works=False) as stage:
        about = await circumstances(stage)
        about["server"] = "idle but for one client"
        about["load"] = f"one connection, {asking.requests} requests of each kind"
        firsts = await one_of_each(stage)
        little = few_of(entries)
        status.update(f"Filling: {little:,} of everything...")
        await fill(stage, firsts, 1, little)
        few = await _times(stage, little, asking, status)
        status.update(f"Filling: {entries:,} of everything, which takes minutes...")
        await fill(stage, firsts, little + 1, entries)
        many = await _times(stage, entries, asking, status)
    found = [
        Found(
            name=name,
            median=median(taken),
            p95=quantiles(taken, n=20)[-1],
            slowest=max(taken),
            few=median(few[name]),
        )
        for name, taken in many.items()
    ]
    return about, sorted(found, key=lambda one: one.p95, reverse=True)


async def _times(
    stage: Stage, entries: int, asking: Asking, status: Status
) -> dict[str, list[float]]:
    """The milliseconds of every request, by kind."""
    kinds = [one for one in lookups(await sample(stage), entries) if asking.only in one.name]
    if not kinds:
        raise BenchFailed(f"No kind of request has {asking.only!r} in its name.")
    found = {}
    async with await Client.open(stage.url) as client:
        for kind in kinds:
            status.update(f"Measuring with {entries:,}: {kind.name}...")
            # The same requests each time; nothing depends on them being unforeseeable.
            random = Random(kind.name)  # noqa: S311
            found[kind.name] = [
                await _ask(client, stage, kind, random)
                for _ in range(asking.requests + WARMING)
            ][WARMING:]
    return found


async def _ask(client: Client, stage: Stage, kind: Lookup, random: Random) -> float:
    path = kind.path(random)
    begun = time.perf_counter()
    answer = await client.ask("GET", path, stage.headers)
    taken = time.perf_counter() - begun
    if answer.status != OK:
        raise BenchFailed(f"GET {path} was answered with {answer.status}.")
    return 1000 * taken


def _show(found: list[Found], about: dict[str, str], entries: int) -> None:
    out.print(facts(about))
    table = Table(
        title=f"The slowest of {len(found)} kinds, {entries:,} of everything",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("request")
    for name in ("median", "p95", "slowest", f"median with {few_of(entries):,}", "growth"):
        table.add_column(name, justify="right")
    for one in found[:SHOWN]:
        table.add_row(
            one.name,
            *(f"{value:.1f} ms" for value in (one.median, one.p95, one.slowest, one.few)),
            f"{one.growth:.1f}",
        )
    out.print(table)
    worst = found[0]
    color = "green" if worst.p95 < AIM_MS else "red"
    late = sum(one.p95 >= AIM_MS for one in found)
    out.print(
        f"{worst.name}: p95 [{color}]{worst.p95:.1f} ms[/] (aim: every kind under "
        f"{AIM_MS:.0f} ms; {late} of {len(found)} are not). Half of the kinds took less than "
        f"{median(one.p95 for one in found):.1f} ms."
    )
