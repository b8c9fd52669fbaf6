"""Words in several languages: one complete catalogue per language, read for one locale.

A catalogue is `<code>.json`: sections of texts with `{placeholders}`; a text that depends on a
count is an object of plural forms. A key that is missing is an error, and tests hold all
catalogues of a kind to the same keys and placeholders.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from babel import Locale

Text = str | Mapping[str, str]
"""A text, or its plural forms by CLDR category (`one`, `many`, `other`)."""


@dataclass(frozen=True, slots=True)
class Words:
    """The catalogue of one language, read for one locale (its plural rules)."""

    locale: Locale
    texts: Mapping[str, Text]

    @property
    def language(self) -> str:
        """The language's code, for the `lang` attribute."""
        return self.locale.language

    def __call__(self, key: str, **values: str) -> str:
        """The text of `key` with its placeholders filled in; `KeyError` when there is none."""
        text = self.texts[key]
        assert isinstance(text, str), f"{key} has plural forms: use count()"
        return text.format(**values)

    def count(self, key: str, number: int, **values: str) -> str:
        """The plural form of `key` that suits `number`."""
        forms = self.texts[key]
        assert not isinstance(forms, str), f"{key} has no plural forms"
        form = forms.get(self.locale.plural_form(number), forms["other"])
        return form.format(**values)


@cache
def read_catalogue(package: str, language: str) -> Mapping[str, Text]:
    """All texts of a language by their path, `section.key`, as a package has them."""
    source = resources.files(package) / "languages" / f"{language}.json"
    sections: dict[str, dict[str, Text]] = json.loads(source.read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            f"{section}.{key}": text
            for section, texts in sections.items()
            for key, text in texts.items()
        }
    )
