"""Connect an invoicing entity to its account at a payment provider, and disconnect it."""

from dataclasses import dataclass, replace
from uuid import UUID

from tallystick.db import invoicing_entities, provider_connections, tenants
from tallystick.db.engine import Tx
from tallystick.db.provider_connections import ConnectionFacts, SealedSecrets
from tallystick.domain.debit_scheme import DebitScheme
from tallystick.domain.errors import Conflict, NotFound
from tallystick.domain.provider_connection import ProviderConnection
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.secret_box import CannotOpen, SecretBox


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountKeys:
    """An account at a provider and its keys, checked there by the caller.

    `webhook_endpoint` is the provider's name for what it sends to, where it was made with the
    connection. `debits` are the schemes whose debits the account takes.
    """

    provider: str
    is_live: bool
    account: str
    account_name: str | None
    publishable_key: str
    secret_key: str
    webhook_secret: str | None = None
    webhook_endpoint: str | None = None
    debits: tuple[DebitScheme, ...] = (DebitScheme.SEPA,)


def secret_box_of(ctx: Context) -> SecretBox:
    """What seals secrets.

    Raises:
        Conflict: The installation has no key to seal them with.
    """
    if ctx.app.secret_box is None:
        raise Conflict(
            "Set TALLYSTICK_ENCRYPTION_KEYS first, for every process: the provider's keys are "
            "kept under it. `tallystick provider make-key` prints a new key."
        )
    return ctx.app.secret_box


def fitting(ctx: Context, *, is_live: bool) -> None:
    """Refuse keys that do not suit the tenant.

    Raises:
        Conflict: They move real money for a test tenant, or none for a live one.
    """
    if is_live and ctx.tenant.is_test:
        raise Conflict(
            "This tenant is for tests, and these keys take real money: use the account's test "
            "keys, or make a live tenant (`tallystick tenant create --live`)."
        )
    if not is_live and not ctx.tenant.is_test:
        raise Conflict("This tenant takes real money, and these are test keys.")


def same_account(known: ProviderConnection | None, provider: str, account: str) -> None:
    """Refuse another account than the one that an entity is connected to, if it is.

    Raises:
        Conflict: It is another one.
    """
    if known is not None and (known.provider, known.account) != (provider, account):
        raise Conflict(
            f"This entity is connected to the account {known.account}. Disconnect that first: "
            "methods that are saved there cannot be charged through another account."
        )


async def connect_provider(
    ctx: Context, entity_id: UUID, keys: AccountKeys, connection_id: UUID | None = None
) -> ProviderConnection:
    """Connect an entity to an account; again with other keys of the same one to replace them.

    `connection_id` is the id that a new connection gets.

    Raises:
        NotFound: There is no such entity.
        Conflict: The keys do not suit the tenant, nothing can be sealed, or the entity is
            connected to another account.
    """
    box = secret_box_of(ctx)
    fitting(ctx, is_live=keys.is_live)
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    if await invoicing_entities.load(tx, tenant_id, entity_id) is None:
        raise NotFound("There is no such invoicing entity.")
    known = ctx.tenant.connection_of(entity_id)
    same_account(known, keys.provider, keys.account)
    connection = known or _new(tenant_id, entity_id, keys, connection_id or new_id())
    sealed = box.seal(keys.secret_key, connection.secret_key_place)
    if known is None:
        connection = replace(connection, secret_key=sealed)
        await provider_connections.insert(tx, tenant_id, connection, keys.webhook_endpoint)
    else:
        await provider_connections.replace_keys(
            tx, tenant_id, connection.id, keys.publishable_key, sealed
        )
        await provider_connections.keep_debits(tx, tenant_id, connection.id, keys.debits)
        connection = replace(connection, debits=keys.debits)
        if not can_hear(ctx, connection):
            # Whether none is kept or none can be read: what signs is told anew.
            await provider_connections.forget_webhook_secrets(tx, tenant_id, connection.id)
            connection = replace(connection, webhook_secrets=())
    if keys.webhook_secret is not None:
        await keep_webhook_secret(ctx, connection, keys.webhook_secret, keys.webhook_endpoint)
    await tenants.update(tx, tenant_id, {})
    return connection


def can_hear(ctx: Context, connection: ProviderConnection) -> bool:
    """Whether signing secrets are kept, and the settings have the keys that sealed them.

    Raises:
        Conflict: Nothing can be sealed.
    """
    box = secret_box_of(ctx)
    try:
        for one in connection.webhook_secrets:
            box.open(one, connection.webhook_secret_place)
    except CannotOpen:
        return False
    return bool(connection.webhook_secrets)


async def keep_webhook_secret(
    ctx: Context, connection: ProviderConnection, secret: str, endpoint: str | None
) -> None:
    """Accept what this secret signs; what the one before signs is accepted for a day more.

    Raises:
        Conflict: Nothing can be sealed, or what is kept cannot be opened.
    """
    box = secret_box_of(ctx)
    place = connection.webhook_secret_place
    if connection.webhook_secrets and not can_hear(ctx, connection):
        raise Conflict(
            "TALLYSTICK_ENCRYPTION_KEYS lacks the key that sealed what is kept: set it, or "
            "connect again with `tallystick provider connect stripe`."
        )
    if any(box.open(one, place) == secret for one in connection.webhook_secrets[:1]):
        return
    tx = ctx.transaction
    await provider_connections.replace_webhook_secret(
        tx, ctx.tenant.id, connection.id, box.seal(secret, place), endpoint
    )
    await tenants.update(tx, ctx.tenant.id, {})


async def keep_debits(
    ctx: Context, connection: ProviderConnection, debits: tuple[DebitScheme, ...]
) -> None:
    """Offer debits of these schemes from now on, which the account takes."""
    if debits == connection.debits:
        return
    tx = ctx.transaction
    await provider_connections.keep_debits(tx, ctx.tenant.id, connection.id, debits)
    await tenants.update(tx, ctx.tenant.id, {})


async def disconnect_provider(ctx: Context, connection: ProviderConnection) -> int:
    """Begin nothing more through a connection; what it began is looked after, refunds too.

    Returns how much of that is under way.

    Raises:
        Conflict: It was disconnected before.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    if not await provider_connections.disconnect(tx, tenant_id, connection.id):
        raise Conflict("This connection was disconnected before.")
    await tenants.update(tx, tenant_id, {})
    return await provider_connections.live_work(tx, tenant_id, connection.name)


async def open_connection(ctx: Context, entity_id: UUID) -> ProviderConnection:
    """The connection of an entity.

    Raises:
        NotFound: It has none.
    """
    found = ctx.tenant.connection_of(entity_id)
    if found is None:
        raise NotFound(
            "This invoicing entity is not connected to a payment provider: "
            "`tallystick provider connect stripe`."
        )
    return found


async def connections(ctx: Context) -> list[ConnectionFacts]:
    """Every connection of the tenant, oldest first, also those that are disconnected."""
    return await provider_connections.of_tenant(ctx.transaction, ctx.tenant.id)


async def seal_everything_again(tx: Tx, box: SecretBox) -> int:
    """Seal every secret of every tenant with the current key; return how many needed it.

    Raises:
        CannotOpen: One was sealed with a key that the box does not have; nothing is changed.
    """
    changed = 0
    for one in await provider_connections.lock_sealed(tx):
        fresh = {
            name: sealed if sealed is None else _sealed_again(box, one, name, sealed)
            for name, sealed in one.secrets.items()
        }
        again = sum(fresh[name] != one.secrets[name] for name in fresh)
        if again:
            await provider_connections.seal_again(
                tx, one.tenant_id, replace(one, secrets=fresh)
            )
        changed += again
    return changed


def _sealed_again(box: SecretBox, one: SealedSecrets, name: str, sealed: str) -> str:
    # A secret that was replaced is still one of its place.
    place = f"{one.tenant_id}/{one.id}/{name.removeprefix('old_')}"
    if box.is_current(sealed):
        return sealed
    return box.seal(box.open(sealed, place), place)


def _new(
    tenant_id: UUID, entity_id: UUID, keys: AccountKeys, connection_id: UUID
) -> ProviderConnection:
    return ProviderConnection(
        tenant_id=tenant_id,
        id=connection_id,
        invoicing_entity_id=entity_id,
        provider=keys.provider,
        is_live=keys.is_live,
        account=keys.account,
        account_name=keys.account_name,
        publishable_key=keys.publishable_key,
        secret_key="",
        webhook_secrets=(),
        is_open=True,
        debits=keys.debits,
    )
