"""What strangers write comes out as they wrote it, and acts on nothing."""

import io
import unicodedata
from dataclasses import replace
from datetime import datetime

import pytest
import typst
from pypdf import PdfReader
from pypdf.generic import StreamObject

from tallystick.documents import typeset as typesetting
from tallystick.documents.printable import coverage, printable
from tallystick.documents.typeset import Standard, as_json, compiled
from tallystick.domain.invoice import CustomerSnapshot
from tests.documents.papers import GLOBEX, NOON, document, monthly
from tests.documents.reading import pages_of, paper_of, plain, text_of
from tests.documents.stories import HOSTILE, stories


def named(name: str) -> CustomerSnapshot:
    """A customer with a name."""
    return replace(GLOBEX, name=name)


def test_markup_is_text() -> None:
    """In the names of customer and line, the memo, and the purchase order."""
    text = text_of(stories()["hostile"], "en-GB")

    assert text.count(plain(HOSTILE)) == 3
    assert "Purchase order #panic()" in text


@pytest.mark.parametrize(
    "name",
    [
        "株式会社グローベックス",
        "글로벡스 주식회사",
        "环球贸易有限公司",
        "Глобекс ООО",
        "Γκλόμπεξ ΑΕ",
        "Żółty kůň ǆ ß ẞ Đặng",
        "→ ★ ☎ ½ № ™ ♪",
    ],
)
def test_names_of_many_scripts(name: str) -> None:
    """Every script that our fonts have, and nothing is missing of it."""
    assert printable(name) == name
    text = text_of(document([monthly(name, "49")], customer=named(name)))

    assert text.replace(" ", "").count(name.replace(" ", "")) == 2


@pytest.mark.parametrize("name", ["شركة غلوبكس", "גלובקס בעמ"])
def test_names_from_right_to_left(name: str) -> None:
    """The letters of each word stand together, in their order or in that of the eye."""
    assert printable(name) == name
    text = text_of(document([monthly("Pro", "49")], customer=named(name)))

    for word in name.split():
        assert word in text or word[::-1] in text


def test_a_word_without_an_end_stays_in_its_column() -> None:
    """200 letters without a blank break anywhere, and are all there."""
    pages = pages_of(paper_of(stories()["words"]))

    assert "x" * 200 in "".join(pages).replace("\n", "")
    longest = max(line.count("x") for page in pages for line in page.split("\n"))
    assert 5 < longest < 60


def test_what_turns_the_direction_is_left_out() -> None:
    """An override cannot make 00.1 of 1.00."""
    assert printable("\u202e00.1\u202c EUR\u2066!\u2069\ufeff") == "00.1 EUR!"


def test_what_has_no_picture_is_marked() -> None:
    """Private characters, those that nobody has, and controls."""
    assert printable("a\ue000b\U000e0041c\x00d\te\nf") == "a□b□c□d e\nf"
    text = text_of(document([monthly("\ue000\U0010ffff\ud7ff", "49")]))

    assert "□" in text


def test_every_character_that_we_say_is_there() -> None:
    """All of the coverage is set in an archivable PDF: each has a picture of its own.

    Accents are left out, which need their letter.
    """
    points = [chr(point) for point in sorted(coverage())]
    assert len(points) > 38_000
    letters = [one for one in points if unicodedata.category(one) != "Mn"]
    assert len(points) - len(letters) < 500
    lines = (letters[at : at + 20] for at in range(0, len(letters), 20))
    paper = paper_of(document([], memo="\n".join(" ".join(line) for line in lines)))

    made = typesetting._compiled(as_json(paper), NOON, ["a-3a", "ua-1"])

    assert len(made) > 1_000_000


def test_what_cannot_be_archived_is_made_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is a plain PDF, with every figure."""
    made = typesetting._compiled

    def refusing(data: str, at: datetime, standards: list[Standard]) -> bytes:
        if standards:
            raise typst.TypstError("could not be displayed", "could not be displayed")
        return made(data, at, standards)

    monkeypatch.setattr(typesetting, "_compiled", refusing)
    paper = paper_of(document([monthly("Pro", "49")], memo="Plain"))
    found = PdfReader(io.BytesIO(compiled(paper, NOON)))

    assert "€58.80" in found.pages[0].extract_text()
    metadata = found.root_object["/Metadata"].get_object()
    assert isinstance(metadata, StreamObject)
    assert b"pdfaid" not in metadata.get_data()
