"""Every figure of an invoice stands on its document, to the cent, in all four languages."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from babel import Locale

from tallystick.documents.writer import writer_for
from tallystick.domain.billing_entries import InvoiceLineEntry
from tallystick.domain.credit_note_entry import CreditNoteLineEntry
from tallystick.domain.document_facts import CreditNoteDocument
from tallystick.domain.money import exponent, major
from tallystick.domain.sub_lines import sub_lines
from tests.documents.reading import Document, text_of
from tests.documents.stories import stories

STORIES = stories()
SIGNS = {"en-GB": (",", "."), "de-DE": (".", ","), "fr-FR": (" ", ","), "es-ES": (".", ",")}
"""What groups thousands and what stands before the decimals."""


def written(amount: int, currency: str, locale: str) -> str:
    """An amount as people of a language write it, without its currency."""
    group, point = SIGNS[locale]
    text = f"{abs(major(amount, currency)):,.{exponent(currency)}f}"
    return text.replace(",", "_").replace(".", point).replace("_", group)


def figures(document: Document) -> set[int]:
    """Every amount that a document must name."""
    if isinstance(document, CreditNoteDocument):
        note = document.note
        found = _of_lines(note.lines) | {note.subtotal, note.total}
        found |= {note.credited, note.refunded} if note.number else set()
        rows = note.breakdown
    else:
        entry = document.invoice
        found = _of_lines(entry.lines) | {entry.subtotal, entry.total}
        found |= {one.amount for one in entry.coupons}
        found |= {one.amount for one in entry.transactions}
        found |= {entry.applied_balance, entry.amount_due} if entry.number else set()
        for line in entry.lines:
            found |= {part.total for part in sub_lines(line, entry.currency)}
        rows = entry.breakdown
    return (found | {amount for row in rows for amount in (row.taxable, row.tax)}) - {0}


def _of_lines(lines: Sequence[InvoiceLineEntry | CreditNoteLineEntry]) -> set[int]:
    return {amount for one in lines for amount in (one.discount, one.amount - one.discount)}


CASES = [(name, locale) for name in STORIES for locale in SIGNS if name != "long"]


@pytest.mark.parametrize(("name", "locale"), [*CASES, ("long", "en-GB")])
def test_every_figure_is_there(name: str, locale: str) -> None:
    """Lines, parts, discounts, taxes and what they are on, sums, payments, what is due."""
    document = STORIES[name]
    entry = document.invoice
    text = text_of(document, locale)
    missing = {
        amount
        for amount in figures(document)
        if written(amount, entry.currency, locale) not in text
    }

    assert missing == set()


@pytest.mark.parametrize(
    ("locale", "rows"),
    [
        (
            "en-GB",
            [
                "Software 1–31 Mar 2026 1 149.00 149.00 −28.32 19% 120.68",
                "Subtotal €499.00",
                "Discount SPRING15 −€74.85",
                "Discount WELCOME −€20.00",
                "Net amount €404.15",
                "VAT 19% on €201.67 €38.32",
                "VAT 7% on €202.48 €14.17",
                "Total €456.64",
                "Amount due €456.64",
            ],
        ),
        (
            "de-DE",
            [
                "Software 1.–31. März 2026 1 149,00 149,00 −28,32 19 % 120,68",
                "Zwischensumme 499,00 €",
                "Rabatt SPRING15 −74,85 €",
                "Nettobetrag 404,15 €",
                "MwSt. 19 % auf 201,67 € 38,32 €",
                "MwSt. 7 % auf 202,48 € 14,17 €",
                "Gesamtbetrag 456,64 €",
                "Zu zahlen 456,64 €",
            ],
        ),
        (
            "fr-FR",
            [
                "Software 1–31 mars 2026 1 149,00 149,00 −28,32 19 % 120,68",
                "Sous-total 499,00 €",
                "Remise SPRING15 −74,85 €",
                "Total HT 404,15 €",
                "TVA 19 % sur 201,67 € 38,32 €",
                "Total TTC 456,64 €",
                "Montant dû 456,64 €",
            ],
        ),
        (
            "es-ES",
            [
                "Software 1–31 mar 2026 1 149,00 149,00 −28,32 19 % 120,68",
                "Subtotal 499,00 €",
                "Descuento SPRING15 −74,85 €",
                "Base imponible 404,15 €",
                "IVA 19 % sobre 201,67 € 38,32 €",
                "Total 456,64 €",
                "Importe a pagar 456,64 €",
            ],
        ),
    ],
)
def test_a_figure_stands_beside_its_label(locale: str, rows: list[str]) -> None:
    """Two rates and two coupons: what is read aloud says what each amount is."""
    text = text_of(STORIES["mixed"], locale)

    assert [row for row in rows if row not in text] == []


def test_parts_of_usage_stand_below_their_line() -> None:
    """Tiers with their flat fee, rows of a matrix, blocks of a package, overage."""
    text = text_of(STORIES["usage"], "en-GB")

    for row in (
        "API calls 1–28 Feb 2026 15,240 20% 255.50",
        "From 0 to below 1,000 units 1,000 0.00 0.00",
        "From 1,000 to below 10,000 units 9,000 0.02 180.00",
        "From 10,000 units, plus €10.00 flat 5,240 0.0125 75.50",
        "region eu-west 812.5 0.09 73.12",
        "Text messages 1–28 Feb 2026 · 1,234 used, in blocks of 100 13 5.00 20% 65.00",
        "Storage 1–28 Feb 2026 · 612 used, 500 included 112 20% 33.60",
        "Beyond what is included 112 0.30 33.60",
    ):
        assert row in text


def test_what_was_paid_and_when() -> None:
    """EUR 52.92 less EUR 10 of balance and EUR 42.92 by card on March 10: nothing is due."""
    text = text_of(STORIES["simple"], "en-GB")

    for row in (
        "Total €52.92",
        "Paid from account balance −€10.00",
        "Paid on 10 March 2026 Visa ending in 4242 −€42.92",
        "Amount due €0.00",
        "Paid, thank you",
    ):
        assert row in text


def test_currencies_have_their_own_decimals() -> None:
    """The yen has none, the dinar three."""
    assert "¥5,478,000" in text_of(STORIES["jpy"], "en-GB")
    assert "KWD 1,234.567" in text_of(STORIES["kwd"], "en-GB")


def test_a_part_of_a_period_says_so() -> None:
    """22 of 31 days at EUR 49 with tax included: 34.77, of which 5.80 is tax."""
    text = text_of(STORIES["inclusive"], "en-GB")

    assert "Pro plan 10–31 Mar 2026 · 22 of 31 days 1 28.97 20% 28.97" in text
    assert "Total €34.77" in text


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        ("49", "49.00"),
        ("0.000125", "0.000125"),
        ("33.333333333333", "33.3333…"),
        ("-5", "−5.00"),
    ],
)
def test_prices_are_shown_as_they_are(price: str, shown: str) -> None:
    """With all their decimals, unless there are more than anybody reads: then it says so."""
    write = writer_for(Locale("en", "GB"), "EUR", "Europe/Paris")

    assert write.price(Decimal(price)) == shown
