"""Sessions whose checkout activates a subscription: opened with it, claimed, and recorded.

The checkout is the one of every session. What differs: the offer follows the subscription as
it stands, its own place is used, and recording changes the subscription instead of making one.
"""

from dataclasses import replace
from uuid import UUID

from tallystick.db import checkout_sessions, due_contracts, places, subscription_changes
from tallystick.db.checkout_sessions import SessionRecord
from tallystick.db.engine import Tx
from tallystick.domain.activating import Activating, offer_on
from tallystick.domain.errors import Fault, InvalidInput, sentence
from tallystick.domain.money import AmountTooLarge
from tallystick.domain.purchase import Subscription
from tallystick.domain.session import CheckoutType, Session, SessionState
from tallystick.services.context import Context
from tallystick.services.events import Told
from tallystick.services.quoting import price_offer, quoted, todays_offer
from tallystick.services.resolve_request import ResolvedRequest
from tallystick.services.subscription_events import subscription_event
from tallystick.services.subscription_session import write_session


async def open_session(
    ctx: Context, tx: Tx, made: Subscription, resolved: ResolvedRequest, echo: str
) -> None:
    """Write the session of a subscription that is about to be written; it never expires.

    Raises:
        InvalidInput: It would cost more than can be charged.
    """
    session = _session(ctx, made, resolved)
    record = SessionRecord(
        session=session,
        request=echo,
        metadata=None,
        checkout_type=CheckoutType.SUBSCRIPTION_ACTIVATION,
    )
    await write_session(ctx, tx, record)


async def lock_activated(ctx: Context, tx: Tx, session: Session) -> Session:
    """Lock what a locked session activates, and return the session with today's offer.

    The worker moves subscriptions without their customer: what was read before may be old.
    """
    if session.activating is None:
        return session
    await due_contracts.lock_one(tx, ctx.tenant.id, session.activating.id)
    record = await checkout_sessions.load(tx, ctx.tenant.id, session.id)
    assert record is not None, "it is locked"
    return replace(record.session, offer=todays_offer(ctx, record.session))


async def take_place(ctx: Context, tx: Tx, session: Session, attempt_id: UUID) -> bool:
    """Take a place for an attempt, or use the one that the session's subscription holds.

    From here on the subscription does not move until the attempt has ended.
    """
    there = session.subscription_there
    if not await _has_place(ctx, tx, session):
        taken = await places.take(
            tx,
            ctx.tenant.id,
            session.customer_id,
            session.plan_id,
            ctx.tenant.places_per_plan,
            attempt_id,
        )
        if not taken:
            return False
    if there is not None:
        await subscription_changes.be_paid(tx, ctx.tenant.id, there, now_paid=True)
    return True


async def _has_place(ctx: Context, tx: Tx, session: Session) -> bool:
    """Whether the subscription that was there before holds the place that is needed."""
    if session.activating is not None:
        return session.activating.status.is_live
    if session.changing is None:
        return False
    due = await due_contracts.read_one(tx, ctx.tenant.id, session.changing.id)
    return due is not None and due.contract.plan_id == session.plan_id


async def leave_place(ctx: Context, tx: Tx, session: Session, attempt_id: UUID) -> None:
    """Give back what an attempt took, and nothing else."""
    await places.give_back(tx, ctx.tenant.id, attempt_id)
    if session.subscription_there is not None:
        await subscription_changes.be_paid(
            tx, ctx.tenant.id, session.subscription_there, now_paid=False
        )


async def record_activation(
    ctx: Context, tx: Tx, activating: Activating, made: Subscription, attempt_id: UUID
) -> Told:
    """Write what a successful attempt makes of its subscription, and return what to tell."""
    tenant_id = ctx.tenant.id
    await due_contracts.lock_one(tx, tenant_id, activating.id)
    await subscription_changes.save_checkout(tx, tenant_id, made, made.created_at)
    due = await due_contracts.lock_one(tx, tenant_id, activating.id)
    assert due is not None, "it is locked"
    await due_contracts.move(tx, tenant_id, [due.contract], made.created_at)
    await places.hand_over_if_taken(tx, tenant_id, attempt_id, made.id)
    goes_on = activating.status is made.status
    return subscription_event(
        "subscription.updated",
        due,
        due.contract,
        change_type=None if goes_on else "activated",
    )


def _session(ctx: Context, made: Subscription, resolved: ResolvedRequest) -> Session:
    """The session of a subscription, quoted as of today."""
    assert made.checkout_session_id is not None, "it was given the session's id"
    offer, parties, activating = made.offer, resolved.parties, _activating(made)
    today = offer_on(offer, activating, ctx.today)
    try:
        priced = price_offer(ctx, today, parties, buyer=parties.customer.details)
    except AmountTooLarge:
        fault = Fault("price_components", "too_large", "must not cost more than can be charged")
        raise InvalidInput(sentence([fault]), (fault,)) from None
    return Session(
        id=made.checkout_session_id,
        customer_id=made.customer_id,
        plan_id=offer.plan_id,
        plan_version_id=offer.plan_version_id,
        state=SessionState.CREATED,
        ending=None,
        offer=offer,
        buyer=None,
        page_coupon=None,
        success_url=None,
        cancel_url=None,
        expires_at=None,
        completed_at=None,
        subscription_id=None,
        quoted=quoted(priced),
        last_payment_error=None,
        attempt_count=0,
        created_at=ctx.now,
        updated_at=ctx.now,
        activating=activating,
    )


def _activating(made: Subscription) -> Activating:
    offer = made.offer
    return Activating(
        id=made.id,
        status=made.status,
        start=made.dates.start,
        trial_end=made.dates.trial_end,
        net_terms=offer.net_terms,
        auto_advance_invoices=offer.auto_advance_invoices,
        charge_automatically=offer.charge_automatically,
        payment=offer.payment,
        invoice_memo=offer.invoice_memo,
        purchase_order=offer.purchase_order,
    )
