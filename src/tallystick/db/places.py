"""Places: how often one customer may have one plan, kept by a unique row per place."""

from typing import Literal
from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.db.one_row import hits_one_row


async def take(
    tx: Tx,
    tenant_id: UUID,
    customer_id: UUID,
    plan_id: UUID,
    places: int,
    holder: UUID,
    held_by: Literal["ATTEMPT", "SUBSCRIPTION"] = "ATTEMPT",
) -> bool:
    """Take the first free of `places` places for a holder; False when none is free.

    A customer who holds a place beyond them, from when more were allowed, has that many fewer.
    Two claims at once are serialized by the customer's lock, and failing that by the unique
    row: the second waits for the first one's end.
    """
    taken = await tx.fetchval(
        """
        with held as (
            select place from plan_places
            where tenant_id = $1 and customer_id = $2 and plan_id = $3)
        insert into plan_places (tenant_id, customer_id, plan_id, place, holder, held_by)
        select $1, $2, $3, free.place, $5, $6
        from generate_series(0, $4 - 1) as free (place)
        where free.place not in (select place from held) and (select count(*) from held) < $4
        order by free.place limit 1
        on conflict do nothing returning true
        """,
        tenant_id,
        customer_id,
        plan_id,
        places,
        holder,
        held_by,
    )
    return taken is not None


async def is_held_by(tx: Tx, tenant_id: UUID, subscription_id: UUID) -> bool:
    """Whether a subscription holds a place."""
    found: bool = await tx.fetchval(
        "select exists (select from plan_places where tenant_id = $1 and holder = $2)",
        tenant_id,
        subscription_id,
    )
    return found


async def held_of_plan(tx: Tx, tenant_id: UUID, customer_id: UUID, plan_id: UUID) -> int:
    """How many places of a plan a customer's subscriptions and payments hold."""
    found: int = await tx.fetchval(
        """
        select count(*) from plan_places
        where tenant_id = $1 and customer_id = $2 and plan_id = $3
        """,
        tenant_id,
        customer_id,
        plan_id,
    )
    return found


async def is_being_bought(tx: Tx, tenant_id: UUID, customer_id: UUID, plan_id: UUID) -> bool:
    """Whether a checkout of the plan that is being paid holds one of the customer's places."""
    found: bool = await tx.fetchval(
        """
        select exists (
            select from plan_places
            where tenant_id = $1 and customer_id = $2 and plan_id = $3
              and held_by = 'ATTEMPT')
        """,
        tenant_id,
        customer_id,
        plan_id,
    )
    return found


async def hand_over(tx: Tx, tenant_id: UUID, attempt_id: UUID, subscription_id: UUID) -> None:
    """The attempt succeeded: its place is the subscription's from now on."""
    done = await tx.execute(
        """
        update plan_places set holder = $3, held_by = 'SUBSCRIPTION'
        where tenant_id = $1 and holder = $2 and held_by = 'ATTEMPT'
        """,
        tenant_id,
        attempt_id,
        subscription_id,
    )
    hits_one_row(done, "the place of an attempt")


async def hand_over_if_taken(
    tx: Tx, tenant_id: UUID, attempt_id: UUID, subscription_id: UUID
) -> None:
    """The same for a subscription that had a place of its own, or none, when it was paid."""
    await tx.execute(
        """
        update plan_places set holder = $3, held_by = 'SUBSCRIPTION'
        where tenant_id = $1 and holder = $2 and held_by = 'ATTEMPT'
        """,
        tenant_id,
        attempt_id,
        subscription_id,
    )


async def give_back(tx: Tx, tenant_id: UUID, *holders: UUID) -> None:
    """Free the places that attempts took, or that subscriptions held which live no more."""
    await tx.execute(
        "delete from plan_places where tenant_id = $1 and holder = any($2)", tenant_id, holders
    )
