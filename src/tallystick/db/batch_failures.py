"""Rows of files that could not be imported, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.domain.batch_job import RowFailure
from tallystick.domain.errors import Fault

_COLUMNS = (
    "tenant_id",
    "id",
    "batch_job_id",
    "chunk_id",
    "item_index",
    "row_number",
    "item_identifier",
    "reason",
    "faults",
    "record",
)

_faults: Codec[tuple[Fault, ...]] = Codec(tuple[Fault, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """A part of a job's failures, in the order of the rows; `total` counts all of them."""

    items: tuple[RowFailure, ...]
    total: int


async def insert_many(
    tx: Tx, tenant_id: UUID, job_id: UUID, failures: Sequence[RowFailure]
) -> None:
    """Write the rows of a job that failed."""
    rows = [
        (
            tenant_id,
            one.id,
            job_id,
            one.chunk_id,
            one.item_index,
            one.row_number,
            one.item_identifier,
            one.reason,
            _faults.dump(one.faults),
            one.record,
        )
        for one in failures
    ]
    if rows:
        await tx.copy_records_to_table("batch_job_failures", records=rows, columns=_COLUMNS)


async def some(
    tx: Tx,
    tenant_id: UUID,
    job_id: UUID,
    *,
    limit: int,
    offset: int = 0,
    chunk_id: UUID | None = None,
) -> Failures:
    """A job's failures from a place on, of one chunk where one is named."""
    of_chunk = "($3::uuid is null or chunk_id = $3)"
    rows = await tx.fetch(
        f"""
        select * from batch_job_failures
        where tenant_id = $1 and batch_job_id = $2 and {of_chunk}
        order by item_index limit $4 offset $5
        """,
        tenant_id,
        job_id,
        chunk_id,
        limit,
        offset,
    )
    total = await tx.fetchval(
        f"""
        select count(*) from batch_job_failures
        where tenant_id = $1 and batch_job_id = $2 and {of_chunk}
        """,
        tenant_id,
        job_id,
        chunk_id,
    )
    return Failures(
        items=tuple(
            RowFailure(
                id=row["id"],
                chunk_id=row["chunk_id"],
                item_index=row["item_index"],
                row_number=row["row_number"],
                item_identifier=row["item_identifier"],
                reason=row["reason"],
                faults=_faults.load(row["faults"]),
                record=row["record"],
            )
            for row in rows
        ),
        total=total,
    )


async def after(
    tx: Tx, tenant_id: UUID, job_id: UUID, *, item_index: int, limit: int
) -> list[tuple[int, int, str, str]]:
    """Failures of rows past an item: its index, its row, why, and the row as it was sent."""
    rows = await tx.fetch(
        """
        select item_index, row_number, reason, record from batch_job_failures
        where tenant_id = $1 and batch_job_id = $2 and item_index > $3
        order by item_index limit $4
        """,
        tenant_id,
        job_id,
        item_index,
        limit,
    )
    return [(r["item_index"], r["row_number"], r["reason"], r["record"]) for r in rows]
