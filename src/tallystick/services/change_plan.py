"""Change the plan of a running subscription now, or show what that would bill."""

from dataclasses import dataclass, replace
from uuid import UUID

from tallystick.db import (
    billed_lines,
    checkout_facts,
    customers,
    draft_writes,
    due_contracts,
    invoices,
    places,
    prices,
    products,
    subscription_changes,
    subscriptions,
)
from tallystick.db.draft_writes import NewDraft
from tallystick.db.due_contracts import DueContract
from tallystick.db.engine import Tx, undone
from tallystick.domain.billing_entries import InvoiceEntry, SubscriptionDetails
from tallystick.domain.checkout_request import CheckoutRequest
from tallystick.domain.contract import Contract
from tallystick.domain.errors import Conflict, Fault, InvalidInput, NotFound
from tallystick.domain.life import is_over, next_day
from tallystick.domain.offer import Offer
from tallystick.domain.offer_request import OfferRequest
from tallystick.domain.plan_change import NewPlan, PlanChange, changed_now
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.domain.renewal import Draft, adjustment_of, draft_of
from tallystick.services.context import Context
from tallystick.services.events import record_many
from tallystick.services.finalize_due import finalize_at_once
from tallystick.services.ids import new_id
from tallystick.services.purchase_events import invoice_event
from tallystick.services.resolve_request import resolve_request
from tallystick.services.subscription_events import subscription_event
from tallystick.services.take_at_once import details_of, locked
from tallystick.services.take_steps import renewal_facts, start_of, take_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChangeRequest:
    """The version to change to, and how its components differ for this subscription."""

    plan_version_id: UUID
    components: OfferRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged:
    """A subscription whose plan was changed, or would be, and what it is billed at once.

    Components by their products: those that replace another, that are new, that are gone.
    """

    details: SubscriptionDetails
    invoice: InvoiceEntry | None
    matched: int
    added: int
    removed: int


async def change_plan(
    ctx: Context, subscription_id: UUID, request: PlanChangeRequest, *, preview: bool
) -> PlanChanged:
    """Change a subscription's plan today. A preview is the same, undone.

    Raises:
        NotFound: There is no such subscription or plan version.
        Conflict: It has not begun, waits for a checkout, or has ended.
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
    details = await subscriptions.load(tx, tenant_id, subscription_id)
    if details is None:
        raise NotFound("There is no such subscription.")
    await customers.load(tx, tenant_id, details.subscription.customer_id, lock=True)
    due = await _up_to_date(ctx, tx, subscription_id)
    details = await details_of(ctx, subscription_id)
    if request.plan_version_id == details.subscription.plan_version_id:
        raise _refused("same_version", "is the version that this subscription has")
    before = due.contract
    offer = await _offer(ctx, tx, before, request)
    billed = await billed_lines.last_billed(
        tx, tenant_id, subscription_id, [item.id for item in before.items], ctx.today
    )
    change = changed_now(before, _new_plan(offer, request), ctx.today, billed)
    await products.insert_many(tx, tenant_id, offer.new_products, ctx.now)
    await prices.insert_many(tx, tenant_id, offer.new_prices, ctx.now)
    await _write(ctx, tx, change, offer.plan_version_id)
    if offer.plan_id != before.plan_id:
        await _move_place(ctx, tx, change.step.contract)
    product_ids = [item.product_id for item in change.step.contract.items]
    facts = renewal_facts(
        due, await checkout_facts.load_product_taxes(tx, tenant_id, product_ids)
    )
    invoice_id = new_id()
    draft = (
        draft_of(change.step, (), facts, invoice_id=invoice_id, now=ctx.now)
        if before.in_free_trial
        else adjustment_of(change.step, facts, invoice_id=invoice_id, now=ctx.now)
    )
    invoice = None if draft is None else await _bill(ctx, tx, draft, change.step.contract)
    after = await locked(ctx, subscription_id)
    told = subscription_event(
        "subscription.updated", after, after.contract, change_type="plan_changed"
    )
    await record_many(ctx, [told])
    return PlanChanged(
        details=await details_of(ctx, subscription_id),
        invoice=invoice,
        matched=change.matched,
        added=len(change.joined) - change.matched,
        removed=len(change.ended) - change.matched,
    )


def _new_plan(offer: Offer, request: PlanChangeRequest) -> NewPlan:
    return NewPlan(
        plan_id=offer.plan_id,
        items=offer.items,
        chosen_slots=frozenset(
            one.component_id
            for one in request.components.parameterized
            if one.parameters.initial_slot_count is not None
        ),
    )


async def _up_to_date(ctx: Context, tx: Tx, subscription_id: UUID) -> DueContract:
    """The locked contract, with every step taken that is due before it changes."""
    due = await locked(ctx, subscription_id)
    while (day := next_day(due.contract)) is not None and day <= ctx.today:
        await take_steps(ctx, tx, [due])
        due = await locked(ctx, subscription_id)
    contract = due.contract
    if is_over(contract):
        raise Conflict(f"This subscription has ended: it is {contract.status.value}")
    if contract.status is SubscriptionStatus.PENDING_ACTIVATION:
        raise Conflict("The plan of a subscription that is PENDING_ACTIVATION is fixed")
    return due


async def _offer(ctx: Context, tx: Tx, contract: Contract, request: PlanChangeRequest) -> Offer:
    """The new plan, resolved as for a checkout; what else the contract says stays."""
    wanted = CheckoutRequest(
        customer=str(contract.customer_id),
        customer_id=contract.customer_id,
        plan_version_id=request.plan_version_id,
        offer=replace(
            request.components,
            payment=contract.payment,
            charge_automatically=contract.charge_automatically,
            trial_duration_days=0,
        ),
        echo="{}",
    )
    offer = (await resolve_request(ctx, tx, wanted)).offer
    if offer.currency != contract.currency:
        message = f"is sold in {offer.currency}, and this subscription in {contract.currency}"
        raise _refused("wrong_currency", message)
    if offer.tax_inclusive != contract.tax_inclusive:
        raise _refused("wrong_tax", "must include tax in its prices as this subscription does")
    return offer


async def _write(ctx: Context, tx: Tx, change: PlanChange, version_id: UUID) -> None:
    contract = change.step.contract
    await subscription_changes.save_plan(tx, ctx.tenant.id, contract, version_id)
    await subscription_changes.save_items(
        tx,
        ctx.tenant.id,
        contract.id,
        ended=change.ended,
        joined=change.joined,
        day=change.step.day,
        now=ctx.now,
    )
    await due_contracts.move(tx, ctx.tenant.id, [contract], ctx.now)


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


async def _bill(ctx: Context, tx: Tx, draft: Draft, contract: Contract) -> InvoiceEntry | None:
    """Write the invoice of a change, final at once unless a person is to finalize it."""
    invoice = draft.invoice
    starts = start_of(invoice.invoice_date, ctx.tenant.time_zone)
    new = NewDraft(
        draft=draft,
        line_ids=[new_id() for _ in invoice.lines],
        finalize_at=starts if contract.auto_advance_invoices else None,
    )
    await draft_writes.insert(tx, ctx.tenant.id, [new], ctx.now)
    await record_many(ctx, [("invoice.created", invoice.id, invoice_event(invoice, None))])
    await finalize_at_once(ctx, tx, [invoice.id])
    return await invoices.load(tx, ctx.tenant.id, invoice.id)


def _refused(code: str, message: str) -> InvalidInput:
    fault = Fault("plan_version_id", code, message)
    return InvalidInput(f"{fault.field}: {message}", (fault,))
