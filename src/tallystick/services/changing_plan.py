"""Sessions whose checkout changes the plan of a subscription: opened, claimed, and recorded.

The checkout is the one of every session. What differs: the quote is the invoice of the change,
made of the subscription as it stands on the day; a place is taken of a plan that it has not
yet; and recording changes the subscription instead of making one. While the payment lives no
step of the subscription is taken, so what was quoted is what is recorded.
"""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from tallystick.db import (
    billed_lines,
    checkout_facts,
    coupon_redemptions,
    due_contracts,
    places,
    prices,
    products,
    subscription_changes,
    subscriptions,
)
from tallystick.db.checkout_facts import PartyFacts
from tallystick.db.checkout_sessions import SessionRecord
from tallystick.db.due_contracts import DueContract
from tallystick.db.engine import Tx
from tallystick.domain.attempt import Attempt
from tallystick.domain.contract import Contract
from tallystick.domain.errors import Conflict, Fault, InvalidInput
from tallystick.domain.life import brought_along, next_day
from tallystick.domain.money import AmountTooLarge
from tallystick.domain.new_components import TargetPlan
from tallystick.domain.offer import Offer
from tallystick.domain.plan_change import PlanChange, changed_now
from tallystick.domain.quote import Quote
from tallystick.domain.quote_change import quote_change
from tallystick.domain.session import (
    Changing,
    CheckoutType,
    Quoted,
    Session,
    SessionState,
)
from tallystick.services.confirm_result import ConfirmResult, Ended, InFlight
from tallystick.services.context import Context
from tallystick.services.end_activations import end_activations
from tallystick.services.events import Told
from tallystick.services.ids import new_id
from tallystick.services.plan_wanted import (
    PlanChanged,
    PlanChangeRequest,
    target_plan,
    to_change,
    wanted_offer,
)
from tallystick.services.quoting import load_parties, quote_facts, quoted
from tallystick.services.subscription_events import subscription_event
from tallystick.services.subscription_session import write_session
from tallystick.services.take_at_once import details_of
from tallystick.services.take_steps import take_steps
from tallystick.services.write_plan import write_plan

EXPIRES_AFTER = timedelta(hours=1)
"""How long a link is good for, as that of any session that does not say otherwise."""


async def open_plan_change(
    ctx: Context, subscription_id: UUID, request: PlanChangeRequest, echo: str
) -> PlanChanged:
    """Open a session in which the customer changes the plan today; nothing is changed yet.

    Raises:
        NotFound: There is no such subscription or plan version.
        Conflict: It has not begun, waits for a checkout, or has ended, or its customer has the
            new plan already.
        Busy: It is being paid for.
        InvalidInput: The version is a draft, the same, in another currency, its components
            cannot be what is asked, or it costs more than can be charged.
    """
    tx = ctx.transaction
    due = await to_change(ctx, subscription_id)
    offer = _in_its_terms(await wanted_offer(ctx, tx, due.contract, request), due.contract)
    changing = Changing(subscription_id, target_plan(offer, request).chosen_slots)
    change = changed_now(due.contract, _wanted(offer, changing), ctx.today, {})
    await _look_for_place(ctx, tx, due.contract, offer)
    session = await _session(ctx, tx, due, offer, changing)
    record = SessionRecord(
        session=session, request=echo, metadata=None, checkout_type=CheckoutType.PLAN_CHANGE
    )
    await write_session(ctx, tx, record, changing)
    return PlanChanged(
        details=await details_of(ctx, subscription_id),
        invoice=None,
        matched=change.matched,
        added=len(change.joined) - change.matched,
        removed=len(change.ended) - change.matched,
        session=record,
    )


async def lock_changed(ctx: Context, tx: Tx, session: Session) -> ConfirmResult | None:
    """Lock the subscription that a locked session changes, and take what is due of it first.

    Returns why it cannot be changed, None where it can.
    """
    if session.changing is None:
        return None
    due = await due_contracts.lock_one(tx, ctx.tenant.id, session.changing.id)
    assert due is not None, "a session that changes a plan has its subscription"
    if due.is_being_paid:
        return InFlight()
    while (day := next_day(due.contract)) is not None and day <= ctx.today:
        await take_steps(ctx, tx, [due])
        due = await due_contracts.lock_one(tx, ctx.tenant.id, session.changing.id)
        assert due is not None, "it is locked"
    if await _change(ctx, tx, session, due.contract) is None:
        return Ended(SessionState.EXPIRED)
    return None


async def quote_plan_change(
    ctx: Context, tx: Tx, session: Session, parties: PartyFacts
) -> Quote | None:
    """Today's quote of a session that changes a plan; None where it cannot any more."""
    assert session.changing is not None, "it changes a plan"
    due = await due_contracts.read_one(tx, ctx.tenant.id, session.changing.id)
    assert due is not None, "a session that changes a plan has its subscription"
    contract = brought_along(due.contract, ctx.today)
    return await _quote(ctx, tx, session, parties, contract)


async def record_plan_change(ctx: Context, tx: Tx, session: Session, attempt: Attempt) -> Told:
    """Write what a successful attempt makes of its subscription, and return what to tell."""
    assert session.changing is not None, "it changes a plan"
    tenant_id, offer = ctx.tenant.id, attempt.obligation.offer
    due = await due_contracts.lock_one(tx, tenant_id, session.changing.id)
    assert due is not None, "it waits for its payment"
    before = due.contract
    change = changed_now(before, _wanted(offer, session.changing), attempt.business_date, {})
    after = change.step.contract
    await products.insert_many(tx, tenant_id, offer.new_products, attempt.claimed_at)
    await prices.insert_many(tx, tenant_id, offer.new_prices, attempt.claimed_at)
    at_claim = replace(ctx, now=attempt.claimed_at)
    await write_plan(
        at_claim,
        tx,
        after,
        version_id=offer.plan_version_id,
        ended=change.ended,
        joined=change.joined,
        day=attempt.business_date,
        moves_place=False,
    )
    if offer.plan_id != before.plan_id:
        # The claim took the place of the new plan.
        await places.give_back(tx, tenant_id, after.id)
        await places.hand_over(tx, tenant_id, attempt.id, after.id)
    await subscription_changes.save_method(tx, tenant_id, after.id, attempt.payment_method_id)
    if before.awaits_checkout:
        await end_activations(at_claim, tx, [after.id])
    await _count_coupons(tx, tenant_id, before, attempt)
    due = await due_contracts.lock_one(tx, tenant_id, after.id)
    assert due is not None, "it is locked"
    return subscription_event(
        "subscription.updated", due, due.contract, change_type="plan_changed"
    )


async def _look_for_place(ctx: Context, tx: Tx, contract: Contract, offer: Offer) -> None:
    """Raises `Conflict` where the customer has the new plan as often as may be."""
    if offer.plan_id == contract.plan_id:
        return
    held = await places.held_of_plan(tx, ctx.tenant.id, contract.customer_id, offer.plan_id)
    if held >= ctx.tenant.places_per_plan:
        fault = Fault("plan_version_id", "already_held", "this customer has this plan already")
        raise Conflict(f"{fault.field}: {fault.message}", (fault,))


async def _count_coupons(tx: Tx, tenant_id: UUID, before: Contract, attempt: Attempt) -> None:
    """On a first invoice the subscription's coupons apply, and are used."""
    bill = attempt.obligation.quote.bill
    if bill is None or attempt.obligation.quote.adjusts:
        return
    amounts = {one.coupon_id: one.amount for one in bill.coupons}
    await coupon_redemptions.count_uses(
        tx,
        tenant_id,
        [
            (one.redemption_id, 1, amounts.get(one.terms.id, 0))
            for one in before.coupons
            if one.applies
        ],
        attempt.claimed_at,
    )


async def _change(
    ctx: Context, tx: Tx, session: Session, contract: Contract
) -> PlanChange | None:
    """The change as it would be today, None where it cannot be."""
    assert session.changing is not None, "it changes a plan"
    details = await subscriptions.load(tx, ctx.tenant.id, contract.id)
    assert details is not None, "it is there"
    if details.subscription.plan_version_id == session.plan_version_id:
        return None
    billed = await billed_lines.last_billed(
        tx, ctx.tenant.id, contract.id, [item.id for item in contract.items], ctx.today
    )
    try:
        return changed_now(
            contract, _wanted(session.offer, session.changing), ctx.today, billed
        )
    except (Conflict, InvalidInput):
        return None


async def _quote(
    ctx: Context, tx: Tx, session: Session, parties: PartyFacts, contract: Contract
) -> Quote | None:
    change = await _change(ctx, tx, session, contract)
    if change is None:
        return None
    buyer = session.buyer or parties.customer.details
    facts = replace(
        quote_facts(ctx, session.offer, parties, buyer),
        product_taxes=await checkout_facts.load_product_taxes(
            tx, ctx.tenant.id, [item.product_id for item in change.step.contract.items]
        ),
    )
    return quote_change(change, facts, is_first=contract.in_free_trial)


def _wanted(offer: Offer, changing: Changing) -> TargetPlan:
    return TargetPlan(
        plan_id=offer.plan_id,
        items=offer.items,
        chosen_slots=changing.chosen_slots,
        minimum=offer.minimum,
    )


def _in_its_terms(offer: Offer, contract: Contract) -> Offer:
    """The offer as the subscription is billed: only what is sold changes."""
    return replace(
        offer,
        coupons=(),
        trial=None,
        invoicing_entity_id=contract.invoicing_entity_id,
        net_terms=contract.net_terms,
        auto_advance_invoices=contract.auto_advance_invoices,
        charge_automatically=contract.charge_automatically,
        payment=contract.payment,
        invoice_memo=contract.invoice_memo,
        purchase_order=contract.purchase_order,
    )


async def _session(
    ctx: Context, tx: Tx, due: DueContract, offer: Offer, changing: Changing
) -> Session:
    """The session, quoted as of today."""
    session = Session(
        id=new_id(),
        customer_id=due.contract.customer_id,
        plan_id=offer.plan_id,
        plan_version_id=offer.plan_version_id,
        state=SessionState.CREATED,
        ending=None,
        offer=offer,
        buyer=None,
        page_coupon=None,
        success_url=None,
        cancel_url=None,
        expires_at=ctx.now + EXPIRES_AFTER,
        completed_at=None,
        subscription_id=None,
        quoted=Quoted(quote_id="", amount_total=0, amount_due=0),
        last_payment_error=None,
        attempt_count=0,
        created_at=ctx.now,
        updated_at=ctx.now,
        changing=changing,
    )
    try:
        parties = await load_parties(ctx, tx, session)
        priced = await _quote(ctx, tx, session, parties, due.contract)
    except AmountTooLarge:
        fault = Fault("components", "too_large", "must not cost more than can be charged")
        raise InvalidInput(f"{fault.field}: {fault.message}", (fault,)) from None
    assert priced is not None, "the change is possible today"
    return replace(session, quoted=quoted(priced))
