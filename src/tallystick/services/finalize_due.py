"""Finalize the drafts whose time has come: the balance is applied, the number given.

Set by set, like the renewals that made them. After this an invoice never changes.
"""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from tallystick.db import draft_recipes, due_drafts, invoice_counters
from tallystick.db.due_drafts import DueDraft, Numbered
from tallystick.db.engine import Tx
from tallystick.domain.bill import settle
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.invoice import InvoiceStatus, number_text
from tallystick.services.context import Context
from tallystick.services.events import EventValue, Told, record_many
from tallystick.services.ids import new_id
from tallystick.services.in_halves import DueSets, set_by_set
from tallystick.services.refresh_drafts import refresh_drafts

BATCH = 500


async def finalize_due(ctx: Context) -> tuple[int, int]:
    """Finalize every draft that is due at the tenant's now.

    Returns how many there were, and how many besides billed nothing and are gone. What cannot
    be finalized is set aside.
    """
    finalized = gone = 0

    def count(done: tuple[int, int]) -> int:
        nonlocal finalized, gone
        taken, made = done
        finalized += made
        gone += taken - made
        return taken

    async def set_aside(invoice_id: UUID, reason: str) -> None:
        async with ctx.app.transaction() as tx:
            await due_drafts.set_aside(tx, ctx.tenant.id, invoice_id, reason)

    await set_by_set(
        ctx.app.database,
        DueSets(
            lock_due=lambda tx: due_drafts.lock_due(tx, ctx.tenant.id, ctx.now, BATCH),
            do=lambda tx, ids: _batch(ctx, tx, ids),
            count=count,
            set_aside=set_aside,
        ),
    )
    return finalized, gone


async def _batch(ctx: Context, tx: Tx, ids: Sequence[UUID]) -> tuple[int, int]:
    """How many drafts were due, and how many invoices came of them."""
    due = await due_drafts.lock(tx, ctx.tenant.id, ids, ctx.now)
    return len(due), await finalize_locked(ctx, tx, due)


async def finalize_at_once(ctx: Context, tx: Tx, invoice_ids: Sequence[UUID]) -> None:
    """Finalize drafts that were just made, except those that wait for a person."""
    await finalize_locked(ctx, tx, await due_drafts.lock_these(tx, ctx.tenant.id, invoice_ids))


async def finalize_locked(ctx: Context, tx: Tx, due: Sequence[DueDraft]) -> int:
    """Finalize locked drafts, and return how many there were with anything to bill.

    One that bills nothing after all is gone.
    """
    if not due:
        return 0
    empty = await refresh_drafts(ctx, tx, [one.id for one in due if one.bills_usage])
    await draft_recipes.delete_empty(tx, ctx.tenant.id, list(empty))
    due = await due_drafts.read_again(
        tx, ctx.tenant.id, [one for one in due if one.id not in empty]
    )
    customers = sorted({one.customer_id for one in due})
    available = await due_drafts.lock_balances(tx, ctx.tenant.id, customers)
    applied: dict[UUID, int] = {}
    for one in due:
        key = one.customer_id, one.currency
        met = settle(one.total, available.get(key, 0))
        applied[one.id] = met.balance_applied
        if met.balance_applied:
            available[key] -= met.balance_applied
    await due_drafts.deduct(
        tx,
        ctx.tenant.id,
        [(new_id(), one, applied[one.id]) for one in due if applied[one.id]],
        ctx.now,
    )
    numbered = await _numbered(ctx, tx, due, applied)
    await due_drafts.finalize(tx, ctx.tenant.id, numbered, ctx.now)
    await record_many(ctx.within(tx), [event for one in numbered for event in _events(one)])
    return len(numbered)


async def _numbered(
    ctx: Context, tx: Tx, due: Sequence[DueDraft], applied: dict[UUID, int]
) -> list[Numbered]:
    """Numbers in the order in which the drafts are due, each entity's from its counter."""
    by_entity: dict[UUID, list[DueDraft]] = defaultdict(list)
    for one in due:
        by_entity[one.invoicing_entity_id].append(one)
    numbered = []
    for entity_id in sorted(by_entity):
        drafts = by_entity[entity_id]
        last = await invoice_counters.count_up(tx, ctx.tenant.id, entity_id, len(drafts))
        for number, one in enumerate(drafts, start=last - len(drafts) + 1):
            text = number_text(one.number_pattern, number, one.invoice_date)
            numbered.append(
                Numbered(
                    draft=one,
                    number=number,
                    text=text,
                    applied=applied[one.id],
                    written_off=_too_little(ctx, one, one.total - applied[one.id]),
                )
            )
    return numbered


def _too_little(ctx: Context, draft: DueDraft, due: int) -> int:
    """What is due, where it is to be charged and no provider can charge so little."""
    provider = ctx.app.provider_of(ctx.tenant)
    if due == 0 or not draft.charges or provider.chargeable(due, draft.currency):
        return 0
    return due


def _events(one: Numbered) -> list[Told]:
    draft = one.draft
    body: dict[str, EventValue] = {
        "invoice_id": encode(Prefix.INVOICE, draft.id),
        "invoice_number": one.text,
        "customer_id": encode(Prefix.CUSTOMER, draft.customer_id),
        "currency": draft.currency,
        "status": InvoiceStatus.FINALIZED.value,
        "tax_amount": draft.tax_amount,
        "total": draft.total,
        "created_at": draft.created_at,
        "custom_properties": {},
    }
    names = ["invoice.finalized"]
    if one.due == 0:
        names.append("invoice.paid")
    return [(name, draft.id, body) for name in names]
