"""The components of a plan that a subscription changes to, matched with those that it has.

Matched by product: each new component replaces the one of its product, whose slots it keeps.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from tallystick.domain.charges import Item, SlotChange
from tallystick.domain.errors import Conflict, Fault, InvalidInput
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.pricing import SlotPricing


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlan:
    """The plan that a subscription changes to: its components, as resolved.

    `chosen_slots` are the components whose number of slots the request names; any other keeps
    the number of the one that it replaces. `minimum` is what a period costs at least.
    """

    plan_id: UUID
    items: tuple[Item, ...]
    chosen_slots: frozenset[UUID] = frozenset()
    minimum: MinimumCommitment | None = None


def paired(
    left: Sequence[Item], wanted: TargetPlan, day: date
) -> list[tuple[Item | None, Item]]:
    """Each new component with the one of its product that it replaces on a day, if any.

    Raises:
        InvalidInput: The slots do not fit the new plan.
    """
    by_product: dict[UUID, deque[Item]] = defaultdict(deque)
    for item in left:
        by_product[item.product_id].append(item)
    pairs: list[tuple[Item | None, Item]] = []
    for item in wanted.items:
        old = by_product[item.product_id].popleft() if by_product[item.product_id] else None
        keeps = item.component_id not in wanted.chosen_slots
        if old is not None and old.slots is not None and item.slots is not None and keeps:
            pairs.append((old, with_slots_of(old, item, day)))
        else:
            pairs.append((old, item))
    return pairs


def with_slots_of(old: Item, item: Item, day: date) -> Item:
    """A new item with as many slots as the old one has on a day, and as few as it was to keep.

    Raises:
        InvalidInput: It may not have so many.
    """
    pricing = item.pricing
    if old.slots is None or not isinstance(pricing, SlotPricing):
        return item
    slots = _carried(old.slots_on(day), item, pricing)
    kept = old.slots_on(date.max)
    given_up = slots - min(slots, max(kept, pricing.min_slots or 0))
    changes = (SlotChange(delta=-given_up, on=day),) if given_up else ()
    return replace(item, slots=slots, slot_changes=changes)


def joining(item: Item, day: date, billed_from: date | None) -> Item:
    """An item as it joins: what it gives up of its slots goes when its own periods begin."""
    assert billed_from is not None, "it is billed"
    changes = tuple(replace(one, on=billed_from) for one in item.slot_changes)
    return replace(item, starts_on=day, billed_from=billed_from, slot_changes=changes)


def none_awaited(items: Sequence[Item]) -> None:
    """Raise `Conflict` where slots of these items, which are to change, wait to be paid."""
    if any(one.on is None for item in items for one in item.slot_changes):
        raise Conflict("Slots of this subscription wait for their invoice: pay it, or void it")


def _carried(slots: int, item: Item, pricing: SlotPricing) -> int:
    if pricing.max_slots is not None and slots > pricing.max_slots:
        message = (
            f"{item.name!r} has {slots} slots, and the new plan at most {pricing.max_slots};"
            " name a number with `initial_slot_count`"
        )
        fault = Fault("components.parameterized_components", "out_of_bounds", message)
        raise InvalidInput(f"{fault.field}: {message}", (fault,))
    return max(slots, pricing.min_slots or 0)
