"""The buyer's language as the voice of an explanation."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from tallystick.domain.money import exponent
from tallystick.domain.plain_english import decimal_of
from tallystick.http.pages.teller import Teller

_DECIMALS_OF_ENDLESS = 4
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True, slots=True)
class PageVoice:
    """Tells the steps of an explanation in the words and formats of a page."""

    say: Teller

    def text(self, key: str, **values: str) -> str:
        """The text of a key in the page's catalogue."""
        return self.say.words(key, **values)

    def money(self, amount: int, currency: str) -> str:
        """An amount in minor units, as the locale writes it."""
        return self.say.formats.money(amount, currency)

    def exact(self, amount: Fraction, currency: str) -> str:
        """Minor units before rounding; a number without end is cut and says so."""
        places = exponent(currency)
        shown, is_cut = decimal_of(amount / 10**places, places + _DECIMALS_OF_ENDLESS)
        return self.price(shown, currency) + (_ELLIPSIS if is_cut else "")

    def price(self, price: Decimal, currency: str) -> str:
        """A unit price in major units."""
        return self.say.formats.price(price, currency)

    def number(self, value: Fraction | int) -> str:
        """A quantity with the locale's grouping and decimals."""
        shown, is_cut = decimal_of(Fraction(value), _DECIMALS_OF_ENDLESS)
        return self.say.formats.quantity(shown) + (_ELLIPSIS if is_cut else "")

    def percent(self, rate: Decimal) -> str:
        """A rate as per cent."""
        return self.say.formats.percent(rate)

    def span(self, start: date, end: date) -> str:
        """The first and the last day, as the locale writes them."""
        return self.say.formats.span(start, end)

    def tax(self, name: str) -> str:
        """The name of a tax: our own are translated."""
        return self.say.tax(name)
