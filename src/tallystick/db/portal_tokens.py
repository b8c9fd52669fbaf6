"""Portal tokens that open nothing any more, though their time is not over.

Tokens are not stored. What is stored is the exception: the id of one that was revoked, until it
would have ended, and the generation of a customer whose tokens were all revoked.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a token is held against: the generation that opens, and whether it was revoked."""

    generation: int
    is_revoked: bool


async def generation(tx: Tx, tenant_id: UUID, customer_id: UUID) -> int:
    """The generation of tokens that opens a customer's portal; 0 is the first."""
    found: int | None = await tx.fetchval(
        """
        select generation from portal_token_generations
        where tenant_id = $1 and customer_id = $2
        """,
        tenant_id,
        customer_id,
    )
    return found or 0


async def standing(tx: Tx, tenant_id: UUID, customer_id: UUID, token_id: UUID) -> Standing:
    """What a token of a customer is held against."""
    row = await tx.fetchrow(
        """
        select coalesce((select generation from portal_token_generations
                         where tenant_id = $1 and customer_id = $2), 0) as generation,
               exists (select from revoked_portal_tokens
                       where tenant_id = $1 and token_id = $3) as is_revoked
        """,
        tenant_id,
        customer_id,
        token_id,
    )
    assert row is not None, "a select without from yields one row"
    return Standing(**row)


async def revoke(
    tx: Tx, tenant_id: UUID, customer_id: UUID, token_id: UUID, expires_at: datetime
) -> None:
    """Note that a token opens nothing any more; twice is the same as once."""
    await tx.execute(
        """
        insert into revoked_portal_tokens (tenant_id, token_id, customer_id, expires_at)
        values ($1, $2, $3, $4) on conflict (tenant_id, token_id) do nothing
        """,
        tenant_id,
        token_id,
        customer_id,
        expires_at,
    )


async def revoke_all(tx: Tx, tenant_id: UUID, customer_id: UUID) -> None:
    """Begin a new generation: no token that a customer has until now opens anything."""
    await tx.execute(
        """
        insert into portal_token_generations as g (tenant_id, customer_id, generation)
        values ($1, $2, 1)
        on conflict (tenant_id, customer_id) do update set generation = g.generation + 1
        """,
        tenant_id,
        customer_id,
    )


async def forget_ended(tx: Tx) -> int:
    """Delete revoked tokens of all tenants whose time is over, and return how many."""
    tag = await tx.execute(
        "delete from revoked_portal_tokens where expires_at <= clock_timestamp()"
    )
    return int(tag.rpartition(" ")[2])
