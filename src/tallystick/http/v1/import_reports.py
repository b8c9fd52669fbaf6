"""The files of a batch job, written while they are sent: the input, its errors, its output."""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from urllib.parse import quote

from starlette.responses import StreamingResponse

from tallystick.db import batch_chunks, batch_failures
from tallystick.db.engine import Tx
from tallystick.domain.batch_job import BatchJob
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.spreadsheet_cell import bare, guarded
from tallystick.http.v1.csv_records import cells_of
from tallystick.http.v1.import_columns import ERROR_COLUMNS, is_report_of_errors
from tallystick.http.v1.import_rows import line_of_names
from tallystick.services.context import Context

FAILURES_AT_ONCE = 500

Part = Callable[[Tx, int], Awaitable[str | None]]


class CsvResponse(StreamingResponse):
    """An answer that is a CSV file."""

    media_type: str | None = "text/csv"


def input_of(ctx: Context, job: BatchJob) -> AsyncIterator[bytes]:
    """The file as it was sent, byte by byte."""
    return _in_parts(
        ctx,
        job.header,
        lambda tx, at: batch_chunks.content(tx, ctx.tenant.id, job.id, at),
    )


def output_of(ctx: Context, job: BatchJob) -> AsyncIterator[bytes]:
    """What the rows became: the row's number, what it calls itself, and the id."""
    return _in_parts(
        ctx,
        "row,identifier,id\r\n",
        lambda tx, at: batch_chunks.output(tx, ctx.tenant.id, job.id, at),
    )


async def errors_of(ctx: Context, job: BatchJob) -> AsyncIterator[bytes]:
    """The rows that failed, each after its number and its reason.

    As they were sent, but for an apostrophe before what a spreadsheet would take for a formula;
    it is taken off when the report is imported. Of a file that was such a report itself, the
    numbers and reasons of before are left out.
    """
    names = cells_of(line_of_names(job.header), job.separator)
    old = {at for at, name in enumerate(names) if name.strip() in ERROR_COLUMNS}
    is_report = is_report_of_errors(names)
    yield _written([[*ERROR_COLUMNS, *_without(old, names)]], job.separator)
    after = -1
    while True:
        async with ctx.app.database.connection() as tx:
            found = await batch_failures.after(
                tx, ctx.tenant.id, job.id, item_index=after, limit=FAILURES_AT_ONCE
            )
        if not found:
            return
        after = found[-1][0]
        rows = (
            [str(row), why, *_cells(text, job.separator, old, is_report=is_report)]
            for _, row, why, text in found
        )
        yield _written(rows, job.separator)


def named(job: BatchJob, what: str) -> dict[str, str]:
    """The headers under which a file of a job is kept; `what` is said in its name."""
    given = job.file_name or f"{encode(Prefix.BATCH_JOB, job.id)}.csv"
    stem = given.rpartition("/")[2].rpartition("\\")[2].removesuffix(".csv")
    name = quote(f"{stem}{what}.csv", safe="")
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "X-Content-Type-Options": "nosniff",
    }


def _without(places: AbstractSet[int], cells: Sequence[str]) -> list[str]:
    return [cell for at, cell in enumerate(cells) if at not in places]


def _cells(
    record: str, separator: str, left_out: AbstractSet[int], *, is_report: bool
) -> list[str]:
    try:
        cells = cells_of(record, separator)
    except csv.Error:
        # Not well-formed: as it was sent, in one cell, for whoever mends it.
        return [record.rstrip("\r\n")]
    return _without(left_out, [bare(cell) for cell in cells] if is_report else cells)


async def _in_parts(ctx: Context, first: str, part: Part) -> AsyncIterator[bytes]:
    yield first.encode()
    at = 0
    while True:
        async with ctx.app.database.connection() as tx:
            text = await part(tx, at)
        if text is None:
            return
        yield text.encode()
        at += 1


def _written(rows: Iterable[list[str]], separator: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(
        [guarded(cell) for cell in row] for row in rows
    )
    return text.getvalue().encode()
