"""Changes at the end of a period: nothing twice, nothing missing, in any rhythm."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from tallystick.domain.at_period_end import boundary_ahead
from tallystick.domain.charges import Charge
from tallystick.domain.contract import Contract
from tallystick.domain.errors import Conflict
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.new_components import TargetPlan
from tallystick.domain.periods import Cadence
from tallystick.domain.plan_change import changed_now
from tallystick.domain.scheduled import ScheduledPlan
from tests.domain.changing import DAYS, amounts, living, planned, renamed
from tests.domain.contracts import contract, contracts, life_of, stands
from tests.domain.offers import offer, once, rate, trial
from tests.domain.samples import named


@given(contracts(), st.lists(DAYS, min_size=1, max_size=4), DAYS)
def test_scheduled_changes_to_the_same_prices_bill_what_no_change_would(
    begins: Contract, after: list[timedelta], rest: timedelta
) -> None:
    """In every rhythm: the same days at the same prices, none of them twice or not at all."""
    assume(all(one.slots != 0 for one in begins.items))
    lives, charges = begins, list[Charge]()
    for days in sorted(after):
        steps = life_of(lives, begins.start + days)
        charges += [one for step in steps for one in step.charges]
        lives = steps[-1].contract if steps else lives
        try:
            lives = planned(lives, *renamed(lives.items))
        except Conflict:
            continue
    until = begins.start + max(after) + rest
    charges += [one for step in life_of(lives, until) for one in step.charges]

    plain = [one for step in life_of(begins, until) for one in step.charges]
    assert _advance(charges) == _advance(plain)


def _advance(charges: Sequence[Charge]) -> list[tuple[object, ...]]:
    """What is billed in advance: the figures. A setup is charged by no change."""
    return sorted(
        (one.name, one.start, one.end, one.amount)
        for one in charges
        if not one.name.endswith("ARREARS") and one.name != "Setup"
    )


@given(st.lists(st.sampled_from(Cadence), min_size=2, max_size=5), st.integers(1, 31), DAYS)
def test_rhythms_follow_each_other(
    rhythms: list[Cadence], anchor: int, rest: timedelta
) -> None:
    """Months, years and quarters at each period's end: the spans follow without a gap, and
    each regular one costs its price in full.
    """
    start = date(2024, 1, 17)
    lives = living(rate("100", rhythms[0], "Fee"), start=start, anchor=anchor)
    first = contract(
        offer(
            rate("100", rhythms[0], "Fee"), start_date=start, created_on=start, anchor=anchor
        ),
        start,
    )
    charges = [one for step in life_of(first, start) for one in step.charges]
    for cadence in rhythms[1:]:
        lives = planned(lives, *renamed([rate("100", cadence, "Fee")]))
        day = boundary_ahead(lives)
        (renewal,) = life_of(lives, day)
        charges += renewal.charges
        lives = renewal.contract
        assert lives.cadence is cadence
        assert lives.period_start == day
    charges += [
        one for step in life_of(lives, lives.period_start + rest) for one in step.charges
    ]
    ends = [start, *(one.end for one in charges)]
    assert [one.start for one in charges] == ends[:-1]
    assert {one.amount for one in charges[1:]} == {10000}


def test_a_year_that_was_paid_stays_paid() -> None:
    """Support until 2026 beside a monthly fee: the new one is billed from there, in full."""
    lives = living(
        rate("10", name="Fee"), rate("365", Cadence.ANNUAL, "Support"), start=date(2025, 1, 1)
    )
    new = renamed([rate("20", name="Fee"), rate("730", Cadence.ANNUAL, "Support")])

    later = life_of(planned(lives, *new), date(2026, 1, 1))

    support = [one for step in later for one in step.charges if one.name == "Support"]
    assert [(one.start, one.end, one.amount) for one in support] == [
        (date(2026, 1, 1), date(2027, 1, 1), 73000)
    ]
    assert [step.charges[0].amount for step in later] == [2000] * 12


def test_a_shorter_rhythm_stays_while_something_ends_in_it() -> None:
    """To yearly fees only, one of them paid until next January: billed there, to the day."""
    lives = living(
        rate("10", name="Fee"), rate("365", Cadence.ANNUAL, "Support"), start=date(2025, 1, 1)
    )
    new = renamed([rate("100", Cadence.ANNUAL, "Fee"), rate("730", Cadence.ANNUAL, "Support")])

    later = life_of(planned(lives, *new), date(2026, 2, 1))

    billed = [(step.day, one.name) for step in later for one in step.charges]
    assert billed == [
        (date(2025, 2, 1), "Fee"),
        (date(2026, 1, 1), "Support"),
        (date(2026, 2, 1), "Fee"),
    ]
    assert later[0].contract.cadence is Cadence.MONTHLY


def test_a_fee_once_of_a_plan_that_a_trial_never_reached() -> None:
    """Neither the setup of the plan that leaves in the trial is charged nor the new one's."""
    start = date(2025, 1, 1)
    made = offer(
        rate("10", name="Fee"),
        once("99"),
        start_date=start,
        created_on=start,
        trial=trial(14, is_free=True),
    )
    lives = stands(contract(made, start), start)
    new = renamed([rate("20", name="Fee"), once("50")])

    now = changed_now(
        lives, TargetPlan(plan_id=named("other"), items=new), date(2025, 1, 8), {}
    )
    then = life_of(planned(lives, *new), date(2025, 1, 15))

    assert amounts(now) == [2000]
    assert [one.amount for one in then[-1].charges] == [2000]


def test_a_minimum_of_the_old_plan_holds_for_its_last_window() -> None:
    """Scheduled: January has the old 60.00, February the new 80.00."""
    lives = living(rate("31", name="Fee"), start=date(2024, 1, 1))
    lives = replace(lives, minimum=MinimumCommitment(amount=Decimal(60), product_ids=None))
    least = MinimumCommitment(amount=Decimal(80), product_ids=None)
    lives = planned(lives, *renamed([rate("62", name="Fee")]))
    assert isinstance(lives.scheduled, ScheduledPlan)
    plan = replace(lives.scheduled.plan, minimum=least)
    lives = replace(lives, scheduled=replace(lives.scheduled, plan=plan))

    floors = [one.floor for one in life_of(lives, date(2024, 3, 1))]

    assert [(one.least, one.fees) for one in floors if one is not None] == [
        (6000, 3100),
        (8000, 6200),
    ]
