"""What ends with a subscription: the open session whose checkout would activate it."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from tallystick.db import activation_sessions
from tallystick.db.engine import Tx
from tallystick.domain.session import SessionState
from tallystick.services.checkout_events import session_event
from tallystick.services.context import Context
from tallystick.services.events import record


async def end_activations(ctx: Context, tx: Tx, subscription_ids: Sequence[UUID]) -> None:
    """Cancel the open sessions of locked subscriptions that nobody can activate any more."""
    for ended in await activation_sessions.cancel_activations(
        tx, ctx.tenant.id, subscription_ids, ctx.now
    ):
        session = replace(ended.session, state=SessionState.CANCELLED)
        body = session_event(replace(ended, session=session), status=SessionState.CANCELLED)
        await record(ctx.within(tx), "checkout_session.cancelled", session.id, body)
