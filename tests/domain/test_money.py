"""Money is whole minor units, rounded once and split without loss."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.currencies import EXPONENTS
from tallystick.domain.money import (
    AMOUNT_MAX,
    AmountTooLarge,
    allocate,
    exponent,
    major,
    minor,
    rounded,
)

AMOUNTS = st.integers(min_value=-AMOUNT_MAX, max_value=AMOUNT_MAX)
CURRENCIES = st.sampled_from(sorted(EXPONENTS))


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [("EUR", 2), ("USD", 2), ("JPY", 0), ("ISK", 0), ("RWF", 0), ("KWD", 3), ("BHD", 3)],
)
def test_decimals_of_the_minor_unit(currency: str, decimals: int) -> None:
    """Each currency has the decimals that ISO 4217 gives it."""
    assert exponent(currency) == decimals


@pytest.mark.parametrize("code", ["HRK", "BGN", "CNH", "XAU", "XXX", "XTS", "BTC", "eur", ""])
def test_codes_outside_the_list_are_unknown(code: str) -> None:
    """Withdrawn currencies, metals, testing codes and inventions are not currencies."""
    with pytest.raises(KeyError):
        exponent(code)


@pytest.mark.parametrize(
    ("exact", "whole"),
    [("1/2", 1), ("-1/2", -1), ("3/2", 2), ("5/2", 3), ("-5/2", -3), ("49/100", 0), ("0", 0)],
)
def test_halves_round_away_from_zero(exact: str, whole: int) -> None:
    """The half goes to the larger amount, whatever the sign."""
    assert rounded(Fraction(exact)) == whole


@given(st.fractions(min_value=-(10**12), max_value=10**12))
def test_rounding_is_near_and_symmetric(exact: Fraction) -> None:
    """A rounded amount is within half a unit, and a credit is the mirror of a charge."""
    assert abs(rounded(exact) - exact) <= Fraction(1, 2)
    assert rounded(-exact) == -rounded(exact)


@pytest.mark.parametrize("sign", [1, -1])
def test_amounts_past_the_limit_are_refused(sign: int) -> None:
    """The largest amount is the largest integer that every JSON reader holds."""
    assert rounded(Fraction(sign * AMOUNT_MAX)) == sign * AMOUNT_MAX
    with pytest.raises(AmountTooLarge):
        rounded(Fraction(sign * (AMOUNT_MAX + 1)))


@pytest.mark.parametrize(
    ("price", "currency", "exact"),
    [
        ("9.99", "EUR", "999"),
        ("0.004", "EUR", "2/5"),
        ("5", "JPY", "5"),
        ("1.2345", "KWD", "2469/2"),
    ],
)
def test_a_price_in_minor_units(price: str, currency: str, exact: str) -> None:
    """A price may be finer than the minor unit, and is kept exactly."""
    assert minor(Decimal(price), currency) == Fraction(exact)


@given(AMOUNTS, CURRENCIES)
def test_major_and_minor_units_agree(amount: int, currency: str) -> None:
    """An amount written in major units is the same amount, with all its decimals."""
    decimal = major(amount, currency)
    assert minor(decimal, currency) == amount
    assert decimal.as_tuple().exponent == -exponent(currency)


@given(AMOUNTS, st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_allocation_loses_nothing(total: int, weights: list[int]) -> None:
    """Parts sum to the whole, and each is within one unit of its exact share."""
    whole = sum(weights)
    if whole == 0:
        total = 0
    parts = allocate(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        share = Fraction(total * weight, whole) if whole else Fraction(0)
        assert abs(part - share) < 1
        assert part == 0 or (part > 0) == (total > 0)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (2, [1, 1, 1], [1, 1, 0]),
        (100, [333, 333, 334], [33, 33, 34]),
        (0, [0, 0], [0, 0]),
        (0, [], []),
        (7, [0, 3], [0, 7]),
    ],
)
def test_the_largest_remainder_takes_the_unit(
    total: int, weights: list[int], parts: list[int]
) -> None:
    """Units left over go to the largest remainders, of equal ones to the earlier part."""
    assert allocate(total, weights) == parts


@pytest.mark.parametrize(("total", "weights"), [(1, [0, 0]), (1, []), (1, [2, -1])])
def test_impossible_allocations_are_defects(total: int, weights: list[int]) -> None:
    """Nothing is spread over nothing, and no share is negative."""
    with pytest.raises(AssertionError):
        allocate(total, weights)
