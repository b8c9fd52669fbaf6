"""What confirming costs today: the bill, the balance, the write-off, the coupons, the tax."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.domain.coupons import CouponRefusal, CouponState, CouponTerms
from tallystick.domain.offer import BankTransfer
from tallystick.domain.owed import owed
from tallystick.domain.periods import Cadence, Period, boundary
from tallystick.domain.quote import AttemptKind, LeftOutCoupon, Quote
from tallystick.domain.schedule import ScheduleNotice
from tallystick.domain.tax import Seller, TaxEngine
from tests.domain.offers import (
    OPEN,
    arrears,
    buyer,
    capacity,
    offer,
    once,
    quoted,
    rate,
    seats,
    trial,
    usage,
)
from tests.domain.samples import DAY, fixed, named, percent

MONTHLY = Cadence.MONTHLY
MANUAL = Seller(engine=TaxEngine.MANUAL, country="FR")


def _sums(made: Quote) -> tuple[int, int, int, int]:
    return made.total, made.balance_applied, made.written_off, made.amount_due


def test_first_invoice_of_a_plan() -> None:
    """Rate, seats and a one-time fee, today."""
    made = quoted(offer(rate("29"), seats("10", 3), once("200")))
    assert made.bill is not None
    assert [line.total for line in made.bill.lines] == [2900, 3000, 20000]
    assert _sums(made) == (25900, 0, 0, 25900)
    assert made.period == Period(DAY, date(2024, 2, 1))
    assert (made.kind, made.saves_method) == (AttemptKind.PAYMENT, True)
    assert (made.currency, made.cadence) == ("EUR", Cadence.MONTHLY)
    assert not made.needs_country


def test_first_period_is_prorated_to_the_anchor() -> None:
    """January 17 with anchor 1: 15 of 31 days."""
    made = quoted(offer(rate("31"), anchor=1), date(2024, 1, 17))
    assert made.amount_due == 1500
    assert made.period == Period(date(2024, 1, 17), date(2024, 2, 1))


def test_free_trial_bills_nothing_today() -> None:
    """No invoice in a free trial, a one-time fee included; the period is the trial."""
    made = quoted(offer(rate("49"), once("200"), trial=trial(14)))
    assert made.bill is None
    assert _sums(made) == (0, 0, 0, 0)
    assert made.period == Period(DAY, date(2024, 1, 15))
    assert made.kind is AttemptKind.SETUP


def test_paid_trial_bills_today() -> None:
    """A trial that is not free costs what the plan costs."""
    made = quoted(offer(rate("99"), trial=trial(7, is_free=False)))
    assert made.amount_due == 9900
    assert made.period == Period(DAY, date(2024, 2, 1))


def test_future_start_bills_nothing_today() -> None:
    """Nothing is due before the start, and there is no period yet."""
    made = quoted(offer(rate("49"), start_date=date(2024, 2, 1)))
    assert (made.bill, made.period, made.amount_due) == (None, None, 0)


def test_past_start_is_one_invoice_up_to_today() -> None:
    """From November 15: the periods of November, December and January, one line each."""
    made = quoted(
        offer(rate("35"), arrears("5"), start_date=date(2023, 11, 15)), date(2024, 1, 20)
    )
    assert made.bill is not None
    assert [(line.charge.start, line.charge.amount) for line in made.bill.lines] == [
        (date(2023, 11, 15), 3500),
        (date(2023, 11, 15), 500),
        (date(2023, 12, 15), 3500),
        (date(2023, 12, 15), 500),
        (date(2024, 1, 15), 3500),
    ]
    assert made.amount_due == 11500
    assert made.period == Period(date(2024, 1, 15), date(2024, 2, 15))


def test_free_trial_that_is_over_owes_nothing_before_today() -> None:
    """The day of confirmation is the first billed day and, unless given, the anchor."""
    late = offer(rate("49"), start_date=date(2023, 12, 1), trial=trial(14))
    made = quoted(late, date(2024, 1, 20))
    assert made.amount_due == 4900
    assert made.period == Period(date(2024, 1, 20), date(2024, 2, 20))
    assert made.dates.notices == (ScheduleNotice.TRIAL_ALREADY_OVER,)


def test_trial_that_was_used_is_not_granted_again() -> None:
    """The second time the first period is due at once."""
    made = quoted(offer(rate("49"), trial=trial(14, once_per_customer=True)), trial_used=True)
    assert made.amount_due == 4900
    assert made.dates.notices == (ScheduleNotice.TRIAL_ALREADY_USED,)


def test_start_moved_to_today_moves_the_period() -> None:
    """Promised for January 5, confirmed on the 9th: a full month from the 9th."""
    made = quoted(offer(rate("49"), start_date=date(2024, 1, 5)), date(2024, 1, 9))
    assert made.period == Period(date(2024, 1, 9), date(2024, 2, 9))
    assert made.amount_due == 4900
    assert made.dates.notices == (ScheduleNotice.START_MOVED_TO_TODAY,)


def test_end_date_cuts_the_only_period() -> None:
    """Ten of 31 days."""
    made = quoted(offer(rate("31"), end_date=date(2024, 1, 11)))
    assert made.amount_due == 1000
    assert made.period == Period(DAY, date(2024, 1, 11))


def test_a_contract_wholly_in_the_past() -> None:
    """Everything up to its end is due, the arrears of its last window too."""
    made = quoted(
        offer(
            rate("31"),
            arrears("5"),
            start_date=date(2023, 11, 1),
            end_date=date(2023, 12, 11),
        )
    )
    assert made.amount_due == 3100 + 500 + 1000 + 500
    assert made.period == Period(date(2023, 12, 1), date(2023, 12, 11))
    assert made.upcoming == ()


def test_an_offer_that_is_over_costs_nothing() -> None:
    """An end that is not after the first billed day leaves nothing to quote."""
    made = quoted(offer(rate("31"), once("200"), end_date=DAY))
    assert (made.bill, made.period, made.upcoming) == (None, None, ())


def test_usage_only_bills_nothing_today() -> None:
    """Metered usage is billed when its window ends."""
    made = quoted(offer(usage()))
    assert (made.bill, made.amount_due) == (None, 0)
    assert made.period == Period(DAY, date(2024, 2, 1))


def test_free_plan_bills_nothing() -> None:
    """No items, no bill, no method."""
    made = quoted(offer(trial=trial(90)))
    assert (made.bill, made.upcoming) == (None, ())
    assert made.kind is AttemptKind.NONE
    assert not made.saves_method


# Balance and write-off.


@pytest.mark.parametrize(
    ("balance", "applied", "due"),
    [(0, 0, 3500), (1000, 1000, 2500), (3500, 3500, 0), (9999, 3500, 0)],
)
def test_balance_pays_first(balance: int, applied: int, due: int) -> None:
    """The balance covers up to the total; the rest is due."""
    made = quoted(offer(rate("35")), balance_available=balance)
    assert _sums(made) == (3500, applied, 0, due)


def test_below_the_least_charge_is_written_off() -> None:
    """What the provider cannot charge is not asked for; the method is saved for later."""
    made = quoted(offer(rate("0.30")), chargeable=lambda amount: amount >= 50)
    assert _sums(made) == (30, 0, 30, 0)
    assert (made.kind, made.saves_method) == (AttemptKind.SETUP, True)


def test_the_rest_below_the_balance_is_written_off() -> None:
    """35.00 less 34.70: the 0.30 left cannot be charged."""
    made = quoted(
        offer(rate("35"), charge_automatically=False),
        balance_available=3470,
        chargeable=lambda amount: amount >= 50,
    )
    assert _sums(made) == (3500, 3470, 30, 0)
    assert made.kind is AttemptKind.NONE


def test_an_invoice_to_be_transferred_is_never_too_small() -> None:
    """No provider is asked about money that comes another way."""
    made = quoted(
        offer(rate("0.30"), payment=BankTransfer(), charge_automatically=False),
        chargeable=lambda _: False,
    )
    assert _sums(made) == (30, 0, 0, 30)


# Coupons.


def test_coupons_add_up_in_their_order() -> None:
    """10 % first, then five euros, on 49.00."""
    terms = (fixed("5", "FIVE"), percent("10", "TEN"))
    made = quoted(offer(rate("49"), coupons=terms))
    assert made.bill is not None
    assert [(one.code, one.amount) for one in made.bill.coupons] == [
        ("TEN", 490),
        ("FIVE", 500),
    ]
    assert made.amount_due == 3910


def test_code_of_the_page_adds_up_and_merges() -> None:
    """A code typed on the page counts with the others, and once when it is among them."""
    ten, five = percent("10", "TEN"), fixed("5", "FIVE")
    states = {ten.id: OPEN, five.id: OPEN}
    both = quoted(offer(rate("49"), coupons=(ten,)), page_coupon=five, coupon_states=states)
    assert (both.amount_due, both.coupons) == (3910, (ten, five))
    same = quoted(offer(rate("49"), coupons=(ten,)), page_coupon=ten, coupon_states=states)
    assert (same.amount_due, same.coupons) == (4410, (ten,))


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (None, CouponRefusal.UNKNOWN),
        (replace(OPEN, disabled=True), CouponRefusal.DISABLED),
        (replace(OPEN, archived=True), CouponRefusal.ARCHIVED),
        (replace(OPEN, redemption_limit=3, taken=3), CouponRefusal.EXHAUSTED),
        (replace(OPEN, plan_ids=frozenset({named("other")})), CouponRefusal.WRONG_PLAN),
        (replace(OPEN, expires_at=datetime(2024, 1, 1, 12, tzinfo=UTC)), CouponRefusal.EXPIRED),
    ],
)
def test_coupon_that_failed_since_is_left_out(
    state: CouponState | None, reason: CouponRefusal
) -> None:
    """The quote goes on without it and names the reason."""
    gone, kept = percent("50", "GONE"), percent("10", "KEPT")
    states = {kept.id: OPEN} | ({} if state is None else {gone.id: state})
    made = quoted(offer(rate("49"), coupons=(gone, kept)), coupon_states=states)
    assert made.left_out == (LeftOutCoupon(code="GONE", reason=reason),)
    assert made.coupons == (kept,)
    assert made.amount_due == 4410


@pytest.mark.parametrize("terms", [percent("100"), fixed("100")])
def test_everything_off_still_makes_a_bill(terms: CouponTerms) -> None:
    """A total of zero is an invoice of zero; the method is saved for the next one."""
    made = quoted(offer(rate("49"), coupons=(terms,)))
    assert made.bill is not None
    assert (made.bill.discount, made.total) == (4900, 0)
    assert made.kind is AttemptKind.SETUP


# Properties.


@settings(max_examples=50)
@given(
    prices=st.lists(st.integers(0, 100_000), min_size=1, max_size=4),
    balance=st.integers(0, 150_000),
    least=st.integers(0, 200),
    off=st.none() | st.integers(1, 100),
    tax=st.sampled_from(["0", "0.055", "0.20"]),
    inclusive=st.booleans(),
    day=st.dates(date(2024, 1, 1), date(2024, 12, 31)),
)
def test_what_is_due_is_the_total_less_what_covers_it(
    prices: list[int],
    balance: int,
    least: int,
    off: int | None,
    tax: str,
    inclusive: bool,
    day: date,
) -> None:
    """Due = total - balance - written off, never below zero; lines sum to the total."""
    items = [
        rate(str(Decimal(price).scaleb(-2)), name=f"Rate {index}")
        for index, price in enumerate(prices)
    ]
    made = quoted(
        offer(
            *items,
            tax_inclusive=inclusive,
            anchor=1,
            coupons=() if off is None else (percent(str(off)),),
        ),
        day,
        seller=MANUAL,
        buyer=buyer(tax),
        balance_available=balance,
        chargeable=lambda amount: amount >= least,
    )
    assert made.bill is not None
    assert sum(line.total for line in made.bill.lines) == made.total
    assert made.amount_due == made.total - made.balance_applied - made.written_off
    assert 0 <= made.amount_due <= made.total
    assert made.balance_applied == min(balance, made.total)
    assert made.written_off in (0, made.total - made.balance_applied)
    assert (made.kind is AttemptKind.PAYMENT) == (made.amount_due > 0)


@settings(max_examples=40)
@given(back=st.integers(0, 366), anchor=st.none() | st.integers(1, 31))
def test_a_past_start_owes_every_period_up_to_todays(back: int, anchor: int | None) -> None:
    """The one invoice is the sum of the invoices that would have been made on their days."""
    today = date(2024, 12, 31)
    made = offer(
        rate("31"),
        capacity("50"),
        arrears("7", Cadence.QUARTERLY),
        once("1"),
        start_date=date.fromordinal(today.toordinal() - back),
        created_on=today,
        anchor=anchor,
    )
    known = quoted(made, today)
    days = [boundary(known.dates.start, known.dates.anchor, MONTHLY, one) for one in range(14)]
    moments = [None, known.dates.start, *(day for day in days if day <= today)]
    one_by_one = sum(
        charge.amount
        for before, day in pairwise(moments)
        if day is not None
        for charge in owed(made, known.dates, until=day, after=before)
    )
    assert known.total == one_by_one
    assert known.period is not None
    assert known.period.start <= today < known.period.end
