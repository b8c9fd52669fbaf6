"""Money: integers of a currency's minor unit, exact fractions until the one rounding.

Nothing here or above it uses binary floating point. An amount is an `int` in minor units
beside its currency code; a unit price is a `Decimal` in major units, because "EUR 0.004 a
call" is a price and not an amount. Whatever lies between a price and an amount is a
`Fraction`, rounded once per line by `rounded`.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from tallystick.domain.currencies import EXPONENTS

AMOUNT_MAX = 2**53 - 1
"""Largest amount accepted or produced, in minor units: what every JSON reader holds exactly."""


class AmountTooLarge(ValueError):
    """An amount past what can be stored and sent exactly; refused before any money moves."""


def exponent(currency: str) -> int:
    """How many decimals the currency's minor unit has (EUR 2, JPY 0, KWD 3).

    Raises `KeyError` for a code that ISO 4217 does not list; such codes are refused at the
    door.
    """
    return EXPONENTS[currency]


def rounded(exact: Fraction) -> int:
    """The nearest whole number of minor units, halves away from zero: the only rounding of
    money.
    """
    return rounded_ratio(exact.numerator, exact.denominator)


def rounded_ratio(numerator: int, denominator: int) -> int:
    """The same for a fraction given by its two parts, which need no common factor taken out.

    `denominator` is above zero. A line's amount is computed this way, because reducing
    fractions costs more than all the rest of it.
    """
    whole = (2 * abs(numerator) + denominator) // (2 * denominator)
    result = whole if numerator >= 0 else -whole
    if abs(result) > AMOUNT_MAX:
        raise AmountTooLarge(result)
    return result


def minor(price: Decimal, currency: str) -> Fraction:
    """A price in major units as an exact, possibly fractional, number of minor units."""
    scale: int = 10 ** exponent(currency)
    return Fraction(price) * scale


def major(amount: int, currency: str) -> Decimal:
    """An amount in minor units as an exact decimal of major units with all its decimals."""
    return Decimal(amount).scaleb(-exponent(currency))


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` over `weights` so that the parts sum to the whole (largest remainder).

    Every part is within one unit of its exact share; of equal remainders the earlier part
    gets the unit. Weights must not be negative; if all are zero, `total` must be zero too.
    """
    weight = sum(weights)
    if weight == 0:
        assert total == 0, "nothing to spread over"
        return [0] * len(weights)
    assert min(weights) >= 0, "a share cannot be negative"
    sign = -1 if total < 0 else 1
    parts, remainders = [], []
    for part in weights:
        share, remainder = divmod(abs(total) * part, weight)
        parts.append(share)
        remainders.append(remainder)
    missing = abs(total) - sum(parts)
    # The sort is stable: of equal remainders the earlier part comes first.
    by_remainder = sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)
    for index in by_remainder[:missing]:
        parts[index] += 1
    assert sum(parts) == abs(total), "an allocation loses nothing"
    return [sign * part for part in parts]
