"""`tallystick doctor`: look at the database for everything that must hold."""

import json
from dataclasses import asdict, replace
from itertools import groupby
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tallystick.cli.database import ready_dsn, refuse_missing
from tallystick.cli.operator import operate_long, real_now
from tallystick.cli.reconcile import LOOKS_BACK
from tallystick.cli.terminal import (
    FAILED,
    DataDir,
    err,
    fail,
    failures_told,
    out,
    run,
    settings_with,
)
from tallystick.db.engine import Database
from tallystick.db.migrate import current, head
from tallystick.db.server_programs import check_that_server_user_may_enter
from tallystick.domain.ids import Prefix, encode
from tallystick.services.context import App
from tallystick.services.examine import Breach, Examination, examine
from tallystick.services.reconcile import FoundOrphan, find_orphans

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def doctor(
    data_dir: DataDir = None,
    *,
    as_json: Json = False,
    asks_provider: Annotated[
        bool,
        typer.Option(
            "--provider",
            help="Ask the providers, too, for money of the last 30 days that the books do not "
            "know.",
        ),
    ] = False,
) -> None:
    """Check the database against everything that must hold of it.

    Money, invoices and their numbers, sessions and payments, places, coupons, balances, the
    test bank's ledger, events and jobs, of every tenant, all in one snapshot: run it at any
    time, beside everything else.

    The exit code is 0 when everything holds, else 1, with each breach named. What a person
    should know of, and breaks nothing, is told as well, and changes no exit code.
    """
    settings = settings_with(data_dir=data_dir)
    with failures_told():
        refuse_missing(settings)
        if settings.database_url is None:
            check_that_server_user_may_enter(settings.data_dir.expanduser().absolute())
        with err.status("Looking at everything..."):
            examination = run(_examine(ready_dsn(settings)))
    if asks_provider:
        examination = _with_orphans(examination, operate_long(settings, _orphans))
    if as_json:
        typer.echo(json.dumps(asdict(examination)))
    else:
        _show(examination)
    if examination.breaches:
        raise typer.Exit(FAILED)


async def _examine(dsn: str) -> Examination:
    revision, needed = await current(dsn), head()
    if revision != needed:
        fail(
            f"The schema has revision {revision or 'none'}, and this version needs {needed}. "
            "Run `tallystick db migrate`."
        )
    database = await Database.open(dsn, max_size=1)
    try:
        return await examine(database)
    finally:
        await database.close()


async def _orphans(app: App) -> list[FoundOrphan]:
    now = real_now()
    return await find_orphans(app, now, now - LOOKS_BACK)


def _with_orphans(examination: Examination, found: list[FoundOrphan]) -> Examination:
    """What the providers hold and nobody knows, beside what the database says."""
    more = [
        Breach(
            rule="provider-orphan-money",
            holds="The books know all money that the providers took",
            tenant=encode(Prefix.TENANT, one.tenant_id),
            object=None,
            about=f"{one.payment.amount} {one.payment.currency} taken by {one.provider} "
            f"under {one.payment.reference}",
        )
        for one in found
    ]
    return replace(
        examination,
        rules=examination.rules + 1,
        breaches=(*examination.breaches, *more),
    )


def _show(examination: Examination) -> None:
    looked_at = f"{examination.rules} rules, {examination.tenants} tenants"
    for rule, told in groupby(examination.notices, lambda notice: notice.rule):
        out.print(_table(rule, list(told), "yellow"))
    for rule, breaches in groupby(examination.breaches, lambda breach: breach.rule):
        out.print(_table(rule, list(breaches), "red"))
    count = len(examination.breaches)
    if count:
        err.print(f"[red]doctor: {count} breaches[/] ({looked_at}).")
    else:
        err.print(f"[green]doctor: everything holds[/] ({looked_at}).")


def _table(rule: str, breaches: list[Breach], colour: str) -> Table:
    table = Table(
        title=f"[bold {colour}]{rule}[/]: {escape(breaches[0].holds)}",
        title_justify="left",
        show_edge=False,
        pad_edge=False,
    )
    table.add_column("tenant", overflow="fold")
    table.add_column("object", overflow="fold")
    table.add_column("what was found", overflow="fold", ratio=1)
    for breach in breaches:
        table.add_row(breach.tenant or "-", breach.object or "-", escape(breach.about))
    return table
