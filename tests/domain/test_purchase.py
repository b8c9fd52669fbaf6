"""What a successful attempt makes: the subscription, and the golden first invoices."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tallystick.domain.attempt import Attempt, AwaitChallenge, after_standing
from tallystick.domain.invoice import InvoiceStatus, PaymentStatus
from tallystick.domain.offer import BankTransfer, Offer
from tallystick.domain.payment import NeedsAction
from tallystick.domain.periods import Cadence
from tallystick.domain.purchase import (
    Subscription,
    SubscriptionStatus,
    invoice_of,
    subscription_of,
)
from tallystick.domain.quote import AttemptKind
from tests.cases.golden import case, row_id, rows
from tests.domain.offers import golden_offer, offer, once, rate, recurring, seats, trial, usage
from tests.domain.purchases import CUSTOMER, attempt
from tests.domain.samples import DAY, named, percent

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
STATUS = SubscriptionStatus


def _bought(made: Offer, today: date = DAY) -> Subscription:
    return subscription_of(attempt(made, today))


def _period(bought: Subscription) -> tuple[date, date | None, int]:
    return bought.current_period_start, bought.current_period_end, bought.cycle_index


def test_a_subscription_is_what_was_offered() -> None:
    """Ids, offer and dates are the attempt's; it is active from the claim on."""
    made = offer(rate("35"))
    claimed = attempt(made)
    assert subscription_of(claimed) == Subscription(
        id=named("subscription"),
        customer_id=CUSTOMER.id,
        offer=made,
        dates=claimed.obligation.quote.dates,
        status=STATUS.ACTIVE,
        cadence=Cadence.MONTHLY,
        current_period_start=DAY,
        current_period_end=date(2024, 2, 1),
        cycle_index=0,
        mrr=3500,
        payment_method_id=named("method"),
        checkout_session_id=named("session"),
        activated_at=NOON,
        created_at=NOON,
    )


def test_free_trial() -> None:
    """The period is the trial."""
    bought = _bought(offer(rate("49"), trial=trial(14)))
    assert bought.status is STATUS.TRIAL_ACTIVE
    assert _period(bought) == (DAY, date(2024, 1, 15), 0)
    assert bought.activated_at == NOON


def test_paid_trial() -> None:
    """In its trial by name, in its first period by date."""
    bought = _bought(offer(rate("99"), trial=trial(7, is_free=False)))
    assert bought.status is STATUS.TRIAL_ACTIVE
    assert _period(bought) == (DAY, date(2024, 2, 1), 0)


def test_paid_trial_longer_than_the_subscription() -> None:
    """Forty days of trial in a month: on trial until the end, which no day follows."""
    made = offer(rate("99"), trial=trial(40, is_free=False), end_date=date(2024, 2, 1))
    bought = _bought(made)
    assert bought.status is STATUS.TRIAL_ACTIVE
    assert bought.dates.coming_trial_end is None


def test_paid_trial_that_is_over() -> None:
    """Begun a month ago: active, in its second period, and its trial was had."""
    made = offer(rate("99"), trial=trial(7, is_free=False), start_date=date(2023, 12, 1))
    bought = _bought(made, date(2024, 1, 10))
    assert bought.status is STATUS.ACTIVE
    assert _period(bought) == (date(2024, 1, 1), date(2024, 2, 1), 1)
    assert (bought.dates.trial_days, bought.dates.trial_end) == (7, date(2023, 12, 8))


@pytest.mark.parametrize(
    ("today", "status"),
    [
        (date(2024, 1, 7), STATUS.TRIAL_ACTIVE),
        (date(2024, 1, 8), STATUS.ACTIVE),
        (date(2024, 2, 1), STATUS.ACTIVE),
    ],
)
def test_golden_paid_trial_keeps_its_days(today: date, status: STATUS) -> None:
    """TRI-04: seven days, while it runs and ever after."""
    made = golden_offer("TRI-04", start_date=DAY, created_on=today)
    steps = case("TRI-04")["expected"]["per_step"]
    step = next(one for one in steps if one["subscription"]["status"] == status.value.lower())
    bought = _bought(made, today)
    assert bought.status is status
    assert bought.dates.trial_days == step["subscription"]["trial_days"] == 7


def test_golden_paid_trial_of_years_ago() -> None:
    """MIG-06: a paid trial that ended long ago is kept, and cycles count from the start."""
    row = next(one for one in rows("MIG-06") if one["plan"] == "PAID_TRIAL")
    made = offer(rate("99"), trial=trial(14, is_free=False), start_date=DAY)
    bought = _bought(replace(made, created_on=date(2026, 1, 10)), date(2026, 1, 10))
    assert (bought.status.value.lower(), bought.dates.trial_days) == (row["status"], 14)
    assert row["trial_days"] == 14
    assert bought.cycle_index == 24 > row["cycle_index_gt"]


def test_future_start() -> None:
    """Pending, without a period that ends, not active yet."""
    bought = _bought(offer(rate("49"), start_date=date(2024, 2, 1), trial=trial(7)))
    assert bought.status is STATUS.PENDING_ACTIVATION
    assert _period(bought) == (date(2024, 2, 1), None, 0)
    assert bought.activated_at is None
    assert bought.created_at == NOON


def test_past_start() -> None:
    """In the period that contains today; a first stub counts as one."""
    made = offer(rate("49"), start_date=date(2023, 11, 15), anchor=1)
    bought = _bought(made, date(2024, 1, 20))
    assert bought.status is STATUS.ACTIVE
    assert _period(bought) == (date(2024, 1, 1), date(2024, 2, 1), 2)


def test_a_contract_wholly_in_the_past_is_completed() -> None:
    """It keeps the period that its end cut, and brings in nothing more."""
    made = offer(rate("49"), start_date=date(2023, 11, 1), end_date=date(2023, 12, 11))
    bought = _bought(made)
    assert bought.status is STATUS.COMPLETED
    assert _period(bought) == (date(2023, 12, 1), date(2023, 12, 11), 1)
    assert bought.mrr == 0


@pytest.mark.parametrize(("end", "status"), [(1, STATUS.COMPLETED), (2, STATUS.ACTIVE)])
def test_the_end_is_the_first_day_not_covered(end: int, status: STATUS) -> None:
    """An end today is an end; an end tomorrow is a day to live."""
    made = offer(rate("49"), start_date=date(2023, 12, 1), end_date=date(2024, 1, end))
    assert _bought(made).status is status


def test_monthly_revenue_is_the_fixed_fees_by_their_months() -> None:
    """29.00 + 3 x 10.00 + 90.00 / 3 + 120.00 / 12; usage, setup and coupons do not count."""
    made = offer(
        rate("29"),
        seats("10", 3),
        rate("90", Cadence.QUARTERLY, "Quarterly"),
        recurring("120", Cadence.ANNUAL),
        usage(),
        once("200"),
        coupons=(percent("50"),),
    )
    assert _bought(made).mrr == 2900 + 3000 + 3000 + 1000


def test_monthly_revenue_counts_from_the_purchase_on() -> None:
    """29.00 a month in a free trial and before a start to come, too."""
    for terms in ({"trial": trial(14)}, {"start_date": date(2024, 2, 1)}):
        assert _bought(offer(rate("29"), **terms)).mrr == 2900


def test_live_states_hold_a_place() -> None:
    """All but those in which nothing is delivered any more."""
    assert {status for status in STATUS if not status.is_live} == {
        STATUS.TRIAL_EXPIRED,
        STATUS.CANCELLED,
        STATUS.COMPLETED,
        STATUS.SUPERSEDED,
    }


@pytest.mark.parametrize("case_id", ["PAY-12"])
def test_recording_late_makes_the_same(case_id: str) -> None:
    """PAY-12: nothing of it depends on when the news of the money came."""
    assert case(case_id)["expected"]["invoice_count"] == 1
    made = golden_offer(case_id, charge_automatically=True)
    claimed = attempt(made, date(2024, 1, 20))
    bought, invoice = subscription_of(claimed), invoice_of(claimed, pending=False)
    assert bought == subscription_of(claimed)
    assert invoice == invoice_of(claimed, pending=False)
    assert invoice is not None
    assert (bought.dates.start, bought.dates.billing_start) == (date(2024, 1, 20),) * 2
    assert bought.current_period_start == date(2024, 1, 20)
    assert (invoice.total, invoice.amount_due) == (3500, 0)
    assert invoice.payment_status is PaymentStatus.PAID


# Golden stories, as far as a checkout's first step goes.

STEP_0 = [
    ("SUB-01", date(2024, 1, 31)),
    ("SUB-03", date(2025, 10, 8)),
    ("SUB-09", date(2024, 1, 31)),
    ("TRI-01", DAY),
    ("TRI-04", DAY),
    ("TRI-06", DAY),
    ("UBB-01", DAY),
    ("PCH-11", date(2025, 1, 1)),
    ("PCH-13", date(2025, 1, 1)),
    ("PCH-14", date(2025, 1, 1)),
    ("PCH-16", DAY),
    ("CPN-01", DAY),
    ("CPN-03", DAY),
    ("CPN-04", DAY),
    ("CPN-06", DAY),
]
"""Stories that begin on the day of their start; their first step is what a checkout makes."""

CONFIRMED = [
    ("TRI-11", None),
    ("CPN-13", None),
    ("CPN-14", None),
    ("CPN-16", "confirmed quote"),
]
"""Stories whose step 1 is a checkout on the day of their start."""


def _checks(expected: dict[str, Any], claimed: Attempt) -> None:
    bought, invoice = subscription_of(claimed), invoice_of(claimed, pending=False)
    figures = {
        "status": bought.status.value.lower(),
        "trial_days": bought.dates.trial_days,
        "cycle_index": bought.cycle_index,
        "period_start": bought.current_period_start.isoformat(),
        "period_end": (bought.current_period_end or date.max).isoformat(),
        "mrr": bought.mrr,
    }
    wanted = {name: value for name, value in expected.items() if name in figures}
    assert wanted
    assert {name: figures[name] for name in wanted} == wanted
    assert (invoice is None) == (bought.dates.in_free_trial)


def _invoiced(golden: dict[str, Any], claimed: Attempt) -> None:
    invoice = invoice_of(claimed, pending=False)
    if invoice is None:
        return
    (expected, *_) = golden["expected"]["invoices"]
    figures = {
        "total": invoice.total,
        "subtotal": invoice.subtotal,
        "discount": invoice.discount,
        "coupon_count": len(invoice.coupons),
        "invoice_date": invoice.invoice_date.isoformat(),
        "prorated": any(
            line.explanation.computation.days != line.explanation.computation.full_days
            for line in invoice.lines
        ),
    }
    wanted = {name: value for name, value in expected.items() if name in figures}
    assert "total" in wanted
    assert {name: figures[name] for name in wanted} == wanted


@pytest.mark.parametrize(("case_id", "today"), STEP_0)
def test_golden_first_step(case_id: str, today: date) -> None:
    """Status, period, revenue and first invoice are the case's."""
    decided = {"PCH-14": "closed capacity window"}.get(case_id)
    golden = case(case_id, decided=decided)
    claimed = attempt(golden_offer(case_id, decided=decided), today)
    steps = golden["expected"].get("per_step") or [golden["expected"]]
    subscription = steps[0].get("subscription", {}) | golden["expected"].get("initial", {})
    _checks(subscription or {"cycle_index": 0}, claimed)
    _invoiced(golden, claimed)


@pytest.mark.parametrize(("case_id", "decided"), CONFIRMED)
def test_golden_checkout(case_id: str, decided: str | None) -> None:
    """Confirming on the first day: no money at zero, the method saved, the coupon counted."""
    golden = case(case_id, decided=decided)
    claimed = attempt(golden_offer(case_id, decided=decided))
    assert (claimed.kind, claimed.amount) == (AttemptKind.SETUP, 0)
    steps = golden["expected"].get("per_step", [{}, {"subscription": {"cycle_index": 0}}])
    _checks(steps[1]["subscription"] | {"cycle_index": 0}, claimed)
    upcoming = claimed.obligation.quote.upcoming[0]
    if claimed.obligation.quote.dates.in_free_trial:
        assert upcoming.total == golden["expected"]["invoices"][0]["total"]
    else:
        _invoiced(golden, claimed)


def test_golden_coupon_that_runs_out() -> None:
    """CPN-14: nothing today, the full price on February 1."""
    golden = case("CPN-14")
    made = golden_offer("CPN-14")
    limited = replace(made, coupons=(replace(made.coupons[0], recurring_value=1),))
    claimed = attempt(limited)
    _invoiced(golden, claimed)
    second = golden["expected"]["invoices"][1]
    assert [(one.due, one.total) for one in claimed.obligation.quote.upcoming] == [
        (date(2024, 2, 1), second["total"])
    ]


@pytest.mark.parametrize(
    "row",
    [row for row in rows("ACT-01") if row["activation"] == "on_start"],
    ids=row_id,
)
def test_golden_states_at_the_start(row: dict[str, Any]) -> None:
    """ACT-01: what begins today, with a trial or without."""
    days = row["trial_days"]
    is_free = row["plan"] != "PAID_TRIAL"
    prices = {"LEETCODE": "35", "PAID_FREE_TRIAL": "49", "PAID_TRIAL": "99"}
    made = offer(
        rate(prices[row["plan"]]), trial=trial(days, is_free=is_free) if days else None
    )
    claimed = attempt(made)
    invoice = invoice_of(claimed, pending=False)
    assert subscription_of(claimed).status.value.lower() == row["status"]
    assert (invoice is not None) == bool(row["invoices"])
    if invoice is not None:
        assert invoice.total == row["total"]


@pytest.mark.parametrize(("case_id", "pending"), [("CHK-01", False), ("CHK-03", True)])
def test_golden_checkout_by_card_and_by_debit(case_id: str, pending: bool) -> None:
    """CHK-01: paid from record on. CHK-03: an accepted debit finalizes and activates."""
    decided = None if pending else "the invoice exists from record on"
    told = case(case_id, decided=decided)["expected"]
    expected = (told if pending else told["per_step"][3])["invoices"][0]
    claimed = attempt(golden_offer(case_id, decided=decided), date(2024, 1, 9))
    invoice = invoice_of(claimed, pending=pending)
    assert invoice is not None
    assert subscription_of(claimed).status is STATUS.ACTIVE
    assert invoice.status.value.lower() == expected["status"]
    assert invoice.payment_status.value.lower() == expected["payment_status"]
    assert invoice.total == expected["total"]


@pytest.mark.parametrize("case_id", ["CHK-04"])
def test_golden_card_with_a_challenge(case_id: str) -> None:
    """CHK-04: nothing stands until the buyer has answered."""
    made = golden_offer(case_id, decided="the invoice exists from record on")
    step = after_standing(attempt(made), NeedsAction("https://bank.example"), give_up=False)
    assert isinstance(step, AwaitChallenge)


@pytest.mark.parametrize("case_id", ["TRI-13"])
def test_golden_late_checkout_is_never_back_billed(case_id: str) -> None:
    """TRI-13: after the trial's end, a full period from the day of confirmation."""
    golden = case(case_id, decided="never back-billed")
    made = golden_offer(case_id, decided="never back-billed", start_date=DAY)
    late = replace(made, created_on=date(2024, 1, 2))
    claimed = attempt(late, date(2024, 1, 20))
    _invoiced(golden, claimed)
    assert _period(subscription_of(claimed)) == (date(2024, 1, 20), date(2024, 2, 20), 0)


def test_golden_free_plan() -> None:
    """TRI-08: a free plan makes no invoice and asks for no method."""
    assert case("TRI-08")["expected"]["final"]["invoice_count"] == 0
    claimed = attempt(golden_offer("TRI-08"))
    assert invoice_of(claimed, pending=False) is None
    assert claimed.kind is AttemptKind.NONE
    assert subscription_of(claimed).payment_method_id is None


def test_golden_end_in_the_past() -> None:
    """MIG-03: completed at once, with the period that the end cut."""
    golden = case("MIG-03")
    given, expected = golden["input"], golden["expected"]["subscription"]
    today = date.fromisoformat(given["today"])
    made = offer(
        rate("35"),
        created_on=today,
        start_date=date.fromisoformat(given["start_date"]),
        end_date=date.fromisoformat(given["end_date"]),
    )
    bought = _bought(made, today)
    assert bought.status.value.lower() == expected["status"]
    assert bought.current_period_end == date.fromisoformat(expected["period_end"])
    begins = golden["derived"]["subscription"]["period_start"]
    assert bought.current_period_start == date.fromisoformat(begins)


def test_what_is_transferred_later_is_active_at_once() -> None:
    """A purchase on account has its finalized, unpaid invoice."""
    made = offer(rate("35"), payment=BankTransfer(), charge_automatically=False)
    claimed = attempt(made)
    invoice = invoice_of(claimed, pending=False)
    assert subscription_of(claimed).status is STATUS.ACTIVE
    assert invoice is not None
    assert (invoice.status, invoice.payment_status, invoice.amount_due) == (
        InvoiceStatus.FINALIZED,
        PaymentStatus.UNPAID,
        3500,
    )
