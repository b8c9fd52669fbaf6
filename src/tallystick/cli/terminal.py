"""How commands talk: results to standard output, everything else to standard error.

So that `tallystick ... --json | jq` works whatever is told on the way.
"""

import asyncio
import logging
import sys
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, NoReturn, TextIO, TypeAlias, TypeVar, cast

import structlog
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typing_extensions import override

from tallystick.db.engine import DatabaseUnavailable
from tallystick.db.server import ServerCannotRun
from tallystick.settings import Settings

FAILED = 1
"""The command could not do what it was asked; the message says why."""
MISUSED = 2
"""The command line or a setting is wrong."""

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

Result = TypeVar("Result")

DataDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Where the embedded PostgreSQL keeps its data. Default: TALLYSTICK_DATA_DIR, "
        "else .tallystick in the current folder.",
        file_okay=False,
        show_default=False,
    ),
]


def settings_with(**options: object) -> Settings:
    """Read the settings from the environment; options that were given win over it.

    Args:
        options: Fields of `Settings`; None stands for an option that was not given.
    """
    given: dict[str, Any] = {
        name: value for name, value in options.items() if value is not None
    }
    try:
        return Settings(**given)
    except ValidationError as invalid:
        for fault in invalid.errors(include_url=False):
            name = "_".join(str(part) for part in fault["loc"]).upper()
            name = name if "DATABASE_URL" in name else f"TALLYSTICK_{name}"
            err.print(f"[red]Setting {escape(name)}:[/] {escape(fault['msg'])}.")
        raise typer.Exit(MISUSED) from invalid


WIDE = 100_000
"""Columns of an output that is no terminal: nothing is wrapped there, whatever reads it."""


def print_table(rows: Iterable[Sequence[object]], *headers: str) -> None:
    """Print rows whose every word can be copied: what is too long is folded, never cut.

    None is shown as a dash. Without headers the first column is a name.
    """
    table = Table(*headers, show_header=bool(headers), box=None)
    for row in rows:
        table.add_row(*(escape("-" if cell is None else str(cell)) for cell in row))
    for column in table.columns:
        column.overflow = "fold"
    if not headers and table.columns:
        table.columns[0].style = "bold"
    console = out if out.is_terminal else Console(width=WIDE, highlight=False)
    console.print(table)


def print_facts(facts: Mapping[str, object]) -> None:
    """Print facts about one thing, a line each, by their names."""
    print_table((name.replace("_", " "), value) for name, value in facts.items())


def fail(message: str, code: int = FAILED) -> NoReturn:
    """End the command: say on standard error what is wrong and what to do."""
    err.print(f"[red]{escape(message)}[/]")
    raise typer.Exit(code)


@contextmanager
def failures_told() -> Iterator[None]:
    """Turn failures that a person can mend into a sentence and an exit code."""
    try:
        yield
    except ServerCannotRun as reason:
        fail(str(reason))
    except DatabaseUnavailable as reason:
        fail(f"{reason}\nIs it running? See `tallystick db status`, or check DATABASE_URL.")


def configure_logging(settings: Settings) -> None:
    """Write log lines to standard error: readable, or as JSON for machines."""
    renderer: structlog.typing.Processor
    # The driver's pool tells each failed attempt with a trace; ours tells it in a line.
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)
    as_json = settings.log_format == "json"
    if as_json:
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=err.is_terminal,
            # Rich would show the values of variables: secrets, and a thousand lines.
            exception_formatter=structlog.dev.plain_traceback,
        )
    logging.basicConfig(handlers=[_Telling()], level=logging.WARNING, force=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if as_json else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=lambda *_: structlog.PrintLogger(cast("TextIO", _LOG)),
    )


class _StandardError:
    """Standard error for log lines. One that cannot be written is lost: it may go to the very
    disk that is full, and no request may fail for what is told of it.

    Looked up at each line: a test or a supervisor may have put another in its place.
    """

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


_LOG = _StandardError()


class _Telling(logging.Handler):
    """Hands on what libraries log, to be written like our own lines."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno,
            record.getMessage().strip(),
            logger=record.name,
            **({"exc_info": record.exc_info} if record.exc_info else {}),
        )


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run asynchronous work to its end, with its failures told."""
    with failures_told():
        return asyncio.run(work)
