"""The ledger of slots: the one place that says how many an item of a subscription has.

An item is stored without its slots; whoever reads it reads them from here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.domain.charges import Item, SlotChange

_ITEM: Codec[Item] = Codec(Item)


def counted(item: str, day: str) -> str:
    """SQL of an item's JSON with its slots as of a day, and their changes after it.

    `item` is the alias of its row in `subscription_items`. What the item began with counts on
    every day.
    """
    return f"""
        case when {item}.item #>> '{{pricing,type}}' <> 'SLOT' then {item}.item
        else {item}.item || (
            select jsonb_build_object(
                'slots', coalesce(sum(entry.delta) filter (
                    where entry.id = entry.item_id or entry.effective_on <= {day}), 0),
                'slot_changes', coalesce(jsonb_agg(jsonb_build_object(
                    'delta', entry.delta, 'on', entry.effective_on,
                    'invoice_id', entry.invoice_id)
                    order by entry.effective_on, entry.created_at, entry.id) filter (
                    where entry.id <> entry.item_id
                      and (entry.effective_on is null or entry.effective_on > {day})), '[]'))
            from slot_entries entry
            where entry.tenant_id = {item}.tenant_id and entry.item_id = {item}.id
              and entry.dropped_at is null) end
    """


def without_slots(item: Item) -> str:
    """An item as it is stored."""
    return _ITEM.dump(replace(item, slots=None, slot_changes=()))


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingSlots:
    """Slots that are there once an invoice is paid."""

    id: UUID
    item_id: UUID
    subscription_id: UUID
    invoice_id: UUID
    delta: int


async def begin(
    tx: Tx, tenant_id: UUID, items: Sequence[Item], day: date, now: datetime
) -> None:
    """Write what items begin with, and what they will give up of it."""
    await tx.executemany(
        """
        insert into slot_entries (tenant_id, id, item_id, delta, effective_on, created_at)
        values ($1, $2, $2, $3, $4, $5)
        """,
        [
            (tenant_id, item.id, item.slots, day, now)
            for item in items
            if item.slots is not None
        ],
    )
    await tx.executemany(
        """
        insert into slot_entries (tenant_id, id, item_id, delta, effective_on, created_at)
        values ($1, gen_random_uuid(), $2, $3, $4, $5)
        """,
        [
            (tenant_id, item.id, one.delta, one.on, now)
            for item in items
            for one in item.slot_changes
        ],
    )


async def insert(
    tx: Tx, tenant_id: UUID, entry_id: UUID, item_id: UUID, entry: SlotChange, now: datetime
) -> None:
    """Write an entry of a locked subscription's item."""
    await tx.execute(
        """
        insert into slot_entries (tenant_id, id, item_id, delta, effective_on, invoice_id,
            created_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        tenant_id,
        entry_id,
        item_id,
        entry.delta,
        entry.on,
        entry.invoice_id,
        now,
    )


async def effective_on(tx: Tx, tenant_id: UUID, entry_id: UUID) -> date | None:
    """From which day an entry counts, None while it waits."""
    day: date | None = await tx.fetchval(
        "select effective_on from slot_entries where tenant_id = $1 and id = $2",
        tenant_id,
        entry_id,
    )
    return day


async def lock_waiting(
    tx: Tx, tenant_id: UUID, invoice_ids: Sequence[UUID]
) -> list[WaitingSlots]:
    """What waits for invoices to be paid, with its subscriptions locked."""
    rows = await tx.fetch(
        """
        select e.id, e.item_id, s.id as subscription_id, e.invoice_id, e.delta
        from slot_entries e
        join subscription_items i on i.tenant_id = e.tenant_id and i.id = e.item_id
        join subscriptions s on s.tenant_id = i.tenant_id and s.id = i.subscription_id
        where e.tenant_id = $1 and e.invoice_id = any($2) and e.effective_on is null
          and e.dropped_at is null
        order by s.id, e.id for no key update of s
        """,
        tenant_id,
        invoice_ids,
    )
    return [WaitingSlots(**dict(row)) for row in rows]


async def take_effect(tx: Tx, tenant_id: UUID, entry_id: UUID, day: date) -> None:
    """What waited counts from a day on."""
    await tx.execute(
        "update slot_entries set effective_on = $3 where tenant_id = $1 and id = $2",
        tenant_id,
        entry_id,
        day,
    )


async def drop_one(tx: Tx, tenant_id: UUID, entry_id: UUID, now: datetime) -> None:
    """What waited was paid too late, and will never count."""
    await tx.execute(
        "update slot_entries set dropped_at = $3 where tenant_id = $1 and id = $2",
        tenant_id,
        entry_id,
        now,
    )


async def drop(tx: Tx, tenant_id: UUID, invoice_id: UUID, now: datetime) -> None:
    """What waits for an invoice that is void will never count."""
    await tx.execute(
        """
        update slot_entries set dropped_at = $3
        where tenant_id = $1 and invoice_id = $2 and effective_on is null
          and dropped_at is null
        """,
        tenant_id,
        invoice_id,
        now,
    )
