"""What is missing from a minimum commitment when a window closes: the true-up.

The minimum is compared with what the window's service cost before coupons: the fixed fees for
its days, whenever they were billed, and the usage that is billed at its end. A window that is
a stub or cut has a minimum by its days (reference rules of money and time, section 6).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from tallystick.domain.charges import (
    Charge,
    Computation,
    Item,
    Shortfall,
    billing_type,
    charge,
    charge_in_part,
    days_of_price,
    is_in_advance,
)
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.money import major, minor, rounded, rounded_ratio
from tallystick.domain.periods import (
    BilledPeriod,
    Period,
    full_period,
    index_containing,
    period,
)
from tallystick.domain.pricing import BillingType, FeeType
from tallystick.domain.schedule import Schedule
from tallystick.domain.terms import Terms

NAME = "Minimum commitment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The minimum of a window that closes, and what its fixed fees cost.

    `full_days` are those of the period that the window belongs to. What is missing is billed
    for an item that the minimum covers, and taxed like it.
    """

    commitment: MinimumCommitment
    currency: str
    window: Period
    full_days: int
    fees: int
    item_id: UUID
    product_id: UUID

    @property
    def least(self) -> int:
        """What the window's service costs at least, in minor units."""
        exact = minor(self.commitment.amount, self.currency)
        return rounded(exact * self.window.days / self.full_days)


def floor_closing(
    terms: Terms, dates: Schedule, day: date, promised_end: date | None
) -> Floor | None:
    """The floor of the window that ends on `day`; None where none does, or nothing is promised.

    `promised_end` is the end that advance fees were billed by: a cancellation gives none of
    them back, so they count for the whole period that they were billed for.
    """
    commitment = terms.minimum
    if commitment is None or dates.is_over or day <= dates.billing_start:
        return None
    start, anchor, cadence = dates.periods_from, dates.anchor, terms.cadence
    index = index_containing(start, anchor, cadence, day - timedelta(days=1))
    window = period(start, anchor, cadence, index, dates.end)
    if window is None or window.billed.end != day:
        return None
    covered = [
        item
        for item in terms.recurring
        if commitment.covers(item.product_id) and item.lived(window.billed) is not None
    ]
    if not covered:
        return None
    # What left in the window is not named where something stays.
    billed_for = min(covered, key=lambda item: item.ends_on is not None)
    whole = period(start, anchor, cadence, index, promised_end)
    assert whole is not None, "what is promised does not end before it is over"
    fees = sum(
        _share(item, whole, terms.currency, dates, promised_end)
        if billing_type(item) is BillingType.ADVANCE
        else _share(item, window, terms.currency, dates, dates.end)
        for item in covered
    )
    return Floor(
        commitment=commitment,
        currency=terms.currency,
        window=window.billed,
        full_days=window.full.days,
        fees=fees,
        item_id=billed_for.id,
        product_id=billed_for.product_id,
    )


def shortfall(floor: Floor, metered: Sequence[Charge]) -> Charge | None:
    """What is missing from a floor after the usage of its window, None where nothing is.

    `metered` is all usage that is billed at the window's end, with what threshold invoices
    have billed of it already.
    """
    used = sum(one.amount for one in metered if floor.commitment.covers(one.product_id))
    missing = floor.least - floor.fees - used
    if missing <= 0:
        return None
    window = floor.window
    return Charge(
        item_id=floor.item_id,
        product_id=floor.product_id,
        name=NAME,
        start=window.start,
        end=window.end,
        amount=missing,
        computation=Computation(
            fee=FeeType.EXTRA_RECURRING,
            unit_price=major(missing, floor.currency),
            units=1,
            instances=1,
            days=window.days,
            full_days=window.days,
        ),
        shortfall=Shortfall(
            minimum=floor.commitment.amount,
            full_days=floor.full_days,
            least=floor.least,
            cost=floor.fees + used,
        ),
    )


def shortfalls(
    terms: Terms, dates: Schedule, *, until: date, after: date | None = None
) -> tuple[Charge, ...]:
    """What is missing, where nothing is used, from the windows that end on `until` or before.

    Only from those that end after `after`, where it is given. Oldest first.
    """
    if terms.minimum is None or dates.is_over:
        return ()
    found = []
    start, anchor, cadence = dates.periods_from, dates.anchor, terms.cadence
    index = 0 if after is None else index_containing(start, anchor, cadence, after)
    while (window := period(start, anchor, cadence, index, dates.end)) is not None:
        end = window.billed.end
        if end > until:
            break
        floor = floor_closing(terms, dates, end, dates.end)
        missing = None if floor is None else shortfall(floor, ())
        if missing is not None and (after is None or end > after):
            found.append(missing)
        index += 1
    return tuple(found)


def _share(
    item: Item, part: BilledPeriod, currency: str, dates: Schedule, cut: date | None
) -> int:
    """What a fixed fee costs for the part of a window in which it was there.

    Of a longer period by days, so that the shares of its windows sum to the fee; slots that
    came within the window by those that were left of it. Where it left within the window, what
    was billed less what was given back.
    """
    window = part.billed
    lived = item.lived(window)
    if lived is None:
        return 0
    span, amount, own = _billed(item, part, lived.start, currency, dates, cut)
    if is_in_advance(item) and lived.end < span.end <= window.end:
        rest = Period(lived.end, span.end)
        full = days_of_price(item, part)
        back = charge_in_part(item, rest, (min(rest.days, full), full), currency)
        came = _added(item, Period(lived.start, span.end), full, currency)
        return amount + came - back.amount
    begin = (max(lived.start, span.start) - span.start).days
    end = (min(lived.end, span.end) - span.start).days
    fee = rounded_ratio(amount * end, span.days) - rounded_ratio(amount * begin, span.days)
    if not is_in_advance(item):
        return fee
    full = days_of_price(item, part) if span.end <= window.end else own
    return fee + _added(item, lived, full, currency)


def _added(item: Item, lived: Period, full: int, currency: str) -> int:
    """What slots cost that came within the days in which an item was there."""
    cost = 0
    for one in item.slot_changes:
        if one.delta > 0 and one.on is not None and lived.start < one.on < lived.end:
            rest = Period(one.on, lived.end)
            added = replace(item, slots=one.delta, slot_changes=())
            days = (min(rest.days, full), full)
            cost += charge_in_part(added, rest, days, currency).amount
    return cost


def _billed(
    item: Item, part: BilledPeriod, day: date, currency: str, dates: Schedule, cut: date | None
) -> tuple[Period, int, int]:
    """The days that are billed of a fixed fee together with a day, their amount, and how many
    its own full period has.
    """
    anchor, cadence = dates.anchor, item.cadence
    joined, regular = item.starts_on, item.billed_from
    if is_in_advance(item) and joined is not None and regular is not None and day < regular:
        # It joined within a period, and was charged for the rest of that.
        span = Period(joined, regular)
        own = full_period(regular, anchor, cadence, -1).days
        full = days_of_price(item, part) if regular <= part.billed.end else own
        joining = charge_in_part(item, span, (min(span.days, full), full), currency)
        return span, joining.amount, own
    start = item.counts_from(dates.billing_start)
    if is_in_advance(item) and regular is not None:
        start = regular
    index = index_containing(start, anchor, cadence, day)
    billed = period(start, anchor, cadence, index, cut)
    assert billed is not None, "the window lies in it"
    if is_in_advance(item):
        # What left is counted by what was given back of it.
        item = replace(item, ends_on=None)
    whole = charge(item, billed, currency)
    if whole is None:
        return billed.billed, 0, billed.full.days
    return Period(whole.start, whole.end), whole.amount, billed.full.days
