"""`tallystick give-back`: money that nobody owed, and that could not be given back."""

import json
from typing import Annotated

import typer

from tallystick.cli.operator import ACTOR, Json, id_of, operate_long, real_now
from tallystick.cli.terminal import FAILED, DataDir, err, settings_with
from tallystick.db import orphans
from tallystick.domain.errors import NotFound
from tallystick.domain.ids import Prefix
from tallystick.domain.orphan import OrphanState
from tallystick.services.came_back import give_back_again
from tallystick.services.context import App
from tallystick.services.tenant_context import tenant_context

_TOLD = {
    OrphanState.REFUNDED: "Given back.",
    OrphanState.REFUNDING: "The provider has not answered yet: run the same again, or wait.",
    OrphanState.REFUSED: "The provider refuses the refund.",
}


def give_back(
    payment: Annotated[
        str,
        typer.Argument(metavar="PAYMENT", help="The payment's id (pay_...), as doctor says."),
    ],
    data_dir: DataDir = None,
    *,
    as_json: Json = False,
) -> None:
    """Give money back that nobody owed, and whose refund was refused or came back.

    `tallystick doctor` names such payments under `orphan-payment`. The refund is a new one,
    with a key of its own, of what the provider still holds; run twice, the money goes once.
    The exit code is 1 where it is refused, or nothing is held any more.

        tallystick give-back pay_1a2B...
    """
    orphan_id = id_of(Prefix.TRANSACTION, payment, "PAYMENT")
    now = real_now()

    async def work(app: App) -> OrphanState:
        async with app.database.connection() as tx:
            owner = await orphans.owner_of(tx, orphan_id)
            if owner is None:
                raise NotFound(f"There is no payment {payment} that nobody knew of.")
            ctx = await tenant_context(app, tx, owner, now, actor=ACTOR)
        return await give_back_again(ctx, orphan_id)

    state = operate_long(settings_with(data_dir=data_dir), work)
    if as_json:
        typer.echo(json.dumps({"id": payment, "state": state.value}))
    else:
        err.print(_TOLD[state])
    if state is OrphanState.REFUSED:
        raise typer.Exit(FAILED)
