"""`tallystick bench-events`: measure how fast usage events come in, beside the limit."""

import asyncio
import json
import signal
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.status import Status
from rich.table import Table

from tallystick.cli.bench.ingestion import Ingestion, measure_ingestion
from tallystick.cli.bench.measured import BenchFailed
from tallystick.cli.bench.report import circumstances, facts
from tallystick.cli.bench.stage import set_stage
from tallystick.cli.demo_api import DemoFailed
from tallystick.cli.terminal import err, fail, failures_told, out
from tallystick.domain.usage_events import EVENTS_MAX

INTERRUPTED = 130
AIM_PER_SECOND = 50_000

Events = Annotated[
    int, typer.Option("--events", min=1000, help="How many; whole thousands are sent.")
]
Clients = Annotated[
    int, typer.Option("--clients", min=1, help="How many connections send at once.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def bench_events(
    events: Events = 200_000, clients: Clients = 8, *, as_json: Json = False
) -> None:
    """Measure how fast usage events come in, against the bare COPY of the same rows.

    Starts a PostgreSQL of its own, with the settings of production, and a server with two
    processes; copies the events into the empty table with one statement on each connection,
    empties it, and sends the same events to `POST /events/ingest`, a thousand in each call.
    Prints events per second and the ratio of the two. Nothing is left behind.

    Leave the machine alone meanwhile: load, database and server share it.
    """
    with failures_told(), err.status("Starting PostgreSQL and the server...") as status:
        try:
            about, found = asyncio.run(_measure(events, clients, status))
        except (BenchFailed, DemoFailed) as reason:
            fail(str(reason))
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise typer.Exit(INTERRUPTED) from None
    if as_json:
        typer.echo(json.dumps(_as_data(found, about)))
    else:
        _show(found, about)


async def _measure(
    events: int, clients: int, status: Status
) -> tuple[dict[str, str], Ingestion]:
    this = asyncio.current_task()
    assert this is not None, "a coroutine that runs is a task"
    with suppress(NotImplementedError):
        # Terminated, it tidies up as after Ctrl-C.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    now = datetime.now(UTC)
    async with set_stage(now) as stage:
        about = await circumstances(stage)
        about["load"] = "tallystick's own, in the bench's process"
        found = await measure_ingestion(
            stage,
            events - events % EVENTS_MAX,
            clients,
            now,
            lambda doing: status.update(f"Measuring: {doing}..."),
        )
    return about, found


def _as_data(found: Ingestion, about: dict[str, str]) -> dict[str, object]:
    return {
        "circumstances": about,
        **asdict(found),
        "bare_per_second": found.bare_per_second,
        "per_second": found.per_second,
        "ratio": found.ratio,
    }


def _show(found: Ingestion, about: dict[str, str]) -> None:
    out.print(facts(about))
    table = Table(
        title=f"{found.events:,} events over {found.clients} connections",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("")
    for name in ("events per second", "seconds", "CPU server", "CPU PostgreSQL"):
        table.add_column(name, justify="right")
    bare = (f"{found.bare_per_second:,.0f}", f"{found.bare_seconds:.2f}")
    table.add_row("bare COPY into the same table", *bare, "-", "-")
    mine = (f"{found.per_second:,.0f}", f"{found.seconds:.2f}")
    spent = [
        "-" if one is None else f"{one:.2f} ms a thousand"
        for one in (found.server_ms, found.postgres_ms)
    ]
    table.add_row(f"POST /events/ingest, {EVENTS_MAX:,} a call", *mine, *spent)
    out.print(table)
    color = "green" if found.per_second >= AIM_PER_SECOND else "red"
    out.print(
        f"Ratio {found.ratio:.2f}; [{color}]{found.per_second:,.0f}[/] events a second "
        f"(aim: {AIM_PER_SECOND:,} on two cores)."
    )
