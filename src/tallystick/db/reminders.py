"""Invoices and cards of which customers are to be reminded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from tallystick.db.engine import Tx

REMINDABLE = """
    i.status = 'FINALIZED' and i.amount_due > 0 and i.collect_at is null
    and i.collection_failures = 0 and not i.awaits_person and i.payment_status <> 'PROCESSING'
"""
"""Of an invoice `i`: it waits for its customer to pay it, as its index has it."""

NOT_BEING_PAID = """
    not exists (
        select from collections c
        where c.tenant_id = i.tenant_id and c.invoice_id = i.id and c.state = 'LIVE')
"""

OFFSETS = """
    unnest(array_prepend(-t.reminder_days_before, t.reminder_days_after))
        with ordinality as o (days, nth)
"""
"""The days of a tenant `t`'s reminders, counted from the due day."""

CARD_IS_KEPT = "m.expiry_told_at is null and m.archived_at is null and m.expires_on is not null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded:
    """An invoice whose reminder at `position` was taken: what it is to say."""

    id: UUID
    position: int
    due_date: date
    amount_due: int
    finalized_at: datetime


async def take_due(
    tx: Tx, tenant_id: UUID, position: int, due_by: date, limit: int
) -> list[Reminded]:
    """Take the reminders at a position of invoices due by a day: each is dealt with once.

    Those that somebody else has locked are passed over, and found again.
    """
    rows = await tx.fetch(
        f"""
        with due as (
            select i.id from invoices i
            where i.tenant_id = $1 and i.reminders = $2 and i.due_date <= $3 and {REMINDABLE}
              and {NOT_BEING_PAID}
            order by i.due_date, i.id limit $4 for no key update skip locked)
        update invoices i set reminders = i.reminders + 1
        from due where i.tenant_id = $1 and i.id = due.id
        returning i.id, $2::integer as position, i.due_date, i.amount_due, i.finalized_at
        """,
        tenant_id,
        position,
        due_by,
        limit,
    )
    return sorted((Reminded(**dict(row)) for row in rows), key=lambda one: one.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiringCard:
    """A card whose last month comes to its end; `expires_on` is the first day after it."""

    id: UUID
    customer_id: UUID
    provider: str
    expires_on: date
    brand: str | None
    last4: str | None


async def take_expiring(
    tx: Tx, tenant_id: UUID, expires_by: date, now: datetime, limit: int
) -> list[ExpiringCard]:
    """Take cards on file that expire by a day: each is looked at once."""
    rows = await tx.fetch(
        f"""
        with due as (
            select m.id from payment_methods m
            where m.tenant_id = $1 and m.expires_on <= $2 and {CARD_IS_KEPT}
            order by m.expires_on, m.id limit $4 for no key update skip locked)
        update payment_methods m set expiry_told_at = $3
        from due where m.tenant_id = $1 and m.id = due.id
        returning m.id, m.customer_id, m.provider, m.expires_on, m.card_brand as brand,
                  m.card_last4 as last4
        """,
        tenant_id,
        expires_by,
        now,
        limit,
    )
    return sorted((ExpiringCard(**dict(row)) for row in rows), key=lambda one: one.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """A subscription that is charged by itself: its own method, and its next step."""

    id: UUID
    own_method_id: UUID | None
    next_step_on: date | None


async def charged_of(tx: Tx, tenant_id: UUID, customer_id: UUID) -> Sequence[Charged]:
    """The customer's subscriptions that will be charged to a method on file."""
    rows = await tx.fetch(
        """
        select id, payment_method_id as own_method_id, next_step_on from subscriptions
        where tenant_id = $1 and customer_id = $2 and charge_automatically
          and status in ('PENDING_ACTIVATION', 'TRIAL_ACTIVE', 'ACTIVE', 'SUSPENDED')
          and next_step_on is not null and cancelled_on is null
        order by next_step_on, id
        """,
        tenant_id,
        customer_id,
    )
    return [Charged(**dict(row)) for row in rows]
