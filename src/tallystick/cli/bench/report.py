"""The figures, for people and for machines, with the machine and versions they belong to."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tallystick.cli.bench.load import WRK, has_wrk
from tallystick.cli.bench.measured import Measured
from tallystick.cli.bench.program import run_program
from tallystick.cli.bench.run import AT_ONCE, Results
from tallystick.cli.bench.stage import PROCESSES, Stage

RATIO_AIM = 0.5
P99_AIM_MS = 25.0


async def circumstances(stage: Stage) -> dict[str, str]:
    """The machine, the versions, and the settings that matter."""
    async with stage.app.database.connection() as connection:
        postgres = await connection.fetchval("show server_version")
        settings = {
            name: await connection.fetchval("select current_setting($1)", name)
            for name in ("fsync", "synchronous_commit", "shared_buffers", "max_connections")
        }
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{_memory_bytes() / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgresql": postgres,
        "settings": ", ".join(f"{name} {value}" for name, value in settings.items()),
        "tallystick": version("tallystick"),
        "server": f"tallystick serve --workers {PROCESSES}, and its worker, on this machine",
        "load": await _load_generator(),
    }


def facts(about: Mapping[str, str]) -> Table:
    """The circumstances of a run, a line each."""
    table = Table(show_header=False, box=None)
    for name, value in about.items():
        table.add_row(f"[bold]{name}[/]", value)
    return table


def as_data(results: Results, about: Mapping[str, str]) -> dict[str, object]:
    """Everything, for `--json`."""
    data: dict[str, object] = {"circumstances": dict(about), "statements": results.statements}
    for name in ("bare", "create", "create_keyed", "page", "checkout"):
        measured: list[Measured] = getattr(results, name)
        data[name] = [{**asdict(one), "per_second": one.per_second} for one in measured]
    data["ratio"] = {str(clients): value for clients, value in ratios(results).items()}
    return data


def ratios(results: Results) -> dict[int, float]:
    """Requests a second for each bare creation a second, by number of clients."""
    return {
        bare.clients: create.per_second / bare.per_second
        for bare, create in zip(results.bare, results.create, strict=True)
    }


def show(out: Console, results: Results, about: Mapping[str, str]) -> None:
    """Print every figure, and how they stand to what is aimed at."""
    out.print(facts(about))
    bare = f"The limit: the {results.statements} bare statements of one creation, in pgbench"
    out.print(_table(bare, results.bare))
    found = ratios(results)
    title = "POST /checkout-sessions, every field"
    out.print(_table(title, [*results.create, *results.create_keyed], found))
    out.print(_table("Loading the checkout page", results.page))
    out.print(
        _table(f"Completing a checkout, {AT_ONCE} buyers at once", results.checkout, steps=True)
    )
    if AT_ONCE in found:
        p99 = next(one.p99_ms for one in results.create if one.clients == AT_ONCE)
        out.print(
            f"With {AT_ONCE} clients: ratio {_judged(found[AT_ONCE], at_least=RATIO_AIM)} "
            f"(aim: at least {RATIO_AIM}), p99 {_judged(p99, at_most=P99_AIM_MS)} ms "
            f"(aim: under {P99_AIM_MS:.0f})."
        )


def _table(
    title: str,
    rows: Sequence[Measured],
    found: Mapping[int, float] | None = None,
    *,
    steps: bool = False,
) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("step" if steps else "clients", justify="left" if steps else "right")
    for name in ("per second", "p50 ms", "p95 ms", "p99 ms", "CPU server", "CPU PostgreSQL"):
        table.add_column(name, justify="right")
    if found is not None:
        table.add_column("ratio", justify="right")
    for row in rows:
        keyed = found is not None and row.what != "create"
        cells = [
            row.what if steps else f"{row.clients}{' (keyed)' if keyed else ''}",
            f"{row.per_second:,.0f}",
            f"{row.p50_ms:.2f}",
            f"{row.p95_ms:.2f}",
            f"{row.p99_ms:.2f}",
            _milliseconds(row.server_ms),
            _milliseconds(row.postgres_ms),
        ]
        if found is not None:
            cells.append("-" if keyed else f"{found[row.clients]:.2f}")
        table.add_row(*cells)
    return table


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} ms"


def _judged(value: float, *, at_least: float = 0.0, at_most: float = float("inf")) -> str:
    color = "green" if at_least <= value <= at_most else "red"
    return f"[{color}]{value:.2f}[/]"


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


async def _load_generator() -> str:
    if not has_wrk():
        return "tallystick's own, in the bench's process"
    # It calls showing its version a failure.
    _, said, _ = await run_program(WRK, "-v")
    return " ".join(said.split()[:2]) + ", and tallystick's own for whole checkouts"
