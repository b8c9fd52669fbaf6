"""The quote of a change of the plan: what is due today, and the invoice that follows."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from tallystick.domain.cancellation import cancelled
from tallystick.domain.contract import Contract, RunningCoupon
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.new_components import TargetPlan
from tallystick.domain.offer import BankTransfer
from tallystick.domain.periods import Cadence, Period
from tallystick.domain.plan_change import PlanChange, changed_now
from tallystick.domain.quote import AttemptKind, Quote
from tallystick.domain.quote_change import quote_change
from tallystick.domain.tax import Seller, TaxEngine
from tallystick.domain.upcoming import Upcoming, UpcomingReason
from tests.domain.changing import changed
from tests.domain.contracts import contract, life_of
from tests.domain.offers import arrears, buyer, capacity, facts, offer, once, rate, trial, usage
from tests.domain.samples import fixed, named, percent

JANUARY, MIDDLE, FEBRUARY = date(2024, 1, 1), date(2024, 1, 16), date(2024, 2, 1)
TO_FEBRUARY = Period(JANUARY, FEBRUARY)
MANUAL = Seller(engine=TaxEngine.MANUAL, country="FR")


def running(code: str, limit: int | None = None, count: int = 0) -> RunningCoupon:
    """Half off, on so many invoices, of which so many were made."""
    terms = replace(percent("50", code), recurring_value=limit)
    return RunningCoupon(redemption_id=named(code), terms=terms, applied_count=count)


def living(*coupons: RunningCoupon, **changes: object) -> Contract:
    """31.00 a month since January 1."""
    made = offer(rate("31"), start_date=JANUARY, created_on=JANUARY, **changes)
    return life_of(contract(made, JANUARY, coupons=coupons), JANUARY)[-1].contract


def dearer(lives: Contract, amount: str = "62") -> PlanChange:
    """A change in the middle of January to a dearer plan."""
    return changed(lives, replace(rate(amount), id=named("new")), day=MIDDLE)


def shown(change: PlanChange, *, is_first: bool = False, **more: object) -> Quote:
    """The quote in the middle of January."""
    return quote_change(change, facts(MIDDLE, **more), is_first=is_first)


def renewal(total: int, due: date = FEBRUARY, *, has_usage: bool = False) -> Upcoming:
    """The next regular invoice."""
    return Upcoming(due=due, reason=UpcomingReason.RENEWAL, total=total, has_usage=has_usage)


def test_the_change_is_charged_today_and_the_new_price_from_then_on() -> None:
    """16 of 31 days: 32.00 less 16.00; coupons apply to the renewal, not to the change."""
    made = shown(dearer(living(running("HALF"))))

    assert made.bill is not None
    assert [one.total for one in made.bill.lines] == [-1600, 3200]
    assert (made.total, made.amount_due, made.written_off) == (1600, 1600, 0)
    assert (made.kind, made.saves_method) == (AttemptKind.PAYMENT, True)
    assert (made.currency, made.cadence) == ("EUR", Cadence.MONTHLY)
    assert made.period == TO_FEBRUARY
    assert made.dates.today == MIDDLE
    assert made.upcoming == (renewal(3100),)
    assert made.coupons == ()
    assert made.left_out == ()
    assert made.adjusts
    assert made.needs_country is False
    assert made.minimum is None


def test_the_balance_pays_first() -> None:
    """10.00 of 16.00; all of it where there is enough, and then nothing is charged."""
    partly = shown(dearer(living()), balance_available=1000)
    assert (partly.balance_applied, partly.amount_due) == (1000, 600)

    wholly = shown(dearer(living()), balance_available=5000)
    assert (wholly.balance_applied, wholly.amount_due) == (1600, 0)
    assert wholly.kind is AttemptKind.SETUP


def test_what_is_too_small_to_be_charged_is_written_off() -> None:
    """A provider that charges from 20.00 on: 16.00 are written off, and its method kept.

    By bank transfer any amount will do.
    """
    online = shown(dearer(living()), chargeable=lambda amount: amount >= 2000)
    assert (online.written_off, online.amount_due) == (1600, 0)
    assert online.kind is AttemptKind.SETUP

    transfer = living(payment=BankTransfer(), charge_automatically=False)
    by_bank = shown(dearer(transfer), chargeable=lambda amount: amount >= 2000)
    assert (by_bank.written_off, by_bank.amount_due) == (0, 1600)
    assert (by_bank.kind, by_bank.saves_method) == (AttemptKind.NONE, False)


def test_a_method_is_asked_for_where_it_can_be_charged_later() -> None:
    """One on file is not asked for again unless something is paid."""
    on_file = replace(living(), payment_method_id=named("method"))
    assert shown(dearer(on_file)).kind is AttemptKind.PAYMENT
    assert shown(dearer(on_file)).saves_method
    assert shown(dearer(on_file, "31")).kind is AttemptKind.NONE
    assert shown(dearer(living(), "31")).kind is AttemptKind.SETUP
    assert shown(dearer(living(), "0")).kind is AttemptKind.NONE
    by_hand = living(charge_automatically=False)
    assert shown(dearer(by_hand, "31")).kind is AttemptKind.NONE
    assert not shown(dearer(by_hand)).saves_method
    assert shown(dearer(by_hand)).kind is AttemptKind.PAYMENT


def test_what_has_left_may_still_be_owed() -> None:
    """To a free plan: arrears and usage of the window are billed at its end, a fee is not."""
    free = replace(rate("0"), id=named("free"))
    for item, kind in (
        (rate("31"), AttemptKind.NONE),
        (once("31"), AttemptKind.NONE),
        (arrears("31"), AttemptKind.SETUP),
        (usage(), AttemptKind.SETUP),
        (capacity("0"), AttemptKind.SETUP),
    ):
        made = offer(item, start_date=JANUARY, created_on=JANUARY)
        lives = life_of(contract(made, JANUARY), JANUARY)[-1].contract
        assert shown(changed(lives, free, day=MIDDLE)).kind is kind


def test_a_change_to_the_same_price_bills_nothing_that_is_due() -> None:
    """Sixteen days back, sixteen days on: an invoice of zero."""
    made = shown(dearer(living(), "31"))
    assert (made.total, made.amount_due) == (0, 0)
    assert made.upcoming == (renewal(3100),)


def test_a_free_trial_that_ends_is_billed_as_a_first_invoice() -> None:
    """31.00 a month from today at half price, on this invoice and one more."""
    lives = living(running("TWICE", 2), running("GONE", 1, 1), trial=trial(30))
    made = shown(dearer(lives), is_first=True)

    assert made.total == 3100
    assert not made.adjusts
    assert made.period == Period(MIDDLE, date(2024, 2, 16))
    assert made.upcoming == (renewal(3100, date(2024, 2, 16)),)


def test_a_coupon_that_is_used_up_today_is_not_on_the_next_invoice() -> None:
    """Once: today at half price, then in full."""
    made = shown(dearer(living(running("ONCE", 1), trial=trial(30))), is_first=True)

    assert made.total == 3100
    assert [one.total for one in made.upcoming] == [6200]


def test_a_coupon_waits_where_the_change_is_no_first_invoice() -> None:
    """Twice, of which once was in January: once more in February."""
    made = shown(dearer(living(running("TWICE", 2, 1))))

    assert made.total == 1600
    assert [one.total for one in made.upcoming] == [3100]


def test_a_fixed_coupon_gives_what_is_left_of_it() -> None:
    """10.00 off of which 4.00 were given ahead: 6.00 off today, nothing where all were."""
    ahead = RunningCoupon(
        redemption_id=named("TEN"), terms=fixed("10", "TEN"), applied_count=0, ahead=400
    )
    made = shown(dearer(living(ahead, trial=trial(30))), is_first=True)
    assert made.total == 5600
    given = replace(ahead, ahead=1000)
    assert shown(dearer(living(given, trial=trial(30))), is_first=True).total == 6200


def test_taxes_are_those_of_the_day_and_of_the_product() -> None:
    """20 % of the customer's own; where prices include it 5.33 of 32.00 less 2.67 of 16.00."""
    taxed: Any = {"seller": MANUAL, "buyer": buyer("0.20")}
    made = shown(dearer(living()), **taxed)
    assert (made.total, [one.total for one in made.upcoming]) == (1920, [7440])
    within = shown(dearer(living(tax_inclusive=True)), **taxed)
    assert within.total == 1600
    assert within.bill is not None
    assert within.bill.tax == 266


def test_who_is_taxed_must_say_where() -> None:
    """A seller in the Union asks for the country where it does not know it."""
    union = Seller(engine=TaxEngine.EU_VAT, country="FR")
    assert shown(dearer(living()), seller=union).needs_country


def test_usage_is_announced_and_an_end_is_no_renewal() -> None:
    """What is used is added to the next invoice; the last one says that it is the last."""
    lives = living()
    metered = changed(lives, replace(usage(), id=named("new")), day=MIDDLE)
    assert shown(metered).upcoming == (renewal(0, has_usage=True),)

    ending = changed(
        living(end_date=date(2024, 1, 26)), replace(usage(), id=named("new")), day=MIDDLE
    )
    assert shown(ending).upcoming == (
        Upcoming(due=date(2024, 1, 26), reason=UpcomingReason.END, total=0, has_usage=True),
    )
    nothing = dearer(living(end_date=FEBRUARY))
    assert shown(nothing).upcoming == ()


def test_a_cancelled_change_says_that_it_ends() -> None:
    """Cancelled for February, its usage is billed then, and nothing after it."""
    metered = changed(living(), replace(usage(), id=named("new")), day=MIDDLE)
    step = replace(metered.step, contract=cancelled(metered.step.contract, FEBRUARY, MIDDLE))
    (last,) = shown(replace(metered, step=step)).upcoming
    assert (last.reason, last.due, last.has_usage) == (UpcomingReason.END, FEBRUARY, True)


def test_the_minimum_of_the_new_plan_is_shown() -> None:
    """50.00 at least."""
    least = MinimumCommitment(amount=Decimal(50), product_ids=None)
    new = replace(rate("62"), id=named("new"))
    plan = TargetPlan(plan_id=named("other"), items=(new,), minimum=least)
    assert shown(changed_now(living(), plan, MIDDLE, {})).minimum == least
