"""Take in a file that is to be imported, part by part, and let the workers begin.

A part is committed when it comes, because nobody may hold a transaction open while a client
sends. Until the last one is here nothing is imported; a file that is refused on its way leaves
nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from tallystick.db import batch_chunks, batch_jobs
from tallystick.db.engine import Tx, retrying
from tallystick.domain.batch_job import BatchJob, BatchJobStatus, BatchJobType, Chunk
from tallystick.domain.errors import Conflict
from tallystick.services.context import App, Context
from tallystick.services.tenant_context import tenant_context

CUT_OFF_SECONDS = 900.0
"""A file of which nothing has come for so long, in real time, will not be whole any more."""

_CUT_OFF = "The file did not come in as a whole: the connection or the server ended before."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewImport:
    """A file that begins to come in; its columns were looked at.

    `created_by` is the API key, or the tenant itself at the command line.
    """

    id: UUID
    job_type: BatchJobType
    created_by: UUID
    file_name: str | None
    separator: str
    header: str
    allow_backfilling: bool


async def begin_import(ctx: Context, new: NewImport) -> None:
    """Write the job; its chunks follow."""
    job = BatchJob(
        id=new.id,
        job_type=new.job_type,
        status=BatchJobStatus.CHUNKING,
        created_by=new.created_by,
        file_name=new.file_name,
        separator=new.separator,
        header=new.header,
        allow_backfilling=new.allow_backfilling,
        input_bytes=None,
        total_items=None,
        processed_items=0,
        failed_items=0,
        error=None,
        created_at=ctx.now,
        completed_at=None,
    )
    await batch_jobs.insert(ctx.transaction, ctx.tenant.id, job)


async def add_chunk(ctx: Context, job_id: UUID, chunk: Chunk) -> None:
    """Write a part of the file.

    Raises:
        Conflict: The job was cancelled, or its file was given up.
    """
    if not await batch_chunks.insert(ctx.transaction, ctx.tenant.id, job_id, chunk):
        raise _ended_meanwhile()


async def finish_import(
    ctx: Context, job_id: UUID, *, input_bytes: int, items: int, chunks: int
) -> BatchJob:
    """The whole file is here: let the workers begin. Chunks are locked before their job.

    Raises:
        Conflict: The job was cancelled, or its file was given up.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    await batch_chunks.lock_every_due(tx, tenant_id, job_id)
    await batch_chunks.become_due(tx, tenant_id, job_id)
    if not await batch_jobs.has_arrived(
        tx, tenant_id, job_id, input_bytes=input_bytes, items=items, chunks=chunks
    ):
        raise _ended_meanwhile()
    job = await batch_jobs.load(tx, tenant_id, job_id)
    assert job is not None, "it was just changed"
    return job


async def discard_import(ctx: Context, job_id: UUID) -> None:
    """Forget a file that was refused on its way."""
    async with ctx.app.transaction() as tx:
        await batch_jobs.discard(tx, ctx.tenant.id, job_id)


async def give_up_cut_off(app: App, real_now: datetime) -> int:
    """End the jobs whose files stopped coming in, and return how many there were.

    Each by itself, its chunks locked before it as everybody does: a file may end, or be
    cancelled, at the same moment.
    """
    async with app.database.connection() as tx:
        found = await batch_jobs.cut_off(tx, CUT_OFF_SECONDS)
    given_up = 0
    for tenant_id, job_id in found:
        given_up += await retrying(
            app.database, partial(_give_up, app, real_now, tenant_id, job_id)
        )
    return given_up


async def _give_up(app: App, real_now: datetime, tenant_id: UUID, job_id: UUID, tx: Tx) -> bool:
    """End a job whose file is not coming in; False where it came, or has ended, after all."""
    await batch_chunks.lock_every_due(tx, tenant_id, job_id)
    if not await batch_jobs.lock_cut_off(tx, tenant_id, job_id, CUT_OFF_SECONDS):
        return False
    ctx = await tenant_context(app, tx, tenant_id, real_now, actor="worker")
    await batch_chunks.stop_due(tx, tenant_id, job_id)
    await batch_jobs.end(tx, tenant_id, job_id, BatchJobStatus.FAILED, ctx.now, _CUT_OFF)
    return True


def _ended_meanwhile() -> Conflict:
    return Conflict("This import was ended while its file came in.")
