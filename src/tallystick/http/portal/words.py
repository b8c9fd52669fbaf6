"""The portal's words: its own catalogue beside that of the checkout page, in every language."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from babel import Locale

from tallystick.http.checkout.formats import Formats
from tallystick.http.checkout.languages import Text, Words
from tallystick.http.checkout.languages import catalogue as checkout_catalogue
from tallystick.http.checkout.teller import Teller


def teller_for(locale: Locale) -> Teller:
    """The teller for a locale whose language the pages speak."""
    texts = {**checkout_catalogue(locale.language), **catalogue(locale.language)}
    return Teller(Words(locale, texts), Formats(locale))


@cache
def catalogue(language: str) -> Mapping[str, Text]:
    """The portal's own texts of a language by their path, `section.key`."""
    source = resources.files(__package__) / "languages" / f"{language}.json"
    sections: dict[str, dict[str, Text]] = json.loads(source.read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            f"{section}.{key}": text
            for section, texts in sections.items()
            for key, text in texts.items()
        }
    )
