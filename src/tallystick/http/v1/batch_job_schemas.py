"""Batch jobs on the wire."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from tallystick.db.batch_failures import Failures
from tallystick.domain.batch_job import (
    BatchJob,
    BatchJobStatus,
    BatchJobType,
    ImportType,
    RowFailure,
)
from tallystick.domain.ids import Prefix, encode
from tallystick.http.errors import FaultBody
from tallystick.http.v1.paging import (
    NEWEST_FIRST,
    PER_PAGE_DEFAULT,
    PER_PAGE_MAX,
    Order,
    OrderBy,
    PageQuery,
    PaginationMeta,
)
from tallystick.http.v1.scalars import (
    AnswerModel,
    BatchJobChunkId,
    BatchJobId,
    Instant,
    Name,
    RequestModel,
)

OFFSET_MAX = 1_000_000_000


class ImportQuery(RequestModel):
    """What the file that is sent is to become."""

    type: Annotated[ImportType, Field(description="What the rows of the file are.")]
    file_name: Annotated[
        Name | None, Field(description="Shown with the job; where it lies matters to nobody.")
    ] = None
    allow_backfilling: Annotated[
        bool,
        Field(description="Of events: whether they may lie more than 24 hours back."),
    ] = False


class BatchJobQuery(PageQuery):
    """Filters of the list."""

    order_by: Annotated[Order, OrderBy("created_at")] = NEWEST_FIRST
    job_type: BatchJobType | None = None
    status: Annotated[
        list[BatchJobStatus] | None, Field(max_length=7, description="Any of these.")
    ] = None


class FailureQuery(RequestModel):
    """Which of a job's failures, in the order of the rows."""

    chunk_id: Annotated[
        BatchJobChunkId | None, Field(description="Those of one part of the file only.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=PER_PAGE_MAX, description="How many at most.")] = (
        PER_PAGE_DEFAULT
    )
    offset: Annotated[
        int, Field(ge=0, le=OFFSET_MAX, description="How many to leave out before.")
    ] = 0


class BatchJobOut(AnswerModel):
    """A batch job in a list."""

    id: BatchJobId
    job_type: BatchJobType
    status: Annotated[
        BatchJobStatus,
        Field(
            description="CHUNKING while the file comes in, PENDING until the first row is "
            "dealt with. FAILED: the job could not be carried out, and `error` says why; rows "
            "that could not be imported are COMPLETED_WITH_ERRORS."
        ),
    ]
    created_by: Annotated[
        UUID,
        Field(description="The API key that sent the file; the tenant at the command line."),
    ]
    input_file_name: str | None
    total_items: Annotated[
        int | None,
        Field(description="Rows of the file that are not blank; null while it comes in."),
    ]
    processed_items: Annotated[
        int, Field(description="Rows that were dealt with, those that failed included.")
    ]
    failed_items: Annotated[int, Field(description="Rows that could not be imported.")]
    error: Annotated[str | None, Field(description="Why the job as a whole has FAILED.")]
    created_at: Instant
    completed_at: Instant | None


class BatchJobDetailOut(BatchJobOut):
    """A batch job. Its files are read with an API key, as everything else is."""

    failure_count: Annotated[int, Field(description="Failures in the report, one a row.")]
    has_error_csv: bool
    error_csv_url: Annotated[
        str | None,
        Field(description="The rows that failed, with their reasons, to be mended and sent."),
    ]
    input_file_url: Annotated[
        str | None, Field(description="The file as it was sent; null while it comes in.")
    ]
    has_output: bool
    output_url: Annotated[
        str | None, Field(description="What the rows became: row, identifier and id.")
    ]


class BatchJobList(AnswerModel):
    """One page of batch jobs."""

    data: list[BatchJobOut]
    pagination_meta: PaginationMeta


class BatchJobFailureOut(AnswerModel):
    """A row that could not be imported."""

    id: UUID
    chunk_id: BatchJobChunkId
    item_index: Annotated[int, Field(description="From 0, rows that are not blank.")]
    row: Annotated[
        int, Field(description="As a spreadsheet counts: from 1, the line of names included.")
    ]
    item_identifier: Annotated[
        str | None, Field(description="What the row calls itself: an alias, a name, an id.")
    ]
    reason: Annotated[str, Field(description="Every fault, each after its column.")]
    errors: Annotated[
        list[FaultBody], Field(description="The same one by one; `field` is a column.")
    ]


class BatchJobFailures(AnswerModel):
    """Some failures of a job."""

    data: list[BatchJobFailureOut]
    total_count: int


def show_job(job: BatchJob) -> BatchJobOut:
    """A job as it is listed."""
    return BatchJobOut(
        id=job.id,
        job_type=job.job_type,
        status=job.status,
        created_by=job.created_by,
        input_file_name=job.file_name,
        total_items=job.total_items,
        processed_items=job.processed_items,
        failed_items=job.failed_items,
        error=job.error,
        created_at=job.created_at,
        completed_at=job.completed_at,
    )


def show_detail(job: BatchJob, public_url: str) -> BatchJobDetailOut:
    """A job as it is answered by itself; its files lie below `public_url`."""
    at = f"{public_url}/api/v1/batch-jobs/{encode(Prefix.BATCH_JOB, job.id)}"
    is_whole = job.input_bytes is not None
    return BatchJobDetailOut(
        id=job.id,
        job_type=job.job_type,
        status=job.status,
        created_by=job.created_by,
        input_file_name=job.file_name,
        total_items=job.total_items,
        processed_items=job.processed_items,
        failed_items=job.failed_items,
        error=job.error,
        created_at=job.created_at,
        completed_at=job.completed_at,
        failure_count=job.failed_items,
        has_error_csv=job.failed_items > 0,
        error_csv_url=f"{at}/errors.csv" if job.failed_items else None,
        input_file_url=f"{at}/input" if is_whole else None,
        has_output=job.has_output,
        output_url=f"{at}/output" if job.has_output else None,
    )


def show_failures(found: Failures) -> BatchJobFailures:
    """Failures as they are answered."""
    return BatchJobFailures(
        data=[_show_failure(one) for one in found.items], total_count=found.total
    )


def _show_failure(one: RowFailure) -> BatchJobFailureOut:
    return BatchJobFailureOut(
        id=one.id,
        chunk_id=one.chunk_id,
        item_index=one.item_index,
        row=one.row_number,
        item_identifier=one.item_identifier,
        reason=one.reason,
        errors=[
            FaultBody(field=fault.field, code=fault.code, message=fault.message)
            for fault in one.faults
        ],
    )
