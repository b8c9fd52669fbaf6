"""Cancel a subscription at a day or at the end of its period, or take that back."""

from dataclasses import replace
from datetime import date
from uuid import UUID

from tallystick.db import scheduled_changes, subscription_changes
from tallystick.db.engine import undone
from tallystick.domain.billing_entries import SubscriptionDetails
from tallystick.domain.cancellation import cancelled, reactivated
from tallystick.domain.errors import Busy
from tallystick.domain.life import next_day
from tallystick.services.context import Context
from tallystick.services.events import record_many
from tallystick.services.subscription_events import subscription_event
from tallystick.services.take_at_once import details_of, locked, take_at_once

BUSY_SECONDS = 15
"""When to ask again while a payment's outcome is not known."""


async def cancel_subscription(
    ctx: Context, subscription_id: UUID, on: date | None, reason: str | None
) -> SubscriptionDetails:
    """Cancel a subscription on a day; without one, at the end of its current period.

    A day that has come takes effect at once. What was scheduled is replaced.

    Raises:
        NotFound: There is no such subscription.
        Conflict: It has ended.
        Busy: It is being paid for.
        InvalidInput: The day is past, too far away, or after its own end.
    """
    tx = ctx.transaction
    due = await locked(ctx, subscription_id)
    if due.is_being_paid:
        raise Busy("A payment for this subscription is under way; ask again", BUSY_SECONDS)
    contract = cancelled(due.contract, on, ctx.today)
    await subscription_changes.save_ending(tx, ctx.tenant.id, contract, reason, ctx.now)
    await scheduled_changes.drop(tx, ctx.tenant.id, contract.id)
    due = replace(due, contract=contract, cancellation_reason=reason)
    if contract.cancelled_on == next_day(contract) == ctx.today:
        await take_at_once(ctx, tx, due)
    else:
        told = subscription_event(
            "subscription.updated",
            due,
            contract,
            change_type="cancellation_scheduled",
            cancellation_reason=reason,
        )
        await record_many(ctx, [told])
    return await details_of(ctx, subscription_id)


async def reactivate_subscription(
    ctx: Context, subscription_id: UUID, *, preview: bool = False
) -> SubscriptionDetails:
    """Take a scheduled cancellation back before it takes effect; that bills nothing by itself.

    A preview is the same, undone.

    Raises:
        NotFound: There is no such subscription.
        Conflict: No cancellation is scheduled, or its day has come.
    """
    if not preview:
        return await _reactivate(ctx, subscription_id)
    async with undone(ctx.transaction):
        return await _reactivate(ctx, subscription_id)


async def _reactivate(ctx: Context, subscription_id: UUID) -> SubscriptionDetails:
    due = await locked(ctx, subscription_id)
    contract = reactivated(due.contract, ctx.today)
    await subscription_changes.save_ending(
        ctx.transaction, ctx.tenant.id, contract, None, ctx.now
    )
    await record_many(ctx, [subscription_event("subscription.updated", due, contract)])
    return await details_of(ctx, subscription_id)
