"""Money, dates and numbers as the buyer's locale writes them.

Babel knows the patterns; how many decimals a currency has is ours to say (`domain.money`),
because CLDR and ISO 4217 disagree about some of them.
"""

import re
from copy import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache

from babel import Locale
from babel.dates import format_date, format_interval
from babel.numbers import NumberPattern, format_decimal, get_currency_symbol

from tallystick.domain.money import exponent, major
from tallystick.domain.periods import Period

MINUS = "\N{MINUS SIGN}"
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Formats:
    """How one locale writes the figures of a page."""

    locale: Locale

    def money(self, amount: int, currency: str) -> str:
        """An amount in minor units, with all decimals of its currency and its symbol."""
        decimals = exponent(currency)
        return _written(major(amount, currency), currency, self.locale, decimals, decimals)

    def minus(self, amount: int, currency: str) -> str:
        """An amount in minor units that is taken off, with a true minus sign."""
        return f"{MINUS}{self.money(amount, currency)}"

    def price(self, price: Decimal, currency: str) -> str:
        """A unit price in major units, with more decimals than the currency has if needed."""
        decimals = exponent(currency)
        most = max(decimals, _decimals(price))
        return _written(price, currency, self.locale, decimals, most)

    def decimal(self, value: Decimal, currency: str) -> str:
        """A number in major units with all decimals of its currency, and no symbol."""
        decimals = exponent(currency)
        pattern = _with_decimals(self.locale.decimal_formats[None], (decimals, decimals))
        return str(pattern.apply(value, self.locale))

    def figure(self, amount: int, currency: str) -> str:
        """An amount in minor units with all decimals of its currency, and no symbol."""
        return self.decimal(major(amount, currency), currency)

    def bare_price(self, price: Decimal, currency: str) -> str:
        """A unit price in major units like `price`, and no symbol."""
        decimals = exponent(currency)
        most = max(decimals, _decimals(price))
        pattern = _with_decimals(self.locale.decimal_formats[None], (decimals, most))
        return str(pattern.apply(price, self.locale))

    def number(self, value: int) -> str:
        """A count with the locale's grouping."""
        return format_decimal(value, locale=self.locale)

    def quantity(self, value: Decimal) -> str:
        """A quantity with the locale's grouping and the decimals it needs."""
        pattern = _with_decimals(self.locale.decimal_formats[None], (0, _decimals(value)))
        return str(pattern.apply(value, self.locale))

    def percent(self, fraction: Decimal) -> str:
        """A rate such as 0.055 as per cent, with the decimals it needs."""
        pattern = _percent_pattern(self.locale, (0, _decimals(fraction * 100)))
        return str(pattern.apply(fraction, self.locale))

    def day(self, day: date) -> str:
        """A day in its long form: 23 November 2026."""
        return format_date(day, "long", locale=self.locale)

    def short_day(self, day: date) -> str:
        """A day in its medium form: 23 Nov 2026."""
        return format_date(day, "medium", locale=self.locale)

    def span(self, start: date, end: date) -> str:
        """The days of a half-open span, first and last one: 23 Nov - 22 Dec 2026."""
        if end <= start:
            return self.short_day(start)
        last = Period(start, end).last_day
        if last == start:
            return self.short_day(start)
        return format_interval(start, last, skeleton="yMMMd", locale=self.locale)


@lru_cache(maxsize=_REMEMBERED)
def _written(
    value: Decimal, currency: str, locale: Locale, least_decimals: int, most_decimals: int
) -> str:
    """Money in major units; remembered, because pages say the same amounts again."""
    pattern = _currency_pattern(locale, (least_decimals, most_decimals))
    written = str(pattern.apply(value, locale, currency=currency, currency_digits=False))
    letters = _symbol_of_letters(currency, locale)
    return written if letters is None else letters.sub("\\g<0>\N{NO-BREAK SPACE}", written)


@cache
def _symbol_of_letters(currency: str, locale: Locale) -> re.Pattern[str] | None:
    """Finds the currency's symbol before a number, where the symbol ends with a letter.

    CLDR asks for a space between them, which Babel does not put there.
    """
    symbol = get_currency_symbol(currency, locale)
    return re.compile(f"{re.escape(symbol)}(?=[0-9])") if symbol[-1].isalpha() else None


@cache
def _currency_pattern(locale: Locale, decimals: tuple[int, int]) -> NumberPattern:
    """The locale's pattern for money, with our number of decimals, least and most."""
    return _with_decimals(locale.currency_formats["standard"], decimals)


@cache
def _percent_pattern(locale: Locale, decimals: tuple[int, int]) -> NumberPattern:
    return _with_decimals(locale.percent_formats[None], decimals)


def _with_decimals(pattern: NumberPattern, decimals: tuple[int, int]) -> NumberPattern:
    changed = copy(pattern)
    changed.frac_prec = decimals
    return changed


def grouped(text: str, size: int = 4) -> str:
    """An account number in groups, as banks print it: DE89 3704 0044 ..."""
    bare = "".join(text.split())
    return " ".join(bare[start : start + size] for start in range(0, len(bare), size))


def _decimals(value: Decimal) -> int:
    """How many decimals a value needs, trailing zeros left out."""
    places = value.normalize().as_tuple().exponent
    return max(0, -places) if isinstance(places, int) else 0
