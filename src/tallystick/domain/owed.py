"""What an offer owes up to a day: every charge whose billing moment has come, and no other.

First invoice, trial end, renewal and preview are all the difference between two calls of
`owed`. Advance fees are owed from the first day of their period, arrears from the day their
window ends, one-time fees from the first billed day. Metered usage has no fixed part and adds
no charge here.
"""

from datetime import date, timedelta

from tallystick.domain.charges import Charge, Item, billing_type, charge, charge_once
from tallystick.domain.metered import Meter
from tallystick.domain.periods import index_containing, period
from tallystick.domain.pricing import (
    BillingType,
    CapacityPricing,
    FeeType,
    UsagePricing,
    costs_nothing,
)
from tallystick.domain.schedule import Schedule
from tallystick.domain.terms import Terms


def owed(
    offer: Terms, dates: Schedule, *, until: date, after: date | None = None
) -> tuple[Charge, ...]:
    """The charges that fall due on `until` or before it, and after `after` where it is given.

    Ordered by period, then as the offer lists its items, so that an invoice over several
    elapsed periods reads from the oldest to the newest; one-time fees come last. Nothing is
    owed where no day is billed at all.
    """
    if dates.is_over:
        return ()
    charges: list[tuple[date, int, Charge]] = []
    for position, item in enumerate(offer.recurring):
        charges.extend(
            (one.start, position, one)
            for moment, one in _of_item(item, offer, dates, after, until)
        )
    charges.sort(key=lambda entry: (entry[0], entry[1]))
    first = dates.billing_start
    once = [
        charge_once(item, first, offer.currency)
        for item in offer.one_time
        if item.starts_on is None
        and (item.ends_on is None or item.ends_on > first)
        and first <= until
        and (after is None or first > after)
    ]
    return (*(one for _, _, one in charges), *once)


def meters_close(offer: Terms, dates: Schedule, day: date) -> bool:
    """Whether a window of metered usage ends on `day`, so that usage may be billed then."""
    return bool(meters_closing(offer, dates, day))


def meters_closing(offer: Terms, dates: Schedule, day: date) -> tuple[Meter, ...]:
    """The windows of metered usage that end on `day`, as the offer lists their items.

    What left in a window is metered in the part of it in which it was there.
    """
    if day <= dates.billing_start:
        return ()
    before = _meters(offer, dates, day - timedelta(days=1))
    return tuple(one for one, end in before if end == day)


def meters_running(offer: Terms, dates: Schedule, day: date) -> tuple[Meter, ...]:
    """The windows of metered usage that `day` lies in, as the offer lists their items."""
    return tuple(one for one, _ in _meters(offer, dates, day))


def _meters(offer: Terms, dates: Schedule, day: date) -> list[tuple[Meter, date]]:
    """The meters whose windows contain a day, each with the day on which its window ends."""
    if dates.is_over or day < dates.billing_start:
        return []
    found = []
    for item in offer.recurring:
        if bills_usage(item):
            start, anchor = item.counts_from(dates.billing_start), dates.anchor
            cadence = item.cadence
            index = index_containing(start, anchor, cadence, day)
            window = period(start, anchor, cadence, index, dates.end)
            lived = None if window is None else item.lived(window.billed)
            if window is None or lived is None:
                continue
            if window.billed.start <= day < window.billed.end:
                found.append((Meter(item=item, window=lived), window.billed.end))
    return found


def bills_usage(item: Item) -> bool:
    """Whether metered usage of the item can come to an amount."""
    match item.pricing:
        case UsagePricing():
            return not costs_nothing(item.pricing)
        case CapacityPricing(overage_rate=overage_rate):
            return overage_rate > 0
        case _:
            return False


def _of_item(
    item: Item, offer: Terms, dates: Schedule, after: date | None, until: date
) -> list[tuple[date, Charge]]:
    """The item's charges up to a day, each with the moment at which it fell due.

    Periods that lie wholly before `after` are not looked at. An item that has left owes
    arrears of the part of the window in which it was there.
    """
    found: list[tuple[date, Charge]] = []
    if item.fee.type is FeeType.USAGE:
        return found
    in_advance = billing_type(item) is BillingType.ADVANCE
    start, anchor = item.counts_from(dates.billing_start), dates.anchor
    cadence = item.cadence
    if in_advance and item.billed_from is not None:
        start = item.billed_from
    index = 0
    if after is not None and after >= start:
        # The period that contains `after` began by then; only arrears of it can still fall due.
        index = index_containing(start, anchor, cadence, after) + (1 if in_advance else 0)
    while (one_period := period(start, anchor, cadence, index, dates.end)) is not None:
        if one_period.billed.start > until:
            break
        moment = one_period.billed.start if in_advance else one_period.billed.end
        if item.ends_on is not None and one_period.billed.start >= item.ends_on:
            break
        if moment <= until and (after is None or moment > after):
            one = charge(item, one_period, offer.currency)
            if one is not None:
                found.append((moment, one))
        index += 1
    return found
