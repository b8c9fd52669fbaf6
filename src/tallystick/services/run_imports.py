"""Import the rows of files: chunk by chunk, shared by any number of workers.

A step is one transaction: it locks a chunk, makes what its next rows want, and counts them in
the chunk and in the job. So whatever dies, a row is made and counted, or neither; and its id
comes from its job and its place, so that the database would refuse it twice. A row that is
refused is written down with its reason, and undoes nothing of the others.
"""

import csv
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

import structlog

from tallystick.db import batch_chunks, batch_failures, batch_jobs
from tallystick.db.batch_chunks import DueChunk
from tallystick.db.engine import DatabaseUnavailable, Tx, retrying, savepoint
from tallystick.db.refusals import Contention, LockTimeout, NoRoom, StatementTimeout
from tallystick.domain.batch_job import (
    BatchJobStatus,
    BatchJobType,
    RowFailure,
    end_of,
)
from tallystick.domain.errors import Fault, TallystickError
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.spreadsheet_cell import guarded
from tallystick.domain.usage_events import IncomingEvent
from tallystick.services.context import App, Context
from tallystick.services.create_customer import create_customer
from tallystick.services.ids import id_of_row, new_id
from tallystick.services.import_customers import import_customers
from tallystick.services.import_rows import (
    ImportRow,
    NewCustomer,
    NewSubscription,
    ReadChunk,
    ReadRows,
)
from tallystick.services.import_subscription import import_subscription
from tallystick.services.ingest_events import ingest_events
from tallystick.services.start_import import give_up_cut_off
from tallystick.services.tenant_context import tenant_context

ROWS_AT_ONCE = {
    BatchJobType.CUSTOMER_CSV_IMPORT: 100,
    # Each by itself, as over REST: its first invoice takes the tenant's counter, and nobody
    # who bills may wait for more than one.
    BatchJobType.SUBSCRIPTION_CSV_IMPORT: 1,
    BatchJobType.EVENT_CSV_IMPORT: 1000,
}
"""Rows of one step, of one chunk at most."""
TRIES_MAX = 8
"""How often a chunk that cannot be worked on at all is tried: about two minutes of pauses."""

DEFECT = "Something went wrong on our side with this row; nothing of it was made."

STOPPED = (
    "Something went wrong on our side with the rows from row {row} on. They were tried several "
    "times, and the file was given up; rows that were made before stay. The worker's log has "
    "the reason, under import.chunk_failed and this job's id."
)
"""What a job that was given up says; what went wrong inside is for the log alone."""

_IN_OTHER_HANDS = (*Contention, *NoRoom, LockTimeout, StatementTimeout, DatabaseUnavailable)
"""What does not tell anything about a row."""

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class _Dealt:
    """What became of some rows: lines of the result, and those that failed."""

    made: list[tuple[int, str | None, str]] = field(default_factory=list)
    failed: list[RowFailure] = field(default_factory=list)


async def run_imports(
    app: App, real_now: datetime, read: ReadRows, *, job_id: UUID | None = None
) -> int:
    """Import what is due, step by step, until nothing of it is free; how many rows that were.

    Args:
        app: What is wired once per process.
        real_now: Real time at the beginning.
        read: Reads the rows of a chunk.
        job_id: Work on this job only.

    Raises:
        DatabaseUnavailable: It went away; what was not committed is due again.
    """
    began, total = time.monotonic(), 0
    await give_up_cut_off(app, real_now)
    while True:
        # A long file is imported for minutes, in which time goes on.
        now = real_now + timedelta(seconds=time.monotonic() - began)
        done = await import_step(app, now, read, job_id=job_id)
        if done is None:
            return total
        total += done


async def import_step(
    app: App, real_now: datetime, read: ReadRows, *, job_id: UUID | None = None
) -> int | None:
    """Do one step, and return how many rows it dealt with; None where nothing is due and free.

    Raises:
        DatabaseUnavailable: It went away.
    """
    held: list[DueChunk] = []

    async def step(tx: Tx) -> int | None:
        held.clear()
        due = await batch_chunks.lock_due(tx, job_id)
        if due is None:
            return None
        held.append(due)
        ctx = await tenant_context(app, tx, due.tenant_id, real_now, actor="import")
        rows = read(due, ROWS_AT_ONCE[due.job_type])
        return await _deal_with(ctx.within(tx), due, rows)

    try:
        return await retrying(app.database, step)
    except DatabaseUnavailable:
        raise
    except Exception:
        if not held:
            raise
        log.exception("import.chunk_failed", job=encode(Prefix.BATCH_JOB, held[0].job_id))
        await _rest(app, real_now, held[0])
        return 0


async def _deal_with(ctx: Context, due: DueChunk, read: ReadChunk) -> int:
    """Make what the next rows of a locked chunk want, and count them."""
    chunk = due.chunk
    rows = read.rows
    match due.job_type:
        case BatchJobType.EVENT_CSV_IMPORT:
            dealt = await _ingest(ctx, due, rows, read)
        case BatchJobType.CUSTOMER_CSV_IMPORT:
            dealt = await _make_customers(ctx, due, rows, read)
        case _:
            dealt = await _make_each(ctx, due, rows, read)
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    done = chunk.done + len(rows)
    await batch_failures.insert_many(tx, tenant_id, due.job_id, dealt.failed)
    await batch_chunks.go_on(tx, tenant_id, chunk, done=done, output=_lines(dealt.made))
    ended = await batch_jobs.count(
        tx,
        tenant_id,
        due.job_id,
        processed=len(rows),
        failed=len(dealt.failed),
        chunk_ended=done == chunk.items,
    )
    if ended is not None:
        status = end_of(ended.failed_items)
        await batch_jobs.end(tx, tenant_id, due.job_id, status, ctx.now)
    return len(rows)


async def _make_customers(
    ctx: Context, due: DueChunk, rows: Sequence[ImportRow], read: ReadChunk
) -> _Dealt:
    """Make customers together; where one of them cannot be written, one after the other."""
    wanted = {
        id_of_row(due.job_id, row.index): (row, row.wanted)
        for row in rows
        if isinstance(row.wanted, NewCustomer)
    }
    try:
        async with savepoint(ctx.transaction):
            refused = await import_customers(
                ctx, [(made_id, one) for made_id, (_, one) in wanted.items()]
            )
    except _IN_OTHER_HANDS:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, it is met again, by its row alone
        return await _make_each(ctx, due, rows, read)
    dealt = _Dealt()
    for row in rows:
        if isinstance(row.wanted, tuple):
            dealt.failed.append(_failure(due, row, row.wanted, read))
    for made_id, (row, _) in wanted.items():
        if made_id in refused:
            dealt.failed.append(_failure(due, row, _faults_of(refused[made_id]), read))
        else:
            told = encode(Prefix.CUSTOMER, made_id)
            dealt.made.append((row.number, row.identifier, told))
    return dealt


async def _make_each(
    ctx: Context, due: DueChunk, rows: Sequence[ImportRow], read: ReadChunk
) -> _Dealt:
    """Make one after the other; what one has done is undone when it is refused."""
    dealt = _Dealt()
    for row in rows:
        if isinstance(row.wanted, tuple):
            dealt.failed.append(_failure(due, row, row.wanted, read))
            continue
        try:
            async with savepoint(ctx.transaction):
                made = await _make(ctx, row, id_of_row(due.job_id, row.index))
        except TallystickError as refused:
            dealt.failed.append(_failure(due, row, _faults_of(refused), read))
        except _IN_OTHER_HANDS:
            raise
        except Exception:
            log.exception("import.row_failed", job=str(due.job_id), row=row.number)
            faults = (Fault("", "defect", DEFECT),)
            dealt.failed.append(_failure(due, row, faults, read))
        else:
            dealt.made.append((row.number, row.identifier, made))
    return dealt


async def _make(ctx: Context, row: ImportRow, made_id: UUID) -> str:
    """Make what a row wants under the row's own id, and return the id as it is shown."""
    match row.wanted:
        case NewCustomer() as wanted:
            await create_customer(
                ctx,
                wanted.fields,
                wanted.invoicing_entity_id,
                unread=wanted.unread,
                customer_id=made_id,
            )
            return encode(Prefix.CUSTOMER, made_id)
        case NewSubscription() as wanted:
            await import_subscription(ctx, wanted, made_id)
            return encode(Prefix.SUBSCRIPTION, made_id)
        case IncomingEvent() | tuple():
            raise AssertionError("events are ingested together")
        case _:
            assert_never(row.wanted)


async def _ingest(
    ctx: Context, due: DueChunk, rows: Sequence[ImportRow], read: ReadChunk
) -> _Dealt:
    """Keep events together, as a call that allows partial failures does."""
    dealt = _Dealt()
    formed: list[ImportRow] = []
    events: list[IncomingEvent] = []
    for row in rows:
        if isinstance(row.wanted, tuple):
            dealt.failed.append(_failure(due, row, row.wanted, read))
            continue
        assert isinstance(row.wanted, IncomingEvent), "a file holds rows of one kind"
        formed.append(row)
        events.append(row.wanted)
    ingested = await ingest_events(
        ctx,
        events,
        allow_backfilling=due.allow_backfilling,
        allow_partial_failures=True,
    )
    dealt.failed.extend(
        _failure(due, formed[one.index], one.faults, read) for one in ingested.refused
    )
    return dealt


def _faults_of(refused: TallystickError) -> tuple[Fault, ...]:
    return refused.faults or (Fault("", "refused", refused.message),)


def _failure(
    due: DueChunk, row: ImportRow, faults: Sequence[Fault], read: ReadChunk
) -> RowFailure:
    """A row that failed, with its faults by the columns of the file and in their order."""
    found = [
        Fault(_kept(read.column_of(one.field)), one.code, _kept(one.message)) for one in faults
    ]
    named = tuple(sorted(found, key=lambda one: _place(one.field, read.columns)))
    return RowFailure(
        id=new_id(),
        chunk_id=due.chunk.id,
        item_index=row.index,
        row_number=row.number,
        item_identifier=row.identifier,
        reason="; ".join(
            f"{one.field}: {one.message}" if one.field else one.message for one in named
        ),
        faults=named,
        record=row.record,
    )


def _place(field: str, columns: Sequence[str]) -> int:
    """Which column a fault is of; what is of none comes last."""
    for place, column in enumerate(columns):
        if field == column or field.startswith((f"{column}.", f"{column}[")):
            return place
    return len(columns)


def _kept(text: str) -> str:
    """A text as it can be kept: names inside of JSON may hold what no database takes."""
    return text.encode(errors="replace").decode().replace("\0", "?")


def _lines(made: Sequence[tuple[int, str | None, str]]) -> str:
    """Lines of the result: row, identifier, id."""
    written = io.StringIO()
    csv.writer(written).writerows(
        (row, None if identifier is None else guarded(identifier), made_id)
        for row, identifier, made_id in made
    )
    return written.getvalue()


async def _rest(app: App, real_now: datetime, due: DueChunk) -> None:
    """Let a chunk rest that nothing can be done with; after many tries its job has failed."""
    async with app.transaction() as tx:
        ctx = await tenant_context(app, tx, due.tenant_id, real_now, actor="import")
        tries = await batch_chunks.note_try(tx, due.tenant_id, due.chunk.id)
        if tries < TRIES_MAX:
            return
        await batch_chunks.lock_every_due(tx, due.tenant_id, due.job_id)
        await batch_chunks.stop_due(tx, due.tenant_id, due.job_id)
        said = STOPPED.format(row=due.chunk.first_row)
        await batch_jobs.end(
            tx, due.tenant_id, due.job_id, BatchJobStatus.FAILED, ctx.now, said
        )
