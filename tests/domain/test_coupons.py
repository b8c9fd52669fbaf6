"""Coupons take off what they promise, in a fixed order, and never more than there is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.coupons import (
    CouponRefusal,
    CouponState,
    CouponTerms,
    DiscountFault,
    Fixed,
    Percentage,
    apply,
    refusal,
    spread,
)
from tests.cases.golden import case
from tests.domain.samples import fixed, golden_coupons, numbered, percent

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
PLAN = UUID(int=7)
OPEN = CouponState(
    expires_at=None,
    disabled=False,
    archived=False,
    redemption_limit=None,
    taken=0,
    plan_ids=frozenset(),
    used_by_customer=False,
)
ONCE = replace(percent("10"), once_per_customer=True)

PERCENTAGES = st.decimals(Decimal("0.01"), 100, places=2).map(lambda one: percent(str(one)))
AMOUNTS = st.decimals(Decimal("0.01"), 1000, places=2).map(lambda one: fixed(str(one)))
COUPONS = st.lists(PERCENTAGES | AMOUNTS, max_size=6).map(numbered)


def _amounts(subtotal: int, coupons: list[CouponTerms], currency: str = "EUR") -> list[int]:
    return [one.amount for one in apply(subtotal, coupons, currency)]


@pytest.mark.parametrize("case_id", ["DSC-01", "DSC-03", "DSC-04"])
def test_golden_discounts(case_id: str) -> None:
    """The discount is the case's, whatever the order and the ids of the coupons."""
    golden = case(case_id)
    given_: dict[str, Any] = golden["input"]
    assert golden["expected"]["order_independent"]
    for order in permutations(golden_coupons(given_["coupons"], given_["currency"])):
        applied = _amounts(given_["subtotal"], numbered(list(order)), given_["currency"])
        assert sum(applied) == golden["expected"]["discount"]


def test_golden_amount_of_each_coupon() -> None:
    """DSC-04: the percentage acts first, then the fixed amount."""
    golden = case("DSC-04")
    coupons = golden_coupons(golden["input"]["coupons"], "USD")
    assert _amounts(10000, coupons, "USD") == [
        one["value"] for one in golden["derived"]["per_coupon"]
    ]


def test_golden_spread() -> None:
    """DSC-06: the units left over go to the largest remainders."""
    golden = case("DSC-06")
    lines = golden["input"]["line_subtotals"]
    parts = spread(golden["input"]["discount"], lines)
    taxable = [line - part for line, part in zip(lines, parts, strict=True)]
    assert taxable == golden["expected"]["line_taxable"]


@pytest.mark.parametrize(
    ("coupons", "amounts"),
    [
        ([percent("60", "A"), percent("60", "B")], [2940, 1176]),
        ([percent("90", "A"), fixed("10", "B")], [4410, 490]),
        ([fixed("100", "A")], [4900]),
        ([percent("100", "A"), fixed("10", "B"), percent("50", "C")], [4900, 0, 0]),
        ([percent("33.33", "A")], [1633]),
        ([], []),
    ],
)
def test_each_coupon_acts_on_what_remains(
    coupons: list[CouponTerms], amounts: list[int]
) -> None:
    """On 49.00, 60 % and 60 % are 29.40 and 11.76; what finds nothing left is told as zero."""
    assert sorted(_amounts(4900, numbered(coupons)), reverse=True) == amounts


def test_coupons_act_by_kind_then_by_id() -> None:
    """Percentages come before fixed amounts, lower ids before higher ones within a kind."""
    five, ten = fixed("5", "five"), fixed("10", "ten")
    half, tenth = percent("50", "half"), percent("10", "tenth")
    coupons = numbered([ten, tenth, five, half])
    assert [one.code for one in apply(10000, coupons, "EUR")] == [
        "tenth",
        "half",
        "ten",
        "five",
    ]


def test_a_coupon_named_twice_acts_once() -> None:
    """By id and by code, the same coupon is merged."""
    twice = [percent("20"), percent("20")]
    assert _amounts(4900, twice) == [980]


@pytest.mark.parametrize("subtotal", [0, -500])
def test_nothing_is_taken_off_nothing(subtotal: int) -> None:
    """A bill of zero or less gives no discount, but still names the coupons."""
    assert _amounts(subtotal, [percent("20", "A"), fixed("5", "B")]) == [0, 0]


@pytest.mark.parametrize(
    ("amount", "currency", "taken"), [("500", "JPY", 500), ("0.505", "KWD", 505)]
)
def test_fixed_amounts_in_other_exponents(amount: str, currency: str, taken: int) -> None:
    """500 yen are 500 minor units, half a dinar and five fils are 505."""
    assert _amounts(10_000, [fixed(amount, currency=currency)], currency) == [taken]


def test_a_coupon_in_another_currency_is_a_defect() -> None:
    """Such a coupon was refused before anything is computed with it."""
    with pytest.raises(AssertionError):
        apply(1000, [fixed("1", currency="USD")], "EUR")


@given(st.integers(0, 10**9), COUPONS)
def test_coupons_never_exceed_the_subtotal(subtotal: int, coupons: list[CouponTerms]) -> None:
    """Each coupon takes something between nothing and what is left."""
    amounts = _amounts(subtotal, coupons)
    assert len(amounts) == len(coupons)
    assert all(amount >= 0 for amount in amounts)
    assert sum(amounts) <= subtotal


@given(st.integers(0, 10**9), COUPONS, st.randoms())
def test_the_order_of_naming_does_not_matter(
    subtotal: int,
    coupons: list[CouponTerms],
    random: Any,  # noqa: ANN401 - Hypothesis's own
) -> None:
    """The same coupons take the same amounts in whatever order they are named."""
    shuffled = list(coupons)
    random.shuffle(shuffled)
    assert apply(subtotal, shuffled, "EUR") == apply(subtotal, coupons, "EUR")


@given(st.lists(st.integers(-(10**6), 10**6), max_size=12), st.data())
def test_a_spread_stays_in_its_lines(amounts: list[int], data: st.DataObject) -> None:
    """Parts sum to the discount, no line goes below zero, and a negative one bears nothing."""
    discount = data.draw(st.integers(0, sum(max(amount, 0) for amount in amounts)))
    parts = spread(discount, amounts)
    assert sum(parts) == discount
    for part, amount in zip(parts, amounts, strict=True):
        assert 0 <= part <= max(amount, 0)


def test_equal_remainders_go_to_the_earlier_line() -> None:
    """One cent over three equal lines is taken off the first."""
    assert spread(1, [100, 100, 100]) == [1, 0, 0]
    assert spread(5, [100, -40, 100]) == [3, 0, 2]


@pytest.mark.parametrize(("discount", "amounts"), [(101, [100, -5]), (-1, [100]), (1, [])])
def test_an_impossible_spread_is_a_defect(discount: int, amounts: list[int]) -> None:
    """A discount is not negative and not larger than the lines that bear it."""
    with pytest.raises(AssertionError):
        spread(discount, amounts)


REFUSALS: list[tuple[CouponRefusal | None, CouponTerms, CouponState]] = [
    (None, percent("10"), OPEN),
    (None, fixed("10"), OPEN),
    (CouponRefusal.ARCHIVED, percent("10"), replace(OPEN, archived=True)),
    (CouponRefusal.DISABLED, percent("10"), replace(OPEN, disabled=True)),
    (CouponRefusal.EXPIRED, percent("10"), replace(OPEN, expires_at=NOW)),
    (None, percent("10"), replace(OPEN, expires_at=NOW + timedelta(microseconds=1))),
    (CouponRefusal.WRONG_CURRENCY, fixed("10", currency="USD"), OPEN),
    (None, percent("10"), replace(OPEN, plan_ids=frozenset({PLAN}))),
    (CouponRefusal.WRONG_PLAN, percent("10"), replace(OPEN, plan_ids=frozenset({UUID(int=8)}))),
    (CouponRefusal.ALREADY_USED, ONCE, replace(OPEN, used_by_customer=True)),
    (None, percent("10"), replace(OPEN, used_by_customer=True)),
    (None, percent("10"), replace(OPEN, redemption_limit=3, taken=2)),
    (CouponRefusal.EXHAUSTED, percent("10"), replace(OPEN, redemption_limit=3, taken=3)),
    (CouponRefusal.EXHAUSTED, percent("10"), replace(OPEN, redemption_limit=0)),
]


@pytest.mark.parametrize(
    ("reason", "terms", "state"),
    REFUSALS,
    ids=[f"{n}-{one[0] or 'allowed'}" for n, one in enumerate(REFUSALS)],
)
def test_each_refusal_has_its_reason(
    reason: CouponRefusal | None, terms: CouponTerms, state: CouponState
) -> None:
    """A coupon that may not be redeemed says why, one that may says nothing."""
    assert refusal(terms, state, plan_id=PLAN, currency="EUR", now=NOW) == reason


def test_the_most_lasting_reason_is_told_first() -> None:
    """An archived coupon is archived, whatever else is wrong with it."""
    state = CouponState(
        expires_at=NOW - timedelta(days=1),
        disabled=True,
        archived=True,
        redemption_limit=0,
        taken=0,
        plan_ids=frozenset({UUID(int=8)}),
        used_by_customer=True,
    )
    terms = replace(ONCE, discount=Fixed(amount=Decimal(1), currency="USD"))
    reason = refusal(terms, state, plan_id=PLAN, currency="EUR", now=NOW)
    assert reason is CouponRefusal.ARCHIVED


IMPOSSIBLE: list[tuple[str, Callable[[], object]]] = [
    ("percentage", lambda: Percentage(percentage=Decimal(0))),
    ("percentage", lambda: Percentage(percentage=Decimal(-5))),
    ("percentage", lambda: Percentage(percentage=Decimal("100.01"))),
    ("percentage", lambda: Percentage(percentage=Decimal("NaN"))),
    ("currency", lambda: Fixed(amount=Decimal(1), currency="EURO")),
    ("amount", lambda: Fixed(amount=Decimal(0), currency="EUR")),
    ("amount", lambda: Fixed(amount=Decimal(-1), currency="EUR")),
    ("amount", lambda: Fixed(amount=Decimal("Infinity"), currency="EUR")),
    ("amount", lambda: Fixed(amount=Decimal("0.001"), currency="EUR")),
    ("amount", lambda: Fixed(amount=Decimal("0.5"), currency="JPY")),
    ("amount", lambda: Fixed(amount=Decimal(10) ** 15, currency="EUR")),
]


@pytest.mark.parametrize(
    ("field", "make"), IMPOSSIBLE, ids=[f"{n}-{one[0]}" for n, one in enumerate(IMPOSSIBLE)]
)
def test_impossible_discounts_are_refused_by_name(
    field: str, make: Callable[[], object]
) -> None:
    """More than everything, less than something and fractions of a cent cannot be given."""
    with pytest.raises(DiscountFault) as caught:
        make()
    assert caught.value.field == field
    assert caught.value.message == str(caught.value)


def test_the_limits_of_a_discount_are_included() -> None:
    """100 % is a discount, and trailing zeros are no fraction of a cent."""
    assert Percentage(percentage=Decimal(100)).type == "PERCENTAGE"
    assert Fixed(amount=Decimal("10.00000"), currency="EUR").type == "FIXED"
