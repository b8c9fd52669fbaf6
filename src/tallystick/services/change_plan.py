"""Change the plan of a running subscription now, or show what that would bill."""

from dataclasses import replace
from uuid import UUID

from tallystick.db import (
    billed_lines,
    checkout_facts,
    prices,
    products,
)
from tallystick.db.engine import undone
from tallystick.domain.plan_change import changed_now
from tallystick.domain.renewal import adjustment_of, draft_of
from tallystick.services.bill_change import bill_change
from tallystick.services.context import Context
from tallystick.services.end_activations import end_activations
from tallystick.services.events import record_many
from tallystick.services.ids import new_id
from tallystick.services.plan_wanted import (
    PlanChanged,
    PlanChangeRequest,
    target_plan,
    to_change,
    wanted_offer,
)
from tallystick.services.subscription_events import subscription_event
from tallystick.services.take_at_once import details_of, locked
from tallystick.services.take_steps import renewal_facts
from tallystick.services.write_plan import write_plan


async def change_plan(
    ctx: Context, subscription_id: UUID, request: PlanChangeRequest, *, preview: bool
) -> PlanChanged:
    """Change a subscription's plan today. A preview is the same, undone.

    What is scheduled, a cancellation or another change, is replaced.

    Raises:
        NotFound: There is no such subscription or plan version.
        Conflict: It has not begun, waits for a checkout, or has ended.
        Busy: It is being paid for.
        InvalidInput: The version is a draft, the same, in another currency, or its components
            cannot be what is asked.
    """
    if not preview:
        return await _change(ctx, subscription_id, request)
    async with undone(ctx.transaction):
        found = await _change(ctx, subscription_id, request)
    unnumbered = None if found.invoice is None else replace(found.invoice, number=None)
    return replace(found, invoice=unnumbered)


async def _change(
    ctx: Context, subscription_id: UUID, request: PlanChangeRequest
) -> PlanChanged:
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    due = await to_change(ctx, subscription_id)
    before = due.contract
    offer = await wanted_offer(ctx, tx, before, request)
    billed = await billed_lines.last_billed(
        tx, tenant_id, subscription_id, [item.id for item in before.items], ctx.today
    )
    change = changed_now(before, target_plan(offer, request), ctx.today, billed)
    after = change.step.contract
    await products.insert_many(tx, tenant_id, offer.new_products, ctx.now)
    await prices.insert_many(tx, tenant_id, offer.new_prices, ctx.now)
    await write_plan(
        ctx,
        tx,
        after,
        version_id=offer.plan_version_id,
        ended=change.ended,
        joined=change.joined,
        day=change.step.day,
        moves_place=offer.plan_id != before.plan_id,
    )
    if before.awaits_checkout:
        await end_activations(ctx, tx, [before.id])
    product_ids = [item.product_id for item in after.items]
    facts = renewal_facts(
        due, await checkout_facts.load_product_taxes(tx, tenant_id, product_ids)
    )
    invoice_id = new_id()
    draft = (
        draft_of(change.step, (), facts, invoice_id=invoice_id, now=ctx.now)
        if before.in_free_trial
        else adjustment_of(change.step, facts, invoice_id=invoice_id, now=ctx.now)
    )
    invoice = None if draft is None else await bill_change(ctx, tx, draft, after)
    due = await locked(ctx, subscription_id)
    told = subscription_event(
        "subscription.updated", due, due.contract, change_type="plan_changed"
    )
    await record_many(ctx, [told])
    return PlanChanged(
        details=await details_of(ctx, subscription_id),
        invoice=invoice,
        matched=change.matched,
        added=len(change.joined) - change.matched,
        removed=len(change.ended) - change.matched,
    )
