"""Expire the sessions whose time is up, of every tenant at its own now."""

from datetime import datetime

from tallystick.db import due_sessions
from tallystick.db.due_sessions import DueSession
from tallystick.services.context import App
from tallystick.services.each_alone import each_alone
from tallystick.services.end_session import expire_session
from tallystick.services.tenant_context import tenant_context

SESSIONS_MAX = 1_000
"""Ended in one round; the rest follows in the next."""
SESSIONS_OF_A_TENANT_MAX = 100
"""One tenant with many expired sessions does not keep the others waiting."""
SESSIONS_AT_ONCE = 4


async def expire_due_sessions(app: App, real_now: datetime) -> int:
    """Expire due sessions, and return how many went well.

    A long verb: a session that is being paid is cancelled at its provider first. Two workers at
    the same session meet on its lock, and the second one finds it ended.
    """
    async with app.database.connection() as tx:
        due = await due_sessions.due_to_expire(
            tx,
            real_now,
            limit=SESSIONS_MAX,
            limit_per_tenant=SESSIONS_OF_A_TENANT_MAX,
        )

    async def expire(session: DueSession) -> None:
        async with app.database.connection() as tx:
            ctx = await tenant_context(app, tx, session.tenant_id, real_now, actor="worker")
        await expire_session(ctx, session.id)

    return await each_alone(due, expire, at_once=SESSIONS_AT_ONCE, work="expire_sessions")
