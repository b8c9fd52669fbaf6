"""The PDF of an invoice and of a credit note, with the name of its file."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from tallystick.documents.credit_note_paper import credit_note_paper
from tallystick.documents.invoice_paper import invoice_paper
from tallystick.documents.logo import LOGOS
from tallystick.documents.paper import Paper
from tallystick.documents.typeset import typeset
from tallystick.domain.document_facts import (
    CreditNoteDocument,
    DocumentFacts,
    InvoiceDocument,
)
from tallystick.domain.ids import Prefix, encode

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pdf:
    """A document's bytes, and what its file is called: by its number, a draft by its id."""

    name: str
    content: bytes


async def invoice_pdf(document: InvoiceDocument) -> Pdf:
    """An invoice as PDF: the same bytes for as long as it, and what it says, are the same.

    It names the moment in which the invoice became final, and of a draft the last change.

    Raises:
        Busy: It could not be made in time.
    """
    invoice = document.invoice
    at = invoice.finalized_at or invoice.updated_at
    content = await _typeset(invoice_paper(document), document.facts, at)
    name = _name(invoice.number or encode(Prefix.INVOICE, invoice.id))
    return Pdf(name=name, content=content)


async def credit_note_pdf(document: CreditNoteDocument) -> Pdf:
    """A credit note as PDF, like an invoice.

    Raises:
        Busy: It could not be made in time.
    """
    note = document.note
    at = note.finalized_at or note.updated_at
    content = await _typeset(credit_note_paper(document), document.facts, at)
    name = _name(note.number or encode(Prefix.CREDIT_NOTE, note.id))
    return Pdf(name=name, content=content)


async def _typeset(paper: Paper, facts: DocumentFacts, at: datetime) -> bytes:
    logo = await LOGOS.of(facts.entity.logo_url)
    return await typeset(paper if logo is None else replace(paper, logo=logo.svg), at)


def _name(number: str) -> str:
    """The number as every file system takes it."""
    return f"{_UNFIT.sub('-', number).strip('-.') or 'document'}.pdf"
