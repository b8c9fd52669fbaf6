"""Refunds that the test bank gave, and those that came back to it (schema `sandbox`)."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.db.engine import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    """A refund by its caller's key; `failure` says why it did not reach its account."""

    reference: str
    amount: int
    failure: str | None


async def add(tx: Tx, tenant_id: UUID, key: str, reference: str, amount: int) -> None:
    """Money of a locked intent went back under a key."""
    await tx.execute(
        """
        insert into sandbox.refunds (tenant_id, key, reference, amount)
        values ($1, $2, $3, $4)
        """,
        tenant_id,
        key,
        reference,
        amount,
    )


async def find(tx: Tx, tenant_id: UUID, key: str) -> GivenBack | None:
    """What went back under a key."""
    row = await tx.fetchrow(
        """
        select reference, amount, failure from sandbox.refunds
        where tenant_id = $1 and key = $2
        """,
        tenant_id,
        key,
    )
    return None if row is None else GivenBack(**dict(row))


async def fail(tx: Tx, tenant_id: UUID, key: str, failure: str) -> None:
    """A refund of a locked intent did not reach its account."""
    await tx.execute(
        """
        update sandbox.refunds set failure = $3, failed_at = now()
        where tenant_id = $1 and key = $2
        """,
        tenant_id,
        key,
        failure,
    )


async def failed(tx: Tx, limit: int) -> list[tuple[UUID, str]]:
    """Tenant and intent of the refunds that failed in the last days, newest first."""
    rows = await tx.fetch(
        """
        select tenant_id, reference from sandbox.refunds
        where failed_at > now() - interval '3 days'
        group by tenant_id, reference order by max(failed_at) desc limit $1
        """,
        limit,
    )
    return [(row["tenant_id"], row["reference"]) for row in rows]
