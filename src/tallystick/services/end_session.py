"""End a session: cancelled by the merchant, or expired. It ends only after its attempt has.

An ending of a session with a live attempt is first committed as requested, so that no new
claim can start; then the attempt is cancelled at the provider; then whichever happened is
recorded.
"""

from uuid import UUID

from tallystick.db import attempts, checkout_sessions
from tallystick.db.checkout_sessions import SessionRecord
from tallystick.db.engine import Tx, retrying
from tallystick.domain.attempt import Attempt, AttemptStep
from tallystick.domain.errors import Busy, Conflict, NotFound
from tallystick.domain.payment import FailureReason
from tallystick.domain.session import Ending, Session, SessionState
from tallystick.services.charge import take_up
from tallystick.services.claim import lease_seconds
from tallystick.services.confirm_result import Completed, Ended
from tallystick.services.context import Context
from tallystick.services.leave_session import leave_session
from tallystick.services.quoting import load_parties
from tallystick.services.todays_quote import todays_quote

BUSY_SECONDS = 15
"""When to ask again while the provider's answer is not known."""

_WITHIN_A_CALL = frozenset({AttemptStep.CLAIMED, AttemptStep.OPENED})
"""Where an attempt is while its call is under way; the sweeper takes it up after the limit."""


async def cancel_session(
    ctx: Context, session_id: UUID, *, resumed: bool = False
) -> SessionRecord:
    """Cancel a session for the merchant. A long verb: the provider may have to be asked.

    `resumed` says that the same request was interrupted before: a session that it has
    cancelled by then is its success.

    Raises:
        NotFound: there is no such session.
        Conflict: it has ended already, or the money was taken; the message names its state.
        Busy: a payment is under way and the provider has not answered.
    """
    live = await retrying(
        ctx.app.database,
        lambda tx: _request(ctx, tx, session_id, Ending.CANCEL, resumed=resumed),
    )
    if live is not None:
        result = await take_up(ctx, live.id, give_up=True, reason=FailureReason.SESSION_ENDED)
        if isinstance(result, Completed):
            raise _already(SessionState.COMPLETED)
        if not isinstance(result, Ended):
            raise Busy(
                "A payment is under way and its outcome is not known yet; ask again",
                BUSY_SECONDS,
            )
    return await _load(ctx, session_id)


async def expire_session(ctx: Context, session_id: UUID) -> None:
    """Expire a session whose time is up, once the payment that is under way in it has ended.

    Its time is up, too, when no day is left that its offer could bill. From here on no payment
    begins in it. One that waits for its buyer or its provider is cancelled there; one whose
    call may still be under way is left alone, because it ends soon, by itself or by the
    sweeper, and the session with it. A session whose time is not up, or that has ended
    already, stays as it is.

    Raises:
        NotFound: there is no such session.
    """
    live = await retrying(
        ctx.app.database,
        lambda tx: _request(ctx, tx, session_id, Ending.EXPIRE, resumed=False),
    )
    if live is not None and live.step not in _WITHIN_A_CALL:
        await take_up(ctx, live.id, give_up=True, reason=FailureReason.SESSION_ENDED)


async def _request(
    ctx: Context, tx: Tx, session_id: UUID, ending: Ending, *, resumed: bool
) -> Attempt | None:
    """End the session if nothing lives in it; else note the ending and return what lives."""
    record = await checkout_sessions.lock(tx, ctx.tenant.id, session_id)
    if record is None:
        raise NotFound("There is no such checkout session")
    session = record.session
    if ending is Ending.EXPIRE and not await _is_over(ctx, tx, session):
        return None
    if session.state.is_terminal or _reads_expired(ctx, session, ending):
        if ending is Ending.EXPIRE or (resumed and session.state is SessionState.CANCELLED):
            return None
        raise _already(session.status(ctx.now))
    live = await attempts.live(tx, ctx.tenant.id, session_id)
    if live is not None:
        await checkout_sessions.request_ending(tx, ctx.tenant.id, session_id, ending, ctx.now)
        # Should this process die now, the sweeper goes on soon, not when a challenge is over.
        await attempts.check_soon(tx, ctx.tenant.id, live.id, lease_seconds(ctx.app))
        return live
    state = SessionState.CANCELLED if ending is Ending.CANCEL else SessionState.EXPIRED
    await leave_session(ctx, tx, record, state)
    return None


async def _is_over(ctx: Context, tx: Tx, session: Session) -> bool:
    """Whether a session's time is up, or no day is left that its offer could bill."""
    if session.is_past(ctx.now) or session.state is not SessionState.CREATED:
        return session.is_past(ctx.now)
    parties = await load_parties(ctx, tx, session)
    quote = await todays_quote(ctx, tx, session, parties)
    return quote is None or quote.dates.is_over


def _reads_expired(ctx: Context, session: Session, ending: Ending) -> bool:
    """Whether a cancel comes too late: the session reads EXPIRED, whatever the sweeper did."""
    return ending is Ending.CANCEL and session.status(ctx.now) is SessionState.EXPIRED


def _already(state: SessionState) -> Conflict:
    return Conflict(f"This session cannot be cancelled any more: it is {state.value}")


async def _load(ctx: Context, session_id: UUID) -> SessionRecord:
    async with ctx.app.database.connection() as tx:
        record = await checkout_sessions.load(tx, ctx.tenant.id, session_id)
    assert record is not None, "sessions are kept"
    return record
