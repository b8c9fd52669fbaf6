"""The quote: what an offer costs this buyer today and what it will cost next, and why.

The page shows it, the confirmation presents it, the claim compares it with today's, the
attempt owns it and `record` writes it verbatim. Its identity is the hash of its canonical
form, which holds the amounts, dates and currency that the page shows and nothing else.

Left out is what cannot change alone. The frozen offer fixes the unit prices and quantities of
items that are not billed today, the rates, steps and allowances of usage, and on how many
invoices a coupon applies. From the figures of the form and the offer follow the day by which
an invoice is to be paid, the days of a full period beside a stub, how long a free trial lasts,
what a line's tax is taken on, and the amounts on the way from a unit price to a line.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from tallystick.domain.bill import Bill, bill, settle
from tallystick.domain.charges import Charge
from tallystick.domain.coupons import CouponRefusal, CouponState, CouponTerms, refusal
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.minimums import shortfalls
from tallystick.domain.offer import Offer, OnlinePayment
from tallystick.domain.owed import owed
from tallystick.domain.periods import Cadence, Period
from tallystick.domain.schedule import Schedule, last_living_day, period_containing, schedule
from tallystick.domain.tax import (
    Buyer,
    ProductTaxRule,
    Seller,
    TaxDecision,
    VatClass,
    decide,
    needs_country,
)
from tallystick.domain.upcoming import Upcoming, applying, can_owe_later, upcoming_charges


class AttemptKind(StrEnum):
    """What confirming the quote does at the payment provider."""

    PAYMENT = "PAYMENT"
    SETUP = "SETUP"
    NONE = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductTax:
    """The tax settings of a product: its own rules, and its class for the EU engine."""

    rules: tuple[ProductTaxRule, ...] = ()
    vat_class: VatClass = VatClass.STANDARD


_NO_TAX_SETTINGS = ProductTax()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteFacts:
    """Everything outside the offer that a quote depends on, read in one go.

    `balance_available` is the customer's balance in the offer's currency less holds, minor
    units. `coupon_states` holds the present state of every coupon of the offer and of the
    page's code; one that is missing is gone. `chargeable` says whether the provider can
    charge an amount.
    """

    now: datetime
    today: date
    seller: Seller
    buyer: Buyer
    trial_used: bool
    balance_available: int
    coupon_states: Mapping[UUID, CouponState]
    product_taxes: Mapping[UUID, ProductTax]
    chargeable: Callable[[int], bool]
    page_coupon: CouponTerms | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutCoupon:
    """A coupon of the offer that cannot be redeemed any more, and why."""

    code: str
    reason: CouponRefusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What confirming costs today (`amount_due`), how it comes about, and what follows.

    `bill` is None when no invoice is made today. `total` - `balance_applied` - `written_off`
    = `amount_due`; a total below zero leaves nothing due, and goes to the balance. `period` is
    the subscription's period that the first invoice opens, or the free trial, or None before a
    future start. `minimum` is what each period will cost at least. `adjusts`: the bill is that
    of a change within a period, which it does not open.
    """

    currency: str
    kind: AttemptKind
    saves_method: bool
    dates: Schedule
    cadence: Cadence
    period: Period | None
    bill: Bill | None
    balance_applied: int
    written_off: int
    amount_due: int
    upcoming: tuple[Upcoming, ...]
    coupons: tuple[CouponTerms, ...]
    left_out: tuple[LeftOutCoupon, ...]
    needs_country: bool
    minimum: MinimumCommitment | None = None
    adjusts: bool = False

    def __post_init__(self) -> None:
        """What is due is what is billed, less what the balance and the write-off cover."""
        payable = max(self.total, 0)
        assert payable - self.balance_applied - self.written_off == self.amount_due
        assert self.amount_due >= 0
        assert (self.kind is AttemptKind.PAYMENT) <= (self.amount_due > 0)

    @property
    def total(self) -> int:
        """The total of today's invoice in minor units; 0 when there is none."""
        return 0 if self.bill is None else self.bill.total

    @property
    def canonical(self) -> str:
        """What the page shows in one fixed text: amounts, dates and the currency.

        What follows from them or from the frozen offer is left out, see above.
        """
        return json.dumps(_canonical(self), sort_keys=True, separators=(",", ":"))

    @property
    def id(self) -> str:
        """The identity of what was shown: the SHA-256 of the canonical form, in hex."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()


def quote(offer: Offer, facts: QuoteFacts) -> Quote:
    """Price `offer` for this buyer on this day; see `Quote`."""
    dates = schedule(offer, facts.today, trial_used=facts.trial_used)
    coupons, left_out = _redeemable(offer, facts)

    # Few products have settings of their own: most lines of a day share one decision.
    decided: dict[tuple[int, date], TaxDecision] = {}

    def rates_on(product_id: UUID, day: date) -> TaxDecision:
        product = facts.product_taxes.get(product_id, _NO_TAX_SETTINGS)
        key = (id(product), day)
        known = decided.get(key)
        if known is None:
            known = decide(facts.seller, facts.buyer, product.rules, product.vat_class, day)
            decided[key] = known
        return known

    def priced(charges: tuple[Charge, ...], invoice: int, day: date) -> Bill:
        return bill(
            charges,
            currency=offer.currency,
            coupons=applying(coupons, invoice),
            decision_of=lambda product_id: rates_on(product_id, day),
            inclusive=offer.tax_inclusive,
        )

    first = _owed_today(offer, dates)
    today_bill = priced(first, 0, facts.today) if first else None
    later = upcoming_charges(
        offer, dates, coupons, rates_on, priced, 0 if today_bill is None else 1
    )
    met = settle(0 if today_bill is None else today_bill.total, facts.balance_available)
    is_online = isinstance(offer.payment, OnlinePayment)
    too_small = is_online and met.amount_due > 0 and not facts.chargeable(met.amount_due)
    due = 0 if too_small else met.amount_due
    pays = is_online and due > 0
    # What is paid with is kept for whatever may come; nobody is asked for a method that
    # nothing can ever be charged to.
    saves = is_online and offer.charge_automatically and (pays or can_owe_later(offer, dates))
    return Quote(
        currency=offer.currency,
        kind=_kind(pays=pays, saves=saves),
        saves_method=saves,
        dates=dates,
        cadence=offer.cadence,
        period=_first_period(offer, dates),
        bill=today_bill,
        balance_applied=met.balance_applied,
        written_off=met.amount_due - due,
        amount_due=due,
        upcoming=later,
        coupons=coupons,
        left_out=left_out,
        needs_country=needs_country(facts.seller, facts.buyer),
        minimum=offer.minimum,
    )


def _kind(*, pays: bool, saves: bool) -> AttemptKind:
    if pays:
        return AttemptKind.PAYMENT
    return AttemptKind.SETUP if saves else AttemptKind.NONE


def _owed_today(offer: Offer, dates: Schedule) -> tuple[Charge, ...]:
    """Everything that is owed by today, with what elapsed periods lack of their minimum."""
    if not dates.bills_today:
        return ()
    return (
        *owed(offer, dates, until=dates.today),
        *shortfalls(offer, dates, until=dates.today),
    )


def _redeemable(
    offer: Offer, facts: QuoteFacts
) -> tuple[tuple[CouponTerms, ...], tuple[LeftOutCoupon, ...]]:
    """The coupons that still count, duplicates merged, and those that do not, with the
    reason.
    """
    wanted = {terms.id: terms for terms in offer.coupons}
    if facts.page_coupon is not None:
        wanted.setdefault(facts.page_coupon.id, facts.page_coupon)
    counted: list[CouponTerms] = []
    left_out: list[LeftOutCoupon] = []
    for terms in wanted.values():
        state = facts.coupon_states.get(terms.id)
        reason = (
            CouponRefusal.UNKNOWN
            if state is None
            else refusal(
                terms, state, plan_id=offer.plan_id, currency=offer.currency, now=facts.now
            )
        )
        if reason is None:
            counted.append(terms)
        else:
            left_out.append(LeftOutCoupon(code=terms.code, reason=reason))
    return tuple(counted), tuple(left_out)


def _first_period(offer: Offer, dates: Schedule) -> Period | None:
    if dates.starts_later or dates.is_over:
        return None
    if dates.in_free_trial:
        return Period(dates.start, dates.billing_start)
    return period_containing(offer, dates, last_living_day(dates, dates.today))


def _canonical(quote: Quote) -> dict[str, object]:
    dates = quote.dates
    shown = quote.bill
    return {
        "currency": quote.currency,
        "invoice_date": dates.today.isoformat(),
        "start": dates.start.isoformat(),
        "billing_start": dates.billing_start.isoformat(),
        "trial_end": _iso(dates.coming_trial_end),
        "end": _iso(dates.end),
        "period_end": _iso(quote.period.end if quote.period else None),
        "lines": []
        if shown is None
        else [
            {
                "start": line.charge.start.isoformat(),
                "end": line.charge.end.isoformat(),
                "quantity": line.charge.computation.quantity,
                "unit_price": _plain(line.charge.computation.unit_price),
                "amount": line.charge.amount,
                "discount": line.discount,
                "tax_rate": _plain(line.tax_rate),
                "taxes": [[_plain(one.rate.rate), one.amount] for one in line.taxes],
                "total": line.total,
            }
            for line in shown.lines
        ],
        "subtotal": 0 if shown is None else shown.quoted_subtotal,
        "discounts": [] if shown is None else [one.amount for one in shown.coupons],
        "tax": []
        if shown is None
        else [[_plain(one.rate), one.taxable, one.tax] for one in shown.breakdown],
        "total": quote.total,
        "balance": quote.balance_applied,
        "written_off": quote.written_off,
        "due": quote.amount_due,
        "upcoming": [[one.due.isoformat(), one.total] for one in quote.upcoming],
    }


def _plain(number: Decimal) -> str:
    """A number as text, the same however many zeros it is stored with."""
    return f"{number.normalize():f}"


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
