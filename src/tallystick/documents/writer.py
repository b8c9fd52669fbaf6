"""The words and the formats of one document, for one currency."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from babel import Locale

from tallystick.domain.money import exponent
from tallystick.domain.payment import Method, MethodKind
from tallystick.domain.plain_english import decimal_of
from tallystick.locales.formats import MINUS, Formats
from tallystick.locales.words import Words, read_catalogue

_OWN_TAX_NAMES = {"VAT": "tax.vat", "Tax": "tax.tax"}
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_DECIMALS_MAX = 6
"""Decimals beyond the currency's own of a price that is shown in full."""
_DECIMALS_OF_ENDLESS = 2
"""The same of an average, which mostly has no end."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes what stands on a document, in its language and its currency."""

    words: Words
    formats: Formats
    currency: str
    time_zone: str

    @property
    def region(self) -> str | None:
        """The country whose customs it follows, where its locale names one: 419 is none."""
        territory = self.words.locale.territory
        return territory if territory and territory.isalpha() else None

    def money(self, amount: int) -> str:
        """An amount in minor units, with the currency's symbol."""
        return _true_minus(self.formats.money(amount, self.currency))

    def taken_off(self, amount: int) -> str:
        """An amount in minor units that is taken off."""
        return self.money(-amount)

    def figure(self, amount: int) -> str:
        """An amount in minor units without a symbol, for a column of amounts."""
        return _true_minus(self.formats.figure(amount, self.currency))

    def price(self, price: Decimal) -> str:
        """A unit price in major units without a symbol; one that is too long says that it is
        cut: mostly an average, which has no end.
        """
        places = exponent(self.currency)
        shown = _cut(price, places + _DECIMALS_MAX, places + _DECIMALS_OF_ENDLESS)
        return self._figure(
            self.formats.bare_price(shown, self.currency), is_cut=shown != price
        )

    def major(self, price: Decimal) -> str:
        """An amount in major units, with the currency's symbol."""
        return _true_minus(self.formats.price(price, self.currency))

    def quantity(self, quantity: Decimal | Fraction) -> str:
        """A quantity; one that is too long says that it is cut."""
        exact, is_endless = decimal_of(Fraction(quantity), _DECIMALS_MAX)
        shown = _cut(exact, _DECIMALS_MAX, _DECIMALS_MAX)
        return self._figure(self.formats.quantity(shown), is_cut=is_endless or shown != exact)

    def _figure(self, figure: str, *, is_cut: bool) -> str:
        return _true_minus(figure) + (_ELLIPSIS if is_cut else "")

    def day(self, day: date) -> str:
        """A day in its long form."""
        return self.formats.day(day)

    def day_of(self, moment: datetime) -> str:
        """The day of a moment, where the seller is."""
        return self.day(moment.astimezone(ZoneInfo(self.time_zone)).date())

    def tax_name(self, name: str) -> str:
        """The name of a tax: our own two are translated, a merchant's own is shown as it is."""
        key = _OWN_TAX_NAMES.get(name)
        return name if key is None else self.words(key)

    def method(self, method: Method) -> str:
        """A payment method as it may be shown."""
        match method.kind:
            case MethodKind.CARD:
                brand = (method.card_brand or "").replace("_", " ").title()
                return self.words("method.card", brand=brand, last4=method.card_last4 or "")
            case MethodKind.DIRECT_DEBIT:
                return self.words("method.debit", hint=method.account_hint or "")


def writer_for(locale: Locale, currency: str, time_zone: str) -> Writer:
    """The writer of a document in a locale whose language is ours."""
    words = Words(locale, read_catalogue(__package__, locale.language))
    return Writer(words, Formats(locale), currency, time_zone)


def _cut(value: Decimal, most: int, decimals: int) -> Decimal:
    """A number as it is where `most` decimals hold it, else cut to `decimals`."""
    exact = value.quantize(Decimal(1).scaleb(-most), ROUND_DOWN)
    return value if exact == value else value.quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN)


def _true_minus(figure: str) -> str:
    return figure.replace("-", MINUS)
