"""An invoice as its pages tell it: how it stands, its lines, its totals, and why."""

from dataclasses import dataclass
from datetime import date

from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.explain_invoice import InvoiceExplanation
from tallystick.domain.explanation import Covered
from tallystick.domain.invoice import InvoiceStatus, PaymentStatus
from tallystick.domain.sentences import sentence
from tallystick.http.pages.teller import Teller
from tallystick.http.pages.voice import PageVoice
from tallystick.locales.line_names import line_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How something stands; `tone` is one of `good`, `warn`, `bad` and nothing."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of an invoice, and the sentences that lead to its total."""

    name: str
    days: str
    amount: str
    explanation: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceBody:
    """An invoice in words. `facts` are label and value, `totals` kind, label and amount."""

    title: str
    status: Status
    facts: tuple[tuple[str, str], ...]
    memo: str | None
    lines: tuple[Line, ...]
    totals: tuple[tuple[str, str, str], ...]
    explanation: tuple[str, ...]


def make_invoice_body(
    entry: InvoiceEntry, explanation: InvoiceExplanation | None, today: date, say: Teller
) -> InvoiceBody:
    """What every page of an invoice tells of it."""
    words, formats = say.words, say.formats
    facts = [
        (words("receipt.date"), formats.day(entry.invoice_date)),
        (words("invoice.due_date"), formats.day(entry.due_date)),
    ]
    if entry.purchase_order:
        facts.append((words("summary.purchase_order"), entry.purchase_order))
    return InvoiceBody(
        title=words("invoice.title", number=entry.number or ""),
        status=invoice_status(entry, today, say),
        facts=tuple(facts),
        memo=entry.memo,
        lines=_lines(entry, explanation, say),
        totals=_totals(entry, say),
        explanation=_told(explanation, say),
    )


def invoice_status(entry: InvoiceEntry, today: date, say: Teller) -> Status:
    """How an invoice stands, and since or until when."""
    words, day = say.words, say.formats.short_day(entry.due_date)
    if entry.status is not InvoiceStatus.FINALIZED:
        return Status(text=words(f"invoice_status.{entry.status.value}"))
    match entry.payment_status:
        case PaymentStatus.PAID if _is_credited(entry):
            return Status(text=words("invoice.cancelled"))
        case PaymentStatus.PAID:
            return Status(text=words("invoice_status.PAID"), tone="good")
        case PaymentStatus.PROCESSING:
            return Status(text=words("invoice_status.PROCESSING"), tone="warn")
        case PaymentStatus.ERRORED:
            return Status(text=words("invoice_status.ERRORED"), tone="bad")
        case PaymentStatus.UNPAID | PaymentStatus.PARTIALLY_PAID:
            if entry.due_date < today:
                return Status(text=words("invoice_status.OVERDUE", day=day), tone="bad")
            return Status(text=words("invoice_status.OPEN", day=day), tone="warn")


def _is_credited(entry: InvoiceEntry) -> bool:
    """Whether nobody has paid anything of an invoice, because it was credited."""
    return entry.cancelled > 0 and entry.settled - entry.reversed + entry.applied_balance <= 0


def _lines(
    entry: InvoiceEntry, explanation: InvoiceExplanation | None, say: Teller
) -> tuple[Line, ...]:
    told: dict[object, tuple[str, ...]] = {}
    if explanation is not None:
        voice = PageVoice(say)
        told = {
            position: tuple(
                sentence(step, entry.currency, voice)
                for step in one.steps
                if not isinstance(step, Covered)
            )
            for position, one in enumerate(explanation.lines)
        }
    return tuple(
        Line(
            name=line_name(line.name, say.words),
            days=say.formats.span(line.start_date, line.end_date),
            amount=say.formats.money(line.amount, entry.currency),
            explanation=told.get(position, ()),
        )
        for position, line in enumerate(entry.lines)
    )


def _totals(entry: InvoiceEntry, say: Teller) -> tuple[tuple[str, str, str], ...]:
    """Kind, label and amount of each row below the lines."""
    words, currency = say.words, entry.currency
    money, minus = say.formats.money, say.formats.minus
    rows = []
    if entry.discount or entry.tax_amount:
        rows.append(("plain", words("row.subtotal"), money(entry.subtotal, currency)))
    if entry.discount:
        rows.append(("discount", words("row.discount"), minus(entry.discount, currency)))
    rows += [
        (
            "plain",
            words("tax.rate", name=say.tax(one.name), rate=say.formats.percent(one.rate)),
            money(one.tax, currency),
        )
        for one in entry.breakdown
        if one.tax
    ]
    rows.append(("total", words("headline.invoice"), money(entry.total, currency)))
    for key, amount in (
        ("row.balance", entry.applied_balance),
        ("row.written_off", entry.written_off),
        ("invoice.cancelled", entry.cancelled),
        ("invoice.settled", entry.settled - entry.reversed),
    ):
        if amount > 0:
            rows.append(("plain", words(key), minus(amount, currency)))
    if entry.status.is_owed:
        rows.append(("due", words("invoice.left"), money(entry.amount_due, currency)))
    return tuple(rows)


def _told(explanation: InvoiceExplanation | None, say: Teller) -> tuple[str, ...]:
    if explanation is None:
        return ()
    voice = PageVoice(say)
    return tuple(
        sentence(step, explanation.invoice.currency, voice) for step in explanation.steps
    )
