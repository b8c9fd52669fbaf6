"""One subscription, locked, whose step is taken in the transaction of what made it due."""

from uuid import UUID

from tallystick.db import due_contracts, subscriptions
from tallystick.db.due_contracts import DueContract
from tallystick.db.engine import Tx
from tallystick.domain.billing_entries import SubscriptionDetails
from tallystick.domain.errors import NotFound
from tallystick.services.context import Context
from tallystick.services.finalize_due import finalize_at_once
from tallystick.services.take_steps import Taken, take_steps


async def locked(ctx: Context, subscription_id: UUID) -> DueContract:
    """Lock a subscription of the tenant; raises `NotFound` where there is none."""
    due = await due_contracts.lock_one(ctx.transaction, ctx.tenant.id, subscription_id)
    if due is None:
        raise NotFound("There is no such subscription.")
    return due


async def details_of(ctx: Context, subscription_id: UUID) -> SubscriptionDetails:
    """A subscription that exists, as it stands now."""
    details = await subscriptions.load(ctx.transaction, ctx.tenant.id, subscription_id)
    assert details is not None, "it is locked"
    return details


async def take_at_once(
    ctx: Context, tx: Tx, due: DueContract, *, tells_steps: bool = True
) -> Taken:
    """Take one contract's next step, and finalize its invoice in the same transaction."""
    (taken,) = await take_steps(ctx, tx, [due], tells_steps=tells_steps)
    if taken.draft is not None:
        await finalize_at_once(ctx, tx, [taken.draft.invoice.id])
    return taken
