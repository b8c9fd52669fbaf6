"""Contracts whose next step is due: found, locked in batches, and moved on, set by set."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from tallystick.db import slot_entries
from tallystick.db.checkout_facts import CUSTOMER_JSON, ENTITY_JSON
from tallystick.db.codec import Codec
from tallystick.db.engine import Row, Tx
from tallystick.domain.charges import Item
from tallystick.domain.contract import Contract
from tallystick.domain.life import next_day
from tallystick.domain.parties import Customer, InvoicingEntity

ITEMS_KEPT = 1024
"""Items kept decoded, without their ids: those of one plan differ in little else.

They are known by their text, which has their slots as the ledger counts them now.
"""

_NO_ID = UUID(int=0)

_COUNTED = slot_entries.counted("i", "s.current_period_start")

# The items stand beside it, because many contracts have the same.
_CONTRACT = """
    json_build_object(
        'id', s.id, 'customer_id', s.customer_id, 'plan_id', s.plan_id,
        'invoicing_entity_id', s.invoicing_entity_id, 'status', s.status,
        'currency', s.currency, 'tax_inclusive', s.tax_inclusive,
        'items', json '[]',
        'coupons', (select coalesce(jsonb_agg(jsonb_build_object(
                        'redemption_id', r.id, 'terms', r.terms,
                        'applied_count', r.applied_count) order by r.coupon_id), '[]')
                    from coupon_redemptions r
                    where r.tenant_id = s.tenant_id and r.subscription_id = s.id
                      and r.state = 'REDEEMED'),
        'cadence', s.cadence, 'start', s.start_date, 'billing_start', s.billing_start_date,
        'anchor', s.billing_day_anchor, 'trial_end', s.trial_end,
        'trial_is_free', coalesce(s.trial_is_free, false),
        'end_date', s.end_date, 'cancelled_on', s.cancelled_on,
        'period_start', s.current_period_start, 'period_end', s.current_period_end,
        'cycle_index', s.cycle_index, 'mrr', s.mrr, 'net_terms', s.net_terms,
        'auto_advance_invoices', s.auto_advance_invoices,
        'charge_automatically', s.charge_automatically,
        'payment', s.payment_methods_config, 'payment_method_id', s.payment_method_id,
        'invoice_memo', s.invoice_memo, 'purchase_order', s.purchase_order,
        'activation', s.activation, 'awaits_activation', s.awaits_activation,
        'awaits_checkout', s.awaits_checkout,
        'has_method', case when s.status = 'TRIAL_ACTIVE' then exists (
            select from payment_methods m
            where m.tenant_id = s.tenant_id and m.customer_id = s.customer_id
              and m.archived_at is null) else false end,
        'fixed_anchor', s.fixed_anchor, 'billing_cycles', s.billing_cycles,
        'invoice_threshold', s.invoice_threshold::text, 'minimum', s.minimum,
        'counted_from', s.counted_from,
        'scheduled', (select c.change from scheduled_changes c
                      where c.tenant_id = s.tenant_id and c.subscription_id = s.id))
"""

_DUE = """
    select id from subscriptions
    where tenant_id = $1 and next_step_on <= $2 and billing_error is null
      and not is_being_paid
    order by next_step_on, id limit $3
    for no key update skip locked
"""


def _with_parties(locked: str) -> str:
    """The contracts of subscriptions that a subquery locks, with what their steps need."""
    return f"""
    select {_CONTRACT} as contract, items.ids as item_ids, items.texts as items,
           {CUSTOMER_JSON} as customer,
           e.id as entity_id, e.grace_period_hours,
           e.consolidate_recurring_invoices,
           case when row_number() over (partition by e.id) = 1 then {ENTITY_JSON} end as entity,
           p.name as plan_name, v.version as plan_version, s.metadata, s.custom_properties,
           s.trial_duration, s.invoice_threshold, s.is_being_paid, s.created_at, s.activated_at,
           s.cancellation_reason
    from ({locked}) s
    join customers c on c.tenant_id = s.tenant_id and c.id = s.customer_id
    join invoicing_entities e
      on e.tenant_id = s.tenant_id and e.id = s.invoicing_entity_id
    join plans p on p.tenant_id = s.tenant_id and p.id = s.plan_id
    join plan_versions v on v.tenant_id = s.tenant_id and v.id = s.plan_version_id
    cross join lateral (
        select array_agg(i.id order by i.position) as ids,
               array_agg((({_COUNTED}) || '{{"id": "{_NO_ID}"}}')::text
                         order by i.position) as texts
        from subscription_items i
        where i.tenant_id = s.tenant_id and i.subscription_id = s.id) items
    order by s.next_step_on, s.id
    """


_LOCK = """
    select id from subscriptions
    where tenant_id = $1 and id = any($2) and next_step_on <= $3
      and billing_error is null and not is_being_paid
    order by id for no key update skip locked
"""

_LOCK_ONE = "select from subscriptions where tenant_id = $1 and id = $2 for no key update"

_READ = _with_parties("select * from subscriptions where tenant_id = $1 and id = any($2)")

_LOCK_THRESHOLDS = """
    select id from subscriptions
    where tenant_id = $1 and customer_id = any($2) and invoice_threshold is not null
      and status not in ('CANCELLED', 'COMPLETED', 'SUPERSEDED')
    order by id for no key update
"""

_MOVE = """
    update subscriptions s
    set status = m.status, current_period_start = m.period_start,
        current_period_end = m.period_end, cycle_index = m.cycle_index, mrr = m.mrr,
        next_step_on = m.next_step_on, updated_at = $2,
        activated_at = case when m.status in ('ACTIVE', 'TRIAL_ACTIVE')
                            then coalesce(s.activated_at, $2) else s.activated_at end
    from unnest($3::uuid[], $4::text[], $5::date[], $6::date[], $7::integer[], $8::bigint[],
                $9::date[])
        as m (id, status, period_start, period_end, cycle_index, mrr, next_step_on)
    where s.tenant_id = $1 and s.id = m.id
"""

CONTRACT: Codec[Contract] = Codec(Contract)
ITEM: Codec[Item] = Codec(Item)
CUSTOMER: Codec[Customer] = Codec(Customer)
ENTITY: Codec[InvoicingEntity] = Codec(InvoicingEntity)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueContract:
    """A locked contract with the parties and the names that its step needs.

    `grace_hours` is how long the entity keeps renewals as drafts, `consolidates` whether it
    makes one invoice of those of one customer.
    """

    contract: Contract
    customer: Customer
    entity: InvoicingEntity
    grace_hours: int
    consolidates: bool
    custom_properties: str
    plan_name: str
    plan_version: int
    trial_duration: int | None
    invoice_threshold: Any
    is_being_paid: bool
    metadata: str | None
    created_at: datetime
    activated_at: datetime | None
    cancellation_reason: str | None


async def lock_due(tx: Tx, tenant_id: UUID, today: date, limit: int) -> list[UUID]:
    """Lock subscriptions with a step due at the tenant's day, longest overdue first.

    Those that somebody else has locked are passed over, so that any number of workers share
    what is due.
    """
    rows = await tx.fetch(_DUE, tenant_id, today, limit)
    return [row["id"] for row in rows]


async def lock(tx: Tx, tenant_id: UUID, ids: Sequence[UUID], today: date) -> list[DueContract]:
    """Lock those of `ids` that are still due and that nobody else has locked.

    Like every contract, they are read by a second statement, so as to stand as whoever had them
    has left them with what belongs to them.
    """
    rows = await tx.fetch(_LOCK, tenant_id, ids, today)
    return await _read(tx, tenant_id, [row["id"] for row in rows])


async def lock_one(tx: Tx, tenant_id: UUID, subscription_id: UUID) -> DueContract | None:
    """Lock a subscription, due or not, waiting for whoever has it; None where there is none."""
    await tx.execute(_LOCK_ONE, tenant_id, subscription_id)
    found = await _read(tx, tenant_id, [subscription_id])
    return found[0] if found else None


async def lock_with_threshold(
    tx: Tx, tenant_id: UUID, customer_ids: Sequence[UUID]
) -> list[DueContract]:
    """Lock the customers' subscriptions that have a threshold, waiting for whoever has one."""
    rows = await tx.fetch(_LOCK_THRESHOLDS, tenant_id, customer_ids)
    return await _read(tx, tenant_id, [row["id"] for row in rows])


async def _read(tx: Tx, tenant_id: UUID, ids: Sequence[UUID]) -> list[DueContract]:
    """Subscriptions that are locked, longest overdue first."""
    if not ids:
        return []
    rows = await tx.fetch(_READ, tenant_id, ids)
    entities = {row["entity_id"]: ENTITY.load(row["entity"]) for row in rows if row["entity"]}
    return [_due(row, entities[row["entity_id"]]) for row in rows]


async def read_one(tx: Tx, tenant_id: UUID, subscription_id: UUID) -> DueContract | None:
    """A subscription as it stands, unlocked; None where the tenant has none of that id."""
    row = await tx.fetchrow(_READ, tenant_id, [subscription_id])
    return None if row is None else _due(row, ENTITY.load(row["entity"]))


async def read(tx: Tx, tenant_id: UUID, ids: Sequence[UUID]) -> list[DueContract]:
    """Those of `ids` that the tenant has, as they stand, unlocked."""
    return await _read(tx, tenant_id, ids)


async def move(tx: Tx, tenant_id: UUID, contracts: Sequence[Contract], now: datetime) -> None:
    """Store contracts as they stand after a step."""
    await tx.execute(
        _MOVE,
        tenant_id,
        now,
        [one.id for one in contracts],
        [one.status.value for one in contracts],
        [one.period_start for one in contracts],
        [one.period_end for one in contracts],
        [one.cycle_index for one in contracts],
        [one.mrr for one in contracts],
        [next_day(one) for one in contracts],
    )


async def set_aside(tx: Tx, tenant_id: UUID, subscription_id: UUID, reason: str) -> None:
    """A step that cannot be taken is set aside with its reason, and stops nobody else."""
    await tx.execute(
        """
        update subscriptions set billing_error = $3, billing_tried_at = now()
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        subscription_id,
        reason,
    )


async def take_up_again(tx: Tx, tenant_id: UUID, after_seconds: float) -> None:
    """Steps that were set aside some real time ago are tried again."""
    await tx.execute(
        """
        update subscriptions set billing_error = null
        where tenant_id = $1 and billing_error is not null
          and billing_tried_at <= now() - make_interval(secs => $2)
        """,
        tenant_id,
        after_seconds,
    )


@lru_cache(ITEMS_KEPT)
def _item(text: str) -> Item:
    return ITEM.load(text)


def _due(row: Row, entity: InvoicingEntity) -> DueContract:
    items = tuple(
        replace(_item(text), id=item_id)
        for item_id, text in zip(row["item_ids"] or (), row["items"] or (), strict=True)
    )
    return DueContract(
        contract=replace(CONTRACT.load(row["contract"]), items=items),
        customer=CUSTOMER.load(row["customer"]),
        entity=entity,
        grace_hours=row["grace_period_hours"],
        consolidates=row["consolidate_recurring_invoices"],
        custom_properties=row["custom_properties"],
        plan_name=row["plan_name"],
        plan_version=row["plan_version"],
        trial_duration=row["trial_duration"],
        invoice_threshold=row["invoice_threshold"],
        is_being_paid=row["is_being_paid"],
        metadata=row["metadata"],
        created_at=row["created_at"],
        activated_at=row["activated_at"],
        cancellation_reason=row["cancellation_reason"],
    )
