"""A claimed try to collect: charged, taken up again, and recorded, whoever made it.

Made by the worker from a method on file, or by the buyer on the invoice's own page. Every call
carries the try's own key; recording happens once, however often the news comes.
"""

from datetime import datetime

from tallystick.db import collections, page_tries
from tallystick.db.engine import Tx, retrying
from tallystick.db.leases import Leased
from tallystick.domain.attempt import (
    AskToCancel,
    AttemptState,
    AwaitChallenge,
    NextStep,
    RecordFailure,
    RecordSuccess,
    after_cancel,
    after_standing,
)
from tallystick.domain.collection import Collection, has_expired
from tallystick.domain.payment import (
    Declined,
    FailureReason,
    NeedsAction,
    PaymentOrder,
    Pending,
    Standing,
    Unknown,
)
from tallystick.services.charge_trial_end import record_trial_paid, record_trial_unpaid
from tallystick.services.claim import lease_seconds
from tallystick.services.context import App, Context
from tallystick.services.failed_payment import FailedPayment, tell_failure
from tallystick.services.keep_customer import opened
from tallystick.services.ports import PaymentProvider
from tallystick.services.provider_call import answer_in_time
from tallystick.services.record_collected import record_collected
from tallystick.services.sweep import sweep
from tallystick.services.tenant_context import tenant_context

CHALLENGE_SECONDS = 1800.0
"""How long the buyer may take to authenticate, in real time."""


async def sweep_collections(app: App, real_now: datetime) -> int:
    """Take up the tries that nobody has recorded in time, of every tenant."""

    async def take_up_one(one: Leased) -> None:
        async with app.database.connection() as tx:
            ctx = await tenant_context(app, tx, one.tenant_id, real_now, actor="worker")
            known = await collections.load(tx, one.tenant_id, one.id)
        assert known is not None, "tries are kept"
        challenged = known.challenge_url is not None
        await take_up(
            ctx,
            known,
            FailureReason.AUTHENTICATION_ABANDONED if challenged else FailureReason.INTERRUPTED,
        )

    return await sweep(app, collections.lease_due, take_up_one, work="sweep_collections")


async def charge(ctx: Context, collection: Collection) -> Standing:
    """Open, keep the reference, confirm; `Unknown` when any of it gave no answer."""
    reference = await _reference(ctx, collection)
    if reference is None:
        return Unknown()
    if isinstance(reference, Declined):
        return reference
    provider = _provider(ctx, collection)
    return (
        await answer_in_time(ctx, provider.confirm(_order(ctx, collection), reference))
        or Unknown()
    )


async def take_up(ctx: Context, known: Collection, reason: FailureReason) -> None:
    """Ask the provider where a try stands that nobody works on any more.

    What still waits is cancelled, and ends for that reason.
    """
    if known.state is not AttemptState.LIVE:
        return
    reference = await _reference(ctx, known)
    if reference is None:
        return
    standing: Standing
    if isinstance(reference, Declined):
        standing = reference
    else:
        standing = await _look(ctx, known, reference)
    await carry_on(ctx, known, standing, given_up=reason)


async def look_again(ctx: Context, known: Collection) -> None:
    """Ask the provider where a try stands that may still go on, and record what it says."""
    if known.state is AttemptState.LIVE and known.reference is not None:
        await carry_on(ctx, known, await _look(ctx, known, known.reference))


async def carry_on(
    ctx: Context,
    collection: Collection,
    standing: Standing,
    *,
    given_up: FailureReason | None = None,
) -> None:
    """Record what the answer means; what nobody works on any more is cancelled.

    Where nobody is there to authenticate, a try that needs it is cancelled at once. `given_up`
    says that the call's time is over, or that its buyer leaves it, and why; before that,
    silence is left to the sweeper.
    """
    unattended = isinstance(standing, NeedsAction) and not collection.by_buyer
    give_up = unattended or (given_up is not None and not isinstance(standing, Pending))
    reason = given_up or FailureReason.INTERRUPTED
    if unattended:
        reason = FailureReason.AUTHENTICATION_FAILED
    step: NextStep = after_standing(collection, standing, give_up=give_up, reason=reason)
    if isinstance(step, AskToCancel):
        step = await _cancelled(ctx, collection, reason)
    match step:
        case RecordSuccess(pending=pending):
            await retrying(
                ctx.app.database,
                lambda tx: _record_success(ctx, tx, collection, pending=pending),
            )
        case RecordFailure(reason=why):
            await retrying(
                ctx.app.database, lambda tx: _record_failure(ctx, tx, collection, why)
            )
        case AwaitChallenge(url=url):
            async with ctx.app.transaction() as tx:
                await page_tries.await_challenge(
                    tx, ctx.tenant.id, collection.id, url, CHALLENGE_SECONDS
                )
        case _:
            # No answer, or none that decides: the sweeper asks again after the lease.
            return


def _order(ctx: Context, collection: Collection) -> PaymentOrder:
    return PaymentOrder(
        tenant_id=ctx.tenant.id,
        attempt_id=collection.id,
        customer_id=collection.customer_id,
        amount=collection.amount,
        currency=collection.currency,
        method=collection.method,
        save=False,
        return_url=collection.return_url or ctx.app.public_url,
        acceptance=collection.acceptance,
        off_session=not collection.by_buyer,
    )


def _provider(ctx: Context, collection: Collection) -> PaymentProvider:
    return ctx.app.provider_named(ctx.tenant, collection.provider)


async def _look(ctx: Context, known: Collection, reference: str) -> Standing:
    provider = _provider(ctx, known)
    return await answer_in_time(ctx, provider.look(ctx.tenant.id, reference)) or Unknown()


async def _reference(ctx: Context, collection: Collection) -> str | Declined | None:
    """The provider's reference, opened and kept under its key if there is none yet.

    A card whose last month was over when it was claimed is not shown to the provider.
    """
    if collection.reference is not None:
        return collection.reference
    if has_expired(collection.method, collection.claimed_at):
        return Declined(FailureReason.CARD_EXPIRED)
    provider = _provider(ctx, collection)
    reference = await answer_in_time(
        ctx, opened(ctx, provider, _order(ctx, collection), provider.open)
    )
    if reference is None or isinstance(reference, Declined):
        return reference
    async with ctx.app.transaction() as tx:
        kept = await collections.keep_reference(
            tx, ctx.tenant.id, collection.id, reference, lease_seconds(ctx.app)
        )
    return reference if kept else None


async def _cancelled(ctx: Context, known: Collection, reason: FailureReason) -> NextStep:
    async with ctx.app.database.connection() as tx:
        collection = await collections.load(tx, ctx.tenant.id, known.id)
    assert collection is not None, "tries are kept"
    assert collection.reference is not None, "what is cancelled was opened"
    provider = _provider(ctx, collection)
    answer = await answer_in_time(
        ctx, provider.cancel(_order(ctx, collection), collection.reference)
    )
    return after_cancel(collection, answer or Unknown(), reason)


async def _record_success(ctx: Context, tx: Tx, known: Collection, *, pending: bool) -> None:
    """The money came, or is promised; twice is the same as once."""
    collection = await collections.lock(tx, ctx.tenant.id, known)
    if collection.state is not AttemptState.LIVE:
        return
    await collections.finish(tx, ctx.tenant.id, collection.id, AttemptState.SUCCEEDED, None)
    if collection.activates is not None:
        await record_trial_paid(ctx, tx, collection)
    if pending:
        await collections.insert_transaction(tx, ctx.tenant.id, collection, pending=True)
        await collections.promised(tx, ctx.tenant.id, collection.invoice, ctx.now)
    else:
        await record_collected(ctx, tx, collection)


async def _record_failure(
    ctx: Context, tx: Tx, known: Collection, reason: FailureReason
) -> None:
    """The try failed: the invoice says so, and is tried again after the tenant's days.

    A buyer who fails at the invoice's page has changed nothing about that.
    """
    collection = await collections.lock(tx, ctx.tenant.id, known)
    if collection.state is not AttemptState.LIVE:
        return
    await collections.finish(tx, ctx.tenant.id, collection.id, AttemptState.FAILED, reason)
    owing = [collection.invoice]
    if collection.activates is not None:
        owing = await record_trial_unpaid(ctx, tx, collection)
    await tell_failure(
        ctx.within(tx),
        FailedPayment(
            transaction_id=collection.transaction_id,
            invoice_id=owing[0],
            with_it=tuple(owing[1:]),
            customer_id=collection.customer_id,
            amount=collection.amount,
            currency=collection.currency,
            reason=reason,
        ),
        counts=not collection.by_buyer,
    )
