"""Remind customers, in events: of invoices that they are to pay themselves, and of cards."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from tallystick.db import invoice_facts, reminders, saved_methods
from tallystick.db.engine import Tx, retrying
from tallystick.db.reminders import ExpiringCard, Reminded
from tallystick.domain.collection import has_expired, method_to_charge
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.reminders import ReminderKind, reminder_offsets, reminder_told
from tallystick.services.context import Context
from tallystick.services.events import EventValue, record

BATCH = 200

_TYPES: Mapping[ReminderKind, str] = {
    ReminderKind.DUE_SOON: "invoice.due_soon",
    ReminderKind.OVERDUE: "invoice.overdue",
    ReminderKind.FINAL_NOTICE: "invoice.final_notice",
}


async def remind(ctx: Context) -> int:
    """Tell of everything that is to be told at the tenant's now, each once.

    Returns how much was dealt with, whether it was told or needed not be.
    """
    tenant = ctx.tenant
    offsets = reminder_offsets(tenant.reminder_days_before, tenant.reminder_days_after)
    done = 0
    for position, days in enumerate(offsets):
        due_by = ctx.today - timedelta(days=days)
        done += await _all_of(ctx, partial(_remind, ctx, position, due_by))
    return done + await _all_of(ctx, partial(_look_at_cards, ctx))


async def _all_of(ctx: Context, batch: Callable[[Tx], Awaitable[int]]) -> int:
    done = 0
    while True:
        taken = await retrying(ctx.app.database, batch)
        done += taken
        if taken < BATCH:
            return done


async def _remind(ctx: Context, position: int, due_by: date, tx: Tx) -> int:
    taken = await reminders.take_due(tx, ctx.tenant.id, position, due_by, BATCH)
    for one in taken:
        await _tell(ctx.within(tx), one)
    return len(taken)


async def _tell(ctx: Context, one: Reminded) -> None:
    tenant = ctx.tenant
    final_on = one.finalized_at.astimezone(ZoneInfo(tenant.time_zone)).date()
    kind = reminder_told(
        one.position,
        one.due_date,
        final_on,
        tenant.reminder_days_before,
        tenant.reminder_days_after,
    )
    if kind is None:
        return
    body = await invoice_facts.event_body(ctx.transaction, tenant.id, one.id)
    told: dict[str, EventValue] = {
        **body,
        "amount_due": one.amount_due,
        "due_date": one.due_date,
        "days_overdue": max((ctx.today - one.due_date).days, 0),
    }
    await record(ctx, _TYPES[kind], one.id, told)


async def _look_at_cards(ctx: Context, tx: Tx) -> int:
    expires_by = ctx.today + timedelta(days=ctx.tenant.card_notice_days)
    taken = await reminders.take_expiring(tx, ctx.tenant.id, expires_by, ctx.now, BATCH)
    for one in taken:
        await _look_at_card(ctx.within(tx), one)
    return len(taken)


async def _look_at_card(ctx: Context, card: ExpiringCard) -> None:
    """Tell of a card that will be charged, and by then nothing else can be."""
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    affected = []
    for one in await reminders.charged_of(tx, tenant_id, card.customer_id):
        saved = await saved_methods.of_customer(
            tx, tenant_id, card.customer_id, card.provider, one.own_method_id
        )
        chosen = method_to_charge(saved, ctx.today)
        later = method_to_charge(saved, card.expires_on)
        if chosen is None or later is None or chosen.id != card.id:
            continue
        if has_expired(later.method, card.expires_on):
            affected.append(one)
    if not affected:
        return
    customer = encode(Prefix.CUSTOMER, card.customer_id)
    told: dict[str, EventValue] = {
        "payment_method_id": encode(Prefix.PAYMENT_METHOD, card.id),
        "customer_id": customer,
        "card_brand": card.brand,
        "card_last4": card.last4,
        "expires_on": card.expires_on,
        "next_charge_on": affected[0].next_step_on,
        "subscription_ids": [encode(Prefix.SUBSCRIPTION, one.id) for one in affected],
    }
    await record(ctx, "payment_method.expiring", card.id, told)
