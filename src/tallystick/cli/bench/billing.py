"""`tallystick bench-billing`: measure how fast many subscriptions are renewed."""

import asyncio
import json
import signal
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, time
from typing import Annotated

import typer
from rich.status import Status
from rich.table import Table

from tallystick.cli.bench.measured import BenchFailed
from tallystick.cli.bench.renewals import START, Renewals, Round, measure_renewals
from tallystick.cli.bench.report import circumstances, facts
from tallystick.cli.bench.stage import set_stage
from tallystick.cli.demo_api import DemoFailed
from tallystick.cli.terminal import err, fail, failures_told, out

INTERRUPTED = 130
AIM_PER_SECOND = 1_500

Subscriptions = Annotated[
    int, typer.Option("--subscriptions", min=10, help="How many are renewed in the end.")
]
Workers = Annotated[int, typer.Option("--workers", min=1, help="How many processes renew.")]
GraceHours = Annotated[
    int, typer.Option("--grace-hours", min=0, max=720, help="How long drafts wait.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def bench_billing(
    subscriptions: Subscriptions = 100_000,
    workers: Workers = 2,
    grace_hours: GraceHours = 0,
    *,
    as_json: Json = False,
) -> None:
    """Measure how fast subscriptions are renewed, against the bare COPY of the same rows.

    Starts a PostgreSQL of its own, with the settings of production; makes subscriptions with a
    fee, seats and usage; lets a tenth of them fall due together, then all of them, while
    `tallystick worker` runs so many times. Prints finalized invoices per second, what each
    costs at both sizes, the memory of the workers, and the ratio to one COPY per worker of the
    same lines, invoices and events into tables indexed alike. Nothing is left behind.

    Leave the machine alone meanwhile: workers and database share it.
    """
    with failures_told(), err.status("Starting PostgreSQL and the server...") as status:
        try:
            about, found = asyncio.run(_measure(subscriptions, workers, grace_hours, status))
        except (BenchFailed, DemoFailed) as reason:
            fail(str(reason))
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise typer.Exit(INTERRUPTED) from None
    if as_json:
        typer.echo(json.dumps(_as_data(found, about)))
    else:
        _show(found, about)


async def _measure(
    subscriptions: int, workers: int, grace_hours: int, status: Status
) -> tuple[dict[str, str], Renewals]:
    this = asyncio.current_task()
    assert this is not None, "a coroutine that runs is a task"
    with suppress(NotImplementedError):
        # Terminated, it tidies up as after Ctrl-C.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    clock = datetime.combine(START, time(), UTC)
    async with set_stage(datetime.now(UTC), clock=clock, works=False) as stage:
        about = await circumstances(stage)
        about["server"] = "idle, without a worker of its own"
        about["load"] = f"{workers} times tallystick worker"
        found = await measure_renewals(
            stage,
            subscriptions,
            workers,
            grace_hours,
            lambda doing: status.update(f"Measuring: {doing}..."),
        )
    return about, found


def _as_data(found: Renewals, about: dict[str, str]) -> dict[str, object]:
    return {
        "circumstances": about,
        **asdict(found),
        "per_second": found.large.per_second,
        "per_second_per_worker": found.large.per_second / found.workers,
        "growth": found.growth,
        "ratio": found.ratio,
    }


def _show(found: Renewals, about: dict[str, str]) -> None:
    out.print(facts(about))
    table = Table(
        title=f"{found.workers} workers, {found.grace_hours} hours of grace",
        title_justify="left",
        title_style="bold",
    )
    for name in ("invoices", "seconds", "per second", "per worker", "CPU workers"):
        table.add_column(name, justify="right")
    table.add_column("CPU PostgreSQL", justify="right")
    table.add_column("peak memory", justify="right")
    for one in (found.small, found.large):
        table.add_row(*_cells(one, found.workers))
    out.print(table)
    color = "green" if found.large.per_second >= AIM_PER_SECOND else "red"
    out.print(
        f"An invoice of the large round cost {found.growth:.2f} times one of the small round; "
        f"ratio {found.ratio:.2f} to the bare COPY; [{color}]{found.large.per_second:,.0f}[/] "
        f"invoices a second (aim: {AIM_PER_SECOND:,} on two cores)."
    )


def _cells(one: Round, workers: int) -> list[str]:
    memory = one.memory_bytes
    return [
        f"{one.invoices:,}",
        f"{one.seconds:.2f}",
        f"{one.per_second:,.0f}",
        f"{one.per_second / workers:,.0f}",
        *(
            "-" if spent is None else f"{spent:.2f} ms"
            for spent in (one.workers_ms, one.postgres_ms)
        ),
        "-" if memory is None else f"{memory / 2**20:.0f} MiB",
    ]
