"""When the last try to collect an invoice has failed: the entity's policy, and the way back."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from tallystick.db import (
    draft_writes,
    due_contracts,
    dunning,
    scheduled_changes,
    subscription_changes,
)
from tallystick.db.due_contracts import DueContract
from tallystick.db.engine import Tx, retrying
from tallystick.domain.contract import Contract
from tallystick.domain.dunning import (
    CANCELLED_BECAUSE,
    FinalPolicy,
    after_last_try,
    back_in_service,
)
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.services.change_invoice import tell_of_invoice
from tallystick.services.context import Context
from tallystick.services.each_alone import each_alone
from tallystick.services.events import record_many
from tallystick.services.subscription_events import subscription_event

Step: TypeAlias = Callable[[Context, Tx, UUID], Awaitable[None]]

AT_ONCE = 4
BATCH = 200
PUT_OFF = timedelta(hours=1)
"""How long it waits for a checkout of the subscription that is being paid."""


async def end_dunning(ctx: Context) -> int:
    """Decide about every invoice whose last try has failed, and bring back what is paid.

    Returns about how many was decided.
    """
    done = 0
    while True:
        async with ctx.app.database.connection() as tx:
            due = await dunning.due(tx, ctx.tenant.id, ctx.now, BATCH)
            paid = await dunning.released(tx, ctx.tenant.id, BATCH)
        now_done = await each_alone(
            due, lambda one: _in_one(ctx, one, _end), at_once=AT_ONCE, work="end_dunning"
        )
        now_done += await each_alone(
            paid, lambda one: _in_one(ctx, one, _bring_back), at_once=AT_ONCE, work="bring_back"
        )
        done += now_done
        if max(len(due), len(paid)) < BATCH or not now_done:
            return done


async def bring_back(ctx: Context, invoice_id: UUID) -> None:
    """What an invoice suspended is back at once where the invoice does not any more.

    A long verb; the worker would find it, too.
    """
    await _in_one(ctx, invoice_id, _bring_back)


async def _in_one(ctx: Context, invoice_id: UUID, step: Step) -> None:
    await retrying(ctx.app.database, lambda tx: step(ctx.within(tx), tx, invoice_id))


async def _locked(ctx: Context, tx: Tx, invoice_id: UUID) -> list[DueContract]:
    """The subscriptions that an invoice bills, locked after their customer."""
    found = []
    for subscription_id in await dunning.lock_customer_and_name(tx, ctx.tenant.id, invoice_id):
        due = await due_contracts.lock_one(tx, ctx.tenant.id, subscription_id)
        assert due is not None, "subscriptions are kept"
        found.append(due)
    return found


async def _end(ctx: Context, tx: Tx, invoice_id: UUID) -> None:
    """What the entity wants, where the invoice still owes."""
    tenant_id = ctx.tenant.id
    billed = await _locked(ctx, tx, invoice_id)
    found = await dunning.lock(tx, tenant_id, invoice_id, ctx.now)
    if found is None:
        return
    policy = found.end.policy if found.owes else FinalPolicy.LEAVE
    if policy is not FinalPolicy.LEAVE and any(one.is_being_paid for one in billed):
        await dunning.put_off(tx, tenant_id, invoice_id, ctx.now + PUT_OFF)
        return
    suspends = False
    for due in billed:
        after = after_last_try(policy, due.contract, ctx.today)
        if after is not None and policy is FinalPolicy.CANCEL:
            await _cancel(ctx, tx, after)
        elif after is not None:
            await _move(ctx, tx, due, after, "paused")
        if policy is FinalPolicy.SUSPEND:
            stands = due.contract if after is None else after
            suspends = suspends or stands.status is SubscriptionStatus.SUSPENDED
    await dunning.decided(tx, tenant_id, invoice_id, suspends=suspends)
    if not (found.owes and found.end.gives_up):
        return
    if found.is_draft:
        # Nothing was billed, so nothing is owed: no card that comes later is charged for it.
        await draft_writes.drop_charged_first(
            tx, tenant_id, [one.contract.id for one in billed]
        )
    else:
        await dunning.give_up(tx, tenant_id, invoice_id, ctx.now)
        await tell_of_invoice(ctx, "invoice.marked_uncollectible", invoice_id)


async def _bring_back(ctx: Context, tx: Tx, invoice_id: UUID) -> None:
    """An invoice suspends nothing any more: what no other one suspends is back."""
    billed = await _locked(ctx, tx, invoice_id)
    if not await dunning.release(tx, ctx.tenant.id, invoice_id):
        return
    for due in billed:
        after = back_in_service(due.contract, ctx.today)
        if after is None or await dunning.is_suspended_by(tx, ctx.tenant.id, after.id):
            continue
        await _move(ctx, tx, due, after, "activated")


async def _cancel(ctx: Context, tx: Tx, contract: Contract) -> None:
    """Its end is due today, and taken as one of its steps."""
    await subscription_changes.save_ending(
        tx, ctx.tenant.id, contract, CANCELLED_BECAUSE, ctx.now
    )
    await scheduled_changes.drop(tx, ctx.tenant.id, contract.id)


async def _move(
    ctx: Context, tx: Tx, due: DueContract, after: Contract, change_type: str
) -> None:
    await due_contracts.move(tx, ctx.tenant.id, [after], ctx.now)
    told = subscription_event("subscription.updated", due, after, change_type=change_type)
    await record_many(ctx, [told])
