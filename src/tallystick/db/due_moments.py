"""What is due next for a tenant, and which tenants have anything due."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from tallystick.db.dunning import IS_RELEASED, POLICY_IS_DUE
from tallystick.db.engine import Tx
from tallystick.db.reminders import CARD_IS_KEPT, NOT_BEING_PAID, OFFSETS, REMINDABLE

_CLOCK_LOCK = 7_102_511
"""The first half of the advisory lock's key; the second is the tenant's."""

_TENANTS = f"""
    select t.id from tenants t
    where exists (
        select from subscriptions s
        where s.tenant_id = t.id and s.billing_error is null
          and s.next_step_on <= (coalesce(t.clock, $1) at time zone t.time_zone)::date)
       or exists (
        select from invoices i
        where i.tenant_id = t.id and i.billing_error is null and not i.may_merge
          and i.finalize_at <= coalesce(t.clock, $1))
       or exists (
        select from invoices i
        where i.tenant_id = t.id and i.billing_error is null and i.may_merge
          and i.finalize_at <= coalesce(t.clock, $1))
       or exists (
        select from invoices i
        where i.tenant_id = t.id and i.collect_at <= coalesce(t.clock, $1)
          and not i.awaits_person)
       or exists (
        select from invoices i
        where i.tenant_id = t.id and i.policy_at <= coalesce(t.clock, $1) and {POLICY_IS_DUE})
       or exists (
        select from invoices i where i.tenant_id = t.id and i.suspends and {IS_RELEASED})
       or exists (
        select from {OFFSETS}
        join invoices i on i.tenant_id = t.id and i.reminders = o.nth - 1
         and i.due_date <= (coalesce(t.clock, $1) at time zone t.time_zone)::date - o.days
         and {REMINDABLE} and {NOT_BEING_PAID})
       or exists (
        select from payment_methods m
        where m.tenant_id = t.id and {CARD_IS_KEPT}
          and m.expires_on <= (coalesce(t.clock, $1) at time zone t.time_zone)::date
                              + t.card_notice_days)
       or exists (
        select from subscriptions s
        where s.tenant_id = t.id and s.billing_error is not null
          and s.billing_tried_at <= now() - make_interval(secs => $2))
       or exists (
        select from invoices i
        where i.tenant_id = t.id and i.billing_error is not null
          and i.billing_tried_at <= now() - make_interval(secs => $2))
       or exists (
        select from usage_marks m
        where m.tenant_id = t.id
          and (m.error is null or m.tried_at <= now() - make_interval(secs => $2)))
    order by t.id
"""

_NEXT = f"""
    select least(
        (select min(s.next_step_on)::timestamp at time zone t.time_zone
         from subscriptions s where s.tenant_id = t.id and s.billing_error is null),
        (select min(i.finalize_at) from invoices i
         where i.tenant_id = t.id and i.billing_error is null and not i.may_merge),
        (select min(i.finalize_at) from invoices i
         where i.tenant_id = t.id and i.billing_error is null and i.may_merge),
        (select min(i.collect_at) from invoices i
         where i.tenant_id = t.id and not i.awaits_person),
        (select min(i.policy_at) from invoices i
         where i.tenant_id = t.id and i.policy_at is not null and {POLICY_IS_DUE}),
        (select $2::timestamptz where exists (
            select from invoices i where i.tenant_id = t.id and i.suspends and {IS_RELEASED})),
        (select min(first.due_date + o.days)::timestamp at time zone t.time_zone
         from {OFFSETS}
         cross join lateral (
            select i.due_date from invoices i
            where i.tenant_id = t.id and i.reminders = o.nth - 1
              and {REMINDABLE} and {NOT_BEING_PAID}
            order by i.due_date limit 1) first),
        (select (min(m.expires_on) - t.card_notice_days)::timestamp at time zone t.time_zone
         from payment_methods m where m.tenant_id = t.id and {CARD_IS_KEPT}),
        (select $2::timestamptz where exists (
            select from usage_marks m where m.tenant_id = t.id and m.error is null)),
        (select min(o.expires_at) from checkout_sessions o
         where o.tenant_id = t.id and o.state in ('CREATED', 'AWAITING_PAYMENT')
           and o.ending_requested is null and o.expires_at > $2))
    from tenants t where t.id = $1
"""


async def tenants_with_due_work(
    tx: Tx, real_now: datetime, again_after_seconds: float
) -> list[UUID]:
    """Tenants with a step or a draft due, each at its own now, or with a step to try again.

    What was set aside is tried again after so much real time.
    """
    rows = await tx.fetch(_TENANTS, real_now, again_after_seconds)
    return [row["id"] for row in rows]


async def next_moment(tx: Tx, tenant_id: UUID, now: datetime) -> datetime | None:
    """The earliest instant at which something of the tenant falls due, None where nothing will.

    It may lie before `now` where something is overdue; sessions that have expired by then are
    left out, for one that cannot be ended must not hold the clock.
    """
    found: datetime | None = await tx.fetchval(_NEXT, tenant_id, now)
    return found


async def live_payments(tx: Tx, tenant_id: UUID) -> int:
    """How many payments are under way."""
    found: int = await tx.fetchval(
        """
        select (select count(*) from payment_attempts where tenant_id = $1 and state = 'LIVE')
             + (select count(*) from collections where tenant_id = $1 and state = 'LIVE')
        """,
        tenant_id,
    )
    return found


async def lock_clock(tx: Tx, tenant_id: UUID) -> bool:
    """Take the tenant's clock for as long as the connection lives; False where it is in use."""
    taken: bool = await tx.fetchval(
        "select pg_try_advisory_lock($1, hashtext($2))", _CLOCK_LOCK, str(tenant_id)
    )
    return taken


@asynccontextmanager
async def sharing_clock(tx: Tx, tenant_id: UUID) -> AsyncIterator[bool]:
    """Keep the tenant's clock from being moved while the block runs.

    False where it is being moved.
    """
    key = _CLOCK_LOCK, str(tenant_id)
    shared: bool = await tx.fetchval(
        "select pg_try_advisory_lock_shared($1, hashtext($2))", *key
    )
    try:
        yield shared
    finally:
        if shared:
            await tx.execute("select pg_advisory_unlock_shared($1, hashtext($2))", *key)
