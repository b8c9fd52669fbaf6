"""`tallystick serve`: the API, the pages and the worker."""

import asyncio
import socket
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Annotated

import typer
import uvloop

from tallystick.bootstrap import wired
from tallystick.cli.database import kept_dsn
from tallystick.cli.http_processes import serve_in_processes
from tallystick.cli.http_server import Ending, listen, serve_http
from tallystick.cli.terminal import (
    DataDir,
    configure_logging,
    err,
    failures_told,
    settings_with,
)
from tallystick.db import tenants
from tallystick.db.migrate import migrate
from tallystick.http.v1.import_rows import read_chunk
from tallystick.jobs.worker import worker_beside
from tallystick.services.context import App
from tallystick.settings import Settings

FIRST_STEP = (
    "There is no tenant yet. Make one, in another terminal:\n"
    '    tallystick tenant create "Acme Cloud" --currency EUR'
)


def serve(
    host: Annotated[
        str | None,
        typer.Option(
            "--host", help="The address to listen on. Default: 127.0.0.1.", show_default=False
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=0,
            max=65535,
            help="The port; 0 takes a free one. Default: 8484.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Processes that answer requests.")
    ] = 1,
    *,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Leave what is due to `tallystick worker`.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Serve the API and the checkout pages, and do what is due, until Ctrl-C.

    Starts the embedded PostgreSQL unless DATABASE_URL is set, starts it again when it is
    killed, and migrates. Several of these may share one database, on any number of machines.

        tallystick serve
        tallystick serve --port 0 --data-dir /tmp/try
        DATABASE_URL=postgresql://... tallystick serve --host 0.0.0.0 --workers 4

    Set TALLYSTICK_PUBLIC_URL to what buyers type when that is not the address listened on.
    """
    settings = settings_with(
        host=host, port=port, data_dir=data_dir, worker=False if no_worker else None
    )
    configure_logging(settings)
    listener = listen(settings)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    _run(_serve(settings, listener, workers))


def serve_process(
    fd: Annotated[int, typer.Option("--fd", help="The socket to answer on.")],
) -> None:
    """Answer requests as one of several processes; `serve --workers` starts it."""
    settings = settings_with()
    configure_logging(settings)
    _run(_serve_as_child(settings, socket.socket(fileno=fd)))


def _run(work: Coroutine[object, object, None]) -> None:
    with (
        failures_told(),
        # Asked to end before it had begun.
        suppress(asyncio.CancelledError),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(work)


async def _serve(settings: Settings, listener: socket.socket, processes: int) -> None:
    ending = Ending()
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(kept_dsn(settings))
        await migrate(dsn)
        app = await stack.enter_async_context(wired(settings, dsn))
        if settings.worker:
            await stack.enter_async_context(worker_beside(app, settings, read_chunk))
        await _greet(app, settings)
        if processes == 1:
            await serve_http(app, settings, listener, ending)
        else:
            await serve_in_processes(processes, settings, dsn, listener, ending)
    err.print("Stopped.")


async def _serve_as_child(settings: Settings, listener: socket.socket) -> None:
    ending = Ending()
    _end_with_parent(ending)
    assert settings.database_url is not None, "the parent names the database"
    async with wired(settings, settings.database_url) as app:
        await serve_http(app, settings, listener, ending)


def _end_with_parent(ending: Ending) -> None:
    """End when the parent's end of the pipe closes: it died, however it did."""
    loop = asyncio.get_running_loop()

    def closed() -> None:
        loop.remove_reader(sys.stdin)
        if not ending.asked.is_set():
            ending.ask()

    loop.add_reader(sys.stdin, closed)


async def _greet(app: App, settings: Settings) -> None:
    err.print(f"[green]Tallystick serves[/] [bold]{settings.base_url}[/]", soft_wrap=True)
    err.print(f"The API is described at {settings.base_url}/api-docs. Ctrl-C ends it.")
    async with app.database.connection() as connection:
        if not await tenants.every(connection):
            err.print(FIRST_STEP)
