"""Billing periods: half-open spans of whole days, counted from an anchor day of the month.

A boundary is always computed from the anchor and never from the previous boundary, so that an
anchor on the 31st falls on the last day of shorter months and on the 31st again after them.
Rules: reference rules of money and time, section 3.
"""

from calendar import isleap
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache


class Cadence(StrEnum):
    """How often a recurring fee is billed."""

    MONTHLY = "MONTHLY"
    QUARTERLY = "QUARTERLY"
    SEMIANNUAL = "SEMIANNUAL"
    ANNUAL = "ANNUAL"

    @property
    def months(self) -> int:
        """Length in calendar months."""
        return _MONTHS[self]


_REMEMBERED = 8192
"""How many answers are kept: subscriptions of one day share their boundaries."""

_MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FEBRUARY_IN_LEAP_YEARS = 29
_NOMINAL_DAYS = {
    Cadence.MONTHLY: 30,
    Cadence.QUARTERLY: 91,
    Cadence.SEMIANNUAL: 182,
    Cadence.ANNUAL: 365,
}
_MONTHS = {
    Cadence.MONTHLY: 1,
    Cadence.QUARTERLY: 3,
    Cadence.SEMIANNUAL: 6,
    Cadence.ANNUAL: 12,
}


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` (included) to `end` (the first day not covered)."""

    start: date
    end: date

    def __post_init__(self) -> None:
        """A period covers at least one day."""
        assert self.start < self.end, "a period covers at least one day"

    @property
    def days(self) -> int:
        """How many days it covers."""
        return (self.end - self.start).days

    @property
    def last_day(self) -> date:
        """The last day it covers."""
        return self.end - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BilledPeriod:
    """A period as it is billed, beside the full period of the cadence that it belongs to."""

    billed: Period
    full: Period

    @property
    def fraction(self) -> Fraction:
        """The share of the full period that is billed: 1 unless it is a stub or cut short."""
        return Fraction(self.billed.days, self.full.days)


def on_anchor(year: int, month: int, anchor: int) -> date:
    """The anchor's day in a month; `month` may run past 12 or below 1. Clamped to short
    months.
    """
    years, index = divmod(month - 1, 12)
    year += years
    length = _FEBRUARY_IN_LEAP_YEARS if index == 1 and isleap(year) else _MONTH_LENGTHS[index]
    return date(year, index + 1, min(anchor, length))


@lru_cache(_REMEMBERED)
def boundary(start: date, anchor: int, cadence: Cadence, index: int) -> date:
    """The end of the period number `index` (0 is the first) of a fee billed from `start`."""
    same_month = on_anchor(start.year, start.month, anchor)
    if start < same_month:
        return on_anchor(start.year, start.month + index * cadence.months, anchor)
    return on_anchor(start.year, start.month + (index + 1) * cadence.months, anchor)


def full_period(start: date, anchor: int, cadence: Cadence, index: int) -> Period:
    """The uncut period of the cadence that has the same end as period number `index`."""
    end = boundary(start, anchor, cadence, index)
    return Period(boundary(start, anchor, cadence, index - 1), end)


@lru_cache(_REMEMBERED)
def period(
    start: date, anchor: int, cadence: Cadence, index: int, cut: date | None = None
) -> BilledPeriod | None:
    """Period number `index` as it is billed, or None where nothing is left of it before `cut`.

    The first one begins at `start` and may be a stub; `cut` is the first day not covered at
    all. One fraction describes a period that is a stub and cut short as well.
    """
    full = full_period(start, anchor, cadence, index)
    begin = max(full.start, start)
    end = full.end if cut is None else min(full.end, cut)
    if begin >= end:
        return None
    return BilledPeriod(Period(begin, end), full)


@lru_cache(_REMEMBERED)
def index_containing(start: date, anchor: int, cadence: Cadence, day: date) -> int:
    """The number of the period that contains `day`; a day before `start` belongs to the
    first.
    """
    months = (day.year - start.year) * 12 + day.month - start.month
    index = max(0, months // cadence.months - 1)
    while boundary(start, anchor, cadence, index) <= day:
        index += 1
    return index


def priced_days(cadence: Cadence, days: int) -> int:
    """How many days the price of a fee is for, seen from a period of so many days.

    Those, where it is the fee's own; nominal ones where it is more than a quarter longer or
    shorter.
    """
    nominal = _NOMINAL_DAYS[cadence]
    return days if 4 * abs(days - nominal) <= nominal else nominal


def end_of_cycles(start: date, anchor: int, cadence: Cadence, cycles: int) -> date:
    """The first day after `cycles` full periods; a first stub is not counted among them."""
    assert cycles > 0, "at least one full period"
    first = period(start, anchor, cadence, 0)
    assert first is not None, "an uncut period has days"
    stub = 0 if first.fraction == 1 else 1
    return boundary(start, anchor, cadence, cycles - 1 + stub)


def shortest(cadences: list[Cadence]) -> Cadence:
    """The subscription's cadence: the shortest of its fees', monthly where there are none."""
    return min(cadences, key=lambda cadence: cadence.months, default=Cadence.MONTHLY)
