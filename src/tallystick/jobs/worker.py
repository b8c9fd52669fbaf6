"""The worker: does the jobs of the queue, keeps the schedule, and delivers webhooks.

Any number may run.

It needs nothing but the database, and no care when that goes away: it begins again until it is
told to stop.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager

from tallystick.db.engine import Database
from tallystick.jobs.deliver import Deliveries
from tallystick.jobs.handlers import HANDLERS, Handler
from tallystick.jobs.pause import pause
from tallystick.jobs.run_job import take_jobs
from tallystick.jobs.schedule import Periodic, every_kind, keep_schedule
from tallystick.services.context import App
from tallystick.services.import_rows import ReadRows
from tallystick.settings import Settings
from tallystick.webhooks.sender import open_sender

JOBS_AT_ONCE = 10
QUEUE_CONNECTIONS = 3
"""One listens for new jobs; the others take them and note their ends."""
LOOK_AGAIN = timedelta(seconds=5)
"""How soon a job is found whose notification was missed."""
HEARTBEAT = timedelta(seconds=30)
"""A job whose worker has been silent for so long is given to another one."""

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0
STEADY_SECONDS = 60.0
"""Whatever ran for so long did not fail at its start: the next pause is the first one again."""
GRACE_SECONDS = 25.0
"""How long what is under way may take to end: a little more than a provider's call."""
UNWIND_SECONDS = 5.0
"""How long jobs that are cut off may take to go back into the queue."""

log = structlog.get_logger(__name__)


async def run_worker(
    app: App,
    settings: Settings,
    stop: asyncio.Event,
    *,
    read_rows: ReadRows,
    handlers: Mapping[str, Handler] = HANDLERS,
    kinds: Sequence[Periodic] | None = None,
) -> None:
    """Work until `stop` is set, finish what is under way within some seconds, and return.

    Cancelling ends it at once; what was under way is taken up again by another worker.

    Args:
        app: What is wired once per process.
        settings: How often periodic work is due.
        stop: Set it to end the worker.
        read_rows: Reads the rows of files that are imported.
        handlers: The jobs it does; every one by default.
        kinds: The periodic work it does; all by default.
    """
    kinds = every_kind(settings, read_rows) if kinds is None else kinds
    log.info("worker.started")
    async with asyncio.TaskGroup() as group:
        parts = (
            group.create_task(_again("queue", lambda: do_jobs(app, handlers, stop), stop)),
            group.create_task(
                _again("schedule", lambda: keep_schedule(app, kinds, stop), stop)
            ),
            group.create_task(
                _again("webhooks", lambda: send_webhooks(app, settings, stop), stop)
            ),
        )
        await stop.wait()
        _, slow = await asyncio.wait(parts, timeout=GRACE_SECONDS)
        for part in slow:
            log.warning("worker.left_work_unfinished")
            part.cancel()
    log.info("worker.stopped")


@asynccontextmanager
async def worker_beside(
    app: App, settings: Settings, read_rows: ReadRows
) -> AsyncIterator[None]:
    """Run a worker in this process while the block runs, as `serve` does beside requests."""
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(app, settings, stop, read_rows=read_rows))
    try:
        yield
    finally:
        stop.set()
        await worker


async def do_jobs(app: App, handlers: Mapping[str, Handler], stop: asyncio.Event) -> None:
    """Do jobs until `stop` is set, or the database is lost, which raises.

    The queue has connections of its own, because the one that listens is kept for as long as
    this runs, and is broken when it ends badly.
    """
    database = await Database.open(app.database.dsn, max_size=QUEUE_CONNECTIONS)
    manager = QueueManager(Queries.from_asyncpg_pool(database.pool))
    in_job: set[asyncio.Task[None]] = set()
    take_jobs(manager, app, handlers, stop, in_job)
    working = asyncio.create_task(
        manager.run(
            batch_size=JOBS_AT_ONCE // 2,
            max_concurrent_tasks=JOBS_AT_ONCE,
            dequeue_timeout=LOOK_AGAIN,
            heartbeat_timeout=HEARTBEAT,
            shutdown_on_listener_failure=True,
        )
    )
    stopping = asyncio.create_task(_pass_on(stop, manager.shutdown))
    try:
        await asyncio.wait({working})
    finally:
        stopping.cancel()
        # PgQueuer waits for its jobs whatever happens. Each of these goes back into the queue.
        for task in in_job:
            task.cancel()
        working.cancel()
        await asyncio.wait({working}, timeout=UNWIND_SECONDS)
        if working.done() and not working.cancelled() and working.exception() is None:
            await database.close()
        else:
            database.pool.terminate()
    working.result()


async def send_webhooks(app: App, settings: Settings, stop: asyncio.Event) -> None:
    """Deliver webhooks until `stop` is set."""
    async with open_sender(settings.webhook_answer_seconds) as sender:
        await Deliveries(app, sender, settings.webhook_seconds).keep_going(stop)


async def _pass_on(stop: asyncio.Event, shutdown: asyncio.Event) -> None:
    await stop.wait()
    shutdown.set()


async def _again(part: str, work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Run a part of the worker, and again when it fails, with pauses that double."""
    seconds = FIRST_PAUSE_SECONDS
    while not stop.is_set():
        began = time.monotonic()
        try:
            await work()
        except Exception as reason:  # noqa: BLE001 - the last door of the worker's parts
            if time.monotonic() - began > STEADY_SECONDS:
                seconds = FIRST_PAUSE_SECONDS
            log.warning("worker.begins_again", part=part, after=seconds, reason=repr(reason))
            await pause(stop, seconds)
            seconds = min(2 * seconds, LONGEST_PAUSE_SECONDS)
