"""Places: how often one customer may have one plan, kept by a unique row per place."""

from uuid import UUID

from tallystick.db.engine import Tx


async def take(
    tx: Tx, tenant_id: UUID, customer_id: UUID, plan_id: UUID, places: int, attempt_id: UUID
) -> bool:
    """Take the first free of `places` places for an attempt; False when none is free.

    Two claims at once are serialized by the unique row: the second waits for the first one's
    end.
    """
    for place in range(places):
        taken = await tx.fetchval(
            """
            insert into plan_places (tenant_id, customer_id, plan_id, place, holder, held_by)
            values ($1, $2, $3, $4, $5, 'ATTEMPT')
            on conflict do nothing returning true
            """,
            tenant_id,
            customer_id,
            plan_id,
            place,
            attempt_id,
        )
        if taken:
            return True
    return False


async def hand_over(tx: Tx, tenant_id: UUID, attempt_id: UUID, subscription_id: UUID) -> None:
    """The attempt succeeded: its place is the subscription's from now on."""
    await tx.execute(
        """
        update plan_places set holder = $3, held_by = 'SUBSCRIPTION'
        where tenant_id = $1 and holder = $2 and held_by = 'ATTEMPT'
        """,
        tenant_id,
        attempt_id,
        subscription_id,
    )


async def give_back(tx: Tx, tenant_id: UUID, holder: UUID) -> None:
    """Free the place that an attempt took, or that a subscription held."""
    await tx.execute(
        "delete from plan_places where tenant_id = $1 and holder = $2", tenant_id, holder
    )
