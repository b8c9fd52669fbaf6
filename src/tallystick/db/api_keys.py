"""API keys: kept as SHA-256, found by it, revoked once; and the channel that tells of it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import structlog

from tallystick.db.engine import Database, DatabaseUnavailable, Row, Tx
from tallystick.db.tenants import COLUMNS, TenantRow, tenant_of
from tallystick.domain.scopes import KeyScope

CHANNEL = "tallystick_api_keys"
"""Carries the hash of a changed key, in hex, or `tenant:<uuid>` for a changed tenant."""

PING_SECONDS = 10.0
RECONNECT_SECONDS = 1.0

log = structlog.get_logger(__name__)

_INSERT = """
    insert into api_keys (tenant_id, id, name, hash, hint, scopes)
    values ($1, $2, $3, $4, $5, $6)
"""

_FIND = f"""
    select k.id as key_id, k.hash, k.scopes,
        coalesce(k.last_used_at < now() - interval '1 minute', true) as is_stale, {COLUMNS}
    from api_keys k join tenants t on t.id = k.tenant_id
    where k.hash = $1 and k.revoked_at is null
"""

_OF_TENANT = """
    select id, name, hint, scopes, created_at, last_used_at, revoked_at from api_keys
    where tenant_id = $1 order by created_at, id
"""

# Whoever else notes it just now does so for everybody: nobody waits for a note.
_NOTE_USE = """
    update api_keys set last_used_at = now()
    where tenant_id = $1 and id in (
        select id from api_keys where tenant_id = $1 and id = $2
          and (last_used_at is null or last_used_at < now() - interval '1 minute')
        for no key update skip locked
    )
"""

_REVOKE = """
    update api_keys set revoked_at = now()
    where tenant_id = $1 and id = $2 and revoked_at is null
    returning id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOfTenant:
    """A key that was found by its hash, with what it may do and the tenant it speaks for.

    `is_stale` tells that its use has not been noted within the last minute.
    """

    key_id: UUID
    hash: bytes
    scopes: frozenset[KeyScope]
    is_stale: bool
    tenant: TenantRow


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key as it may be listed: never its secret. `hint` is its last characters.

    `last_used_at` is real time, to the minute; None before the first use.
    """

    id: UUID
    name: str
    hint: str
    scopes: frozenset[KeyScope]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


async def insert(
    tx: Tx,
    tenant_id: UUID,
    key_id: UUID,
    name: str,
    secret_hash: bytes,
    hint: str,
    scopes: frozenset[KeyScope],
) -> None:
    """Store a new key."""
    may = sorted(scope.value for scope in scopes)
    await tx.execute(_INSERT, tenant_id, key_id, name, secret_hash, hint, may)


async def find(tx: Tx, secret_hash: bytes) -> KeyOfTenant | None:
    """The key with this hash and its tenant, None when there is none or it is revoked."""
    row = await tx.fetchrow(_FIND, secret_hash)
    if row is None:
        return None
    return KeyOfTenant(
        key_id=row["key_id"],
        hash=row["hash"],
        scopes=_scopes(row),
        is_stale=row["is_stale"],
        tenant=tenant_of(row),
    )


async def note_use(tx: Tx, tenant_id: UUID, key_id: UUID) -> None:
    """Note that a key is in use, at most once a minute, and without waiting for anybody."""
    await tx.execute(_NOTE_USE, tenant_id, key_id)


async def owner_of(tx: Tx, key_id: UUID) -> UUID | None:
    """The tenant of a key, for those who may work for every tenant."""
    found: UUID | None = await tx.fetchval(
        "select tenant_id from api_keys where id = $1", key_id
    )
    return found


async def of_tenant(tx: Tx, tenant_id: UUID) -> list[KeyRow]:
    """Every key of a tenant, revoked ones included, oldest first."""
    return [_key(row) for row in await tx.fetch(_OF_TENANT, tenant_id)]


async def revoke(tx: Tx, tenant_id: UUID, key_id: UUID) -> bool:
    """Revoke a key for ever and return whether it was valid until now."""
    return await tx.fetchval(_REVOKE, tenant_id, key_id) is not None


async def watch(
    db: Database, on_change: Callable[[str], None], on_lost: Callable[[], None]
) -> None:
    """Hand on what the channel says for as long as this runs; ends when it is cancelled.

    Args:
        db: Where to listen, on a connection of its own.
        on_change: Called with each payload, and with '' once listening has begun.
        on_lost: Called when nothing can be heard any more, until `on_change('')`.
    """
    while True:
        try:
            async with db.own_connection() as connection:
                await _listen(connection, on_change, on_lost)
        except (DatabaseUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            log.warning("api_keys.channel_lost")
        finally:
            on_lost()
        await asyncio.sleep(RECONNECT_SECONDS)


async def _listen(
    connection: Tx, on_change: Callable[[str], None], on_lost: Callable[[], None]
) -> None:
    """Listen until the connection ends; a ping finds out about a network that went silent."""
    ended = asyncio.Event()

    def notice_end(_: object) -> None:
        on_lost()
        ended.set()

    connection.add_termination_listener(notice_end)
    await connection.add_listener(CHANNEL, lambda _c, _p, _n, text: on_change(str(text)))
    on_change("")
    while not ended.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), PING_SECONDS)
        if not ended.is_set():
            await connection.execute("select 1", timeout=PING_SECONDS)


def _key(row: Row) -> KeyRow:
    return KeyRow(
        id=row["id"],
        name=row["name"],
        hint=row["hint"],
        scopes=_scopes(row),
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
    )


def _scopes(row: Row) -> frozenset[KeyScope]:
    return frozenset(KeyScope(scope) for scope in row["scopes"])
