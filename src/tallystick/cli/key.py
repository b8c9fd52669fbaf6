"""`tallystick key`: the API keys of a tenant."""

import json
from datetime import datetime
from typing import Annotated

import typer

from tallystick.cli.operator import (
    Json,
    TenantOption,
    chosen_tenant,
    context_of,
    id_of,
    operate,
    read_as,
)
from tallystick.cli.terminal import DataDir, err, print_table, settings_with
from tallystick.db import api_keys
from tallystick.db.api_keys import KeyRow
from tallystick.db.engine import Tx
from tallystick.domain.errors import NotFound
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.scopes import ALL_SCOPES, KeyScope
from tallystick.http.v1.scalars import Name
from tallystick.services.api_keys import NewKey, create_api_key, list_api_keys, revoke_api_key
from tallystick.services.context import App
from tallystick.services.events import instant_text

app = typer.Typer(
    help="Make, list and revoke API keys. A key speaks for one tenant.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@app.command()
def create(
    tenant: TenantOption = None,
    name: Annotated[str, typer.Option("--name", help="What it is for.")] = "key",
    scope: Annotated[
        list[KeyScope] | None,
        typer.Option("--scope", help="What it may do; say it twice for both, the default."),
    ] = None,
    *,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Make an API key. Its secret is printed now and never again.

    curl -H "Authorization: Bearer $(tallystick key create)" ...
    """
    read_as(Name, name, "--name")

    async def work(app: App, tx: Tx) -> NewKey:
        tenant_id = await chosen_tenant(tx, tenant)
        scopes = frozenset(scope) if scope else ALL_SCOPES
        return await create_api_key(await context_of(app, tx, tenant_id), name, scopes)

    made = operate(settings_with(data_dir=data_dir), work)
    key_id = encode(Prefix.API_KEY, made.id)
    if as_json:
        typer.echo(json.dumps({"key_id": key_id, "api_key": made.secret}))
        return
    typer.echo(made.secret)
    err.print(f"Its id is {key_id}. The secret is kept as a hash only: note it now.")


@app.command("list")
def list_keys(
    tenant: TenantOption = None, *, as_json: Json = False, data_dir: DataDir = None
) -> None:
    """List a tenant's API keys, revoked ones included, without their secrets."""

    async def work(app: App, tx: Tx) -> list[KeyRow]:
        tenant_id = await chosen_tenant(tx, tenant)
        return await list_api_keys(await context_of(app, tx, tenant_id))

    found = operate(settings_with(data_dir=data_dir), work, only_looks=True)
    if as_json:
        typer.echo(json.dumps({"data": [_shown(row) for row in found]}))
        return
    rows = (list(_shown(row).values()) for row in found)
    print_table(rows, "id", "name", "ends with", "may", "made", "last used", "revoked")


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key's id (tkn_...).")],
    *,
    data_dir: DataDir = None,
) -> None:
    """Revoke an API key, at once and for ever, in every process that is running."""
    key_id = id_of(Prefix.API_KEY, key, "KEY")

    async def work(app: App, tx: Tx) -> None:
        tenant_id = await api_keys.owner_of(tx, key_id)
        if tenant_id is None:
            raise NotFound(f"There is no API key {key}. See `tallystick key list`.")
        await revoke_api_key(await context_of(app, tx, tenant_id), key_id)

    operate(settings_with(data_dir=data_dir), work)
    err.print(f"[green]Revoked[/] {key}.")


def _shown(row: KeyRow) -> dict[str, str | None]:
    return {
        "key_id": encode(Prefix.API_KEY, row.id),
        "name": row.name,
        "hint": row.hint,
        "scopes": " ".join(sorted(row.scopes)),
        "created_at": instant_text(row.created_at),
        "last_used_at": _instant(row.last_used_at),
        "revoked_at": _instant(row.revoked_at),
    }


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else instant_text(moment)
