"""The end of a free trial with a method on file: charged first, billed when that went well.

Claim, charge, record, as everywhere. The claim decides what is charged, holds the balance that
pays a part of it, and keeps the subscription from moving; each later try dates the draft to its
own day, so that nothing is ever billed back. What needs no charge is final at once.
"""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from tallystick.db import (
    balance_holds,
    checkout_facts,
    collections,
    draft_writes,
    due_contracts,
    due_drafts,
    number_counters,
    places,
    subscription_changes,
    trial_charges,
)
from tallystick.db.draft_writes import NewDraft
from tallystick.db.due_contracts import DueContract
from tallystick.db.due_drafts import DueDraft, Numbered
from tallystick.db.engine import Tx
from tallystick.db.invoice_locks import lock_customer_of
from tallystick.domain.attempt import AttemptState
from tallystick.domain.bill import settle
from tallystick.domain.collection import Collection
from tallystick.domain.invoice import number_text
from tallystick.domain.life import paid_after_trial, tried_again
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.domain.renewal import draft_of
from tallystick.services.claim import lease_seconds
from tallystick.services.context import Context
from tallystick.services.events import record_many
from tallystick.services.finalize_due import finalize_locked
from tallystick.services.ids import new_id
from tallystick.services.method_on_file import method_on_file
from tallystick.services.settle_drafts import finalized_events
from tallystick.services.subscription_events import subscription_event
from tallystick.services.take_steps import renewal_facts

PUT_OFF = timedelta(hours=1)
"""How long a try waits for a checkout of the same plan that is being paid."""


async def claim_trial_end(
    ctx: Context, tx: Tx, subscription_id: UUID, invoice_id: UUID
) -> Collection | bool:
    """Claim a try at the draft of an expired trial; True where it needed no charge.

    Without a method that can be charged it waits for its buyer.
    """
    tenant_id = ctx.tenant.id
    await lock_customer_of(tx, tenant_id, invoice_id)
    due = await due_contracts.lock_one(tx, tenant_id, subscription_id)
    waits = await trial_charges.lock_draft(tx, tenant_id, invoice_id, ctx.now)
    if due is None or waits is None or due.is_being_paid:
        return False
    if waits.failures and due.contract.is_charged:
        again = await _dated_today(ctx, tx, due, invoice_id)
        if again is None:
            return False
        due = again
    await collections.stop(tx, tenant_id, invoice_id)
    (draft,) = await due_drafts.lock_draft(tx, tenant_id, invoice_id)
    return await _take(ctx, tx, due, draft)


async def record_trial_paid(ctx: Context, tx: Tx, collection: Collection) -> None:
    """A locked try succeeded, or its debit was accepted: the draft is final, the trial over.

    Its payment is written by the caller. The number's counter is locked last.
    """
    tenant_id, at = ctx.tenant.id, collection.claimed_at
    assert collection.activates is not None, "a subscription waits for it"
    due = await due_contracts.lock_one(tx, tenant_id, collection.activates)
    assert due is not None, "subscriptions are kept"
    (draft,) = await due_drafts.lock_draft(tx, tenant_id, collection.invoice)
    assert draft.total - collection.balance_held == collection.amount, "as it was claimed"
    await balance_holds.spend(
        tx,
        tenant_id,
        collection.customer_id,
        collection.currency,
        collection.balance_held,
        entry_id=new_id(),
        invoice_id=draft.id,
        now=at,
    )
    await _go_on(ctx, tx, due, collection)
    number = await number_counters.count_invoices(tx, tenant_id, draft.invoicing_entity_id, 1)
    numbered = Numbered(
        # Its payment is here: nothing of it is left to be collected.
        draft=replace(draft, charges=False),
        number=number,
        text=number_text(draft.number_pattern, number, draft.invoice_date),
        applied=collection.balance_held,
        written_off=0,
    )
    await due_drafts.finalize(tx, tenant_id, [numbered], at)
    await record_many(ctx.within(tx), finalized_events(numbered))


async def record_trial_unpaid(ctx: Context, tx: Tx, collection: Collection) -> None:
    """A locked try failed: what it held is free again, and so is the place for the plan."""
    tenant_id = ctx.tenant.id
    assert collection.activates is not None, "a subscription waits for it"
    await balance_holds.give_back(
        tx,
        tenant_id,
        collection.customer_id,
        collection.currency,
        collection.balance_held,
    )
    await subscription_changes.be_paid(tx, tenant_id, collection.activates, now_paid=False)
    await places.give_back(tx, tenant_id, collection.activates)


async def revive_trial_end(ctx: Context, tx: Tx, collection: Collection) -> bool:
    """A locked try that had failed got its money after all: the trial goes on, if it can.

    It can while its draft waits as it was claimed, and place and balance can be taken again.
    """
    tenant_id = ctx.tenant.id
    if collection.activates is None or collection.invoice_id is None:
        return False
    due = await due_contracts.lock_one(tx, tenant_id, collection.activates)
    drafts = await due_drafts.lock_draft(tx, tenant_id, collection.invoice_id)
    if due is None or not drafts or due.is_being_paid:
        return False
    available = await balance_holds.available(
        tx, tenant_id, collection.customer_id, collection.currency
    )
    if (
        due.contract.status is not SubscriptionStatus.TRIAL_EXPIRED
        or drafts[0].total - collection.balance_held != collection.amount
        or available < collection.balance_held
        or not await _take_place(ctx, tx, due)
    ):
        return False
    await balance_holds.hold(
        tx, tenant_id, collection.customer_id, collection.currency, collection.balance_held
    )
    await collections.finish(tx, tenant_id, collection.id, AttemptState.SUCCEEDED, None)
    await record_trial_paid(ctx, tx, collection)
    return True


async def _take(ctx: Context, tx: Tx, due: DueContract, draft: DueDraft) -> Collection | bool:
    """Write the try with everything that it owns; or finalize what needs no charge."""
    tenant_id, contract = ctx.tenant.id, due.contract
    provider = ctx.app.provider_of(ctx.tenant)
    balances = await due_drafts.lock_balances(tx, tenant_id, [draft.customer_id])
    met = settle(draft.total, balances.get((draft.customer_id, draft.currency), 0))
    if met.amount_due == 0 or not provider.chargeable(met.amount_due, draft.currency):
        await _go_on(ctx, tx, due, None)
        await finalize_locked(ctx, tx, [draft])
        return True
    chosen = None
    if contract.is_charged:
        chosen = await method_on_file(ctx, tx, draft.customer_id, contract.payment_method_id)
    if chosen is None:
        await places.give_back(tx, tenant_id, contract.id)
        return False
    made = Collection(
        id=new_id(),
        invoice_id=draft.id,
        customer_id=draft.customer_id,
        payment_method_id=chosen.id,
        transaction_id=new_id(),
        provider=provider.name,
        reference=None,
        method=chosen.method,
        amount=met.amount_due,
        currency=draft.currency,
        state=AttemptState.LIVE,
        failure=None,
        claimed_at=ctx.now,
        activates=contract.id,
        balance_held=met.balance_applied,
    )
    await collections.insert(tx, tenant_id, made, lease_seconds(ctx.app))
    await balance_holds.hold(
        tx, tenant_id, draft.customer_id, draft.currency, met.balance_applied
    )
    await subscription_changes.be_paid(tx, tenant_id, contract.id, now_paid=True)
    return made


async def _dated_today(
    ctx: Context, tx: Tx, due: DueContract, invoice_id: UUID
) -> DueContract | None:
    """The contract and its draft as of today, with a place; None where it is not tried now.

    A customer who has, or is just buying, the plan anew is not charged for the old trial.
    """
    tenant_id, contract = ctx.tenant.id, due.contract
    if not await _take_place(ctx, tx, due):
        if await places.is_being_bought(tx, tenant_id, contract.customer_id, contract.plan_id):
            await collections.ask_at(tx, tenant_id, invoice_id, ctx.now + PUT_OFF)
        else:
            await collections.stop(tx, tenant_id, invoice_id)
        return None
    unused = tuple(replace(one, applied_count=0) for one in contract.coupons)
    moved = tried_again(replace(contract, coupons=unused), ctx.today)
    if moved is None:
        await places.give_back(tx, tenant_id, contract.id)
        await draft_writes.drop_charged_first(tx, tenant_id, [contract.id])
        return None
    products = {item.product_id for item in contract.items}
    taxes = await checkout_facts.load_product_taxes(tx, tenant_id, list(products))
    draft = draft_of(moved, (), renewal_facts(due, taxes), invoice_id=invoice_id, now=ctx.now)
    assert draft is not None, "what was billed at the trial's end is billed on any day"
    line_ids = [new_id() for _ in draft.invoice.lines]
    new = NewDraft(draft=draft, line_ids=line_ids, finalize_at=None, charge_at=ctx.now)
    await draft_writes.date_again(tx, tenant_id, new, ctx.now)
    await subscription_changes.save_first_day(tx, tenant_id, moved.contract, ctx.now)
    return replace(due, contract=moved.contract)


async def _take_place(ctx: Context, tx: Tx, due: DueContract) -> bool:
    """The place for the plan that the subscription holds, or a free one."""
    contract = due.contract
    return await places.is_held_by(tx, ctx.tenant.id, contract.id) or await places.take(
        tx,
        ctx.tenant.id,
        contract.customer_id,
        contract.plan_id,
        ctx.tenant.places_per_plan,
        contract.id,
        "SUBSCRIPTION",
    )


async def _go_on(ctx: Context, tx: Tx, due: DueContract, collection: Collection | None) -> None:
    """The subscription is active from the day that its draft bills from."""
    at = ctx.now if collection is None else collection.claimed_at
    active = paid_after_trial(due.contract)
    await due_contracts.move(tx, ctx.tenant.id, [active], at)
    await subscription_changes.be_paid(tx, ctx.tenant.id, active.id, now_paid=False)
    told = subscription_event("subscription.updated", due, active, change_type="activated")
    await record_many(ctx.within(tx), [told])
