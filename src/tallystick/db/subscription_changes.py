"""Changes of a subscription that is locked: its ending, its activation, its terms."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tallystick.db import slot_entries
from tallystick.db.engine import Tx
from tallystick.db.subscription_writes import MINIMUM
from tallystick.domain.charges import Item
from tallystick.domain.contract import Contract
from tallystick.domain.life import next_day
from tallystick.domain.purchase import Subscription

_END = """
    update subscriptions
    set cancelled_on = $3, cancellation_reason = $4, current_period_end = $5,
        next_step_on = $6, updated_at = $7
    where tenant_id = $1 and id = $2
"""

_ACTIVATE = """
    update subscriptions
    set start_date = $3, trial_end = $4, billing_start_date = $5, billing_day_anchor = $6,
        end_date = $7, current_period_start = $8, next_step_on = $9, updated_at = $10,
        awaits_activation = false
    where tenant_id = $1 and id = $2
"""

_SLOTS = """
    update slot_entries e set effective_on = $3
    from subscription_items i
    where i.tenant_id = $1 and i.subscription_id = $2
      and e.tenant_id = i.tenant_id and e.item_id = i.id and e.id = i.id
"""

_PLAN = """
    update subscriptions
    set plan_id = $3, plan_version_id = $4, cadence = $5, billing_start_date = $6,
        billing_day_anchor = $7, trial_end = $8, end_date = $9, minimum = $10,
        counted_from = $11, cancelled_on = null, cancellation_reason = null
    where tenant_id = $1 and id = $2
"""

_JOIN = """
    insert into subscription_items (tenant_id, id, subscription_id, kind, position, name,
        product_id, price_id, component_id, add_on_id, instances, item)
    select $1, $3, $2, $4, coalesce(max(position) + 1, 0), $5, $6, $7, $8, $9, $10, $11
    from subscription_items where tenant_id = $1 and subscription_id = $2
"""

_TERMS = frozenset(
    {
        "auto_advance_invoices",
        "charge_automatically",
        "custom_properties",
        "invoice_memo",
        "net_terms",
        "payment_methods_config",
        "purchase_order",
    }
)


async def save_ending(
    tx: Tx, tenant_id: UUID, contract: Contract, reason: str | None, now: datetime
) -> None:
    """Store a cancellation with its reason, or that there is none any more."""
    await tx.execute(
        _END,
        tenant_id,
        contract.id,
        contract.cancelled_on,
        reason,
        contract.period_end,
        next_day(contract),
        now,
    )


async def save_activation(tx: Tx, tenant_id: UUID, contract: Contract, now: datetime) -> None:
    """Store the dates of a subscription that waits no longer; its slots count from there."""
    await tx.execute(
        _ACTIVATE,
        tenant_id,
        contract.id,
        contract.start,
        contract.trial_end,
        contract.billing_start,
        contract.anchor,
        contract.end_date,
        contract.period_start,
        next_day(contract),
        now,
    )
    await tx.execute(_SLOTS, tenant_id, contract.id, contract.billing_start)


async def save_plan(tx: Tx, tenant_id: UUID, contract: Contract, version_id: UUID) -> None:
    """Store which plan a subscription has, and its dates where its trial ended with that."""
    await tx.execute(
        _PLAN,
        tenant_id,
        contract.id,
        contract.plan_id,
        version_id,
        contract.cadence.value,
        contract.billing_start,
        contract.anchor,
        contract.trial_end,
        contract.end_date,
        MINIMUM.dump_optional(contract.minimum),
        contract.counted_from,
    )


async def try_again(tx: Tx, tenant_id: UUID, subscription_id: UUID, now: datetime) -> None:
    """What kept a step of a locked subscription from being taken may be gone."""
    await tx.execute(
        """
        update subscriptions set billing_error = null, updated_at = $3
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        subscription_id,
        now,
    )


async def save_rhythm(tx: Tx, tenant_id: UUID, contract: Contract) -> None:
    """Store how often a subscription is billed, and its end where that follows from it."""
    await tx.execute(
        """
        update subscriptions set cadence = $3, end_date = $4, counted_from = $5
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        contract.id,
        contract.cadence.value,
        contract.end_date,
        contract.counted_from,
    )


async def save_items(
    tx: Tx,
    tenant_id: UUID,
    subscription_id: UUID,
    *,
    touched: Sequence[Item],
    joined: Sequence[Item],
    day: date,
    now: datetime,
) -> None:
    """Store the items that left or changed, and those that joined, in their order."""
    await tx.executemany(
        """
        update subscription_items set item = $4, name = $5
        where tenant_id = $1 and subscription_id = $2 and id = $3
        """,
        [
            (
                tenant_id,
                subscription_id,
                item.id,
                slot_entries.without_slots(item),
                item.name,
            )
            for item in touched
        ],
    )
    await tx.executemany(
        _JOIN,
        [
            (
                tenant_id,
                subscription_id,
                item.id,
                item.kind,
                item.name,
                item.product_id,
                item.price_id,
                item.component_id,
                item.add_on_id,
                item.instances,
                slot_entries.without_slots(item),
            )
            for item in joined
        ],
    )
    await slot_entries.begin(tx, tenant_id, joined, day, now)


async def be_paid(tx: Tx, tenant_id: UUID, subscription_id: UUID, *, now_paid: bool) -> None:
    """Note that money for a locked subscription is being asked for, or is no more.

    Meanwhile none of its steps is taken.
    """
    await tx.execute(
        "update subscriptions set is_being_paid = $3 where tenant_id = $1 and id = $2",
        tenant_id,
        subscription_id,
        now_paid,
    )


async def save_method(
    tx: Tx, tenant_id: UUID, subscription_id: UUID, method_id: UUID | None
) -> None:
    """Store what a locked subscription was paid with, if that was kept; it is paid."""
    await tx.execute(
        """
        update subscriptions
        set payment_method_id = coalesce($3, payment_method_id), is_being_paid = false
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        subscription_id,
        method_id,
    )


async def save_checkout(tx: Tx, tenant_id: UUID, made: Subscription, now: datetime) -> None:
    """Store a locked subscription as its own checkout has left it; a trial it had stays told.

    Its next step is stored by whoever moves it.
    """
    dates = made.dates
    await tx.execute(
        """
        update subscriptions
        set status = $3, start_date = $4, billing_start_date = $5, billing_day_anchor = $6,
            trial_end = coalesce($7, trial_end), end_date = $8, current_period_start = $9,
            current_period_end = $10, cycle_index = $11, mrr = $12,
            payment_method_id = coalesce($13, payment_method_id),
            activated_at = coalesce(activated_at, $14), updated_at = $15,
            awaits_activation = false, awaits_checkout = false, is_being_paid = false
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        made.id,
        made.status.value,
        dates.start,
        dates.billing_start,
        dates.anchor,
        dates.trial_end,
        dates.end,
        made.current_period_start,
        made.current_period_end,
        made.cycle_index,
        made.mrr,
        made.payment_method_id,
        made.activated_at,
        now,
    )
    await tx.execute(_SLOTS, tenant_id, made.id, dates.billing_start)


async def save_first_day(tx: Tx, tenant_id: UUID, contract: Contract, now: datetime) -> None:
    """Store from which day an expired trial would be billed; its slots count from there."""
    await tx.execute(
        """
        update subscriptions
        set billing_start_date = $3, billing_day_anchor = $4, end_date = $5, updated_at = $6
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        contract.id,
        contract.billing_start,
        contract.anchor,
        contract.end_date,
        now,
    )
    await tx.execute(_SLOTS, tenant_id, contract.id, contract.billing_start)


async def save_terms(
    tx: Tx, tenant_id: UUID, subscription_id: UUID, terms: Mapping[str, Any], now: datetime
) -> None:
    """Store terms of billing, and custom properties, by the names of their columns."""
    assert terms.keys() <= _TERMS, "only what may change"
    sets = "".join(f", {column} = ${n}" for n, column in enumerate(terms, start=4))
    await tx.execute(
        f"update subscriptions set updated_at = $3{sets} where tenant_id = $1 and id = $2",
        tenant_id,
        subscription_id,
        now,
        *terms.values(),
    )
