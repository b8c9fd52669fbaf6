"""Documents as a reader's program reads them."""

import io
import re
from dataclasses import replace
from functools import cache

from pypdf import PdfReader

from tallystick.documents.credit_note_paper import credit_note_paper
from tallystick.documents.invoice_paper import invoice_paper
from tallystick.documents.paper import Paper
from tallystick.documents.typeset import compiled
from tallystick.domain.document_facts import CreditNoteDocument, InvoiceDocument
from tests.documents.papers import NOON

Document = InvoiceDocument | CreditNoteDocument


def paper_of(document: Document, locale: str | None = None) -> Paper:
    """The paper of a document, in another locale if one is given."""
    facts = document.facts if locale is None else replace(document.facts, locales=(locale,))
    match document:
        case InvoiceDocument():
            return invoice_paper(replace(document, facts=facts))
        case CreditNoteDocument():
            return credit_note_paper(replace(document, facts=facts))


@cache
def pages_of(paper: Paper) -> tuple[str, ...]:
    """The text of each page, as it can be copied out of the PDF."""
    reader = PdfReader(io.BytesIO(compiled(paper, NOON)))
    return tuple(page.extract_text() for page in reader.pages)


def plain(text: str) -> str:
    """The text with every blank a plain one."""
    return re.sub(r"\s+", " ", text)


def text_of(document: Document, locale: str | None = None) -> str:
    """All text of a document, every blank a plain one."""
    return plain(" ".join(pages_of(paper_of(document, locale))))
