"""The list of countries, in the language of a page."""

import unicodedata
from functools import cache

from babel import Locale
from markupsafe import Markup

from tallystick.domain.countries import COUNTRIES


def country_options(locale: Locale, chosen: str | None) -> Markup:
    """The options of the country list, in the page's language and its order."""
    options = _country_options(locale)
    mark = Markup('value="{}"').format(chosen)
    return options.replace(mark, mark + Markup(" selected"))


@cache
def _country_options(locale: Locale) -> Markup:
    """None of them chosen: 250 lines that are the same for every buyer of a language."""
    option = Markup('<option value="{}">{}</option>')
    return Markup("\n").join(option.format(*entry) for entry in country_names(locale))


@cache
def country_names(locale: Locale) -> tuple[tuple[str, str], ...]:
    """Code and name of each country of ISO 3166-1, accents not counting in the order."""
    names = [(code, name) for code, name in locale.territories.items() if code in COUNTRIES]
    return tuple(sorted(names, key=lambda entry: _folded(entry[1])))


def _folded(name: str) -> str:
    """The name without accents and case, so that they do not decide about its place."""
    plain = unicodedata.normalize("NFKD", name)
    return "".join(mark for mark in plain if not unicodedata.combining(mark)).casefold()
