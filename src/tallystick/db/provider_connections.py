"""Connections: the accounts at payment providers that entities are paid through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Row, Tx
from tallystick.db.leases import Leased, leased
from tallystick.domain.debit_scheme import DebitScheme
from tallystick.domain.provider_connection import ProviderConnection

CONNECTIONS: Codec[tuple[ProviderConnection, ...]] = Codec(tuple[ProviderConnection, ...])

OF_TENANT = """
    coalesce((
        select jsonb_agg(jsonb_build_object(
            'tenant_id', c.tenant_id, 'id', c.id,
            'invoicing_entity_id', c.invoicing_entity_id, 'provider', c.provider,
            'is_live', c.is_live, 'account', c.account, 'account_name', c.account_name,
            'publishable_key', c.publishable_key, 'secret_key', c.secret_key,
            'webhook_secrets', to_jsonb(array_remove(array[
                c.webhook_secret,
                case when c.old_webhook_secret_until > now() then c.old_webhook_secret end],
                null)),
            'is_open', c.disconnected_at is null,
            'debits', to_jsonb(c.debits)) order by c.connected_at, c.id)
        from provider_connections c where c.tenant_id = t.id), '[]')
"""
"""Every connection of the tenant `t`, as JSON."""

OLD_ACCEPTED_FOR = "interval '24 hours'"
"""How long a webhook's secret that was replaced is still accepted, in real time."""

_SEALED = ("secret_key", "webhook_secret", "old_webhook_secret")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFacts:
    """A connection as it may be shown; what else is known of it than its secrets."""

    connection: ProviderConnection
    webhook_endpoint: str | None
    connected_at: datetime
    disconnected_at: datetime | None
    heard_at: datetime | None
    unheard: int
    reconciled_until: datetime | None
    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecrets:
    """The secrets of a locked connection, as stored."""

    tenant_id: UUID
    id: UUID
    secrets: Mapping[str, str | None]


async def insert(
    tx: Tx, tenant_id: UUID, made: ProviderConnection, webhook_endpoint: str | None
) -> None:
    """Store a new connection, which has at most one secret of webhooks.

    Raises `UniqueViolation` (one_connection) where the entity has one that is open.
    """
    await tx.execute(
        """
        insert into provider_connections (tenant_id, id, invoicing_entity_id, provider,
            is_live, account, account_name, publishable_key, secret_key, webhook_secret,
            webhook_endpoint, debits)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        tenant_id,
        made.id,
        made.invoicing_entity_id,
        made.provider,
        made.is_live,
        made.account,
        made.account_name,
        made.publishable_key,
        made.secret_key,
        next(iter(made.webhook_secrets), None),
        webhook_endpoint,
        list(made.debits),
    )


async def replace_keys(
    tx: Tx, tenant_id: UUID, connection_id: UUID, publishable_key: str, secret_key: str
) -> None:
    """The account's keys have been replaced."""
    await tx.execute(
        """
        update provider_connections set publishable_key = $3, secret_key = $4
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        connection_id,
        publishable_key,
        secret_key,
    )


async def keep_debits(
    tx: Tx, tenant_id: UUID, connection_id: UUID, debits: Sequence[DebitScheme]
) -> None:
    """The account takes debits of these schemes, and of no other."""
    await tx.execute(
        "update provider_connections set debits = $3 where tenant_id = $1 and id = $2",
        tenant_id,
        connection_id,
        list(debits),
    )


async def replace_webhook_secret(
    tx: Tx, tenant_id: UUID, connection_id: UUID, secret: str, endpoint: str | None
) -> None:
    """Another secret signs what is sent; the one before is accepted for a day more."""
    await tx.execute(
        f"""
        update provider_connections
        set old_webhook_secret = webhook_secret,
            old_webhook_secret_until = case when webhook_secret is not null
                then clock_timestamp() + {OLD_ACCEPTED_FOR} end,
            webhook_secret = $3, webhook_endpoint = coalesce($4, webhook_endpoint)
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        connection_id,
        secret,
        endpoint,
    )


async def forget_webhook_secrets(tx: Tx, tenant_id: UUID, connection_id: UUID) -> None:
    """Nothing that is signed is accepted any more, until another secret is kept."""
    await tx.execute(
        """
        update provider_connections
        set webhook_secret = null, old_webhook_secret = null, old_webhook_secret_until = null
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        connection_id,
    )


async def disconnect(tx: Tx, tenant_id: UUID, connection_id: UUID) -> bool:
    """Begin nothing more through it; False where it was disconnected before."""
    done = await tx.execute(
        """
        update provider_connections set disconnected_at = now()
        where tenant_id = $1 and id = $2 and disconnected_at is null
        """,
        tenant_id,
        connection_id,
    )
    return bool(done == "UPDATE 1")


async def owner_of(tx: Tx, connection_id: UUID) -> UUID | None:
    """The tenant of a connection, None when there is none."""
    found: UUID | None = await tx.fetchval(
        "select tenant_id from provider_connections where id = $1", connection_id
    )
    return found


async def of_tenant(tx: Tx, tenant_id: UUID) -> list[ConnectionFacts]:
    """Every connection of a tenant, oldest first, with what was heard from it.

    `unheard` are the events that came and were not looked into yet. What its account took is
    compared with the books up to `reconciled_until`; `refusal` is why it cannot be.
    """
    rows = await tx.fetch(
        f"""
        select {OF_TENANT} as connections, f.id, f.webhook_endpoint, f.connected_at,
               f.disconnected_at, r.reconciled_until, r.refusal,
               (select max(received_at) from provider_events e
                where e.tenant_id = f.tenant_id and e.connection_id = f.id) as heard_at,
               (select count(*) from provider_events e
                where e.tenant_id = f.tenant_id and e.connection_id = f.id
                  and e.looked_into_at is null) as unheard
        from provider_connections f join tenants t on t.id = f.tenant_id
        left join reconciled_accounts r
          on r.tenant_id = f.tenant_id and r.provider = f.provider
         and r.account = f.account and r.is_live = f.is_live
        where f.tenant_id = $1 order by f.connected_at, f.id
        """,
        tenant_id,
    )
    return [_facts(row) for row in rows]


async def live_work(tx: Tx, tenant_id: UUID, provider: str) -> int:
    """How many payments a provider has still to decide, by its name."""
    found: int = await tx.fetchval(
        """
        select (select count(*) from payment_attempts
                where tenant_id = $1 and provider = $2 and state = 'LIVE')
             + (select count(*) from collections
                where tenant_id = $1 and provider = $2 and state = 'LIVE')
             + (select count(*) from refunds
                where tenant_id = $1 and provider = $2 and state = 'LIVE')
             + (select count(*) from transactions
                where tenant_id = $1 and provider = $2 and status = 'PENDING')
        """,
        tenant_id,
        provider,
    )
    return found


async def lock_sealed(tx: Tx) -> list[SealedSecrets]:
    """Lock every connection of every tenant, with its secrets as they are sealed."""
    rows = await tx.fetch(
        f"""
        select tenant_id, id, {", ".join(_SEALED)} from provider_connections
        order by tenant_id, id for update
        """
    )
    return [
        SealedSecrets(
            tenant_id=row["tenant_id"],
            id=row["id"],
            secrets={name: row[name] for name in _SEALED},
        )
        for row in rows
    ]


async def seal_again(tx: Tx, tenant_id: UUID, sealed: SealedSecrets) -> None:
    """Store the same secrets as another key has sealed them."""
    await tx.execute(
        """
        update provider_connections
        set secret_key = $3, webhook_secret = $4, old_webhook_secret = $5
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        sealed.id,
        *(sealed.secrets[name] for name in _SEALED),
    )


async def lease_due(tx: Tx, limit: int, seconds: float) -> list[Leased]:
    """Lease connections of every tenant that nobody has looked at for long; oldest first."""
    rows = await tx.fetch(
        """
        with due as (
            select tenant_id, id from provider_connections
            where check_at <= clock_timestamp()
            order by check_at limit $1 for no key update skip locked)
        update provider_connections c
        set check_at = clock_timestamp() + make_interval(secs => $2)
        from due where c.tenant_id = due.tenant_id and c.id = due.id
        returning c.tenant_id, c.id
        """,
        limit,
        seconds,
    )
    return leased(rows)


def _facts(row: Row) -> ConnectionFacts:
    every = {one.id: one for one in CONNECTIONS.load(row["connections"])}
    return ConnectionFacts(
        connection=every[row["id"]],
        webhook_endpoint=row["webhook_endpoint"],
        connected_at=row["connected_at"],
        disconnected_at=row["disconnected_at"],
        heard_at=row["heard_at"],
        unheard=row["unheard"],
        reconciled_until=row["reconciled_until"],
        refusal=row["refusal"],
    )
