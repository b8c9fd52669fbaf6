"""`tallystick import`: customers, subscriptions and events from files, and a report."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, TypeAlias
from uuid import UUID

import typer
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from tallystick.cli.import_report import print_report, report_json, write_errors
from tallystick.cli.operator import (
    Json,
    TenantOption,
    chosen_tenant,
    context_of,
    id_of,
    operate,
    operate_long,
    real_now,
)
from tallystick.cli.terminal import FAILED, DataDir, err, settings_with
from tallystick.db import batch_failures, batch_jobs
from tallystick.db.batch_failures import Failures
from tallystick.db.engine import Tx
from tallystick.domain.batch_job import BatchJob, BatchJobStatus, BatchJobType
from tallystick.domain.ids import Prefix, encode
from tallystick.http.v1.import_rows import read_chunk
from tallystick.http.v1.receive_import import Asked, receive_import
from tallystick.services.cancel_import import cancel_import
from tallystick.services.context import App, Context
from tallystick.services.ids import new_id
from tallystick.services.run_imports import import_step
from tallystick.services.start_import import discard_import, finish_import

PIECE_BYTES = 256 * 1024
LOOK_SECONDS = 0.2
"""How often is looked at what other workers have done of the file."""
FAILURES_SHOWN = 20

app = typer.Typer(
    help="Import CSV files of customers, subscriptions and events.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

File: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="A CSV file in UTF-8.", exists=True, dir_okay=False, readable=True
    ),
]
ErrorsTo: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--errors",
        metavar="FILE",
        help="Write the rows that failed there, with their reasons, to be mended and imported.",
        dir_okay=False,
        show_default=False,
    ),
]
NoWait: TypeAlias = Annotated[
    bool, typer.Option("--no-wait", help="Leave the rows to a worker, and end.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """A job, and the first of its failures."""

    job: BatchJob
    failures: Failures


@app.command()
def customers(
    file: File,
    tenant: TenantOption = None,
    *,
    errors: ErrorsTo = None,
    no_wait: NoWait = False,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Create a customer for each row of a file.

    The columns are the fields of `POST /customers`; `name` and `currency` will do:

        name,currency,alias,billing_address.country
        Globex,EUR,globex,FR
    """
    asked = _asked(BatchJobType.CUSTOMER_CSV_IMPORT, file)
    _run(asked, file, tenant, errors, data_dir, waits=not no_wait, as_json=as_json)


@app.command()
def subscriptions(
    file: File,
    tenant: TenantOption = None,
    *,
    errors: ErrorsTo = None,
    no_wait: NoWait = False,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Create a subscription for each row of a file.

    The columns are the fields of `POST /subscriptions`. The plan may be named by its name, and
    `slots` counts seats. What begins in the past is billed from there, unless
    `skip_past_invoices` is true:

        customer,plan,start_date,skip_past_invoices,slots
        globex,Team,2026-01-01,true,12
    """
    asked = _asked(BatchJobType.SUBSCRIPTION_CSV_IMPORT, file)
    _run(asked, file, tenant, errors, data_dir, waits=not no_wait, as_json=as_json)


@app.command()
def events(
    file: File,
    tenant: TenantOption = None,
    *,
    allow_backfilling: Annotated[
        bool,
        typer.Option("--allow-backfilling", help="Take events that are older than 24 hours."),
    ] = False,
    errors: ErrorsTo = None,
    no_wait: NoWait = False,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Ingest a usage event for each row of a file, each once for its customer and id.

    event_id,customer,code,timestamp,property.units
    e1,globex,api_calls,2026-03-10T12:00:00Z,12
    """
    asked = _asked(BatchJobType.EVENT_CSV_IMPORT, file, allow_backfilling=allow_backfilling)
    _run(asked, file, tenant, errors, data_dir, waits=not no_wait, as_json=as_json)


@app.command()
def cancel(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job's id (bjob_...).")],
    tenant: TenantOption = None,
    *,
    data_dir: DataDir = None,
) -> None:
    """Cancel an import: what was made stays, nothing more is made."""
    job_id = id_of(Prefix.BATCH_JOB, job, "JOB")

    async def work(app: App, tx: Tx) -> BatchJob:
        ctx = await context_of(app, tx, await chosen_tenant(tx, tenant))
        return await cancel_import(ctx, job_id)

    done = operate(settings_with(data_dir=data_dir), work)
    err.print(f"[green]Cancelled[/] after {done.processed_items} of {done.total_items} rows.")


def _asked(job_type: BatchJobType, file: Path, *, allow_backfilling: bool = False) -> Asked:
    return Asked(
        job_id=new_id(),
        job_type=job_type,
        # Of the tenant itself, when it is known.
        created_by=UUID(int=0),
        file_name=file.name[-255:],
        allow_backfilling=allow_backfilling,
    )


def _run(
    asked: Asked,
    file: Path,
    tenant: str | None,
    errors: Path | None,
    data_dir: Path | None,
    *,
    waits: bool,
    as_json: bool,
) -> None:
    """Import a file and report, or leave it to a worker."""
    if errors is not None and not os.access(errors.absolute().parent, os.W_OK):
        # Before anything is imported of which the report would then be lost.
        raise typer.BadParameter("is in no folder that can be written.", param_hint="--errors")
    name = encode(Prefix.BATCH_JOB, asked.job_id)

    async def work(app: App) -> _Done:
        async with app.transaction() as tx:
            ctx = await context_of(app, tx, await chosen_tenant(tx, tenant))
        await _send(ctx, asked, file)
        if waits:
            await _import(ctx, asked)
        done = await _done(ctx, asked)
        if errors is not None and done.failures.total:
            await write_errors(ctx, done.job, errors)
        return done

    try:
        done = operate_long(settings_with(data_dir=data_dir), work)
    except KeyboardInterrupt:
        err.print(
            f"What has come in goes on where a worker runs. Or: tallystick import cancel {name}"
        )
        raise
    if as_json:
        typer.echo(report_json(done.job, done.failures))
    elif not waits:
        err.print(f"{done.job.total_items} rows wait for a worker, as {name}.")
    else:
        print_report(done.job, done.failures, errors)
    if done.failures.total or done.job.status in (
        BatchJobStatus.FAILED,
        BatchJobStatus.CANCELLED,
    ):
        raise typer.Exit(FAILED)


async def _send(ctx: Context, asked: Asked, file: Path) -> None:
    own = replace(asked, created_by=ctx.tenant.id)
    size = (await asyncio.to_thread(file.stat)).st_size
    received = await receive_import(ctx, own, _pieces(file, size))
    try:
        async with ctx.app.transaction() as tx:
            await finish_import(
                ctx.within(tx),
                asked.job_id,
                input_bytes=received.input_bytes,
                items=received.items,
                chunks=received.chunks,
            )
    except BaseException:
        await discard_import(ctx, asked.job_id)
        raise


async def _import(ctx: Context, asked: Asked) -> None:
    """Work on the file, beside whoever else does, and show how far it is."""
    with _progress() as progress:
        bar = progress.add_task("Importing", total=None)
        while True:
            done = await import_step(ctx.app, real_now(), read_chunk, job_id=asked.job_id)
            async with ctx.app.database.connection() as tx:
                job = await batch_jobs.load(tx, ctx.tenant.id, asked.job_id)
            assert job is not None, "it was written"
            told = f"Importing ({job.failed_items} failed)" if job.failed_items else "Importing"
            progress.update(
                bar, description=told, completed=job.processed_items, total=job.total_items
            )
            if job.status.has_ended:
                return
            if done is None:
                await asyncio.sleep(LOOK_SECONDS)


async def _done(ctx: Context, asked: Asked) -> _Done:
    async with ctx.app.database.connection() as tx:
        job = await batch_jobs.load(tx, ctx.tenant.id, asked.job_id)
        assert job is not None, "it was written"
        failures = await batch_failures.some(
            tx, ctx.tenant.id, asked.job_id, limit=FAILURES_SHOWN
        )
    return _Done(job=job, failures=failures)


async def _pieces(file: Path, size: int) -> AsyncIterator[bytes]:
    """The bytes of a file, with a bar."""
    with file.open("rb") as opened, _progress() as progress:
        bar = progress.add_task(f"Reading {escape(file.name)}", total=size)
        while piece := await asyncio.to_thread(opened.read, PIECE_BYTES):
            yield piece
            progress.advance(bar, len(piece))


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    )
