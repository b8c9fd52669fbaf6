"""What the quote says of later charges: the next one, and the first that differs from it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.domain.offer import Offer
from tallystick.domain.owed import meters_close, owed
from tallystick.domain.periods import Cadence, boundary
from tallystick.domain.quote import Quote
from tallystick.domain.tax import Buyer, Seller, TaxEngine
from tallystick.domain.upcoming import UpcomingReason
from tests.domain.offers import (
    arrears,
    capacity,
    offer,
    once,
    quoted,
    rate,
    seats,
    trial,
    usage,
)
from tests.domain.samples import DAY, percent

START, TRIAL_END, RENEWAL, END = UpcomingReason


def _told(made: Quote) -> list[tuple[date, UpcomingReason, int, bool]]:
    return [(one.due, one.reason, one.total, one.has_usage) for one in made.upcoming]


def test_a_plain_plan_renews() -> None:
    """The same amount every month: said once."""
    assert _told(quoted(offer(rate("35")))) == [(date(2024, 2, 1), RENEWAL, 3500, False)]


def test_a_stub_is_followed_by_the_full_price() -> None:
    """The next charge is on the anchor day, in full."""
    made = quoted(offer(rate("35"), anchor=15))
    assert _told(made) == [(date(2024, 1, 15), RENEWAL, 3500, False)]


def test_a_free_trial_says_what_its_end_costs() -> None:
    """On the day it ends the first period and the one-time fee; then the fee is gone."""
    made = quoted(offer(rate("49"), once("200"), trial=trial(14)))
    assert _told(made) == [
        (date(2024, 1, 15), TRIAL_END, 24900, False),
        (date(2024, 2, 15), RENEWAL, 4900, False),
    ]


def test_a_trial_before_a_given_anchor_ends_in_a_stub() -> None:
    """January 15 to February 1 is 17 of 31 days."""
    made = quoted(offer(rate("31"), trial=trial(14), anchor=1))
    assert _told(made) == [
        (date(2024, 1, 15), TRIAL_END, 1700, False),
        (date(2024, 2, 1), RENEWAL, 3100, False),
    ]


def test_a_future_start_says_what_the_start_costs() -> None:
    """Nothing today, the first period on the day it begins."""
    made = quoted(offer(rate("49"), start_date=date(2024, 2, 1)))
    assert _told(made) == [(date(2024, 2, 1), START, 4900, False)]


def test_a_future_start_with_a_trial_says_what_its_end_costs() -> None:
    """The first charge is at the trial's end."""
    made = quoted(offer(rate("49"), start_date=date(2024, 2, 1), trial=trial(7)))
    assert _told(made) == [(date(2024, 2, 8), TRIAL_END, 4900, False)]


def test_a_limited_coupon_says_when_the_price_rises() -> None:
    """Half price for three invoices, today's among them."""
    half = replace(percent("50"), recurring_value=3)
    assert _told(quoted(offer(rate("49"), coupons=(half,)))) == [
        (date(2024, 2, 1), RENEWAL, 2450, False),
        (date(2024, 4, 1), RENEWAL, 4900, False),
    ]


def test_a_coupon_of_one_invoice_waits_for_the_first() -> None:
    """In a free trial the first invoice is the one at its end."""
    first = replace(percent("50"), recurring_value=1)
    assert _told(quoted(offer(rate("49"), coupons=(first,), trial=trial(14)))) == [
        (date(2024, 1, 15), TRIAL_END, 2450, False),
        (date(2024, 2, 15), RENEWAL, 4900, False),
    ]


def test_a_longer_cadence_says_when_it_is_billed_again() -> None:
    """A monthly fee alone, and a year later with the annual one."""
    made = quoted(offer(rate("10"), rate("120", Cadence.ANNUAL, "Annual")))
    assert _told(made) == [
        (date(2024, 2, 1), RENEWAL, 1000, False),
        (date(2025, 1, 1), RENEWAL, 13000, False),
    ]


def test_usage_is_announced_where_its_window_ends() -> None:
    """Quarterly usage beside a monthly fee."""
    made = quoted(offer(rate("10"), usage(cadence=Cadence.QUARTERLY)))
    assert _told(made) == [
        (date(2024, 2, 1), RENEWAL, 1000, False),
        (date(2024, 4, 1), RENEWAL, 1000, True),
    ]


def test_usage_is_not_announced_at_the_end_of_a_trial() -> None:
    """Usage of the trial is never billed."""
    made = quoted(offer(capacity("50"), trial=trial(14)))
    assert _told(made) == [
        (date(2024, 1, 15), TRIAL_END, 5000, False),
        (date(2024, 2, 15), RENEWAL, 5000, True),
    ]


def test_usage_only() -> None:
    """No fixed amount, but the day on which usage is billed."""
    assert _told(quoted(offer(usage()))) == [(date(2024, 2, 1), RENEWAL, 0, True)]
    assert _told(quoted(offer(usage("0")))) == []


def test_arrears_and_usage_are_due_at_the_end() -> None:
    """The last charge stands on the end date, and nothing after it."""
    made = offer(rate("29"), arrears("5"), usage(), end_date=date(2024, 2, 10))
    assert _told(quoted(made)) == [
        (date(2024, 2, 1), RENEWAL, 900 + 500, True),
        (date(2024, 2, 10), END, 500, True),
    ]
    assert _told(quoted(made, date(2024, 2, 10))) == []


def test_an_end_inside_the_first_period_leaves_nothing_to_come() -> None:
    """An advance fee is paid, and nothing follows."""
    assert _told(quoted(offer(rate("31"), end_date=date(2024, 1, 11)))) == []
    with_arrears = offer(rate("31"), arrears("5"), end_date=date(2024, 1, 11))
    assert _told(quoted(with_arrears)) == [(date(2024, 1, 11), END, 500, False)]


def test_billing_cycles_end_the_charges() -> None:
    """Two cycles: one more charge after today's."""
    two = quoted(offer(rate("10"), billing_cycles=2))
    assert _told(two) == [(date(2024, 2, 1), RENEWAL, 1000, False)]
    assert two.dates.end == date(2024, 3, 1)
    assert _told(quoted(offer(rate("10"), billing_cycles=1))) == []


def test_an_end_after_equal_charges_is_told_once() -> None:
    """Arrears of the last, shorter window are the same again."""
    made = offer(arrears("5"), end_date=date(2024, 3, 20))
    assert _told(quoted(made)) == [(date(2024, 2, 1), RENEWAL, 500, False)]


def test_what_the_last_period_leaves_is_no_renewal() -> None:
    """Usage and fees in arrears that are billed after the end are told as such."""
    year = offer(rate("10"), usage(), end_date=date(2025, 1, 1))
    month = offer(rate("10"), usage(), end_date=date(2024, 2, 1))
    arrear = offer(rate("10"), arrears("5", Cadence.ANNUAL), end_date=date(2024, 2, 1))

    assert _told(quoted(year)) == [
        (date(2024, 2, 1), RENEWAL, 1000, True),
        (date(2025, 1, 1), END, 0, True),
    ]
    assert _told(quoted(month)) == [(date(2024, 2, 1), END, 0, True)]
    assert [(due, reason) for due, reason, *_ in _told(quoted(arrear))] == [
        (date(2024, 2, 1), END)
    ]


def test_an_end_far_away_says_what_its_last_period_costs() -> None:
    """Two years of full months, then ten of 31 days."""
    made = offer(rate("31"), end_date=date(2026, 1, 11))
    assert _told(quoted(made)) == [
        (date(2024, 2, 1), RENEWAL, 3100, False),
        (date(2026, 1, 1), RENEWAL, 1000, False),
    ]


def test_a_coupon_that_takes_nothing_off_changes_nothing() -> None:
    """No seats yet cost nothing, also when it has run out."""
    made = offer(seats("10", 0), coupons=(replace(percent("50", "HALF"), recurring_value=2),))
    assert _told(quoted(made)) == [(date(2024, 2, 1), RENEWAL, 0, False)]


def test_a_boundary_today_is_billed_today() -> None:
    """A past start whose period ends today: the next charge is a month away."""
    made = quoted(offer(rate("10"), start_date=date(2023, 12, 1)))
    assert made.amount_due == 2000
    assert _told(made) == [(date(2024, 2, 1), RENEWAL, 1000, False)]


def test_only_one_time_fees_have_no_future() -> None:
    """Paid today; and in a trial, once at its end."""
    assert _told(quoted(offer(once("200")))) == []
    later = quoted(offer(once("200"), trial=trial(14)))
    assert _told(later) == [(date(2024, 1, 15), TRIAL_END, 20000, False)]


@pytest.mark.parametrize(
    "made",
    [
        offer(rate("0")),
        offer(rate("0"), seats("0", 5), usage("0")),
        offer(rate("0"), trial=trial(14)),
        offer(rate("0"), start_date=date(2024, 2, 1)),
        offer(rate("0"), once("200")),
        offer(rate("0"), end_date=date(2024, 6, 1)),
        offer(rate("0"), rate("120", Cadence.ANNUAL, "Year"), end_date=date(2024, 6, 1)),
    ],
    ids=["free", "all of it", "trial", "later", "after a fee", "end", "paid for until the end"],
)
def test_where_nothing_can_be_owed_nothing_is_to_come(made: Offer) -> None:
    """A charge of zero is no charge: none is announced where there can be no other."""
    assert _told(quoted(made)) == []


def test_a_charge_of_zero_is_told_where_others_can_come() -> None:
    """A month for nothing, then 35.00; and no seats yet, of which some can be added."""
    month = replace(percent("100"), recurring_value=2)
    assert _told(quoted(offer(rate("35"), coupons=(month,)))) == [
        (date(2024, 2, 1), RENEWAL, 0, False),
        (date(2024, 3, 1), RENEWAL, 3500, False),
    ]
    assert _told(quoted(offer(seats("10", 0)))) == [(date(2024, 2, 1), RENEWAL, 0, False)]


def test_later_charges_are_taxed_by_the_rate_of_their_day() -> None:
    """Estonia raised its rate from 22 to 24 % on July 1, 2025."""
    made = quoted(
        offer(rate("100")),
        date(2025, 5, 15),
        seller=Seller(engine=TaxEngine.EU_VAT, country="EE"),
        buyer=Buyer(country="EE"),
    )
    assert made.amount_due == 12200
    assert _told(made) == [
        (date(2025, 6, 15), RENEWAL, 12200, False),
        (date(2025, 7, 15), RENEWAL, 12400, False),
    ]


@pytest.mark.parametrize(
    ("start", "due"),
    [
        (date(2024, 1, 31), date(2024, 2, 29)),
        (date(2023, 1, 30), date(2023, 2, 28)),
        (date(2023, 12, 31), date(2024, 1, 31)),
        (date(2024, 2, 29), date(2024, 3, 29)),
    ],
)
def test_renewals_fall_on_the_anchor_or_the_last_day(start: date, due: date) -> None:
    """Anchors past the end of a month fall on its last day."""
    assert quoted(offer(rate("35"), created_on=start), start).upcoming[0].due == due


HORIZON = DAY + timedelta(days=1900)

ITEMS = [
    rate("31"),
    rate("90", Cadence.QUARTERLY, "Quarterly"),
    rate("365", Cadence.ANNUAL, "Annual"),
    seats("7.77", 3),
    capacity("50", cadence=Cadence.SEMIANNUAL),
    arrears("60", Cadence.QUARTERLY),
    once("200"),
    usage(),
]


CHOSEN = st.lists(st.sampled_from(ITEMS), min_size=1, max_size=4, unique=True)
STARTS = st.none() | st.integers(-366, 90)
TRIAL_DAYS = st.integers(0, 40)
IS_FREE = st.booleans()
DAYS_TO_THE_END = st.none() | st.integers(1, 500)
ANCHORS = st.none() | st.integers(1, 31)


@st.composite
def offers(draw: st.DrawFn) -> Offer:
    """Offers made on DAY, begun before or after it."""
    start = draw(STARTS)
    days = draw(TRIAL_DAYS)
    end = draw(DAYS_TO_THE_END)
    begin = DAY if start is None else DAY + timedelta(days=start)
    return offer(
        *draw(CHOSEN),
        start_date=None if start is None else begin,
        anchor=draw(ANCHORS),
        trial=trial(days, is_free=draw(IS_FREE)) if days else None,
        end_date=None if end is None else begin + timedelta(days=end),
    )


@settings(max_examples=60)
@given(made=offers(), limit=st.none() | st.integers(1, 4))
def test_the_preview_is_what_will_be_owed(made: Offer, limit: int | None) -> None:
    """Day by day for years: the first charge, and the next amount that differs from it."""
    coupons = () if limit is None else (replace(percent("50"), recurring_value=limit),)
    made = replace(made, coupons=coupons)
    shown = quoted(made)
    if shown.dates.is_over:
        assert shown.upcoming == ()
        return
    told = [(one.due, one.total, one.has_usage) for one in shown.upcoming]
    assert told[:2] == _to_come(made, shown, limit)


def _to_come(made: Offer, shown: Quote, limit: int | None) -> list[tuple[date, int, bool]]:
    """The first later invoice, and the first one that differs from it, counted by hand."""
    known = shown.dates
    invoices = 0 if shown.bill is None else 1
    by_day: dict[date, int] = {}
    for one in owed(made, known, until=HORIZON, after=DAY):
        # Advance fees fall due when they begin, arrears when they end.
        due = one.end if "ARREARS" in one.name else one.start
        by_day[due] = by_day.get(due, 0) + one.amount
    found: list[tuple[date, int, bool]] = []
    ends = [boundary(known.billing_start, known.anchor, made.cadence, one) for one in range(40)]
    last = known.end or HORIZON
    for day in sorted({*by_day, *(min(end, last) for end in ends)}):
        closes = meters_close(made, known, day)
        if day <= DAY or (day not in by_day and not closes):
            continue
        invoices += 1
        amount = by_day.get(day, 0)
        if limit is not None and invoices <= limit:
            amount -= (amount + 1) // 2
        if not found or (amount, closes) != found[0][1:]:
            found.append((day, amount, closes))
        if len(found) > 1:
            break
    return found


def test_a_tax_rate_that_changes_later_is_looked_for() -> None:
    """Fourteen months ahead, at the first invoice after the change."""
    made = quoted(
        offer(rate("100")),
        date(2024, 5, 15),
        seller=Seller(engine=TaxEngine.EU_VAT, country="EE"),
        buyer=Buyer(country="EE"),
    )
    assert [(one.due, one.total) for one in made.upcoming] == [
        (date(2024, 6, 15), 12200),
        (date(2025, 7, 15), 12400),
    ]


def test_every_step_to_the_regular_price_is_told() -> None:
    """Half off twice and a fifth off six times: 4.00, then 8.00, then 10.00 for good."""
    coupons = (
        replace(percent("50", "HALF"), recurring_value=2),
        replace(percent("20", "FIFTH"), recurring_value=6),
    )
    shown = quoted(replace(offer(rate("10")), coupons=coupons))
    assert [one.total for one in shown.upcoming] == [400, 800, 1000]


def test_a_price_that_rises_after_years_is_told() -> None:
    """A coupon for 30 invoices ends, and the page says so on the first day."""
    coupons = (replace(percent("50"), recurring_value=30),)
    shown = quoted(replace(offer(rate("10")), coupons=coupons))
    assert [one.total for one in shown.upcoming] == [500, 1000]


def test_every_rhythm_is_told_once() -> None:
    """Monthly 10, quarterly 30, annual 100: each sum of them that falls due on one day."""
    shown = quoted(
        offer(
            rate("10"),
            rate("30", Cadence.QUARTERLY),
            rate("100", Cadence.ANNUAL),
        )
    )
    assert [one.total for one in shown.upcoming] == [1000, 4000, 14000]


def test_a_last_period_that_costs_what_the_first_did_is_told() -> None:
    """16 days of January, February in full, 16 days of March: each differs from the one
    before.
    """
    made = offer(rate("31"), start_date=date(2024, 1, 16), anchor=1, end_date=date(2024, 3, 17))
    shown = quoted(made, DAY)
    assert [one.total for one in shown.upcoming] == [1600, 3100, 1600]
