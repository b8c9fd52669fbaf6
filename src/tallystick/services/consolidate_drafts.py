"""Make one invoice of one customer's drafts of a day, when they are about to be finalized.

Late usage is in their lines by then; the balance, the number and the payment are those of the
one invoice.
"""

from collections.abc import Sequence
from dataclasses import replace

from tallystick.db import consolidation
from tallystick.db.due_drafts import DueDraft
from tallystick.db.engine import Tx
from tallystick.domain.consolidation import Consolidated, consolidated, groups
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.invoice import InvoiceStatus
from tallystick.services.context import Context
from tallystick.services.events import EventValue, Told, record_many
from tallystick.services.ids import new_id


async def consolidate_drafts(ctx: Context, tx: Tx, due: Sequence[DueDraft]) -> list[DueDraft]:
    """The locked drafts, with one in the place of all that belong together.

    It stands where the first of them stood; a single draft stays as it is.
    """
    merging = [one.id for one in due if one.may_merge]
    if len(merging) <= 1:
        return list(due)
    found = groups(await consolidation.members(tx, ctx.tenant.id, merging))
    if not found:
        return list(due)
    made = [consolidated(together, invoice_id=new_id()) for together in found]
    await write_consolidated(ctx, tx, made)
    drafts = {one.id: one for one in due}
    told: list[Told] = []
    instead: dict[object, Consolidated] = {}
    for one in made:
        instead |= {member.id: one for member in one.members}
        members = [drafts[member.id] for member in one.members]
        told += consolidated_events(draft_of_all(ctx, one, members[0]), members)
    await record_many(ctx.within(tx), told)
    return _in_their_place(ctx, due, instead)


async def write_consolidated(
    ctx: Context, tx: Tx, made: Sequence[Consolidated], *, charged_first: bool = False
) -> None:
    """Write drafts that carry the lines of others; `charged_first` until they are paid."""
    ids = [member.id for one in made for member in one.members]
    lines = await consolidation.lines_of(tx, ctx.tenant.id, ids)
    copies = [
        (new_id(), one.id, position, line)
        for one in made
        for position, line in enumerate(
            line for member in one.members for line in lines[member.id]
        )
    ]
    await consolidation.merge(
        tx, ctx.tenant.id, made, copies, ctx.now, charged_first=charged_first
    )


def consolidated_events(whole: DueDraft, members: Sequence[DueDraft]) -> list[Told]:
    """What is told of drafts that have become one."""
    into = {"consolidated_into_invoice_id": encode(Prefix.INVOICE, whole.id)}
    return [
        ("invoice.created", whole.id, event_body(whole)),
        *(("invoice.consolidated", one.id, {**event_body(one), **into}) for one in members),
    ]


def _in_their_place(
    ctx: Context, due: Sequence[DueDraft], instead: dict[object, Consolidated]
) -> list[DueDraft]:
    standing: dict[object, DueDraft] = {}
    for one in due:
        whole = instead.get(one.id)
        if whole is None:
            standing[one.id] = one
        else:
            standing.setdefault(whole.id, draft_of_all(ctx, whole, one))
    return list(standing.values())


def draft_of_all(ctx: Context, whole: Consolidated, like: DueDraft) -> DueDraft:
    """The draft that stands for its members: like any of them in what they have in common."""
    return replace(
        like,
        id=whole.id,
        subscription_id=None,
        total=whole.sums.total,
        tax_amount=whole.sums.tax_amount,
        created_at=ctx.now,
        bills_usage=False,
        may_merge=False,
    )


def event_body(draft: DueDraft, number: str | None = None) -> dict[str, EventValue]:
    """The body of an `invoice.*` event about a locked draft, or about what became of it."""
    status = InvoiceStatus.DRAFT if number is None else InvoiceStatus.FINALIZED
    return {
        "invoice_id": encode(Prefix.INVOICE, draft.id),
        "invoice_number": number,
        "customer_id": encode(Prefix.CUSTOMER, draft.customer_id),
        "currency": draft.currency,
        "status": status.value,
        "tax_amount": draft.tax_amount,
        "total": draft.total,
        "created_at": draft.created_at,
    }
