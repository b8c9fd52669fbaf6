"""What ends with an activation session that is cancelled: the subscription it was for."""

from dataclasses import replace
from uuid import UUID

from tallystick.db import due_contracts, subscription_changes
from tallystick.db.engine import Tx
from tallystick.domain.life import is_over
from tallystick.services.context import Context
from tallystick.services.take_at_once import take_at_once


async def cancel_activated(ctx: Context, tx: Tx, subscription_id: UUID) -> None:
    """Cancel a subscription today, because its session was; one that has ended stays so.

    What was due before and not taken yet is taken first, each step on its day.
    """
    due = await due_contracts.lock_one(tx, ctx.tenant.id, subscription_id)
    assert due is not None, "an activation session has its subscription"
    contract = due.contract
    if is_over(contract):
        return
    day = ctx.today if contract.end_date is None else min(ctx.today, contract.end_date)
    contract = replace(contract, cancelled_on=day)
    await subscription_changes.save_ending(tx, ctx.tenant.id, contract, None, ctx.now)
    while not is_over(contract):
        taken = await take_at_once(ctx, tx, replace(due, contract=contract))
        contract = taken.step.contract
