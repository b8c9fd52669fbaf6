"""What falls due when: every advance, arrears and one-time charge, once."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.domain.charges import Charge, Item
from tallystick.domain.offer import Offer
from tallystick.domain.owed import meters_close, owed
from tallystick.domain.periods import Cadence
from tests.cases.golden import case
from tests.domain.offers import (
    arrears,
    capacity,
    dates,
    golden_offer,
    offer,
    once,
    rate,
    recurring,
    seats,
    trial,
    usage,
)
from tests.domain.samples import DAY

BOUNDARIES = [date(2024, month, 1) for month in range(2, 6)]


def _owed(made: Offer, until: date, after: date | None = None) -> tuple[Charge, ...]:
    return owed(made, dates(made, DAY), until=until, after=after)


def _figures(charges: Iterable[Charge]) -> list[tuple[str, int, date, date]]:
    return [(one.name, one.amount, one.start, one.end) for one in charges]


def _amounts(charges: Iterable[Charge]) -> list[int]:
    return [one.amount for one in charges]


def test_advance_fees_are_owed_when_their_period_begins() -> None:
    """On the first day one period, on the last day of it still one, on its end two."""
    made = offer(rate("35"))
    first = ("Rate", 3500, date(2024, 1, 1), date(2024, 2, 1))
    second = ("Rate", 3500, date(2024, 2, 1), date(2024, 3, 1))
    assert _figures(_owed(made, DAY)) == [first]
    assert _figures(_owed(made, date(2024, 1, 31))) == [first]
    assert _figures(_owed(made, date(2024, 2, 1))) == [first, second]
    assert _owed(made, DAY - timedelta(days=1)) == ()


def test_arrears_are_owed_when_their_window_ends() -> None:
    """Nothing on the first day, the first window at its end, a stub's window in full."""
    made = offer(arrears("15", quantity=2), anchor=15)
    stub = ("MONTHLY ARREARS", 3000, date(2024, 1, 1), date(2024, 1, 15))
    assert _owed(made, date(2024, 1, 14)) == ()
    assert _figures(_owed(made, date(2024, 1, 15))) == [stub]


def test_arrears_are_owed_at_the_end_of_the_subscription() -> None:
    """The last window ends where the subscription does, and bears the whole fee."""
    made = offer(arrears("15"), end_date=date(2024, 2, 10))
    assert _figures(_owed(made, date(2025, 1, 1))) == [
        ("MONTHLY ARREARS", 1500, date(2024, 1, 1), date(2024, 2, 1)),
        ("MONTHLY ARREARS", 1500, date(2024, 2, 1), date(2024, 2, 10)),
    ]
    assert len(_owed(made, date(2024, 2, 9))) == 1


def test_one_time_fees_are_owed_on_the_first_billed_day() -> None:
    """Once, on the day itself, after the recurring lines, whatever their cadence says."""
    made = offer(once("200"), rate("10"), trial=trial(14))
    first = date(2024, 1, 15)
    assert _owed(made, date(2024, 1, 14)) == ()
    assert _figures(_owed(made, first)) == [
        ("Rate", 1000, first, date(2024, 2, 15)),
        ("Setup", 20000, first, first),
    ]
    assert _amounts(_owed(made, date(2024, 2, 15), after=first)) == [1000]


def test_an_offer_without_a_billed_day_owes_nothing() -> None:
    """An end on the first billed day leaves no day, and no one-time fee either."""
    made = offer(rate("10"), once("200"), end_date=DAY)
    assert dates(made, DAY).is_over
    assert _owed(made, date(2025, 1, 1)) == ()


def test_usage_has_no_fixed_part() -> None:
    """Metered usage adds no charge; a capacity only its base."""
    made = offer(usage(), capacity("50"))
    assert _figures(_owed(made, DAY)) == [("Capacity", 5000, DAY, date(2024, 2, 1))]


def test_stub_prorates_all_but_the_capacity() -> None:
    """January 17 to 31 is 15 of 31 days; a base with its allowance is charged in full."""
    made = offer(rate("31"), seats("10", 3), recurring("6.20"), capacity("50"), anchor=1)
    known = dates(made, date(2024, 1, 17))
    charges = owed(made, known, until=date(2024, 1, 17))
    assert [(one.name, one.amount, one.is_prorated) for one in charges] == [
        ("Rate", 1500, True),
        ("Seats", 1452, True),
        ("MONTHLY ADVANCE", 300, True),
        ("Capacity", 5000, False),
    ]
    assert {one.end for one in charges} == {date(2024, 2, 1)}


def test_cut_prorates_all_but_the_capacity() -> None:
    """February 1 to 10 is 9 of 29 days in a leap year."""
    made = offer(rate("29"), capacity("50"), end_date=date(2024, 2, 10))
    assert _amounts(_owed(made, date(2024, 2, 1), after=DAY)) == [900, 5000]


def test_stub_that_is_cut_has_one_fraction() -> None:
    """January 10 to 20 of a month that runs to the 31st: 10 of 31 days."""
    made = offer(rate("31"), anchor=1, end_date=date(2024, 1, 20))
    known = dates(made, date(2024, 1, 10))
    (only,) = owed(made, known, until=date(2025, 1, 1))
    assert (only.amount, only.start, only.end) == (1000, date(2024, 1, 10), date(2024, 1, 20))


def test_longer_cadence_is_billed_when_its_own_period_begins() -> None:
    """An annual fee beside a monthly one: on the first day, then a year later."""
    made = offer(rate("10"), rate("120", Cadence.ANNUAL, "Annual"))
    assert _amounts(_owed(made, DAY)) == [1000, 12000]
    assert _amounts(_owed(made, date(2024, 2, 1), after=DAY)) == [1000]
    assert _amounts(_owed(made, date(2025, 1, 1), after=date(2024, 12, 1))) == [1000, 12000]


def test_stub_of_a_longer_cadence_is_billed_too() -> None:
    """From December 17, anchored on the 1st: 15 of 31 and 350 of 366 days, no gap."""
    made = offer(
        rate("31"),
        rate("366", Cadence.ANNUAL, "Annual"),
        start_date=date(2023, 12, 17),
        created_on=date(2023, 12, 17),
        anchor=1,
    )
    known = dates(made, date(2023, 12, 17))
    charges = owed(made, known, until=date(2023, 12, 17))
    assert _figures(charges) == [
        ("Rate", 1500, date(2023, 12, 17), date(2024, 1, 1)),
        ("Annual", 35000, date(2023, 12, 17), date(2024, 12, 1)),
    ]
    (later,) = owed(made, known, until=date(2024, 12, 1), after=date(2024, 11, 30))[1:]
    assert (later.amount, later.end) == (36600, date(2025, 12, 1))


def test_lines_read_from_the_oldest_period_to_the_newest() -> None:
    """Over elapsed periods: by period, then as listed, one-time fees last."""
    made = offer(arrears("5"), once("1"), rate("10"))
    assert [(one.name, one.start.month) for one in _owed(made, date(2024, 3, 1))] == [
        ("MONTHLY ARREARS", 1),
        ("Rate", 1),
        ("MONTHLY ARREARS", 2),
        ("Rate", 2),
        ("Rate", 3),
        ("Setup", 1),
    ]


@pytest.mark.parametrize(
    ("start", "anchor", "ends"),
    [
        ((2024, 1, 31), None, [(2024, 2, 29), (2024, 3, 31), (2024, 4, 30), (2024, 5, 31)]),
        ((2023, 1, 30), None, [(2023, 2, 28), (2023, 3, 30), (2023, 4, 30), (2023, 5, 30)]),
        ((2024, 1, 29), None, [(2024, 2, 29), (2024, 3, 29), (2024, 4, 29), (2024, 5, 29)]),
        ((2023, 1, 29), None, [(2023, 2, 28), (2023, 3, 29), (2023, 4, 29), (2023, 5, 29)]),
        ((2023, 12, 31), None, [(2024, 1, 31), (2024, 2, 29), (2024, 3, 31), (2024, 4, 30)]),
        ((2024, 2, 29), 31, [(2024, 3, 31), (2024, 4, 30), (2024, 5, 31), (2024, 6, 30)]),
    ],
)
def test_boundaries_return_to_the_anchor(
    start: tuple[int, int, int], anchor: int | None, ends: list[tuple[int, int, int]]
) -> None:
    """Anchors 29, 30 and 31 fall on the last day of shorter months, and come back."""
    first = date(*start)
    made = offer(rate("35"), created_on=first, anchor=anchor)
    charges = owed(made, dates(made, first), until=date(*ends[2]))
    assert [one.end for one in charges] == [date(*end) for end in ends]
    assert _amounts(charges) == [3500] * 4


# Golden stories: the invoices of the boundaries, as far as they have a fixed part.


def _invoices(made: Offer, start: date, *later: date) -> list[int]:
    known = dates(made, start)
    days = [None, start, *later]
    return [
        sum(_amounts(owed(made, known, until=day, after=before)))
        for before, day in pairwise(days)
        if day is not None
    ]


@pytest.mark.parametrize(
    ("case_id", "start", "later"),
    [
        ("SUB-01", date(2024, 1, 31), [date(2024, 2, 29), date(2024, 3, 31)]),
        ("SUB-03", date(2025, 10, 8), [date(2026, 1, 1)]),
        ("TRI-01", date(2024, 1, 1), [date(2024, 1, 15)]),
        ("TRI-04", date(2024, 1, 1), [date(2024, 1, 8), date(2024, 2, 1)]),
        ("TRI-06", date(2024, 1, 1), BOUNDARIES),
        ("TRI-08", date(2024, 1, 1), BOUNDARIES),
        ("PCH-11", date(2025, 1, 1), [date(2025, 2, 1)]),
        ("PCH-13", date(2025, 1, 1), [date(2025, 2, 1)]),
    ],
)
def test_golden_invoices(case_id: str, start: date, later: list[date]) -> None:
    """The case's invoices, in their order, and none between them."""
    golden = case(case_id)
    expected = [
        one["total"] if "total" in one else golden["derived"]["invoices"][one["index"]]["total"]
        for one in golden["expected"].get("invoices", [])
    ]
    totals = [amount for amount in _invoices(golden_offer(case_id), start, *later) if amount]
    assert totals == expected[: len(later) + 1]
    assert len(totals) == min(len(expected), len(later) + 1)


@pytest.mark.parametrize(
    ("case_id", "start", "boundary", "cut"),
    [
        ("SUB-04", date(2024, 1, 31), date(2024, 2, 29), 1129),
        ("SUB-11", date(2024, 1, 1), date(2024, 2, 1), 1690),
    ],
)
def test_golden_end_date(case_id: str, start: date, boundary: date, cut: int) -> None:
    """The first period in full, the one that is cut by its days, then nothing."""
    golden = case(case_id, decided="here it is prorated")
    made = golden_offer(case_id, decided="here it is prorated")
    end = date.fromisoformat(golden["input"]["end_date"])
    assert _invoices(made, start, boundary, end, date(2026, 1, 1)) == [
        golden["expected"]["invoices"][0]["total"],
        cut,
        0,
        0,
    ]


# Metered windows.


def test_usage_closes_at_the_end_of_its_own_window() -> None:
    """Quarterly usage beside a monthly fee: in April, not in February."""
    made = offer(rate("10"), usage(cadence=Cadence.QUARTERLY))
    known = dates(made, DAY)
    closing = [day for day in [DAY, *BOUNDARIES] if meters_close(made, known, day)]
    assert closing == [date(2024, 4, 1)]


def test_usage_closes_where_the_subscription_ends() -> None:
    """The last window is cut there; nothing closes after it."""
    made = offer(usage(), end_date=date(2024, 2, 10))
    known = dates(made, DAY)
    days = [DAY + timedelta(days=count) for count in range(100)]
    assert [day for day in days if meters_close(made, known, day)] == [
        date(2024, 2, 1),
        date(2024, 2, 10),
    ]


@pytest.mark.parametrize(
    ("item", "closes"),
    [
        (usage("0.10"), True),
        (usage("0"), False),
        (capacity("50", "0.004"), True),
        (capacity("50", "0"), False),
        (rate("10"), False),
    ],
)
def test_only_what_can_cost_something_is_metered(item: Item, closes: bool) -> None:
    """Usage and overage at no price are never announced."""
    made = offer(item)
    assert meters_close(made, dates(made, DAY), date(2024, 2, 1)) is closes


# Properties.

ITEMS = [
    rate("31"),
    rate("90", Cadence.QUARTERLY, "Quarterly"),
    rate("365", Cadence.ANNUAL, "Annual"),
    seats("7.77", 3),
    capacity("50"),
    recurring("12.34", Cadence.SEMIANNUAL),
    arrears("5"),
    arrears("60", Cadence.QUARTERLY),
    once("200"),
    usage(),
]


CHOSEN = st.lists(st.sampled_from(ITEMS), min_size=1, max_size=4, unique=True)
STARTS = st.integers(-40, 400)
TRIAL_DAYS = st.integers(0, 40)
IS_FREE = st.booleans()
DAYS_TO_THE_END = st.none() | st.integers(1, 700)
ANCHORS = st.none() | st.integers(1, 31)
CYCLES = st.none() | st.integers(1, 8)


@st.composite
def offers(draw: st.DrawFn) -> Offer:
    """Offers of any items with any anchor, trial and end, begun in any part of a year."""
    items = draw(CHOSEN)
    start = DAY + timedelta(days=draw(STARTS))
    days = draw(TRIAL_DAYS)
    end = draw(DAYS_TO_THE_END)
    return offer(
        *items,
        created_on=start,
        start_date=start,
        anchor=draw(ANCHORS),
        trial=trial(days, is_free=draw(IS_FREE)) if days else None,
        end_date=None if end is None else start + timedelta(days=end),
        billing_cycles=draw(CYCLES),
    )


LATER = st.lists(st.integers(0, 800), min_size=3, max_size=3)


@settings(max_examples=50)
@given(made=offers(), days=LATER)
def test_owed_only_grows_and_can_be_split_anywhere(made: Offer, days: list[int]) -> None:
    """Later days keep what was owed; (a, b] and (b, c] are (a, c]; again bills nothing."""
    assert made.start_date is not None
    known = dates(made, made.start_date)
    first, second, third = (made.start_date + timedelta(days=day) for day in sorted(days))
    until_second = owed(made, known, until=second)
    until_third = owed(made, known, until=third)
    assert set(until_second) <= set(until_third)
    assert len(set(until_third)) == len(until_third)
    parts = (
        *owed(made, known, until=second, after=first),
        *owed(made, known, until=third, after=second),
    )
    assert sorted(parts, key=repr) == sorted(
        owed(made, known, until=third, after=first), key=repr
    )
    assert owed(made, known, until=third, after=third) == ()


@settings(max_examples=50)
@given(made=offers(), span=st.integers(0, 800))
def test_every_day_of_a_fee_is_billed_exactly_once(made: Offer, span: int) -> None:
    """An item's periods follow each other without gap or overlap, from the first billed day.

    In advance they reach past the day asked for, or to the end.
    """
    assert made.start_date is not None
    known = dates(made, made.start_date)
    until = made.start_date + timedelta(days=span)
    charges = owed(made, known, until=until)
    for item in made.recurring:
        own = [one for one in charges if one.item_id == item.id]
        if not own:
            continue
        assert own[0].start == known.billing_start
        assert all(one.start < one.end for one in own)
        assert [one.end for one in own[:-1]] == [one.start for one in own[1:]]
        if "ARREARS" not in item.name:
            assert own[-1].end > until or own[-1].end == known.end
        assert known.end is None or own[-1].end <= known.end


@settings(max_examples=50)
@given(made=offers(), span=st.integers(0, 800))
def test_only_the_first_and_the_last_period_are_prorated(made: Offer, span: int) -> None:
    """What lies between is charged at its full price."""
    assert made.start_date is not None
    known = dates(made, made.start_date)
    for one in owed(made, known, until=made.start_date + timedelta(days=span)):
        if one.is_prorated:
            assert one.start == known.billing_start or one.end == known.end
        if one.computation.fee == "CAPACITY":
            assert not one.is_prorated


def test_the_same_items_in_another_order_owe_the_same() -> None:
    """The order of items is an order of lines, nothing else."""
    made = offer(*ITEMS)
    turned = replace(made, items=tuple(reversed(ITEMS)))
    assert set(_owed(made, date(2025, 6, 1))) == set(_owed(turned, date(2025, 6, 1)))
