"""Late money: a success for an attempt that had ended without it.

It is recorded after all if the session is open again and place, coupons and balance can be
taken again; otherwise it is given back at once, under the attempt's own key.
"""

import asyncio
from uuid import UUID

from tallystick.db import (
    attempts,
    balance_holds,
    coupon_redemptions,
    coupons,
    events,
    job_queue,
)
from tallystick.db.engine import Tx
from tallystick.domain.attempt import Attempt, LateMoney
from tallystick.domain.coupons import refusal
from tallystick.domain.errors import NotFound
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.payment import Refunded, RefundOutcome, RefundRefused, Unknown
from tallystick.domain.quote import AttemptKind
from tallystick.domain.session import Session, SessionState
from tallystick.services.activation import lock_activated, take_place
from tallystick.services.changing_plan import lock_changed
from tallystick.services.confirm_result import Completed, ConfirmResult, Ended, PaymentFailed
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.provider_call import provider_asked
from tallystick.services.quoting import load_parties
from tallystick.services.todays_quote import todays_quote

REFUND_JOB = "refund_late_money"


class RefundUnanswered(Exception):
    """The provider gave no answer to a refund; the job is tried again under the same key."""


class RefundRefusedByProvider(Exception):
    """The provider will not give the money back; a person must look (`tallystick doctor`)."""


async def take_again(
    ctx: Context, tx: Tx, session: Session, attempt: Attempt, *, pending: bool
) -> ConfirmResult | None:
    """Take again what the ended attempt needs; None when all of it could be taken.

    Otherwise the money goes back: a job is enqueued in this transaction, and the answer is
    the state that the session is in. `pending` money is not here yet, and goes back when it has
    come. Money on its way back never buys.
    """
    status = session.status(ctx.now)
    is_new = attempt.late_money is None
    session = await lock_activated(ctx, tx, session)
    if is_new and status is SessionState.CREATED and await _take(ctx, tx, session, attempt):
        await attempts.mark_late_money(
            tx, ctx.tenant.id, attempt.id, was=None, mark=LateMoney.RECORDED
        )
        return None
    if is_new and attempt.kind is AttemptKind.PAYMENT and not pending:
        await attempts.mark_late_money(
            tx, ctx.tenant.id, attempt.id, was=None, mark=LateMoney.REFUNDING
        )
        await job_queue.enqueue(
            tx,
            REFUND_JOB,
            {"tenant_id": str(ctx.tenant.id), "attempt_id": str(attempt.id)},
        )
    if status is SessionState.COMPLETED:
        return Completed()
    if status.is_terminal:
        return Ended(status)
    assert attempt.failure is not None, "an attempt that failed says why"
    return PaymentFailed(attempt.failure)


async def refund_late_money(ctx: Context, attempt_id: UUID) -> None:
    """Give late money back. A long verb: the provider is asked with no transaction open.

    Only money that was marked to go back does; what bought something stays.

    Raises:
        NotFound: there is no such attempt.
        RefundUnanswered: to be tried again, under the same key.
        RefundRefusedByProvider: a person must decide.
    """
    async with ctx.app.database.connection() as tx:
        attempt = await attempts.load(tx, ctx.tenant.id, attempt_id)
    if attempt is None or attempt.reference is None:
        raise NotFound("There is no such payment")
    if attempt.late_money is not LateMoney.REFUNDING:
        return
    match await _ask_for_refund(ctx, attempt, attempt.reference):
        case Refunded():
            pass
        case RefundRefused(message=message):
            raise RefundRefusedByProvider(message)
        case Unknown():
            raise RefundUnanswered(attempt.reference)
    async with ctx.app.transaction() as tx:
        if await attempts.mark_late_money(
            tx,
            ctx.tenant.id,
            attempt.id,
            was=LateMoney.REFUNDING,
            mark=LateMoney.REFUNDED,
        ):
            await events.append(
                tx,
                ctx.tenant.id,
                new_id(),
                "payment.orphan_refunded",
                attempt.id,
                {
                    # The payment was never recorded: its refund stands under its id.
                    "transaction_id": encode(
                        Prefix.TRANSACTION, attempt.transaction_id or attempt.id
                    ),
                    "checkout_session_id": encode(Prefix.CHECKOUT_SESSION, attempt.session_id),
                    "customer_id": encode(Prefix.CUSTOMER, attempt.customer_id),
                    "payment_type": "REFUND",
                    "status": "SETTLED",
                    "amount": attempt.amount,
                    "amount_refunded": 0,
                    "amount_reversed": 0,
                    "currency": attempt.currency,
                    "provider_transaction_id": attempt.reference,
                },
                ctx.now,
            )


async def _ask_for_refund(ctx: Context, attempt: Attempt, reference: str) -> RefundOutcome:
    """The provider's answer; a call that outlasts its limit is `Unknown`."""
    provider = provider_asked(ctx, attempt)
    key = f"{attempt.id}:refund"
    try:
        async with asyncio.timeout(ctx.app.call_limit_seconds):
            return await provider.refund(ctx.tenant.id, reference, attempt.amount, key)
    except TimeoutError:
        return Unknown()


async def _take(ctx: Context, tx: Tx, session: Session, attempt: Attempt) -> bool:
    """Trial, coupons, balance and place: all are looked at before any is taken."""
    tenant_id, quote = ctx.tenant.id, attempt.obligation.quote
    if session.activating is not None and not session.activating.can_be_activated:
        return False
    if not await _still_changes(ctx, tx, session, attempt):
        return False
    await coupon_redemptions.lock_coupons(tx, tenant_id, [terms.id for terms in quote.coupons])
    if not await _coupons_are_free(ctx, tx, session, attempt):
        return False
    trial = attempt.obligation.offer.trial
    if trial is not None and trial.once_per_customer and quote.dates.trial_days is not None:
        parties = await load_parties(ctx, tx, session)
        if parties.trial_used:
            return False
    available = await balance_holds.available(
        tx, tenant_id, attempt.customer_id, attempt.currency
    )
    if available < attempt.balance_held:
        return False
    if not await take_place(ctx, tx, session, attempt.id):
        return False
    await coupon_redemptions.reserve(tx, tenant_id, attempt)
    await balance_holds.hold(
        tx, tenant_id, attempt.customer_id, attempt.currency, attempt.balance_held
    )
    return True


async def _still_changes(ctx: Context, tx: Tx, session: Session, attempt: Attempt) -> bool:
    """Whether a change of the plan would come to what was quoted; true where none is made."""
    if session.changing is None:
        return True
    if await lock_changed(ctx, tx, session) is not None:
        return False
    quote = await todays_quote(ctx, tx, session, await load_parties(ctx, tx, session))
    return quote is not None and quote.id == attempt.obligation.quote.id


async def _coupons_are_free(ctx: Context, tx: Tx, session: Session, attempt: Attempt) -> bool:
    """Whether every coupon of the quote could be redeemed once more right now."""
    quote = attempt.obligation.quote
    found = await coupons.load_by_ids(
        tx,
        ctx.tenant.id,
        [terms.id for terms in quote.coupons],
        customer_id=attempt.customer_id,
    )
    for terms in quote.coupons:
        known = found.get(terms.id)
        if known is None:
            return False
        _, state = known
        reason = refusal(
            terms, state, plan_id=session.plan_id, currency=quote.currency, now=ctx.now
        )
        if reason is not None:
            return False
    return True
