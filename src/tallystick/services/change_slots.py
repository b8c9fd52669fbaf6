"""Add slots to a running subscription or give some up, or show what that would bill."""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from tallystick.db import checkout_facts, due_contracts, slot_entries
from tallystick.db.engine import Tx, undone
from tallystick.domain.billing_entries import InvoiceEntry, SubscriptionDetails
from tallystick.domain.charges import SlotChange
from tallystick.domain.renewal import adjustment_of
from tallystick.domain.slot_change import SlotMode, SlotsChanged, slots_changed, slots_item
from tallystick.services.bill_change import bill_change
from tallystick.services.context import Context
from tallystick.services.events import record_many
from tallystick.services.ids import new_id
from tallystick.services.plan_wanted import to_change
from tallystick.services.subscription_events import subscription_event
from tallystick.services.take_at_once import details_of, locked
from tallystick.services.take_steps import renewal_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsRequest:
    """How many slots more, or fewer where it is negative, each instance of an item gets.

    `named` is the field that names the item.
    """

    item_id: UUID
    delta: int
    mode: SlotMode
    named: str = "component_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsAfter:
    """A subscription whose slots were changed, or would be, and what it is billed at once.

    `slots` are those of one instance today; the change counts from `effective_on`, None while
    its invoice is not paid.
    """

    details: SubscriptionDetails
    invoice: InvoiceEntry | None
    delta: int
    slots: int
    effective_on: date | None


async def change_slots(
    ctx: Context, subscription_id: UUID, request: SlotsRequest, *, preview: bool
) -> SlotsAfter:
    """Change the number of slots of an item today. A preview is the same, undone.

    Raises:
        NotFound: There is no such subscription.
        Conflict: It has not begun, waits for a checkout, is suspended, or has ended; or slots
            would wait to be paid while a change is scheduled.
        Busy: It is being paid for.
        InvalidInput: It has no such item with slots, or there would be too many or too few.
    """
    if not preview and request.mode is not SlotMode.ON_CHECKOUT:
        return await _change(ctx, subscription_id, request)
    async with undone(ctx.transaction):
        found = await _change(ctx, subscription_id, request)
    unnumbered = None if found.invoice is None else replace(found.invoice, number=None)
    return replace(found, invoice=unnumbered)


async def _change(ctx: Context, subscription_id: UUID, request: SlotsRequest) -> SlotsAfter:
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    due = await to_change(ctx, subscription_id)
    waits = request.mode is not SlotMode.OPTIMISTIC
    item = slots_item(due.contract, request.item_id, request.named)
    change = slots_changed(due.contract, item, request.delta, ctx.today, waits=waits)
    product = change.item.product_id
    facts = renewal_facts(
        due, await checkout_facts.load_product_taxes(tx, tenant_id, [product])
    )
    draft = adjustment_of(change.step, facts, invoice_id=new_id(), now=ctx.now)
    entry_id = new_id()
    invoice = None
    if draft is None:
        await _write(ctx, tx, change, entry_id, change.entry)
    else:
        invoice_id = draft.invoice.id
        # Its invoice stands before the entry that names it, and is paid after it.
        entry = replace(change.entry, invoice_id=invoice_id)
        invoice = await bill_change(
            ctx,
            tx,
            draft,
            change.step.contract,
            before_final=lambda: _write(ctx, tx, change, entry_id, entry),
        )
    return await _told(ctx, subscription_id, change, entry_id, invoice)


async def _write(
    ctx: Context, tx: Tx, change: SlotsChanged, entry_id: UUID, entry: SlotChange
) -> None:
    await slot_entries.insert(tx, ctx.tenant.id, entry_id, change.item.id, entry, ctx.now)
    await due_contracts.move(tx, ctx.tenant.id, [change.step.contract], ctx.now)


async def _told(
    ctx: Context,
    subscription_id: UUID,
    change: SlotsChanged,
    entry_id: UUID,
    invoice: InvoiceEntry | None,
) -> SlotsAfter:
    on = await slot_entries.effective_on(ctx.transaction, ctx.tenant.id, entry_id)
    if change.entry.on is not None:
        after = await locked(ctx, subscription_id)
        kind = "slots_changed" if on == ctx.today else "slots_scheduled"
        told = subscription_event(
            "subscription.updated", after, after.contract, change_type=kind
        )
        await record_many(ctx, [told])
    details = await details_of(ctx, subscription_id)
    item = next(one for one in details.items if one.id == change.item.id)
    return SlotsAfter(
        details=details,
        invoice=invoice,
        delta=change.entry.delta,
        slots=item.slots_on(ctx.today),
        effective_on=on,
    )
