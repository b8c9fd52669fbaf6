"""A trial that is charged before it goes on, and offers of checkouts that activate."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.activating import Activating, offer_on
from tallystick.domain.life import Step, StepKind, paid_after_trial, step, tried_again
from tallystick.domain.new_components import TargetPlan
from tallystick.domain.offer import BankTransfer, ExternalPayment, Offer, OnlinePayment
from tallystick.domain.periods import Cadence
from tallystick.domain.plan_change import changed_now
from tallystick.domain.purchase import Activation, SubscriptionStatus
from tallystick.domain.schedule import schedule
from tests.domain.contracts import contract, stands
from tests.domain.offers import offer, rate, seats, trial
from tests.domain.samples import DAY, named

TRIAL_END = date(2024, 1, 15)


def ended(made: Offer, **known: Any) -> Step:  # noqa: ANN401 - of `Contract`
    """The end of a trial of fourteen days whose customer has a method on file."""
    trying = stands(contract(replace(made, trial=trial(14)), DAY, Activation.CHECKOUT), DAY)
    return step(replace(trying, **{"has_method": True, **known}))


def test_a_method_on_file_is_charged_first() -> None:
    """Rule (e): expired, of no value, with the month that is charged."""
    found = ended(offer(rate("49")))

    assert (found.kind, found.contract.status) == (
        StepKind.TRIAL_EXPIRED,
        SubscriptionStatus.TRIAL_EXPIRED,
    )
    assert [one.amount for one in found.charges] == [4900]
    assert found.opens is not None
    assert (found.opens.start, found.opens.end) == (TRIAL_END, date(2024, 2, 15))
    assert (found.contract.mrr, found.contract.period_end) == (0, None)


def test_nobody_is_charged_who_never_checked_out() -> None:
    """Rule (c) comes before (d) and (e): a method on file, or another way to pay, or not."""
    others: list[dict[str, Any]] = [
        {},
        {"charge_automatically": False},
        {"payment": ExternalPayment()},
    ]
    for known in others:
        found = ended(offer(rate("49")), awaits_checkout=True, **known)

        assert found.contract.status is SubscriptionStatus.TRIAL_EXPIRED
        assert found.charges == ()


def test_what_waits_for_a_person_is_not_charged_first() -> None:
    """Invoices that are finalized by hand: active, with a draft."""
    found = ended(offer(rate("49"), auto_advance_invoices=False))

    assert found.contract.status is SubscriptionStatus.ACTIVE
    assert [one.amount for one in found.charges] == [4900]


def test_without_a_method_nothing_is_billed() -> None:
    """Rule (f)."""
    found = ended(offer(rate("49")), has_method=False)

    assert (found.contract.status, found.charges) == (SubscriptionStatus.TRIAL_EXPIRED, ())


def test_after_so_many_periods_the_end_moves_along() -> None:
    """Three months from the trial's end; paid on the 20th, three months from there."""
    found = ended(offer(rate("49"), billing_cycles=3)).contract
    assert found.end_date == date(2024, 4, 15)

    again = tried_again(found, date(2024, 1, 20))

    assert again is not None
    assert again.contract.end_date == date(2024, 4, 20)


def test_an_end_that_is_given_stays() -> None:
    """On its day and later nothing is left to bill; the day before one day of 31 is."""
    found = ended(offer(rate("49"), end_date=date(2024, 1, 20))).contract

    assert tried_again(found, date(2024, 1, 20)) is None
    last = tried_again(found, date(2024, 1, 19))
    assert last is not None
    assert [one.amount for one in last.charges] == [158]


@given(
    days=st.integers(0, 60),
    anchor=st.none() | st.integers(1, 31),
    cadence=st.sampled_from(Cadence),
)
def test_nothing_is_billed_back(days: int, anchor: int | None, cadence: Cadence) -> None:
    """Whenever it is paid: from that day on, what a subscription begun that day is billed."""
    day = TRIAL_END + timedelta(days=days)
    found = ended(offer(rate("49", cadence), anchor=anchor)).contract

    again = tried_again(found, day)
    fresh = step(contract(offer(rate("49", cadence), anchor=anchor), day))

    assert again is not None
    assert [(one.start, one.end, one.amount) for one in again.charges] == [
        (one.start, one.end, one.amount) for one in fresh.charges
    ]
    assert again.opens == fresh.opens
    paid = paid_after_trial(again.contract)
    assert (paid.status, paid.mrr) == (SubscriptionStatus.ACTIVE, fresh.contract.mrr)
    assert (paid.period_start, paid.period_end) == (day, fresh.contract.period_end)


def waits(status: SubscriptionStatus, trial_end: date | None = None) -> Activating:
    """A subscription from January 1 on that waits for its checkout."""
    return Activating(
        id=named("subscription"),
        status=status,
        start=DAY,
        trial_end=trial_end,
        net_terms=7,
        auto_advance_invoices=True,
        charge_automatically=True,
        payment=OnlinePayment(),
        invoice_memo=None,
        purchase_order="PO-7",
    )


@pytest.mark.parametrize(
    ("today", "start", "billed", "trial_end"),
    [
        (date(2024, 1, 3), DAY, TRIAL_END, TRIAL_END),
        (date(2024, 1, 14), DAY, TRIAL_END, TRIAL_END),
        (date(2024, 1, 15), DAY, date(2024, 1, 15), None),
        (date(2024, 3, 9), DAY, date(2024, 3, 9), None),
    ],
)
def test_a_free_trial_goes_on_where_it_stands(
    today: date, start: date, billed: date, trial_end: date | None
) -> None:
    """Billed from its end, and after that from the day of confirmation."""
    sold = offer(rate("49"), trial=trial(14, once_per_customer=True), start_date=DAY)
    status = SubscriptionStatus.TRIAL_ACTIVE

    dates = schedule(offer_on(sold, waits(status, TRIAL_END), today), today, trial_used=True)

    assert (dates.start, dates.billing_start, dates.trial_end) == (start, billed, trial_end)


@pytest.mark.parametrize(
    ("today", "start"),
    [(date(2023, 12, 20), DAY), (DAY, DAY), (date(2024, 2, 9), date(2024, 2, 9))],
)
def test_without_a_trial_it_begins_on_the_day(today: date, start: date) -> None:
    """The day of confirmation, or its start where that is later."""
    sold = offer(rate("49"), start_date=DAY)
    status = SubscriptionStatus.PENDING_ACTIVATION

    dates = schedule(offer_on(sold, waits(status), today), today, trial_used=True)

    assert (dates.start, dates.billing_start) == (start, start)
    assert dates.notices == ()


def test_a_trial_that_was_not_granted_is_not_given_later() -> None:
    """The customer had the plan's trial before: none was granted, and none is."""
    sold = offer(rate("49"), trial=trial(14, once_per_customer=True), start_date=DAY)

    offered = offer_on(sold, waits(SubscriptionStatus.PENDING_ACTIVATION), DAY)

    assert offered.trial is None
    assert (offered.net_terms, offered.purchase_order) == (7, "PO-7")


def test_the_terms_are_those_of_the_subscription() -> None:
    """Whatever the session had frozen: they may have been changed since."""
    sold = offer(rate("49"), start_date=DAY)
    one = replace(
        waits(SubscriptionStatus.PENDING_ACTIVATION),
        auto_advance_invoices=False,
        charge_automatically=False,
        payment=BankTransfer(),
        invoice_memo="Thanks",
    )
    offered = offer_on(sold, one, DAY)
    assert (offered.net_terms, offered.purchase_order) == (7, "PO-7")
    assert (offered.auto_advance_invoices, offered.charge_automatically) == (False, False)
    assert (offered.payment, offered.invoice_memo) == (BankTransfer(), "Thanks")


@pytest.mark.parametrize(("anchor", "due"), [(None, 5), (20, 20)])
def test_a_change_ends_the_trial_on_its_day(anchor: int | None, due: int) -> None:
    """The anchor is that day unless one was given; what replaced what is counted."""
    old = (rate("49"), rate("9", name="Gone"))
    sold = offer(*old, trial=trial(14), start_date=DAY, anchor=anchor)
    lives = stands(contract(sold, DAY), DAY)
    new = (replace(rate("99"), id=named("new")), replace(seats("5", 1), id=named("seats")))
    made = changed_now(
        lives, TargetPlan(plan_id=named("other"), items=new), date(2024, 1, 5), {}
    )
    assert made.step.contract.anchor == due
    assert made.matched == 1
