"""What a document says of its parties, its state and itself."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from pypdf import PdfReader
from pypdf.generic import StreamObject

from tallystick.documents import typeset as typesetting
from tallystick.documents.paper import Paper
from tallystick.documents.pdf import credit_note_pdf, invoice_pdf
from tallystick.documents.typeset import compiled, pictures, typeset
from tallystick.domain.bill import TaxBreakdown
from tallystick.domain.charges import Charge
from tallystick.domain.document_facts import CreditNoteDocument, InvoiceDocument
from tallystick.domain.errors import Busy
from tallystick.domain.invoice import InvoiceStatus, PaymentStatus
from tallystick.domain.tax import EXEMPT_NOTE, TERRITORY_NOTE, ExemptionType
from tests.documents.papers import ENTITY, FEBRUARY, NOON, document, monthly
from tests.documents.reading import pages_of, paper_of, text_of
from tests.documents.stories import setup, stories
from tests.domain.samples import percent


def test_what_the_law_wants() -> None:
    """Parties with addresses and VAT numbers, number, days, what and how much (VAT directive,
    article 226); the registration at the foot of each page.
    """
    text = text_of(stories()["reverse"], "en-GB")

    for said in (
        "Acme Cloud SAS 12 rue de la Paix 75002 Paris France VAT number: FR40303265045",
        "Billed to Globex GmbH Friedrichstraße 100 10117 Berlin Germany",
        "VAT number: DE136695976",
        "Invoice number INV-2026-42",
        "Invoice date 1 March 2026",
        "Service period 1–31 Mar 2026",
        "Due date 31 March 2026",
        "Payment terms 30 days net",
        "Customer number globex",
        "Purchase order PO-4711",
        "RCS Paris 303 265 045",
        "per seat",
        "Reverse charge on €149.00 €0.00",
        "Reverse charge: VAT is to be accounted for by the recipient",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("locale", "wording"),
    [
        ("en", "Reverse charge: VAT is to be accounted for by the recipient"),
        ("de", "Steuerschuldnerschaft des Leistungsempfängers"),
        ("fr", "Autoliquidation"),
        ("es", "Inversión del sujeto pasivo"),
    ],
)
def test_reverse_charge_in_the_words_of_the_law(locale: str, wording: str) -> None:
    """The directive's wording, in the customer's language."""
    assert wording in text_of(stories()["reverse"], locale)


@pytest.mark.parametrize(
    ("exemption", "reason", "wording"),
    [
        (ExemptionType.TAX_EXEMPT, EXEMPT_NOTE, "The customer is exempt from tax."),
        (ExemptionType.TAX_EXEMPT, "Certificate 7 #eval", "Certificate 7 #eval"),
        (ExemptionType.EXPORT, "...", "the customer is outside the European Union"),
        (ExemptionType.NOT_REGISTERED, "...", "the seller is not established in"),
        (
            ExemptionType.NO_VAT_TERRITORY,
            TERRITORY_NOTE.format(territory="Canary Islands"),
            "outside the Union's VAT area (Canary Islands; Article 6",
        ),
    ],
)
def test_why_there_is_no_tax(exemption: ExemptionType, reason: str, wording: str) -> None:
    """Each reason in our words; a merchant's own as it is."""
    made = stories()["reverse"]
    assert isinstance(made, InvoiceDocument)
    row = TaxBreakdown(
        name="",
        rate=made.invoice.lines[0].tax_rate,
        code=None,
        taxable=14900,
        tax=0,
        exemption=exemption,
        reason=reason,
    )
    changed = replace(made, invoice=replace(made.invoice, breakdown=(row,)))

    assert wording in text_of(changed, "en-GB")


@pytest.mark.parametrize(
    ("charges", "period"),
    [
        ([monthly("Pro", "49", FEBRUARY, full=FEBRUARY), setup()], "1 Feb – 1 Mar 2026"),
        ([setup()], "1 Mar 2026"),
        ([monthly("Pro", "49"), setup()], "1–31 Mar 2026"),
    ],
)
def test_the_service_period_has_every_line(charges: list[Charge], period: str) -> None:
    """A fee of one day is for that day; what is billed by the period ends before the next."""
    assert f"Service period {period} Due date" in text_of(document(charges), "en-GB")


@pytest.mark.parametrize(
    ("story", "mark", "said"),
    [
        ("draft", "DRAFT", "This is a draft, not an invoice"),
        ("void", "VOID", "This invoice was cancelled on 10 March 2026. Nothing is to be paid."),
        ("returning", "DRAFT", "The refund is under way"),
    ],
)
def test_what_is_not_valid_says_so_across_the_page(story: str, mark: str, said: str) -> None:
    """And in words below; a draft has no number."""
    text = text_of(stories()[story], "en-GB")

    assert mark in text
    assert said in text
    assert ("INV-2026-42" in text.replace("For invoice INV-2026-42", "")) is (story == "void")


def test_a_draft_that_another_invoice_carries() -> None:
    """It says that it is a part, and not that it waits for a number."""
    made = document(
        [monthly("Pro", "49")],
        status=InvoiceStatus.DRAFT,
        consolidated_into_invoice_id=ENTITY.id,
    )

    text = text_of(made, "en-GB")

    assert "This draft is part of another invoice" in text
    assert "has no number yet" not in text


def test_a_final_invoice_has_no_mark() -> None:
    """Nothing is printed across it."""
    text = text_of(stories()["mixed"], "en-GB")

    assert "DRAFT" not in text
    assert "VOID" not in text


def test_a_debit_under_way() -> None:
    """It is not asked for a second time."""
    made = document([monthly("Pro", "49")])
    pending = replace(made.invoice, payment_status=PaymentStatus.PROCESSING)

    text = text_of(replace(made, invoice=pending), "en-GB")

    assert "Your bank is debiting the amount" in text
    assert "Payable by" not in text


def test_what_an_invoice_gives_back() -> None:
    """A total below zero goes to the balance, and nothing is due."""
    made = document([replace(monthly("Pro", "49"), amount=-4900)])

    text = text_of(made, "en-GB")

    assert "Total −€58.80" in text
    assert "Added to account balance €58.80" in text
    assert "Amount due €0.00" in text


def test_what_covers_and_uncovers_an_invoice() -> None:
    """Cancelled, waived, and taken back by the provider: 58.80 - 10 - 20 + 5 are due."""
    made = document([monthly("Pro", "49")])
    changed = replace(made.invoice, cancelled=1000, settled=2000, reversed=500, amount_due=3380)

    text = text_of(replace(made, invoice=changed), "en-GB")

    for row in (
        "Cancelled by credit notes −€10.00",
        "Paid −€20.00",
        "Taken back by the payment provider €5.00",
        "Amount due €33.80",
    ):
        assert row in text


def test_what_came_back_to_spare_went_to_the_balance() -> None:
    """Of 5 that were taken back 2 have returned when they were not needed."""
    made = document([monthly("Pro", "49")])
    changed = replace(
        made.invoice, cancelled=1000, settled=2000, reversed=500, spare=200, amount_due=3380
    )

    text = text_of(replace(made, invoice=changed), "en-GB")

    assert "Taken back by the payment provider €3.00" in text
    assert "Added to account balance €2.00" in text
    assert "Amount due €33.80" in text


def test_a_credit_note_of_what_was_written_off() -> None:
    """What nobody had paid goes to nobody, and the parts sum to the total."""
    made = stories()["credit"]
    assert isinstance(made, CreditNoteDocument)
    note = replace(made.note, credited=made.note.credited - 15, written_off=15)

    text = text_of(replace(made, note=note), "en-GB")

    assert "Total credited €456.64" in text
    assert "Added to account balance €456.49" in text
    assert "Waived, too small to charge €0.15" in text


def test_a_credit_note_names_its_invoice() -> None:
    """Its own number and day, the invoice's, the reason, and where the money goes."""
    text = text_of(stories()["credit"], "en-GB")

    for said in (
        "Credit note number CN-000007",
        "Date of issue 10 March 2026",
        "For invoice INV-2026-42",
        "Invoice date 1 March 2026",
        "Reason Service was not available",
        "Total credited €456.64",
        "Added to account balance €456.64",
        "We are sorry for the interruption.",
    ):
        assert said in text
    assert "Refunded €52.92" in text_of(stories()["refund"], "en-GB")
    assert "Taken off the amount due €456.64" in text_of(stories()["cancelled"], "en-GB")


def test_a_long_invoice() -> None:
    """Sixty lines on three pages: each has the heads, its number, and whose it is."""
    pages = pages_of(paper_of(stories()["long"]))

    assert len(pages) == 3
    for number, page in enumerate(pages, start=1):
        text = " ".join(page.split())
        assert "Description Quantity Unit price Tax Net (EUR)" in text
        assert f"Page {number} of 3" in text
        assert "Acme Cloud SAS" in text
    assert "Invoice INV-2026-42" in pages[1]
    lines = [page.count("Environment") for page in pages]
    assert sum(lines) == 60
    assert min(lines) > 10


async def test_an_invoice_of_five_hundred_lines() -> None:
    """It is made in the time that anybody waits: twenty pages, the sums on the last one."""
    made = document([monthly(f"Line {number}", "1") for number in range(500)])
    found = PdfReader(io.BytesIO((await invoice_pdf(made)).content))

    assert len(found.pages) == 20
    assert "€600.00" in found.pages[-1].extract_text()


@pytest.mark.parametrize("story", ["mixed", "credit", "draft"])
def test_a_document_describes_itself(story: str) -> None:
    """Title, author, language; archivable and accessible by its own word; fonts inside."""
    paper = paper_of(stories()[story], "de-DE")
    reader = PdfReader(io.BytesIO(compiled(paper, NOON)))

    assert reader.metadata is not None
    assert reader.metadata.title == paper.title
    assert reader.metadata.author == "Acme Cloud SAS"
    assert reader.metadata.creation_date == NOON
    root = reader.root_object
    assert str(root["/Lang"]) == "de-DE"
    metadata = root["/Metadata"].get_object()
    assert isinstance(metadata, StreamObject)
    meta = metadata.get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in meta
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in meta
    assert "<pdfuaid:part>1</pdfuaid:part>" in meta
    assert "/StructTreeRoot" in root
    width, height = reader.pages[0].mediabox[2:]
    assert (round(float(width)), round(float(height))) == (595, 842)


def test_the_same_invoice_is_the_same_file() -> None:
    """Byte by byte; another moment, or another figure, is another file."""
    paper = paper_of(stories()["mixed"])
    first = compiled(paper, NOON)

    assert compiled(paper, NOON) == first
    assert compiled(paper, NOON + timedelta(days=1)) != first
    assert compiled(replace(paper, title="Other"), NOON) != first


async def test_files_are_named_by_their_numbers() -> None:
    """As every file system takes them; a draft by its id."""
    invoice, note = stories()["simple"], stories()["credit"]
    assert isinstance(invoice, InvoiceDocument)
    assert isinstance(note, CreditNoteDocument)
    slashed = replace(invoice, invoice=replace(invoice.invoice, number='../R/2026/"7\r\n'))
    draft = replace(invoice, invoice=replace(invoice.invoice, number=None))

    assert (await invoice_pdf(invoice)).name == "INV-2026-42.pdf"
    assert (await invoice_pdf(slashed)).name == "R-2026-7.pdf"
    assert (await invoice_pdf(draft)).name.startswith("inv_")
    assert (await credit_note_pdf(note)).name == "CN-000007.pdf"
    assert (await credit_note_pdf(note)).content.startswith(b"%PDF-1.7")


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that is not made in time is refused with when to ask again."""
    paper = paper_of(stories()["long"])
    monkeypatch.setattr(typesetting, "LIMIT_SECONDS", 0.001)

    with pytest.raises(Busy) as refused:
        await typeset(paper, NOON)

    assert refused.value.retry_after_seconds == 5


def test_pages_can_be_looked_at() -> None:
    """As pictures, one a page."""
    made = pictures(paper_of(stories()["long"]), NOON, 30)

    assert [one[:4] for one in made] == [b"\x89PNG"] * 3


@pytest.mark.parametrize("color", [None, "#ffffff", "#ffff00", "#000000", "teal"])
def test_any_colour_is_set(color: str | None) -> None:
    """White would not be read: the template darkens it."""
    made: Paper = paper_of(
        document(
            [monthly("Pro", "49")],
            entity=replace(ENTITY, brand_color=color),
            coupons=(percent("10"),),
        )
    )

    assert made.accent == (color if color and color[0] == "#" else "#2f4bd8")
    assert len(compiled(made, NOON)) > 10_000
