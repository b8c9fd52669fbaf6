"""What follows the purchase: the next charge, and every change of its amount after it.

The same computation as everything else, asked about later days.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import islice
from uuid import UUID

from tallystick.domain.bill import Bill
from tallystick.domain.charges import Charge, Item, billing_type
from tallystick.domain.coupons import CouponTerms
from tallystick.domain.minimums import shortfalls
from tallystick.domain.offer import Offer
from tallystick.domain.owed import bills_usage, meters_close, owed
from tallystick.domain.periods import boundary, index_containing
from tallystick.domain.pricing import BillingType, FeeType, costs_nothing
from tallystick.domain.schedule import Schedule
from tallystick.domain.tax import TaxDecision

MOMENTS_MAX = 130
"""How many billing days ahead are looked at: more than ten years of months."""

UPCOMING_MAX = 12
"""How many different amounts are told; more would not be read."""

TAX_LOOKAHEAD_DAYS = 800
"""How far ahead a change of tax rates is looked for: a little over two years."""


class UpcomingReason(StrEnum):
    """Why a later charge falls due; END is what the last period leaves to be billed."""

    START = "START"
    TRIAL_END = "TRIAL_END"
    RENEWAL = "RENEWAL"
    END = "END"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """A later charge: `total` after discount and tax, in minor units.

    `has_usage` says that metered usage of the period before is added to it. Where a minimum is
    promised, `total` holds what is missing from it without usage: usage counts towards that,
    and adds to the total only what lies beyond.
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


def can_owe_later(offer: Offer, dates: Schedule) -> bool:
    """Whether anything can ever be owed after today, coupons aside.

    Slots count whatever their number is, for more can be added, and so does usage, while the
    subscription lives. Of what else is billed in advance, something must begin before the end.
    """
    if dates.is_over or (dates.end is not None and dates.end <= dates.today):
        return False
    if offer.minimum is not None:
        return True
    return any(_can_owe_later(item, dates) for item in offer.items)


def _can_owe_later(item: Item, dates: Schedule) -> bool:
    if costs_nothing(item.pricing):
        return False
    if not dates.bills_today:
        return True
    if item.fee.type is FeeType.ONE_TIME:
        return False
    if (
        dates.end is None
        or item.fee.type is FeeType.SLOT
        or bills_usage(item)
        or billing_type(item) is BillingType.ARREARS
    ):
        return True
    start, anchor, cadence = dates.billing_start, dates.anchor, item.cadence
    index = index_containing(start, anchor, cadence, dates.today)
    return boundary(start, anchor, cadence, index) < dates.end


def upcoming_charges(
    offer: Offer,
    dates: Schedule,
    coupons: tuple[CouponTerms, ...],
    rates_on: Callable[[UUID, date], TaxDecision],
    priced: Callable[[tuple[Charge, ...], int, date], Bill],
    invoices: int,
) -> tuple[Upcoming, ...]:
    """The next charge, and every later one that brings another amount, in order of date.

    Where all fees share one rhythm, each amount that differs from the one before it: the last
    is what it costs from then on, coupons used up. Where rhythms differ, the first charge of
    each amount that comes up. `invoices` counts those made before. Where nothing can be owed
    any more, charges of zero are none.
    """
    if not can_owe_later(offer, dates):
        return ()
    steady = _is_steady(offer, dates, rates_on)
    wanted = _changing(dates, coupons, invoices) if steady else None
    found: list[Upcoming] = []
    seen: set[tuple[object, ...]] = set()
    number = invoices - 1
    for index, (day, reason) in enumerate(islice(_moments(offer, dates), MOMENTS_MAX)):
        if wanted is not None:
            if index not in wanted and not _is_cut(offer, dates, day):
                if dates.end is None and index > max(wanted):
                    break
                continue
            number = invoices + index - 1
        yesterday = day - timedelta(days=1)
        charges = (
            *owed(offer, dates, until=day, after=yesterday),
            *shortfalls(offer, dates, until=day, after=yesterday),
        )
        usage = meters_close(offer, dates, day)
        if not charges and not usage:
            continue
        number += 1
        alike = (
            usage,
            tuple(terms.id for terms in applying(coupons, number)),
            *((one.item_id, one.amount, rates_on(one.product_id, day)) for one in charges),
        )
        if alike in seen:
            continue
        if steady:
            seen.clear()
        seen.add(alike)
        total = priced(charges, number, day).total if charges else 0
        one = Upcoming(due=day, reason=reason, total=total, has_usage=usage)
        known = found[-1:] if steady else found
        if all((one.total, usage) != (other.total, other.has_usage) for other in known):
            found.append(one)
        if len(found) == UPCOMING_MAX:
            break
    return tuple(found)


def _is_steady(
    offer: Offer, dates: Schedule, rates_on: Callable[[UUID, date], TaxDecision]
) -> bool:
    """Whether each boundary makes an invoice like the one before, but for coupons and the end.

    So it is where all fees share one rhythm, something is billed in advance, and no tax rate
    changes in the time to come.
    """
    if len({item.cadence for item in offer.recurring}) != 1:
        return False
    if not any(
        item.fee.type is not FeeType.USAGE and billing_type(item) is BillingType.ADVANCE
        for item in offer.recurring
    ):
        return False
    horizon = dates.today + timedelta(days=TAX_LOOKAHEAD_DAYS)
    return all(
        rates_on(item.product_id, dates.today) == rates_on(item.product_id, horizon)
        for item in offer.items
    )


def _changing(dates: Schedule, coupons: tuple[CouponTerms, ...], invoices: int) -> set[int]:
    """The moments at which a steady offer may cost something else, counted from the next one.

    The first may end a stub or begin late, the ones after it are regular, and a coupon that has
    applied to as many invoices as it may is missing from the next.
    """
    wanted = {0, 1} if dates.bills_today else {0, 1, 2}
    for terms in coupons:
        if terms.recurring_value is not None and terms.recurring_value >= invoices:
            wanted.add(terms.recurring_value - invoices)
    return wanted


def _is_cut(offer: Offer, dates: Schedule, day: date) -> bool:
    """Whether the period that begins on `day` is cut by the end, or the end itself is `day`."""
    if dates.end is None:
        return False
    index = index_containing(dates.billing_start, dates.anchor, offer.cadence, day)
    return boundary(dates.billing_start, dates.anchor, offer.cadence, index) >= dates.end


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
                yield dates.end, UpcomingReason.END
            return
        yield end, UpcomingReason.RENEWAL
        index += 1
