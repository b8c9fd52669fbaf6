"""Record that an attempt ended without money: everything it took is free again."""

from dataclasses import replace
from uuid import UUID

from tallystick.db import (
    attempts,
    balance_holds,
    checkout_sessions,
    coupon_redemptions,
    events,
    places,
)
from tallystick.db.engine import Tx
from tallystick.domain.attempt import AttemptState
from tallystick.domain.errors import NotFound
from tallystick.domain.payment import FailureReason
from tallystick.domain.session import PaymentError, Session, SessionState, after_failure
from tallystick.services.checkout_events import session_event
from tallystick.services.confirm_result import (
    Completed,
    ConfirmResult,
    Ended,
    PaymentFailed,
)
from tallystick.services.context import Context
from tallystick.services.ids import new_id

_EVENT_OF_END = {
    SessionState.CANCELLED: "checkout_session.cancelled",
    SessionState.EXPIRED: "checkout_session.expired",
}


async def record_failure(
    ctx: Context, tx: Tx, attempt_id: UUID, reason: FailureReason
) -> ConfirmResult:
    """End an attempt; twice is the same as once, and a success recorded before stays.

    Raises:
        NotFound: there is no such attempt.
    """
    known = await attempts.load(tx, ctx.tenant.id, attempt_id)
    if known is None:
        raise NotFound("There is no such payment attempt")
    session = await checkout_sessions.lock(tx, ctx.tenant.id, known.session_id)
    attempt = await attempts.lock(tx, ctx.tenant.id, attempt_id)
    assert session is not None, "an attempt has its session"
    assert attempt is not None, "attempts are not deleted"
    if attempt.state is AttemptState.SUCCEEDED:
        return Completed()
    if attempt.state is AttemptState.FAILED:
        return _as_it_ended(ctx, session, attempt.failure or reason)
    await attempts.finish(tx, ctx.tenant.id, attempt.id, AttemptState.FAILED, reason)
    await places.give_back(tx, ctx.tenant.id, attempt.id)
    await coupon_redemptions.give_back(tx, ctx.tenant.id, attempt.id)
    await balance_holds.give_back(
        tx, ctx.tenant.id, attempt.customer_id, attempt.currency, attempt.balance_held
    )
    state = after_failure(session, ctx.now)
    error = PaymentError(reason=reason, at=ctx.now)
    await checkout_sessions.leave(tx, ctx.tenant.id, session.id, state, error, ctx.now)
    record = await checkout_sessions.load(tx, ctx.tenant.id, session.id)
    assert record is not None, "just locked"
    record = replace(record, session=replace(record.session, state=state))
    names = ["checkout_session.payment_failed"]
    if state in _EVENT_OF_END:
        names.append(_EVENT_OF_END[state])
    for name in names:
        await events.append(
            tx,
            ctx.tenant.id,
            new_id(),
            name,
            session.id,
            session_event(record, status=state),
            ctx.now,
        )
    return Ended(state) if state.is_terminal else PaymentFailed(reason)


def _as_it_ended(ctx: Context, session: Session, reason: FailureReason) -> ConfirmResult:
    """Where the session stands after an attempt of it that had failed before."""
    status = session.status(ctx.now)
    if status is SessionState.COMPLETED:
        return Completed()
    return Ended(status) if status.is_terminal else PaymentFailed(reason)
