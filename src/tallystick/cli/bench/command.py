"""`tallystick bench`: measure PostgreSQL's limit and the product in one run."""

import asyncio
import json
import signal
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.status import Status

from tallystick.cli.bench.measured import BenchFailed
from tallystick.cli.bench.report import as_data, circumstances, show
from tallystick.cli.bench.run import Results, measure
from tallystick.cli.bench.stage import set_stage
from tallystick.cli.demo_api import DemoFailed
from tallystick.cli.terminal import err, fail, failures_told, out

MISUSED = 2
INTERRUPTED = 130

Clients = Annotated[
    str, typer.Option("--clients", help="How many clients at once, in turn, with commas.")
]
Seconds = Annotated[
    float, typer.Option("--seconds", min=1, help="How long each measurement lasts.")
]
Checkouts = Annotated[
    int, typer.Option("--checkouts", min=2, help="How many checkouts are completed.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def bench(
    clients: Clients = "1,8,32",
    seconds: Seconds = 10,
    checkouts: Checkouts = 400,
    *,
    as_json: Json = False,
) -> None:
    """Measure what PostgreSQL can do at most, and what the product makes of it, in one run.

    Starts a PostgreSQL of its own, with the settings of production, and a server with two
    processes; measures the bare statements of one creation with pgbench, `POST
    /checkout-sessions` with every field, loading the page and completing checkouts; and prints
    throughput, latencies, processor time per request and the ratio. Nothing is left behind.

    wrk makes the load where it is installed (Debian's package is called the same). Leave the
    machine alone meanwhile: load, database and server share it.
    """
    try:
        counts = [int(one) for one in clients.split(",")]
    except ValueError:
        counts = []
    if not counts or min(counts) < 1:
        err.print("[red]--clients takes numbers with commas: 1,8,32.[/]")
        raise typer.Exit(MISUSED)
    with failures_told(), err.status("Starting PostgreSQL and the server...") as status:
        try:
            about, results = asyncio.run(_bench(counts, seconds, checkouts, status))
        except (BenchFailed, DemoFailed) as reason:
            fail(str(reason))
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise typer.Exit(INTERRUPTED) from None
    if as_json:
        typer.echo(json.dumps(as_data(results, about)))
    else:
        show(out, results, about)


async def _bench(
    clients: list[int], seconds: float, checkouts: int, status: Status
) -> tuple[dict[str, str], Results]:
    this = asyncio.current_task()
    assert this is not None, "a coroutine that runs is a task"
    with suppress(NotImplementedError):
        # Terminated, it tidies up as after Ctrl-C.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    async with set_stage(datetime.now(UTC)) as stage:
        about = await circumstances(stage)
        results = await measure(
            stage,
            clients,
            seconds,
            checkouts,
            lambda now: status.update(f"Measuring: {now}..."),
        )
    return about, results
