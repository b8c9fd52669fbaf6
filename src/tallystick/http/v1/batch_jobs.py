"""Batch jobs: `/batch-jobs`: files that are imported, and what became of their rows."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from tallystick.db import batch_failures, batch_jobs, idempotency
from tallystick.db.batch_failures import Failures
from tallystick.db.idempotency import KeySlot
from tallystick.db.paging import Page
from tallystick.domain.batch_job import BatchJob, BatchJobType
from tallystick.domain.errors import Fault, InvalidInput, NotFound
from tallystick.domain.ids import MalformedId, Prefix, decode
from tallystick.http.door import Door, Entered, Route, Streamed, StreamRoute
from tallystick.http.idempotent import key_of, operation_of
from tallystick.http.route_call import UnsupportedMediaType
from tallystick.http.v1.batch_job_schemas import (
    BatchJobDetailOut,
    BatchJobFailures,
    BatchJobList,
    BatchJobQuery,
    FailureQuery,
    ImportQuery,
    show_detail,
    show_failures,
    show_job,
)
from tallystick.http.v1.existing import existing
from tallystick.http.v1.import_reports import (
    CsvResponse,
    errors_of,
    input_of,
    named,
    output_of,
)
from tallystick.http.v1.receive_import import Asked, receive_import
from tallystick.http.v1.scalars import BatchJobId
from tallystick.services.cancel_import import cancel_import
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.start_import import discard_import, finish_import

PATH = "/api/v1/batch-jobs"
"""Where files are sent to, which may be larger than other bodies."""
IMPORT_BYTES_MAX = 64 * 1024 * 1024

_CSV_TYPES = frozenset({"text/csv", "application/csv"})
_CSV_BODY = {
    "required": True,
    "description": "A CSV file in UTF-8: a line of names, then one row for each thing.",
    "content": {
        "text/csv": {
            "schema": {"type": "string", "format": "binary"},
            "example": "name,currency,alias\nGlobex,EUR,globex\n",
        }
    },
}

router = APIRouter(prefix="/batch-jobs", tags=["Batch jobs"], route_class=Route)
uploads = APIRouter(prefix="/batch-jobs", tags=["Batch jobs"], route_class=StreamRoute)


@uploads.post(
    "",
    status_code=201,
    response_model=BatchJobDetailOut,
    openapi_extra={"requestBody": _CSV_BODY},
)
async def post_batch_job(
    door: Entered, sent: Streamed, query: Annotated[ImportQuery, Query()]
) -> Response:
    """Import a CSV file of customers, subscriptions or events.

    Encoding and columns are looked at before this answers; the rows are imported afterwards,
    each by the rules of the request that it stands for. Columns are the fields of that request,
    nested ones as `billing_address.city`.
    """
    job_type = BatchJobType(query.type)
    if query.allow_backfilling and job_type is not BatchJobType.EVENT_CSV_IMPORT:
        fault = Fault("allow_backfilling", "wrong_type", "goes with events only")
        raise InvalidInput(f"{fault.field}: {fault.message}", (fault,))
    if sent.content_type not in _CSV_TYPES:
        raise UnsupportedMediaType("text/csv", "CSV")
    asked = Asked(
        job_id=new_id(),
        job_type=job_type,
        created_by=_key_id(door),
        file_name=query.file_name,
        allow_backfilling=query.allow_backfilling,
    )
    is_first = not await _is_known(door)
    received = await receive_import(door.context(), asked, sent.stream, keeps=is_first)
    made: list[BatchJob] = []

    async def finish(ctx: Context) -> BatchJob:
        made.clear()
        job = await finish_import(
            ctx,
            asked.job_id,
            input_bytes=received.input_bytes,
            items=received.items,
            chunks=received.chunks,
        )
        made.append(job)
        return job

    try:
        # The file's hash stands for its bytes, which are gone.
        return await replace(door, body=received.digest).write(
            finish, lambda job: show_detail(job, door.app.public_url), status=201
        )
    finally:
        if not made:
            await discard_import(door.context(), asked.job_id)


@router.get("", response_model=BatchJobList)
async def list_batch_jobs(door: Entered, query: Annotated[BatchJobQuery, Query()]) -> Response:
    """List batch jobs."""

    def show(page: Page[BatchJob]) -> BatchJobList:
        return BatchJobList(
            data=[show_job(one) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    return await door.read(
        lambda ctx: batch_jobs.page(
            ctx.transaction,
            ctx.tenant.id,
            query.window(query.order_by),
            job_type=query.job_type,
            statuses=query.status or (),
        ),
        show,
    )


@router.get("/{batch_job_id}", response_model=BatchJobDetailOut)
async def get_batch_job(door: Entered, batch_job_id: BatchJobId) -> Response:
    """Get a batch job."""
    return await door.read(
        lambda ctx: _job(ctx, batch_job_id), lambda job: show_detail(job, door.app.public_url)
    )


@router.get("/{batch_job_id}/failures", response_model=BatchJobFailures)
async def list_failures(
    door: Entered, batch_job_id: BatchJobId, query: Annotated[FailureQuery, Query()]
) -> Response:
    """List the rows that could not be imported, in their order."""

    async def find(ctx: Context) -> Failures:
        await _job(ctx, batch_job_id)
        return await batch_failures.some(
            ctx.transaction,
            ctx.tenant.id,
            batch_job_id,
            limit=query.limit,
            offset=query.offset,
            chunk_id=query.chunk_id,
        )

    return await door.read(find, show_failures)


@router.get("/{batch_job_id}/input", response_class=CsvResponse)
async def get_input(door: Entered, batch_job_id: BatchJobId) -> Response:
    """Get the file as it was sent."""
    job = await door.look(lambda ctx: _job(ctx, batch_job_id))
    return CsvResponse(input_of(door.context(), job), headers=named(job, ""))


@router.get("/{batch_job_id}/errors.csv", response_class=CsvResponse)
async def get_errors(door: Entered, batch_job_id: BatchJobId) -> Response:
    """Get the rows that could not be imported, with their reasons.

    The file can be mended and imported as it is: its first two columns are not read.
    """
    job = await door.look(lambda ctx: _job(ctx, batch_job_id))
    return CsvResponse(errors_of(door.context(), job), headers=named(job, ".errors"))


@router.get("/{batch_job_id}/output", response_class=CsvResponse)
async def get_output(door: Entered, batch_job_id: BatchJobId) -> Response:
    """Get what the rows became: a line for each with its row, its own name and its id."""

    async def find(ctx: Context) -> BatchJob:
        job = await _job(ctx, batch_job_id)
        if not job.has_output:
            raise NotFound("There is no output of the batch job")
        return job

    job = await door.look(find)
    return CsvResponse(output_of(door.context(), job), headers=named(job, ".output"))


@router.post("/{batch_job_id}/cancel", response_model=BatchJobDetailOut)
async def post_cancel(door: Entered, batch_job_id: BatchJobId) -> Response:
    """Cancel a batch job that has not ended: what was made stays, nothing more is made."""
    return await door.write(
        lambda ctx: cancel_import(ctx, batch_job_id),
        lambda job: show_detail(job, door.app.public_url),
    )


async def _job(ctx: Context, job_id: UUID) -> BatchJob:
    return await existing(batch_jobs.load(ctx.transaction, ctx.tenant.id, job_id), "batch job")


async def _is_known(door: Door) -> bool:
    """Whether the request's key was used before: then its file need not be stored again."""
    key = key_of(door.scope)
    if key is None:
        return False
    slot = KeySlot(operation=operation_of(door.scope), key=key)
    async with door.app.database.connection() as connection:
        return await idempotency.find(connection, door.tenant.id, slot) is not None


def _key_id(door: Door) -> UUID:
    try:
        return decode(Prefix.API_KEY, door.caller.actor)
    except MalformedId:
        return door.tenant.id
