"""`tallystick worker`: do what is due, in a process of its own."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tallystick.bootstrap import wired
from tallystick.cli.terminal import DataDir, configure_logging, err, run, settings_with
from tallystick.db.migrate import migrate
from tallystick.db.server import EmbeddedServer
from tallystick.db.server_watch import kept_running
from tallystick.jobs.worker import run_worker
from tallystick.settings import Settings

RUNS = "[green]The worker runs.[/] Ctrl-C lets it finish what it has begun, and ends it."


def worker(data_dir: DataDir = None) -> None:
    """Do what is due, until Ctrl-C: jobs, payments left open, expiry, debits, events.

    `tallystick serve` has a worker beside its requests. Start more of them, on any machine that
    reaches the database, when one is not enough, and let `tallystick serve --no-worker` only
    answer requests:

        DATABASE_URL=postgresql://... tallystick worker

    A worker that is killed loses nothing; another one takes up what it had begun.
    """
    settings = settings_with(data_dir=data_dir)
    configure_logging(settings)
    run(_work(settings))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(ending, stop.set)
    async with _database(settings) as dsn:
        await migrate(dsn)
        async with wired(settings, dsn) as app:
            err.print(RUNS)
            await run_worker(app, settings, stop)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[str]:
    """The URL of the database; the embedded one is started, and again when it is killed."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    async with kept_running(EmbeddedServer(settings.data_dir)) as dsn:
        yield dsn
