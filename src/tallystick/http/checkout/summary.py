"""The left side of the page: what is bought, what is due today and how that comes about.

`Summary` is plain text in the buyer's language, ready for the template; every figure in it is
the quote's own.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from tallystick.domain.bill import Bill, BillLine, TaxBreakdown
from tallystick.domain.charges import Item
from tallystick.domain.coupons import CouponTerms
from tallystick.domain.offer import Offer
from tallystick.domain.pricing import FeeType, UsagePricing
from tallystick.domain.quote import Quote
from tallystick.domain.tax import EXEMPT_NOTE, ExemptionType
from tallystick.http.checkout.explain import (
    UnitPrice,
    explain_lines,
    price_words,
    unit_price_of,
    usage_table,
    usage_words,
)
from tallystick.http.checkout.upcoming import Step, renewal_note, steps, upcoming_amount
from tallystick.http.pages.teller import Teller

_SHORT = 2
BETWEEN = " \N{MIDDLE DOT} "
"""Stands between facts of one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that is bought. `amount` is None, and `tag` says when, if billed later."""

    name: str
    details: tuple[str, ...]
    amount: str | None
    tag: str | None
    explanation: tuple[str, ...]


class RowKind(StrEnum):
    """How a row of the totals is set."""

    PLAIN = "plain"
    DISCOUNT = "discount"
    INCLUDED = "included"
    TOTAL = "total"
    DUE = "due"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the totals, with a small note below it where one is needed.

    `explanation` says how its amount came about, where that is not told elsewhere.
    """

    kind: RowKind
    label: str
    amount: str
    note: str | None = None
    code: str | None = None
    explanation: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The one figure that must be understood at a glance."""

    label: str
    figure: str
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Everything that the left side says about the offer."""

    plan: str
    headline: Headline
    lines: tuple[Line, ...]
    rows: tuple[Row, ...]
    steps: tuple[Step, ...]
    renewal: str | None
    notices: tuple[str, ...]
    memo: str | None
    purchase_order: str | None

    @property
    def folds(self) -> bool:
        """Whether a phone shows the lines on demand only, so that the form is not far down."""
        return len(self.lines) > _SHORT

    @property
    def is_short(self) -> bool:
        """Whether it fits beside the form and may stay in sight while the form is scrolled."""
        return len(self.lines) <= _SHORT and not self.notices and self.memo is None


def summarize(quote: Quote, offer: Offer, say: Teller) -> Summary:
    """The quote of an offer in the buyer's language."""
    return Summary(
        plan=offer.plan_name,
        headline=_headline(quote, offer, say),
        lines=_lines(quote, offer, say),
        rows=_rows(quote, offer, say),
        steps=steps(quote, offer, say),
        renewal=renewal_note(quote, offer, say),
        notices=_notices(quote, say),
        memo=offer.invoice_memo,
        purchase_order=offer.purchase_order,
    )


def _headline(quote: Quote, offer: Offer, say: Teller) -> Headline:
    figure = say.formats.money(quote.amount_due, quote.currency)
    label = "headline.due" if offer.payment.type == "online" else "headline.invoice"
    if quote.dates.in_free_trial:
        label = "headline.trial"
        days = (quote.dates.billing_start - quote.dates.today).days
        figure = say.words.count("headline.days_free", days, days=say.formats.number(days))
    elif quote.dates.starts_later:
        label = "headline.starts"
        figure = say.formats.day(quote.dates.start)
    after = None
    if quote.upcoming:
        one = quote.upcoming[0]
        after = say.words(
            "headline.then",
            amount=upcoming_amount(one, quote.currency, say),
            day=say.formats.day(one.due),
        )
    elif offer.payment.type != "online" and quote.amount_due:
        due = quote.dates.today + timedelta(days=offer.net_terms)
        after = say.words("headline.due_by", day=say.formats.day(due))
    return Headline(label=say.words(label), figure=figure, after=after)


def _lines(quote: Quote, offer: Offer, say: Teller) -> tuple[Line, ...]:
    """The billed lines in the bill's order, then the items of which nothing is billed today."""
    items = {item.id: item for item in offer.items}
    billed = () if quote.bill is None else quote.bill.lines
    seen = {line.charge.item_id for line in billed}
    told = [] if quote.bill is None else explain_lines(quote.bill, items, say)
    return (
        *(
            _billed(line, items.get(line.charge.item_id), quote.currency, say, explanation)
            for line, explanation in zip(billed, told, strict=True)
        ),
        *(_later(item, quote, say) for item in offer.items if item.id not in seen),
        *(() if offer.items else (_nothing(offer, say),)),
    )


def _nothing(offer: Offer, say: Teller) -> Line:
    """What stands for a plan of which nothing is ever billed."""
    tag = say.words("line.free")
    return Line(name=offer.plan_name, details=(), amount=None, tag=tag, explanation=())


def _billed(
    line: BillLine, item: Item | None, currency: str, say: Teller, explanation: tuple[str, ...]
) -> Line:
    charge = line.charge
    how = charge.computation
    is_once = how.fee is FeeType.ONE_TIME
    price = UnitPrice(
        price=how.unit_price,
        quantity=how.quantity,
        unit=how.unit_name,
        cadence=None if is_once or item is None else item.cadence,
    )
    when = [] if is_once else [say.formats.span(charge.start, charge.end)]
    if charge.is_prorated:
        when.append(
            say.words(
                "line.prorated",
                days=say.formats.number(how.days),
                full_days=say.formats.number(how.full_days),
            )
        )
    # What a change gives back is of an item that is offered no more: its rhythm is not known.
    priced = [] if item is None and not is_once else [price_words(price, currency, say)]
    details = [*priced, *([BETWEEN.join(when)] if when else [])]
    return Line(
        name=charge.name,
        details=tuple(details),
        amount=say.formats.money(charge.amount, currency),
        tag=None,
        explanation=explanation,
    )


def _later(item: Item, quote: Quote, say: Teller) -> Line:
    currency = quote.currency
    fixed = unit_price_of(item)
    usage = usage_words(item, currency, say)
    if isinstance(item.pricing, UsagePricing):
        tag = say.words("line.metered")
    elif quote.dates.in_free_trial:
        tag = say.words("line.after_trial")
    elif quote.dates.starts_later:
        tag = say.words("line.from_start")
    else:
        tag = say.words("line.later")
    details = [] if fixed is None else [price_words(fixed, currency, say)]
    if usage is not None:
        details.append(usage)
    return Line(
        name=item.name,
        details=tuple(details),
        amount=None,
        tag=tag,
        explanation=tuple(usage_table(item, currency, say)),
    )


def _rows(quote: Quote, offer: Offer, say: Teller) -> tuple[Row, ...]:
    money = say.formats.money
    currency = quote.currency
    rows: list[Row] = []
    if quote.bill is not None:
        rows.extend(_bill_rows(quote.bill, quote, say))
    else:
        rows.extend(
            Row(
                kind=RowKind.DISCOUNT,
                label=say.words("row.discount"),
                code=terms.code,
                amount=say.words("row.later"),
                note=_duration(terms, say),
            )
            for terms in quote.coupons
        )
    if quote.balance_applied:
        rows.append(
            Row(
                kind=RowKind.DISCOUNT,
                label=say.words("row.balance"),
                amount=say.formats.minus(quote.balance_applied, currency),
            )
        )
    if quote.written_off:
        rows.append(
            Row(
                kind=RowKind.DISCOUNT,
                label=say.words("row.written_off"),
                amount=say.formats.minus(quote.written_off, currency),
                note=say.words("row.written_off_note"),
            )
        )
    label = "row.due" if offer.payment.type == "online" else "row.invoice_due"
    due = Row(
        kind=RowKind.DUE, label=say.words(label), amount=money(quote.amount_due, currency)
    )
    return (*rows, due)


def _bill_rows(bill: Bill, quote: Quote, say: Teller) -> list[Row]:
    """Subtotal, coupons, taxes, and the total where something else is taken off below it."""
    money = say.formats.money
    terms = {one.id: one for one in quote.coupons}
    rows = [
        Row(
            kind=RowKind.PLAIN,
            label=say.words("row.subtotal"),
            amount=money(bill.quoted_subtotal, bill.currency),
        )
    ]
    rows.extend(
        Row(
            kind=RowKind.DISCOUNT,
            label=say.words("row.discount"),
            code=one.code,
            amount=say.formats.minus(one.amount, bill.currency),
            note=_duration(terms[one.coupon_id], say) if one.coupon_id in terms else None,
        )
        for one in bill.coupons
    )
    rows.extend(_tax_row(one, bill, say) for one in bill.breakdown)
    if quote.needs_country:
        rows.append(
            Row(
                kind=RowKind.PLAIN,
                label=say.words("tax.tax"),
                amount=say.words("row.needs_country"),
            )
        )
    if quote.balance_applied or quote.written_off:
        rows.append(
            Row(
                kind=RowKind.TOTAL,
                label=say.words("row.total"),
                amount=money(bill.total, bill.currency),
            )
        )
    return rows


def _tax_row(one: TaxBreakdown, bill: Bill, say: Teller) -> Row:
    money = say.formats.money
    if one.exemption is not None:
        custom = one.exemption is ExemptionType.TAX_EXEMPT and one.reason != EXEMPT_NOTE
        return Row(
            kind=RowKind.PLAIN,
            label=say.words.of(one.exemption),
            amount=money(0, bill.currency),
            note=one.reason if custom else say.words(f"exemption_note.{one.exemption.value}"),
        )
    percent = say.formats.percent(one.rate)
    tax = say.words("tax.rate", name=say.tax(one.name), rate=percent)
    return Row(
        kind=RowKind.INCLUDED if bill.inclusive else RowKind.PLAIN,
        label=say.words("row.included", tax=tax) if bill.inclusive else tax,
        amount=money(one.tax, bill.currency),
        note=say.words("row.on", amount=money(one.taxable, bill.currency)),
    )


def _duration(terms: CouponTerms, say: Teller) -> str | None:
    if terms.recurring_value is None:
        return None
    count = terms.recurring_value
    return say.words.count("coupon.invoices", count, count=say.formats.number(count))


def _notices(quote: Quote, say: Teller) -> tuple[str, ...]:
    return (
        *(say.words.of(notice) for notice in quote.dates.notices),
        *(
            say.words("coupon.left_out", code=one.code, reason=say.words.of(one.reason))
            for one in quote.left_out
        ),
    )
