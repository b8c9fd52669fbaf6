"""When a metered allowance begins anew.

The kinds are the reference's, and mean what its SDK says about them. Where a window begins and
ends is said by `usage_window`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

INTERVAL_MAX = 1000
"""Units in one interval at most: a thousand years are enough for everybody."""


class CalendarUnit(StrEnum):
    """What an interval counts in."""

    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingCycle:
    """Each time the subscription renews."""

    type: Literal["BILLING_CYCLE"] = "BILLING_CYCLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """On boundaries of the calendar, whenever the subscription began."""

    unit: CalendarUnit
    interval: int
    type: Literal["CALENDAR"] = "CALENDAR"


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedWindow:
    """At regular intervals, counted from the moment of the subscription's activation."""

    unit: CalendarUnit
    interval: int
    type: Literal["FIXED_WINDOW"] = "FIXED_WINDOW"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlidingWindow:
    """Never at once: the window ends now, and what is older than the interval drops out."""

    unit: CalendarUnit
    interval: int
    type: Literal["SLIDING_WINDOW"] = "SLIDING_WINDOW"


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """Not at all: everything since the activation counts."""

    type: Literal["NEVER"] = "NEVER"


ResetPeriod = BillingCycle | Calendar | FixedWindow | SlidingWindow | Never
