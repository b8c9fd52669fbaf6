"""`tallystick worker`: do what is due, in a process of its own."""

import asyncio
import gc
import signal

from tallystick.bootstrap import wired
from tallystick.cli.database import kept_dsn
from tallystick.cli.terminal import DataDir, configure_logging, err, run, settings_with
from tallystick.db.migrate import migrate
from tallystick.http.v1.import_rows import read_chunk
from tallystick.jobs.worker import run_worker
from tallystick.settings import Settings

YOUNG_OBJECTS_MAX = 50_000
"""How many new objects are looked through for garbage at once.

A batch makes more than that of things that are in no cycle, and lets go of them by itself.
"""

RUNS = "[green]The worker runs.[/] Ctrl-C lets it finish what it has begun, and ends it."


def worker(data_dir: DataDir = None) -> None:
    """Do what is due, until Ctrl-C: jobs, payments left open, expiry, debits, webhooks.

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
    async with kept_dsn(settings) as dsn:
        await migrate(dsn)
        async with wired(settings, dsn) as app:
            # What is loaded by now stays loaded.
            gc.collect()
            gc.freeze()
            gc.set_threshold(YOUNG_OBJECTS_MAX, *gc.get_threshold()[1:])
            err.print(RUNS)
            await run_worker(app, settings, stop, read_rows=read_chunk)
