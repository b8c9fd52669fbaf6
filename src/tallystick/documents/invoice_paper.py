"""An invoice as its document says it."""

from collections.abc import Iterator
from datetime import date, timedelta

from tallystick.documents.language import locale_of
from tallystick.documents.lines import heads_of, paper_lines
from tallystick.documents.paper import Highlight, Pair, Paper, Sum
from tallystick.documents.parties import (
    accent_of,
    buyer_party,
    imprint,
    seller_party,
    transfer_to,
)
from tallystick.documents.taxes import tax_notes, tax_sums
from tallystick.documents.writer import Writer, writer_for
from tallystick.domain.billing_entries import InvoiceEntry, TransactionEntry
from tallystick.domain.document_facts import DocumentFacts, InvoiceDocument
from tallystick.domain.invoice import InvoiceStatus, PaymentStatus


def invoice_paper(document: InvoiceDocument) -> Paper:
    """Everything that stands on an invoice, in its customer's language."""
    invoice, facts = document.invoice, document.facts
    write = writer_of(invoice, facts, document.time_zone)
    words = write.words
    discounted = any(line.discount for line in invoice.lines)
    number = invoice.number or words("document.draft")
    heading = words("document.invoice")
    account = facts.account
    return Paper(
        language=words.language,
        region=write.region,
        title=words("document.title", kind=heading, number=number),
        accent=accent_of(facts),
        mark=_mark(invoice, write),
        heading=heading,
        seller=seller_party(invoice.seller, write),
        buyer=buyer_party(invoice.customer, facts, write),
        facts=tuple(_facts(invoice, facts, write)),
        highlight=_highlight(invoice, write),
        heads=heads_of(write, discounted=discounted),
        lines=paper_lines(invoice.lines, facts.explanations, write),
        sums=(*_sums(invoice, write), *_settlement(invoice, write)),
        notes=(*tax_notes(invoice.breakdown, write), *_state_notes(invoice, write)),
        transfer=transfer_to(account, number, write)
        if account is not None and invoice.number and invoice.amount_due
        else None,
        memo=Pair(label=words("memo.title"), value=invoice.memo) if invoice.memo else None,
        imprint=imprint(invoice.seller, write),
        page=words("document.page", page="{page}", pages="{pages}"),
    )


def writer_of(invoice: InvoiceEntry, facts: DocumentFacts, time_zone: str) -> Writer:
    """Who writes to the customer of an invoice, in its language and currency."""
    locale = locale_of(
        facts.locales,
        invoice.customer.billing_address.country,
        invoice.seller.address.country,
    )
    return writer_for(locale, invoice.currency, time_zone)


def _mark(invoice: InvoiceEntry, write: Writer) -> str | None:
    match invoice.status:
        case InvoiceStatus.DRAFT:
            return write.words("document.draft")
        case InvoiceStatus.VOID:
            return write.words("document.void")
        case _:
            return None


def _facts(invoice: InvoiceEntry, facts: DocumentFacts, write: Writer) -> Iterator[Pair]:
    words = write.words

    def fact(key: str, value: str) -> Pair:
        return Pair(label=words(f"fact.{key}"), value=value)

    if invoice.number:
        yield fact("number", invoice.number)
    yield fact("date", write.day(invoice.invoice_date))
    served = service_period(invoice)
    if served is not None:
        yield fact("period", write.formats.span(*served))
    yield fact("due", write.day(invoice.due_date))
    yield fact(
        "terms",
        words.count("terms.days", invoice.net_terms, count=str(invoice.net_terms))
        if invoice.net_terms
        else words("terms.at_once"),
    )
    if invoice.customer.alias:
        yield fact("customer", invoice.customer.alias)
    if invoice.purchase_order:
        yield fact("purchase_order", invoice.purchase_order)
    if facts.buyer_reference:
        yield fact("reference", facts.buyer_reference)


def service_period(invoice: InvoiceEntry) -> tuple[date, date] | None:
    """From the first day that a line is for up to the first one after it; None without lines.

    A fee that is charged once starts and ends on its day, which it is for.
    """
    if not invoice.lines:
        return None
    return (
        min(line.start_date for line in invoice.lines),
        max(max(line.end_date, line.start_date + timedelta(days=1)) for line in invoice.lines),
    )


def _highlight(invoice: InvoiceEntry, write: Writer) -> Highlight:
    words = write.words
    key, amount = "due", invoice.amount_due
    if invoice.status is InvoiceStatus.DRAFT:
        key, amount, note = "total", invoice.total, words("highlight.draft_note")
    elif invoice.status is InvoiceStatus.VOID:
        note = words("highlight.void_note")
    elif invoice.total < 0:
        note = words("highlight.balance_note")
    elif invoice.amount_due == 0:
        is_paid = invoice.settled > 0 or invoice.applied_balance > 0
        key, amount = "total", invoice.total
        note = words("highlight.paid_note" if is_paid else "highlight.nothing_note")
    elif invoice.payment_status is PaymentStatus.PROCESSING:
        note = words("highlight.processing")
    else:
        note = words("highlight.by", day=write.day(invoice.due_date))
    return Highlight(label=words(f"highlight.{key}"), value=write.money(amount), note=note)


def _sums(invoice: InvoiceEntry, write: Writer) -> Iterator[Sum]:
    """From the lines to the total: coupons and taxes."""
    words = write.words
    yield Sum(label=words("sum.subtotal"), value=write.money(invoice.subtotal))
    for coupon in invoice.coupons:
        label = words("sum.coupon", code=coupon.code)
        yield Sum(label=label, value=write.taken_off(coupon.amount))
    if invoice.discount and not invoice.coupons:
        yield Sum(label=words("sum.discount"), value=write.taken_off(invoice.discount))
    if invoice.discount:
        net = invoice.subtotal - invoice.discount
        yield Sum(label=words("sum.net"), value=write.money(net))
    yield from tax_sums(invoice.breakdown, write)
    yield Sum(label=words("sum.total"), value=write.money(invoice.total), weight="total")


def _settlement(invoice: InvoiceEntry, write: Writer) -> Iterator[Sum]:
    """From the total to what is due: balance, payments, what was taken back."""
    words = write.words
    if invoice.status is InvoiceStatus.DRAFT:
        return
    for key, amount in (
        ("balance", invoice.applied_balance),
        ("written_off", invoice.written_off),
        ("cancelled", invoice.cancelled),
    ):
        if amount:
            yield Sum(label=words(f"sum.{key}"), value=write.taken_off(amount))
    yield from _payments(invoice, write)
    # What came back when it was not needed is the customer's, and no longer taken back.
    taken = invoice.reversed - invoice.spare
    if taken:
        yield Sum(label=words("sum.reversed"), value=write.money(taken))
    if invoice.spare:
        yield Sum(label=words("sum.to_balance"), value=write.money(invoice.spare))
    if invoice.total < 0 and invoice.status is not InvoiceStatus.VOID:
        yield Sum(label=words("sum.to_balance"), value=write.money(-invoice.total))
    yield Sum(label=words("sum.due"), value=write.money(invoice.amount_due), weight="due")


def _payments(invoice: InvoiceEntry, write: Writer) -> Iterator[Sum]:
    """Each payment with its day, or what was paid where they do not come to that."""
    words = write.words
    payments = [
        one
        for one in invoice.transactions
        if one.payment_type == "PAYMENT" and one.status == "SETTLED"
    ]
    if sum(one.amount for one in payments) != invoice.settled:
        yield Sum(label=words("sum.settled"), value=write.taken_off(invoice.settled))
        return
    for one in payments:
        yield Sum(
            label=words("sum.payment", day=write.day_of(one.processed_at or one.created_at)),
            note=_paid_with(one, write),
            value=write.taken_off(one.amount),
        )


def _paid_with(payment: TransactionEntry, write: Writer) -> str:
    return "" if payment.method is None else write.method(payment.method)


def _state_notes(invoice: InvoiceEntry, write: Writer) -> Iterator[str]:
    if invoice.status is InvoiceStatus.DRAFT:
        is_member = invoice.consolidated_into_invoice_id is not None
        yield write.words("note.member" if is_member else "note.draft")
    if invoice.status is InvoiceStatus.VOID and invoice.voided_at is not None:
        yield write.words("note.void", day=write.day_of(invoice.voided_at))
