"""Take the due steps of subscriptions: trials that end, periods that begin, ends.

Set by set: a batch is locked with SKIP LOCKED, priced in memory, and written by COPY, so any
number of workers may run. A batch that fails is halved until the bad one is alone, and that one
is set aside with its reason.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from tallystick.db import checkout_facts, draft_writes, due_contracts, places
from tallystick.db.draft_writes import NewDraft
from tallystick.db.due_contracts import DueContract
from tallystick.db.engine import DatabaseUnavailable, Tx, retrying
from tallystick.domain.life import Step, StepKind, step
from tallystick.domain.renewal import Draft, RenewalFacts, draft_of
from tallystick.services.context import Context
from tallystick.services.events import Told, record_many
from tallystick.services.ids import new_id
from tallystick.services.purchase_events import invoice_event
from tallystick.services.quoting import vat_number_valid
from tallystick.services.subscription_events import step_event

BATCH = 250
"""Steps in one transaction: enough that the round trips do not count, few enough that a
failure does not undo much."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A step that was taken, with the draft that it makes, if any."""

    due: DueContract
    step: Step
    draft: Draft | None


async def renew_due(ctx: Context) -> Counter[StepKind]:
    """Take every step that is due at the tenant's now, in the order of their days.

    Returns how many steps of each kind were taken. What cannot be billed is set aside.
    """
    taken: Counter[StepKind] = Counter()
    while True:
        async with ctx.app.database.connection() as tx:
            ids = await due_contracts.due_ids(tx, ctx.tenant.id, ctx.today, BATCH)
        found = await _take(ctx, ids) if ids else Counter()
        taken.update(found)
        # What is due and was not taken is in another worker's hands.
        if not found:
            return taken


async def _take(ctx: Context, ids: Sequence[UUID]) -> Counter[StepKind]:
    try:
        return await retrying(ctx.app.database, lambda tx: _batch(ctx, tx, ids))
    except DatabaseUnavailable:
        raise
    except Exception as reason:
        if len(ids) == 1:
            log.exception("billing.set_aside", subscription=str(ids[0]))
            await _set_aside(ctx, ids[0], reason)
            return Counter()
        middle = len(ids) // 2
        return await _take(ctx, ids[:middle]) + await _take(ctx, ids[middle:])


async def _set_aside(ctx: Context, subscription_id: UUID, reason: Exception) -> None:
    said = f"{type(reason).__name__}: {reason}"[:1000]
    async with ctx.app.transaction() as tx:
        await due_contracts.set_aside(tx, ctx.tenant.id, subscription_id, said)


async def _batch(ctx: Context, tx: Tx, ids: Sequence[UUID]) -> Counter[StepKind]:
    """Lock, decide, write: one step of each of these subscriptions."""
    due = await due_contracts.lock(tx, ctx.tenant.id, ids, ctx.today)
    if not due:
        return Counter()
    products = {item.product_id for one in due for item in one.contract.items}
    taxes = await checkout_facts.load_product_taxes(tx, ctx.tenant.id, list(products))
    taken = []
    for one in due:
        moved = step(one.contract)
        facts = RenewalFacts(
            customer=one.customer,
            entity=one.entity,
            buyer=one.customer.tax_buyer(
                one.customer.details,
                vat_number_valid=vat_number_valid(one.customer.details) is True,
            ),
            product_taxes=taxes,
        )
        draft = draft_of(moved, facts, invoice_id=new_id(), now=ctx.now)
        taken.append(_Taken(due=one, step=moved, draft=draft))
    await draft_writes.insert(
        tx,
        ctx.tenant.id,
        [_new_draft(ctx, one, one.draft) for one in taken if one.draft is not None],
        ctx.now,
    )
    moved_on = [one.step.contract for one in taken]
    await due_contracts.move(tx, ctx.tenant.id, moved_on, ctx.now)
    over = [one.id for one in moved_on if not one.status.is_live]
    await places.give_back(tx, ctx.tenant.id, *over)
    await record_many(ctx.within(tx), [event for one in taken for event in _events(one)])
    return Counter(one.step.kind for one in taken)


def _new_draft(ctx: Context, taken: _Taken, draft: Draft) -> NewDraft:
    return NewDraft(
        draft=draft,
        line_ids=[new_id() for _ in draft.invoice.lines],
        finalize_at=_finalize_at(ctx, taken),
    )


def _finalize_at(ctx: Context, taken: _Taken) -> datetime | None:
    """When the draft is finalized: a renewal after the entity's grace, all else at once."""
    if not taken.step.contract.auto_advance_invoices:
        return None
    grace = taken.due.grace_hours if taken.step.kind is StepKind.RENEWED else 0
    return start_of(taken.step.day, ctx.tenant.time_zone) + timedelta(hours=grace)


def start_of(day: date, time_zone: str) -> datetime:
    """The instant at which a day begins in a time zone."""
    return datetime.combine(day, time(), ZoneInfo(time_zone))


def _events(taken: _Taken) -> list[Told]:
    told = step_event(taken.step.kind, taken.due, taken.step.contract)
    found = [] if told is None else [told]
    if taken.draft is not None:
        invoice = taken.draft.invoice
        found.append(("invoice.created", invoice.id, invoice_event(invoice, None)))
    return found
