"""The words and the formats of one page, handed around together."""

from dataclasses import dataclass

from babel import Locale

from tallystick.domain.tax import TaxRate
from tallystick.http.pages.languages import Words, words_for
from tallystick.locales.formats import Formats

_OWN_TAX_NAMES = {"VAT": "tax.vat", "Tax": "tax.tax"}


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells a buyer, in their language, what the quote says in numbers."""

    words: Words
    formats: Formats

    def tax(self, name: str) -> str:
        """The name of a tax: our own two are translated, a merchant's own is shown as it is."""
        key = _OWN_TAX_NAMES.get(name)
        return name if key is None else self.words(key)

    def tax_rate(self, rate: TaxRate) -> str:
        """A tax with its rate: `VAT 20%`."""
        percent = self.formats.percent(rate.rate)
        return self.words("tax.rate", name=self.tax(rate.name), rate=percent)


def teller_for(locale: Locale, door: str | None = None) -> Teller:
    """The teller for a locale whose language the pages speak; `door` is the package of the door
    whose own words it knows, too.
    """
    return Teller(words_for(locale, door), Formats(locale))
