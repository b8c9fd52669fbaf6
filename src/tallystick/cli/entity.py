"""`tallystick entity`: the legal entities that a tenant sells through."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, TypeAlias

import typer

from tallystick.cli.entity_options import body_of, by_option, with_settings
from tallystick.cli.operator import (
    Json,
    TenantOption,
    chosen_entity,
    operate,
)
from tallystick.cli.terminal import DataDir, print_facts, settings_with
from tallystick.db import invoicing_entities
from tallystick.db.engine import Tx
from tallystick.domain.entity_settings import EntitySettings
from tallystick.domain.errors import InvalidInput, NotFound, Unread, sentence
from tallystick.http.reader import Reader
from tallystick.http.v1.entity_schemas import (
    EntityPatch,
    said_about,
    show_entity,
    wanted_accounts,
)
from tallystick.services.context import App
from tallystick.services.edit_entity import edit_entity

app = typer.Typer(
    help="Show and change invoicing entities: the legal entities that a tenant sells through.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Entity: TypeAlias = Annotated[
    str | None,
    typer.Argument(
        metavar="[ENTITY]",
        help="The entity's id (ive_...). Default: the tenant's default entity.",
        show_default=False,
    ),
]
Clear: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--clear",
        metavar="FIELD",
        help="A field to clear, or to set to what it is at first: vat_number. May be repeated.",
        show_default=False,
    ),
]


@app.command()
def show(
    entity: Entity = None,
    tenant: TenantOption = None,
    *,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Show everything that is set about an entity."""

    async def work(app: App, tx: Tx) -> EntitySettings:
        ctx, entity_id = await chosen_entity(app, tx, tenant, entity, "ENTITY")
        found = await invoicing_entities.load(tx, ctx.tenant.id, entity_id)
        if found is None:
            raise NotFound("There is no such invoicing entity.")
        return found

    shown = operate(settings_with(data_dir=data_dir), work, only_looks=True)
    _print(shown, as_json=as_json)


@app.command("set")
@with_settings
def set_entity(
    entity: Entity = None,
    tenant: TenantOption = None,
    clear: Clear = None,
    *,
    as_json: Json = False,
    data_dir: DataDir = None,
    **settings: Any,  # noqa: ANN401 - of each setting's own kind
) -> None:
    """Change an entity; what is not named stays. The fields are those of the API.

    tallystick entity set --legal-name "Acme Cloud GmbH" --country DE --tax-engine EU_VAT
    tallystick entity set --bank-account '{"holder": "Acme", "iban": "DE89..."}'
    tallystick entity set --clear vat_number --clear email
    """
    given = {name: value for name, value in settings.items() if value is not None}
    try:
        sent = body_of(given, clear or [])
    except ValueError as invalid:
        raise typer.BadParameter(f"That is not JSON: {invalid}.") from None
    if not sent:
        raise typer.BadParameter("Nothing to change: name at least one option.")
    body, unread = Reader(EntityPatch, "entity set").read_apart(sent)
    unread = Unread(tuple(map(by_option, unread.faults)), unread.fields)
    moved = body.address.model_dump(exclude_unset=True) if body.address is not None else {}

    async def work(app: App, tx: Tx) -> EntitySettings:
        ctx, entity_id = await chosen_entity(app, tx, tenant, entity, "ENTITY")

        def change(before: EntitySettings) -> EntitySettings:
            # The address is changed part by part; cleared as a whole only when asked to.
            said = said_about(body)
            kept = said["address"] if "address" in (clear or []) else before.address
            return replace(before, **said | {"address": replace(kept, **moved)})

        try:
            return await edit_entity(
                ctx, entity_id, change, wanted_accounts(body), unread=unread
            )
        except InvalidInput as refused:
            faults = tuple(map(by_option, refused.faults))
            raise InvalidInput(sentence(faults), faults) from None

    _print(operate(settings_with(data_dir=data_dir), work), as_json=as_json)


def _print(entity: EntitySettings, *, as_json: bool) -> None:
    shown = show_entity(entity)
    if as_json:
        typer.echo(shown.model_dump_json())
        return
    print_facts(_flat(shown.model_dump(mode="json")))


def _flat(facts: Mapping[str, Any], above: str = "") -> dict[str, object]:
    """Facts with the facts inside of them, one a line."""
    lines: dict[str, object] = {}
    for name, value in facts.items():
        match value:
            case Mapping():
                lines |= _flat(value, f"{above}{name}: ")
            case list():
                for number, one in enumerate(value, start=1):
                    lines |= _flat(one, f"{above}{name} {number}: ")
            case _:
                lines[f"{above}{name}"] = value
    return lines
