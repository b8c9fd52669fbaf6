"""What an offer owes up to a day: every charge whose billing moment has come, and no other.

First invoice, trial end, renewal and preview are all the difference between two calls of
`owed`. Advance fees are owed from the first day of their period, arrears from the day their
window ends, one-time fees from the first billed day. Metered usage has no fixed part and adds
no charge here.
"""

from datetime import date

from tallystick.domain.charges import Charge, Item, billing_type, charge, charge_once
from tallystick.domain.offer import Offer
from tallystick.domain.periods import periods
from tallystick.domain.pricing import BillingType, FeeType
from tallystick.domain.schedule import Schedule


def owed(
    offer: Offer, dates: Schedule, *, until: date, after: date | None = None
) -> tuple[Charge, ...]:
    """The charges that fall due on `until` or before it, and after `after` where it is given.

    Ordered by period, then as the offer lists its items, so that an invoice over several
    elapsed periods reads from the oldest to the newest; one-time fees come last.
    """
    charges: list[tuple[date, int, Charge]] = []
    for position, item in enumerate(offer.recurring):
        charges.extend(
            (one.start, position, one)
            for moment, one in _of_item(item, offer, dates, until)
            if after is None or moment > after
        )
    charges.sort(key=lambda entry: (entry[0], entry[1]))
    first = dates.billing_start
    once = [
        charge_once(item, first, offer.currency)
        for item in offer.one_time
        if first <= until and (after is None or first > after)
    ]
    return (*(one for _, _, one in charges), *once)


def _of_item(
    item: Item, offer: Offer, dates: Schedule, until: date
) -> list[tuple[date, Charge]]:
    """The item's charges up to a day, each with the moment at which it fell due."""
    found: list[tuple[date, Charge]] = []
    if item.fee.type is FeeType.USAGE:
        return found
    in_advance = billing_type(item) is BillingType.ADVANCE
    for period in periods(dates.billing_start, dates.anchor, item.cadence, dates.end):
        if period.billed.start > until:
            break
        moment = period.billed.start if in_advance else period.billed.end
        one = charge(item, period, offer.currency)
        if moment <= until and one is not None:
            found.append((moment, one))
    return found
