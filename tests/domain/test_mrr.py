"""Movements of recurring revenue: their kinds, and that they sum to the value of a life."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.cancellation import cancelled
from tallystick.domain.charges import monthly_value
from tallystick.domain.contract import Contract
from tallystick.domain.errors import Conflict, InvalidInput
from tallystick.domain.life import is_over
from tallystick.domain.mrr import Movement, MovementKind
from tests.domain.contracts import NOON, contract, contracts, life_of
from tests.domain.offers import arrears, offer, once, rate, seats
from tests.movements import movement, value_of

KIND = MovementKind
FIRST = date(2024, 1, 31)


def moved(values: list[tuple[date, int]]) -> list[Movement]:
    """The movements through values on their days."""
    found: list[Movement] = []
    for day, value in values:
        last = found[-1] if found else None
        one = movement(last, value, day=day, currency="EUR", at=NOON)
        found.extend([] if one is None else [one])
    return found


def day(number: int) -> date:
    """So many days after the first."""
    return FIRST + timedelta(days=number)


def test_each_kind() -> None:
    """2900, up to 9900, down to 4900, gone, back with 1900: worth 1900 in the end."""
    values = [2900, 9900, 4900, 0, 1900]

    found = moved([(day(n), value) for n, value in enumerate(values)])

    assert [(one.kind, one.amount) for one in found] == [
        (KIND.NEW_BUSINESS, 2900),
        (KIND.EXPANSION, 7000),
        (KIND.CONTRACTION, -5000),
        (KIND.CHURN, -4900),
        (KIND.REACTIVATION, 1900),
    ]
    assert value_of(found) == 1900


def test_what_stays_does_not_move() -> None:
    """A renewal at the same value is no movement, nor is a plan that is worth nothing."""
    assert len(moved([(day(0), 4900), (day(30), 4900)])) == 1
    assert moved([(day(0), 0)]) == []


def test_the_first_that_is_worth_something_is_new_business() -> None:
    """Up from a plan that was free."""
    (found,) = moved([(day(0), 0), (day(40), 4900)])

    assert (found.kind, found.day, found.position) == (KIND.NEW_BUSINESS, day(40), 1)


def test_none_comes_before_the_one_that_it_follows() -> None:
    """A step that was taken late never reaches behind what was moved meanwhile."""
    found = moved([(day(10), 100), (day(4), 300)])

    assert [one.day for one in found] == [day(10), day(10)]


@pytest.mark.parametrize(
    ("before", "after", "position"), [(100, 100, 2), (100, 200, 1), (0, -1, 1)]
)
def test_a_movement_that_cannot_be(before: int, after: int, position: int) -> None:
    """One that moves nothing, a first one that begins at something, a negative value."""
    with pytest.raises(AssertionError):
        Movement(
            position=position,
            day=FIRST,
            currency="EUR",
            before=before,
            after=after,
            created_at=NOON,
        )


@given(
    st.lists(st.tuples(st.integers(0, 900).map(day), st.integers(0, 5).map(lambda n: n * 7)))
)
def test_movements_sum_to_any_value(values: list[tuple[date, int]]) -> None:
    """Whatever it was on the way, the sum is what it is now, and the days never go back."""
    found = moved(values)

    assert value_of(found) == (values[-1][1] if values else 0)
    assert [one.day for one in found] == sorted(one.day for one in found)
    assert [one.kind for one in found].count(KIND.NEW_BUSINESS) == (1 if found else 0)


@given(contracts(), st.integers(0, 700).map(timedelta), st.none() | st.integers(0, 500))
def test_movements_sum_to_the_value_over_a_life(
    begins: Contract, later: timedelta, ends_after: int | None
) -> None:
    """New business on the first day; nothing moves until it ends, and then all of it goes."""
    if ends_after is not None:
        try:
            begins = cancelled(begins, begins.start + timedelta(days=ends_after), begins.start)
        except (Conflict, InvalidInput):
            ends_after = None
    steps = life_of(begins, begins.start + later)
    values = [(begins.start, begins.mrr)] + [(one.day, one.contract.mrr) for one in steps]

    found = moved(values)

    last = steps[-1].contract if steps else begins
    assert value_of(found) == last.mrr
    whole = monthly_value(begins.items, begins.currency)
    assert last.mrr == (0 if is_over(last) else whole)
    if whole:
        kinds = [one.kind for one in found]
        assert kinds == [KIND.NEW_BUSINESS] + [KIND.CHURN] * is_over(last)


def test_what_counts() -> None:
    """Fees in advance and in arrears by their months; what is billed once does not count."""
    made = contract(
        offer(rate("120.00"), arrears("30.00"), seats("8.00", 5), once("500.00")), FIRST
    )

    assert made.mrr == 12000 + 3000 + 4000


def test_a_cent_is_something() -> None:
    """One more is an expansion, one less a contraction."""
    found = moved([(day(n), value) for n, value in enumerate([5, 6, 5])])
    assert [(one.kind, one.amount) for one in found[1:]] == [
        (KIND.EXPANSION, 1),
        (KIND.CONTRACTION, -1),
    ]
