"""Collect an invoice from a saved method: claim, charge, record, without the buyer.

A long verb. Nothing is asked of the provider while a transaction is open, every call carries
the key of its first try, and no answer is never a failure: the sweeper asks again.
"""

from datetime import datetime
from uuid import UUID

from tallystick.db import collections, trial_charges
from tallystick.db.engine import Tx, retrying
from tallystick.db.leases import Leased
from tallystick.domain.attempt import (
    AskToCancel,
    AttemptState,
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
from tallystick.services.charge_trial_end import (
    claim_trial_end,
    record_trial_paid,
    record_trial_unpaid,
)
from tallystick.services.claim import lease_seconds
from tallystick.services.context import App, Context
from tallystick.services.each_alone import each_alone
from tallystick.services.failed_payment import FailedPayment, tell_failure
from tallystick.services.ids import new_id
from tallystick.services.method_on_file import method_on_file
from tallystick.services.provider_call import answer_in_time
from tallystick.services.record_collected import record_collected
from tallystick.services.sweep import AT_ONCE, sweep
from tallystick.services.tenant_context import tenant_context

BATCH = 200


async def collect_due(ctx: Context) -> int:
    """Try to collect every invoice that is due for it at the tenant's now.

    Returns how many were tried; where there is nothing to charge, nothing is.
    """
    tried = 0

    async def collect(invoice_id: UUID) -> None:
        nonlocal tried
        tried += await collect_invoice(ctx, invoice_id)

    while True:
        async with ctx.app.database.connection() as tx:
            due = await collections.due(tx, ctx.tenant.id, ctx.now, ctx.today, BATCH)
        done = await each_alone(due, collect, at_once=AT_ONCE, work="collect")
        if len(due) < BATCH or not done:
            return tried


async def collect_invoice(ctx: Context, invoice_id: UUID, try_id: UUID | None = None) -> bool:
    """Charge what an invoice owes to the method on file, and tell whether it was tried.

    `try_id` is the id that the try gets, a new one by default. Without a method that can be
    charged, or with too little left to charge, the invoice waits for its buyer.
    """
    claimed = await retrying(ctx.app.database, lambda tx: _claim(ctx, tx, invoice_id, try_id))
    if not isinstance(claimed, Collection):
        return claimed
    await _carry_on(ctx, claimed, await _charge(ctx, claimed), swept=False)
    return True


async def sweep_collections(app: App, real_now: datetime) -> int:
    """Take up the tries that nobody has recorded in time, of every tenant."""

    async def take_up(one: Leased) -> None:
        async with app.database.connection() as tx:
            ctx = await tenant_context(app, tx, one.tenant_id, real_now, actor="worker")
            known = await collections.load(tx, one.tenant_id, one.id)
        assert known is not None, "tries are kept"
        await _take_up(ctx, known)

    return await sweep(app, collections.lease_due, take_up, work="sweep_collections")


async def _claim(
    ctx: Context, tx: Tx, invoice_id: UUID, try_id: UUID | None
) -> Collection | bool:
    """Lock the invoice and write the try, or note that there is nothing to charge.

    True says that it was dealt with without being charged.
    """
    if await trial_charges.is_charged_first(tx, ctx.tenant.id, invoice_id):
        return await claim_trial_end(ctx, tx, invoice_id)
    owing = await collections.lock_owing(tx, ctx.tenant.id, invoice_id, ctx.now)
    if owing is None:
        return False
    provider = ctx.app.provider_of(ctx.tenant)
    chosen = await method_on_file(ctx, tx, owing.customer_id, owing.own_method_id)
    await collections.stop(tx, ctx.tenant.id, invoice_id)
    if chosen is None or not provider.chargeable(owing.amount_due, owing.currency):
        return False
    made = Collection(
        id=try_id or new_id(),
        invoice_id=owing.id,
        customer_id=owing.customer_id,
        payment_method_id=chosen.id,
        transaction_id=new_id(),
        provider=provider.name,
        reference=None,
        method=chosen.method,
        amount=owing.amount_due,
        currency=owing.currency,
        state=AttemptState.LIVE,
        failure=None,
        claimed_at=ctx.now,
    )
    await collections.insert(tx, ctx.tenant.id, made, lease_seconds(ctx.app))
    return made


def _order(ctx: Context, collection: Collection) -> PaymentOrder:
    return PaymentOrder(
        tenant_id=ctx.tenant.id,
        attempt_id=collection.id,
        customer_id=collection.customer_id,
        amount=collection.amount,
        currency=collection.currency,
        method=collection.method,
        save=False,
        return_url=ctx.app.public_url,
    )


async def _reference(ctx: Context, collection: Collection) -> str | Declined | None:
    """The provider's reference, opened and kept under its key if there is none yet.

    A card whose last month was over when it was claimed is not shown to the provider.
    """
    if collection.reference is not None:
        return collection.reference
    if has_expired(collection.method, collection.claimed_at):
        return Declined(FailureReason.CARD_EXPIRED)
    provider = ctx.app.provider_of(ctx.tenant)
    reference = await answer_in_time(ctx, provider.open(_order(ctx, collection)))
    if reference is None or isinstance(reference, Declined):
        return reference
    async with ctx.app.transaction() as tx:
        kept = await collections.keep_reference(
            tx, ctx.tenant.id, collection.id, reference, lease_seconds(ctx.app)
        )
    return reference if kept else None


async def _charge(ctx: Context, collection: Collection) -> Standing:
    reference = await _reference(ctx, collection)
    if reference is None:
        return Unknown()
    if isinstance(reference, Declined):
        return reference
    provider = ctx.app.provider_of(ctx.tenant)
    return (
        await answer_in_time(ctx, provider.confirm(_order(ctx, collection), reference))
        or Unknown()
    )


async def _take_up(ctx: Context, known: Collection) -> None:
    """Ask the provider where a try stands; what nobody works on any more is cancelled."""
    if known.state is not AttemptState.LIVE:
        return
    reference = await _reference(ctx, known)
    if reference is None:
        return
    standing: Standing
    if isinstance(reference, Declined):
        standing = reference
    else:
        provider = ctx.app.provider_of(ctx.tenant)
        standing = (
            await answer_in_time(ctx, provider.look(ctx.tenant.id, reference)) or Unknown()
        )
    await _carry_on(ctx, known, standing, swept=True)


async def _carry_on(
    ctx: Context, collection: Collection, standing: Standing, *, swept: bool
) -> None:
    """Record what the answer means; what nobody works on any more is cancelled.

    Nobody is there to authenticate, so a try that needs it is cancelled at once. `swept` says
    that the call's time is over; before that, silence is left to the sweeper.
    """
    challenged = isinstance(standing, NeedsAction)
    give_up = challenged or (swept and not isinstance(standing, Pending))
    reason = FailureReason.AUTHENTICATION_FAILED if challenged else FailureReason.INTERRUPTED
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
        case _:
            # No answer, or none that decides: the sweeper asks again after the lease.
            return


async def _cancelled(ctx: Context, known: Collection, reason: FailureReason) -> NextStep:
    async with ctx.app.database.connection() as tx:
        collection = await collections.load(tx, ctx.tenant.id, known.id)
    assert collection is not None, "tries are kept"
    assert collection.reference is not None, "what is cancelled was opened"
    provider = ctx.app.provider_of(ctx.tenant)
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
    """The try failed: the invoice says so, and is tried again after the tenant's days."""
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
    )
