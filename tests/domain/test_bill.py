"""A bill adds up to the cent, line by line and rate by rate, tax included or added."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.bill import Settlement, settle
from tallystick.domain.coupons import CouponTerms
from tallystick.domain.money import AMOUNT_MAX, AmountTooLarge
from tallystick.domain.tax import TaxDecision
from tests.domain.samples import (
    REVERSED,
    UNTAXED,
    billed,
    charges_of,
    fixed,
    numbered,
    percent,
    sums,
    taxed_at,
)

LINES = st.lists(st.integers(-(10**5), 10**6), max_size=8)
COUPONS = st.lists(
    st.decimals(Decimal("0.5"), 100, places=2).map(lambda one: percent(str(one)))
    | st.integers(1, 2000).map(lambda one: fixed(str(one))),
    max_size=3,
).map(numbered)
RATES = st.lists(st.decimals(0, Decimal("0.35"), places=4).map(str), max_size=3)
CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])


def _in_currency(coupons: list[CouponTerms], currency: str) -> list[CouponTerms]:
    return [
        one
        if one.discount.type == "PERCENTAGE"
        else replace(one, discount=replace(one.discount, currency=currency))
        for one in coupons
    ]


def test_tax_is_rounded_per_line_and_per_rate() -> None:
    """Three lines of 0.10 at 5 % and 5 %: a cent per line and rate, not 0.02 on the sum."""
    made = billed(charges_of(10, 10, 10), taxed_at("0.05", "0.05"))
    assert [line.tax for line in made.lines] == [2, 2, 2]
    assert made.lines[0].tax_rate == Decimal("0.10")
    assert [(row.name, row.taxable, row.tax) for row in made.breakdown] == [
        ("Tax 0", 30, 3),
        ("Tax 1", 30, 3),
    ]


def test_two_taxes_of_one_name_and_rate_are_one_row() -> None:
    """10.00 with the same 20 % twice, and 5.00: 15.00 is taxed once a row, with 2 x 3.00."""
    twice = replace(taxed_at("0.20"), rates=taxed_at("0.20").rates * 2)
    made = billed(charges_of(1000), twice)
    (row,) = made.breakdown
    assert (row.rate, row.taxable, row.tax) == (Decimal("0.20"), 1000, 400)
    assert sums(made) == (1000, 0, 400, 1400)

    (row,) = billed(charges_of(1000, 500), twice).breakdown
    assert (row.taxable, row.tax) == (1500, 600)

    (row,) = billed(charges_of(1400), twice, inclusive=True).breakdown
    assert (row.taxable, row.tax) == (1000, 400)


def test_inclusive_prices_are_taken_apart() -> None:
    """119.00 with 19 % in it, half of it off: 100.00 less 50.00, 9.50 tax, 59.50 to pay."""
    made = billed(charges_of(11900), taxed_at("0.19"), [percent("50")], inclusive=True)
    assert sums(made) == (10000, 5000, 950, 5950)
    (line,) = made.lines
    assert (line.amount_net, line.discount, line.discount_net, line.net) == (
        10000,
        5950,
        5000,
        5000,
    )
    assert (made.quoted_subtotal, made.quoted_discount) == (11900, 5950)


def test_net_coupons_sum_to_the_net_discount() -> None:
    """The coupons' shares of the discount on the invoice are told net as well."""
    coupons = numbered([percent("50", "half"), fixed("10", "ten")])
    made = billed(charges_of(11900), taxed_at("0.19"), coupons, inclusive=True)
    assert [one.amount for one in made.coupons] == [5950, 1000]
    assert [(one.code, one.amount) for one in made.coupons_net] == [
        ("half", 5000),
        ("ten", 840),
    ]
    exclusive = billed(charges_of(11900), taxed_at("0.19"), coupons)
    assert exclusive.coupons_net == exclusive.coupons


@pytest.mark.parametrize("decision", [UNTAXED, REVERSED], ids=["none", "reverse charge"])
def test_who_bears_no_tax_pays_the_quoted_price(decision: TaxDecision) -> None:
    """Prices with tax in them do not fall for a customer who bears none."""
    made = billed(charges_of(11900), decision, inclusive=True)
    assert sums(made) == (11900, 0, 0, 11900)


def test_credits_are_taxed_and_not_discounted() -> None:
    """A negative line keeps its sign through tax, and the coupon goes to the positive one."""
    made = billed(charges_of(-1000, 3000), taxed_at("0.10"), [percent("50")])
    credit, debit = made.lines
    assert (credit.discount, credit.net, credit.tax, credit.total) == (0, -1000, -100, -1100)
    assert (debit.discount, debit.net, debit.tax, debit.total) == (1000, 2000, 200, 2200)
    assert sums(made) == (2000, 1000, 100, 1100)


def test_a_bill_below_zero_gives_no_discount() -> None:
    """Credits beyond the charges make a negative total, and coupons stay out of it."""
    made = billed(charges_of(-3000, 1000), taxed_at("0.10"), [percent("50")])
    assert sums(made) == (-2000, 0, -200, -2200)
    assert settle(made.total, 500) == Settlement(balance_applied=0, amount_due=0)


def test_an_empty_bill_is_zero() -> None:
    """No lines, no amounts; the coupons are still named."""
    made = billed([], taxed_at("0.20"), [percent("50")])
    assert sums(made) == (0, 0, 0, 0)
    assert made.breakdown == ()
    assert [one.amount for one in made.coupons] == [0]


def test_everything_off_leaves_nothing_to_tax() -> None:
    """100 % off is a bill of zero that still shows its subtotal."""
    for inclusive in (False, True):
        made = billed(
            charges_of(9900, 100), taxed_at("0.19"), [percent("100")], inclusive=inclusive
        )
        assert made.subtotal == made.discount > 0
        assert (made.tax, made.total) == (0, 0)


@pytest.mark.parametrize(
    ("currency", "amount", "tax"), [("JPY", 105, 11), ("KWD", 1005, 101), ("EUR", 1005, 101)]
)
def test_every_currency_counts_minor_units(currency: str, amount: int, tax: int) -> None:
    """10 % of 105 yen is 10.5 yen, rounded to 11; of 1.005 dinar 0.1005, rounded to 0.101."""
    made = billed(charges_of(amount), taxed_at("0.10"), currency=currency)
    assert (made.tax, made.total) == (tax, amount + tax)


def test_the_subtotal_is_what_it_is_without_a_coupon() -> None:
    """98.44 and 1.23 with 7 % and 7 % inside: the nets before the discount, if there is one."""
    charges, rates = charges_of(9844, 123), taxed_at("0.07", "0.07")
    # 98.44 bears 6.04 twice, 1.23 bears 0.08 twice: 86.36 and 1.07 net.
    assert sums(billed(charges, rates, inclusive=True)) == (8743, 0, 1224, 9967)

    made = billed(charges, rates, [fixed("1.00")], inclusive=True)
    # 97.45 bears 5.98 twice, 1.22 bears 0.07 twice: 85.49 and 1.08 net.
    assert sums(made) == (8743, 86, 1210, 9867)
    assert [
        (line.amount_net, line.discount, line.discount_net, line.net, line.total)
        for line in made.lines
    ] == [(8636, 99, 87, 8549, 9745), (107, 1, -1, 108, 122)]
    assert [one.amount for one in made.coupons_net] == [86]


def test_a_cent_off_may_take_two_cents_of_tax_away() -> None:
    """0.03 with 25 % and 25 % inside are 0.01 net, 0.02 are 0.02: a net discount of -0.01."""
    made = billed(charges_of(3), taxed_at("0.25", "0.25"), [fixed("0.01")], inclusive=True)
    assert sums(made) == (1, -1, 0, 2)
    assert (made.quoted_subtotal, made.quoted_discount) == (3, 1)
    assert [one.amount for one in made.coupons_net] == [-1]


@given(LINES, COUPONS, RATES, st.booleans(), CURRENCIES)
def test_a_bill_adds_up(
    amounts: list[int],
    coupons: list[CouponTerms],
    rates: list[str],
    inclusive: bool,
    currency: str,
) -> None:
    """Whatever is billed: subtotal - discount + tax = total, for each line and for the sum."""
    made = billed(
        charges_of(*amounts),
        taxed_at(*rates),
        _in_currency(coupons, currency),
        inclusive=inclusive,
        currency=currency,
    )
    assert made.subtotal - made.discount + made.tax == made.total
    assert sum(line.total for line in made.lines) == made.total
    for line in made.lines:
        assert line.amount_net - line.discount_net + line.tax == line.total
        assert 0 <= line.discount <= max(line.charge.amount, 0)
        # One rate never turns a discount around; each further one may by a unit.
        assert line.discount_net >= min(0, 1 - len(rates))
        assert line.discount > 0 or line.discount_net == 0
    assert sum(row.tax for row in made.breakdown) == made.tax
    undiscounted = billed(
        charges_of(*amounts), taxed_at(*rates), inclusive=inclusive, currency=currency
    )
    assert made.subtotal == undiscounted.subtotal
    assert sum(one.amount for one in made.coupons_net) == made.discount


@given(LINES, COUPONS, RATES)
def test_a_quoted_price_is_what_is_paid(
    amounts: list[int], coupons: list[CouponTerms], rates: list[str]
) -> None:
    """Inclusive: the total is the quoted prices less the coupons, whatever the tax."""
    made = billed(charges_of(*amounts), taxed_at(*rates), coupons, inclusive=True)
    untaxed = billed(charges_of(*amounts), UNTAXED, coupons)
    assert made.total == untaxed.total == made.quoted_subtotal - made.quoted_discount
    assert made.coupons == untaxed.coupons


@given(LINES, COUPONS, st.booleans())
def test_without_tax_both_kinds_of_price_agree(
    amounts: list[int], coupons: list[CouponTerms], inclusive: bool
) -> None:
    """A rate of nothing, like no rate, makes the inclusive bill the exclusive one."""
    made = billed(charges_of(*amounts), taxed_at("0"), coupons, inclusive=inclusive)
    plain = billed(charges_of(*amounts), UNTAXED, coupons)
    assert sums(made) == sums(plain)


@given(st.lists(st.integers(0, 10**6).map(lambda one: one * 100), max_size=6))
def test_round_figures_agree_with_and_without_tax(nets: list[int]) -> None:
    """20 % on whole euros leaves no remainder, so both kinds of price give one bill."""
    exclusive = billed(charges_of(*nets), taxed_at("0.20"), [percent("50")])
    quoted = charges_of(*(net * 6 // 5 for net in nets))
    assert sums(billed(quoted, taxed_at("0.20"), [percent("50")], inclusive=True)) == sums(
        exclusive
    )


@pytest.mark.parametrize(
    ("total", "available", "applied", "due"),
    [
        (3500, 0, 0, 3500),
        (3500, 1000, 1000, 2500),
        (3500, 3500, 3500, 0),
        (3500, 9000, 3500, 0),
        (0, 500, 0, 0),
        (-700, 500, 0, 0),
    ],
)
def test_the_balance_pays_up_to_the_total(
    total: int, available: int, applied: int, due: int
) -> None:
    """What the balance covers is not due, and it never covers more than the total."""
    assert settle(total, available) == Settlement(balance_applied=applied, amount_due=due)


def test_a_negative_balance_is_a_defect() -> None:
    """A customer's balance never goes below zero."""
    with pytest.raises(AssertionError):
        settle(100, -1)


def test_sums_past_the_limit_are_refused() -> None:
    """Lines that can be stored one by one may be too much together."""
    assert billed(charges_of(AMOUNT_MAX)).total == AMOUNT_MAX
    with pytest.raises(AmountTooLarge):
        billed(charges_of(AMOUNT_MAX, 1))


def test_a_bill_that_does_not_add_up_cannot_be_made() -> None:
    """Every sum is asserted again wherever a bill is made, read back ones included."""
    made = billed(charges_of(1000, 500), taxed_at("0.19"), [percent("10")])
    line = made.lines[0]
    for wrong in (
        {"subtotal": made.subtotal + 1, "total": made.total + 1},
        {"discount": made.discount + 1, "total": made.total - 1},
        {"tax": made.tax + 1, "total": made.total + 1},
        {"total": made.total + 1},
        {"coupons": ()},
        {"breakdown": ()},
        {"inclusive": True},
        {"lines": made.lines[:1]},
    ):
        with pytest.raises(AssertionError):
            replace(made, **wrong)
    for wrong_line in (
        {"net": line.net + 1},
        {"total": line.total + 1},
        {"taxes": ()},
        {"discount": line.charge.amount + 1},
        {"discount": -1},
    ):
        with pytest.raises(AssertionError):
            replace(line, **wrong_line)


def test_rates_are_told_apart_by_their_codes() -> None:
    """Each row of the breakdown has the name and the code of its rate."""
    made = billed(charges_of(1000), taxed_at("0.2", "0.05"))
    rows = [(one.name, one.code, one.rate, one.taxable, one.tax) for one in made.breakdown]
    assert rows == [
        ("Tax 0", "T0", Decimal("0.2"), 1000, 200),
        ("Tax 1", "T1", Decimal("0.05"), 1000, 50),
    ]
