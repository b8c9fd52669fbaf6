"""Record that an attempt ended without money: everything it took is free again."""

from uuid import UUID

from tallystick.db import attempts, balance_holds, coupon_redemptions
from tallystick.db.engine import Tx
from tallystick.domain.attempt import AttemptState
from tallystick.domain.payment import FailureReason
from tallystick.domain.session import PaymentError, Session, SessionState, after_failure
from tallystick.services.activation import leave_place
from tallystick.services.confirm_result import (
    Completed,
    ConfirmResult,
    Ended,
    PaymentFailed,
)
from tallystick.services.context import Context
from tallystick.services.leave_session import leave_session
from tallystick.services.locked_attempt import lock_attempt


async def record_failure(
    ctx: Context, tx: Tx, attempt_id: UUID, reason: FailureReason
) -> ConfirmResult:
    """End an attempt; twice is the same as once, and a success recorded before stays.

    Raises:
        NotFound: there is no such attempt.
    """
    locked = await lock_attempt(ctx, tx, attempt_id)
    attempt, session = locked.attempt, locked.record.session
    if attempt.state is AttemptState.SUCCEEDED:
        return Completed()
    if attempt.state is AttemptState.FAILED:
        return _as_it_ended(ctx, session, attempt.failure or reason)
    await attempts.finish(tx, ctx.tenant.id, attempt.id, AttemptState.FAILED, reason)
    await leave_place(ctx, tx, session, attempt.id)
    await coupon_redemptions.give_back(tx, ctx.tenant.id, attempt.id)
    await balance_holds.give_back(
        tx, ctx.tenant.id, attempt.customer_id, attempt.currency, attempt.balance_held
    )
    state = after_failure(session, ctx.now)
    error = PaymentError(reason=reason, at=ctx.now)
    await leave_session(ctx, tx, locked.record, state, error)
    return Ended(state) if state.is_terminal else PaymentFailed(reason)


def _as_it_ended(ctx: Context, session: Session, reason: FailureReason) -> ConfirmResult:
    """Where the session stands after an attempt of it that had failed before."""
    status = session.status(ctx.now)
    if status is SessionState.COMPLETED:
        return Completed()
    return Ended(status) if status.is_terminal else PaymentFailed(reason)
