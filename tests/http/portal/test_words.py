"""All languages say everything that the portal says."""

import re
from pathlib import Path

import pytest

from tallystick.domain.purchase import SubscriptionStatus
from tallystick.http import pay, portal
from tallystick.http.pages.languages import catalogue as checkout_catalogue
from tallystick.http.portal.words import catalogue
from tallystick.locales.choice import LANGUAGES
from tallystick.locales.line_names import KINDS
from tests.http.checkout.test_languages import placeholders

MADE = {
    *(f"sub_status.{one.value}" for one in SubscriptionStatus),
    *(f"invoice_status.{one}" for one in ("VOID", "UNCOLLECTIBLE")),
    *(f"line_kind.{one}" for one in KINDS),
    *(f"done.{one}" for one in ("cancelled", "kept", "processing", "saved")),
    *(f"done.method_{one}" for one in ("added", "used", "removed")),
    *(
        f"portal_{key}.{part}"
        for key in ("closed", "left", "unknown", "stale", "refused", "often", "busy", "broken")
        for part in ("title", "text")
    ),
}
"""Keys that are put together where they are used."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_say_the_same(language: str) -> None:
    """The same keys with the same placeholders, and no text is empty or borrowed."""
    english, texts = catalogue("en"), catalogue(language)

    assert sorted(texts) == sorted(english)
    assert {key for key in texts if placeholders(texts[key]) != placeholders(english[key])} == (
        set()
    )
    assert all(texts.values())
    same = {key for key, text in texts.items() if text == english[key] and " " in str(text)}
    assert language == "en" or same == set()


def test_no_key_is_the_checkouts() -> None:
    """The two catalogues stand beside each other."""
    assert not catalogue("en").keys() & checkout_catalogue("en").keys()


def test_every_key_is_used_and_every_used_key_is_there() -> None:
    """What the pages ask for is in one of the catalogues, and nothing of ours is idle."""
    # The page of an invoice speaks the same words.
    folders = [Path(one.__path__[0]) for one in (portal, pay)]
    kinds = ("*.html", "*.py")
    files = [file for one in folders for kind in kinds for file in one.rglob(kind)]
    asked = set()
    for file in files:
        asked |= set(re.findall(r"[\"']([a-z_]+\.[A-Za-z_]+)[\"']", file.read_text()))
    own = set(catalogue("en"))

    assert own - asked == own & MADE
    known = own | set(checkout_catalogue("en"))
    names = {one for one in asked if one.endswith((".html", ".css", ".pdf"))}
    assert asked - known - names == set()
