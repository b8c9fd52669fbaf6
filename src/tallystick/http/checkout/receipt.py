"""The confirmation: what was bought, the invoice, and how it is or will be paid."""

from dataclasses import dataclass, replace

from tallystick.domain.offer import BankTransfer, Offer
from tallystick.http.checkout.summary import BETWEEN, Row, RowKind, summarize
from tallystick.http.checkout.upcoming import upcoming_amount
from tallystick.http.pages.method_words import method_words
from tallystick.http.pages.panel import account_rows
from tallystick.http.pages.teller import Teller
from tallystick.services.checkout_view import CompletedCard, InvoiceCard, SellerCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The confirmation in the buyer's language. `facts` and `account` are label and value."""

    title: str
    text: str
    facts: tuple[tuple[str, str], ...]
    lines: tuple[Row, ...]
    totals: tuple[Row, ...]
    account: tuple[tuple[str, str], ...]
    account_text: str | None
    has_invoice: bool


def make_receipt(
    card: CompletedCard, offer: Offer, seller: SellerCard, email: str | None, say: Teller
) -> Receipt:
    """The confirmation of a completed checkout."""
    invoice = card.invoice
    by_transfer = isinstance(offer.payment, BankTransfer)
    owes = invoice is not None and invoice.amount_due > 0 and invoice.payment_status == "UNPAID"
    account = account_rows(seller.bank_account, say) if by_transfer and owes else ()
    lines, totals = ((), ()) if invoice is None else _bill(card, offer, say)
    return Receipt(
        title=say.words(f"receipt.title_{_came_to(card)}", plan=offer.plan_name),
        text=say.words("receipt.text", seller=seller.legal_name),
        facts=_facts(card, email, say),
        lines=lines,
        totals=totals,
        account=account,
        account_text=say.words("receipt.transfer_text") if account else None,
        has_invoice=invoice is not None and invoice.number is not None,
    )


def _came_to(card: CompletedCard) -> str:
    if card.quote.dates.in_free_trial:
        return "trial"
    return "later" if card.quote.dates.starts_later else "active"


def _facts(card: CompletedCard, email: str | None, say: Teller) -> tuple[tuple[str, str], ...]:
    facts: list[tuple[str, str]] = []
    invoice = card.invoice
    if invoice is not None:
        if invoice.number:
            facts.append((say.words("receipt.number"), invoice.number))
        facts.append((say.words("receipt.date"), say.formats.day(invoice.invoice_date)))
        facts.append((say.words("receipt.status"), _status(invoice, say)))
    if card.method is not None:
        facts.append((say.words("receipt.method"), method_words(card.method, say)))
        if card.method.mandate_reference:
            facts.append((say.words("mandate.reference"), card.method.mandate_reference))
    for one in card.quote.upcoming[:1]:
        amount = upcoming_amount(one, card.quote.currency, say)
        facts.append((say.words("changed.next"), f"{amount}, {say.formats.day(one.due)}"))
    if email:
        facts.append((say.words("field.email"), email))
    return tuple(facts)


def _status(invoice: InvoiceCard, say: Teller) -> str:
    match invoice.payment_status:
        case "PAID":
            return say.words("receipt.paid")
        case "PROCESSING":
            return say.words("receipt.processing")
        case _:
            return say.words("receipt.unpaid", day=say.formats.day(invoice.due_date))


def _bill(
    card: CompletedCard, offer: Offer, say: Teller
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """The bill as the page showed it before it was paid: lines, totals, and what was due."""
    summary = summarize(card.quote, offer, say)
    lines = tuple(
        Row(
            kind=RowKind.PLAIN,
            label=line.name,
            amount=line.amount,
            note=BETWEEN.join(line.details) or None,
            explanation=line.explanation,
        )
        for line in summary.lines
        if line.amount is not None
    )
    *totals, due = summary.rows
    return lines, (*totals, replace(due, label=say.words("receipt.amount")))
