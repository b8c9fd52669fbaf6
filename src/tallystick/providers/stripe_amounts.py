"""Amounts as Stripe counts them, exactly, or not at all.

Our amounts are in the minor units of ISO 4217 (`domain/currencies.py`). Stripe counts most
currencies the same way, with exceptions of its own. Source: Stripe's page "Supported
currencies" (docs.stripe.com/currencies), sections "Zero-decimal currencies", "Three-decimal
currencies", "Special cases" and "Minimum and maximum charge amounts", as of November 2026.
What cannot be said to Stripe exactly is never rounded: it is not charged.
"""

from tallystick.domain.money import exponent

_HUNDREDTHS_OF_WHOLE = frozenset({"ISK", "UGX"})
"""No decimals, but Stripe wants two, always 00: ISK 5 is 500."""

_WHOLE_OF_HUNDREDTHS = frozenset({"MGA"})
"""Two decimals by ISO 4217, none at Stripe: what is no whole ariary cannot be charged."""

_LAST_DIGIT_ZERO = 10
"""Of three decimals, the card networks take two: KWD 5.120 is 5120, KWD 5.124 is refused."""

_THREE_DECIMALS = 3
_HUNDRED = 100

_MINIMUM = {
    "AED": 200,
    "AUD": 50,
    "BRL": 50,
    "CAD": 50,
    "CHF": 50,
    "CZK": 1500,
    "DKK": 250,
    "EUR": 50,
    "GBP": 30,
    "HKD": 400,
    "HUF": 17500,
    "INR": 50,
    "JPY": 50,
    "MXN": 1000,
    "MYR": 200,
    "NOK": 300,
    "NZD": 50,
    "PLN": 200,
    "RON": 200,
    "SEK": 300,
    "SGD": 50,
    "THB": 1000,
    "USD": 50,
}
"""The smallest charge, in our minor units, of the currencies that Stripe's table lists."""

_MINIMUM_OF_EXPONENT = {0: 50, 2: 50, 3: 500}
"""Elsewhere the table asks for as much as USD 0.50 in the account's own currency. Without its
rate nobody can say; below this many minor units, no listed currency is taken either.
"""


class NotExact(ValueError):
    """An amount that Stripe has no number for."""


def to_stripe(amount: int, currency: str) -> int:
    """The number that stands for `amount` (minor units) in Stripe's requests.

    Raises:
        NotExact: Stripe takes no such amount in this currency.
    """
    if currency in _HUNDREDTHS_OF_WHOLE:
        return amount * _HUNDRED
    if currency in _WHOLE_OF_HUNDREDTHS:
        return _whole(amount, _HUNDRED, currency)
    if exponent(currency) == _THREE_DECIMALS:
        return _whole(amount, _LAST_DIGIT_ZERO, currency) * _LAST_DIGIT_ZERO
    return amount


def from_stripe(number: int, currency: str) -> int:
    """The amount in minor units behind a number of Stripe's; the reverse of `to_stripe`.

    Raises:
        NotExact: It is less than a minor unit, as a fraction of a krona.
    """
    if currency in _HUNDREDTHS_OF_WHOLE:
        return _whole(number, _HUNDRED, currency)
    if currency in _WHOLE_OF_HUNDREDTHS:
        return number * _HUNDRED
    return number


def is_enough(amount: int, currency: str) -> bool:
    """Whether `amount` (minor units) is as much as Stripe charges at least.

    An amount that is enough may still be refused: where it is not exact, and where the
    account settles in another currency in which it is too little.
    """
    least = _MINIMUM.get(currency, _MINIMUM_OF_EXPONENT[exponent(currency)])
    return amount >= least


def _whole(amount: int, unit: int, currency: str) -> int:
    whole, rest = divmod(amount, unit)
    if rest:
        raise NotExact(f"Stripe takes {currency} in steps of {unit} minor units, not {amount}")
    return whole
