"""Changing the plan of a contract: lines, fractions, and that no day is billed twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tallystick.domain.at_period_end import boundary_ahead, scheduled
from tallystick.domain.charges import Charge, Item, billing_type
from tallystick.domain.contract import Contract
from tallystick.domain.errors import Conflict, InvalidInput
from tallystick.domain.life import is_over
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.new_components import NewPlan
from tallystick.domain.periods import Cadence
from tallystick.domain.plan_change import PlanChange, changed_now
from tallystick.domain.pricing import BillingType, FeeType
from tallystick.domain.rest_of_period import Billed
from tallystick.domain.scheduled import ScheduledPlan
from tallystick.domain.tax import TaxDecision, TaxWhy
from tests.cases.golden import case, row_id, rows
from tests.domain.contracts import contract, contracts, life_of, stands
from tests.domain.offers import offer, once, rate, seats, trial
from tests.domain.samples import named

_NUMBERS = count()


def renamed(items: Sequence[Item]) -> tuple[Item, ...]:
    """The same components of another plan: their products and prices, with ids of their own."""
    return tuple(
        replace(
            one,
            id=named(f"joined {next(_NUMBERS)}"),
            starts_on=None,
            ends_on=None,
            billed_from=None,
        )
        for one in items
        if one.ends_on is None
    )


def living(*items: Item, start: date, anchor: int | None = None) -> Contract:
    """A contract whose first period has begun."""
    made = contract(offer(*items, start_date=start, created_on=start, anchor=anchor), start)
    return life_of(made, start)[-1].contract


def changed(lives: Contract, *items: Item, day: date) -> PlanChange:
    """The contract with the components of another plan."""
    return changed_now(lives, NewPlan(plan_id=named("other"), items=items), day, {})


def amounts(change: PlanChange) -> list[int]:
    """What the change bills."""
    return [one.amount for one in change.step.charges]


@pytest.mark.parametrize("case_id", ["PRO-01", "PRO-03", "PRO-04"])
def test_by_the_days_that_are_left(case_id: str) -> None:
    """A month of thirty days: the golden credits and charges of a rate that changes."""
    golden = case(case_id)
    start, end = (date.fromisoformat(one) for one in golden["input"]["period"])
    (prices,) = golden["input"]["matched"]
    lives = living(rate(str(prices["old"] // 100)), start=start)
    lives = replace(lives, period_end=end, end_date=end)
    new = rate(str(prices["new"] // 100))

    change = changed(
        lives, *renamed([new]), day=date.fromisoformat(golden["input"]["change_date"])
    )

    assert amounts(change) == golden["expected"]["lines"]


@pytest.mark.parametrize("case_id", ["PRO-06"])
def test_slots_times_their_rate(case_id: str) -> None:
    """Five seats at 10.00 to ten: -2500 and 5000 with half of the month left."""
    golden = case(case_id)
    lives = living(seats("10", 5), start=date(2025, 4, 1))
    (ten,) = renamed([seats("10", 10)])
    wanted = NewPlan(
        plan_id=named("other"),
        items=(replace(ten, component_id=named("seats")),),
        chosen_slots=frozenset({named("seats")}),
    )

    change = changed_now(lives, wanted, date(2025, 4, 16), {})

    assert amounts(change) == golden["expected"]["lines"]


@pytest.mark.parametrize("case_id", ["PRO-09"])
def test_a_yearly_fee_joins_a_month_of_thirty_days(case_id: str) -> None:
    """30 of a year's nominal 365 days, 300.00 of 3650.00."""
    golden = case(case_id)
    yearly = Decimal(golden["input"]["added"][0]["unit_price_minor"]) / 100
    lives = living(rate("100", name="Fee"), start=date(2025, 4, 1))
    new = renamed([rate("100", name="Fee"), rate(str(yearly), Cadence.ANNUAL, "Support")])

    change = changed(lives, *new, day=date(2025, 4, 1))

    assert amounts(change) == [-10000, 10000, *golden["expected"]["lines"]]


@pytest.mark.parametrize("row", rows("PRO-13"), ids=row_id)
def test_the_direction_of_a_change(row: dict[str, Any]) -> None:
    """Up, down or neither: by what the advance fees come to, which monthly value tells."""
    lives = living(rate(str(row["old"] // 100)), start=date(2025, 4, 1))

    after = changed(lives, *renamed([rate(str(row["new"] // 100))]), day=date(2025, 4, 16))

    told = (after.step.contract.mrr > lives.mrr) - (after.step.contract.mrr < lives.mrr)
    assert told == {"upgrade": 1, "lateral": 0, "downgrade": -1}[row["direction"]]
    assert sum(amounts(after)) == (row["new"] - row["old"]) // 2


def test_a_yearly_fee_in_a_monthly_period() -> None:
    """31 of a year's nominal 365 days now, the year from the next month."""
    lives = living(rate("100", name="Fee"), start=date(2025, 1, 1))
    yearly = renamed([rate("100", name="Fee"), rate("3650", Cadence.ANNUAL, "Support")])

    change = changed(lives, *yearly, day=date(2025, 1, 1))

    assert amounts(change)[-1] == 31000
    after = change.step.contract
    year = [one for one in life_of(after, date(2026, 3, 1)) if one.charges]
    support = [
        (one.start, one.end, one.amount)
        for step in year
        for one in step.charges
        if one.name == "Support"
    ]
    assert support == [
        (date(2025, 2, 1), date(2026, 2, 1), 365000),
        (date(2026, 2, 1), date(2027, 2, 1), 365000),
    ]


def test_a_stub_counts_nominally() -> None:
    """Ten days from January 22 to February 1 are no month: five of 30 days are left."""
    lives = living(rate("30"), start=date(2025, 1, 22), anchor=1)

    change = changed(lives, *renamed([rate("60")]), day=date(2025, 1, 27))

    assert amounts(change) == [-500, 1000]


def test_a_yearly_fee_beside_a_monthly_one_goes_by_its_own_year() -> None:
    """Paid until 2026: 334 of its 365 days are credited, and charged of the new one."""
    lives = living(
        rate("10", name="Fee"), rate("365", Cadence.ANNUAL, "Support"), start=date(2025, 1, 1)
    )
    lives = life_of(lives, date(2025, 2, 1))[-1].contract
    new = renamed([rate("10", name="Fee"), rate("730", Cadence.ANNUAL, "Support")])

    change = changed(lives, *new, day=date(2025, 2, 1))

    assert amounts(change) == [-1000, -33400, 1000, 66800]
    later = life_of(change.step.contract, date(2026, 1, 1))
    support = [one for step in later for one in step.charges if one.name == "Support"]
    assert [(one.start, one.amount) for one in support] == [(date(2026, 1, 1), 73000)]


def test_shorter_periods_are_refused() -> None:
    """A yearly subscription cannot change to a monthly plan in the middle of its year yet."""
    lives = living(rate("365", Cadence.ANNUAL), start=date(2025, 1, 1))

    with pytest.raises(InvalidInput, match="MONTHLY"):
        changed(lives, *renamed([rate("40")]), day=date(2025, 3, 1))


DAYS = st.integers(0, 400).map(lambda days: timedelta(days=days))


@given(contracts(), st.lists(DAYS, min_size=1, max_size=4), DAYS)
def test_changes_to_the_same_prices_bill_what_no_change_would(
    begins: Contract, after: list[timedelta], rest: timedelta
) -> None:
    """Each change nets to nothing, and all else is billed as if there had been none.

    So no day of an advance fee is billed twice or not at all.
    """
    # Nobody has fewer seats than the least, which is one.
    assume(all(one.slots != 0 for one in begins.items))
    day, lives = begins.billing_start, begins
    charges: list[Charge] = []
    for days in sorted(after):
        day = begins.billing_start + days
        steps = life_of(lives, day)
        charges += [one for step in steps for one in step.charges]
        lives = steps[-1].contract if steps else lives
        assume(not is_over(lives))
        change = changed(lives, *renamed(lives.items), day=day)
        assert sum(amounts(change)) == 0
        assert change.step.contract.mrr == lives.mrr
        lives = change.step.contract
    until = day + rest
    charges += [one for step in life_of(lives, until) for one in step.charges]

    def advance(found: Sequence[Charge], items: Sequence[Item]) -> list[tuple[object, ...]]:
        in_advance = {
            one.id
            for one in items
            if billing_type(one) is BillingType.ADVANCE or one.fee.type is FeeType.ONE_TIME
        }
        return sorted(
            (one.name, one.start, one.end, one.amount)
            for one in found
            if one.item_id in in_advance
        )

    plain = [one for step in life_of(begins, until) for one in step.charges]
    assert advance(charges, lives.items) == advance(plain, begins.items)


@given(contracts(), DAYS, DAYS)
def test_arrears_are_split_at_the_change(
    begins: Contract, first: timedelta, rest: timedelta
) -> None:
    """The old and the new part of each window follow each other without a gap."""
    day = begins.billing_start + first
    steps = life_of(begins, day)
    lives = steps[-1].contract
    assume(not is_over(lives))
    change = changed(lives, *renamed(lives.items), day=day)

    later = [*steps, *life_of(change.step.contract, day + rest)]

    for product in {
        one.product_id for one in begins.recurring if billing_type(one) is BillingType.ARREARS
    }:
        spans = sorted(
            (one.start, one.end)
            for step in later
            for one in step.charges
            if one.product_id == product
        )
        ends = [begins.billing_start, *(end for _, end in spans)]
        assert [start for start, _ in spans] == ends[:-1]


def planned(lives: Contract, *items: Item) -> Contract:
    """The contract with a change to these components at the end of its period."""
    change = ScheduledPlan(
        effective_on=boundary_ahead(lives),
        plan=NewPlan(plan_id=named("other"), items=items),
        plan_version_id=named("version"),
        plan_name="Other",
        plan_version=1,
    )
    return scheduled(lives, change)


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

    now = changed_now(lives, NewPlan(plan_id=named("other"), items=new), date(2025, 1, 8), {})
    then = life_of(planned(lives, *new), date(2025, 1, 15))

    assert amounts(now) == [2000]
    assert [one.amount for one in then[-1].charges] == [2000]


@pytest.mark.parametrize(
    ("lines", "credit"),
    [
        ([], 0),
        ([(3100, 0, 0)], -1600),
        ([(3100, 1550, 0)], -800),
        ([(3100, 0, 2000)], -1100),
        ([(3100, 0, 3100)], 0),
        ([(3100, 0, 0), (1000, 500, 0)], -1405),
    ],
)
def test_a_credit_gives_back_what_is_left(
    lines: list[tuple[int, int, int]], credit: int
) -> None:
    """16.00 of 31.00: nothing of a void line, half of a halved one, what notes have left."""
    fee = rate("31", name="Fee")
    lives = living(fee, start=date(2024, 1, 1))
    decision = TaxDecision(rates=(), exemption=None, reason=None, why=TaxWhy.NONE)
    billed = Billed(decision=decision)
    for one in lines:
        billed = billed.with_line(*one, decision)
    new = NewPlan(plan_id=named("other"), items=renamed([rate("62", name="Fee")]))

    change = changed_now(lives, new, date(2024, 1, 16), {fee.id: billed})

    assert amounts(change) == [one for one in (credit, 3200) if one]


def test_a_minimum_counts_the_parts_of_old_and_new_fees() -> None:
    """15.00 of the old fee and 32.00 of the new one stand against the new plan's 60.00."""
    lives = living(rate("31", name="Fee"), start=date(2024, 1, 1))
    least = MinimumCommitment(amount=Decimal(60), product_ids=None)
    items = renamed([rate("62", name="Fee")])
    new = NewPlan(plan_id=named("other"), items=items, minimum=least)

    after = changed_now(lives, new, date(2024, 1, 16), {}).step.contract
    (renewal,) = life_of(after, date(2024, 2, 1))

    assert renewal.floor is not None
    assert (renewal.floor.fees, renewal.floor.least) == (1500 + 3200, 6000)
    assert renewal.floor.item_id == items[0].id


def test_a_minimum_of_the_old_plan_holds_for_its_last_window() -> None:
    """Scheduled: January has the old 60.00, February the new 80.00."""
    lives = living(rate("31", name="Fee"), start=date(2024, 1, 1))
    lives = replace(lives, minimum=MinimumCommitment(amount=Decimal(60), product_ids=None))
    least = MinimumCommitment(amount=Decimal(80), product_ids=None)
    lives = planned(lives, *renamed([rate("62", name="Fee")]))
    assert isinstance(change := lives.scheduled, ScheduledPlan)
    change = replace(change, plan=replace(change.plan, minimum=least))
    lives = replace(lives, scheduled=change)

    floors = [one.floor for one in life_of(lives, date(2024, 3, 1))]

    assert [(one.least, one.fees) for one in floors if one is not None] == [
        (6000, 3100),
        (8000, 6200),
    ]
