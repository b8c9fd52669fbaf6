"""Changing the plan of a contract: lines, fractions, and that no day is billed twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tallystick.domain.charges import Charge, Item, billing_type
from tallystick.domain.contract import Contract
from tallystick.domain.errors import InvalidInput
from tallystick.domain.life import is_over
from tallystick.domain.periods import Cadence
from tallystick.domain.plan_change import NewPlan, PlanChange, changed_now
from tallystick.domain.pricing import BillingType, FeeType
from tests.cases.golden import case
from tests.domain.contracts import contract, contracts, life_of
from tests.domain.offers import offer, rate, seats
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


def test_slots_times_their_rate() -> None:
    """PRO-06: five seats at 10.00 to ten: -2500 and 5000 with half of the month left."""
    golden = case("PRO-06")
    lives = living(seats("10", 5), start=date(2025, 4, 1))
    (ten,) = renamed([seats("10", 10)])
    wanted = NewPlan(
        plan_id=named("other"),
        items=(replace(ten, component_id=named("seats")),),
        chosen_slots=frozenset({named("seats")}),
    )

    change = changed_now(lives, wanted, date(2025, 4, 16), {})

    assert amounts(change) == golden["expected"]["lines"]


def test_a_yearly_fee_in_a_monthly_period() -> None:
    """PRO-09's rule: 31 of a year's nominal 365 days now, the year from the next month."""
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
