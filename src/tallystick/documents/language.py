"""The language of a document: the customer's, as far as anything says which it is.

The preferred languages of the customer's record come first, then the language of the country
that it is billed in; a customer without a country is written to in the seller's language, and
all others in English.
"""

from collections.abc import Sequence

from babel import Locale, UnknownLocaleError
from babel.languages import get_official_languages

from tallystick.locales.choice import LANGUAGES, supported


def locale_of(
    preferred: Sequence[str], buyer_country: str | None, seller_country: str | None
) -> Locale:
    """The locale of a customer with these languages, best first, in these countries."""
    for tag in preferred:
        locale = supported(tag)
        if locale is not None:
            return locale if locale.territory else _in_country(locale, buyer_country)
    return _spoken_in(buyer_country or seller_country) or Locale(LANGUAGES[0])


def _in_country(locale: Locale, country: str | None) -> Locale:
    """The locale as it is written in a country, where that is known."""
    try:
        return Locale.parse(f"{locale.language}_{country}")
    except (UnknownLocaleError, ValueError):
        return locale


def _spoken_in(country: str | None) -> Locale | None:
    """The first of a country's official languages that is ours, None where none is."""
    if country is None:
        return None
    for language in get_official_languages(country, de_facto=True):
        if language in LANGUAGES:
            return _in_country(Locale(language), country)
    return None
