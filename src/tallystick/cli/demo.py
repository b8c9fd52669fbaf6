"""`tallystick demo`: everything at once, with a shop to look at and a checkout to pay."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from tallystick.cli.demo_api import DemoFailed
from tallystick.cli.demo_screen import Screen
from tallystick.cli.demo_server import listen_near, served
from tallystick.cli.demo_shop import Shop
from tallystick.cli.demo_story import Stage, pay, present, send_request, set_up
from tallystick.cli.terminal import DataDir, err, fail, failures_told, out, settings_with
from tallystick.db.migrate import migrate
from tallystick.db.server import EmbeddedServer
from tallystick.db.server_watch import keep_running
from tallystick.settings import Settings

INTERRUPTED = 130

Port = Annotated[
    int | None,
    typer.Option(
        "--port",
        min=0,
        max=65535,
        help="Where to listen; when it is taken, on the next free one. Default: 8484.",
        show_default=False,
    ),
]
Once = Annotated[
    bool,
    typer.Option(
        "--once",
        help="Buy through the page's own forms, print session, subscription and invoices as "
        "one line of JSON, stop everything and exit.",
    ),
]


def demo(data_dir: DataDir = None, port: Port = None, *, once: Once = False) -> None:
    """Start everything, with a shop to look at and a checkout that waits to be paid.

    One process runs the embedded PostgreSQL, the server and the worker. A test tenant "Acme
    Cloud" with plans, add-ons, coupons and customers is made, or found again; then the full
    checkout request is sent, and its link is shown. Ctrl-C stops what was started.
    """
    # Log lines would run in between; what matters is told by the steps themselves.
    settings = settings_with(data_dir=data_dir, port=port, log_level="error")
    if data_dir is not None:
        # A directory of one's own means a database of one's own, whatever the environment says.
        settings = settings.model_copy(update={"database_url": None})
    screen = Screen(progress=err, result=err if once else out)
    server = EmbeddedServer(settings.data_dir)
    bought: dict[str, Any] | None = None
    is_stopped = False
    try:
        with failures_told():
            bought = asyncio.run(_demo(settings, server, screen, once=once))
    except DemoFailed as reason:
        fail(str(reason))
    except (KeyboardInterrupt, asyncio.CancelledError):
        err.print()
        is_stopped = True
    finally:
        _stop(server, screen)
    if is_stopped:
        err.print("Stopped.")
        raise typer.Exit(INTERRUPTED if once else 0)
    if bought is not None:
        typer.echo(json.dumps(bought, ensure_ascii=False))


async def _demo(
    settings: Settings, server: EmbeddedServer, screen: Screen, *, once: bool
) -> dict[str, Any] | None:
    """Play the whole demo; what was bought when it buys itself, else it ends by a signal."""
    _cancel_when_terminated()
    with screen.step("PostgreSQL") as step:
        if settings.database_url:
            dsn = settings.database_url
            step.say("your own, named by DATABASE_URL")
        else:
            dsn = await asyncio.to_thread(server.ensure_running)
            step.say(f"embedded, in {server.data_dir}")
    with screen.step("Schema") as step:
        step.say(f"revision {await migrate(dsn)}")
    listener = listen_near(settings.host, settings.port)
    settings = _on_port_of(listener, settings, screen)
    shop = Shop()
    async with (
        _watched(server, embedded=not settings.database_url),
        served(settings, dsn, listener, shop.pages()) as app,
    ):
        stage = Stage(
            app=app,
            shop=shop,
            screen=screen,
            data_dir=server.data_dir,
            server_url=settings.model_copy(update={"public_url": None}).base_url,
        )
        # The door of this process: here the demo's time is read, once.
        async with set_up(stage, datetime.now(UTC)) as scene:
            sent = await send_request(scene)
            if once:
                return await pay(scene, sent)
            present(scene, sent)
            await asyncio.Event().wait()
    return None


def _cancel_when_terminated() -> None:
    """End by SIGTERM as by Ctrl-C: everything that was started is stopped."""
    this = asyncio.current_task()
    assert this is not None, "a coroutine that runs is a task"
    with suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)


def _on_port_of(listener: socket.socket, settings: Settings, screen: Screen) -> Settings:
    port: int = listener.getsockname()[1]
    if port != settings.port and settings.port:
        screen.note(f"Port {settings.port} is taken; this is on {port}.")
    return settings.model_copy(update={"port": port})


@asynccontextmanager
async def _watched(server: EmbeddedServer, *, embedded: bool) -> AsyncIterator[None]:
    """Start the embedded server again if it is killed while the block runs."""
    if not embedded:
        yield
        return
    watcher = asyncio.create_task(keep_running(server))
    try:
        yield
    finally:
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher


def _stop(server: EmbeddedServer, screen: Screen) -> None:
    if server.started_here:
        with failures_told(), screen.step("Stopped PostgreSQL"):
            server.stop()
