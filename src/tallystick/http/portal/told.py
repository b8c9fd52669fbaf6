"""What stands on the portal's pages, in the customer's language: rows, statuses, amounts."""

from dataclasses import dataclass
from datetime import date, timedelta

from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.collection import SavedMethod
from tallystick.domain.customer_record import CustomerRecord
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.invoice import PaymentStatus
from tallystick.domain.next_charge import NextCharge
from tallystick.domain.payment import MethodKind
from tallystick.http.pages.invoice_body import (
    InvoiceBody,
    Status,
    invoice_status,
    make_invoice_body,
)
from tallystick.http.pages.method_words import method_words
from tallystick.http.pages.panel import account_rows
from tallystick.http.pages.teller import Teller
from tallystick.locales.addresses import address_lines
from tallystick.services.portal_view import OwnInvoice, OwnSubscription, PortalView


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
class InvoicePage:
    """A customer's invoice, and what they can do about it.

    `download` is where its document is, below its own address; `account` is where what is due
    of it is to be transferred to.
    """

    name: str
    body: InvoiceBody
    pay: str | None
    pays_with: str | None
    hint: str | None
    download: str
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
    """An invoice as its page in the portal tells it."""
    entry, words = own.entry, say.words
    due = say.formats.money(entry.amount_due, entry.currency)
    owes = entry.status.is_owed and entry.amount_due > 0
    pays_with = None if own.pays_with is None else method_words(own.pays_with.method, say)
    hint = None
    account = account_rows(own.account, say)
    if owes and may_manage and not own.can_be_paid and not account:
        waits = entry.payment_status is PaymentStatus.PROCESSING
        hint = words("invoice.processing" if waits else "invoice.no_method", seller=seller)
    pays = own.can_be_paid and may_manage
    return InvoicePage(
        name=encode(Prefix.INVOICE, entry.id),
        body=make_invoice_body(entry, own.explanation, today, say),
        pay=words("invoice.pay", amount=due) if pays else None,
        pays_with=pays_with if pays else None,
        hint=hint,
        download="invoice.pdf",
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
