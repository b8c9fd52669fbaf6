"""Take steps of subscriptions that are locked: decide, write drafts, move on, tell.

The same for the worker's batches, for a clock that is moved, and for one subscription whose
step is taken at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from tallystick.db import (
    billed_ahead,
    checkout_facts,
    draft_writes,
    due_contracts,
    places,
    usage_marks,
)
from tallystick.db.billed_ahead import AskedAhead
from tallystick.db.draft_writes import NewDraft
from tallystick.db.due_contracts import DueContract
from tallystick.db.due_drafts import DueDraft
from tallystick.db.engine import Tx
from tallystick.domain.billed_ahead import NOTHING_AHEAD, BilledAhead
from tallystick.domain.consolidation import merging_grace
from tallystick.domain.contract import Contract
from tallystick.domain.life import Step, StepKind, step
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.domain.quote import ProductTax
from tallystick.domain.renewal import Draft, RenewalFacts, draft_of
from tallystick.services.apply_scheduled import applied_event, apply_scheduled, named_after
from tallystick.services.context import Context
from tallystick.services.end_activations import end_activations
from tallystick.services.events import Told, record_many
from tallystick.services.ids import new_id
from tallystick.services.meter_usage import Asked, meter_usage
from tallystick.services.purchase_events import invoice_event
from tallystick.services.quoting import vat_number_valid
from tallystick.services.settle_drafts import finalized_events, settle_drafts
from tallystick.services.subscription_events import step_event


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A step that was taken, with the draft that it makes, if any.

    `finalize_at` is when the draft goes on, None where it waits for somebody. `is_final` says
    that nothing has to be waited for: it is an invoice at once, or nothing without lines.
    """

    due: DueContract
    step: Step
    draft: Draft | None
    finalize_at: datetime | None
    is_final: bool

    @property
    def is_charged_first(self) -> bool:
        """Whether its draft is final, and its subscription active, only once it is paid."""
        return _is_charged_first(self.step, self.draft)

    @property
    def may_merge(self) -> bool:
        """Whether the draft may become one invoice with the customer's others of its day."""
        return _may_merge(self.due, self.step)


async def take_steps(
    ctx: Context,
    tx: Tx,
    due: Sequence[DueContract],
    *,
    tells_steps: bool = True,
    finalizes: bool = False,
) -> list[Taken]:
    """Take the next step of each of these locked contracts, and write what it makes.

    `tells_steps` False leaves the events of the steps to the caller; those of the drafts are
    written. `finalizes` makes those drafts final that have nothing to wait for: their prices
    are made of all usage that is there.
    """
    taken = await _priced(ctx, tx, due, finalizes=finalizes)
    made = [
        (one, _new_draft(ctx, one, one.draft))
        for one in taken
        if one.draft is not None and (one.draft.invoice.lines or not one.is_final)
    ]
    await draft_writes.insert_parts(tx, ctx.tenant.id, [new for _, new in made], ctx.now)
    waiting = [new for one, new in made if not one.is_final]
    await draft_writes.insert_invoices(tx, ctx.tenant.id, waiting, ctx.now)
    moved_on = [one.step.contract for one in taken]
    await due_contracts.move(tx, ctx.tenant.id, moved_on, ctx.now)
    await _leave_places(ctx, tx, taken)
    # What was used in a window before its step was taken is looked at from now on.
    await usage_marks.insert(
        tx,
        ctx.tenant.id,
        {one.customer_id for one in moved_on if one.invoice_threshold is not None},
    )
    told = [event for one in taken for event in _events(ctx, one, tells_steps=tells_steps)]
    await record_many(ctx.within(tx), told)
    await _finalize(ctx, tx, [(one, new) for one, new in made if one.is_final])
    return taken


async def _priced(
    ctx: Context, tx: Tx, due: Sequence[DueContract], *, finalizes: bool
) -> list[Taken]:
    """The next step of each contract, with what it bills."""
    steps = [step(one.contract) for one in due]
    await apply_scheduled(ctx, tx, due, steps)
    products = {item.product_id for one in steps for item in one.contract.items}
    taxes = await checkout_facts.load_product_taxes(tx, ctx.tenant.id, list(products))
    metered = await meter_usage(
        ctx,
        tx,
        [
            Asked(
                customer_id=moved.contract.customer_id,
                meters=moved.meters,
                currency=moved.contract.currency,
            )
            for moved in steps
        ],
    )
    ahead = await _billed_ahead(ctx, tx, due, steps)
    taken = []
    for one, moved, charges in zip(due, steps, metered, strict=True):
        draft = draft_of(
            moved,
            charges,
            renewal_facts(one, taxes),
            invoice_id=new_id(),
            now=ctx.now,
            ahead=ahead.get(moved.contract.id, NOTHING_AHEAD),
        )
        waits = draft is None or _is_charged_first(moved, draft)
        at = None if waits else _finalize_at(ctx, one, moved)
        is_due = at is not None and at <= ctx.now and not _may_merge(one, moved)
        taken.append(
            Taken(
                due=one,
                step=moved,
                draft=draft,
                finalize_at=at,
                is_final=finalizes and is_due,
            )
        )
    return taken


async def _finalize(ctx: Context, tx: Tx, made: Sequence[tuple[Taken, NewDraft]]) -> None:
    """Write invoices that are final at once and whose parts are there: counters come last."""
    if not made:
        return
    numbered = await settle_drafts(ctx, tx, [_due_draft(*one) for one in made])
    by_id = {one.draft.id: one for one in numbered}
    final = [replace(new, numbered=by_id[new.draft.invoice.id]) for _, new in made]
    await draft_writes.insert_invoices(tx, ctx.tenant.id, final, ctx.now)
    told = [event for one in numbered for event in finalized_events(one)]
    await record_many(ctx.within(tx), told)


def _due_draft(taken: Taken, new: NewDraft) -> DueDraft:
    """A draft that is final at once, as one whose grace is over."""
    invoice = new.draft.invoice
    return DueDraft(
        id=invoice.id,
        customer_id=invoice.customer_id,
        subscription_id=invoice.subscription_id,
        invoicing_entity_id=invoice.invoicing_entity_id,
        currency=invoice.currency,
        invoice_date=invoice.invoice_date,
        total=invoice.total,
        tax_amount=invoice.tax_amount,
        created_at=invoice.created_at,
        number_pattern=taken.due.entity.number_pattern,
        charges=taken.step.contract.charge_automatically,
        bills_usage=False,
        may_merge=False,
    )


def renewal_facts(due: DueContract, taxes: Mapping[UUID, ProductTax]) -> RenewalFacts:
    """What the price of a locked contract depends on beside its terms."""
    details = due.customer.details
    return RenewalFacts(
        customer=due.customer,
        entity=due.entity,
        buyer=due.customer.tax_buyer(
            details, vat_number_valid=vat_number_valid(details) is True
        ),
        product_taxes=taxes,
    )


async def _billed_ahead(
    ctx: Context, tx: Tx, due: Sequence[DueContract], steps: Sequence[Step]
) -> dict[UUID, BilledAhead]:
    """What threshold invoices have billed of what these steps bill."""
    return await billed_ahead.load(
        tx,
        ctx.tenant.id,
        [
            _asked_ahead(one, moved)
            for one, moved in zip(due, steps, strict=True)
            if one.contract.invoice_threshold is not None and (moved.meters or moved.charges)
        ],
    )


def _asked_ahead(due: DueContract, moved: Step) -> AskedAhead:
    period_start = due.contract.period_start
    return AskedAhead(
        subscription_id=due.contract.id,
        since=min((one.window.start for one in moved.meters), default=period_start),
        period_start=period_start,
    )


async def _leave_places(ctx: Context, tx: Tx, taken: Sequence[Taken]) -> None:
    """What lives no more holds no place; a trial that is charged now keeps its own meanwhile.

    A draft that was still to be paid is dropped with its subscription, and a checkout that
    nobody confirmed ends with it.
    """
    over = [
        one.step.contract.id
        for one in taken
        if not one.step.contract.status.is_live and not one.is_charged_first
    ]
    if over:
        await places.give_back(tx, ctx.tenant.id, *over)
        await draft_writes.drop_charged_first(tx, ctx.tenant.id, over)
    done = [
        one.step.contract.id
        for one in taken
        if one.step.contract.awaits_checkout and not _waits(one.step.contract)
    ]
    if done:
        await end_activations(ctx, tx, done)


def _waits(contract: Contract) -> bool:
    """Whether its checkout can still activate it: it has neither ended nor gone on unbilled."""
    return contract.status in {
        SubscriptionStatus.PENDING_ACTIVATION,
        SubscriptionStatus.TRIAL_ACTIVE,
        SubscriptionStatus.TRIAL_EXPIRED,
    }


def _new_draft(ctx: Context, taken: Taken, draft: Draft) -> NewDraft:
    return NewDraft(
        draft=draft,
        line_ids=[new_id() for _ in draft.invoice.lines],
        finalize_at=taken.finalize_at,
        charge_at=ctx.now if taken.is_charged_first else None,
        may_merge=taken.may_merge,
    )


def _is_charged_first(moved: Step, draft: Draft | None) -> bool:
    return moved.kind is StepKind.TRIAL_EXPIRED and draft is not None


def _may_merge(due: DueContract, moved: Step) -> bool:
    """Whether what a step makes may become one invoice with others.

    What begins a subscription never does, nor what waits for a person. What is charged first
    does when it is charged, with others like it.
    """
    recurs = moved.kind in {
        StepKind.RENEWED,
        StepKind.TRIAL_ENDED,
        StepKind.TRIAL_EXPIRED,
    }
    return recurs and due.consolidates and moved.contract.auto_advance_invoices


def _finalize_at(ctx: Context, due: DueContract, moved: Step) -> datetime | None:
    """When the draft is finalized: after the entity's grace, where usage may come late.

    That is a renewal, and the end of what is billed by usage; all else goes on at once. What
    may be merged waits until everything that belongs to it is there.
    """
    if not moved.contract.auto_advance_invoices:
        return None
    waits = moved.kind is StepKind.RENEWED or moved.meters
    grace = due.grace_hours if waits else 0
    if _may_merge(due, moved):
        grace = merging_grace(due.grace_hours)
    return start_of(moved.day, ctx.tenant.time_zone) + timedelta(hours=grace)


def start_of(day: date, time_zone: str) -> datetime:
    """The instant at which a day begins in a time zone."""
    return datetime.combine(day, time(), ZoneInfo(time_zone))


def _events(ctx: Context, taken: Taken, *, tells_steps: bool) -> list[Told]:
    due, kind = taken.due, taken.step.kind
    if taken.step.applied is not None:
        due = named_after(due, taken.step.applied)
    if kind in {StepKind.TRIAL_STARTED, StepKind.ACTIVATED}:
        due = replace(due, activated_at=due.activated_at or ctx.now)
    told = step_event(kind, due, taken.step.contract) if tells_steps else None
    changed = applied_event(due, taken.step)
    found = [one for one in (changed, told) if one is not None]
    if taken.draft is not None and taken.draft.invoice.lines:
        invoice = taken.draft.invoice
        found.append(("invoice.created", invoice.id, invoice_event(invoice, None)))
    return found
