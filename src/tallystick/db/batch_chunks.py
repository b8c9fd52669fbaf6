"""The chunks of batch jobs: parts of a file that any worker may take."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.domain.batch_job import BatchJobType, Chunk

_INSERT = """
    with job as (
        update batch_jobs set touched_at = clock_timestamp()
        where tenant_id = $1 and id = $2 and status = 'CHUNKING' returning tenant_id, id)
    insert into batch_job_chunks (tenant_id, id, batch_job_id, position, first_row, first_item,
        items, content, state)
    select job.tenant_id, $3, job.id, $4, $5, $6, $7, $8, 'WAITING' from job
    returning true
"""

_LOCK_DUE = """
    select c.tenant_id, c.batch_job_id, c.id, c.position, c.first_row, c.first_item, c.items,
           c.done, c.content, j.job_type, j.header, j.separator, j.allow_backfilling
    from batch_job_chunks c
    join batch_jobs j on j.tenant_id = c.tenant_id and j.id = c.batch_job_id
    where c.state = 'DUE' and c.due_at <= now() and ($1::uuid is null or j.id = $1)
    order by c.position, c.due_at limit 1
    for no key update of c skip locked
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueChunk:
    """A chunk that is locked, and what must be known of its job to read it."""

    tenant_id: UUID
    job_id: UUID
    job_type: BatchJobType
    header: str
    separator: str
    allow_backfilling: bool
    chunk: Chunk


async def insert(tx: Tx, tenant_id: UUID, job_id: UUID, chunk: Chunk) -> bool:
    """Write a part of a file that is coming in; False where nobody waits for it any more."""
    written = await tx.fetchval(
        _INSERT,
        tenant_id,
        job_id,
        chunk.id,
        chunk.position,
        chunk.first_row,
        chunk.first_item,
        chunk.items,
        chunk.content,
    )
    return written is not None


async def become_due(tx: Tx, tenant_id: UUID, job_id: UUID) -> None:
    """The whole file is here: its chunks may be taken."""
    await tx.execute(
        """
        update batch_job_chunks set state = 'DUE', due_at = now()
        where tenant_id = $1 and batch_job_id = $2 and state = 'WAITING'
        """,
        tenant_id,
        job_id,
    )


async def lock_due(tx: Tx, job_id: UUID | None) -> DueChunk | None:
    """Lock the next chunk that is due and that nobody has; of all jobs, or of one."""
    row = await tx.fetchrow(_LOCK_DUE, job_id)
    if row is None:
        return None
    return DueChunk(
        tenant_id=row["tenant_id"],
        job_id=row["batch_job_id"],
        job_type=BatchJobType(row["job_type"]),
        header=row["header"],
        separator=row["separator"],
        allow_backfilling=row["allow_backfilling"],
        chunk=Chunk(
            id=row["id"],
            position=row["position"],
            first_row=row["first_row"],
            first_item=row["first_item"],
            items=row["items"],
            content=row["content"],
            done=row["done"],
        ),
    )


async def lock_every_due(tx: Tx, tenant_id: UUID, job_id: UUID) -> None:
    """Lock every chunk of a job that is not done, waiting for whoever works on one."""
    await tx.execute(
        """
        select from batch_job_chunks
        where tenant_id = $1 and batch_job_id = $2 and state in ('DUE', 'WAITING')
        order by position for no key update
        """,
        tenant_id,
        job_id,
    )


async def stop_due(tx: Tx, tenant_id: UUID, job_id: UUID) -> None:
    """What is left of a job is not done any more."""
    await tx.execute(
        """
        update batch_job_chunks set state = 'STOPPED'
        where tenant_id = $1 and batch_job_id = $2 and state in ('DUE', 'WAITING')
        """,
        tenant_id,
        job_id,
    )


async def go_on(tx: Tx, tenant_id: UUID, chunk: Chunk, *, done: int, output: str) -> None:
    """So many items of a chunk are dealt with now; `output` are lines of the result."""
    await tx.execute(
        """
        update batch_job_chunks
        set done = $3, state = case when $3 = items then 'DONE' else state end,
            output = output || $4, tries = 0
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        chunk.id,
        done,
        output,
    )


async def note_try(tx: Tx, tenant_id: UUID, chunk_id: UUID) -> int:
    """A chunk could not be worked on: it rests, each time for twice as long; how often so far.

    0 where it is not due any more.
    """
    tries: int | None = await tx.fetchval(
        """
        update batch_job_chunks
        set tries = tries + 1, due_at = now() + make_interval(secs => 2 ^ tries)
        where tenant_id = $1 and id = $2 and state = 'DUE' returning tries
        """,
        tenant_id,
        chunk_id,
    )
    return tries or 0


async def content(tx: Tx, tenant_id: UUID, job_id: UUID, position: int) -> str | None:
    """The text of a chunk of this place, None past the last."""
    text: str | None = await tx.fetchval(
        """
        select content from batch_job_chunks
        where tenant_id = $1 and batch_job_id = $2 and position = $3
        """,
        tenant_id,
        job_id,
        position,
    )
    return text


async def output(tx: Tx, tenant_id: UUID, job_id: UUID, position: int) -> str | None:
    """The lines of the result of a chunk of this place, None past the last."""
    text: str | None = await tx.fetchval(
        """
        select output from batch_job_chunks
        where tenant_id = $1 and batch_job_id = $2 and position = $3
        """,
        tenant_id,
        job_id,
        position,
    )
    return text
