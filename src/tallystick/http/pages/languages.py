"""The words of the pages: complete catalogues per language, and which language a buyer gets.

A catalogue is `languages/<code>.json` (`locales/words.py` says how it is made). The one beside
this module is what pages share; a door that says more has one of its own. A section is in one
of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from babel import Locale

from tallystick.domain.coupons import CouponRefusal
from tallystick.domain.errors import Fault
from tallystick.domain.payment import FailureReason
from tallystick.domain.periods import Cadence
from tallystick.domain.schedule import ScheduleNotice
from tallystick.domain.tax import ExemptionType, TaxWhy
from tallystick.locales.choice import LANGUAGES, supported
from tallystick.locales.words import Text, read_catalogue
from tallystick.locales.words import Words as BasicWords

_ACCEPT_LANGUAGE_MAX = 20

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
class Words(BasicWords):
    """The words of a page in one language."""

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


def words_for(locale: Locale, door: str | None = None) -> Words:
    """The catalogue for a locale whose language is one of `LANGUAGES`; for `door` see
    `catalogue`.
    """
    return Words(locale, catalogue(locale.language, door))


@cache
def catalogue(language: str, door: str | None = None) -> Mapping[str, Text]:
    """All texts of a language by their path, `section.key`: what pages share, and what a door
    (its package) says besides.
    """
    shared = read_catalogue(__package__, language)
    return shared if door is None else {**shared, **read_catalogue(door, language)}


def choose(chosen: str | None, preferred: Sequence[str], accept_language: str) -> Locale:
    """The buyer's locale: chosen on a page, their customer record's, their browser's.

    The region is kept where CLDR knows it ("de-AT" writes amounts as Austria does); where the
    language was named without one, it is the browser's for that language.
    """
    accepted = _accepted(accept_language)
    for wish in (*([chosen] if chosen else []), *preferred, *accepted):
        locale = supported(wish)
        if locale is not None:
            return locale if locale.territory else _regional(locale, accepted)
    return Locale(LANGUAGES[0])


def _regional(locale: Locale, accepted: list[str]) -> Locale:
    """The locale in the first region that the browser names with its language."""
    for tag in accepted:
        found = supported(tag)
        if found is not None and found.territory and found.language == locale.language:
            return found
    return locale


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
