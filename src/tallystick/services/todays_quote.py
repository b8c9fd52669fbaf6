"""Today's quote of any session: of what it sells, or of the change that it makes."""

from tallystick.db.checkout_facts import PartyFacts
from tallystick.db.engine import Tx
from tallystick.domain.quote import Quote
from tallystick.domain.session import Session
from tallystick.services.changing_plan import quote_plan_change
from tallystick.services.context import Context
from tallystick.services.quoting import quote_session


async def todays_quote(
    ctx: Context, tx: Tx, session: Session, parties: PartyFacts
) -> Quote | None:
    """Price a session for the buyer as typed so far; None where nothing can be bought in it."""
    if session.changing is not None:
        return await quote_plan_change(ctx, tx, session, parties)
    return quote_session(ctx, session, parties)
