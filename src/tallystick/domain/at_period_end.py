"""Changes at the end of a period: scheduled, and made before the next period is billed.

Nothing is credited: what was paid of a component for longer than to the boundary stays paid,
and what replaces it is billed from there on (reference rules of money and time, section 5).
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import assert_never

from tallystick.domain.charges import (
    Charge,
    Item,
    charge_once,
    is_in_advance,
    monthly_value,
)
from tallystick.domain.contract import Contract
from tallystick.domain.errors import Conflict
from tallystick.domain.new_components import joining, none_awaited, paired, with_slots_of
from tallystick.domain.owed import bills_usage
from tallystick.domain.periods import boundary, end_of_cycles, index_containing, shortest
from tallystick.domain.pricing import FeeType
from tallystick.domain.schedule import period_containing
from tallystick.domain.scheduled import Scheduled, ScheduledAmendment, ScheduledPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A scheduled change that took place: the contract after it, what left and what joined.

    `matched` counts the components that replace another of their product. `renamed` stay
    under another name; `charges` are the one-time fees that joined.
    """

    change: Scheduled
    contract: Contract
    ended: tuple[Item, ...]
    joined: tuple[Item, ...]
    matched: int
    renamed: tuple[Item, ...] = ()
    charges: tuple[Charge, ...] = ()


def boundary_ahead(contract: Contract) -> date:
    """The day on which a change at the end of the current period takes effect.

    A cancellation that is scheduled is no hindrance: it is replaced.

    Raises:
        Conflict: It has no period, waits for its checkout, ends with the period, or slots wait
            to be paid, which may be after the change.
    """
    if not contract.is_billed and not contract.in_free_trial:
        raise Conflict(
            f"A subscription that is {contract.status.value} has no period at whose end it"
            " could change"
        )
    if contract.in_free_trial and contract.awaits_checkout:
        raise Conflict("This subscription waits for its checkout; change it after that")
    day = without_anything_scheduled(contract).period_end
    assert day is not None, "it has a period"
    if contract.end_date is not None and contract.end_date <= day:
        raise Conflict(f"This subscription ends on {contract.end_date.isoformat()}")
    none_awaited([item for item in contract.items if item.ends_on is None])
    return day


def scheduled(contract: Contract, change: Scheduled) -> Contract:
    """The contract with a change that is to come, instead of whatever was scheduled before."""
    return replace(without_anything_scheduled(contract), scheduled=change)


def without_anything_scheduled(contract: Contract) -> Contract:
    """The contract without its scheduled change or cancellation, its period uncut by that."""
    whole = replace(contract, cancelled_on=None, scheduled=None)
    if whole.is_billed:
        began = whole.period_start
        opens = period_containing(whole, whole.schedule_on(began), began)
        return replace(whole, period_end=opens.end)
    if whole.in_free_trial and whole.trial_end is not None:
        ends = whole.trial_end
        return replace(whole, period_end=ends if whole.end is None else min(ends, whole.end))
    return whole


def applied(contract: Contract, day: date) -> Applied | None:
    """What is scheduled for a day, made; None where nothing is.

    Raises:
        InvalidInput: The slots do not fit the new plan any more.
    """
    change = contract.scheduled
    if change is None or change.effective_on != day:
        return None
    match change:
        case ScheduledPlan():
            return _plan_applied(contract, change, day)
        case ScheduledAmendment():
            return _amendment_applied(contract, change, day)
    assert_never(change)


def _plan_applied(contract: Contract, change: ScheduledPlan, day: date) -> Applied:
    left = [
        item for item in contract.items if item.kind == "COMPONENT" and item.ends_on is None
    ]
    pairs = paired(left, change.plan, day)
    ended = tuple(replace(item, ends_on=day) for item in left)
    joined = tuple(_joining(contract, old, item, day) for old, item in pairs)
    gone = {item.id: item for item in ended}
    kept = tuple(gone.get(item.id, item) for item in contract.items)
    after = replace(
        contract,
        plan_id=change.plan.plan_id,
        items=(*kept, *joined),
        minimum=change.plan.minimum,
        scheduled=None,
    )
    after = _in_its_rhythm(contract, after, day)
    if after.is_billed:
        after = replace(after, mrr=monthly_value(after.items, after.currency, day))
    return Applied(
        change=change,
        contract=after,
        ended=ended,
        joined=joined,
        matched=sum(old is not None for old, _ in pairs),
    )


def _amendment_applied(contract: Contract, change: ScheduledAmendment, day: date) -> Applied:
    """What it names and is not there any more stays gone."""
    amendment = change.amendment
    live = {item.id: item for item in contract.items if item.ends_on is None}
    pairs = [
        (old, with_slots_of(old, one.to, day))
        for one in amendment.changed
        if (old := live.get(one.item_id)) is not None
    ]
    removed = [live[one] for one in amendment.removed if one in live]
    ended = tuple(replace(item, ends_on=day) for item in (*(old for old, _ in pairs), *removed))
    renamed = tuple(
        replace(live[one.item_id], name=one.name)
        for one in amendment.renamed
        if one.item_id in live
    )
    joining = (*pairs, *((None, item) for item in amendment.added))
    joined = tuple(
        _joining(contract, old, item, day) if contract.is_billed else item
        for old, item in joining
    )
    touched = {item.id: item for item in (*ended, *renamed)}
    kept = tuple(touched.get(item.id, item) for item in contract.items)
    after = replace(contract, items=(*kept, *joined), scheduled=None)
    after = _in_its_rhythm(contract, after, day)
    after = replace(after, mrr=monthly_value(after.items, after.currency, day))
    once = [item for item in amendment.added if item.fee.type is FeeType.ONE_TIME]
    return Applied(
        change=change,
        contract=after,
        ended=ended,
        joined=joined,
        matched=len(pairs),
        renamed=renamed,
        charges=tuple(charge_once(item, day, contract.currency) for item in once)
        if contract.is_billed
        else (),
    )


def _joining(contract: Contract, old: Item | None, item: Item, day: date) -> Item:
    """An item as it joins: a one-time fee is not owed later, one by the period is billed from
    where the one that it replaces was paid to.

    At the end of a free trial nothing was paid, and everything counts from the first billed
    day, which a late payment moves.
    """
    if item.fee.type is FeeType.ONE_TIME:
        return replace(item, starts_on=day)
    if not contract.is_billed:
        return item
    paid = day if old is None else paid_until(contract, old, day)
    return joining(item, day, paid)


def _in_its_rhythm(before: Contract, after: Contract, day: date) -> Contract:
    """The contract in the rhythm of its new fees, counted from the boundary where it changes.

    It keeps a shorter one while a window that is open on the day has still to be billed: the
    day on which that ends is a boundary of the shorter rhythm only.
    """
    cadence = shortest([item.cadence for item in after.recurring if item.ends_on is None])
    if not before.is_billed:
        end_date = after.end_date
        if after.billing_cycles is not None:
            end_date = end_of_cycles(day, after.anchor, cadence, after.billing_cycles)
        return replace(after, cadence=cadence, end_date=end_date)
    is_longer = cadence.months > before.cadence.months
    if cadence is before.cadence or (is_longer and not _all_end_on(after, day)):
        return after
    return replace(after, cadence=cadence, counted_from=day)


def _all_end_on(after: Contract, day: date) -> bool:
    """Whether nothing that was there before a boundary is billed in the middle of the next
    period of a longer rhythm: paid up to there, or used in a window that ends there.
    """
    return all(_own_end(after, item, day) <= day for item in after.recurring)


def _own_end(contract: Contract, item: Item, day: date) -> date:
    """Where that which was begun of an item before a day is to be billed again."""
    paid = day if item.ends_on is not None else paid_until(contract, item, day)
    if item.starts_on == day or (is_in_advance(item) and not bills_usage(item)):
        return paid
    last = day if item.ends_on is None else min(day, item.ends_on)
    start = item.counts_from(contract.billing_start)
    yesterday = last - timedelta(days=1)
    index = index_containing(start, contract.anchor, item.cadence, yesterday)
    return max(paid, boundary(start, contract.anchor, item.cadence, index))


def paid_until(contract: Contract, item: Item, day: date) -> date:
    """Up to where an item was paid in advance before a day; the day where that is no later."""
    if not is_in_advance(item):
        return day
    start = contract.billing_start if item.billed_from is None else item.billed_from
    if start >= day:
        return start
    yesterday = day - timedelta(days=1)
    index = index_containing(start, contract.anchor, item.cadence, yesterday)
    return boundary(start, contract.anchor, item.cadence, index)
