"""`tallystick reconcile`: money that a provider took and the books do not know."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

import typer

from tallystick.cli.operator import Json, operate_long, read_as, real_now
from tallystick.cli.terminal import DataDir, err, print_table, settings_with
from tallystick.domain.ids import Prefix, encode
from tallystick.http.v1.scalars import Day
from tallystick.services.context import App
from tallystick.services.events import instant_text
from tallystick.services.reconcile import FoundOrphan, find_orphans
from tallystick.services.reconcile import reconcile as reconcile_all

LOOKS_BACK = timedelta(days=30)


def reconcile(
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="DAY",
            help="Look at what was taken from that day on, in UTC. Default: the last 30 days.",
            show_default=False,
        ),
    ] = None,
    data_dir: DataDir = None,
    *,
    looks: Annotated[
        bool, typer.Option("--look", help="Say what is found, and do nothing about it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare what the providers took with the books, and mend what is missing there.

    Money that nobody knew of is attached to the invoice whose try it belongs to, or given back,
    as its tenant wants: `tallystick tenant set --orphan-policy REPORT` only tells of it. What
    was found before, and refunded in full at its provider since, is noted as REFUNDED. The
    worker does the same every hour for the last days. What was taken within the last quarter of
    an hour is left alone.

        tallystick reconcile --since 2026-11-01 --look
    """
    day: date | None = None if since is None else read_as(Day, since, "--since")
    now = real_now()
    start = now - LOOKS_BACK if day is None else datetime.combine(day, time(), UTC)

    async def work(app: App) -> list[FoundOrphan]:
        return await (find_orphans if looks else reconcile_all)(app, now, start)

    found = [_shown(one) for one in operate_long(settings_with(data_dir=data_dir), work)]
    if as_json:
        typer.echo(json.dumps({"data": found}))
        return
    columns = ("tenant_id", "provider", "reference", "amount", "currency", "taken_at", "state")
    if found:
        print_table(([str(one[name]) for name in columns] for one in found), *columns)
    err.print(f"{len(found)} payments that the books did not know.")


def _shown(one: FoundOrphan) -> dict[str, object]:
    payment = one.payment
    return {
        "tenant_id": encode(Prefix.TENANT, one.tenant_id),
        "provider": one.provider,
        "reference": payment.reference,
        "amount": payment.amount,
        "currency": payment.currency,
        "taken_at": instant_text(payment.taken_at),
        "state": "unknown" if one.state is None else one.state.value,
    }
