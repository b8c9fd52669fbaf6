"""How `tallystick import` reports: what came of a file, and why rows of it failed."""

import json
from pathlib import Path

from rich.markup import escape

from tallystick.cli.terminal import err, print_table
from tallystick.db.batch_failures import Failures
from tallystick.domain.batch_job import BatchJob, BatchJobStatus, BatchJobType
from tallystick.domain.ids import Prefix, encode
from tallystick.http.v1.batch_job_schemas import show_failures, show_job
from tallystick.http.v1.import_reports import errors_of
from tallystick.services.context import Context

_THINGS = {
    BatchJobType.CUSTOMER_CSV_IMPORT: "customers",
    BatchJobType.SUBSCRIPTION_CSV_IMPORT: "subscriptions",
    BatchJobType.EVENT_CSV_IMPORT: "events",
}


def print_report(job: BatchJob, failures: Failures, errors: Path | None) -> None:
    """Print what came of a file: a sentence, and each fault of the first rows that failed."""
    made, total = job.processed_items - job.failed_items, job.total_items
    things = _THINGS[job.job_type]
    colour = "green" if job.status is BatchJobStatus.COMPLETED else "yellow"
    err.print(f"[{colour}]Imported {made} of {total} {things}[/] as {_name(job)}.")
    if job.error is not None:
        err.print(f"[red]{escape(job.error)}[/]")
    if job.status is BatchJobStatus.CANCELLED:
        err.print("It was cancelled.")
    if not failures.total:
        return
    rows = [
        (one.row_number if first else "", one.item_identifier if first else "", *fault)
        for one in failures.items
        for first, fault in (
            (at == 0, (fault.field, fault.message)) for at, fault in enumerate(one.faults)
        )
    ]
    print_table(rows, "row", "name", "column", "what is wrong")
    more = failures.total - len(failures.items)
    if more:
        err.print(f"... and {more} more rows.")
    if errors is not None:
        err.print(f"The rows that failed are in {escape(str(errors))}: mend and import them.")
    else:
        err.print("--errors FILE writes the rows that failed, to be mended and imported.")


def report_json(job: BatchJob, failures: Failures) -> str:
    """What came of a file as one JSON object: the job, and the first failures."""
    told = show_job(job).model_dump(mode="json")
    return json.dumps(told | {"failures": show_failures(failures).model_dump(mode="json")})


async def write_errors(ctx: Context, job: BatchJob, to: Path) -> None:
    """Write the rows that failed, each after its number and its reason."""
    with to.open("wb") as file:
        async for part in errors_of(ctx, job):
            file.write(part)


def _name(job: BatchJob) -> str:
    return encode(Prefix.BATCH_JOB, job.id)
