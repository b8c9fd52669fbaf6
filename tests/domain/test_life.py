"""Steps of a life with exact figures: ends of trials, of periods, and of contracts."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from tallystick.domain.activation import activated
from tallystick.domain.cancellation import cancelled, reactivated
from tallystick.domain.contract import Contract
from tallystick.domain.errors import Conflict
from tallystick.domain.life import StepKind, next_day, step
from tallystick.domain.offer import BankTransfer, ExternalPayment, Offer
from tallystick.domain.periods import Cadence
from tallystick.domain.purchase import Activation, SubscriptionStatus
from tests.domain.contracts import contract, life_of, stands
from tests.domain.offers import arrears, offer, once, rate, seats, trial
from tests.domain.samples import DAY, named

STATUS = SubscriptionStatus
TRIAL_END = date(2024, 1, 15)


def in_trial(made: Offer, activation: Activation = Activation.CHECKOUT) -> Contract:
    """A contract on the first day of its free trial of fourteen days."""
    return stands(contract(replace(made, trial=trial(14)), DAY, activation), DAY)


def totals(lives: Contract, until: date) -> list[tuple[date, int]]:
    """What each step bills, without those that bill nothing."""
    return [
        (one.day, sum(charge.amount for charge in one.charges))
        for one in life_of(lives, until)
        if one.charges
    ]


@pytest.mark.parametrize("made", [offer(), offer(rate("0")), offer(once("0"), rate("0.00"))])
def test_a_trial_of_what_costs_nothing_ends_active_and_never_bills(made: Offer) -> None:
    """Rule (a): active without an invoice, at the end of the trial and ever after."""
    trying = in_trial(made)

    ended = step(trying)

    assert (ended.kind, ended.contract.status) == (StepKind.TRIAL_ENDED, STATUS.ACTIVE)
    assert totals(trying, date(2025, 1, 1)) == []
    assert stands(trying, date(2025, 1, 1)).cycle_index == 11


def test_slots_of_which_there_are_none_can_still_owe() -> None:
    """No seats yet at EUR 10: billed with a line of zero, for seats can be added."""
    trying = in_trial(offer(seats("10", 0), payment=ExternalPayment()))

    (line,) = step(trying).charges

    assert line.amount == 0


@pytest.mark.parametrize("saved", [None, named("method")])
def test_a_trial_that_the_merchant_started_ends_billed(saved: UUID | None) -> None:
    """Rule (b): ON_START is billed whatever the payment, with a saved method or without."""
    trying = replace(
        in_trial(offer(rate("49")), Activation.ON_START),
        payment_method_id=saved,
    )

    ended = step(trying)

    assert (ended.day, ended.contract.status) == (TRIAL_END, STATUS.ACTIVE)
    assert [one.amount for one in ended.charges] == [4900]


@pytest.mark.parametrize(
    "made",
    [
        offer(rate("49"), charge_automatically=False),
        offer(rate("49"), payment=BankTransfer(), charge_automatically=False),
        offer(rate("49"), payment=ExternalPayment(), charge_automatically=False),
    ],
    ids=["not automatic", "bank transfer", "external"],
)
def test_a_trial_that_is_paid_otherwise_ends_billed(made: Offer) -> None:
    """Rule (d): the invoice is sent where nothing would be charged by itself."""
    ended = step(in_trial(made))

    assert ended.contract.status is STATUS.ACTIVE
    assert [one.amount for one in ended.charges] == [4900]


@pytest.mark.parametrize("activation", [Activation.CHECKOUT, Activation.MANUAL])
def test_a_trial_that_nobody_agreed_to_pay_for_expires(activation: Activation) -> None:
    """Rule (f): no method is saved, so there is no invoice; it stands at the trial's end."""
    trying = in_trial(offer(rate("49")), Activation.CHECKOUT)

    ended = step(replace(trying, activation=activation))

    assert (ended.kind, ended.charges) == (StepKind.TRIAL_EXPIRED, ())
    after = ended.contract
    assert (after.status, after.mrr) == (STATUS.TRIAL_EXPIRED, 0)
    assert (after.period_start, after.period_end) == (TRIAL_END, None)
    assert next_day(after) is None


def test_a_paid_trial_that_ends_with_a_period() -> None:
    """31 days from January 1: the trial ends on February 1, and so does the first month."""
    begins = contract(
        offer(rate("99"), trial=trial(31, is_free=False)), DAY, Activation.ON_START
    )

    steps = life_of(begins, date(2024, 2, 1))

    assert [(one.kind, one.day) for one in steps] == [
        (StepKind.ACTIVATED, DAY),
        (StepKind.TRIAL_ENDED, date(2024, 2, 1)),
        (StepKind.RENEWED, date(2024, 2, 1)),
    ]
    assert totals(begins, date(2024, 2, 1)) == [(DAY, 9900), (date(2024, 2, 1), 9900)]


def test_a_leap_year_of_thirty_firsts() -> None:
    """Anchored on the 31st: the last day of every shorter month, February 29 among them."""
    begins = contract(offer(rate("10")), date(2023, 12, 31))

    days = [day for day, _ in totals(begins, date(2024, 6, 30))]

    assert [day.isoformat() for day in days] == [
        "2023-12-31",
        "2024-01-31",
        "2024-02-29",
        "2024-03-31",
        "2024-04-30",
        "2024-05-31",
        "2024-06-30",
    ]


def test_a_yearly_fee_beside_a_monthly_one_with_an_end() -> None:
    """EUR 120 a year, cut after 60 of 365 days, beside EUR 10 a month, cut after 30 of 31.

    12000 x 60 / 365 = 1972.6 for the second year from April 1, 2025, and 1000 x 30 / 31 =
    967.7 for the last month from May 1.
    """
    begins = contract(
        offer(rate("120", Cadence.ANNUAL, "Year"), rate("10"), end_date=date(2025, 5, 31)),
        date(2024, 4, 1),
    )

    billed = dict(totals(begins, date(2026, 1, 1)))

    assert billed[date(2024, 4, 1)] == 13000
    assert billed[date(2025, 4, 1)] == 1973 + 1000
    assert billed[date(2025, 5, 1)] == 968
    assert len(billed) == 14
    assert stands(begins, date(2026, 1, 1)).status is STATUS.COMPLETED


def test_arrears_of_a_cancelled_first_window() -> None:
    """Cancelled after ten days: no refund of the EUR 20, and the EUR 15 in arrears."""
    lives = stands(contract(offer(rate("20"), arrears("15")), DAY), DAY)
    today = date(2024, 1, 11)

    ended = step(cancelled(lives, today, today))

    assert [(one.amount, one.start, one.end) for one in ended.charges] == [(1500, DAY, today)]
    assert (ended.contract.status, ended.contract.mrr) == (STATUS.CANCELLED, 0)


def test_on_its_first_day_nothing_is_left_to_bill() -> None:
    """Cancelled on the day it began: EUR 20 stay billed, no window has passed."""
    lives = stands(contract(offer(rate("20"), arrears("15")), DAY), DAY)

    assert step(cancelled(lives, DAY, DAY)).charges == ()


def test_an_expired_trial_can_be_cancelled() -> None:
    """At once, for there is no period that could end first."""
    expired = step(in_trial(offer(rate("49")))).contract
    today = date(2024, 2, 1)

    ended = step(cancelled(expired, None, today))

    assert (ended.kind, ended.day) == (StepKind.CANCELLED, today)


def test_what_nobody_activates_ends_on_its_day() -> None:
    """Waiting until its first day that is not covered: over, nothing billed, worth nothing."""
    ends = date(2024, 3, 10)
    waits = contract(offer(rate("49"), arrears("15"), end_date=ends), DAY, Activation.MANUAL)

    assert next_day(waits) == ends
    ended = step(waits)
    assert (ended.kind, ended.day, ended.charges) == (StepKind.COMPLETED, ends, ())
    over = ended.contract
    assert (over.status, over.period_end, over.mrr) == (STATUS.COMPLETED, None, 0)
    assert next_day(over) is None
    earlier = cancelled(waits, date(2024, 2, 1), DAY)
    assert step(earlier).kind is StepKind.CANCELLED


def test_so_many_periods_do_not_pass_before_the_activation() -> None:
    """Three months count from the day of activation, however late that is."""
    waits = contract(offer(rate("49"), billing_cycles=3), DAY, Activation.MANUAL)

    assert (waits.end_date, next_day(waits)) == (date(2024, 4, 1), None)
    assert activated(waits, date(2025, 1, 1)).end_date == date(2025, 4, 1)


def test_an_activation_before_the_start_leaves_the_dates() -> None:
    """What begins on January 1 and is activated in December begins on January 1."""
    waits = contract(offer(rate("49")), DAY, Activation.MANUAL)

    begun = activated(waits, date(2023, 12, 1))

    assert begun == replace(waits, awaits_activation=False)
    assert next_day(begun) == DAY


def test_an_activation_begins_the_first_period() -> None:
    """On its day, though the start had been another one."""
    waits = replace(
        contract(offer(rate("49"), start_date=DAY), DAY, Activation.MANUAL),
        awaits_activation=True,
    )
    begun = activated(waits, date(2024, 3, 5))
    assert (begun.start, begun.period_start) == (date(2024, 3, 5), date(2024, 3, 5))


def test_a_cancellation_whose_day_has_come_stays() -> None:
    """Whether its step was taken yet or not; one that is over stays over, whatever its day."""
    lives = stands(contract(offer(rate("49"), start_date=DAY), DAY), DAY)
    day = date(2024, 1, 20)
    planned = cancelled(lives, day, DAY)
    assert reactivated(planned, date(2024, 1, 19)) == lives
    for gone in (planned, stands(planned, day)):
        with pytest.raises(Conflict, match="took effect on 2024-01-20"):
            reactivated(gone, day)
    over = replace(planned, status=STATUS.COMPLETED)
    with pytest.raises(Conflict, match="took effect"):
        reactivated(over, DAY)
