"""The job queue: work to do now, written in the transaction of its cause.

The table is PgQueuer's, and it holds what must be done at once; what is due later is a due
column of its own table. A job is seen by the workers when its transaction commits, and not at
all when that rolls back.

The queue is the installation's, not a tenant's: PgQueuer's tables have no tenant column. Every
payload therefore names its tenant under `tenant_id`, and the handler works within that tenant.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from pgqueuer.adapters.persistence.qb import QueryQueueBuilder

from tallystick.db.engine import Tx

_ENQUEUE = QueryQueueBuilder().build_enqueue_query("skip")
_AT_ONCE = timedelta()
_NO_PRIORITY = 0
_NO_HEADERS = "null"

_NOTE_START = """
    insert into job_starts as s (tenant_id, job_id, starts) values ($1, $2, 1)
    on conflict (tenant_id, job_id) do update set starts = s.starts + 1
    returning starts
"""

_FORGET_STARTS = "delete from job_starts where tenant_id = $1 and job_id = $2"

_HELD = """
    select id, entrypoint, payload from pgqueuer where status = 'failed'
    order by id limit $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldJob:
    """A job that was given up and waits for a person; `payload` names its tenant and object."""

    id: int
    entrypoint: str
    payload: str


async def enqueue(tx: Tx, entrypoint: str, payload: Mapping[str, str | UUID]) -> None:
    """Leave a job for the workers, in the transaction of its cause.

    Args:
        tx: The transaction that the job belongs to.
        entrypoint: The handler's name in `jobs/handlers.py`.
        payload: What it works on: `tenant_id`, and the ids that the handler asks for.
    """
    assert "tenant_id" in payload, "a job works within one tenant"
    body = json.dumps({name: str(value) for name, value in payload.items()}).encode()
    await tx.fetch(
        _ENQUEUE,
        [_NO_PRIORITY],
        [entrypoint],
        [body],
        [_AT_ONCE],
        # No key that makes jobs unique: it would swallow a job enqueued while an older one of
        # the same key runs, and every later enqueuer would wait for the first one's commit.
        [None],
        [_NO_HEADERS],
    )


async def note_start(tx: Tx, tenant_id: UUID, job_id: int) -> int:
    """Count a start of a job, before it runs, and return how many there were with this one.

    PgQueuer counts failures only; a job that takes its worker down with it is counted here.
    """
    starts: int = await tx.fetchval(_NOTE_START, tenant_id, job_id)
    return starts


async def forget_starts(tx: Tx, tenant_id: UUID, job_id: int) -> None:
    """The job is done or given up: should it be queued again, counting begins anew."""
    await tx.execute(_FORGET_STARTS, tenant_id, job_id)


async def held(tx: Tx, limit: int) -> list[HeldJob]:
    """Jobs of every tenant that were given up, oldest first."""
    return [
        HeldJob(
            id=row["id"],
            entrypoint=row["entrypoint"],
            payload=(row["payload"] or b"").decode(errors="replace"),
        )
        for row in await tx.fetch(_HELD, limit)
    ]
