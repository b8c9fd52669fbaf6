"""`tallystick db`: the database under a data directory, or the one of DATABASE_URL."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, TypeAlias

import typer

from tallystick.cli.terminal import (
    DataDir,
    err,
    fail,
    failures_told,
    out,
    print_facts,
    run,
    settings_with,
)
from tallystick.db.engine import DatabaseUnavailable
from tallystick.db.migrate import current, head, migrate
from tallystick.db.server import EmbeddedServer
from tallystick.db.server_watch import kept_running
from tallystick.settings import Settings

app = typer.Typer(
    help="Start, stop, look at and migrate the database.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

Fact: TypeAlias = str | int | bool | None

OWN_DATABASE = "DATABASE_URL names a PostgreSQL of your own; this command leaves it alone."


def ready_dsn(settings: Settings) -> str:
    """Return the URL of the database to use, after starting the embedded one if it is that.

    Raises:
        ServerCannotRun: The embedded server does not start.
    """
    return settings.database_url or EmbeddedServer(settings.data_dir).ensure_running()


def refuse_missing(settings: Settings) -> None:
    """End a command that only looks where there is no database: it must not make one."""
    if missing := _missing(settings):
        fail(missing)


def _missing(settings: Settings) -> str | None:
    """What to say where the data directory holds no database."""
    server = EmbeddedServer(settings.data_dir)
    if settings.database_url or server.holds_database:
        return None
    return (
        f"There is no database in {server.data_dir}. Name another place with --data-dir or "
        "DATABASE_URL; `tallystick serve` makes a database there."
    )


@asynccontextmanager
async def kept_dsn(settings: Settings) -> AsyncIterator[str]:
    """The URL of the database; the embedded one is started, and again when it is killed.

    Raises:
        ServerCannotRun: The embedded server does not start.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    async with kept_running(EmbeddedServer(settings.data_dir)) as dsn:
        yield dsn


@app.command()
def start(data_dir: DataDir = None) -> None:
    """Start the embedded PostgreSQL, and leave it running.

    Other commands do this by themselves. It prints the database's URL, which psql takes:

        psql "$(tallystick db start)"
    """
    settings = settings_with(data_dir=data_dir)
    if settings.database_url:
        err.print(OWN_DATABASE)
        out.print(settings.database_url, soft_wrap=True)
        return
    with failures_told():
        server = EmbeddedServer(settings.data_dir)
        with err.status("Starting PostgreSQL..."):
            dsn = server.ensure_running()
        err.print("[green]Started.[/]" if server.started_here else "It was running already.")
        out.print(dsn, soft_wrap=True, markup=False)


@app.command()
def stop(data_dir: DataDir = None) -> None:
    """Stop the embedded PostgreSQL, for every process that uses this data directory."""
    settings = settings_with(data_dir=data_dir)
    if settings.database_url:
        err.print(OWN_DATABASE)
        return
    with failures_told():
        stopped = EmbeddedServer(settings.data_dir).stop()
    err.print("[green]Stopped.[/]" if stopped else "It was not running.")


@app.command()
def status(data_dir: DataDir = None, *, as_json: Json = False) -> None:
    """Show where the database is, whether it runs, and whether its schema is current.

    The exit code is 0 when it runs and its schema is current, else 1. Nothing is started.
    """
    settings = settings_with(data_dir=data_dir)
    with failures_told():
        about = _status(settings)
    if as_json:
        typer.echo(json.dumps(about))
    else:
        print_facts({name: _shown(value) for name, value in about.items()})
    if missing := _missing(settings):
        err.print(missing, soft_wrap=True)
    if not (about["running"] and about["schema"] == about["schema_needed"]):
        raise typer.Exit(1)


@app.command("migrate")
def migrate_schema(data_dir: DataDir = None) -> None:
    """Bring the schema to what this version needs. Safe to repeat, and while others run.

    `tallystick serve` does this by itself when it starts.
    """
    settings = settings_with(data_dir=data_dir)
    with failures_told(), err.status("Migrating..."):
        dsn = ready_dsn(settings)
        before = run(current(dsn))
        after = run(migrate(dsn))
    if before == after:
        err.print(f"The schema is current (revision {after}).")
    else:
        err.print(f"[green]Migrated[/] from {before or 'an empty database'} to {after}.")


def _shown(value: Fact) -> str | int | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


def _status(settings: Settings) -> dict[str, Fact]:
    about: dict[str, Fact]
    if settings.database_url:
        about = {"database": "of your own (DATABASE_URL)", "running": True}
        dsn = settings.database_url
    else:
        server = EmbeddedServer(settings.data_dir).status()
        dsn = server.dsn
        about = {
            "database": "embedded PostgreSQL",
            "running": server.running,
            "url": dsn,
            "process": server.pid,
            "data_directory": str(server.data_dir),
            "log_file": str(server.log_file),
        }
    schema = None
    if about["running"]:
        try:
            schema = asyncio.run(current(dsn))
        except DatabaseUnavailable:
            about["running"] = False
    return about | {"schema": schema, "schema_needed": head()}
