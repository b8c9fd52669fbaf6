"""The portal's words: its own catalogue beside that of the checkout page, in every language."""

from collections.abc import Mapping

from babel import Locale

from tallystick.http.pages.languages import Words
from tallystick.http.pages.languages import catalogue as checkout_catalogue
from tallystick.http.pages.teller import Teller
from tallystick.locales.formats import Formats
from tallystick.locales.words import Text, read_catalogue


def teller_for(locale: Locale) -> Teller:
    """The teller for a locale whose language the pages speak."""
    texts = {**checkout_catalogue(locale.language), **catalogue(locale.language)}
    return Teller(Words(locale, texts), Formats(locale))


def catalogue(language: str) -> Mapping[str, Text]:
    """The portal's own texts of a language by their path, `section.key`."""
    return read_catalogue(__package__, language)
