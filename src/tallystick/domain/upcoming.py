"""What follows the purchase: the next charge, and the first one after it that differs.

The same computation as everything else, asked about later days.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import islice
from uuid import UUID

from tallystick.domain.bill import Bill
from tallystick.domain.charges import Charge
from tallystick.domain.coupons import CouponTerms
from tallystick.domain.offer import Offer
from tallystick.domain.owed import meters_close, owed
from tallystick.domain.periods import boundary, index_containing
from tallystick.domain.schedule import Schedule, last_living_day
from tallystick.domain.tax import TaxDecision

UPCOMING_LOOKAHEAD = 26
"""How many boundaries are looked at for the day on which the regular price changes."""


TAX_LOOKAHEAD_DAYS = 800
"""How far ahead a change of tax rates is looked for: a little over two years."""


class UpcomingReason(StrEnum):
    """Why a later charge falls due."""

    START = "START"
    TRIAL_END = "TRIAL_END"
    RENEWAL = "RENEWAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """A later charge: `total` after discount and tax, in minor units.

    `has_usage` says that metered usage of the period before is added to it.
    """

    due: date
    reason: UpcomingReason
    total: int
    has_usage: bool


def applying(coupons: tuple[CouponTerms, ...], invoice: int) -> tuple[CouponTerms, ...]:
    """The coupons that apply to recurring invoice number `invoice` (0 is the first)."""
    return tuple(
        terms
        for terms in coupons
        if terms.recurring_value is None or invoice < terms.recurring_value
    )


def upcoming_charges(
    offer: Offer,
    dates: Schedule,
    coupons: tuple[CouponTerms, ...],
    rates_on: Callable[[UUID, date], TaxDecision],
    priced: Callable[[tuple[Charge, ...], int, date], Bill],
    invoices: int,
) -> tuple[Upcoming, ...]:
    """The next charge, and the first one after it that differs from it."""
    if dates.is_over:
        return ()
    found: list[Upcoming] = []
    seen: list[tuple[object, ...]] = []
    for day, reason in _telling_moments(offer, dates, coupons, rates_on):
        charges = owed(offer, dates, until=day, after=day - timedelta(days=1))
        usage = meters_close(offer, dates, day)
        if not charges and not usage:
            continue
        invoices += 1
        alike = (
            usage,
            len(applying(coupons, invoices - 1)),
            *((one.item_id, one.amount, rates_on(one.product_id, day)) for one in charges),
        )
        if alike in seen:
            continue
        seen.append(alike)
        total = priced(charges, invoices - 1, day).total if charges else 0
        one = Upcoming(due=day, reason=reason, total=total, has_usage=usage)
        if not found or (one.total, one.has_usage) != (found[0].total, found[0].has_usage):
            found.append(one)
        if len(found) > 1:
            break
    return tuple(found)


def _telling_moments(
    offer: Offer,
    dates: Schedule,
    coupons: tuple[CouponTerms, ...],
    rates_on: Callable[[UUID, date], TaxDecision],
) -> Iterator[tuple[date, UpcomingReason]]:
    """The billing days to come, those left out that would repeat the one before.

    Where every fee has the same rhythm, no coupon runs out and no tax rate changes, nothing
    differs between the second regular boundary and the period that the end cuts.
    """
    moments = _moments(offer, dates)
    changing = len({item.cadence for item in offer.recurring}) > 1 or any(
        terms.recurring_value is not None for terms in coupons
    )
    horizon = dates.today + timedelta(days=TAX_LOOKAHEAD_DAYS)
    changing = changing or any(
        rates_on(item.product_id, dates.today) != rates_on(item.product_id, horizon)
        for item in offer.items
    )
    if changing:
        yield from islice(moments, UPCOMING_LOOKAHEAD)
        return
    # The first boundary may end a stub and the second may not; what begins later comes first.
    last = dates.today
    for last, reason in islice(moments, 2 if dates.bills_today else 3):
        yield last, reason
    if dates.end is None or last >= dates.end:
        return
    index = index_containing(
        dates.billing_start, dates.anchor, offer.cadence, last_living_day(dates, dates.end)
    )
    begins = boundary(dates.billing_start, dates.anchor, offer.cadence, index - 1)
    if begins > last:
        yield begins, UpcomingReason.RENEWAL
    yield dates.end, UpcomingReason.RENEWAL


def _moments(offer: Offer, dates: Schedule) -> Iterator[tuple[date, UpcomingReason]]:
    """The next billing days: the start or the trial's end if ahead, then each boundary."""
    if dates.billing_start > dates.today:
        in_trial = dates.billing_start > dates.start
        yield (
            dates.billing_start,
            UpcomingReason.TRIAL_END if in_trial else UpcomingReason.START,
        )
    index = index_containing(dates.billing_start, dates.anchor, offer.cadence, dates.today)
    while True:
        end = boundary(dates.billing_start, dates.anchor, offer.cadence, index)
        if dates.end is not None and end >= dates.end:
            if dates.end > dates.today:
                yield dates.end, UpcomingReason.RENEWAL
            return
        yield end, UpcomingReason.RENEWAL
        index += 1
