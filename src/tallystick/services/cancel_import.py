"""Cancel an import: what is made stays, what is left is not made."""

from uuid import UUID

from tallystick.db import batch_chunks, batch_jobs
from tallystick.domain.batch_job import BatchJob, BatchJobStatus
from tallystick.domain.errors import Conflict, NotFound
from tallystick.services.context import Context


async def cancel_import(ctx: Context, job_id: UUID) -> BatchJob:
    """Cancel a job; when this has answered, nothing more is made.

    Whoever works on rows of it is waited for: chunks are locked before their job, by all.

    Raises:
        NotFound: The tenant has no such job.
        Conflict: It has ended; cancelled again it is as it was.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    await batch_chunks.lock_every_due(tx, tenant_id, job_id)
    job = await batch_jobs.load(tx, tenant_id, job_id, lock=True)
    if job is None:
        raise NotFound("There is no such batch job.")
    if job.status.has_ended:
        raise Conflict(f"This batch job is {job.status.value}: it has ended.")
    await batch_chunks.stop_due(tx, tenant_id, job_id)
    await batch_jobs.end(tx, tenant_id, job_id, BatchJobStatus.CANCELLED, ctx.now)
    ended = await batch_jobs.load(tx, tenant_id, job_id)
    assert ended is not None, "it is locked"
    return ended
