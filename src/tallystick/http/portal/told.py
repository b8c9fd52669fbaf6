"""What stands on the portal's pages, in the customer's language: rows, statuses, amounts."""

from dataclasses import dataclass
from datetime import date, timedelta

from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.collection import SavedMethod
from tallystick.domain.customer_record import CustomerRecord
from tallystick.domain.explain_invoice import InvoiceExplanation
from tallystick.domain.explanation import Covered
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.invoice import InvoiceStatus, PaymentStatus
from tallystick.domain.next_charge import NextCharge
from tallystick.domain.payment import MethodKind
from tallystick.domain.sentences import sentence
from tallystick.http.checkout.panel import account_rows
from tallystick.http.checkout.receipt import method_words
from tallystick.http.checkout.teller import Teller
from tallystick.http.checkout.voice import PageVoice
from tallystick.locales.addresses import address_lines
from tallystick.locales.line_names import line_name
from tallystick.services.portal_view import OwnInvoice, OwnSubscription, PortalView


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How something stands; `tone` is one of `good`, `warn`, `bad` and nothing."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionCard:
    """A subscription of the overview."""

    name: str
    plan: str
    status: Status
    details: tuple[str, ...]
    next: str | None
    can_cancel: bool
    can_keep: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRow:
    """An invoice of the overview."""

    name: str
    number: str
    day: str
    amount: str
    due: str | None
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRow:
    """A saved payment method."""

    name: str
    kind: str
    label: str
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of an invoice, and the sentences that lead to its total."""

    name: str
    days: str
    amount: str
    explanation: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePage:
    """An invoice. `facts`, `totals` and `account` are labels and values.

    `download` is where its document is, below its own address; `account` is where what is due
    of it is to be transferred to.
    """

    name: str
    title: str
    status: Status
    facts: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    totals: tuple[tuple[str, str, str], ...]
    explanation: tuple[str, ...]
    pay: str | None
    pays_with: str | None
    hint: str | None
    download: str
    memo: str | None
    owes: bool
    account: tuple[tuple[str, str], ...]


def subscription_card(own: OwnSubscription, today: date, say: Teller) -> SubscriptionCard:
    """A subscription as the overview tells it."""
    entry = own.entry
    details = []
    if entry.cancelled_on is not None and not own.is_over:
        details.append(say.words("subs.until", day=_last_day(entry.cancelled_on, say)))
    elif entry.end_date is not None and not own.is_over:
        details.append(say.words("subs.ends", day=_last_day(entry.end_date, say)))
    elif not own.is_over:
        details.append(say.words("subs.renews", every=say.words.of(entry.cadence)))
    return SubscriptionCard(
        name=encode(Prefix.SUBSCRIPTION, entry.id),
        plan=entry.plan_name,
        status=_subscription_status(own, today, say),
        details=tuple(details),
        next=None if own.next is None else next_words(own, own.next, say),
        can_cancel=own.ends_if_cancelled is not None,
        can_keep=own.can_be_kept,
    )


def next_words(own: OwnSubscription, coming: NextCharge, say: Teller) -> str:
    """The next charge or invoice: its amount and its day."""
    money = say.formats.money(coming.total, own.entry.currency)
    if coming.has_usage:
        key = "step.usage_only" if coming.total == 0 else "step.with_usage"
        money = say.words(key) if coming.total == 0 else say.words(key, amount=money)
    key = "subs.next_charge" if own.is_charged else "subs.next_invoice"
    return say.words(key, amount=money, day=say.formats.day(coming.on))


def invoice_row(entry: InvoiceEntry, today: date, say: Teller) -> InvoiceRow:
    """An invoice as the overview tells it."""
    partly = 0 < entry.amount_due != entry.total and entry.status.is_owed
    due = say.formats.money(entry.amount_due, entry.currency)
    return InvoiceRow(
        name=encode(Prefix.INVOICE, entry.id),
        number=entry.number or "",
        day=say.formats.short_day(entry.invoice_date),
        amount=say.formats.money(entry.total, entry.currency),
        due=say.words("invoices.open", amount=due) if partly else None,
        status=invoice_status(entry, today, say),
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


def method_row(saved: SavedMethod, today: date, say: Teller) -> MethodRow:
    """A saved method as it may be shown."""
    method, note = saved.method, None
    if method.card_expiry is not None:
        month, _, year = method.card_expiry.partition("/")
        is_over = (int(year), int(month)) < (today.year, today.month)
        key = "methods.expired" if is_over else "methods.expires"
        note = say.words(key, month=f"{month}/{year}")
    kind = "card" if method.kind is MethodKind.CARD else "bank"
    name = encode(Prefix.PAYMENT_METHOD, saved.id)
    return MethodRow(name=name, kind=kind, label=method_words(method, say), note=note)


def invoice_page(
    own: OwnInvoice, today: date, say: Teller, *, may_manage: bool, seller: str
) -> InvoicePage:
    """An invoice as its page tells it."""
    entry, words, formats = own.entry, say.words, say.formats
    due = formats.money(entry.amount_due, entry.currency)
    owes = entry.status.is_owed and entry.amount_due > 0
    facts = [
        (words("receipt.date"), formats.day(entry.invoice_date)),
        (words("invoice.due_date"), formats.day(entry.due_date)),
    ]
    if entry.purchase_order:
        facts.append((words("summary.purchase_order"), entry.purchase_order))
    pays_with = None if own.pays_with is None else method_words(own.pays_with.method, say)
    hint = None
    account = account_rows(own.account, say)
    if owes and may_manage and not own.can_be_paid and not account:
        waits = entry.payment_status is PaymentStatus.PROCESSING
        hint = words("invoice.processing" if waits else "invoice.no_method", seller=seller)
    pays = own.can_be_paid and may_manage
    return InvoicePage(
        name=encode(Prefix.INVOICE, entry.id),
        title=words("invoice.title", number=entry.number or ""),
        status=invoice_status(entry, today, say),
        facts=tuple(facts),
        lines=_lines(own, say),
        totals=_totals(entry, say),
        explanation=_told(own.explanation, say),
        pay=words("invoice.pay", amount=due) if pays else None,
        pays_with=pays_with if pays else None,
        hint=hint,
        download="invoice.pdf",
        memo=entry.memo,
        owes=owes,
        account=account,
    )


def customer_lines(customer: CustomerRecord, say: Teller) -> tuple[str, ...]:
    """Who is billed, line by line."""
    address = customer.billing_address
    lines = (
        customer.name,
        *(() if address is None else address_lines(address, say.words.locale)),
    )
    if customer.vat_number:
        lines = (*lines, say.words("footer.vat_number", number=customer.vat_number))
    return tuple(line for line in lines if line)


def pages_of(view: PortalView, page: int, per_page: int) -> tuple[int | None, int | None]:
    """The pages of newer and of older invoices, None where there are none."""
    newer = page - 1 if page > 0 else None
    older = page + 1 if (page + 1) * per_page < view.invoices_total else None
    return newer, older


def _last_day(end: date, say: Teller) -> str:
    return say.formats.day(end - timedelta(days=1))


def _subscription_status(own: OwnSubscription, today: date, say: Teller) -> Status:
    entry, words = own.entry, say.words
    name = entry.status.value
    if own.is_over:
        return Status(text=words(f"sub_status.{name}"))
    if entry.cancelled_on is not None:
        return Status(text=words("sub_status.ENDING"), tone="warn")
    if name == "PENDING_ACTIVATION" and entry.start_date > today:
        day = say.formats.short_day(entry.start_date)
        return Status(text=words("sub_status.STARTS", day=day))
    tones = {"ACTIVE": "good", "TRIAL_ACTIVE": "good", "SUSPENDED": "bad"}
    return Status(text=words(f"sub_status.{name}"), tone=tones.get(name, "warn"))


def _lines(own: OwnInvoice, say: Teller) -> tuple[Line, ...]:
    entry = own.entry
    told: dict[object, tuple[str, ...]] = {}
    if own.explanation is not None:
        voice = PageVoice(say)
        told = {
            position: tuple(
                sentence(step, entry.currency, voice)
                for step in one.steps
                if not isinstance(step, Covered)
            )
            for position, one in enumerate(own.explanation.lines)
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
