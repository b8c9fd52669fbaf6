"""Finalize the drafts whose time has come: the balance is applied, the number given.

Set by set, like the renewals that made them. After this an invoice never changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tallystick.db import consolidation, draft_recipes, due_drafts, slot_entries
from tallystick.db.due_drafts import DueDraft
from tallystick.db.engine import Tx, retrying
from tallystick.services.consolidate_drafts import consolidate_drafts
from tallystick.services.context import Context
from tallystick.services.events import record_many
from tallystick.services.in_halves import DueSets, in_halves, set_by_set
from tallystick.services.pay_slots import take_effect
from tallystick.services.refresh_drafts import refresh_drafts
from tallystick.services.settle_drafts import finalized_events, settle_drafts

BATCH = 500
CUSTOMERS = 100
"""Customers in one transaction, with all their drafts that may be merged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalized:
    """How many drafts were taken, the invoices of them, and those that billed nothing."""

    taken: int
    invoices: int
    gone: int


async def finalize_due(ctx: Context) -> tuple[int, int]:
    """Finalize every draft that is due at the tenant's now.

    Returns how many there were, and how many besides billed nothing and are gone. What cannot
    be finalized is set aside. Drafts that may be merged are taken with their customer, all
    others by themselves.
    """
    finalized = gone = 0

    def count(done: Finalized) -> int:
        nonlocal finalized, gone
        finalized += done.invoices
        gone += done.gone
        return done.taken

    async def set_aside(invoice_id: UUID, reason: str) -> None:
        async with ctx.app.transaction() as tx:
            await due_drafts.set_aside(tx, ctx.tenant.id, invoice_id, reason)

    async def alone(ids: Sequence[UUID]) -> int:
        return count(await retrying(ctx.app.database, lambda tx: _alone(ctx, tx, ids)))

    async def one_by_one(customer_id: UUID, _: str) -> None:
        async with ctx.app.database.connection() as tx:
            ids = await consolidation.due_of(tx, ctx.tenant.id, customer_id, ctx.now)
        for one in ids:
            await in_halves([one], alone, set_aside)

    await set_by_set(
        ctx.app.database,
        DueSets(
            lock_due=lambda tx: due_drafts.lock_due(tx, ctx.tenant.id, ctx.now, BATCH),
            do=lambda tx, ids: _alone(ctx, tx, ids),
            count=count,
            set_aside=set_aside,
        ),
    )
    await set_by_set(
        ctx.app.database,
        DueSets(
            lock_due=lambda tx: consolidation.lock_due(tx, ctx.tenant.id, ctx.now, CUSTOMERS),
            do=lambda tx, customers: _together(ctx, tx, customers),
            count=count,
            set_aside=one_by_one,
        ),
    )
    return finalized, gone


async def _alone(ctx: Context, tx: Tx, ids: Sequence[UUID]) -> Finalized:
    """Finalize what is still due of these drafts, each by itself."""
    due = await due_drafts.lock(tx, ctx.tenant.id, ids, ctx.now)
    return await finalize_locked(ctx, tx, due)


async def _together(ctx: Context, tx: Tx, customers: Sequence[UUID]) -> Finalized:
    """Finalize what is due of these customers, and merge what belongs together."""
    ids = await consolidation.gather(tx, ctx.tenant.id, customers, ctx.now)
    due = await due_drafts.lock(tx, ctx.tenant.id, ids, ctx.now)
    return await finalize_locked(ctx, tx, due, merges=True)


async def finalize_at_once(ctx: Context, tx: Tx, invoice_ids: Sequence[UUID]) -> None:
    """Finalize drafts that were just made, except those that wait for a person."""
    await finalize_locked(ctx, tx, await due_drafts.lock_these(tx, ctx.tenant.id, invoice_ids))


async def finalize_locked(
    ctx: Context, tx: Tx, due: Sequence[DueDraft], *, merges: bool = False
) -> Finalized:
    """Finalize locked drafts; one that bills nothing after all is gone.

    `merges` makes one invoice of those that belong together.
    """
    taken = len(due)
    if not due:
        return Finalized(taken=0, invoices=0, gone=0)
    empty = await refresh_drafts(ctx, tx, [one.id for one in due if one.bills_usage])
    await draft_recipes.delete_empty(tx, ctx.tenant.id, list(empty))
    due = await due_drafts.read_again(
        tx, ctx.tenant.id, [one for one in due if one.id not in empty]
    )
    if merges:
        due = await consolidate_drafts(ctx, tx, due)
    waiting = await slot_entries.lock_waiting(tx, ctx.tenant.id, [one.id for one in due])
    numbered = await settle_drafts(ctx, tx, due)
    await due_drafts.finalize(tx, ctx.tenant.id, numbered, ctx.now)
    await record_many(
        ctx.within(tx), [event for one in numbered for event in finalized_events(one)]
    )
    paid = {one.draft.id for one in numbered if one.due == 0}
    await take_effect(ctx, tx, [one for one in waiting if one.invoice_id in paid])
    return Finalized(taken=taken, invoices=len(numbered), gone=len(empty))
