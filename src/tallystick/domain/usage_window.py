"""The window whose usage counts against an allowance, at a given moment.

Windows are spans of instants, half-open. Days, weeks, months and years are those of the
tenant's time zone, whose clocks may skip an hour or show it twice; windows of one kind follow
each other without a gap and without an overlap all the same. Hours of a fixed or sliding
window, and the days and weeks of a sliding one, are so many times 60 minutes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import assert_never

from tallystick.domain.metering import day_begins
from tallystick.domain.periods import Period, on_anchor
from tallystick.domain.reset_period import (
    BillingCycle,
    Calendar,
    CalendarUnit,
    FixedWindow,
    Never,
    ResetPeriod,
    SlidingWindow,
)

_INSTANT = timedelta(microseconds=1)
"""The distance of two neighbouring instants, here as in the database."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - what clocks on walls show, in any zone
_EPOCH_MONDAY = datetime(1969, 12, 29)  # noqa: DTZ001 - the same
_MONTHS = 12

_LENGTHS = {
    CalendarUnit.HOUR: timedelta(hours=1),
    CalendarUnit.DAY: timedelta(days=1),
    CalendarUnit.WEEK: timedelta(days=7),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """What windows of a subscription hang on: its activation, and its current period."""

    activated: datetime
    period: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The instants from `begins` up to, and without, `ends`; without an end where it is None.

    `resets_at` is when the next window begins, None where none does.
    """

    begins: datetime
    ends: datetime | None
    resets_at: datetime | None


def window_of(reset: ResetPeriod, anchors: Anchors, now: datetime, zone: tzinfo) -> Window:
    """The window that contains `now`; before the first one, the first.

    Args:
        reset: When the allowance begins anew.
        anchors: Of the subscription that grants it.
        now: The moment.
        zone: The tenant's.
    """
    match reset:
        case BillingCycle():
            begins = day_begins(anchors.period.start, zone)
            return _until(begins, day_begins(anchors.period.end, zone))
        case Never():
            return Window(begins=anchors.activated, ends=None, resets_at=None)
        case Calendar(unit=unit, interval=interval):
            return _calendar(unit, interval, now, zone)
        case FixedWindow(unit=unit, interval=interval):
            return _fixed(unit, interval, anchors.activated, now, zone)
        case SlidingWindow(unit=unit, interval=interval):
            oldest = _back(unit, interval, now, zone)
            # What happens at this moment counts, what happened one interval ago does not.
            return Window(begins=oldest + _INSTANT, ends=now + _INSTANT, resets_at=None)
    assert_never(reset)


def first_moment(wall: datetime, zone: tzinfo) -> datetime:
    """The first moment at which the clocks of a zone show `wall` or later, in UTC.

    Where the clocks skip it, that is the moment of the jump; where they show it twice, the
    first of both.
    """
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _shown(moment, zone) == wall:
        return moment
    too_early = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while moment - too_early > _INSTANT:
        between = too_early + (moment - too_early) // 2
        if _shown(between, zone) < wall:
            too_early = between
        else:
            moment = between
    return moment


def _until(begins: datetime, ends: datetime) -> Window:
    return Window(begins=begins, ends=ends, resets_at=ends)


def _shown(moment: datetime, zone: tzinfo) -> datetime:
    """What the clocks of a zone show."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _calendar(unit: CalendarUnit, interval: int, now: datetime, zone: tzinfo) -> Window:
    """Intervals are counted from the beginning of 1970, weeks from the Monday before it,
    months and years from the year 0.
    """
    wall = _shown(now, zone)
    match unit:
        case CalendarUnit.MONTH | CalendarUnit.YEAR:
            months = interval * (1 if unit is CalendarUnit.MONTH else _MONTHS)
            guess = (wall.year * _MONTHS + wall.month - 1) // months

            def begin(index: int) -> datetime:
                return _midnight(on_anchor(0, index * months + 1, 1))

        case CalendarUnit.HOUR | CalendarUnit.DAY | CalendarUnit.WEEK:
            origin = _EPOCH_MONDAY if unit is CalendarUnit.WEEK else _EPOCH
            length = _LENGTHS[unit] * interval
            guess = (wall - origin) // length

            def begin(index: int) -> datetime:
                return origin + index * length

        case _:
            assert_never(unit)
    index = _containing(begin, guess, now, zone)
    return _until(first_moment(begin(index), zone), first_moment(begin(index + 1), zone))


def _fixed(
    unit: CalendarUnit, interval: int, activated: datetime, now: datetime, zone: tzinfo
) -> Window:
    anchor, wall = _shown(activated, zone), _shown(now, zone)
    match unit:
        case CalendarUnit.HOUR:
            length = _LENGTHS[unit] * interval
            begins = activated + max(0, (now - activated) // length) * length
            return _until(begins, begins + length)
        case CalendarUnit.DAY | CalendarUnit.WEEK:
            length = _LENGTHS[unit] * interval
            guess = (wall - anchor) // length

            def begin(index: int) -> datetime:
                return anchor + index * length

        case CalendarUnit.MONTH | CalendarUnit.YEAR:
            months = interval * (1 if unit is CalendarUnit.MONTH else _MONTHS)
            passed = (wall.year - anchor.year) * _MONTHS + wall.month - anchor.month
            guess = passed // months

            def begin(index: int) -> datetime:
                day = on_anchor(anchor.year, anchor.month + index * months, anchor.day)
                return datetime.combine(day, anchor.time())

        case _:
            assert_never(unit)
    index = max(0, _containing(begin, guess, now, zone))
    begins = activated if index == 0 else first_moment(begin(index), zone)
    return _until(begins, first_moment(begin(index + 1), zone))


def _containing(
    begin: Callable[[int], datetime], guess: int, now: datetime, zone: tzinfo
) -> int:
    """The number of the interval that contains `now`, near a guess."""
    index = guess
    while first_moment(begin(index), zone) > now:
        index -= 1
    while first_moment(begin(index + 1), zone) <= now:
        index += 1
    return index


def _back(unit: CalendarUnit, interval: int, now: datetime, zone: tzinfo) -> datetime:
    """One interval ago.

    Months ago is the same day of the month, as late in it as now; where that month has no such
    day, the end of it. So it never moves backwards while time passes.
    """
    if unit not in (CalendarUnit.MONTH, CalendarUnit.YEAR):
        return now - _LENGTHS[unit] * interval
    today = _shown(now, zone).date()
    months = interval * (1 if unit is CalendarUnit.MONTH else _MONTHS)
    day = on_anchor(today.year, today.month - months, today.day)
    next_day = day_begins(day + timedelta(days=1), zone)
    if day.day < today.day:
        return next_day
    return min(day_begins(day, zone) + (now - day_begins(today, zone)), next_day)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - what clocks show
