"""The end of a free trial with a method on file: charged first, billed when that went well.

Claim, charge, record, as everywhere. The claim decides what is charged, holds the balance that
pays a part of it, and keeps the subscription from moving; each later try dates the draft to its
own day, so that nothing is ever billed back. What needs no charge is final at once. Where the
entity wants one invoice of a customer's day, those that are due together are charged as one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from tallystick.db import (
    balance_holds,
    checkout_facts,
    collections,
    consolidation,
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
from tallystick.domain.collection import Collection, SavedMethod
from tallystick.domain.consolidation import Consolidated, consolidated, groups
from tallystick.domain.invoice import number_text
from tallystick.domain.life import paid_after_trial, tried_again
from tallystick.domain.money import AmountTooLarge
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.domain.renewal import draft_of
from tallystick.services.claim import lease_seconds
from tallystick.services.consolidate_drafts import (
    consolidated_events,
    draft_of_all,
    write_consolidated,
)
from tallystick.services.context import Context
from tallystick.services.events import record_many
from tallystick.services.finalize_due import finalize_locked
from tallystick.services.ids import new_id
from tallystick.services.method_on_file import method_on_file
from tallystick.services.ports import PaymentProvider
from tallystick.services.settle_drafts import finalized_events, too_little
from tallystick.services.subscription_events import subscription_event
from tallystick.services.take_steps import renewal_facts

PUT_OFF = timedelta(hours=1)
"""How long a try waits for a checkout of the same plan that is being paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEnd:
    """An expired trial that is about to be charged, locked with its draft."""

    due: DueContract
    draft: DueDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class OneCharge:
    """What is charged at once: a draft, and the trials that its payment makes active.

    `whole` is what the draft carries where it is that of several.
    """

    draft: DueDraft
    ends: tuple[TrialEnd, ...]
    whole: Consolidated | None = None


async def claim_trial_end(ctx: Context, tx: Tx, invoice_id: UUID) -> Collection | bool:
    """Claim a try at the draft of an expired trial; True where it needed no charge.

    Without a method that can be charged it waits for its buyer. Where what belongs together
    cannot be charged as one, each goes alone.
    """
    await lock_customer_of(tx, ctx.tenant.id, invoice_id)
    found = await trial_charges.due_with(tx, ctx.tenant.id, invoice_id, ctx.now)
    locked = [await due_contracts.lock_one(tx, ctx.tenant.id, one) for one, _ in found]
    ends = []
    for due, (_, draft_id) in zip(locked, found, strict=True):
        end = await _ready(ctx, tx, due, draft_id)
        if end is not None:
            ends.append(end)
    own = next((one for one in ends if one.draft.id == invoice_id), None)
    if own is None:
        return False
    together = await _together(ctx, tx, ends, own)
    if together is not None:
        taken = await _take(ctx, tx, together)
        if taken is not None:
            return taken
    await collections.stop(tx, ctx.tenant.id, invoice_id)
    alone = await _take(ctx, tx, OneCharge(draft=own.draft, ends=(own,)))
    if alone is None:
        await places.give_back(tx, ctx.tenant.id, own.due.contract.id)
    return alone or False


async def record_trial_paid(ctx: Context, tx: Tx, collection: Collection) -> None:
    """A locked try succeeded, or its debit was accepted: the draft is final, the trial over.

    Its payment is written by the caller. The number's counter is locked last.
    """
    tenant_id, at = ctx.tenant.id, collection.claimed_at
    (draft,) = await due_drafts.lock_draft(tx, tenant_id, collection.invoice)
    members = await due_drafts.lock_members(tx, tenant_id, draft.id)
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
    if members:
        await record_many(ctx.within(tx), consolidated_events(draft, members))
    for subscription_id in _waiting(collection, members):
        due = await due_contracts.lock_one(tx, tenant_id, subscription_id)
        assert due is not None, "subscriptions are kept"
        await _go_on(ctx, tx, due, at)
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
    await consolidation.stay_merged(tx, tenant_id, draft.id, at)
    await record_many(ctx.within(tx), finalized_events(numbered))


async def record_trial_unpaid(ctx: Context, tx: Tx, collection: Collection) -> list[UUID]:
    """A locked try failed: what it held is free again, and so is the place for the plan.

    What was charged as one stands by itself again. Returns the drafts that are unpaid.
    """
    tenant_id = ctx.tenant.id
    members = await due_drafts.lock_members(tx, tenant_id, collection.invoice)
    await balance_holds.give_back(
        tx,
        tenant_id,
        collection.customer_id,
        collection.currency,
        collection.balance_held,
    )
    waiting = _waiting(collection, members)
    for subscription_id in waiting:
        await subscription_changes.be_paid(tx, tenant_id, subscription_id, now_paid=False)
    await places.give_back(tx, tenant_id, *waiting)
    if not members:
        return [collection.invoice]
    await consolidation.part(tx, tenant_id, collection.invoice, ctx.now)
    return [one.id for one in members]


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


def _waiting(collection: Collection, members: Sequence[DueDraft]) -> list[UUID]:
    """The subscriptions that wait for a try."""
    assert collection.activates is not None, "a subscription waits for it"
    found = [one.subscription_id for one in members if one.subscription_id is not None]
    return sorted(found) or [collection.activates]


async def _ready(
    ctx: Context, tx: Tx, due: DueContract | None, invoice_id: UUID
) -> TrialEnd | None:
    """A locked trial with its draft as it is charged now; None where it is not."""
    waits = await trial_charges.lock_draft(tx, ctx.tenant.id, invoice_id, ctx.now)
    if due is None or waits is None or due.is_being_paid:
        return None
    if waits.failures and due.contract.is_charged:
        due = await _dated_today(ctx, tx, due, invoice_id)
        if due is None:
            return None
    (draft,) = await due_drafts.lock_draft(tx, ctx.tenant.id, invoice_id)
    return TrialEnd(due=due, draft=draft)


async def _together(
    ctx: Context, tx: Tx, ends: Sequence[TrialEnd], own: TrialEnd
) -> OneCharge | None:
    """What is charged as one with a trial, None where nothing else is."""
    if len(ends) == 1:
        return None
    by_draft = {one.draft.id: one for one in ends}
    found = groups(await consolidation.members(tx, ctx.tenant.id, list(by_draft)))
    for members in found:
        if own.draft.id in {one.id for one in members}:
            try:
                whole = consolidated(members, invoice_id=new_id())
            except AmountTooLarge:
                return None
            return OneCharge(
                draft=draft_of_all(ctx, whole, by_draft[whole.first.id].draft),
                ends=tuple(by_draft[one.id] for one in members),
                whole=whole,
            )
    return None


async def _take(ctx: Context, tx: Tx, charge: OneCharge) -> Collection | bool | None:
    """Write the try with everything that it owns; or finalize what needs no charge.

    None where there is no method to charge it to: nothing is written.
    """
    tenant_id, draft = ctx.tenant.id, charge.draft
    provider = ctx.app.provider_of(ctx.tenant, draft.invoicing_entity_id)
    balances = await due_drafts.lock_balances(tx, tenant_id, [draft.customer_id])
    met = settle(draft.total, balances.get((draft.customer_id, draft.currency), 0))
    if met.amount_due == 0 or too_little(provider, met.amount_due, draft.currency):
        await _finalize(ctx, tx, charge)
        return True
    chosen = await _method(ctx, tx, charge, provider)
    if chosen is None:
        return None
    if charge.whole is not None:
        await write_consolidated(ctx, tx, [charge.whole], charged_first=True)
    made = Collection(
        id=new_id(),
        invoice_id=draft.id,
        customer_id=draft.customer_id,
        payment_method_id=chosen.id,
        transaction_id=new_id(),
        provider=chosen.method.provider,
        reference=None,
        method=chosen.method,
        amount=met.amount_due,
        currency=draft.currency,
        state=AttemptState.LIVE,
        failure=None,
        claimed_at=ctx.now,
        activates=charge.ends[0].due.contract.id,
        balance_held=met.balance_applied,
    )
    await collections.insert(tx, tenant_id, made, lease_seconds(ctx.app))
    await balance_holds.hold(
        tx, tenant_id, draft.customer_id, draft.currency, met.balance_applied
    )
    for end in charge.ends:
        await subscription_changes.be_paid(tx, tenant_id, end.due.contract.id, now_paid=True)
    return made


async def _method(
    ctx: Context, tx: Tx, charge: OneCharge, provider: PaymentProvider | None
) -> SavedMethod | None:
    """The method to charge, that of the first where several are charged as one."""
    contracts = [one.due.contract for one in charge.ends]
    if not all(one.is_charged for one in contracts):
        return None
    own = contracts[0].payment_method_id
    return await method_on_file(ctx, tx, provider, charge.draft.customer_id, own)


async def _finalize(ctx: Context, tx: Tx, charge: OneCharge) -> None:
    """What needs no charge is final, and the trials go on."""
    if charge.whole is not None:
        await write_consolidated(ctx, tx, [charge.whole])
        members = [one.draft for one in charge.ends]
        await record_many(ctx.within(tx), consolidated_events(charge.draft, members))
    for end in charge.ends:
        await _go_on(ctx, tx, end.due, ctx.now)
    await finalize_locked(ctx, tx, [charge.draft])


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
    new = NewDraft(
        draft=draft,
        line_ids=line_ids,
        finalize_at=None,
        charge_at=ctx.now,
        may_merge=due.consolidates,
    )
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


async def _go_on(ctx: Context, tx: Tx, due: DueContract, at: datetime) -> None:
    """The subscription is active from the day that its draft bills from."""
    active = paid_after_trial(due.contract)
    await due_contracts.move(tx, ctx.tenant.id, [active], at)
    await subscription_changes.be_paid(tx, ctx.tenant.id, active.id, now_paid=False)
    told = subscription_event("subscription.updated", due, active, change_type="activated")
    await record_many(ctx.within(tx), [told])
