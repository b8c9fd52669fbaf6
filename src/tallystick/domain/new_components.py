"""The components of a plan that a subscription changes to, matched with those that it has.

Matched by product: each new component replaces the one of its product, whose slots it keeps.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from tallystick.domain.charges import Item
from tallystick.domain.errors import Fault, InvalidInput
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.pricing import SlotPricing


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlan:
    """The plan that a subscription changes to: its components, as resolved.

    `chosen_slots` are the components whose number of slots the request names; any other keeps
    the number of the one that it replaces. `minimum` is what a period costs at least.
    """

    plan_id: UUID
    items: tuple[Item, ...]
    chosen_slots: frozenset[UUID] = frozenset()
    minimum: MinimumCommitment | None = None


def paired(left: Sequence[Item], wanted: NewPlan) -> list[tuple[Item | None, Item]]:
    """Each new component with the one of its product that it replaces, if any.

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
            pairs.append((old, replace(item, slots=_carried(old.slots, item))))
        else:
            pairs.append((old, item))
    return pairs


def _carried(slots: int, item: Item) -> int:
    pricing = item.pricing
    assert isinstance(pricing, SlotPricing), "a slot product has slot prices"
    if pricing.max_slots is not None and slots > pricing.max_slots:
        message = (
            f"{item.name!r} has {slots} slots, and the new plan at most {pricing.max_slots};"
            " name a number with `initial_slot_count`"
        )
        fault = Fault("components.parameterized_components", "out_of_bounds", message)
        raise InvalidInput(f"{fault.field}: {message}", (fault,))
    return max(slots, pricing.min_slots or 0)
