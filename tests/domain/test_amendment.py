"""Amending a contract: lines, what is credited of which line, and that nothing comes twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tallystick.domain.amended_items import Amendment, Changed
from tallystick.domain.amendment import Amended, Past, amended_now
from tallystick.domain.charges import Item, billing_type
from tallystick.domain.contract import Contract
from tallystick.domain.credit_removed import BillingLine, shares_left
from tallystick.domain.life import is_over
from tallystick.domain.pricing import BillingType, FeeType, RatePricing
from tallystick.domain.tax import TaxDecision, TaxWhy
from tests.cases.golden import case, rows
from tests.domain.contracts import contract, contracts, life_of
from tests.domain.offers import offer, priced, rate
from tests.domain.samples import named

JANUARY, APRIL = date(2025, 1, 1), date(2025, 4, 1)
UNTAXED = TaxDecision(rates=(), exemption=None, reason=None, why=TaxWhy.ENGINE_OFF)
DAYS = st.integers(0, 400).map(lambda days: timedelta(days=days))


def living(*items: Item, start: date = JANUARY) -> Contract:
    """A contract whose first period has begun."""
    made = contract(offer(*items, start_date=start, created_on=start), start)
    return life_of(made, start)[-1].contract


def in_april(golden: dict[str, Any]) -> date:
    """The day of a golden change in a month that has the thirty days of its period."""
    start, change = golden["period"][0], golden["change_date"]
    return APRIL + (date.fromisoformat(change) - date.fromisoformat(start))


def amended(
    lives: Contract, amendment: Amendment, day: date, lines: Sequence[BillingLine] = ()
) -> Amended:
    """The contract with an amendment, of items that were billed by these lines."""
    past = Past(billed={}, lines=lines, decision_of=lambda _: UNTAXED)
    return amended_now(lives, amendment, day, past)


def support(instances: int) -> Item:
    """An add-on of 100.00 a month, so many times."""
    return priced("Support", RatePricing(rate=Decimal(100)), instances=instances)


@pytest.mark.parametrize("case_id", ["PRO-11"])
def test_several_instances(case_id: str) -> None:
    """PRO-11: three times 100.00 for half of the month are 150.00; three are shown."""
    golden = case(case_id)
    lives = living(rate("1"), start=APRIL)

    made = amended(lives, Amendment(added=(support(3),)), in_april(golden["input"]))

    assert [one.amount for one in made.step.charges] == golden["expected"]["lines"]
    (line,) = made.step.charges
    assert line.computation.quantity == golden["expected"]["quantity"]


@pytest.mark.parametrize("row", rows("PRO-14"), ids=lambda row: row["id"])
def test_a_quantity_is_netted(row: dict[str, int]) -> None:
    """PRO-14: two join for 100.00; one that becomes three costs 150.00 less 50.00."""
    day = in_april(case("PRO-14")["input"])
    joining = replace(support(row["added_quantity"]), id=named("joining"))
    before = [support(row["removed_quantity"])] if "removed_quantity" in row else []
    lives = living(rate("1"), *before, start=APRIL)
    amendment = (
        Amendment(changed=(Changed(item_id=before[0].id, to=joining),))
        if before
        else Amendment(added=(joining,))
    )

    made = amended(lives, amendment, day)

    assert [one.amount for one in made.step.charges] == [row["net"]]


def billing(
    start: date, end: date, amount: int, discount: int = 0, item: str = "Rate"
) -> BillingLine:
    """A line of a final invoice."""
    return BillingLine(
        id=named(f"{item} {start} {amount}"),
        invoice_id=named(f"invoice {start} {amount}"),
        is_final=True,
        item_id=named(item),
        start=start,
        end=end,
        amount=amount,
        discount=discount,
    )


JAN_1, JAN_16, FEB_1 = date(2024, 1, 1), date(2024, 1, 16), date(2024, 2, 1)


@pytest.mark.parametrize(
    ("lines", "day", "amounts"),
    [
        pytest.param([billing(JAN_1, FEB_1, 3100)], JAN_1, [3100], id="the first day"),
        pytest.param([billing(JAN_1, FEB_1, 3100)], JAN_16, [1600], id="the middle"),
        pytest.param([billing(JAN_1, FEB_1, 3100, 3100)], JAN_16, [], id="for nothing"),
        pytest.param([billing(JAN_1, FEB_1, 3100, 1550)], JAN_16, [1600], id="half price"),
        pytest.param(
            [billing(JAN_16, FEB_1, 800), billing(JAN_1, FEB_1, 3100)],
            JAN_16,
            [800, 1600],
            id="dearer since",
        ),
        pytest.param(
            [billing(JAN_16, FEB_1, -800), billing(JAN_1, FEB_1, 3100)],
            JAN_16,
            [800],
            id="cheaper since",
        ),
        pytest.param(
            [billing(JAN_16, FEB_1, -400), billing(JAN_1, FEB_1, 3100, 1550)],
            JAN_16,
            [800],
            id="cheaper since, and paid by half",
        ),
        pytest.param(
            [
                billing(JAN_16, FEB_1, 500),
                billing(JAN_16, FEB_1, -1600),
                billing(JAN_1, FEB_1, 3100),
            ],
            JAN_16,
            [500],
            id="given back in full, and charged anew",
        ),
    ],
)
def test_what_is_left_of_the_lines(
    lines: list[BillingLine], day: date, amounts: list[int]
) -> None:
    """Shares by days, newest first; what was given back is not given back again."""
    assert [one.amount for one in shares_left(lines, day)] == amounts


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 30), st.integers(0, 30))
def test_up_or_down_and_removed(before: int, after: int, first: int, later: int) -> None:
    """However a price changed, what comes back is the new one's days, to the rounding."""
    change = JAN_1 + timedelta(days=min(first, later))
    day = JAN_1 + timedelta(days=max(first, later))
    left = (FEB_1 - change).days
    netted = round(after * left / 31) - round(before * left / 31)
    lines = [billing(JAN_1, FEB_1, before)]
    if netted:
        lines.insert(0, billing(change, FEB_1, netted))

    back = sum(one.amount for one in shares_left(lines, day))

    assert abs(back - after * (FEB_1 - day).days / 31) <= 3


@given(contracts(), DAYS, DAYS)
def test_what_was_removed_is_not_billed_again(
    begins: Contract, first: timedelta, rest: timedelta
) -> None:
    """No fee in advance after the day, and arrears up to it."""
    day = begins.billing_start + first
    lives = life_of(begins, day)[-1].contract
    assume(not is_over(lives))
    gone = lives.items[0]
    made = amended(lives, Amendment(removed_components=(gone.id,)), day)

    later = life_of(made.step.contract, day + rest)

    charges = [one for step in later for one in step.charges if one.item_id == gone.id]
    recurs = gone.fee.type is not FeeType.ONE_TIME
    if not recurs or billing_type(gone) is BillingType.ADVANCE:
        assert charges == []
    assert all(one.end <= day for one in charges)


@given(contracts(), DAYS, DAYS)
def test_what_joins_is_billed_without_a_gap(
    begins: Contract, first: timedelta, rest: timedelta
) -> None:
    """From the day on, every day of it once."""
    day = begins.billing_start + first
    lives = life_of(begins, day)[-1].contract
    assume(not is_over(lives))
    joining = replace(rate("30", lives.cadence, "Joining"), id=UUID(int=7))
    made = amended(lives, Amendment(added=(joining,)), day)

    later = [made.step, *life_of(made.step.contract, day + rest)]

    spans = sorted(
        (one.start, one.end)
        for step in later
        for one in step.charges
        if one.item_id == joining.id
    )
    assert [start for start, _ in spans] == [day, *(end for _, end in spans[:-1])]
    assert made.step.contract.mrr == lives.mrr + 3000 // lives.cadence.months


def test_on_the_day_its_periods_begin_it_is_as_any_other() -> None:
    """Joined in the middle of January, it changes on February 1: a month back, a month on."""
    joining = replace(rate("30", name="Joining"), id=UUID(int=7))
    lives = amended(living(rate("31")), Amendment(added=(joining,)), date(2025, 1, 16))
    assert [(one.name, one.amount) for one in lives.step.charges] == [
        ("Joining (prorated)", 1548)
    ]
    (february,) = life_of(lives.step.contract, date(2025, 2, 1))
    dearer = replace(joining, id=UUID(int=8), pricing=RatePricing(rate=Decimal(58)))

    made = amended(
        february.contract,
        Amendment(changed=(Changed(item_id=joining.id, to=dearer),)),
        date(2025, 2, 1),
    )

    assert [one.amount for one in made.step.charges] == [2800]
