"""Schedule a change of the plan for the end of the period, or drop what is scheduled."""

from dataclasses import replace
from uuid import UUID

from tallystick.db import invoices, scheduled_changes, subscription_changes
from tallystick.db.engine import Tx, undone
from tallystick.domain.at_period_end import (
    Applied,
    applied,
    boundary_ahead,
    scheduled,
)
from tallystick.domain.billing_entries import InvoiceEntry, SubscriptionDetails
from tallystick.domain.contract import Contract
from tallystick.domain.errors import Conflict
from tallystick.domain.life import next_day
from tallystick.domain.scheduled import ScheduledPlan
from tallystick.services.context import Context
from tallystick.services.events import record_many
from tallystick.services.plan_wanted import (
    PlanChanged,
    PlanChangeRequest,
    target_plan,
    to_change,
    wanted_offer,
)
from tallystick.services.subscription_events import subscription_event
from tallystick.services.take_at_once import details_of, locked
from tallystick.services.take_steps import take_steps


async def schedule_plan(
    ctx: Context, subscription_id: UUID, request: PlanChangeRequest, *, preview: bool
) -> PlanChanged:
    """Schedule a change of the plan for the end of the period, instead of what was scheduled.

    A preview stores nothing, and has the invoice of the boundary as far as it is known today.

    Raises:
        NotFound: There is no such subscription or plan version.
        Conflict: It has no period ahead, waits for a checkout, ends with its period, or slots
            wait to be paid.
        Busy: It is being paid for.
        InvalidInput: The version is a draft, the same, in another currency, or its components
            cannot be what is asked.
    """
    if not preview:
        return await _schedule(ctx, subscription_id, request)
    tx = ctx.transaction
    async with undone(tx):
        found = await _schedule(ctx, subscription_id, request)
        invoice = await renewal_ahead(ctx, tx, subscription_id)
    return replace(found, invoice=invoice)


async def drop_scheduled(ctx: Context, subscription_id: UUID) -> SubscriptionDetails:
    """Drop what is scheduled for the end of the period.

    Raises:
        NotFound: There is no such subscription.
        Conflict: Nothing is scheduled, or its day has come.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    due = await locked(ctx, subscription_id)
    change = due.contract.scheduled
    details = await details_of(ctx, subscription_id)
    is_set_aside = details.subscription.billing_error is not None
    if change is None:
        raise Conflict("No change of this subscription is scheduled")
    if change.effective_on <= ctx.today and not is_set_aside:
        day = change.effective_on.isoformat()
        raise Conflict(f"The change of this subscription takes effect as of {day}")
    await scheduled_changes.drop(tx, tenant_id, subscription_id)
    await subscription_changes.try_again(tx, tenant_id, subscription_id, ctx.now)
    contract = replace(due.contract, scheduled=None)
    await record_many(ctx, [subscription_event("subscription.updated", due, contract)])
    return await details_of(ctx, subscription_id)


async def _schedule(
    ctx: Context, subscription_id: UUID, request: PlanChangeRequest
) -> PlanChanged:
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    due = await to_change(ctx, subscription_id)
    day = boundary_ahead(due.contract)
    offer = await wanted_offer(ctx, tx, due.contract, request)
    change = ScheduledPlan(
        effective_on=day,
        plan=target_plan(offer, request),
        plan_version_id=offer.plan_version_id,
        plan_name=offer.plan_name,
        plan_version=offer.plan_version,
        new_products=offer.new_products,
        new_prices=offer.new_prices,
    )
    contract = scheduled(due.contract, change)
    made = made_ahead(contract)
    await subscription_changes.save_ending(tx, tenant_id, contract, None, ctx.now)
    await scheduled_changes.put(tx, tenant_id, subscription_id, change)
    await record_many(ctx, [subscription_event("subscription.updated", due, contract)])
    return PlanChanged(
        details=await details_of(ctx, subscription_id),
        invoice=None,
        matched=made.matched,
        added=len(made.joined) - made.matched,
        removed=len(made.ended) - made.matched,
    )


def made_ahead(contract: Contract) -> Applied:
    """What the change would make of the contract as it stands, so that it can be made."""
    assert contract.scheduled is not None, "it was just scheduled"
    made = applied(contract, contract.scheduled.effective_on)
    assert made is not None, "it is due on its day"
    return made


async def renewal_ahead(ctx: Context, tx: Tx, subscription_id: UUID) -> InvoiceEntry | None:
    """Take every step up to the change, and return the draft of the last one, if any."""
    due = await locked(ctx, subscription_id)
    assert due.contract.scheduled is not None, "it was just scheduled"
    until = due.contract.scheduled.effective_on
    draft = None
    while (day := next_day(due.contract)) is not None and day <= until:
        (taken,) = await take_steps(ctx, tx, [due])
        draft = taken.draft
        due = await locked(ctx, subscription_id)
    if draft is None:
        return None
    return await invoices.load(tx, ctx.tenant.id, draft.invoice.id)
