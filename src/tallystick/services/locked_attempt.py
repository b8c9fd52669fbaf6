"""An attempt about to be recorded, locked with its customer and its session, in this order."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.db import attempts, checkout_sessions
from tallystick.db.checkout_sessions import SessionRecord
from tallystick.db.engine import Tx
from tallystick.domain.attempt import Attempt
from tallystick.domain.errors import NotFound
from tallystick.services.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedAttempt:
    """An attempt and its session as they stand now, and stay until the transaction ends."""

    attempt: Attempt
    record: SessionRecord


async def lock_attempt(ctx: Context, tx: Tx, attempt_id: UUID) -> LockedAttempt:
    """Lock an attempt to record what became of it.

    Raises:
        NotFound: there is no such attempt.
    """
    known = await attempts.load(tx, ctx.tenant.id, attempt_id)
    if known is None:
        raise NotFound("There is no such payment attempt")
    record = await checkout_sessions.lock(tx, ctx.tenant.id, known.session_id)
    attempt = await attempts.lock(tx, ctx.tenant.id, attempt_id)
    assert record is not None, "an attempt has its session"
    assert attempt is not None, "attempts are not deleted"
    return LockedAttempt(attempt=attempt, record=record)
