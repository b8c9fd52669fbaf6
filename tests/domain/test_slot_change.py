"""Changing the slots of a contract: fractions, bounds, boundaries, and what they are worth."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tallystick.domain.charges import Item, SlotChange, monthly_value
from tallystick.domain.contract import Contract
from tallystick.domain.errors import InvalidInput
from tallystick.domain.new_components import TargetPlan
from tallystick.domain.periods import Cadence
from tallystick.domain.plan_change import changed_now
from tallystick.domain.pricing import COUNT_MAX, SlotPricing
from tallystick.domain.slot_change import SlotsChanged, slots_changed, slots_item, slots_paid
from tests.cases.golden import case
from tests.domain.contracts import contract, stands
from tests.domain.offers import offer, priced, rate, seats
from tests.domain.samples import named

FIRST = date(2025, 4, 1)
SEATS = named("Seats")


def living(*items: Item, start: date = FIRST, anchor: int | None = None) -> Contract:
    """A contract whose first period has begun."""
    made = contract(offer(*items, start_date=start, created_on=start, anchor=anchor), start)
    return stands(made, start)


def changed(
    lives: Contract, delta: int, day: date, *, waits: bool = False, item_id: UUID = SEATS
) -> SlotsChanged:
    """The contract with so many slots more or fewer."""
    item = slots_item(lives, item_id, "component_id")
    return slots_changed(lives, item, delta, day, waits=waits)


def amounts(change: SlotsChanged) -> list[int]:
    """What the change bills."""
    return [one.amount for one in change.step.charges]


@pytest.mark.parametrize("case_id", ["PRO-06"])
def test_half_of_the_month_is_left(case_id: str) -> None:
    """Five seats to ten for 15 of 30 days: the golden net of 2500, in one line."""
    golden = case(case_id)
    (prices,) = golden["input"]["matched"]
    rate_of_one = str(Decimal(prices["unit_price_minor"]) / 100)
    lives = living(seats(rate_of_one, prices["old_slots"]))

    change = changed(lives, prices["new_slots"] - prices["old_slots"], date(2025, 4, 16))

    assert amounts(change) == [golden["expected"]["net"]]
    assert change.step.contract.mrr == prices["new_slots"] * prices["unit_price_minor"]


def test_in_a_stub_by_the_days_that_it_was_billed_by() -> None:
    """Five of January's 31 days are left of 2 x 31.00, as of the first seat's ten."""
    lives = living(seats("31", 1), start=date(2025, 1, 22), anchor=1)

    assert amounts(changed(lives, 2, date(2025, 1, 27))) == [1000]


def test_by_its_own_year() -> None:
    """Yearly seats beside a monthly fee: 334 of 365 days, and fewer from the next year."""
    pricing = SlotPricing(unit_rate=Decimal(365), min_slots=0)
    yearly = priced("Seats", pricing, Cadence.ANNUAL, slots=4)
    lives = living(rate("10", name="Fee"), yearly, start=date(2025, 1, 1))
    lives = stands(lives, date(2025, 2, 1))

    assert amounts(changed(lives, 2, date(2025, 2, 1))) == [66800]
    fewer = changed(lives, -3, date(2025, 2, 1))

    assert (fewer.step.charges, fewer.entry.on) == ((), date(2026, 1, 1))
    # 10.00 a month, and four or one twelfths of 365.00.
    assert stands(fewer.step.contract, date(2025, 12, 31)).mrr == 1000 + 12167
    assert stands(fewer.step.contract, date(2026, 1, 1)).mrr == 1000 + 3042


def test_what_waits_is_worth_nothing_yet() -> None:
    """Billed, and neither there nor counted until it is paid, and then from that day."""
    change = changed(living(seats("10", 5)), 5, date(2025, 4, 16), waits=True)

    waits = change.step.contract
    assert (amounts(change), change.entry.on, waits.mrr) == ([2500], None, 5000)
    assert waits.items[0].slots_on(date.max) == 5
    paid = slots_paid(living(seats("10", 5)), SEATS, 5, date(2025, 4, 20))
    assert paid is not None
    assert (paid.mrr, paid.items[0].slots_on(date(2025, 4, 19))) == (10000, 5)
    assert paid.items[0].slots_on(date(2025, 4, 20)) == 10


def test_what_is_paid_too_late_never_comes() -> None:
    """Over, or the item has left: nothing is there to join."""
    lives = living(seats("10", 5))
    ended = stands(replace(lives, cancelled_on=date(2025, 4, 10)), date(2025, 4, 10))
    left = replace(lives, items=(replace(lives.items[0], ends_on=date(2025, 4, 2)),))

    assert slots_paid(ended, SEATS, 5, date(2025, 4, 20)) is None
    assert slots_paid(left, SEATS, 5, date(2025, 4, 20)) is None
    assert slots_paid(lives, named("another"), 5, date(2025, 4, 20)) is None


@pytest.mark.parametrize(
    ("least", "most", "delta", "said"),
    [
        (None, 8, 4, "at most 3 more: 'Seats' may have 8"),
        (None, None, COUNT_MAX - 4, f"at most {COUNT_MAX - 5} more"),
        (3, None, -3, "at most 2 fewer: 'Seats' must keep 3"),
        (None, None, -6, "at most 5 fewer: 'Seats' must keep 0"),
    ],
)
def test_bounds(least: int | None, most: int | None, delta: int, said: str) -> None:
    """Never below the least, never above the most."""
    pricing = SlotPricing(unit_rate=Decimal(1), min_slots=least, max_slots=most)
    lives = living(priced("Seats", pricing, slots=5))

    with pytest.raises(InvalidInput, match=f"delta: {said}"):
        changed(lives, delta, FIRST)

    closer = delta - 1 if delta > 0 else delta + 1
    assert changed(lives, closer, FIRST).entry.delta == closer


def test_a_plan_with_a_higher_least_keeps_it() -> None:
    """Nine, of which eight go: the new plan's least of four holds, now and later."""
    lives = changed(living(seats("10", 9)), -8, date(2025, 4, 2)).step.contract
    pricing = SlotPricing(unit_rate=Decimal(20), min_slots=4)
    new = replace(priced("Seats", pricing, slots=4), id=named("new seats"))

    after = changed_now(
        lives, TargetPlan(plan_id=named("pro"), items=(new,)), date(2025, 4, 16), {}
    )

    (joined,) = after.joined
    assert (joined.slots, joined.slot_changes) == (
        9,
        (SlotChange(delta=-5, on=date(2025, 5, 1)),),
    )
    assert after.step.contract.mrr == 18000
    assert stands(after.step.contract, date(2025, 5, 1)).mrr == 8000


def test_what_could_not_be_charged() -> None:
    """A thousand million seats at 10 000.00 are no amount any more."""
    with pytest.raises(InvalidInput, match="delta: must not cost more than can be charged"):
        changed(living(seats("10000", 5)), COUNT_MAX - 5, FIRST)


@given(
    price=st.decimals("0.01", "500", places=2),
    begins=st.integers(0, 20),
    changes=st.lists(
        st.tuples(st.integers(-6, 6).filter(bool), st.integers(0, 27)), max_size=6
    ),
    start=st.dates(date(2024, 1, 1), date(2026, 12, 1)),
)
def test_whatever_comes_and_goes(
    price: Decimal, begins: int, changes: list[tuple[int, int]], start: date
) -> None:
    """Each charge is its part of the period; the next is billed and valued by what is left."""
    pricing = SlotPricing(unit_rate=price, min_slots=0)
    lives = living(priced("Seats", pricing, slots=begins), start=start)
    end = lives.period_end
    assert end is not None
    assume(any(delta > 0 for delta, _ in changes) or begins)
    count, coming = begins, 0
    for delta, offset in sorted(changes, key=lambda one: one[1]):
        day = start + timedelta(days=offset)
        if count + coming + delta < 0:
            with pytest.raises(InvalidInput):
                changed(lives, delta, day)
            continue
        change = changed(lives, delta, day)
        lives = change.step.contract
        if delta > 0:
            count += delta
            full = delta * price * 100 * (end - day).days / (end - start).days
            assert abs(change.step.charges[0].amount - full) <= Decimal("0.5")
        else:
            coming += delta
            assert (change.step.charges, change.entry.on) == ((), end)
        assert lives.mrr == monthly_value(
            (replace(lives.items[0], slots=count, slot_changes=()),), "EUR"
        )
    after = stands(lives, end)
    assert after.items[0].slots_on(end) == count + coming
    assert after.mrr == int((count + coming) * price * 100)


def test_what_waits_counts_towards_the_most() -> None:
    """Of at most ten, five are there and three wait: two more, and not three.

    What has come on a day is there already.
    """
    pricing = SlotPricing(unit_rate=Decimal(10), min_slots=0, max_slots=10)
    lives = living(priced("Seats", pricing, slots=5))
    waits = changed(lives, 3, date(2025, 4, 10), waits=True).step.contract
    assert changed(waits, 2, date(2025, 4, 11)).entry.delta == 2
    with pytest.raises(InvalidInput):
        changed(waits, 3, date(2025, 4, 11))
    came = changed(lives, 3, date(2025, 4, 10)).step.contract
    assert changed(came, 2, date(2025, 4, 11)).entry.delta == 2
    with pytest.raises(InvalidInput):
        changed(came, 3, date(2025, 4, 11))
