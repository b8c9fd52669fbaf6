"""`tallystick clock`: the business time of a test tenant."""

import json
from datetime import date, datetime
from typing import Annotated

import typer
from rich.table import Table

from tallystick.cli.operator import (
    Json,
    TenantOption,
    chosen_tenant,
    context_of,
    operate,
    operate_long,
    read_as,
)
from tallystick.cli.terminal import DataDir, out, settings_with
from tallystick.db.engine import Tx
from tallystick.http.v1.test_clock import InstantOrDay, show_move
from tallystick.services.advance_clock import ClockMove, advance_clock
from tallystick.services.context import App, Context
from tallystick.services.events import instant_text
from tallystick.services.take_steps import start_of

app = typer.Typer(
    help="Show and move the clock of a test tenant: a year of billing in a second.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@app.command()
def show(
    tenant: TenantOption = None, *, as_json: Json = False, data_dir: DataDir = None
) -> None:
    """Tell a tenant's now, and whether its clock is frozen or runs on real time."""

    async def work(app: App, tx: Tx) -> Context:
        return await context_of(app, tx, await chosen_tenant(tx, tenant))

    ctx = operate(settings_with(data_dir=data_dir), work)
    is_frozen = ctx.tenant.clock is not None
    now = instant_text(ctx.now)
    if as_json:
        typer.echo(json.dumps({"now": now, "is_frozen": is_frozen}))
        return
    out.print(f"{now}  ({'frozen' if is_frozen else 'real time'})")


@app.command()
def advance(
    to: Annotated[str, typer.Argument(metavar="TO", help="2027-01-31T09:00:00Z, or a day.")],
    tenant: TenantOption = None,
    *,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Move a test tenant's clock forward; what falls due on the way happens on its day.

    The clock then stands still until it is moved again.
    """
    wanted: datetime | date = read_as(Annotated[datetime | date, InstantOrDay()], to, "TO")

    async def work(app: App) -> ClockMove:
        async with app.database.connection() as tx:
            ctx = await context_of(app, tx, await chosen_tenant(tx, tenant))
        if not isinstance(wanted, datetime):
            return await advance_clock(ctx, start_of(wanted, ctx.tenant.time_zone))
        return await advance_clock(ctx, wanted)

    move = show_move(operate_long(settings_with(data_dir=data_dir), work))
    if as_json:
        typer.echo(move.model_dump_json())
        return
    table = Table("what happened", "count", box=None)
    for name, count in move.happened.model_dump().items():
        table.add_row(name.replace("_", " "), str(count))
    out.print(f"It is {instant_text(move.now)} now.")
    out.print(table)
