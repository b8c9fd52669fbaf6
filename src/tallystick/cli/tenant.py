"""`tallystick tenant`: the merchants that this installation bills for."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from tallystick.cli.operator import (
    Json,
    TenantOption,
    chosen_tenant,
    context_of,
    operate,
    read_as,
    real_now,
)
from tallystick.cli.tenant_options import (
    CardNoticeDays,
    DunningDays,
    MerchantName,
    OrphanPolicy,
    PlacesPerPlan,
    ReminderDaysAfter,
    ReminderDaysBefore,
    TimeZone,
)
from tallystick.cli.terminal import DataDir, err, print_facts, print_table, settings_with
from tallystick.db import tenants
from tallystick.db.engine import Tx
from tallystick.db.tenants import TenantRow
from tallystick.domain.ids import Prefix, encode
from tallystick.http.v1.scalars import Currency, Instant, Name
from tallystick.services.context import App
from tallystick.services.create_tenant import NewTenant, create_tenant
from tallystick.services.edit_tenant import TenantChanges, edit_tenant
from tallystick.services.events import instant_text

app = typer.Typer(
    help="Make, list and change tenants: the merchants that this installation bills for.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The merchant's name.")],
    currency: Annotated[
        str, typer.Option("--currency", help="Its own currency: a code such as EUR.")
    ],
    clock: Annotated[
        str | None,
        typer.Option(
            "--clock",
            metavar="INSTANT",
            help="Freeze its clock there: 2024-01-01T00:00:00Z. Default: real time.",
            show_default=False,
        ),
    ] = None,
    *,
    live: Annotated[bool, typer.Option("--live", help="Take real money.")] = False,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Make a tenant, with an invoicing entity and a first API key.

    It is a test tenant: the test bank's card numbers work, and no money moves. One that is made
    with --live takes real money, once `tallystick provider connect` has connected it. The API
    key is shown now and never again; `tallystick key create` makes others.

        tallystick tenant create "Acme Cloud" --currency EUR
        tallystick tenant create "Acme Cloud" --currency EUR --clock 2024-01-01T00:00:00Z --json
    """
    read_as(Name, name, "NAME")
    read_as(Currency, currency, "--currency")
    moment: datetime | None = None if clock is None else read_as(Instant, clock, "--clock")

    async def work(app: App, tx: Tx) -> NewTenant:
        return await create_tenant(
            app,
            tx,
            name=name,
            currency=currency,
            clock=moment,
            live=live,
            real_now=real_now(),
        )

    made = operate(settings_with(data_dir=data_dir), work)
    shown = {
        "tenant_id": encode(Prefix.TENANT, made.tenant_id),
        "api_key": made.api_key,
        "invoicing_entity_id": encode(Prefix.INVOICING_ENTITY, made.invoicing_entity_id),
    }
    if as_json:
        typer.echo(json.dumps(shown))
        return
    print_facts(shown)
    if live:
        err.print(
            "Nothing can be paid online yet. Connect its account: tallystick provider connect "
            f"stripe --tenant {shown['tenant_id']}"
        )
    err.print("The API key is kept as a hash only: note it now, it is not shown again.")


@app.command("list")
def list_tenants(*, as_json: Json = False, data_dir: DataDir = None) -> None:
    """List every tenant, oldest first."""

    async def work(_: App, tx: Tx) -> list[TenantRow]:
        return await tenants.every(tx)

    rows_found = operate(settings_with(data_dir=data_dir), work, only_looks=True)
    found = [_shown(row) for row in rows_found]
    if as_json:
        typer.echo(json.dumps({"data": found}))
        return
    columns = ("tenant_id", "name", "currency", "clock", "time_zone")
    rows = ([one[name] or "real time" for name in columns] for one in found)
    print_table(rows, "id", "name", "currency", "clock", "time zone")


@app.command("set")
def set_tenant(
    tenant: TenantOption = None,
    name: MerchantName = None,
    time_zone: TimeZone = None,
    places_per_plan: PlacesPerPlan = None,
    dunning_days: DunningDays = None,
    reminder_days_before: ReminderDaysBefore = None,
    reminder_days_after: ReminderDaysAfter = None,
    card_notice_days: CardNoticeDays = None,
    orphan_policy: OrphanPolicy = None,
    *,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Change a tenant; what is not named stays.

    Processes that are running notice at once.

        tallystick tenant set --time-zone Europe/Paris --dunning-days 3,5,7
    """
    changes = TenantChanges(
        name=None if name is None else read_as(Name, name, "--name"),
        time_zone=time_zone,
        places_per_plan=places_per_plan,
        dunning_days=_days(dunning_days, "--dunning-days"),
        reminder_days_before=reminder_days_before,
        reminder_days_after=_days(reminder_days_after, "--reminder-days-after"),
        card_notice_days=card_notice_days,
        orphan_policy=orphan_policy,
    )
    if not any(value is not None for value in asdict(changes).values()):
        raise typer.BadParameter("Nothing to change: name at least one option.")

    async def work(app: App, tx: Tx) -> TenantRow:
        tenant_id = await chosen_tenant(tx, tenant)
        return await edit_tenant(await context_of(app, tx, tenant_id), changes)

    shown = _shown(operate(settings_with(data_dir=data_dir), work))
    if as_json:
        typer.echo(json.dumps(shown))
    else:
        print_facts(shown)


def _days(text: str | None, option: str) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a list of days such as 3,5,7.", param_hint=option
        ) from None


def _shown(row: TenantRow) -> dict[str, object]:
    return {
        "tenant_id": encode(Prefix.TENANT, row.id),
        "name": row.name,
        "currency": row.currency,
        "is_test": row.is_test,
        "clock": None if row.clock is None else instant_text(row.clock),
        "time_zone": row.time_zone,
        "places_per_plan": row.places_per_plan,
        "dunning_days": list(row.dunning_days),
        "reminder_days_before": row.reminder_days_before,
        "reminder_days_after": list(row.reminder_days_after),
        "card_notice_days": row.card_notice_days,
        "orphan_policy": row.orphan_policy,
    }
