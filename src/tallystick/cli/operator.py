"""What the operator's commands share: the application on its database, and whose tenant it is.

Who may use the command line may work for every tenant, so tenants, entities and keys are found
by their ids alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias, TypeVar, cast
from uuid import UUID

import typer
from pydantic import TypeAdapter, ValidationError

from tallystick.bootstrap import wired
from tallystick.cli.database import ready_dsn, refuse_missing
from tallystick.cli.terminal import FAILED, MISUSED, err, fail, failures_told
from tallystick.db import invoicing_entities, tenants
from tallystick.db.engine import Tx
from tallystick.db.migrate import migrate
from tallystick.domain.errors import InvalidInput, NotFound, TallystickError
from tallystick.domain.ids import MalformedId, Prefix, decode, encode
from tallystick.http.faults import faults_of
from tallystick.http.schema_paths import SchemaPaths
from tallystick.services.context import App, Context
from tallystick.services.tenant_context import tenant_context
from tallystick.settings import Settings

Result = TypeVar("Result")

ACTOR = "operator"

Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
TenantOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--tenant",
        metavar="TENANT",
        help="The tenant's id (ten_...). May be left out while there is only one.",
        show_default=False,
    ),
]


def operate(
    settings: Settings,
    work: Callable[[App, Tx], Awaitable[Result]],
    *,
    only_looks: bool = False,
) -> Result:
    """Run work in one transaction; start and migrate the database first where that is needed.

    Work that only looks needs a database that is there. What is refused is told, fault by
    fault, and ends the command.
    """
    if only_looks:
        refuse_missing(settings)
    with failures_told(), _refusals_told():
        with err.status("Opening the database..."):
            dsn = ready_dsn(settings)
        return asyncio.run(_operate(settings, dsn, work))


def operate_long(settings: Settings, work: Callable[[App], Awaitable[Result]]) -> Result:
    """The same for a long verb, which opens its own transactions."""
    with failures_told(), _refusals_told():
        with err.status("Opening the database..."):
            dsn = ready_dsn(settings)
        return asyncio.run(_operate_long(settings, dsn, work))


@contextmanager
def _refusals_told() -> Iterator[None]:
    try:
        yield
    except TallystickError as refused:
        told = [f"  {fault.field}: {fault.message}" for fault in refused.faults]
        message = "\n".join([refused.message, *told]) if len(told) > 1 else refused.message
        fail(message, MISUSED if isinstance(refused, InvalidInput) else FAILED)


async def _operate(
    settings: Settings, dsn: str, work: Callable[[App, Tx], Awaitable[Result]]
) -> Result:
    await migrate(dsn)
    async with wired(settings, dsn) as app, app.transaction() as tx:
        return await work(app, tx)


async def _operate_long(
    settings: Settings, dsn: str, work: Callable[[App], Awaitable[Result]]
) -> Result:
    await migrate(dsn)
    async with wired(settings, dsn) as app:
        return await work(app)


def real_now() -> datetime:
    """Real time: the command line is a door, and reads the clock."""
    return datetime.now(UTC)


async def context_of(app: App, tx: Tx, tenant_id: UUID) -> Context:
    """A context in the transaction, for a tenant."""
    ctx = await tenant_context(app, tx, tenant_id, real_now(), ACTOR)
    return ctx.within(tx)


async def chosen_tenant(tx: Tx, tenant: str | None) -> UUID:
    """The tenant that is meant: the named one, or the only one.

    Raises:
        NotFound: There is none, or more than one and none is named.
    """
    if tenant is not None:
        return id_of(Prefix.TENANT, tenant, "--tenant")
    known = await tenants.every(tx)
    if len(known) == 1:
        return known[0].id
    if not known:
        raise NotFound(
            "There is no tenant yet. Make one: tallystick tenant create NAME --currency EUR"
        )
    names = [f"  {encode(Prefix.TENANT, one.id)}  {one.name}" for one in known]
    raise NotFound("\n".join(["There are several tenants. Say which with --tenant:", *names]))


async def chosen_entity(
    app: App, tx: Tx, tenant: str | None, entity: str | None, name: str
) -> tuple[Context, UUID]:
    """The entity that is named, else the tenant's default one; with its tenant's context.

    `name` is what the command calls the entity.

    Raises:
        NotFound: There is no such entity, or no tenant that would be meant.
    """
    if entity is None:
        ctx = await context_of(app, tx, await chosen_tenant(tx, tenant))
        return ctx, await invoicing_entities.default_id(tx, ctx.tenant.id)
    entity_id = id_of(Prefix.INVOICING_ENTITY, entity, name)
    owner = await invoicing_entities.owner_of(tx, entity_id)
    if owner is None:
        raise NotFound(f"There is no invoicing entity {entity}.")
    return await context_of(app, tx, owner), entity_id


def id_of(prefix: Prefix, text: str, name: str) -> UUID:
    """The id behind a text; ends the command when there is none of the kind in it."""
    with suppress(MalformedId):
        return decode(prefix, text)
    raise typer.BadParameter(
        f"{text!r} is not an id that starts with {prefix.value}_.", param_hint=name
    )


def read_as(kind: object, value: object, name: str) -> Any:  # noqa: ANN401 - of the kind
    """A value read by the rules of the API; ends the command when it breaks them."""
    adapter: TypeAdapter[Any] = TypeAdapter(cast("type[Any]", kind))
    try:
        return adapter.validate_python(value)
    except ValidationError as invalid:
        problems = [
            {**problem, "loc": (name, *problem["loc"])}
            for problem in invalid.errors(include_url=False)
        ]
        message = "; ".join(
            fault.message if fault.field == name else f"{fault.field} {fault.message}"
            for fault in faults_of(problems, {name: SchemaPaths(kind)})
        )
        raise typer.BadParameter(f"{message}.", param_hint=name) from None
