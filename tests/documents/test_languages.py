"""The language of a document, and its words."""

import json
import string
from collections.abc import Mapping
from pathlib import Path

import pytest

import tallystick.documents as room
from tallystick.documents.language import locale_of
from tallystick.domain.customer_record import LANGUAGES as OF_CUSTOMERS
from tallystick.domain.tax import ExemptionType
from tallystick.locales.choice import LANGUAGES
from tallystick.locales.line_names import KINDS
from tallystick.locales.words import Text, read_catalogue
from tests.documents.reading import pages_of, paper_of, text_of
from tests.documents.stories import stories

ENGLISH = read_catalogue(room.__name__, "en")


def forms(text: Text) -> Mapping[str, str]:
    """A text by its plural forms; one that has none as `other`."""
    return {"other": text} if isinstance(text, str) else text


def places(text: str) -> set[str]:
    """The placeholders of a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_say_the_same(language: str) -> None:
    """The same keys, and the same placeholders in each; no text is blank."""
    texts = read_catalogue(room.__name__, language)

    assert texts.keys() == ENGLISH.keys()
    for key, text in texts.items():
        for form in forms(text).values():
            assert places(form) == places(forms(ENGLISH[key])["other"]), key
            assert form.strip()


def test_no_other_catalogue_is_there() -> None:
    """The languages of documents are those that a customer can prefer."""
    folder = Path(room.__file__).parent / "languages"

    assert {file.stem for file in folder.iterdir()} == set(LANGUAGES) == set(OF_CUSTOMERS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_for_no_tax_has_words(language: str) -> None:
    """A row's label, and the note that the law wants."""
    texts = read_catalogue(room.__name__, language)

    for one in ExemptionType:
        assert f"exemption.{one.value}" in texts
        assert f"note.{one.value}" in texts


def test_every_text_is_used() -> None:
    """Each key is named by the room's code, by itself or by its section's member."""
    code = "".join(file.read_text() for file in Path(room.__file__).parent.glob("*.py"))
    unused = {
        key
        for key in ENGLISH
        if f'"{key}"' not in code
        and f'"{key.partition(".")[2]}"' not in code
        and key.partition(".")[2] not in {*ExemptionType.__members__, *KINDS}
    }

    assert unused == set()


@pytest.mark.parametrize(
    ("preferred", "buyer", "seller", "locale"),
    [
        (["fr-CA", "de"], "DE", "FR", "fr_CA"),
        (["it", "de"], "AT", "FR", "de_AT"),
        (["de"], "JP", "FR", "de"),
        (["xx-YY"], "ES", "FR", "es_ES"),
        ([], "DE", "FR", "de_DE"),
        ([], "AT", "FR", "de_AT"),
        ([], "BE", "DE", "fr_BE"),
        ([], "CH", "FR", "de_CH"),
        ([], "MX", "DE", "es_MX"),
        ([], "PL", "DE", "en"),
        ([], "JP", "DE", "en"),
        ([], None, "DE", "de_DE"),
        ([], None, None, "en"),
        ([], "ZZ", "DE", "en"),
    ],
)
def test_whose_language_it_is(
    preferred: list[str], buyer: str | None, seller: str | None, locale: str
) -> None:
    """The customer's own, else its country's, else the seller's; English where none is ours."""
    assert str(locale_of(preferred, buyer, seller)) == locale


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", ["Invoice", "Amount due", "Page 1 of 3"]),
        ("de", ["Rechnung", "Zu zahlen", "Seite 1 von 3"]),
        ("fr", ["Facture", "Montant dû", "Page 1 sur 3"]),
        ("es", ["Factura", "Importe a pagar", "Página 1 de 3"]),
    ],
)
def test_a_document_speaks_one_language(locale: str, words: list[str]) -> None:
    """Its own words are there, and no English ones in another."""
    text = text_of(stories()["long"], locale)

    for word in words:
        assert word in text
    if locale != "en":
        for english in ("Invoice", "Amount due", "Subtotal due", "Quantity", "VAT number:"):
            assert english not in text


def test_a_language_of_a_continent() -> None:
    """Spanish as in Latin America is Spanish, and has no country."""
    paper = paper_of(stories()["long"], "es-419")

    assert (paper.language, paper.region, paper.heading) == ("es", None, "Factura")
    assert "Factura" in pages_of(paper)[0]


def test_catalogues_are_json() -> None:
    """Every section holds texts, none of them twice."""

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), keys
        return dict(pairs)

    for file in (Path(room.__file__).parent / "languages").iterdir():
        json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=once)
