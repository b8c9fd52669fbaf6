"""Periods are whole days counted from an anchor: they touch, never overlap, and come back."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.periods import (
    Cadence,
    Period,
    boundary,
    end_of_cycles,
    full_period,
    index_containing,
    on_anchor,
    period,
    priced_days,
    shortest,
)
from tests.cases.golden import case, row_id, rows
from tests.domain.samples import periods

DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2100, 1, 1))
ANCHORS = st.integers(1, 31)
CADENCES = st.sampled_from(Cadence)


def _cadence(row: dict[str, Any]) -> Cadence:
    return Cadence(row["cadence"].upper())


def _span(row: dict[str, Any]) -> Period:
    return Period(
        date.fromisoformat(row["expected_start"]), date.fromisoformat(row["expected_end"])
    )


@pytest.mark.parametrize("row", rows("PER-01"), ids=row_id)
def test_golden_advance_periods(row: dict[str, Any]) -> None:
    """A first period ends on the next anchor day, a later one a cadence after its start."""
    start = date.fromisoformat(row["invoice_date"])
    one = period(start, row["billing_day_anchor"], _cadence(row), 0)
    assert one is not None
    assert one.billed == _span(row)


@pytest.mark.parametrize("row", rows("PER-03"), ids=row_id)
def test_golden_elapsed_cycles(row: dict[str, Any]) -> None:
    """A cycle is complete on its end day, and a first stub counts as one."""
    elapsed = index_containing(
        date.fromisoformat(row["billing_start"]),
        row["billing_day_anchor"],
        _cadence(row),
        date.fromisoformat(row["target"]),
    )
    assert elapsed == row["expected_elapsed_cycles"]


@pytest.mark.parametrize("row", rows("PER-04"), ids=row_id)
def test_golden_containing_periods(row: dict[str, Any]) -> None:
    """Each day lies in one period; a day before the start belongs to the first."""
    start, anchor = date.fromisoformat(row["billing_start"]), row["billing_day_anchor"]
    index = index_containing(start, anchor, _cadence(row), date.fromisoformat(row["target"]))
    one = period(start, anchor, _cadence(row), index)
    assert one is not None
    assert one.billed == _span(row)


@pytest.mark.parametrize("case_id", ["PER-06", "PER-08"])
def test_golden_stubs(case_id: str) -> None:
    """A first period off its anchor is billed by the days of the full period it ends."""
    given_, expected = case(case_id)["input"], case(case_id)["expected"]
    one = period(
        date.fromisoformat(given_["billing_start_date"]),
        given_["billing_day_anchor"],
        Cadence(given_["component_cadence"].upper()),
        given_["cycle_index"],
    )
    assert one is not None
    assert [one.billed.start.isoformat(), one.billed.end.isoformat()] == expected[
        "advance_period"
    ]
    assert one.fraction == Fraction(expected["proration_factor"])
    full = case(case_id)["derived"]["reference_full_period"]
    assert [one.full.start.isoformat(), one.full.end.isoformat()] == full


@pytest.mark.parametrize("case_id", ["PER-09"])
def test_golden_later_periods_are_whole(case_id: str) -> None:
    """PER-09: a period after the first is never prorated."""
    assert case(case_id)["expected"]["proration_factor"] is None
    one = period(date(2025, 10, 8), 1, Cadence.QUARTERLY, 1)
    assert one is not None
    assert one.billed == one.full == Period(date(2026, 1, 1), date(2026, 4, 1))
    assert one.fraction == 1


@given(DAYS, ANCHORS, CADENCES)
def test_periods_touch_and_never_overlap(start: date, anchor: int, cadence: Cadence) -> None:
    """Every day from the start on is covered exactly once."""
    spans = [one.billed for one in islice(periods(start, anchor, cadence), 20)]
    assert spans[0].start == start
    for before, after in pairwise(spans):
        assert before.end == after.start


@given(DAYS, ANCHORS, CADENCES)
def test_only_the_first_period_can_be_short(start: date, anchor: int, cadence: Cadence) -> None:
    """Uncut periods after the first are full, on the anchor, a cadence apart."""
    first, *later = islice(periods(start, anchor, cadence), 12)
    assert 0 < first.fraction <= 1
    assert first.billed.end == first.full.end
    for one in later:
        assert one.fraction == 1
        assert one.billed.start == on_anchor(
            one.billed.start.year, one.billed.start.month, anchor
        )
        months = (one.full.end.year - one.full.start.year) * 12
        months += one.full.end.month - one.full.start.month
        assert months == cadence.months


@given(DAYS, CADENCES)
def test_the_31st_returns(start: date, cadence: Cadence) -> None:
    """An anchor on the 31st is the last day of every month, short months included."""
    for index in range(15):
        end = boundary(start, 31, cadence, index)
        assert (end + timedelta(days=1)).day == 1


def test_a_year_anchored_on_the_31st() -> None:
    """February does not pull later boundaries down with it."""
    ends = [boundary(date(2024, 1, 31), 31, Cadence.MONTHLY, index) for index in range(4)]
    assert [end.isoformat() for end in ends] == [
        "2024-02-29",
        "2024-03-31",
        "2024-04-30",
        "2024-05-31",
    ]


@given(DAYS, ANCHORS, CADENCES, st.integers(0, 5000))
def test_the_containing_period_contains_the_day(
    start: date, anchor: int, cadence: Cadence, after: int
) -> None:
    """The period found for a day holds that day."""
    day = start + timedelta(days=after)
    one = period(start, anchor, cadence, index_containing(start, anchor, cadence, day))
    assert one is not None
    assert one.billed.start <= day < one.billed.end


@given(DAYS, ANCHORS, CADENCES, st.integers(1, 1500))
def test_an_end_cuts_exactly_one_period(
    start: date, anchor: int, cadence: Cadence, after: int
) -> None:
    """Up to the end every day is billed, and only the last period may be cut."""
    cut = start + timedelta(days=after)
    spans = list(periods(start, anchor, cadence, cut))
    assert sum(one.billed.days for one in spans) == after
    assert spans[-1].billed.end == cut
    assert all(one.billed.end == one.full.end for one in spans[:-1])
    assert period(start, anchor, cadence, len(spans), cut) is None


def test_one_fraction_for_a_stub_that_is_cut() -> None:
    """10-08 to 11-01 of the quarter that ends 01-01: 24 of 92 days."""
    one = period(date(2025, 10, 8), 1, Cadence.QUARTERLY, 0, date(2025, 11, 1))
    assert one is not None
    assert one.fraction == Fraction(24, 92)


def test_an_end_before_the_start_leaves_nothing() -> None:
    """A subscription that ends on its first day has no period."""
    start = date(2024, 5, 1)
    assert period(start, 1, Cadence.MONTHLY, 0, start) is None
    assert list(periods(start, 1, Cadence.MONTHLY, start)) == []


@given(DAYS, ANCHORS, CADENCES, st.integers(1, 24))
def test_cycles_count_full_periods(
    start: date, anchor: int, cadence: Cadence, cycles: int
) -> None:
    """N billing cycles end after N full periods; a first stub comes on top."""
    end = end_of_cycles(start, anchor, cadence, cycles)
    spans = list(periods(start, anchor, cadence, end))
    assert sum(one.fraction == 1 for one in spans) == cycles
    assert len(spans) - cycles in (0, 1)
    assert spans[-1].billed.end == spans[-1].full.end == end


def test_a_stub_is_not_a_cycle() -> None:
    """Two monthly cycles from the 10th, anchored on the 15th, end two months after the stub."""
    assert end_of_cycles(date(2024, 1, 10), 15, Cadence.MONTHLY, 2) == date(2024, 3, 15)
    assert end_of_cycles(date(2024, 1, 15), 15, Cadence.MONTHLY, 2) == date(2024, 3, 15)


@given(DAYS, ANCHORS, CADENCES, st.integers(0, 12))
def test_a_full_period_lies_between_two_boundaries(
    start: date, anchor: int, cadence: Cadence, index: int
) -> None:
    """The full period of a stub begins on the anchor before the start."""
    whole = full_period(start, anchor, cadence, index)
    assert whole.end == boundary(start, anchor, cadence, index)
    assert whole.start <= start or index > 0


@given(DAYS, st.integers(1, 400))
def test_a_period_knows_its_days(start: date, days: int) -> None:
    """The end is the first day not covered."""
    span = Period(start, start + timedelta(days=days))
    assert span.days == days
    assert span.last_day == start + timedelta(days=days - 1)
    assert span.end == span.last_day + timedelta(days=1)


def test_an_empty_period_is_a_defect() -> None:
    """A period covers at least one day."""
    with pytest.raises(AssertionError):
        Period(date(2024, 1, 1), date(2024, 1, 1))


@given(st.integers(1990, 2100), st.integers(-30, 40), ANCHORS)
def test_months_wrap_around_years(year: int, month: int, anchor: int) -> None:
    """Month 13 is January of the next year, month 0 December of the year before."""
    day = on_anchor(year, month, anchor)
    assert (day.year * 12 + day.month) == (year * 12 + month)
    assert day.day == anchor or (day.day < anchor and (day + timedelta(days=1)).day == 1)


def test_the_shortest_cadence_leads() -> None:
    """A subscription bills as often as its most frequent fee, monthly where it has none."""
    assert shortest([Cadence.ANNUAL, Cadence.QUARTERLY]) is Cadence.QUARTERLY
    assert shortest([Cadence.SEMIANNUAL]) is Cadence.SEMIANNUAL
    assert shortest([]) is Cadence.MONTHLY


@pytest.mark.parametrize(
    ("cadence", "days", "priced"),
    [
        (Cadence.MONTHLY, 28, 28),
        (Cadence.MONTHLY, 31, 31),
        (Cadence.MONTHLY, 23, 23),
        (Cadence.MONTHLY, 22, 30),
        (Cadence.MONTHLY, 37, 37),
        (Cadence.MONTHLY, 38, 30),
        (Cadence.MONTHLY, 365, 30),
        (Cadence.QUARTERLY, 92, 92),
        (Cadence.QUARTERLY, 31, 91),
        (Cadence.SEMIANNUAL, 184, 184),
        (Cadence.SEMIANNUAL, 365, 182),
        (Cadence.ANNUAL, 366, 366),
        (Cadence.ANNUAL, 31, 365),
    ],
)
def test_what_a_price_is_for(cadence: Cadence, days: int, priced: int) -> None:
    """The days of its own period, nominal ones where it is a quarter longer or shorter."""
    assert priced_days(cadence, days) == priced
