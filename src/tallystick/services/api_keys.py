"""API keys: made, verified, listed, revoked.

A key is `tsk_test_` or `tsk_live_` and 32 random bytes in URL-safe base64. It is shown once;
what is kept is its SHA-256.
"""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass
from uuid import UUID

from tallystick.db import api_keys
from tallystick.db.api_keys import KeyRow
from tallystick.db.engine import Tx
from tallystick.db.tenants import TenantRow
from tallystick.domain.errors import NotFound
from tallystick.domain.scopes import ALL_SCOPES, KeyScope
from tallystick.services.context import Context, Tenant
from tallystick.services.ids import new_id

SECRET_BYTES = 32
HINT_CHARS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key just made. `secret` is shown now and never again."""

    id: UUID
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedKey:
    """A valid key, what it may do, and the tenant it speaks for."""

    id: UUID
    hash: bytes
    scopes: frozenset[KeyScope]
    tenant: Tenant


def hash_of(secret: str) -> bytes:
    """The SHA-256 of a whole key, as it is kept."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


async def create_api_key(
    ctx: Context, name: str, scopes: frozenset[KeyScope] = ALL_SCOPES
) -> NewKey:
    """Make a key for the context's tenant that may do what its scopes say, one at least."""
    assert scopes, "a key that may do nothing is none"
    random = base64.urlsafe_b64encode(os.urandom(SECRET_BYTES)).rstrip(b"=").decode()
    secret = f"tsk_{'test' if ctx.tenant.is_test else 'live'}_{random}"
    key_id = new_id()
    await api_keys.insert(
        ctx.transaction,
        ctx.tenant.id,
        key_id,
        name,
        hash_of(secret),
        secret[-HINT_CHARS:],
        scopes,
    )
    return NewKey(id=key_id, secret=secret)


async def list_api_keys(ctx: Context) -> list[KeyRow]:
    """Every key of the tenant, revoked ones included, without secrets."""
    return await api_keys.of_tenant(ctx.transaction, ctx.tenant.id)


async def revoke_api_key(ctx: Context, key_id: UUID) -> None:
    """Make a key invalid for ever, in every process, once the transaction is committed.

    Raises:
        NotFound: The tenant has no such key, or it is revoked already.
    """
    if not await api_keys.revoke(ctx.transaction, ctx.tenant.id, key_id):
        raise NotFound("This tenant has no valid API key with that id.")


async def verify_api_key(tx: Tx, secret_hash: bytes) -> VerifiedKey | None:
    """The key with this hash, None when it is unknown or revoked; that it is used is noted."""
    found = await api_keys.find(tx, secret_hash)
    if found is None or not hmac.compare_digest(found.hash, secret_hash):
        return None
    if found.is_stale:
        await api_keys.note_use(tx, found.tenant.id, found.key_id)
    return VerifiedKey(
        id=found.key_id,
        hash=found.hash,
        scopes=found.scopes,
        tenant=as_tenant(found.tenant),
    )


def as_tenant(row: TenantRow) -> Tenant:
    """A stored tenant as the verbs know it."""
    return Tenant(
        id=row.id,
        name=row.name,
        currency=row.currency,
        is_test=row.is_test,
        time_zone=row.time_zone,
        places_per_plan=row.places_per_plan,
        link_secret=row.link_secret,
        clock=row.clock,
        dunning_days=row.dunning_days,
        reminder_days_before=row.reminder_days_before,
        reminder_days_after=row.reminder_days_after,
        card_notice_days=row.card_notice_days,
        orphan_policy=row.orphan_policy,
        connections=row.connections,
    )
