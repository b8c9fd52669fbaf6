"""Usage billed at a threshold: the invoices of a window sum to what one would have billed."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.billed_ahead import never_below_zero
from tallystick.domain.contract import RunningCoupon
from tallystick.domain.coupons import Fixed
from tallystick.domain.invoice import InvoiceType
from tallystick.domain.life import open_meters, step
from tallystick.domain.pricing import (
    Tiered,
    UsagePricing,
    Volume,
)
from tests.domain.offers import capacity, priced, rate, usage
from tests.domain.samples import charge_of, fixed, named, percent
from tests.domain.windows import BEGIN, MIDDLE, TIERS, Window, amounts, of


def test_below_the_threshold_nothing_is_issued() -> None:
    """EUR 49.90 of 50 is not enough, EUR 50.00 is."""
    calls = usage("0.10")
    window = Window(rate("20.00"), calls)

    window.use(calls, of("499"))
    assert window.look() is None
    window.use(calls, of("500"))
    made = window.look()

    assert amounts(made) == [5000]
    assert made is not None
    assert made.invoice.type is InvoiceType.USAGE_THRESHOLD
    assert (made.invoice.invoice_date, made.invoice.billing_period_end) == (MIDDLE, None)
    assert window.look() is None


def test_tiers_go_on() -> None:
    """150 units are 100 at EUR 1.00 and 50 at 0.50, the next 80 cost EUR 40; 30 are left."""
    calls = priced("Calls", UsagePricing(model=Tiered(tiers=TIERS)))
    window = Window(rate("20.00"), calls, threshold="40.00")

    window.use(calls, of("150"))
    assert amounts(window.look()) == [12500]
    window.use(calls, of("230"))
    assert amounts(window.look()) == [4000]
    window.use(calls, of("260"))

    ended = window.end()
    assert amounts(ended) == [2000, 1500]
    assert ended is not None
    left = ended.invoice.lines[1]
    assert (left.quantity, left.unit_price) == (Decimal(30), Decimal("0.5"))
    assert (left.start_date, left.end_date) == (BEGIN, date(2024, 2, 1))
    assert left.explanation.before is not None
    assert (left.explanation.before.amount, left.explanation.before.quantity) == (
        16500,
        Decimal(230),
    )


def test_what_gets_cheaper_is_taken_back() -> None:
    """99 units at EUR 1.00 were billed; 100 cost 0.50 each: EUR 49 are taken back."""
    calls = priced("Calls", UsagePricing(model=Volume(tiers=TIERS)))
    window = Window(rate("60.00"), calls)

    window.use(calls, of("99"))
    assert amounts(window.look()) == [9900]
    window.use(calls, of("100"))

    assert window.look() is None
    assert amounts(window.end()) == [6000, -4900]


def test_no_more_is_taken_back_than_is_billed_beside_it() -> None:
    """Beside a fee of EUR 20, EUR 20 of the 49 are taken back; nothing is due."""
    calls = priced("Calls", UsagePricing(model=Volume(tiers=TIERS)))
    window = Window(rate("20.00"), calls)
    window.use(calls, of("99"))
    window.look()
    window.use(calls, of("100"))

    ended = window.end()

    assert amounts(ended) == [2000, -2000]
    assert ended is not None
    assert ended.invoice.total == 0


def test_a_window_that_is_billed_already_has_no_line() -> None:
    """Nothing came after the threshold invoice: the fee stands alone, or no line at all."""
    calls = usage("0.10")
    window, bare = Window(rate("20.00"), calls), Window(calls)
    for one in (window, bare):
        one.use(calls, of("600"))
        assert amounts(one.look()) == [6000]

    assert amounts(window.end()) == [2000]
    assert amounts(bare.end()) == []


def test_a_group_that_is_gone_is_taken_back() -> None:
    """Corrections leave nothing of a group that was billed; the other one goes on."""
    calls = usage("1.00")
    window = Window(rate("90.00"), calls)
    window.use(calls, of("60", "eu"), of("10", "us"))
    assert amounts(window.look()) == [6000, 1000]

    window.use(calls, of("0", "eu"), of("25", "us"))

    assert amounts(window.end()) == [9000, 1500, -6000]


def test_overage_counts_beyond_the_allowance() -> None:
    """100 units are included: of 1200, 1100 are billed at EUR 0.05, then 40 more."""
    calls = capacity("10.00")
    window = Window(calls)
    window.use(calls, of("1200"))
    assert amounts(window.look()) == [5500]
    window.use(calls, of("1240"))

    assert amounts(window.end()) == [1000, 200]


def test_a_fixed_coupon_gives_its_amount_once_in_a_period() -> None:
    """EUR 60 off: 50 at the threshold, 10 at the end, however many invoices there are."""
    calls = usage("0.10")
    window = Window(rate("20.00"), calls, coupons=[fixed("60.00", "LESS")])
    window.use(calls, of("500"))
    first = window.look()
    window.use(calls, of("1100"))
    second = window.look()
    ended = window.end()

    assert first is not None
    assert second is not None
    assert ended is not None
    assert [one.invoice.discount for one in (first, second, ended)] == [5000, 1000, 0]
    assert [one.amount for one in ended.used] == [0]


def test_a_share_is_taken_off_each_invoice() -> None:
    """20 % off EUR 50 and off EUR 25: what one invoice of 75 would have given."""
    calls = usage("0.10")
    window = Window(rate("20.00"), calls, coupons=[percent("20", "FIFTH")])
    window.use(calls, of("500"))
    first = window.look()
    window.use(calls, of("550"))
    ended, alone = window.end(), window.alone()

    assert first is not None
    assert ended is not None
    assert alone is not None
    assert (first.invoice.discount, ended.invoice.discount) == (1000, 500)
    assert first.invoice.discount + ended.invoice.discount == alone.invoice.discount


def test_nothing_is_open_while_a_step_is_due() -> None:
    """On the day of the renewal the old window is its, and after it the new one is open."""
    window = Window(rate("20.00"), usage())
    end = date(2024, 2, 1)

    assert open_meters(window.contract, end) == ()
    renewed = step(window.contract).contract
    assert [one.window.start for one in open_meters(renewed, end)] == [end]


def test_what_has_ended_has_no_open_window() -> None:
    """Cancelled, it is billed no more usage."""
    window = Window(usage())
    ended = replace(window.contract, cancelled_on=MIDDLE)
    assert open_meters(step(ended).contract, MIDDLE) == ()


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ([100, -40], [100, -40]),
        ([100, -100], [100, -100]),
        ([100, -60, -70], [100, -60, -40]),
        ([30, -60, -70], [30, -30]),
        ([-5], []),
        ([], []),
    ],
)
def test_charges_never_sum_below_zero(given_: list[int], kept: list[int]) -> None:
    """What is taken back shrinks, the last first."""
    found = never_below_zero([charge_of(amount) for amount in given_])
    assert [one.amount for one in found] == kept


@given(st.lists(st.integers(-1000, 1000), max_size=8))
def test_held_charges_sum_to_what_they_did_or_to_nothing(given_: list[int]) -> None:
    """Nothing but what is below zero is changed."""
    found = never_below_zero([charge_of(amount) for amount in given_])
    assert sum(one.amount for one in found) == max(sum(given_), 0)


def test_a_coupon_has_what_it_has_not_given() -> None:
    """EUR 60 less 50.00 leaves 10; less all of it leaves no coupon."""
    terms = fixed("60.00", "LESS")
    running = RunningCoupon(redemption_id=named("LESS"), terms=terms, applied_count=0)

    left = replace(running, ahead=5000).left

    assert left is not None
    assert isinstance(left.discount, Fixed)
    assert left.discount.amount == 10
    assert replace(running, ahead=6000).left is None
    assert running.left == terms
