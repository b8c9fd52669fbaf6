"""Batch jobs: files that are imported row by row, and what becomes of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tallystick.domain.errors import Fault


class BatchJobType(StrEnum):
    """What a job does; the last two are the reference's, and nothing makes them here."""

    EVENT_CSV_IMPORT = "EVENT_CSV_IMPORT"
    CUSTOMER_CSV_IMPORT = "CUSTOMER_CSV_IMPORT"
    SUBSCRIPTION_CSV_IMPORT = "SUBSCRIPTION_CSV_IMPORT"
    SUBSCRIPTION_PLAN_MIGRATION = "SUBSCRIPTION_PLAN_MIGRATION"
    TAX_REPORT_EXPORT = "TAX_REPORT_EXPORT"


class ImportType(StrEnum):
    """What a file can be imported as."""

    EVENT_CSV_IMPORT = "EVENT_CSV_IMPORT"
    CUSTOMER_CSV_IMPORT = "CUSTOMER_CSV_IMPORT"
    SUBSCRIPTION_CSV_IMPORT = "SUBSCRIPTION_CSV_IMPORT"


class BatchJobStatus(StrEnum):
    """How far a job is: CHUNKING while its file comes in, then PENDING until it is begun."""

    PENDING = "PENDING"
    CHUNKING = "CHUNKING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERRORS = "COMPLETED_WITH_ERRORS"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will be done."""
        match self:
            case BatchJobStatus.PENDING | BatchJobStatus.CHUNKING | BatchJobStatus.PROCESSING:
                return False
            case _:
                return True


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJob:
    """A job as it stands.

    `processed_items` have been dealt with, `failed_items` among them; `total_items` and
    `input_bytes` are known when the whole file is here. `header` is the beginning of the file
    up to and including the line of its column names. `error` says why the job FAILED.
    """

    id: UUID
    job_type: BatchJobType
    status: BatchJobStatus
    created_by: UUID
    file_name: str | None
    separator: str
    header: str
    allow_backfilling: bool
    input_bytes: int | None
    total_items: int | None
    processed_items: int
    failed_items: int
    error: str | None
    created_at: datetime
    completed_at: datetime | None

    def __post_init__(self) -> None:
        """Counts are in order, and a job that was completed has dealt with everything."""
        assert 0 <= self.failed_items <= self.processed_items, "what failed was dealt with"
        assert self.total_items is None or self.processed_items <= self.total_items, "of these"
        assert (self.completed_at is not None) is self.status.has_ended, "ended when it ended"

    @property
    def has_output(self) -> bool:
        """Whether something was made that a result can name; events have no ids of ours."""
        is_named = self.job_type is not BatchJobType.EVENT_CSV_IMPORT
        return is_named and self.processed_items > self.failed_items


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A part of a job's file: whole rows, as they were sent.

    `first_row` counts as a spreadsheet does, from 1 and with the header; `first_item` from 0,
    and only rows that are not blank, as `items` does. `done` of these have been dealt with.
    """

    id: UUID
    position: int
    first_row: int
    first_item: int
    items: int
    content: str
    done: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFailure:
    """A row that could not be imported; `record` is the row as it was sent.

    The fields of `faults` are columns of the file.
    """

    id: UUID
    chunk_id: UUID
    item_index: int
    row_number: int
    item_identifier: str | None
    reason: str
    faults: tuple[Fault, ...]
    record: str


def end_of(failed_items: int) -> BatchJobStatus:
    """How a job ends whose every row was dealt with, so many of them in vain."""
    if failed_items == 0:
        return BatchJobStatus.COMPLETED
    return BatchJobStatus.COMPLETED_WITH_ERRORS
