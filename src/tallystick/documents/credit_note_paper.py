"""A credit note as its document says it: what it takes back is written above zero."""

from collections.abc import Iterator
from fractions import Fraction

from tallystick.documents.invoice_paper import writer_of
from tallystick.documents.lines import heads_of, period
from tallystick.documents.paper import Highlight, Pair, Paper, PaperLine, Sum
from tallystick.documents.parties import accent_of, buyer_party, imprint, seller_party
from tallystick.documents.taxes import tax_notes, tax_sums
from tallystick.documents.writer import Writer
from tallystick.domain.credit_note import CreditNoteStatus, CreditType
from tallystick.domain.credit_note_entry import CreditNoteEntry, CreditNoteLineEntry
from tallystick.domain.document_facts import CreditNoteDocument
from tallystick.domain.invoice import average
from tallystick.locales.line_names import line_name


def credit_note_paper(document: CreditNoteDocument) -> Paper:
    """Everything that stands on a credit note, in its customer's language."""
    note, invoice, facts = document.note, document.invoice, document.facts
    write = writer_of(invoice, facts, document.time_zone)
    words = write.words
    number = note.number or words("document.draft")
    heading = words("document.credit_note")
    return Paper(
        language=words.language,
        region=write.region,
        title=words("document.title", kind=heading, number=number),
        accent=accent_of(facts),
        mark=_mark(note, write),
        heading=heading,
        seller=seller_party(invoice.seller, write),
        buyer=buyer_party(invoice.customer, facts, write),
        facts=tuple(_facts(document, write)),
        highlight=_highlight(note, write),
        heads=heads_of(write, discounted=any(line.discount for line in note.lines)),
        lines=tuple(_line(line, document, write) for line in note.lines),
        sums=tuple(_sums(note, write)),
        notes=(*tax_notes(note.breakdown, write), *_state_notes(note, write)),
        transfer=None,
        memo=Pair(label=words("memo.title"), value=note.memo) if note.memo else None,
        imprint=imprint(invoice.seller, write),
        page=words("document.page", page="{page}", pages="{pages}"),
    )


def _mark(note: CreditNoteEntry, write: Writer) -> str | None:
    match note.status:
        case CreditNoteStatus.DRAFT:
            return write.words("document.draft")
        case CreditNoteStatus.VOIDED:
            return write.words("document.note_void")
        case CreditNoteStatus.FINALIZED:
            return None


def _facts(document: CreditNoteDocument, write: Writer) -> Iterator[Pair]:
    note, invoice, words = document.note, document.invoice, write.words

    def fact(key: str, value: str) -> Pair:
        return Pair(label=words(f"fact.{key}"), value=value)

    if note.number:
        yield fact("note_number", note.number)
    yield fact("note_date", write.day_of(note.finalized_at or note.created_at))
    yield fact("of_invoice", note.invoice_number)
    yield fact("of_invoice_date", write.day(invoice.invoice_date))
    if note.reason:
        yield fact("reason", note.reason)
    if invoice.customer.alias:
        yield fact("customer", invoice.customer.alias)
    if invoice.purchase_order:
        yield fact("purchase_order", invoice.purchase_order)
    if document.facts.buyer_reference:
        yield fact("reference", document.facts.buyer_reference)


def _highlight(note: CreditNoteEntry, write: Writer) -> Highlight:
    return Highlight(
        label=write.words("highlight.credited"),
        value=write.money(note.total),
        note=write.words(_said(note)),
    )


def _said(note: CreditNoteEntry) -> str:
    """The key of what is said beside the total."""
    match note.status:
        case CreditNoteStatus.VOIDED:
            return "highlight.void_note"
        case CreditNoteStatus.DRAFT:
            return "highlight.refund_note"
        case CreditNoteStatus.FINALIZED:
            return f"sum.{_goes_to(note)}"


def _goes_to(note: CreditNoteEntry) -> str:
    match note.type:
        case CreditType.CREDIT_TO_BALANCE:
            return "to_balance"
        case CreditType.REFUND:
            return "refunded"
        case CreditType.DEBT_CANCELLATION:
            return "debt"


def _line(line: CreditNoteLineEntry, document: CreditNoteDocument, write: Writer) -> PaperLine:
    decision = document.facts.explanations[line.invoice_line_id].decision
    quantity = line.quantity or None
    return PaperLine(
        name=line_name(line.name, write.words),
        notes=(period(line.start_date, line.end_date, write),),
        quantity="" if quantity is None else write.quantity(quantity),
        unit_price=""
        if quantity is None
        else write.price(average(line.amount, Fraction(quantity), write.currency)),
        amount=write.figure(line.amount),
        discount=write.figure(-line.discount) if line.discount else "",
        tax=write.words("tax.none")
        if decision.exemption is not None or not decision.rates
        else write.formats.percent(line.tax_rate),
        net=write.figure(line.amount - line.discount),
        parts=(),
    )


def _sums(note: CreditNoteEntry, write: Writer) -> Iterator[Sum]:
    """From the lines to the total, and where that goes."""
    words = write.words
    yield Sum(label=words("sum.subtotal"), value=write.money(note.subtotal))
    if note.discount:
        yield Sum(label=words("sum.discount"), value=write.taken_off(note.discount))
        yield Sum(label=words("sum.net"), value=write.money(note.subtotal - note.discount))
    yield from tax_sums(note.breakdown, write)
    yield Sum(label=words("sum.total_credited"), value=write.money(note.total), weight="total")
    if note.status is not CreditNoteStatus.FINALIZED:
        return
    if note.credited:
        yield Sum(label=words("sum.to_balance"), value=write.money(note.credited))
    if note.refunded:
        yield Sum(label=words("sum.refunded"), value=write.money(note.refunded))
    if note.written_off:
        yield Sum(label=words("sum.written_off"), value=write.money(note.written_off))
    if note.type is CreditType.DEBT_CANCELLATION:
        yield Sum(label=words("sum.debt"), value=write.money(note.total))


def _state_notes(note: CreditNoteEntry, write: Writer) -> Iterator[str]:
    if note.status is CreditNoteStatus.DRAFT:
        yield write.words("note.note_draft")
    if note.status is CreditNoteStatus.VOIDED and note.voided_at is not None:
        yield write.words("note.note_void", day=write.day_of(note.voided_at))
