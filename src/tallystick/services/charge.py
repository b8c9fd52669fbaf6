"""Charge: what is asked of the provider between claim and record, with no transaction open.

Every call carries the key of its first try. A call that gives no answer in time is `Unknown`,
and `Unknown` is never a failure: the sweeper asks until the provider has said what happened.
"""

from typing import assert_never
from uuid import UUID

from tallystick.db import attempts, checkout_sessions
from tallystick.db.engine import Tx, retrying
from tallystick.domain.attempt import (
    AskAgainLater,
    AskToCancel,
    Attempt,
    AttemptState,
    AttemptStep,
    AwaitChallenge,
    AwaitSettlement,
    NextStep,
    RecordFailure,
    RecordSuccess,
    after_cancel,
    after_standing,
)
from tallystick.domain.errors import NotFound
from tallystick.domain.payment import (
    CancelOutcome,
    Declined,
    FailureReason,
    NeedsAction,
    PaymentOrder,
    Standing,
    Unknown,
)
from tallystick.domain.quote import AttemptKind
from tallystick.domain.session import Session, SessionState
from tallystick.services.claim import lease_seconds
from tallystick.services.confirm_result import (
    Challenge,
    Completed,
    ConfirmResult,
    Ended,
    InFlight,
    PaymentFailed,
)
from tallystick.services.context import Context
from tallystick.services.keep_customer import opened
from tallystick.services.provider_call import answer_in_time, provider_asked
from tallystick.services.record_failure import record_failure
from tallystick.services.record_purchase import record_purchase

PENDING_CARD_SECONDS = 60.0
"""How often a card payment that the provider has not decided is asked about."""


def order_of(ctx: Context, attempt: Attempt) -> PaymentOrder:
    """What the attempt asks of the provider."""
    assert attempt.method is not None, "an attempt that asks a provider has a method"
    return PaymentOrder(
        tenant_id=ctx.tenant.id,
        attempt_id=attempt.id,
        customer_id=attempt.customer_id,
        amount=attempt.amount,
        currency=attempt.currency,
        method=attempt.method,
        save=attempt.obligation.quote.saves_method,
        return_url=attempt.obligation.return_url,
        acceptance=attempt.acceptance,
    )


async def charge(ctx: Context, attempt: Attempt) -> Standing:
    """Open, keep the reference, confirm; `Unknown` when any of it gave no answer."""
    reference = await ensure_reference(ctx, attempt)
    if reference is None:
        return Unknown()
    if isinstance(reference, Declined):
        return reference
    provider = provider_asked(ctx, attempt)
    answer = await answer_in_time(ctx, provider.confirm(order_of(ctx, attempt), reference))
    return Unknown() if answer is None else answer


async def ensure_reference(ctx: Context, attempt: Attempt) -> str | Declined | None:
    """The attempt's reference, opened and kept under its own key if it has none yet.

    `Declined` when the provider refuses to open it: then there is no intent, and no money.
    None when the provider gave no answer, or the attempt has ended meanwhile.
    """
    if attempt.reference is not None:
        return attempt.reference
    provider = provider_asked(ctx, attempt)
    ask = provider.save_method if attempt.kind is AttemptKind.SETUP else provider.open
    reference = await answer_in_time(ctx, opened(ctx, provider, order_of(ctx, attempt), ask))
    if reference is None or isinstance(reference, Declined):
        return reference
    async with ctx.app.transaction() as tx:
        kept = await attempts.keep_reference(
            tx, ctx.tenant.id, attempt.id, reference, lease_seconds(ctx.app)
        )
    return reference if kept else None


async def take_up(
    ctx: Context,
    attempt_id: UUID,
    *,
    give_up: bool,
    reason: FailureReason = FailureReason.INTERRUPTED,
) -> ConfirmResult:
    """Ask the provider where an attempt stands, and act on the answer.

    The same for the return page, the sweeper, a cancelled session and a buyer who wants another
    method. `give_up` cancels what still waits, ending the attempt with `reason`.

    Raises:
        NotFound: there is no such attempt.
    """
    attempt = await _load(ctx, attempt_id)
    if attempt.state is not AttemptState.LIVE:
        return await _ended(ctx, attempt)
    if attempt.reference is None:
        if not give_up:
            return InFlight()
        reference = await ensure_reference(ctx, attempt)
        if reference is None:
            return await _reload(ctx, attempt_id)
        if isinstance(reference, Declined):
            return await carry_on(ctx, attempt, reference)
        attempt = await _load(ctx, attempt_id)
        return await carry_on(ctx, attempt, Unknown(), give_up=True, reason=reason)
    provider = provider_asked(ctx, attempt)
    standing = await answer_in_time(ctx, provider.look(ctx.tenant.id, attempt.reference))
    return await carry_on(ctx, attempt, standing or Unknown(), give_up=give_up, reason=reason)


async def carry_on(
    ctx: Context,
    attempt: Attempt,
    standing: Standing,
    *,
    give_up: bool = False,
    reason: FailureReason = FailureReason.INTERRUPTED,
) -> ConfirmResult:
    """Act on an answer of the provider: record, wait, or cancel and then record."""
    step = after_standing(attempt, standing, give_up=give_up, reason=reason)
    if isinstance(step, AskToCancel):
        step = after_cancel(attempt, await _cancel(ctx, attempt.id), reason)
        if isinstance(step, AskAgainLater):
            await _ask_again_soon(ctx, attempt.id)
    return await _act(ctx, attempt, step)


def describe(attempt: Attempt) -> ConfirmResult:
    """A live attempt, as the page shows it to whoever confirms again."""
    if attempt.step is AttemptStep.CHALLENGED and attempt.challenge_url is not None:
        return Challenge(attempt.challenge_url)
    return InFlight()


async def _act(ctx: Context, attempt: Attempt, step: NextStep) -> ConfirmResult:
    assert not isinstance(step, AskToCancel), "the answer to a cancel asks for no other"
    database = ctx.app.database
    match step:
        case RecordSuccess(pending=pending):
            if attempt.step is AttemptStep.CHALLENGED:
                # Should it not be recorded now, the sweeper does not wait for the challenge.
                await _ask_again_soon(ctx, attempt.id)
            return await retrying(
                database, lambda tx: record_purchase(ctx, tx, attempt.id, pending=pending)
            )
        case RecordFailure(reason=reason):
            return await retrying(
                database, lambda tx: record_failure(ctx, tx, attempt.id, reason)
            )
        case AwaitChallenge(url=url):
            return await _await_challenge(ctx, attempt, url)
        case AwaitSettlement():
            async with ctx.app.transaction() as tx:
                await attempts.check_again(
                    tx,
                    ctx.tenant.id,
                    attempt.id,
                    step=AttemptStep.PENDING,
                    seconds=PENDING_CARD_SECONDS,
                )
            return await _reload(ctx, attempt.id)
        case AskAgainLater():
            return await _reload(ctx, attempt.id)
    assert_never(step)


async def _await_challenge(ctx: Context, attempt: Attempt, url: str) -> ConfirmResult:
    """Send the buyer to the bank's page, unless attempt or session are to end meanwhile."""
    session = await retrying(ctx.app.database, lambda tx: _challenged(ctx, tx, attempt, url))
    if session.ending is not None:
        return await carry_on(
            ctx,
            attempt,
            NeedsAction(url),
            give_up=True,
            reason=FailureReason.SESSION_ENDED,
        )
    return await _reload(ctx, attempt.id)


async def _challenged(ctx: Context, tx: Tx, attempt: Attempt, url: str) -> Session:
    """Note the challenge under the session's lock: an ending comes before it or after it."""
    record = await checkout_sessions.lock(tx, ctx.tenant.id, attempt.session_id)
    assert record is not None, "an attempt has its session"
    if record.session.ending is None:
        await attempts.await_challenge(tx, ctx.tenant.id, attempt.id, url)
    return record.session


async def _ask_again_soon(ctx: Context, attempt_id: UUID) -> None:
    """What is to end, or has ended, does not wait for the end of a challenge."""
    async with ctx.app.transaction() as tx:
        await attempts.check_soon(tx, ctx.tenant.id, attempt_id, lease_seconds(ctx.app))


async def _cancel(ctx: Context, attempt_id: UUID) -> CancelOutcome:
    attempt = await _load(ctx, attempt_id)
    assert attempt.reference is not None, "what is cancelled was opened"
    provider = provider_asked(ctx, attempt)
    answer = await answer_in_time(
        ctx, provider.cancel(order_of(ctx, attempt), attempt.reference)
    )
    return Unknown() if answer is None else answer


async def _load(ctx: Context, attempt_id: UUID) -> Attempt:
    async with ctx.app.database.connection() as tx:
        attempt = await attempts.load(tx, ctx.tenant.id, attempt_id)
    if attempt is None:
        raise NotFound("There is no such payment attempt")
    return attempt


async def _reload(ctx: Context, attempt_id: UUID) -> ConfirmResult:
    """Where the attempt stands by now: somebody else may have ended it meanwhile."""
    attempt = await _load(ctx, attempt_id)
    if attempt.state is AttemptState.LIVE:
        return describe(attempt)
    return await _ended(ctx, attempt)


async def _ended(ctx: Context, attempt: Attempt) -> ConfirmResult:
    if attempt.state is AttemptState.SUCCEEDED:
        return Completed()
    async with ctx.app.database.connection() as tx:
        record = await checkout_sessions.load(tx, ctx.tenant.id, attempt.session_id)
    assert record is not None, "an attempt has its session"
    status = record.session.status(ctx.now)
    if status is SessionState.COMPLETED:
        return Completed()
    if status.is_terminal:
        return Ended(status)
    return PaymentFailed(attempt.failure or FailureReason.INTERRUPTED)
