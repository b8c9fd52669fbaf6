"""Files that are imported, without the door that they come in by."""

from collections.abc import AsyncIterator
from uuid import UUID

from tallystick.db import batch_jobs
from tallystick.domain.batch_job import BatchJob, BatchJobType
from tallystick.http.v1.import_rows import read_chunk
from tallystick.http.v1.receive_import import Asked, receive_import
from tallystick.services.ids import new_id
from tallystick.services.run_imports import run_imports
from tallystick.services.start_import import finish_import
from tests.world import World

CUSTOMERS = BatchJobType.CUSTOMER_CSV_IMPORT
SUBSCRIPTIONS = BatchJobType.SUBSCRIPTION_CSV_IMPORT
EVENTS = BatchJobType.EVENT_CSV_IMPORT


async def sent(world: World, content: str, kind: BatchJobType = CUSTOMERS) -> UUID:
    """Send a file; its job."""

    async def stream() -> AsyncIterator[bytes]:
        yield content.encode()

    asked = Asked(
        job_id=new_id(),
        job_type=kind,
        created_by=world.tenant_id,
        file_name=None,
        allow_backfilling=kind is EVENTS,
    )
    received = await receive_import(world.ctx, asked, stream())
    async with world.app.transaction() as tx:
        await finish_import(
            world.ctx.within(tx),
            asked.job_id,
            input_bytes=received.input_bytes,
            items=received.items,
            chunks=received.chunks,
        )
    return asked.job_id


async def imported(world: World, content: str, kind: BatchJobType = CUSTOMERS) -> BatchJob:
    """Send a file and import it; the job at its end."""
    job_id = await sent(world, content, kind)
    await run_imports(world.app, world.ctx.now, read_chunk)
    return await job_of(world, job_id)


async def job_of(world: World, job_id: UUID) -> BatchJob:
    """A job as it stands."""
    async with world.app.database.connection() as tx:
        job = await batch_jobs.load(tx, world.tenant_id, job_id)
    assert job is not None, "it was sent"
    return job
