"""Open a checkout link: it names one session, and opens that session only."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db import checkout_sessions
from tallystick.domain.errors import NotFound
from tallystick.domain.ids import MalformedId, Prefix, decode, encode
from tallystick.services.context import App, Context
from tallystick.services.link import Purpose, verify
from tallystick.services.tenant_context import tenant_context


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A link that opens: the session, and the context to work on it in."""

    context: Context
    session_id: UUID


async def open_link(app: App, session_name: str, signature: str, real_now: datetime) -> Opened:
    """The session behind a link, and a context of its tenant without a transaction.

    Raises:
        NotFound: no such session, or the signature is not the link's.
    """
    try:
        session_id = decode(Prefix.CHECKOUT_SESSION, session_name)
    except MalformedId:
        raise _unknown() from None
    async with app.database.connection() as tx:
        tenant_id = await checkout_sessions.find_tenant(tx, session_id)
        if tenant_id is None:
            raise _unknown()
        ctx = await tenant_context(app, tx, tenant_id, real_now, actor="buyer")
    name = encode(Prefix.CHECKOUT_SESSION, session_id)
    if not verify(ctx.tenant.link_secret, Purpose.LINK, name, signature):
        raise _unknown()
    return Opened(context=ctx, session_id=session_id)


def _unknown() -> NotFound:
    return NotFound("There is no such checkout")
