"""Start, anchor, end and trial: which days are billed. Today is Tuesday, 10 March 2026."""

from datetime import date

import pytest

from tests.http.purchase.market import Json, Market, Purchase


def span(bought: Purchase) -> list[tuple[date, date]]:
    """The days of each line."""
    return [(line.start_date, line.end_date) for line in bought.invoice.line_items]


def period(bought: Purchase) -> tuple[date, date | None]:
    """The subscription's current period."""
    found = bought.subscription
    return found.current_period_start, found.current_period_end


def day(text: str) -> date:
    """A day of 2026 as MM-DD, of another year in full."""
    return date.fromisoformat(text if len(text) > 5 else f"2026-{text}")


def test_a_start_today(market: Market) -> None:
    """A start today is billed today, for a whole month."""
    session = market.offer(billing_start_date=day("03-10"))
    bought = market.buy(session)

    assert session.billing_start_date == day("03-10")
    assert bought.subscription.start_date == bought.subscription.billing_start_date
    assert bought.subscription.start_date == day("03-10")
    assert span(bought) == [(day("03-10"), day("04-10"))]
    assert bought.lines == [("Fee", 4900)]


def test_no_start_is_the_day_of_confirmation(market: Market) -> None:
    """Without a start, the session has none, and the subscription starts when it is bought."""
    session = market.offer()
    bought = market.buy(session)

    assert session.billing_start_date is None
    assert bought.subscription.start_date == day("03-10")


def test_a_start_in_the_past(market: Market) -> None:
    """Everything since the start is on one invoice of today, a line for each period."""
    bought = market.bought(billing_start_date=day("01-20"))

    assert span(bought) == [
        (day("01-20"), day("02-20")),
        (day("02-20"), day("03-20")),
    ]
    assert [amount for _, amount in bought.lines] == [4900, 4900]
    assert bought.invoice.invoice_date == day("03-10")
    assert bought.invoice.total == 9800
    assert bought.subscription.start_date == day("01-20")
    assert bought.subscription.billing_day_anchor == 20
    assert period(bought) == (day("02-20"), day("03-20"))


def test_a_start_in_the_future(market: Market) -> None:
    """A method is saved and nothing charged; the subscription waits for its day."""
    before = market.charges()
    session = market.offer(billing_start_date=day("04-01"))
    bought = market.buy(session)

    assert market.session(session.id)["amount_due"] == 0
    assert bought.invoices == []
    assert market.charges() == before
    assert bought.subscription.status == "PENDING_ACTIVATION"
    assert bought.subscription.activated_at is None
    assert bought.subscription.start_date == day("04-01")
    assert period(bought) == (day("04-01"), None)
    assert bought.wire["payment_method_id"] is not None


def test_an_anchor(market: Market) -> None:
    """The days until the anchor are a stub: 5 of the 28 days before 15 March."""
    session = market.offer(billing_day_anchor=15)
    bought = market.buy(session)

    assert session.billing_day_anchor == 15
    assert bought.lines == [("Fee", 875)]
    assert span(bought) == [(day("03-10"), day("03-15"))]
    assert bought.subscription.billing_day_anchor == 15
    assert period(bought) == (day("03-10"), day("03-15"))


def test_an_anchor_that_has_passed(market: Market) -> None:
    """An anchor earlier in the month ends a stub that reaches into the next: 22 of 31 days."""
    bought = market.bought(billing_day_anchor=1)

    # 4900 x 22/31 = 3477.4
    assert bought.lines == [("Fee", 3477)]
    assert span(bought) == [(day("03-10"), day("04-01"))]


def test_an_anchor_on_the_31st(market: Market) -> None:
    """An anchor on the 31st is the last day of February: 21 of the 31 days since then."""
    bought = market.bought(billing_day_anchor=31)

    assert bought.subscription.billing_day_anchor == 31
    assert span(bought) == [(day("03-10"), day("03-31"))]
    # 4900 x 21/31 = 3319.4
    assert bought.lines == [("Fee", 3319)]


def test_the_plans_anchor(market: Market) -> None:
    """Without an anchor in the request, the plan version's own day holds."""
    own = market.offer("Terms")
    other = market.offer("Terms", billing_day_anchor=10)

    assert (own.billing_day_anchor, other.billing_day_anchor) == (15, 10)
    assert market.buy(own).lines == [("Fee", 875)]
    assert market.buy(other).lines == [("Fee", 4900)]


def test_an_end(market: Market) -> None:
    """The end is the first day not covered: 21 of 31 days are billed."""
    session = market.offer(end_date=day("03-31"))
    bought = market.buy(session)

    # 4900 x 21/31 = 3319.4
    assert bought.lines == [("Fee", 3319)]
    assert span(bought) == [(day("03-10"), day("03-31"))]
    assert bought.subscription.end_date == day("03-31")
    assert period(bought) == (day("03-10"), day("03-31"))
    assert market.session(session.id)["end_date"] == "2026-03-31"


def test_an_end_on_a_boundary(market: Market) -> None:
    """An end at a period's end cuts nothing."""
    bought = market.bought(end_date=day("2027-03-10"))

    assert bought.lines == [("Fee", 4900)]
    assert bought.subscription.end_date == day("2027-03-10")


def test_a_stub_that_is_cut(market: Market) -> None:
    """A stub that is cut short as well has one fraction: 3 of 28 days."""
    bought = market.bought(billing_day_anchor=15, end_date=day("03-13"))

    assert bought.lines == [("Fee", 525)]


@pytest.mark.parametrize(
    ("fields", "first_day"),
    [
        ({"end_date": "2026-03-10"}, "2026-03-10"),
        ({"end_date": "2026-03-09"}, "2026-03-10"),
        ({"billing_start_date": "2026-05-01", "end_date": "2026-05-01"}, "2026-05-01"),
        ({"trial_duration_days": 14, "end_date": "2026-03-24"}, "2026-03-24"),
    ],
)
def test_an_end_before_the_first_billed_day(
    market: Market, fields: Json, first_day: str
) -> None:
    """An end that leaves no day to bill is refused, naming the first billed day."""
    answer = market.create(**fields)

    assert answer.status_code == 400
    (fault,) = answer.json()["errors"]
    assert (fault["field"], fault["code"]) == ("end_date", "too_early")
    assert first_day in fault["message"]


def test_null_is_the_plans_trial(market: Market) -> None:
    """Null grants the plan's free trial: nothing today, the first charge when it ends."""
    before = market.charges()
    session = market.offer("Trial", trial_duration_days=None)
    bought = market.buy(session)

    assert session.trial_duration_days is None
    assert (bought.invoices, market.charges()) == ([], before)
    assert bought.subscription.status == "TRIAL_ACTIVE"
    assert bought.subscription.trial_duration == 14
    assert bought.subscription.start_date == day("03-10")
    assert bought.subscription.billing_start_date == day("03-24")
    assert bought.subscription.billing_day_anchor == 24
    assert period(bought) == (day("03-10"), day("03-24"))
    assert bought.wire["trial_end"] == "2026-03-24"


def test_the_plans_trial_comes_once(roomy: Market) -> None:
    """A customer who had the plan's trial is charged at once, and the quote says why."""
    customer = roomy.bought("Trial").subscription.customer_id
    quote = roomy.preview("Trial", customer_id=customer)
    again = roomy.offer("Trial", customer_id=customer, trial_duration_days=7)

    assert quote["notices"] == ["TRIAL_ALREADY_USED"]
    assert (quote["amount_due"], quote["trial_end"]) == (4900, None)
    # Days that the request gives are always granted.
    assert roomy.session(again.id)["amount_due"] == 0


def test_zero_is_no_trial(market: Market) -> None:
    """Zero days are none, whatever the plan offers."""
    session = market.offer("Trial", trial_duration_days=0)
    bought = market.buy(session)

    assert session.trial_duration_days == 0
    assert bought.lines == [("Fee", 4900)]
    assert (bought.subscription.status, bought.subscription.trial_duration) == ("ACTIVE", None)


def test_so_many_days(market: Market) -> None:
    """N days are N days, also for a plan without a trial of its own."""
    session = market.offer("Starter", trial_duration_days=30)
    bought = market.buy(session)

    assert session.trial_duration_days == 30
    assert bought.invoices == []
    assert bought.subscription.trial_duration == 30
    assert bought.subscription.billing_start_date == day("04-09")
    assert period(bought) == (day("03-10"), day("04-09"))


def test_a_paid_trial(market: Market) -> None:
    """A paid trial is charged from day one, and the subscription is on trial until it ends."""
    bought = market.bought("Paid trial")

    assert bought.lines == [("Fee", 4900)]
    assert bought.subscription.status == "TRIAL_ACTIVE"
    assert bought.subscription.trial_duration == 14
    assert bought.subscription.billing_start_date == day("03-10")
    assert period(bought) == (day("03-10"), day("04-10"))


def test_a_trial_with_an_anchor(market: Market) -> None:
    """With an anchor, a prorated stub follows the trial; the preview says what it will cost."""
    quote = market.preview("Trial", billing_day_anchor=1)

    assert quote["trial_end"] == "2026-03-24"
    assert quote["amount_due"] == 0
    # 4900 x 8/31 = 1264.5
    first = quote["upcoming"][0]
    assert (first["due_date"], first["amount_total"]) == ("2026-03-24", 1265)


def test_the_earliest_and_the_latest_start(market: Market) -> None:
    """A start may be 366 days back, no more; the message names the bounds."""
    earliest = market.create(billing_start_date="2025-03-09")
    before = market.create(billing_start_date="2025-03-08")
    far = market.create(billing_start_date="2199-01-01")

    assert earliest.status_code == 200
    assert earliest.json()["session"]["amount_due"] == 13 * 4900
    for refused in (before, far):
        (fault,) = refused.json()["errors"]
        assert (fault["field"], fault["code"]) == ("billing_start_date", "out_of_bounds")
        assert "2025-03-09" in fault["message"]
