"""What becomes of a session that is not bought: open again, or ended, and what is told."""

from dataclasses import replace

from tallystick.db import checkout_sessions, events
from tallystick.db.checkout_sessions import SessionRecord
from tallystick.db.engine import Tx
from tallystick.domain.session import PaymentError, SessionState
from tallystick.services.cancel_activated import cancel_activated
from tallystick.services.checkout_events import session_event
from tallystick.services.context import Context
from tallystick.services.ids import new_id

_EVENT_OF_END = {
    SessionState.CANCELLED: "checkout_session.cancelled",
    SessionState.EXPIRED: "checkout_session.expired",
}


async def leave_session(
    ctx: Context,
    tx: Tx,
    record: SessionRecord,
    state: SessionState,
    error: PaymentError | None = None,
) -> None:
    """Move a locked session that no attempt lives in to CREATED or to an end, with its events.

    A subscription that waited for its checkout ends with the session. `error` says why the
    attempt that it waited for ended without money.
    """
    session = record.session
    await checkout_sessions.leave(tx, ctx.tenant.id, session.id, state, error, ctx.now)
    session = replace(
        session, state=state, last_payment_error=error or session.last_payment_error
    )
    if state.is_terminal and session.activating is not None:
        await cancel_activated(ctx, tx, session.activating.id)
    names = [] if error is None else ["checkout_session.payment_failed"]
    if state in _EVENT_OF_END:
        names.append(_EVENT_OF_END[state])
    for name in names:
        await events.append(
            tx,
            ctx.tenant.id,
            new_id(),
            name,
            session.id,
            session_event(replace(record, session=session), status=state),
            ctx.now,
        )
