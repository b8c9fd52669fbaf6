"""Changing how many slots a running subscription has.

More are charged now for the days that are left, and are there at once or when they are paid;
fewer are there when the period that was paid for has ended, and nothing is given back
(reference rules of money and time, section 5).
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from tallystick.domain.at_period_end import applied, without_anything_scheduled
from tallystick.domain.charges import (
    Charge,
    Item,
    SlotChange,
    charge_in_part,
    monthly_value,
)
from tallystick.domain.contract import Contract
from tallystick.domain.errors import Conflict, Fault, InvalidInput
from tallystick.domain.life import Step, StepKind, is_over
from tallystick.domain.money import AMOUNT_MAX, AmountTooLarge
from tallystick.domain.pricing import COUNT_MAX, SlotPricing
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.domain.resolve_offer import MONTHS_ON_ONE_INVOICE_MAX
from tallystick.domain.rest_of_period import named, rest_of_old


class SlotMode(StrEnum):
    """When slots that are added are there: at once, when they are paid, or in a preview."""

    OPTIMISTIC = "OPTIMISTIC"
    ON_INVOICE_PAID = "ON_INVOICE_PAID"
    ON_CHECKOUT = "ON_CHECKOUT"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsChanged:
    """A change that took place: the item's new entry, and the step that bills it.

    The entry has no day where it waits until its charges are paid.
    """

    item: Item
    entry: SlotChange
    step: Step


def slots_item(contract: Contract, item_id: UUID, named: str) -> Item:
    """The contract's item of an id, which has slots; `named` is the field that names it.

    Raises `InvalidInput` where there is none.
    """
    item = next((one for one in contract.items if one.id == item_id), None)
    if item is None or item.ends_on is not None:
        raise _refused(named, "unknown", "is not billed on this subscription")
    if not isinstance(item.pricing, SlotPricing):
        raise _refused(named, "not_applicable", f"{item.name!r} has no slots")
    return item


def slots_changed(
    contract: Contract, item: Item, delta: int, day: date, *, waits: bool
) -> SlotsChanged:
    """The contract with slots added to each instance of an item, or given up, on a day.

    `waits` says that what is added is there only when it is paid. In a free trial nothing was
    paid: every change is there at once, and bills nothing.

    Raises:
        Conflict: It has not begun, waits for a checkout, is suspended, or is over; or slots
            would wait while a change is scheduled.
        InvalidInput: There would be too many or too few, for what is scheduled as well, or they
            would cost too much.
    """
    assert delta, "something changes"
    _may_change(contract, delta)
    _in_bounds(item, delta, day)
    _can_be_billed(contract, item, delta, day)
    charges: tuple[Charge, ...] = ()
    on: date | None = day
    if not contract.in_free_trial:
        whole = without_anything_scheduled(contract)
        rest = rest_of_old(whole, item, day)
        if delta < 0:
            on = whole.period_end if rest is None else rest.span.end
        elif rest is not None:
            added = replace(item, slots=delta, slot_changes=())
            charged = charge_in_part(added, rest.span, rest.days, contract.currency)
            charges = (named(charged, "prorated"),)
            on = None if waits else day
    entry = SlotChange(delta=delta, on=on)
    after = _with_entry(contract, item, entry, day)
    _fits_what_is_scheduled(after, entry)
    step = Step(kind=StepKind.CHANGED, day=day, contract=after, charges=charges, opens=None)
    return SlotsChanged(item=item, entry=entry, step=step)


def slots_paid(contract: Contract, item_id: UUID, delta: int, day: date) -> Contract | None:
    """The contract with slots that have been paid for, from a day on.

    None where they come too late: it is over, or the item has left.
    """
    item = next((one for one in contract.items if one.id == item_id), None)
    if item is None or item.ends_on is not None or is_over(contract):
        return None
    # A step that is due may still have to be taken: what is given up by it counts until then.
    return _with_entry(contract, item, SlotChange(delta=delta, on=day), contract.period_start)


def _with_entry(contract: Contract, item: Item, entry: SlotChange, day: date) -> Contract:
    changed = replace(item, slot_changes=(*item.slot_changes, entry))
    items = tuple(changed if one.id == item.id else one for one in contract.items)
    value = monthly_value(items, contract.currency, day)
    return replace(contract, items=items, mrr=value)


def _may_change(contract: Contract, delta: int) -> None:
    if not contract.is_billed and not contract.in_free_trial:
        raise Conflict(f"The slots of a subscription that is {contract.status.value} are fixed")
    if contract.awaits_checkout:
        raise Conflict("This subscription waits for its checkout, which sells its slots")
    if contract.status is SubscriptionStatus.SUSPENDED and delta > 0:
        raise Conflict("A subscription that is SUSPENDED gets no more slots")


def _fits_what_is_scheduled(contract: Contract, entry: SlotChange) -> None:
    change = contract.scheduled
    if change is None:
        return
    day = change.effective_on
    if entry.on is None:
        raise Conflict(
            f"A change of this subscription is scheduled for {day.isoformat()}: slots cannot"
            " wait to be paid beside it"
        )
    try:
        applied(contract, day)
    except InvalidInput as error:
        message = f"what is scheduled for {day.isoformat()} has no place for them: {error}"
        raise _refused("delta", "out_of_bounds", message) from None


def _in_bounds(item: Item, delta: int, day: date) -> None:
    """Never too many, even when all that waits is paid; never too few, as far as is known."""
    pricing = item.pricing
    assert isinstance(pricing, SlotPricing), "it has slots"
    if delta > 0:
        waiting = sum(one.delta for one in item.slot_changes if one.on is None)
        most = COUNT_MAX if pricing.max_slots is None else pricing.max_slots
        room = most - item.slots_on(day) - waiting
        if delta > room:
            message = f"at most {max(room, 0)} more: {item.name!r} may have {most}"
            raise _refused("delta", "out_of_bounds", message)
        return
    least = pricing.min_slots or 0
    room = item.slots_on(date.max) - least
    if -delta > room:
        message = f"at most {max(room, 0)} fewer: {item.name!r} must keep {least}"
        raise _refused("delta", "out_of_bounds", message)


def _can_be_billed(contract: Contract, item: Item, delta: int, day: date) -> None:
    """What is added must stay an amount with tax, over a year on one invoice."""
    waiting = sum(one.delta for one in item.slot_changes if one.on is None)
    most = replace(item, slots=item.slots_on(day) + waiting + delta, slot_changes=())
    items = tuple(most if one.id == item.id else one for one in contract.items)
    try:
        yearly = monthly_value(items, contract.currency, day) * MONTHS_ON_ONE_INVOICE_MAX
    except AmountTooLarge:
        yearly = AMOUNT_MAX
    if delta > 0 and yearly > AMOUNT_MAX // 4:
        raise _refused("delta", "too_large", "must not cost more than can be charged")


def _refused(field: str, code: str, message: str) -> InvalidInput:
    fault = Fault(field, code, message)
    return InvalidInput(f"{fault.field}: {message}", (fault,))
