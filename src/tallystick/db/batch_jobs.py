"""Batch jobs: written, found, counted, ended."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.domain.batch_job import BatchJob, BatchJobStatus, BatchJobType

ORDERS = {"created_at": "job.created_at"}

_JOB_JSON = "to_jsonb(job)"

_job: Codec[BatchJob] = Codec(BatchJob)
_jobs: Codec[tuple[BatchJob, ...]] = Codec(tuple[BatchJob, ...])


async def insert(tx: Tx, tenant_id: UUID, job: BatchJob) -> None:
    """Write a job whose file is about to come in."""
    await tx.execute(
        """
        insert into batch_jobs (tenant_id, id, job_type, status, created_by, file_name,
            separator, header, allow_backfilling, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        tenant_id,
        job.id,
        job.job_type.value,
        job.status.value,
        job.created_by,
        job.file_name,
        job.separator,
        job.header,
        job.allow_backfilling,
        job.created_at,
    )


async def load(tx: Tx, tenant_id: UUID, job_id: UUID, *, lock: bool = False) -> BatchJob | None:
    """The job, or None where this tenant has none of that id."""
    text = await tx.fetchval(
        f"""
        select {_JOB_JSON} from batch_jobs job where job.tenant_id = $1 and job.id = $2
        {"for no key update" if lock else ""}
        """,
        tenant_id,
        job_id,
    )
    return _job.load_optional(text)


async def page(
    tx: Tx,
    tenant_id: UUID,
    window: Window,
    *,
    job_type: BatchJobType | None,
    statuses: Sequence[BatchJobStatus],
) -> Page[BatchJob]:
    """The window's jobs, of one type and of any of the statuses where some are given."""
    matching = Matching(tenant_id, "job")
    matching.only("job.job_type = {}", None if job_type is None else job_type.value)
    named = [status.value for status in statuses]
    matching.only("job.status = any({}::text[])", named or None)
    return await fetch_page(
        tx,
        _jobs,
        item=_JOB_JSON,
        tables="batch_jobs job",
        matching=matching,
        orders=ORDERS,
        window=window,
    )


async def has_arrived(
    tx: Tx, tenant_id: UUID, job_id: UUID, *, input_bytes: int, items: int, chunks: int
) -> bool:
    """The whole file is here; False where the job does not wait for it any more."""
    changed = await tx.fetchval(
        """
        update batch_jobs
        set status = 'PENDING', input_bytes = $3, total_items = $4, chunks_left = $5,
            touched_at = clock_timestamp()
        where tenant_id = $1 and id = $2 and status = 'CHUNKING' returning true
        """,
        tenant_id,
        job_id,
        input_bytes,
        items,
        chunks,
    )
    return changed is not None


async def discard(tx: Tx, tenant_id: UUID, job_id: UUID) -> None:
    """Forget a job whose file was refused while it came in."""
    await tx.execute(
        "delete from batch_jobs where tenant_id = $1 and id = $2 and status = 'CHUNKING'",
        tenant_id,
        job_id,
    )


async def count(
    tx: Tx, tenant_id: UUID, job_id: UUID, *, processed: int, failed: int, chunk_ended: bool
) -> BatchJob | None:
    """Count what was dealt with; the job when its last chunk has ended with that."""
    text = await tx.fetchval(
        f"""
        update batch_jobs job
        set status = 'PROCESSING', processed_items = processed_items + $3,
            failed_items = failed_items + $4, chunks_left = chunks_left - $5::integer,
            touched_at = clock_timestamp()
        where tenant_id = $1 and id = $2 and status in ('PENDING', 'PROCESSING')
        returning case when chunks_left = 0 then {_JOB_JSON} end
        """,
        tenant_id,
        job_id,
        processed,
        failed,
        int(chunk_ended),
    )
    return _job.load_optional(text)


async def end(
    tx: Tx,
    tenant_id: UUID,
    job_id: UUID,
    status: BatchJobStatus,
    completed_at: datetime,
    error: str | None = None,
) -> None:
    """The job has ended."""
    await tx.execute(
        """
        update batch_jobs set status = $3, completed_at = $4, error = $5
        where tenant_id = $1 and id = $2 and completed_at is null
        """,
        tenant_id,
        job_id,
        status.value,
        completed_at,
        error,
    )


async def cut_off(tx: Tx, after_seconds: float) -> list[tuple[UUID, UUID]]:
    """Jobs of all tenants whose file has not gone on coming in, by tenant and id."""
    rows = await tx.fetch(
        """
        select tenant_id, id from batch_jobs
        where status = 'CHUNKING' and touched_at < now() - make_interval(secs => $1)
        order by touched_at limit 100
        """,
        after_seconds,
    )
    return [(row["tenant_id"], row["id"]) for row in rows]


async def lock_cut_off(tx: Tx, tenant_id: UUID, job_id: UUID, after_seconds: float) -> bool:
    """Lock a job whose file has not gone on coming in; False where it has, or has ended."""
    found = await tx.fetchval(
        """
        select true from batch_jobs
        where tenant_id = $1 and id = $2 and status = 'CHUNKING'
          and touched_at < now() - make_interval(secs => $3)
        for no key update
        """,
        tenant_id,
        job_id,
        after_seconds,
    )
    return found is not None
