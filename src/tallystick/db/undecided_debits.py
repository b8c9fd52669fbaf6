"""Whether a payment still waits for its provider's final word."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Tx

_EXISTS = """
    select exists (
               select from payment_attempts
               where tenant_id = $1 and provider = $2 and reference = $3 and state = 'LIVE')
        or exists (
               select from collections
               where tenant_id = $1 and provider = $2 and reference = $3 and state = 'LIVE')
        or exists (
               select from transactions
               where tenant_id = $1 and provider = $2 and reference = $3
                 and payment_type = 'PAYMENT' and status = 'PENDING')
"""


async def exists(tx: Tx, tenant_id: UUID, provider: str, reference: str) -> bool:
    """Whether something of ours is open under the reference: attempt, try, or transaction."""
    found: bool = await tx.fetchval(_EXISTS, tenant_id, provider, reference)
    return found


async def asked_as(tx: Tx, tenant_id: UUID, names: Sequence[str], reference: str) -> str | None:
    """By which of a provider's names something of ours was asked under the reference, if ever.

    A provider's account may be used by others of the merchant's programs, too.
    """
    found: str | None = await tx.fetchval(
        """
        select provider from payment_attempts
        where tenant_id = $1 and provider = any($2) and reference = $3
        union all
        select provider from collections
        where tenant_id = $1 and provider = any($2) and reference = $3
        limit 1
        """,
        tenant_id,
        names,
        reference,
    )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingDebit:
    """A payment that a provider accepted and has not decided."""

    id: UUID
    reference: str
    created_at: datetime


async def pending(
    tx: Tx,
    tenant_id: UUID,
    provider: str,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[PendingDebit]:
    """The pending payments at a provider, oldest first; those that come `after` one."""
    rows = await tx.fetch(
        """
        select id, reference, created_at from transactions
        where tenant_id = $1 and provider = $2 and status = 'PENDING'
          and payment_type = 'PAYMENT'
          and ($3::timestamptz is null or (created_at, id) > ($3, $4::uuid))
        order by created_at, id limit $5
        """,
        tenant_id,
        provider,
        *((None, None) if after is None else after),
        limit,
    )
    return [PendingDebit(**dict(row)) for row in rows]
