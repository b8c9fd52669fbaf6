"""The sweeper: take up every attempt that was claimed and not recorded in time.

Whatever became of the process that charged, the provider knows what happened; it is asked, and
the answer is recorded like any other.
"""

from datetime import datetime

from tallystick.db import attempts, checkout_sessions
from tallystick.db.leases import Leased
from tallystick.domain.attempt import Attempt, AttemptStep
from tallystick.domain.payment import FailureReason
from tallystick.domain.session import Session
from tallystick.services.charge import take_up
from tallystick.services.context import App
from tallystick.services.sweep import sweep
from tallystick.services.tenant_context import tenant_context


async def sweep_attempts(app: App, real_now: datetime) -> int:
    """Take up the due attempts of all tenants, and return how many were taken up.

    A long verb.
    """
    return await sweep(
        app,
        attempts.lease_due,
        lambda attempt: _take_up(app, attempt, real_now),
        work="sweep_attempts",
    )


def why_given_up(attempt: Attempt, session: Session) -> FailureReason:
    """Why an attempt that nobody works on any more ends, if it ends without money."""
    if attempt.challenge_is_over:
        return FailureReason.AUTHENTICATION_ABANDONED
    if session.ending is not None:
        return FailureReason.SESSION_ENDED
    return FailureReason.INTERRUPTED


def is_waited_for(attempt: Attempt, session: Session) -> bool:
    """Whether the provider has yet to decide about a card, and there is time for it."""
    is_pending = attempt.step is AttemptStep.PENDING
    return is_pending and not attempt.is_overdue and session.ending is None


async def _take_up(app: App, due: Leased, real_now: datetime) -> None:
    async with app.database.connection() as tx:
        ctx = await tenant_context(app, tx, due.tenant_id, real_now, actor="worker")
        attempt = await attempts.load(tx, due.tenant_id, due.id)
        assert attempt is not None, "attempts are kept"
        record = await checkout_sessions.load(tx, due.tenant_id, attempt.session_id)
        assert record is not None, "an attempt has its session"
    reason = why_given_up(attempt, record.session)
    give_up = not is_waited_for(attempt, record.session)
    await take_up(ctx, due.id, give_up=give_up, reason=reason)
