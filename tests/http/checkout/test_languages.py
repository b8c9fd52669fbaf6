"""All languages say everything."""

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
from tallystick.http import checkout, pages, sandbox
from tallystick.http.pages.languages import SECTIONS, catalogue, choose, words_for
from tallystick.http.pages.panel import MOUNTED_FIELD, PAYMENT_FIELDS
from tallystick.locales.choice import LANGUAGES
from tallystick.locales.words import Text
from tests.http.checkout.buyer import CARD
from tests.http.checkout.conftest import Visit
from tests.world import World

ENGLISH = words_for(Locale("en"))
FILES = (".html", ".js", ".css", ".svg")
"""How the names of files end, which look like keys."""

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
def test_catalogues_have_the_same_keys(language: str) -> None:
    """What one language can say, every language can say."""
    assert sorted(catalogue(language)) == sorted(catalogue("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_have_the_same_placeholders(language: str) -> None:
    """A text names the same values in every language; the German button needs no amount."""
    different = {
        key
        for key, text in catalogue(language).items()
        if placeholders(text) != placeholders(catalogue("en")[key])
    }

    assert different == ({"finish.pay"} if language == "de" else set())


def test_an_explanation_is_the_same_text_everywhere() -> None:
    """The page explains in the words of the API; only whom it speaks to differs."""
    texts = catalogue("en")

    assert {key: placeholders(texts[key]) for key in TEXTS} == {
        key: placeholders(text) for key, text in TEXTS.items()
    }
    different = {key.split(".")[0] for key, text in TEXTS.items() if texts[key] != text}
    assert different == {"tax_why"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_borrowed(language: str) -> None:
    """No text is empty, and no sentence of another language is the English one."""
    english = catalogue("en")
    texts = catalogue(language)
    same = {key for key, text in texts.items() if text == english[key] and "{" not in text}

    assert all(texts.values())
    if language != "en":
        assert not {key for key in same if isinstance(texts[key], str) and " " in texts[key]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_suit_the_language(language: str) -> None:
    """A text that depends on a count has every plural category that CLDR gives the language."""
    wanted = {*Locale(language).plural_form.tags, "other"}
    lacking = {
        key
        for key, text in catalogue(language).items()
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


def test_every_key_is_used_and_every_used_key_exists() -> None:
    """The page names no text that is missing, and no text lies unused."""
    named = set(_named_keys())
    patterns = [re.compile(re.sub(r"\\{.*?\\}", "[A-Za-z_0-9]+", re.escape(n))) for n in named]
    keys = set(catalogue("en"))
    whole = {name for name in named if "{" not in name}
    sections = {*SECTIONS.values(), "fault", "field"}
    unused = {
        key
        for key in keys
        if key.split(".")[0] not in sections
        and not any(pattern.fullmatch(key) for pattern in patterns)
    }

    assert whole - keys == set()
    assert unused == set()


def _named_keys() -> Iterator[str]:
    """Every text in the page's sources that looks like a key of the catalogue.

    What an explanation says is named by the domain, and by the whole key in `TEXTS`.
    """
    yield from TEXTS
    rooms = [Path(room.__path__[0]) for room in (checkout, pages, sandbox)]
    sections = {key.split(".")[0] for key in catalogue("en")}
    quoted = re.compile(r"""["']([a-z_]+\.[A-Za-z_{}.()]+)["']""")
    for file in (
        *(file for room in rooms for file in room.glob("*.py")),
        *(file for room in rooms for file in room.glob("templates/*.html")),
    ):
        for name in quoted.findall(file.read_text(encoding="utf-8")):
            if name.split(".")[0] in sections and not name.endswith(FILES):
                yield name
    for key in (
        "unknown",
        "stale",
        "refused",
        "often",
        "busy",
        "broken",
        "expired",
        "cancelled",
    ):
        yield f"{key}.title"
        yield f"{key}.text"
    yield from ("completed.title", "completed.text")


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


async def test_the_bank_goes_on_in_the_same_language(visit: Visit, world: World) -> None:
    """The customer record's language, in which the page was, is that of the challenge, too."""
    customer_id = await world.customer(preferred_locales=["fr"])
    buyer = await visit(customer_id=customer_id, headers={"Accept-Language": "de"})
    form = (await buyer.open()).form
    sent = await buyer.post(form, {**CARD, "card_number": "4000002500003155"})
    bank = await buyer.client.get(sent.headers["location"])

    assert "Confirmez ce paiement" in bank.text
