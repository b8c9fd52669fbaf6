"""`tallystick provider`: the accounts that invoicing entities are paid through."""

import base64
import json
import os
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import typer

from tallystick.cli.operator import (
    Json,
    TenantOption,
    chosen_entity,
    chosen_tenant,
    context_of,
    operate,
)
from tallystick.cli.stripe_setup import (
    asked_for_keys,
    asked_for_webhook_secret,
    examined,
    registered,
)
from tallystick.cli.terminal import (
    FAILED,
    DataDir,
    err,
    fail,
    print_facts,
    print_table,
    settings_with,
)
from tallystick.db.engine import Tx
from tallystick.db.provider_connections import ConnectionFacts
from tallystick.domain.errors import NotFound
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.provider_connection import ProviderConnection
from tallystick.providers.stripe import StripeKeys
from tallystick.providers.stripe_account import AccountFacts
from tallystick.services.connect_provider import (
    AccountKeys,
    can_hear,
    connect_provider,
    connections,
    disconnect_provider,
    fitting,
    keep_debits,
    keep_webhook_secret,
    open_connection,
    same_account,
    seal_everything_again,
    secret_box_of,
)
from tallystick.services.context import App
from tallystick.services.events import instant_text
from tallystick.services.ids import new_id
from tallystick.services.secret_box import KEY_BYTES, CannotOpen, SecretBox
from tallystick.settings import Settings

app = typer.Typer(
    help="Connect invoicing entities to the accounts that they are paid through.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
connect = typer.Typer(help="Connect an invoicing entity to an account.", no_args_is_help=True)
app.add_typer(connect, name="connect")

EntityOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--entity",
        metavar="ENTITY",
        help="The invoicing entity (ive_...). Default: the tenant's default entity.",
        show_default=False,
    ),
]


@connect.command("stripe")
def connect_stripe(
    tenant: TenantOption = None,
    entity: EntityOption = None,
    *,
    webhook: Annotated[
        bool,
        typer.Option(
            "--webhook/--no-webhook",
            help="Have Stripe send its events to this installation's public address.",
        ),
    ] = True,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Let an entity be paid through an account of Stripe's.

    The keys come from STRIPE_SECRET_KEY and STRIPE_PUBLISHABLE_KEY, else they are asked for;
    they are checked with Stripe, and kept encrypted. Run again with new keys of the same
    account to replace them. STRIPE_WEBHOOK_SECRET is the signing secret of a webhook that you
    have made yourself, for which you say --no-webhook.

        tallystick provider connect stripe --tenant ten_... --entity ive_...
    """
    settings = settings_with(data_dir=data_dir)
    keys = asked_for_keys()
    hears_now, connection_id = _prepared(settings, keys, tenant, entity)
    facts = examined(keys, settings)
    if facts.missing:
        fail("\n".join(["The account cannot be used yet:", *facts.missing]), FAILED)
    url = _webhook_url(settings.base_url, connection_id)
    made = None
    if webhook and not keys.webhook_secrets and not hears_now:
        operate(settings, lambda app, tx: _same_account(app, tx, tenant, entity, facts))
        made = registered(keys, url, settings)
    account = AccountKeys(
        provider="stripe",
        is_live=keys.is_live,
        account=facts.account,
        account_name=facts.name,
        publishable_key=keys.publishable_key,
        secret_key=keys.secret_key,
        webhook_secret=next(iter(keys.webhook_secrets), None if made is None else made.secret),
        webhook_endpoint=None if made is None else made.endpoint,
        debits=facts.debits,
    )

    async def work(app: App, tx: Tx) -> ProviderConnection:
        ctx, entity_id = await chosen_entity(app, tx, tenant, entity, "--entity")
        return await connect_provider(ctx, entity_id, account, connection_id)

    done = operate(settings, work)
    hears = account.webhook_secret is not None or bool(done.webhook_secrets)
    _tell_connected(done, facts, url, hears=hears, as_json=as_json)


def _prepared(
    settings: Settings, keys: StripeKeys, tenant: str | None, entity: str | None
) -> tuple[bool, UUID]:
    """The id that the entity's connection has or gets, and whether it hears of events by now.

    What cannot be connected is refused before Stripe is asked.
    """

    async def work(app: App, tx: Tx) -> tuple[bool, UUID]:
        ctx, entity_id = await chosen_entity(app, tx, tenant, entity, "--entity")
        secret_box_of(ctx)
        fitting(ctx, is_live=keys.is_live)
        known = ctx.tenant.connection_of(entity_id)
        if known is None:
            return False, new_id()
        return can_hear(ctx, known), known.id

    return operate(settings, work)


async def _same_account(
    app: App, tx: Tx, tenant: str | None, entity: str | None, facts: AccountFacts
) -> None:
    """Refuse another account before it is told to send events here."""
    ctx, entity_id = await chosen_entity(app, tx, tenant, entity, "--entity")
    same_account(ctx.tenant.connection_of(entity_id), "stripe", facts.account)


def _tell_connected(
    done: ProviderConnection, facts: AccountFacts, url: str, *, hears: bool, as_json: bool
) -> None:
    shown = {
        "connection_id": encode(Prefix.PROVIDER_CONNECTION, done.id),
        "account": facts.account,
        "account_name": facts.name,
        "is_live": facts.is_live,
        "currency": facts.currency,
        "debits": [one.value for one in facts.debits],
        "webhook_url": url,
        "hears_events": hears,
    }
    if as_json:
        typer.echo(json.dumps(shown))
        return
    print_facts(shown | {"debits": _named(facts)})
    err.print("Connected. Running processes notice at once.")
    for sentence in facts.left_out:
        err.print(sentence)
    if not hears:
        err.print(
            f"Events: make a webhook for {url} in Stripe's dashboard, then keep its signing "
            "secret with `tallystick provider webhook-secret`. Until then payments are looked "
            "at when they are due."
        )


@app.command()
def show(
    tenant: TenantOption = None, *, as_json: Json = False, data_dir: DataDir = None
) -> None:
    """List the connections of a tenant, oldest first; never a secret."""

    async def work(app: App, tx: Tx) -> list[ConnectionFacts]:
        return await connections(await context_of(app, tx, await chosen_tenant(tx, tenant)))

    found = [
        _shown(one) for one in operate(settings_with(data_dir=data_dir), work, only_looks=True)
    ]
    if as_json:
        typer.echo(json.dumps({"data": found}))
        return
    columns = (
        *("connection_id", "invoicing_entity_id", "account", "state"),
        *("heard_at", "reconciled_until"),
    )
    rows = ([str(one[name] or "never") for name in columns] for one in found)
    print_table(rows, "id", "entity", "account", "state", "last event", "reconciled until")
    for one in found:
        if one["not_reconciled_because"] is not None:
            err.print(
                f"{one['account']} is not compared with the books: "
                f"{one['not_reconciled_because']}"
            )


@app.command()
def check(
    tenant: TenantOption = None,
    entity: EntityOption = None,
    *,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Ask the provider whether the kept keys work and the account may take payments.

    Which direct debits it takes is kept, and offered from then on. Ends with 1 where something
    is missing, and says what.
    """
    settings = settings_with(data_dir=data_dir)

    async def work(app: App, tx: Tx) -> tuple[ConnectionFacts, StripeKeys]:
        ctx, entity_id = await chosen_entity(app, tx, tenant, entity, "--entity")
        connection = await open_connection(ctx, entity_id)
        box = secret_box_of(ctx)
        every = await connections(ctx)
        facts = next(one for one in every if one.connection.id == connection.id)
        return facts, StripeKeys(
            secret_key=_opened(box, connection.secret_key, connection.secret_key_place),
            publishable_key=connection.publishable_key,
            webhook_secrets=tuple(
                _opened(box, one, connection.webhook_secret_place)
                for one in connection.webhook_secrets
            ),
        )

    facts, keys = operate(settings, work, only_looks=True)
    account = examined(keys, settings)
    missing = list(account.missing)
    is_same = account.account == facts.connection.account
    if is_same and account.debits != facts.connection.debits:
        operate(settings, lambda app, tx: _keep_debits(app, tx, tenant, entity, account))
    if account.account != facts.connection.account:
        missing.append(f"The keys are of another account now: {account.account}.")
    if not facts.connection.webhook_secrets:
        missing.append("No signing secret is kept: events are refused.")
    if facts.unheard:
        missing.append(f"{facts.unheard} events were not looked into yet: is a worker running?")
    shown = _shown(facts) | {
        "debits": [one.value for one in account.debits],
        "currency": account.currency,
        "missing": missing,
    }
    if as_json:
        typer.echo(json.dumps(shown))
    else:
        told = shown | {"debits": _named(account)}
        print_facts({name: value for name, value in told.items() if name != "missing"})
        for sentence in (*missing, *account.left_out):
            err.print(sentence)
    if missing:
        raise typer.Exit(FAILED)


async def _keep_debits(
    app: App, tx: Tx, tenant: str | None, entity: str | None, account: AccountFacts
) -> None:
    ctx, entity_id = await chosen_entity(app, tx, tenant, entity, "--entity")
    await keep_debits(ctx, await open_connection(ctx, entity_id), account.debits)


def _named(account: AccountFacts) -> str:
    return ", ".join(account.debits) or "none"


@app.command("webhook-secret")
def webhook_secret(
    tenant: TenantOption = None, entity: EntityOption = None, *, data_dir: DataDir = None
) -> None:
    """Keep another signing secret; the one before is accepted for 24 hours more.

    It comes from STRIPE_WEBHOOK_SECRET, else it is asked for.
    """
    secret = asked_for_webhook_secret()

    async def work(app: App, tx: Tx) -> None:
        ctx, entity_id = await chosen_entity(app, tx, tenant, entity, "--entity")
        await keep_webhook_secret(ctx, await open_connection(ctx, entity_id), secret, None)

    operate(settings_with(data_dir=data_dir), work)
    err.print("Kept. Both secrets are accepted for 24 hours.")


@app.command()
def disconnect(
    tenant: TenantOption = None,
    entity: EntityOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Begin nothing more through an entity's connection.

    What it began is still looked after: payments under way, debits, refunds, disputes. Methods
    that are saved there are charged no more.
    """
    if not yes:
        typer.confirm("Nothing can be paid online there afterwards. Disconnect?", abort=True)

    async def work(app: App, tx: Tx) -> int:
        ctx, entity_id = await chosen_entity(app, tx, tenant, entity, "--entity")
        return await disconnect_provider(ctx, await open_connection(ctx, entity_id))

    left = operate(settings_with(data_dir=data_dir), work)
    err.print(f"Disconnected. {left} payments of it are under way and will be looked after.")


@app.command("make-key")
def make_key() -> None:
    """Print a new key for TALLYSTICK_ENCRYPTION_KEYS. Needs no database."""
    typer.echo(base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode())


@app.command("rotate-key")
def rotate_key(*, data_dir: DataDir = None) -> None:
    """Seal every kept secret with the first of TALLYSTICK_ENCRYPTION_KEYS.

    Put the new key first and leave the old ones behind it, restart every process, run this,
    and then take the old ones out.
    """

    async def work(app: App, tx: Tx) -> int:
        if app.secret_box is None:
            raise NotFound("TALLYSTICK_ENCRYPTION_KEYS is not set.")
        try:
            return await seal_everything_again(tx, app.secret_box)
        except CannotOpen as closed:
            raise NotFound(
                f"A secret cannot be opened: {closed}. Nothing was changed."
            ) from None

    changed = operate(settings_with(data_dir=data_dir), work)
    err.print(f"{changed} secrets were sealed again; none is under another key any more.")


def _opened(box: SecretBox, sealed: str, place: str) -> str:
    try:
        return box.open(sealed, place)
    except CannotOpen as closed:
        raise NotFound(f"The kept keys cannot be opened: {closed}.") from None


def _webhook_url(base_url: str, connection_id: UUID) -> str:
    return f"{base_url}/inbound/stripe/{encode(Prefix.PROVIDER_CONNECTION, connection_id)}"


def _shown(facts: ConnectionFacts) -> dict[str, Any]:
    one = facts.connection
    return {
        "connection_id": encode(Prefix.PROVIDER_CONNECTION, one.id),
        "invoicing_entity_id": encode(Prefix.INVOICING_ENTITY, one.invoicing_entity_id),
        "provider": one.provider,
        "account": one.account,
        "account_name": one.account_name,
        "is_live": one.is_live,
        "publishable_key": one.publishable_key,
        "debits": [scheme.value for scheme in one.debits],
        "state": "connected" if one.is_open else "disconnected",
        "webhook_secrets": len(one.webhook_secrets),
        "connected_at": instant_text(facts.connected_at),
        "heard_at": None if facts.heard_at is None else instant_text(facts.heard_at),
        "unheard": facts.unheard,
        "reconciled_until": None
        if facts.reconciled_until is None
        else instant_text(facts.reconciled_until),
        "not_reconciled_because": facts.refusal,
    }
