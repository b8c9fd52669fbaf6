"""Idempotency keys: the first request under a key claims its row, repeats find it.

A claim inserts the row; whoever comes second waits on it until the first one's transaction has
ended, at most for the session's lock timeout. Rows live for 24 hours of real time.
"""

from dataclasses import dataclass
from uuid import UUID

from tallystick.db.engine import Tx

_LIFE = "interval '24 hours'"

_CLAIM = f"""
    insert into idempotency_keys as k
        (tenant_id, operation, key, request_hash, state, subject_id)
    values ($1, $2, $3, $4, 'IN_PROGRESS', $5)
    on conflict (tenant_id, operation, key) do update
        set request_hash = excluded.request_hash, state = 'IN_PROGRESS',
            subject_id = excluded.subject_id, status = null, answer = null, created_at = now()
        where k.created_at < now() - {_LIFE}
    returning true
"""

_FIND = f"""
    select request_hash, subject_id, status, answer
    from idempotency_keys
    where tenant_id = $1 and operation = $2 and key = $3 and created_at >= now() - {_LIFE}
"""

_KEEP = """
    update idempotency_keys set state = 'DONE', status = $4, answer = $5
    where tenant_id = $1 and operation = $2 and key = $3 and state = 'IN_PROGRESS'
"""

_FORGET = """
    delete from idempotency_keys
    where tenant_id = $1 and operation = $2 and key = $3 and state = 'IN_PROGRESS'
"""

_DISCARD = f"""
    delete from idempotency_keys
    where tenant_id = $1 and operation = $2 and key = $3 and created_at < now() - {_LIFE}
"""

_PURGE = f"""
    delete from idempotency_keys where ctid = any (array(
        select ctid from idempotency_keys where created_at < now() - {_LIFE} limit $1))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySlot:
    """Which of a tenant's rows: the operation (method and path) and the caller's key."""

    operation: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What is known of an earlier request; `status` None while it is unfinished."""

    request_hash: bytes
    subject_id: UUID | None
    status: int | None
    answer: str | None


async def claim(
    tx: Tx, tenant_id: UUID, slot: KeySlot, request_hash: bytes, subject_id: UUID | None = None
) -> bool:
    """Insert the row and return True, or False when an earlier request has it.

    Raises:
        LockTimeout: The earlier request is still running after the lock timeout.
    """
    row = await tx.fetchval(
        _CLAIM, tenant_id, slot.operation, slot.key, request_hash, subject_id
    )
    return row is not None


async def find(tx: Tx, tenant_id: UUID, slot: KeySlot) -> Earlier | None:
    """What an earlier request under the key left, None when there is none of the last 24 h."""
    row = await tx.fetchrow(_FIND, tenant_id, slot.operation, slot.key)
    if row is None:
        return None
    return Earlier(
        request_hash=row["request_hash"],
        subject_id=row["subject_id"],
        status=row["status"],
        answer=row["answer"],
    )


async def keep(tx: Tx, tenant_id: UUID, slot: KeySlot, status: int, answer: str) -> None:
    """Store the answer, unless one is stored already."""
    await tx.execute(_KEEP, tenant_id, slot.operation, slot.key, status, answer)


async def forget(tx: Tx, tenant_id: UUID, slot: KeySlot) -> None:
    """Give the key free again: its request was refused in a way that is not kept."""
    await tx.execute(_FORGET, tenant_id, slot.operation, slot.key)


async def discard_outlived(tx: Tx, tenant_id: UUID, slot: KeySlot) -> None:
    """Delete the key's row if it is older than 24 hours and only stands in the way."""
    await tx.execute(_DISCARD, tenant_id, slot.operation, slot.key)


async def purge(tx: Tx, limit: int) -> int:
    """Delete up to `limit` rows older than 24 hours and return how many there were."""
    tag: str = await tx.execute(_PURGE, limit)
    return int(tag.rpartition(" ")[2])
