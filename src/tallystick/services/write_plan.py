"""Write what a change of its plan makes of a locked subscription, and move its place."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from tallystick.db import due_contracts, places, scheduled_changes, subscription_changes
from tallystick.db.engine import Tx
from tallystick.domain.charges import Item
from tallystick.domain.contract import Contract
from tallystick.services.context import Context


async def write_plan(
    ctx: Context,
    tx: Tx,
    contract: Contract,
    *,
    version_id: UUID,
    ended: Sequence[Item],
    joined: Sequence[Item],
    day: date,
    moves_place: bool,
) -> None:
    """Write a contract with another plan, the items that left and joined on a day.

    What was scheduled is done with.
    """
    tenant_id = ctx.tenant.id
    await subscription_changes.save_plan(tx, tenant_id, contract, version_id)
    await subscription_changes.save_items(
        tx, tenant_id, contract.id, touched=ended, joined=joined, day=day, now=ctx.now
    )
    await scheduled_changes.drop(tx, tenant_id, contract.id)
    await due_contracts.move(tx, tenant_id, [contract], ctx.now)
    if moves_place:
        await _move_place(ctx, tx, contract)


async def _move_place(ctx: Context, tx: Tx, contract: Contract) -> None:
    """The place of the old plan is free, and one of the new plan taken, where there is one."""
    await places.give_back(tx, ctx.tenant.id, contract.id)
    await places.take(
        tx,
        ctx.tenant.id,
        contract.customer_id,
        contract.plan_id,
        ctx.tenant.places_per_plan,
        contract.id,
        "SUBSCRIPTION",
    )
