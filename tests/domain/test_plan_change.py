"""Changing the plan of a contract: lines, fractions, and that no day is billed twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tallystick.domain.charges import Charge, Item, billing_type
from tallystick.domain.contract import Contract
from tallystick.domain.errors import InvalidInput
from tallystick.domain.life import is_over
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.new_components import TargetPlan
from tallystick.domain.periods import Cadence
from tallystick.domain.plan_change import changed_now
from tallystick.domain.pricing import BillingType, FeeType
from tallystick.domain.rest_of_period import Billed
from tallystick.domain.tax import TaxDecision, TaxWhy
from tests.cases.golden import case, row_id, rows
from tests.domain.changing import DAYS, amounts, changed, living, renamed
from tests.domain.contracts import contract, contracts, life_of
from tests.domain.offers import capacity, offer, rate, seats
from tests.domain.samples import named


@pytest.mark.parametrize("case_id", ["PRO-01", "PRO-03", "PRO-04"])
def test_by_the_days_that_are_left(case_id: str) -> None:
    """A month of thirty days: the golden credits and charges of a rate that changes.

    No month begins on January 1 and ends on the 31st: it is April.
    """
    golden = case(case_id)
    start = date.fromisoformat(golden["input"]["period"][0])
    days = date.fromisoformat(golden["input"]["change_date"]) - start
    (prices,) = golden["input"]["matched"]
    april = date(2025, 4, 1)
    # Its last period, so that a change on its end has nothing of the next one.
    made = offer(
        rate(str(prices["old"] // 100)),
        start_date=april,
        created_on=april,
        end_date=date(2025, 5, 1),
    )
    lives = life_of(contract(made, april), april)[-1].contract
    new = rate(str(prices["new"] // 100))

    change = changed(lives, *renamed([new]), day=april + days)

    assert amounts(change) == golden["expected"]["lines"]


@pytest.mark.parametrize("case_id", ["PRO-06"])
def test_slots_times_their_rate(case_id: str) -> None:
    """Five seats at 10.00 to ten: -2500 and 5000 with half of the month left."""
    golden = case(case_id)
    lives = living(seats("10", 5), start=date(2025, 4, 1))
    (ten,) = renamed([seats("10", 10)])
    wanted = TargetPlan(
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


@pytest.mark.parametrize(
    ("start", "anchor", "end_date"),
    [
        (date(2025, 1, 22), 1, None),
        (date(2025, 1, 7), 1, None),
        (date(2025, 1, 1), 1, date(2025, 1, 28)),
        (date(2025, 1, 22), 1, date(2025, 1, 28)),
    ],
)
def test_a_stub_or_cut_period_goes_by_the_days_of_its_full_one(
    start: date, anchor: int, end_date: date | None
) -> None:
    """As it was billed, by 31 days: what is left of 31.00 is 1.00 for each day.

    So changing on the first day costs what starting with the new price does.
    """
    made = offer(
        rate("31"), anchor=anchor, start_date=start, created_on=start, end_date=end_date
    )
    lives = life_of(contract(made, start), start)[-1].contract
    end = lives.period_end
    assert end is not None
    day = end - timedelta(days=3)

    change = changed(lives, *renamed([rate("62")]), day=day)
    at_once = changed(lives, *renamed([rate("62")]), day=start)

    assert amounts(change) == [-300, 600]
    days = (end - start).days
    assert amounts(at_once) == [-100 * days, 200 * days]


def test_the_base_of_a_capacity_was_billed_in_full_for_the_days_of_a_stub() -> None:
    """Five of ten days are left of 30.00, and of the 60.00 that take their place."""
    lives = living(capacity("30"), start=date(2025, 1, 22), anchor=1)

    change = changed(lives, *renamed([capacity("60")]), day=date(2025, 1, 27))

    assert amounts(change) == [-1500, 3000]


def test_the_base_of_a_capacity_was_billed_in_full_for_the_days_of_a_cut_period() -> None:
    """Five of 27 days are left of 27.00, and of the 54.00 that take their place."""
    start = date(2025, 1, 1)
    made = offer(capacity("27"), start_date=start, created_on=start, end_date=date(2025, 1, 28))
    lives = life_of(contract(made, start), start)[-1].contract

    change = changed(lives, *renamed([capacity("54")]), day=date(2025, 1, 23))

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
    new = TargetPlan(plan_id=named("other"), items=renamed([rate("62", name="Fee")]))

    change = changed_now(lives, new, date(2024, 1, 16), {fee.id: [billed]})

    assert amounts(change) == [one for one in (credit, 3200) if one]


def test_a_minimum_counts_the_parts_of_old_and_new_fees() -> None:
    """15.00 of the old fee and 32.00 of the new one stand against the new plan's 60.00."""
    lives = living(rate("31", name="Fee"), start=date(2024, 1, 1))
    least = MinimumCommitment(amount=Decimal(60), product_ids=None)
    items = renamed([rate("62", name="Fee")])
    new = TargetPlan(plan_id=named("other"), items=items, minimum=least)

    after = changed_now(lives, new, date(2024, 1, 16), {}).step.contract
    (renewal,) = life_of(after, date(2024, 2, 1))

    assert renewal.floor is not None
    assert (renewal.floor.fees, renewal.floor.least) == (1500 + 3200, 6000)
    assert renewal.floor.item_id == items[0].id


def test_in_a_cut_window_a_minimum_counts_what_was_billed_of_old_and_new_fees() -> None:
    """20 of January's 31 days: ten of the old fee's, ten of the new one's, of 31 and 62."""
    start = date(2024, 1, 1)
    made = offer(
        rate("31", name="Fee"), start_date=start, created_on=start, end_date=date(2024, 1, 21)
    )
    lives = life_of(contract(made, start), start)[-1].contract
    least = MinimumCommitment(amount=Decimal(62), product_ids=None)
    new = TargetPlan(
        plan_id=named("other"), items=renamed([rate("62", name="Fee")]), minimum=least
    )

    after = changed_now(lives, new, date(2024, 1, 11), {}).step.contract
    (last,) = life_of(after, date(2024, 1, 21))

    assert last.floor is not None
    assert (last.floor.fees, last.floor.least) == (1000 + 2000, 4000)
