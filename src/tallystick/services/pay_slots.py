"""Slots that wait for an invoice: there when it is paid, whatever paid it.

Whoever makes an invoice PAID says so here in the same transaction, so that nothing can be paid
for and not be there.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from tallystick.db import due_contracts, slot_entries
from tallystick.db.engine import Tx
from tallystick.db.slot_entries import WaitingSlots
from tallystick.domain.slot_change import slots_paid
from tallystick.services.context import Context
from tallystick.services.events import record_many
from tallystick.services.subscription_events import subscription_event


async def slots_of_paid(ctx: Context, tx: Tx, invoice_id: UUID) -> None:
    """An invoice is paid in full: the slots that waited for it are there from today."""
    waiting = await slot_entries.lock_waiting(tx, ctx.tenant.id, [invoice_id])
    await take_effect(ctx, tx, waiting)


async def take_effect(ctx: Context, tx: Tx, paid: Sequence[WaitingSlots]) -> None:
    """Slots that are paid for, of locked subscriptions, are there from today.

    Where they come too late for that, they are dropped: what was paid stays with the seller
    until somebody credits it.
    """
    for one in paid:
        due = await due_contracts.lock_one(tx, ctx.tenant.id, one.subscription_id)
        assert due is not None, "it is locked"
        contract = slots_paid(due.contract, one.item_id, one.delta, ctx.today)
        if contract is None:
            await slot_entries.drop_one(tx, ctx.tenant.id, one.id, ctx.now)
            continue
        await slot_entries.take_effect(tx, ctx.tenant.id, one.id, ctx.today)
        await due_contracts.move(tx, ctx.tenant.id, [contract], ctx.now)
        told = subscription_event(
            "subscription.updated",
            replace(due, contract=contract),
            contract,
            change_type="slots_changed",
        )
        await record_many(ctx.within(tx), [told])
