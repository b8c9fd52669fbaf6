"""Minimum commitments: what a window's service cost, and what is missing from the minimum."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tallystick.domain.amended_items import Amendment
from tallystick.domain.billed_ahead import Ahead, BilledAhead
from tallystick.domain.cancellation import cancelled
from tallystick.domain.charges import Charge, Shortfall
from tallystick.domain.contract import Contract
from tallystick.domain.life import Step, StepKind
from tallystick.domain.metered import usage_charges
from tallystick.domain.minimum_commitment import MINOR_MAX, MinimumCommitment, faults_of
from tallystick.domain.minimums import NAME, shortfall
from tallystick.domain.money import minor
from tallystick.domain.new_components import TargetPlan
from tallystick.domain.offer import Offer
from tallystick.domain.periods import Cadence
from tallystick.domain.plan_change import changed_now
from tallystick.domain.pricing import FeeType
from tallystick.domain.renewal import RenewalFacts, draft_of
from tallystick.domain.slot_change import slots_changed, slots_item
from tallystick.domain.tax import Buyer
from tallystick.domain.usage_pricing import Measured
from tests.domain.contracts import contract, contracts, life_of, stands
from tests.domain.offers import arrears, capacity, offer, once, quoted, rate, seats, usage
from tests.domain.purchases import CUSTOMER, ENTITY
from tests.domain.samples import PRODUCT, named
from tests.domain.test_amendment import amended

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)
BEGIN = date(2024, 1, 1)
FACTS = RenewalFacts(
    customer=CUSTOMER, entity=ENTITY, buyer=Buyer(country="FR"), product_taxes={}
)


def least(amount: str, *names: str) -> MinimumCommitment:
    """At least so much a period, for everything or for the products of these items."""
    products = tuple(named(f"product {name}") for name in names) or None
    return MinimumCommitment(amount=Decimal(amount), product_ids=products)


def billed(
    taken: Step, units: int = 0, ahead: BilledAhead | None = None
) -> list[tuple[str, int]]:
    """The lines that a step bills after so much usage in each of its windows."""
    draft = draft_of(
        taken,
        metered(taken, units),
        FACTS,
        invoice_id=named("invoice"),
        now=NOW,
        ahead=ahead or BilledAhead(),
    )
    return [] if draft is None else [(one.name, one.amount) for one in draft.invoice.lines]


def metered(taken: Step, units: int) -> tuple[Charge, ...]:
    """So much usage in each window that a step bills."""
    used = [Measured(quantity=Fraction(units))]
    return tuple(
        charge for meter in taken.meters for charge in usage_charges(meter, used, "EUR")
    )


def begins(made: Offer, start: date = BEGIN) -> Contract:
    """The contract of an offer that begins on a day."""
    return contract(replace(made, start_date=start, created_on=start), start)


def true_ups(steps: list[Step]) -> list[int | None]:
    """What is missing at each step without usage, None where no window closes."""
    found = []
    for one in steps:
        missing = None if one.floor is None else shortfall(one.floor, ())
        found.append(None if one.floor is None else 0 if missing is None else missing.amount)
    return found


def test_slots_that_came_within_the_window() -> None:
    """Five seats at 10.00 and five more on the 15th cost 50.00 + 27.42: of 100.00 miss 22.58.

    Those that are given up count to the end; of February's nine miss 10.00.
    """
    lives = stands(begins(offer(seats("10", 5), minimum=least("100"))), BEGIN)
    for delta in (5, -1):
        item = slots_item(lives, named("Seats"), "component_id")
        change = slots_changed(lives, item, delta, date(2024, 1, 15), waits=False)
        lives = change.step.contract

    assert true_ups(life_of(lives, date(2024, 3, 1))) == [2258, 1000]


def test_slots_that_came_and_left_within_the_window() -> None:
    """50.00, 33.87 for five more from the 11th, less 51.61 for ten from the 16th: 32.26.

    With 32.00 of the fee that replaces them, 35.74 of 100.00 miss.
    """
    lives = stands(begins(offer(seats("10", 5), minimum=least("100"))), BEGIN)
    item = slots_item(lives, named("Seats"), "component_id")
    lives = slots_changed(lives, item, 5, date(2024, 1, 11), waits=False).step.contract
    new = replace(rate("62"), id=named("new fee"))
    wanted = TargetPlan(plan_id=named("other"), items=(new,), minimum=lives.minimum)

    lives = changed_now(lives, wanted, date(2024, 1, 16), {}).step.contract

    assert true_ups(life_of(lives, date(2024, 2, 1))) == [3574]


@pytest.mark.parametrize(
    ("units", "lines"),
    [
        (0, [("Rate", 2000), (NAME, 3000)]),
        (100, [("Rate", 2000), ("Usage", 1000), (NAME, 2000)]),
        (299, [("Rate", 2000), ("Usage", 2990), (NAME, 10)]),
        (300, [("Rate", 2000), ("Usage", 3000)]),
        (900, [("Rate", 2000), ("Usage", 9000)]),
    ],
)
def test_the_fee_of_the_window_and_its_usage_count(
    units: int, lines: list[tuple[str, int]]
) -> None:
    """EUR 20 in advance, usage at 0.10, at least EUR 50: the renewal bills what is missing."""
    made = begins(offer(rate("20.00"), usage(), minimum=least("50.00")))

    assert billed(life_of(made, date(2024, 2, 1))[1], units) == lines


def test_what_a_threshold_invoice_has_billed_counts() -> None:
    """EUR 25 of usage, 18 of them billed before: 7 are left, and EUR 5 are missing."""
    made = begins(offer(rate("20.00"), usage(), minimum=least("50.00")))
    renewal = life_of(made, date(2024, 2, 1))[1]
    before = Ahead(
        item_id=named("Usage"), start=BEGIN, group=None, amount=1800, quantity=Decimal(180)
    )

    lines = billed(renewal, 250, BilledAhead(usage=(before,)))

    assert lines == [("Rate", 2000), ("Usage", 700), (NAME, 500)]
    all_before = replace(before, amount=2500)
    lines = billed(renewal, 250, BilledAhead(usage=(all_before,)))
    assert lines == [("Rate", 2000), (NAME, 500)]


def test_only_the_listed_products_count() -> None:
    """Usage costs at least EUR 30, whatever the fee is."""
    made = begins(offer(rate("20.00"), usage(), minimum=least("30.00", "Usage")))
    renewal = life_of(made, date(2024, 2, 1))[1]

    assert billed(renewal, 120) == [("Rate", 2000), ("Usage", 1200), (NAME, 1800)]
    assert billed(renewal, 300) == [("Rate", 2000), ("Usage", 3000)]


def test_where_nothing_listed_is_sold_nothing_is_missing() -> None:
    """A minimum for a product that the contract has not."""
    made = begins(offer(rate("20.00"), minimum=least("30.00", "Other")))

    assert true_ups(life_of(made, date(2024, 3, 1))) == [None, None, None]


def test_a_one_time_fee_is_no_service_of_a_window() -> None:
    """EUR 100 of setup leave EUR 30 of the first month missing."""
    made = begins(offer(rate("20.00"), once("100.00"), minimum=least("50.00")))

    assert true_ups(life_of(made, date(2024, 2, 1))) == [None, 3000]


def test_arrears_count_where_they_are_used() -> None:
    """EUR 20 in advance and 25 in arrears of a month, at least EUR 50."""
    made = begins(offer(rate("20.00"), arrears("25.00"), minimum=least("50.00")))

    assert true_ups(life_of(made, date(2024, 3, 1))) == [None, 500, 500]


def test_a_longer_fee_counts_by_days() -> None:
    """EUR 91 a quarter are 31, 29 and 31 for the months of a quarter with 91 days."""
    made = begins(
        offer(rate("91.00", Cadence.QUARTERLY, "Quarter"), usage(), minimum=least("50.00"))
    )

    assert true_ups(life_of(made, date(2024, 4, 1))) == [None, 1900, 2100, 1900]


def test_a_stub_has_a_minimum_by_days() -> None:
    """From the 20th to the 1st 12 of 31 days: 50 x 12/31 = 19.35, the fee 20 x 12/31 = 7.74."""
    made = begins(offer(rate("20.00"), anchor=1, minimum=least("50.00")), date(2024, 1, 20))

    assert true_ups(life_of(made, date(2024, 3, 1))) == [None, 1935 - 774, 3000]


def test_a_cut_window_has_a_minimum_by_days() -> None:
    """The end on February 11 leaves 10 of 29 days: 50 x 10/29 = 17.24, the fee is 6.90."""
    made = begins(offer(rate("20.00"), end_date=date(2024, 2, 11), minimum=least("50.00")))
    steps = life_of(made, date(2024, 5, 1))

    assert steps[-1].kind is StepKind.COMPLETED
    assert true_ups(steps) == [None, 3000, 1724 - 690]


def test_a_capacity_that_leaves_a_cut_window_counts_by_the_days_there_are() -> None:
    """50.00 for the ten days to the end on February 11; it leaves after five: 25.00 count.

    50 x 10/29 = 17.24 are promised, 100 x 10/29 = 34.48 of the larger one.
    """
    for amount, missing in (("50.00", 0), ("100.00", 3448 - 2500)):
        made = begins(offer(capacity("50"), end_date=date(2024, 2, 11), minimum=least(amount)))
        lives = stands(made, date(2024, 2, 1))
        gone = Amendment(removed_components=(lives.items[0].id,))
        after = amended(lives, gone, date(2024, 2, 6)).step.contract
        assert true_ups(life_of(after, date(2024, 3, 1))) == [missing]


def test_a_cancellation_cuts_the_minimum_and_no_fee() -> None:
    """Cancelled after 10 of 31 days: 50 x 10/31 = 16.13, and EUR 20 were billed for them."""
    made = stands(begins(offer(rate("20.00"), usage(), minimum=least("50.00"))), BEGIN)
    ends = life_of(cancelled(made, date(2024, 1, 11), BEGIN), date(2024, 3, 1))
    more = life_of(
        cancelled(replace(made, minimum=least("90.00")), date(2024, 1, 11), BEGIN),
        date(2024, 3, 1),
    )

    assert true_ups(ends) == [0]
    assert true_ups(more) == [2903 - 2000]
    assert billed(more[0], 40) == [("Usage", 400), (NAME, 503)]


def test_a_free_trial_has_no_minimum() -> None:
    """The first window begins with the first billed day."""
    made = contract(offer(rate("20.00"), minimum=least("50.00")), BEGIN)
    tried = replace(
        made, trial_end=date(2024, 1, 15), trial_is_free=True, billing_start=date(2024, 1, 15)
    )
    tried = replace(tried, anchor=15)

    assert true_ups(life_of(tried, date(2024, 2, 15))) == [None, None, 3000]


def test_a_plan_of_nothing_but_a_minimum_is_billed() -> None:
    """Usage that costs nothing may cost a minimum all the same."""
    made = begins(offer(rate("0"), minimum=least("50.00")))

    assert made.can_owe
    assert billed(life_of(made, date(2024, 2, 1))[1]) == [("Rate", 0), (NAME, 5000)]


def test_what_a_quote_says_is_missing_at_the_next_renewal() -> None:
    """EUR 20 today; each renewal EUR 20 and the EUR 30 that nothing used leaves missing."""
    made = quoted(offer(rate("20.00"), minimum=least("50.00")), BEGIN)

    assert made.amount_due == 2000
    assert [(one.due, one.total) for one in made.upcoming] == [(date(2024, 2, 1), 5000)]
    assert made.minimum == least("50.00")


def test_elapsed_periods_are_quoted_with_their_minimum() -> None:
    """Bought on March 10 from January 1 on: three fees, and two months that lack EUR 30."""
    today = date(2024, 3, 10)
    made = quoted(
        offer(rate("20.00"), start_date=BEGIN, created_on=today, minimum=least("50.00")), today
    )

    assert made.bill is not None
    lines = [(one.charge.start, one.charge.amount) for one in made.bill.lines]
    assert lines == [
        (BEGIN, 2000),
        (date(2024, 2, 1), 2000),
        (date(2024, 3, 1), 2000),
        (BEGIN, 3000),
        (date(2024, 2, 1), 3000),
    ]
    assert [one.total for one in made.upcoming] == [5000]


COMMITMENTS = st.decimals("0.01", "3000", places=2).map(
    lambda amount: MinimumCommitment(amount=amount)
)
DAYS = st.integers(0, 900)


@given(contracts(), COMMITMENTS, st.lists(st.integers(0, 400_000), max_size=4))
def test_service_and_true_up_are_the_minimum_or_more(
    begins_: Contract, minimum: MinimumCommitment, used: list[int]
) -> None:
    """Of every window, whatever is used; no more than it where anything is missing."""
    assume(begins_.recurring)
    lives = replace(begins_, minimum=minimum)
    for taken in life_of(lives, lives.billing_start + timedelta(days=1000)):
        floor = taken.floor
        if floor is None:
            continue
        for units in (0, *used):
            charges = (
                usage_charge(taken, units),
                *([] if units % 2 else [usage_charge(taken, units)]),
            )
            cost = floor.fees + sum(one.amount for one in charges)
            missing = shortfall(floor, charges)
            more = 0 if missing is None else missing.amount
            assert cost + more == max(cost, floor.least)
        exact = minor(minimum.amount, lives.currency) * floor.window.days / floor.full_days
        assert abs(floor.least - exact) <= Fraction(1, 2)


def usage_charge(taken: Step, amount: int) -> Charge:
    """Usage of so much in the window that closes."""
    assert taken.floor is not None
    missing = shortfall(replace(taken.floor, fees=-1), ())
    assert missing is not None
    return replace(missing, amount=amount, shortfall=None)


@given(contracts(), DAYS)
def test_windows_follow_each_other_and_share_every_fee(begins_: Contract, later: int) -> None:
    """No day without its minimum, and the fees of all windows are those that were billed."""
    assume(begins_.recurring)
    ends = replace(begins_, minimum=least("1.00"))
    if ends.end_date is None:
        ends = replace(
            ends, end_date=date.fromordinal(ends.billing_start.toordinal() + later + 1)
        )
    steps = life_of(ends, date(2070, 1, 1))
    floors = [one.floor for one in steps if one.floor is not None]
    fees = [one for taken in steps for one in taken.charges]

    assert floors[0].window.start == ends.billing_start
    assert floors[-1].window.end == ends.end_date
    assert all(a.window.end == b.window.start for a, b in pairwise(floors))
    assert sum(one.fees for one in floors) == sum(
        one.amount for one in fees if one.computation.fee is not FeeType.ONE_TIME
    )


def test_a_minimum_that_cannot_be() -> None:
    """Each fault with its path."""

    def found(minimum: MinimumCommitment, currency: str = "EUR") -> list[tuple[str, str]]:
        known = {named("product A"), named("product B")}
        recurring = {named("product A")}
        faults = faults_of(minimum, currency, known=known, recurring=recurring)
        return [(one.field, one.code) for one in faults]

    assert found(least("50.00")) == found(least("50.00", "A", "B")) == []
    assert found(least("50.001")) == [("amount", "too_precise")]
    assert found(least("50.5"), "JPY") == [("amount", "too_precise")]
    assert found(least("50.001"), "KWD") == []
    assert found(least(str(MINOR_MAX + 1)), "JPY") == [("amount", "too_large")]
    assert found(least("1", "A", "C", "A")) == [
        ("scope.product_ids[1]", "unknown"),
        ("scope.product_ids[2]", "duplicate"),
    ]
    assert found(least("1", "B")) == [("scope.product_ids", "nothing_covered")]
    nothing = faults_of(least("1"), "EUR", known=(), recurring=())
    assert [one.field for one in nothing] == ["scope"]


def test_what_is_missing_says_what_it_is_missing_from() -> None:
    """100.00 of which 60.00 were billed and 15.00 used."""
    taken = life_of(begins(offer(rate("60"), minimum=least("100"))), date(2024, 2, 1))[-1]
    assert taken.floor is not None
    used = replace(usage_charge(taken, 1500), product_id=PRODUCT)
    missing = shortfall(taken.floor, (used,))
    assert missing is not None
    assert missing.amount == 2500
    assert missing.shortfall == Shortfall(
        minimum=Decimal(100), full_days=31, least=10000, cost=7500
    )


def test_the_largest_minimum() -> None:
    """What is just not too large."""
    assert list(faults_of(least(str(MINOR_MAX)), "JPY", known=(), recurring=[named("a")])) == []
