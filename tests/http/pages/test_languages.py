"""All languages say everything that the pages say."""

import re
import string
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest
from babel import Locale

from tallystick.domain.coupons import CouponRefusal
from tallystick.domain.errors import Fault
from tallystick.domain.payment import FailureReason
from tallystick.domain.plain_english import TEXTS
from tallystick.http import checkout, pages, pay, portal, sandbox
from tallystick.http.pages.languages import SECTIONS, catalogue, choose, words_for
from tallystick.http.pages.panel import MOUNTED_FIELD, PAYMENT_FIELDS
from tallystick.locales.choice import LANGUAGES
from tallystick.locales.line_names import KINDS
from tallystick.locales.words import Text, read_catalogue

ENGLISH = words_for(Locale("en"))
ROOMS = {
    room.__name__: Path(room.__path__[0]) for room in (pages, checkout, pay, portal, sandbox)
}
"""The rooms that say something to people, and their folders."""

SPEAKING = [name for name, folder in ROOMS.items() if (folder / "languages").is_dir()]
"""Those with a catalogue."""

SHARED = pages.__name__

FILES = (".html", ".js", ".css", ".svg", ".pdf")
"""How the names of files end, which look like keys."""

REFUSED = ("unknown", "stale", "refused", "often", "busy", "broken")
"""What an error page says: the sections, in the portal with a prefix."""

PUT_TOGETHER = {
    *TEXTS,
    *(f"line_kind.{kind}" for kind in KINDS),
    *(
        f"{section}.{part}"
        for section in (
            *REFUSED,
            *(f"portal_{one}" for one in (*REFUSED, "closed", "left")),
            *("expired", "cancelled", "completed"),
        )
        for part in ("title", "text")
    ),
}
"""Keys that no source names as a whole: what an explanation says is named by the domain, what a
line is by `locales/line_names.py`, and a page of one card by its section.
"""

FAULTS = [
    ("name", "required"),
    ("email", "invalid"),
    ("vat_number", "invalid"),
    ("line1", "too_long"),
    ("country", "required"),
    ("country", "unknown"),
    ("country", "too_long"),
    ("method", "required"),
    ("method", "not_offered"),
    ("payment_token", "required"),
    ("payment_token", "invalid"),
    ("form", "too_many_attempts"),
    ("form", "no_account"),
    ("form", "no_answer"),
    ("consent", "required"),
    ("card_number", "required"),
    ("card_number", "invalid_number"),
    ("card_number", "not_a_test_number"),
    ("card_expiry", "invalid_expiry"),
    ("card_expiry", "expired"),
    ("card_cvc", "invalid_cvc"),
    ("iban", "invalid_iban"),
    ("iban", "not_a_test_iban"),
]
"""Every fault that the page can be told: field and code."""


def placeholders(text: Text) -> set[str]:
    """The names in braces of a text, of all its plural forms together."""
    forms = [text] if isinstance(text, str) else list(text.values())
    return {
        name
        for form in forms
        for _, name, _, _ in string.Formatter().parse(form)
        if name is not None
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("room", SPEAKING)
def test_catalogues_have_the_same_keys(room: str, language: str) -> None:
    """What one language can say, every language can say."""
    assert sorted(read_catalogue(room, language)) == sorted(read_catalogue(room, "en"))


def test_a_section_is_in_one_catalogue() -> None:
    """No door has texts under a name that the pages share, or that another door has."""
    sections = [
        section
        for room in SPEAKING
        for section in {key.split(".")[0] for key in read_catalogue(room, "en")}
    ]

    assert len(sections) == len(set(sections))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("room", SPEAKING)
def test_catalogues_have_the_same_placeholders(room: str, language: str) -> None:
    """A text names the same values in every language; the German button needs no amount."""
    different = {
        key
        for key, text in read_catalogue(room, language).items()
        if placeholders(text) != placeholders(read_catalogue(room, "en")[key])
    }

    german_button = room == SHARED and language == "de"
    assert different == ({"finish.pay"} if german_button else set())


def test_an_explanation_is_the_same_text_everywhere() -> None:
    """The page explains in the words of the API; only whom it speaks to differs."""
    texts = catalogue("en")

    assert {key: placeholders(texts[key]) for key in TEXTS} == {
        key: placeholders(text) for key, text in TEXTS.items()
    }
    different = {key.split(".")[0] for key, text in TEXTS.items() if texts[key] != text}
    assert different == {"tax_why"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("room", SPEAKING)
def test_no_text_is_empty_or_borrowed(room: str, language: str) -> None:
    """No text is empty, and no sentence of another language is the English one."""
    english = read_catalogue(room, "en")
    texts = read_catalogue(room, language)
    same = {key: str(text) for key, text in texts.items() if text == english[key]}
    sentence = re.compile(r"\w{2,} \w{2,}")
    borrowed = {
        key for key, text in same.items() if sentence.search(re.sub(r"{.*?}", "", text))
    }

    assert all(texts.values())
    assert language == "en" or borrowed == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("room", SPEAKING)
def test_plural_forms_suit_the_language(room: str, language: str) -> None:
    """A text that depends on a count has every plural category that CLDR gives the language."""
    wanted = {*Locale(language).plural_form.tags, "other"}
    lacking = {
        key
        for key, text in read_catalogue(room, language).items()
        if not isinstance(text, str) and set(text) != wanted
    }

    assert lacking == set()


@pytest.mark.parametrize("enumeration", SECTIONS, ids=lambda one: one.__name__)
def test_every_member_has_a_text(enumeration: type[StrEnum]) -> None:
    """Every member of an enumeration that the buyer meets has its text."""
    for member in enumeration:
        assert ENGLISH.of(member)


@pytest.mark.parametrize(("field", "code"), FAULTS)
def test_every_fault_has_a_text(field: str, code: str) -> None:
    """No fault that the page knows of falls back to the text for unknown ones."""
    assert ENGLISH.fault(Fault(field, code, "...")) != ENGLISH("fault.other")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", ["required", "invalid", "unknown", "too_long"])
def test_a_country_is_chosen_from_the_list(language: str, code: str) -> None:
    """Whatever is wrong with the country, every language has a text of its own for it."""
    assert f"fault.country.{code}" in catalogue(language)


@pytest.mark.parametrize("reason", CouponRefusal)
def test_a_refused_code_says_why(reason: CouponRefusal) -> None:
    """A promotion code that is refused names the coupon's own reason."""
    fault = Fault("code", reason.value.lower(), "...")

    assert ENGLISH.fault(fault) == ENGLISH.of(reason)


def test_an_unknown_fault_still_says_something() -> None:
    """A code that nobody foresaw has a sentence all the same."""
    assert ENGLISH.fault(Fault("city", "haunted", "...")) == ENGLISH("fault.other")


@pytest.mark.parametrize("reason", set(FailureReason) - {FailureReason.DEBIT_FAILED})
def test_a_failure_says_that_nothing_was_charged(reason: FailureReason) -> None:
    """The buyer is told first of all that no money was taken."""
    assert "Nothing was charged." in ENGLISH.of(reason)


def test_every_payment_field_has_a_label() -> None:
    """The fields of the payment panel are named like the others."""
    names = [MOUNTED_FIELD, *(name for names in PAYMENT_FIELDS.values() for name in names)]
    assert all(ENGLISH.field(name) for name in names)


@pytest.mark.parametrize("room", ROOMS)
def test_every_text_that_is_named_exists(room: str) -> None:
    """A room names texts of its own and those that pages share, never another door's."""
    own = read_catalogue(room, "en") if room in SPEAKING else {}

    assert {name for name in named_in(room) if "{" not in name} - {
        *catalogue("en"),
        *own,
    } == set()


@pytest.mark.parametrize("room", SPEAKING)
def test_every_text_is_used(room: str) -> None:
    """No text lies unused: a door's own is named by the door, a shared one by any room."""
    named = {name for one in (ROOMS if room == SHARED else [room]) for name in named_in(one)}
    patterns = [re.compile(re.sub(r"\\{.*?\\}", "[A-Za-z_0-9]+", re.escape(n))) for n in named]
    sections = {*SECTIONS.values(), "fault", "field"}
    unused = {
        key
        for key in read_catalogue(room, "en")
        if key.split(".")[0] not in sections
        and not any(pattern.fullmatch(key) for pattern in patterns)
    }

    assert unused - PUT_TOGETHER == set()
    assert (
        PUT_TOGETHER - {key for one in SPEAKING for key in read_catalogue(one, "en")} == set()
    )


def named_in(room: str) -> Iterator[str]:
    """Every text in a room's sources that looks like a key of a catalogue."""
    sections = {key.split(".")[0] for one in SPEAKING for key in read_catalogue(one, "en")}
    quoted = re.compile(r"""["']([a-z_]+\.[A-Za-z_{}.()]+)["']""")
    folder = ROOMS[room]
    for file in (*folder.glob("*.py"), *folder.glob("templates/*.html")):
        for name in quoted.findall(file.read_text(encoding="utf-8")):
            if name.split(".")[0] in sections and not name.endswith(FILES):
                yield name


@pytest.mark.parametrize(
    ("chosen", "preferred", "header", "expected"),
    [
        (None, (), "", "en"),
        (None, (), "de-AT,de;q=0.9,en;q=0.8", "de_AT"),
        (None, (), "nl,fr;q=0.4,es;q=0.7", "es"),
        (None, (), "en;q=0.1, fr-CH", "fr_CH"),
        (None, ("es-MX",), "de", "es_MX"),
        (None, ("nl", "fr"), "de", "fr"),
        ("de", ("fr",), "es", "de"),
        (None, (), "de-ZZZZ", "de_DE"),
        (None, ("de_DE.UTF-8",), "", "de_DE"),
        (None, (), "*;q=x, ,;;,fr;q=0, es", "es"),
        (None, (), "zh-Hant-TW", "en"),
        ("en", (), "fr, en-GB;q=0.5", "en_GB"),
        (None, ("de",), "en-GB, de-CH;q=0.5", "de_CH"),
        (None, ("de-AT",), "de-CH", "de_AT"),
        (None, (), "en, en-GB;q=0.9", "en_GB"),
    ],
)
def test_the_language_is_the_buyers(
    chosen: str | None, preferred: tuple[str, ...], header: str, expected: str
) -> None:
    """Chosen on the page, else the customer record's, else the browser's, else English; the
    region is the browser's where no other is named.
    """
    assert str(choose(chosen, preferred, header)) == expected
