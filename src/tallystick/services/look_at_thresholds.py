"""Issue an invoice at once when usage that is not billed yet reaches its threshold.

Looked at are the customers that were marked since: events of theirs came, or a window of usage
began. Their subscriptions are locked while what is owed of the open windows is compared with
what was billed of them, so that nothing is billed twice however many workers look.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tallystick.db import (
    billed_ahead,
    checkout_facts,
    coupon_redemptions,
    draft_writes,
    due_contracts,
    usage_marks,
)
from tallystick.db.billed_ahead import AskedAhead
from tallystick.db.draft_writes import NewDraft
from tallystick.db.due_contracts import DueContract
from tallystick.db.engine import Tx
from tallystick.domain.life import open_meters
from tallystick.domain.metered import Meter
from tallystick.domain.renewal import Draft, threshold_draft
from tallystick.services.context import Context
from tallystick.services.events import record_many
from tallystick.services.finalize_due import finalize_at_once
from tallystick.services.ids import new_id
from tallystick.services.in_halves import DueSets, set_by_set
from tallystick.services.meter_usage import Asked, meter_usage
from tallystick.services.purchase_events import invoice_event
from tallystick.services.take_steps import renewal_facts

BATCH = 100
"""Marks in one transaction: their customers' subscriptions wait as long as it lasts."""


@dataclass(slots=True, kw_only=True)
class Looked:
    """How many customers were looked at, and how many invoices were issued."""

    customers: int = 0
    invoices: int = 0


async def look_at_thresholds(ctx: Context) -> Looked:
    """Look at every customer who is marked; who cannot be looked at is set aside."""
    looked = Looked()

    def count(done: tuple[int, int]) -> int:
        customers, invoices = done
        looked.customers += customers
        looked.invoices += invoices
        return customers

    async def set_aside(customer_id: UUID, reason: str) -> None:
        async with ctx.app.transaction() as tx:
            await usage_marks.set_aside(tx, ctx.tenant.id, customer_id, reason)

    await set_by_set(
        ctx.app.database,
        DueSets(
            lock_due=lambda tx: usage_marks.lock_due(tx, ctx.tenant.id, BATCH),
            do=lambda tx, ids: _batch(ctx, tx, ids),
            count=count,
            set_aside=set_aside,
        ),
    )
    return looked


async def _batch(ctx: Context, tx: Tx, customer_ids: Sequence[UUID]) -> tuple[int, int]:
    """How many customers were marked, and how many invoices were issued."""
    marked = await usage_marks.take(tx, ctx.tenant.id, customer_ids)
    if not marked:
        return 0, 0
    locked = await due_contracts.lock_with_threshold(tx, ctx.tenant.id, marked)
    meters = [open_meters(one.contract, ctx.today) for one in locked]
    watched = [pair for pair in zip(locked, meters, strict=True) if pair[1]]
    drafts = await _drafts(ctx, tx, watched) if watched else []
    await draft_writes.insert(
        tx, ctx.tenant.id, [_new_draft(ctx, due, draft) for due, draft in drafts], ctx.now
    )
    for due, draft in drafts:
        await coupon_redemptions.use_ahead(
            tx,
            ctx.tenant.id,
            [(one.redemption_id, one.amount) for one in draft.used],
            due.contract.period_start,
            ctx.now,
        )
    made = [draft.invoice for _, draft in drafts]
    await record_many(
        ctx.within(tx),
        [("invoice.created", one.id, invoice_event(one, None)) for one in made],
    )
    await finalize_at_once(ctx, tx, [one.id for one in made])
    return len(marked), len(made)


async def _drafts(
    ctx: Context, tx: Tx, watched: Sequence[tuple[DueContract, tuple[Meter, ...]]]
) -> list[tuple[DueContract, Draft]]:
    """The invoices of those contracts that have reached their thresholds."""
    ahead = await billed_ahead.load(
        tx,
        ctx.tenant.id,
        [
            AskedAhead(
                subscription_id=due.contract.id,
                since=min(one.window.start for one in meters),
                period_start=due.contract.period_start,
            )
            for due, meters in watched
        ],
    )
    metered = await meter_usage(
        ctx,
        tx,
        [
            Asked(
                customer_id=due.contract.customer_id,
                meters=meters,
                currency=due.contract.currency,
            )
            for due, meters in watched
        ],
    )
    products = {one.item.product_id for _, meters in watched for one in meters}
    taxes = await checkout_facts.load_product_taxes(tx, ctx.tenant.id, list(products))
    found = []
    for (due, meters), charges in zip(watched, metered, strict=True):
        draft = threshold_draft(
            due.contract,
            charges,
            renewal_facts(due, taxes),
            day=ctx.today,
            meters=meters,
            ahead=ahead[due.contract.id],
            invoice_id=new_id(),
            now=ctx.now,
        )
        if draft is not None:
            found.append((due, draft))
    return found


def _new_draft(ctx: Context, due: DueContract, draft: Draft) -> NewDraft:
    return NewDraft(
        draft=draft,
        line_ids=[new_id() for _ in draft.invoice.lines],
        finalize_at=ctx.now if due.contract.auto_advance_invoices else None,
    )
