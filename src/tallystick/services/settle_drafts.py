"""Settle drafts that become final: what the balance covers, and their numbers.

The same for drafts whose grace is over and for those that are final as soon as they are made.
"""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from tallystick.db import due_drafts, number_counters
from tallystick.db.due_drafts import DueDraft, Numbered
from tallystick.db.engine import Tx
from tallystick.domain.bill import settle
from tallystick.domain.invoice import number_text
from tallystick.services.consolidate_drafts import event_body
from tallystick.services.context import Context
from tallystick.services.events import Told
from tallystick.services.ids import new_id
from tallystick.services.ports import PaymentProvider


async def settle_drafts(ctx: Context, tx: Tx, due: Sequence[DueDraft]) -> list[Numbered]:
    """Meet drafts from their customers' balances as far as those reach, and number them.

    Balances are locked and changed, then the counters: write next, and commit. What a draft
    below zero owes its customer goes to the balance.
    """
    customers = sorted({one.customer_id for one in due})
    available = await due_drafts.lock_balances(tx, ctx.tenant.id, customers)
    applied: dict[UUID, int] = {}
    for one in due:
        key = one.customer_id, one.currency
        met = settle(one.total, available.get(key, 0))
        applied[one.id] = met.balance_applied
        if met.balance_applied:
            available[key] -= met.balance_applied
    taken = [(new_id(), one, applied[one.id]) for one in due if applied[one.id]]
    await due_drafts.deduct(tx, ctx.tenant.id, taken, ctx.now)
    for one in sorted(due, key=lambda draft: draft.customer_id):
        if one.total < 0:
            await due_drafts.give(tx, ctx.tenant.id, new_id(), one, ctx.now)
    return await _numbered(ctx, tx, due, applied)


def finalized_events(one: Numbered) -> list[Told]:
    """What is told of an invoice that has become final."""
    body = event_body(one.draft, one.text)
    names = ["invoice.finalized"]
    if one.due == 0:
        names.append("invoice.paid")
    return [(name, one.draft.id, body) for name in names]


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
        last = await number_counters.count_invoices(tx, ctx.tenant.id, entity_id, len(drafts))
        for number, one in enumerate(drafts, start=last - len(drafts) + 1):
            text = number_text(one.number_pattern, number, one.invoice_date)
            numbered.append(
                Numbered(
                    draft=one,
                    number=number,
                    text=text,
                    applied=applied[one.id],
                    written_off=_too_little(ctx, one, max(one.total, 0) - applied[one.id]),
                )
            )
    return numbered


def too_little(provider: PaymentProvider | None, due: int, currency: str) -> bool:
    """Whether the provider cannot charge so little; where there is none, nobody has said so."""
    return provider is not None and not provider.chargeable(due, currency)


def _too_little(ctx: Context, draft: DueDraft, due: int) -> int:
    """What is due, where it is to be charged and no provider can charge so little."""
    provider = ctx.app.provider_of(ctx.tenant, draft.invoicing_entity_id)
    if due == 0 or not draft.charges or not too_little(provider, due, draft.currency):
        return 0
    return due
