"""When a subscription starts, is billed and ends, given its offer and the day of confirmation.

Rules of money and time, sections 3 and 4: a free trial moves the first billed day to its end;
a free trial that would be over on the day of confirmation is none, a paid one was had; a start
that has become past since the session was created moves to the day of confirmation; a start
that was past already stays.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from tallystick.domain.offer import Offer
from tallystick.domain.periods import (
    Period,
    boundary,
    end_of_cycles,
    index_containing,
)
from tallystick.domain.terms import Terms


class ScheduleNotice(StrEnum):
    """What the buyer should know about the dates."""

    START_MOVED_TO_TODAY = "START_MOVED_TO_TODAY"
    TRIAL_ALREADY_USED = "TRIAL_ALREADY_USED"
    TRIAL_ALREADY_OVER = "TRIAL_ALREADY_OVER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The dates of a subscription confirmed on `today`.

    `start` is where the subscription, trial included, begins; `billing_start` the first
    billed day. `trial_end` is the first day after the trial, free or paid, or None. `end` is
    the first day not covered. `anchor` is the day of the month on which periods begin, and
    `counted_from` the day from which they count where their length has changed. The end of a
    paid trial may be past.
    """

    today: date
    start: date
    billing_start: date
    anchor: int
    trial_end: date | None
    trial_is_free: bool
    trial_days: int | None
    end: date | None
    notices: tuple[ScheduleNotice, ...] = ()
    counted_from: date | None = None

    @property
    def periods_from(self) -> date:
        """The day from which the subscription's own periods count."""
        return self.billing_start if self.counted_from is None else self.counted_from

    @property
    def starts_later(self) -> bool:
        """Whether the subscription begins after today."""
        return self.start > self.today

    @property
    def bills_today(self) -> bool:
        """Whether the first billed day has come: something may be due today."""
        return self.billing_start <= self.today

    @property
    def in_free_trial(self) -> bool:
        """Whether today is a day of the free trial."""
        return self.start <= self.today < self.billing_start

    @property
    def coming_trial_end(self) -> date | None:
        """The first day after the trial where that is still to come, and is not past the last
        day of the subscription.
        """
        day = self.trial_end
        if day is None or day <= self.today or (self.end is not None and day >= self.end):
            return None
        return day

    @property
    def is_over(self) -> bool:
        """Whether no day would be billed: the end is not after the first billed day."""
        return self.end is not None and self.end <= self.billing_start


def schedule(offer: Offer, today: date, *, trial_used: bool) -> Schedule:
    """The dates of `offer` when it is confirmed on `today`.

    `trial_used` says that the customer has had this plan's own trial before.
    """
    notices: list[ScheduleNotice] = []
    start = offer.start_date or today
    if start < today and offer.start_date is not None and start >= offer.created_on:
        start = today
        notices.append(ScheduleNotice.START_MOVED_TO_TODAY)

    trial = offer.trial
    if trial is not None and trial.once_per_customer and trial_used:
        trial = None
        notices.append(ScheduleNotice.TRIAL_ALREADY_USED)
    trial_end = None if trial is None or trial.days == 0 else start + timedelta(days=trial.days)
    is_free = trial is not None and trial.is_free
    billing_start = start
    if trial_end is not None and is_free:
        billing_start = max(trial_end, today)
        if trial_end <= today:
            notices.append(ScheduleNotice.TRIAL_ALREADY_OVER)
            trial_end = None

    anchor = offer.anchor if offer.anchor is not None else billing_start.day
    end = offer.end_date
    if end is None and offer.billing_cycles is not None:
        end = end_of_cycles(billing_start, anchor, offer.cadence, offer.billing_cycles)
    return Schedule(
        today=today,
        start=start,
        billing_start=billing_start,
        anchor=anchor,
        trial_end=trial_end,
        trial_is_free=is_free and trial_end is not None,
        trial_days=None if trial_end is None or trial is None else trial.days,
        end=end,
        notices=tuple(notices),
    )


def closing_day(offer: Offer, *, trial_used: bool) -> date | None:
    """The first day on which confirming `offer` would not bill a single day any more.

    None where that never happens: without an end, or with a start that was past already when
    the session was created.
    """
    if offer.end_date is None:
        return None
    trial = offer.trial
    if trial is not None and trial.once_per_customer and trial_used:
        trial = None
    free_days = trial.days if trial is not None and trial.is_free else 0
    if offer.start_date is not None and offer.start_date < offer.created_on:
        return offer.end_date if free_days else None
    return offer.end_date - timedelta(days=free_days)


def period_containing(offer: Terms, dates: Schedule, day: date) -> Period:
    """The subscription's own period that contains `day`, cut at its end."""
    start = dates.periods_from
    index = index_containing(start, dates.anchor, offer.cadence, day)
    end = boundary(start, dates.anchor, offer.cadence, index)
    begin = start if index == 0 else boundary(start, dates.anchor, offer.cadence, index - 1)
    return Period(begin, end if dates.end is None else min(end, dates.end))


def last_living_day(dates: Schedule, day: date) -> date:
    """`day`, or the last day of the subscription where that comes first."""
    return day if dates.end is None else min(day, dates.end - timedelta(days=1))
