"""Write a session that is for one subscription: to activate it, or to change its plan."""

from tallystick.db import checkout_sessions
from tallystick.db.checkout_sessions import NewSession, SessionRecord
from tallystick.db.engine import Tx
from tallystick.domain.session import Changing, SessionState
from tallystick.services.checkout_events import session_event_text
from tallystick.services.context import Context
from tallystick.services.ids import new_id


async def write_session(
    ctx: Context, tx: Tx, record: SessionRecord, changing: Changing | None = None
) -> None:
    """Write a session that nobody has asked for by itself: it leads nowhere but to its page.

    `changing` is what its confirmation changes.
    """
    session = record.session
    new = NewSession(
        id=session.id,
        customer_id=session.customer_id,
        offer=session.offer,
        quoted=session.quoted,
        request=record.request,
        metadata=None,
        success_url=None,
        cancel_url=None,
        expires_at=session.expires_at,
        created_at=ctx.now,
        event_id=new_id(),
        event_data=session_event_text(record, status=SessionState.CREATED),
        checkout_type=record.checkout_type,
        changing=changing,
    )
    await checkout_sessions.insert(tx, ctx.tenant.id, new, None)
