"""What the page does while a payment is under way: come back, look again, choose another
method.
"""

from uuid import UUID

from tallystick.db import attempts, checkout_sessions
from tallystick.domain.attempt import Attempt
from tallystick.domain.errors import NotFound
from tallystick.domain.payment import FailureReason
from tallystick.domain.session import Session, SessionState
from tallystick.services.charge import describe, take_up
from tallystick.services.confirm_result import (
    Completed,
    ConfirmResult,
    Ended,
    PaymentFailed,
)
from tallystick.services.context import Context


async def continue_checkout(
    ctx: Context, session_id: UUID, *, asks: bool = True
) -> ConfirmResult:
    """Where the checkout stands, asking the provider about a live attempt.

    For the way back from the bank, and for a page that waits. Without `asks` the provider is
    left alone: the answer is what is known here.

    Raises:
        NotFound: there is no such session.
    """
    session, live = await _load(ctx, session_id)
    if live is None:
        return _without_attempt(ctx, session)
    return await take_up(ctx, live.id, give_up=False) if asks else describe(live)


async def use_another_method(ctx: Context, session_id: UUID) -> ConfirmResult:
    """Cancel the live attempt, so that the buyer can pay in another way.

    The answer is `Completed` when the money was taken after all.

    Raises:
        NotFound: there is no such session.
    """
    session, live = await _load(ctx, session_id)
    if live is None:
        return _without_attempt(ctx, session)
    return await take_up(ctx, live.id, give_up=True, reason=FailureReason.CANCELLED_BY_BUYER)


def _without_attempt(ctx: Context, session: Session) -> ConfirmResult:
    status = session.status(ctx.now)
    if status is SessionState.COMPLETED:
        return Completed()
    if status.is_terminal:
        return Ended(status)
    error = session.last_payment_error
    return PaymentFailed(FailureReason.INTERRUPTED if error is None else error.reason)


async def _load(ctx: Context, session_id: UUID) -> tuple[Session, Attempt | None]:
    async with ctx.app.database.connection() as tx:
        # The attempt first: one that is recorded in between has left its mark on the session.
        live = await attempts.live(tx, ctx.tenant.id, session_id)
        record = await checkout_sessions.load(tx, ctx.tenant.id, session_id)
    if record is None:
        raise NotFound("There is no such checkout")
    return record.session, live
