"""One job, from its payload to its verb: counted, tried again, or kept for a person.

What PgQueuer leaves to its user, because it does otherwise by itself:

- A job whose worker dies is handed out again for ever; one that takes its worker down would do
  so without end. Each start is counted before it, in a row of our own.
- A job that fails is dropped. Ours are held, and tried again before that.
- A job whose task is cancelled is dropped, too. Ours goes back into the queue.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job

from tallystick.db import job_queue
from tallystick.db.engine import DatabaseUnavailable
from tallystick.jobs.handlers import Handler, Ids
from tallystick.jobs.pause import pause
from tallystick.services.context import App, Context
from tallystick.services.tenant_context import tenant_context

STARTS_MAX = 20
"""With the pauses below, about nine hours of trying."""
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(hours=1)
RECONNECT_SECONDS = 1.0

log = structlog.get_logger(__name__)


class StartedTooOften(Exception):
    """A job was begun again and again and never ended; it is kept for a person."""


def take_jobs(
    manager: QueueManager,
    app: App,
    handlers: Mapping[str, Handler],
    stop: asyncio.Event,
    running: set[asyncio.Task[None]],
) -> None:
    """Register every handler with PgQueuer; `running` holds the tasks that are in one."""

    async def run(handler: Handler, job: Job) -> None:
        task = asyncio.current_task()
        assert task is not None, "a job has a task of its own"
        running.add(task)
        try:
            await run_job(app, handler, stop, job)
        finally:
            running.discard(task)

    for name, handler in handlers.items():
        manager.entrypoint(name, on_failure="hold", accepts_context=False)(
            partial(run, handler)
        )


async def run_job(app: App, handler: Handler, stop: asyncio.Event, job: Job) -> None:
    """Do one job.

    Raises:
        RetryRequested: It failed, and is due again after a pause that doubles each time; or its
            worker was stopped.
        Exception: It failed for good, or was started too often; PgQueuer holds it.
    """
    try:
        await _start(app, handler, stop, job, _ids_of(job))
    except asyncio.CancelledError as cancelled:
        raise RetryRequested(timedelta(), "the worker was stopped") from cancelled
    except RetryRequested:
        raise
    except Exception:
        payload = (job.payload or b"").decode(errors="replace")
        log.exception("job.given_up", job=job.entrypoint, id=job.id, payload=payload)
        raise


def pause_after(starts: int) -> timedelta:
    """How long a job rests after it has failed for the `starts`-th time."""
    return min(FIRST_PAUSE * (1 << (starts - 1)), LONGEST_PAUSE)


def _ids_of(job: Job) -> Ids:
    payload = json.loads(job.payload or b"{}")
    return {name: UUID(value) for name, value in payload.items()}


async def _start(app: App, handler: Handler, stop: asyncio.Event, job: Job, ids: Ids) -> None:
    tenant_id = ids["tenant_id"]
    # The door: real time is read here, once for everything that this job does.
    now = datetime.now(UTC)  # noqa: TID251
    starts = 0
    try:
        async with app.database.connection() as tx:
            starts = await job_queue.note_start(tx, tenant_id, job.id)
            ctx = await tenant_context(app, tx, tenant_id, now, actor="worker")
        await _do(ctx, handler, ids, starts)
        await _forget(app, tenant_id, job)
    except DatabaseUnavailable as reason:
        log.warning("job.lost_database", job=job.entrypoint, id=job.id, reason=str(reason))
        # Going back into the queue takes what is missing; without it the job would be held.
        await _database_is_back(app, stop)
        raise RetryRequested(pause_after(max(starts, 1)), repr(reason)) from reason
    except Exception as error:
        if 0 < starts < STARTS_MAX and not isinstance(error, handler.hopeless):
            log.warning(
                "job.failed", job=job.entrypoint, id=job.id, starts=starts, exc_info=True
            )
            raise RetryRequested(pause_after(starts), repr(error)) from error
        await _forget(app, tenant_id, job)
        raise


async def _do(ctx: Context, handler: Handler, ids: Ids, starts: int) -> None:
    if starts > STARTS_MAX:
        raise StartedTooOften(f"it was begun {starts - 1} times and never ended")
    await handler.verb(ctx, ids)


async def _forget(app: App, tenant_id: UUID, job: Job) -> None:
    async with app.database.connection() as tx:
        await job_queue.forget_starts(tx, tenant_id, job.id)


async def _database_is_back(app: App, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await pause(stop, RECONNECT_SECONDS)
        with suppress(DatabaseUnavailable):
            async with app.database.connection():
                return
