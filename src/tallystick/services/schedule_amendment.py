"""Schedule an amendment for the end of the period, before the next one is billed."""

from dataclasses import replace
from uuid import UUID

from tallystick.db import scheduled_changes
from tallystick.db.engine import undone
from tallystick.domain.amendment import may_be_amended
from tallystick.domain.amendment_request import AmendmentRequest
from tallystick.domain.at_period_end import boundary_ahead, scheduled
from tallystick.domain.contract import Contract
from tallystick.domain.errors import Conflict
from tallystick.domain.scheduled import ScheduledAmendment
from tallystick.services.amendment_wanted import SubscriptionAmended, wanted_amendment
from tallystick.services.context import Context
from tallystick.services.events import record_many
from tallystick.services.plan_wanted import to_change
from tallystick.services.schedule_plan import made_ahead, renewal_ahead
from tallystick.services.subscription_events import subscription_event
from tallystick.services.take_at_once import details_of


async def schedule_amendment(
    ctx: Context, subscription_id: UUID, request: AmendmentRequest, *, preview: bool
) -> SubscriptionAmended:
    """Schedule an amendment, instead of one that was scheduled before.

    A preview stores nothing, and has the invoice of the boundary as far as it is known today.

    Raises:
        NotFound: There is no such subscription.
        Conflict: It has no period ahead, waits for a checkout or ends with its period, a
            change of its plan is scheduled, or slots wait to be paid.
        Busy: It is being paid for.
        InvalidInput: Every fault of the request, together.
    """
    if not preview:
        return await _schedule(ctx, subscription_id, request)
    async with undone(ctx.transaction):
        found = await _schedule(ctx, subscription_id, request)
        invoice = await renewal_ahead(ctx, ctx.transaction, subscription_id)
    return replace(found, invoice=invoice)


async def _schedule(
    ctx: Context, subscription_id: UUID, request: AmendmentRequest
) -> SubscriptionAmended:
    due = await to_change(ctx, subscription_id)
    may_be_amended(due.contract)
    _nothing_else_ahead(due.contract)
    day = boundary_ahead(due.contract)
    amendment = await wanted_amendment(ctx, due.contract, request, day=day, at_period_end=True)
    change = ScheduledAmendment(effective_on=day, amendment=amendment)
    contract = scheduled(due.contract, change)
    made_ahead(contract)
    await scheduled_changes.put(ctx.transaction, ctx.tenant.id, subscription_id, change)
    await record_many(ctx, [subscription_event("subscription.updated", due, contract)])
    return SubscriptionAmended(details=await details_of(ctx, subscription_id), invoice=None)


def _nothing_else_ahead(contract: Contract) -> None:
    if contract.cancelled_on is not None:
        day = contract.cancelled_on.isoformat()
        raise Conflict(f"This subscription is cancelled for {day}; reactivate it first")
    change = contract.scheduled
    if change is not None and not isinstance(change, ScheduledAmendment):
        day = change.effective_on.isoformat()
        raise Conflict(f"A change of the plan is scheduled for {day}; drop it first")
