"""When a subscription starts, is billed and ends."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.domain.offer import Offer
from tallystick.domain.periods import Cadence, Period
from tallystick.domain.schedule import (
    ScheduleNotice,
    closing_day,
    period_containing,
    schedule,
)
from tests.domain.offers import dates, offer, rate, trial
from tests.domain.samples import DAY

TODAY = date(2024, 1, 10)


def _at(**changes: object) -> Offer:
    terms: dict[str, object] = {"created_on": TODAY, **changes}
    return offer(rate("10"), **terms)


def test_without_dates_it_begins_today() -> None:
    """No start given: the day of confirmation is start, first billed day and anchor."""
    made = dates(_at(), TODAY)
    assert (made.start, made.billing_start, made.anchor) == (TODAY, TODAY, 10)
    assert (made.trial_end, made.end, made.trial_days, made.notices) == (None, None, None, ())
    assert made.bills_today
    assert not made.starts_later
    assert not made.in_free_trial
    assert not made.is_over


def test_free_trial_moves_the_first_billed_day() -> None:
    """Two free weeks from January 10: billed from the 24th, anchored there."""
    made = dates(_at(trial=trial(14)), TODAY)
    end = date(2024, 1, 24)
    assert (made.start, made.billing_start, made.trial_end) == (TODAY, end, end)
    assert (made.anchor, made.trial_days, made.trial_is_free) == (24, 14, True)
    assert made.in_free_trial
    assert not made.bills_today


def test_free_trial_keeps_a_given_anchor() -> None:
    """The plan or the request fixes the anchor, whatever day the trial ends."""
    assert dates(_at(trial=trial(14), anchor=1), TODAY).anchor == 1


def test_paid_trial_bills_from_the_first_day() -> None:
    """A trial that is not free moves nothing."""
    made = dates(_at(trial=trial(7, is_free=False)), TODAY)
    assert (made.billing_start, made.trial_end) == (TODAY, date(2024, 1, 17))
    assert made.anchor == 10
    assert not made.trial_is_free
    assert not made.in_free_trial
    assert made.bills_today


def test_trial_of_the_plan_is_granted_once() -> None:
    """A customer who has had the plan's own trial gets none, and is told so."""
    own = trial(14, once_per_customer=True)
    made = dates(_at(trial=own), TODAY, trial_used=True)
    assert (made.trial_end, made.trial_days, made.billing_start) == (None, None, TODAY)
    assert not made.trial_is_free
    assert made.notices == (ScheduleNotice.TRIAL_ALREADY_USED,)
    fresh = dates(_at(trial=own), TODAY)
    assert fresh.trial_end == date(2024, 1, 24)


def test_trial_of_the_request_is_always_granted() -> None:
    """A trial that the merchant names is given whatever was used before."""
    made = dates(_at(trial=trial(14)), TODAY, trial_used=True)
    assert made.trial_end == date(2024, 1, 24)
    assert made.notices == ()


@pytest.mark.parametrize(
    ("today", "over"),
    [(date(2024, 1, 14), False), (date(2024, 1, 15), True), (date(2024, 3, 1), True)],
)
def test_free_trial_that_would_be_over_is_none(today: date, over: bool) -> None:
    """On the trial's last day it still runs; from its end on, that day is the first billed."""
    made = dates(_at(start_date=date(2024, 1, 1), trial=trial(14)), today)
    assert made.start == date(2024, 1, 1)
    if over:
        assert (made.billing_start, made.anchor, made.trial_end) == (today, today.day, None)
        assert made.notices == (ScheduleNotice.TRIAL_ALREADY_OVER,)
        assert not made.trial_is_free
    else:
        assert (made.billing_start, made.notices) == (date(2024, 1, 15), ())
        assert made.in_free_trial


@pytest.mark.parametrize("today", [date(2023, 12, 8), TODAY])
def test_paid_trial_that_is_over_is_kept(today: date) -> None:
    """Every day since the start was billed anyway: the trial was had, and nothing is told."""
    past = _at(start_date=date(2023, 12, 1), trial=trial(7, is_free=False))
    made = dates(replace(past, created_on=today), today)
    assert (made.billing_start, made.anchor) == (date(2023, 12, 1), 1)
    assert (made.trial_end, made.trial_days) == (date(2023, 12, 8), 7)
    assert (made.trial_is_free, made.in_free_trial, made.notices) == (False, False, ())


def test_start_that_became_past_moves_to_today() -> None:
    """Promised for January 12, confirmed on the 20th: it begins on the 20th, trial included."""
    made = dates(_at(start_date=date(2024, 1, 12), trial=trial(5)), date(2024, 1, 20))
    assert (made.start, made.billing_start) == (date(2024, 1, 20), date(2024, 1, 25))
    assert made.notices == (ScheduleNotice.START_MOVED_TO_TODAY,)


def test_start_on_the_day_of_creation_moves_as_well() -> None:
    """That day was not past when the session was created."""
    made = dates(_at(start_date=TODAY), date(2024, 1, 11))
    assert made.start == date(2024, 1, 11)
    assert made.notices == (ScheduleNotice.START_MOVED_TO_TODAY,)
    assert dates(_at(start_date=TODAY), TODAY).notices == ()


def test_start_that_was_past_already_stays() -> None:
    """A backdated start is what was promised."""
    made = dates(_at(start_date=date(2023, 11, 30)), date(2024, 1, 20))
    assert (made.start, made.billing_start) == (date(2023, 11, 30), date(2023, 11, 30))
    assert (made.anchor, made.notices) == (30, ())


def test_future_start() -> None:
    """Until it begins nothing is billed, and it is no trial yet."""
    made = dates(_at(start_date=date(2024, 2, 1), trial=trial(7)), TODAY)
    assert made.starts_later
    assert not made.in_free_trial
    assert not made.bills_today
    assert made.billing_start == date(2024, 2, 8)


@pytest.mark.parametrize(
    ("cycles", "cadence", "anchor", "end"),
    [
        (1, Cadence.MONTHLY, None, date(2024, 2, 10)),
        (3, Cadence.MONTHLY, None, date(2024, 4, 10)),
        (3, Cadence.MONTHLY, 15, date(2024, 4, 15)),
        (2, Cadence.QUARTERLY, 1, date(2024, 10, 1)),
        (1, Cadence.ANNUAL, None, date(2025, 1, 10)),
    ],
)
def test_billing_cycles_count_full_periods(
    cycles: int, cadence: Cadence, anchor: int | None, end: date
) -> None:
    """It ends after so many full periods; a first stub is not one of them."""
    made = offer(rate("10", cadence), billing_cycles=cycles, anchor=anchor)
    assert dates(made, TODAY).end == end


def test_end_date_goes_before_billing_cycles() -> None:
    """A day that the request names is the end."""
    made = dates(_at(billing_cycles=12, end_date=date(2024, 2, 1)), TODAY)
    assert made.end == date(2024, 2, 1)


@pytest.mark.parametrize(("end", "over"), [(10, True), (11, False)])
def test_an_end_on_the_first_billed_day_bills_nothing(end: int, over: bool) -> None:
    """The end is the first day not covered."""
    assert dates(_at(end_date=date(2024, 1, end)), TODAY).is_over is over


def test_periods_are_cut_at_the_end() -> None:
    """The period that contains a day, with its end where the subscription ends."""
    made = _at(end_date=date(2024, 3, 1))
    known = dates(made, TODAY)
    first, second = (
        Period(TODAY, date(2024, 2, 10)),
        Period(date(2024, 2, 10), date(2024, 3, 1)),
    )
    assert period_containing(made, known, TODAY) == first
    assert period_containing(made, known, date(2024, 2, 9)) == first
    assert period_containing(made, known, date(2024, 2, 10)) == second
    assert period_containing(made, known, date(2024, 2, 29)) == second


@settings(max_examples=60)
@given(
    offset=st.integers(-400, 400),
    created=st.integers(-30, 0),
    days=st.integers(0, 60),
    is_free=st.booleans(),
    trial_used=st.booleans(),
    anchor=st.none() | st.integers(1, 31),
)
def test_dates_are_in_order(
    offset: int, created: int, days: int, is_free: bool, trial_used: bool, anchor: int | None
) -> None:
    """Start, first billed day and today always stand in one of three ways to each other."""
    made = offer(
        rate("10"),
        created_on=TODAY + timedelta(days=created),
        start_date=TODAY + timedelta(days=offset),
        trial=trial(days, is_free=is_free, once_per_customer=True),
        anchor=anchor,
    )
    known = schedule(made, TODAY, trial_used=trial_used)
    assert known.start <= known.billing_start
    assert [known.starts_later, known.in_free_trial, known.bills_today].count(True) <= 2
    assert known.bills_today == (known.billing_start <= TODAY)
    assert known.anchor == (anchor if anchor is not None else known.billing_start.day)
    if known.in_free_trial:
        assert known.trial_end == known.billing_start
    if known.start < TODAY:
        assert made.start_date is not None
        assert made.start_date < made.created_on


@settings(max_examples=60)
@given(
    end=st.integers(1, 80),
    start=st.none() | st.integers(-60, 60),
    days=st.integers(0, 40),
    is_free=st.booleans(),
    later=st.integers(0, 120),
)
def test_closing_day_is_the_first_day_without_a_billed_day(
    end: int, start: int | None, days: int, is_free: bool, later: int
) -> None:
    """Before it a confirmation bills at least a day, from it on none."""
    made = offer(
        rate("10"),
        start_date=None if start is None else DAY + timedelta(days=start),
        end_date=DAY + timedelta(days=end),
        trial=trial(days, is_free=is_free) if days else None,
    )
    if dates(made, DAY).is_over:
        return
    day = DAY + timedelta(days=later)
    closes = closing_day(made, trial_used=False)
    assert dates(made, day).is_over == (closes is not None and day >= closes)


def test_without_an_end_it_never_closes() -> None:
    """Nothing closes an offer that goes on."""
    assert closing_day(_at(), trial_used=False) is None


def test_a_trial_that_is_used_up_does_not_close_an_offer_early() -> None:
    """A customer who has had the plan's trial can confirm until the day before the end."""
    made = replace(
        _at(), end_date=DAY + timedelta(days=9), trial=trial(14, once_per_customer=True)
    )
    assert closing_day(made, trial_used=True) == DAY + timedelta(days=9)
    assert closing_day(made, trial_used=False) == DAY - timedelta(days=5)
