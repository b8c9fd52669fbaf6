"""The page's words: one complete catalogue per language, and which language a buyer gets.

A catalogue is `languages/<code>.json`: sections of texts with `{placeholders}`; a text that
depends on a count is an object of plural forms. `Words` reads one; a key that is missing is an
error, and a test holds all catalogues to the same keys and placeholders.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType

from babel import Locale, UnknownLocaleError

from tallystick.domain.coupons import CouponRefusal
from tallystick.domain.errors import Fault
from tallystick.domain.payment import FailureReason
from tallystick.domain.periods import Cadence
from tallystick.domain.schedule import ScheduleNotice
from tallystick.domain.tax import ExemptionType, TaxWhy

LANGUAGES = ("en", "fr", "de", "es")
"""The languages of the page; the first one is the fallback."""

_ACCEPT_LANGUAGE_MAX = 20

Text = str | Mapping[str, str]
"""A text, or its plural forms by CLDR category (`one`, `many`, `other`)."""

SECTIONS: Mapping[type[StrEnum], str] = MappingProxyType(
    {
        FailureReason: "failure",
        CouponRefusal: "coupon_refusal",
        ScheduleNotice: "notice",
        ExemptionType: "exemption",
        TaxWhy: "tax_why",
        Cadence: "every",
    }
)
"""The enumerations whose members the buyer reads, and the section that holds their texts."""


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

    def of(self, member: StrEnum) -> str:
        """The text of a member of one of the enumerations in `SECTIONS`."""
        return self(f"{SECTIONS[type(member)]}.{member.value}")

    def fault(self, fault: Fault) -> str:
        """What to do about a fault: the field's own text for its code, else the code's."""
        if fault.field == "code" and fault.code.upper() in CouponRefusal.__members__:
            return self.of(CouponRefusal[fault.code.upper()])
        for key in (f"fault.{fault.field}.{fault.code}", f"fault.{fault.code}"):
            if key in self.texts:
                return self(key)
        return self("fault.other")

    def field(self, name: str) -> str | None:
        """The label of a field of the form; None for what is no field of it."""
        return self(f"field.{name}") if f"field.{name}" in self.texts else None


def words_for(locale: Locale) -> Words:
    """The catalogue for a locale whose language is one of `LANGUAGES`."""
    return Words(locale, catalogue(locale.language))


@cache
def catalogue(language: str) -> Mapping[str, Text]:
    """All texts of a language by their path, `section.key`."""
    source = resources.files(__package__) / "languages" / f"{language}.json"
    sections: dict[str, dict[str, Text]] = json.loads(source.read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            f"{section}.{key}": text
            for section, texts in sections.items()
            for key, text in texts.items()
        }
    )


def choose(chosen: str | None, preferred: Sequence[str], accept_language: str) -> Locale:
    """The buyer's locale: chosen on the page, their customer record's, their browser's.

    The region is kept where CLDR knows it ("de-AT" writes amounts as Austria does); where the
    language was named without one, it is the browser's for that language.
    """
    accepted = _accepted(accept_language)
    for wish in (*([chosen] if chosen else []), *preferred, *accepted):
        locale = _supported(wish)
        if locale is not None:
            return locale if locale.territory else _regional(locale, accepted)
    return Locale(LANGUAGES[0])


def _regional(locale: Locale, accepted: list[str]) -> Locale:
    """The locale in the first region that the browser names with its language."""
    for tag in accepted:
        found = _supported(tag)
        if found is not None and found.territory and found.language == locale.language:
            return found
    return locale


def _supported(tag: str) -> Locale | None:
    subtags = tag.partition(".")[0].strip().replace("_", "-").split("-")
    if subtags[0].lower() not in LANGUAGES:
        return None
    for length in (2, 1):
        try:
            return Locale.parse("-".join(subtags[:length]), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return None


def _accepted(header: str) -> list[str]:
    """The tags of an Accept-Language header, best first, without what cannot be read."""
    weighted: list[tuple[float, str]] = []
    for part in header.split(",")[:_ACCEPT_LANGUAGE_MAX]:
        tag, _, parameter = part.partition(";")
        weight = 1.0
        if parameter.strip():
            try:
                weight = float(parameter.strip().removeprefix("q="))
            except ValueError:
                continue
        if weight > 0:
            weighted.append((weight, tag.strip()))
    return [tag for _, tag in sorted(weighted, key=lambda entry: -entry[0])]
