"""Confirm a checkout: claim, charge, record. A long verb: no transaction spans a network
call.
"""

from uuid import UUID

from tallystick.db import attempts
from tallystick.db.engine import Tx, retrying
from tallystick.domain.buyer import BuyerDetails
from tallystick.domain.payment import Method
from tallystick.domain.quote import AttemptKind
from tallystick.services.charge import carry_on, charge, describe
from tallystick.services.claim import Claimed, Confirmation, claim
from tallystick.services.confirm_result import ConfirmResult, Consent
from tallystick.services.context import Context
from tallystick.services.record_purchase import record_purchase


async def confirm_checkout(
    ctx: Context,
    session_id: UUID,
    *,
    shown: str,
    buyer: BuyerDetails,
    code: str | None,
    method: Method | None,
    consent: Consent | None,
    return_url: str,
    browser: str | None = None,
    payer: bytes | None = None,
) -> ConfirmResult:
    """Buy what the page showed, exactly once, or say why nothing was charged.

    `shown` is the canonical form of the quote that the buyer saw; where today's differs,
    nothing is charged. A second confirm of a session with a live attempt makes no other, it
    shows that one. `browser` is a mark by which `paid_from` knows who pays,
    `payer` one of the address that it comes from.

    Raises:
        NotFound: there is no such session.
    """
    confirmation = Confirmation(
        shown=shown,
        buyer=buyer,
        code=code,
        method=method,
        consent=consent,
        return_url=return_url,
        browser=browser,
        payer=payer,
    )
    outcome = await retrying(
        ctx.app.database, lambda tx: _claim_and_settle(ctx, tx, session_id, confirmation)
    )
    if not isinstance(outcome, Claimed):
        return outcome
    if not outcome.is_new:
        return describe(outcome.attempt)
    return await carry_on(ctx, outcome.attempt, await charge(ctx, outcome.attempt))


async def paid_from(ctx: Context, session_id: UUID, browser: str) -> UUID | None:
    """The attempt with which a browser is paying or has paid, whichever request of it began.

    None where it is another browser that pays, or nobody.
    """
    async with ctx.app.database.connection() as tx:
        return await attempts.of_browser(tx, ctx.tenant.id, session_id, browser)


async def _claim_and_settle(
    ctx: Context, tx: Tx, session_id: UUID, confirmation: Confirmation
) -> Claimed | ConfirmResult:
    """Claim; and record at once what asks nothing of a provider."""
    claimed = await claim(ctx, tx, session_id, confirmation)
    if (
        isinstance(claimed, Claimed)
        and claimed.is_new
        and claimed.attempt.kind is AttemptKind.NONE
    ):
        return await record_purchase(ctx, tx, claimed.attempt.id)
    return claimed
