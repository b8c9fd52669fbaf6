"""What a fee costs for given days: the one computation behind page, invoice and renewal."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.charges import (
    Charge,
    Item,
    billing_type,
    charge,
    charge_once,
    monthly_value,
)
from tallystick.domain.periods import BilledPeriod, Cadence, Period, period
from tallystick.domain.pricing import (
    BillingType,
    CapacityPricing,
    ExtraRecurringPricing,
    OneTimePricing,
    PerUnit,
    Pricing,
    RatePricing,
    SlotPricing,
    UsagePricing,
)
from tests.cases.golden import case
from tests.domain.samples import full, item

JANUARY = full(date(2024, 1, 1), date(2024, 2, 1))
STUB = BilledPeriod(
    Period(date(2025, 10, 8), date(2026, 1, 1)), Period(date(2025, 10, 1), date(2026, 1, 1))
)
CUT = BilledPeriod(
    Period(date(2024, 2, 29), date(2024, 3, 10)), Period(date(2024, 2, 29), date(2024, 3, 31))
)
USAGE = UsagePricing(model=PerUnit(rate=Decimal("0.10")))


def _rate(price: str) -> RatePricing:
    return RatePricing(rate=Decimal(price))


def _slots(price: str, count: int | None, instances: int = 1) -> Item:
    return item(SlotPricing(unit_rate=Decimal(price)), slots=count, instances=instances)


def _capacity(price: str) -> CapacityPricing:
    return CapacityPricing(rate=Decimal(price), included=100, overage_rate=Decimal("0.004"))


def _extra(price: str, quantity: int) -> ExtraRecurringPricing:
    return ExtraRecurringPricing(unit_price=Decimal(price), quantity=quantity)


def _once(price: str, quantity: int) -> OneTimePricing:
    return OneTimePricing(unit_price=Decimal(price), quantity=quantity)


def _charged(one: Item, billed: BilledPeriod, currency: str = "EUR") -> Charge:
    made = charge(one, billed, currency)
    assert made is not None
    return made


def test_golden_first_stub() -> None:
    """SUB-03: 90.00 a quarter from 10-08, anchored on the 1st, is 9000 x 85/92 = 8315."""
    golden = case("SUB-03")
    first, second = golden["expected"]["invoices"]
    one = item(_rate("90"), Cadence.QUARTERLY)
    start = date.fromisoformat(golden["input"]["start_date"])
    for index, invoice in enumerate((first, second)):
        billed = period(start, 1, Cadence.QUARTERLY, index)
        assert billed is not None
        made = _charged(one, billed)
        assert made.amount == invoice["total"]
        assert made.is_prorated == invoice["prorated"]
    assert (
        monthly_value((one,), "EUR") == golden["expected"]["per_step"][1]["subscription"]["mrr"]
    )


@pytest.mark.parametrize(("case_id", "amount"), [("SUB-04", 1129), ("SUB-11", 1690)])
def test_golden_cut_period(case_id: str, amount: int) -> None:
    """The period that an end date cuts is charged by days: 3500 x 10/31, 3500 x 14/29."""
    given_ = case(case_id, decided="here it is prorated")["input"]
    start = date.fromisoformat(given_["start_date"])
    end = date.fromisoformat(given_["end_date"])
    billed = period(start, start.day, Cadence.MONTHLY, 1, end)
    assert billed is not None
    made = _charged(item(_rate("35")), billed)
    assert made.amount == amount
    assert (made.start, made.end) == (billed.billed.start, end)
    assert made.is_prorated


@pytest.mark.parametrize(
    ("pricing", "amount", "prorated"),
    [
        (_rate("90"), 8315, True),
        (_capacity("90"), 9000, False),
        (_extra("30", 3), 8315, True),
    ],
    ids=["rate", "capacity", "extra"],
)
def test_a_stub_prorates_advance_fees(pricing: Pricing, amount: int, prorated: bool) -> None:
    """A first stub is charged by days, but neither a capacity's base nor its allowance is."""
    made = _charged(item(pricing, Cadence.QUARTERLY), STUB)
    assert made.amount == amount
    assert made.is_prorated == prorated
    assert made.computation.days == 85


@pytest.mark.parametrize(
    ("pricing", "amount"),
    [(_rate("31"), 1000), (_capacity("31"), 3100), (_extra("15.50", 2), 1000)],
    ids=["rate", "capacity", "extra"],
)
def test_a_cut_prorates_the_same_fees(pricing: Pricing, amount: int) -> None:
    """An end date inside a period cuts what a stub cuts: 10 of 31 days."""
    assert _charged(item(pricing), CUT).amount == amount


def test_a_fee_in_arrears_is_not_cut_by_its_window() -> None:
    """A fee billed afterwards is owed in full for the window it served, short or not."""
    one = item(_extra("90", 1), Cadence.QUARTERLY, billing_type=BillingType.ARREARS)
    assert _charged(one, STUB).amount == 9000
    assert billing_type(one) is BillingType.ARREARS


@pytest.mark.parametrize(
    ("count", "instances", "amount"), [(5, 1, 5000), (5, 3, 15000), (0, 1, 0), (None, 1, 0)]
)
def test_slots_cost_their_count(count: int | None, instances: int, amount: int) -> None:
    """Slots of one instance times instances times the unit rate."""
    made = _charged(_slots("10", count, instances), JANUARY)
    assert made.amount == amount
    assert made.computation.quantity == (count or 0) * instances
    assert made.computation.unit_name == "seat"


def test_instances_multiply_every_fee() -> None:
    """An add-on taken three times costs three times as much."""
    for pricing in (_rate("10"), _capacity("10"), _extra("5", 2)):
        assert _charged(item(pricing, instances=3), JANUARY).amount == 3000
    assert charge_once(item(_once("5", 2), instances=3), date(2024, 1, 1), "EUR").amount == 3000


def test_usage_has_no_fixed_part() -> None:
    """Metered usage is not owed for a period as such."""
    assert charge(item(USAGE), JANUARY, "EUR") is None


@pytest.mark.parametrize("case_id", ["PRO-08"])
def test_a_one_time_fee_is_charged_in_full_on_its_day(case_id: str) -> None:
    """PRO-08: 500.00 x 2 is 1000.00 whatever is left of the period."""
    golden = case(case_id)
    day = date.fromisoformat(golden["input"]["change_date"])
    made = charge_once(item(_once("500", 2)), day, "EUR")
    assert [made.amount] == golden["expected"]["lines"]
    assert made.start == made.end == day
    assert not made.is_prorated


def test_the_wrong_question_is_a_defect() -> None:
    """A one-time fee has no period, and a recurring one is not charged once."""
    with pytest.raises(AssertionError):
        charge(item(_once("1", 1)), JANUARY, "EUR")
    with pytest.raises(AssertionError):
        charge_once(item(_rate("1")), date(2024, 1, 1), "EUR")


@pytest.mark.parametrize(
    "pricing", [_rate("1"), SlotPricing(unit_rate=Decimal(1)), _capacity("1"), _once("1", 1)]
)
def test_fixed_fees_are_billed_in_advance(pricing: Pricing) -> None:
    """Rates, slots, capacities and one-time fees are billed when they begin."""
    assert billing_type(item(pricing)) is BillingType.ADVANCE


def test_usage_is_billed_in_arrears() -> None:
    """Usage is known only afterwards."""
    assert billing_type(item(USAGE)) is BillingType.ARREARS


def test_a_line_explains_itself() -> None:
    """The computation's figures give the amount again, and keep the allowance for the words."""
    made = _charged(item(_capacity("90"), Cadence.QUARTERLY), STUB)
    assert made.computation.included == 100
    assert made.computation.overage_rate == Decimal("0.004")
    assert made.computation.days == made.computation.full_days == 85
    stub = _charged(item(_rate("90"), Cadence.QUARTERLY), STUB).computation
    assert (stub.days, stub.full_days) == (85, 92)
    assert (stub.quantity, stub.unit_price) == (1, Decimal(90))


@pytest.mark.parametrize(
    ("currency", "price", "amount"),
    [
        ("EUR", "10", 323),
        ("JPY", "1000", 323),
        ("KWD", "1", 323),
        ("EUR", "0.004", 0),
        ("JPY", "0.5", 0),
    ],
)
def test_every_currency_rounds_to_its_minor_unit(
    currency: str, price: str, amount: int
) -> None:
    """10 of 31 days of 10.00 euros, 1000 yen and 1.000 dinar are 323 minor units each."""
    assert _charged(item(_rate(price)), CUT, currency).amount == amount


def test_many_small_units_are_not_free() -> None:
    """Rounding happens once per line: 1000 units at 0.004 are 4.00."""
    assert _charged(_slots("0.004", 1000), JANUARY).amount == 400


@given(
    st.decimals(0, 10_000, places=4),
    st.integers(0, 5_000),
    st.integers(0, 5_000),
    st.sampled_from(["EUR", "JPY", "KWD"]),
    st.sampled_from([JANUARY, STUB, CUT]),
)
def test_more_units_never_cost_less(
    price: Decimal, few: int, more: int, currency: str, billed: BilledPeriod
) -> None:
    """A charge does not fall when the quantity rises."""
    one = _slots(str(price), few)
    less = _charged(one, billed, currency).amount
    assert less <= _charged(replace(one, slots=few + more), billed, currency).amount


@given(st.decimals(0, 100_000, places=2), st.integers(1, 30))
def test_a_part_never_costs_more_than_the_whole(price: Decimal, days: int) -> None:
    """Fewer days cost at most the full price, and the parts of a period add up to a cent."""
    whole = JANUARY.full
    middle = whole.start + timedelta(days=days)
    one = item(RatePricing(rate=price))
    parts = [
        _charged(one, BilledPeriod(span, whole)).amount
        for span in (Period(whole.start, middle), Period(middle, whole.end))
    ]
    total = _charged(one, JANUARY).amount
    assert all(0 <= part <= total for part in parts)
    assert abs(sum(parts) - total) <= 1


@pytest.mark.parametrize(
    ("cadence", "amount"),
    [
        (Cadence.MONTHLY, 10000),
        (Cadence.QUARTERLY, 3333),
        (Cadence.SEMIANNUAL, 1667),
        (Cadence.ANNUAL, 833),
    ],
)
def test_monthly_value_divides_by_the_cadence(cadence: Cadence, amount: int) -> None:
    """Recurring revenue counts each fee by its months."""
    assert monthly_value((item(_rate("100"), cadence),), "EUR") == amount


def test_monthly_value_counts_fixed_recurring_fees() -> None:
    """Rates, slots, capacity bases and extras count; usage and one-time fees do not."""
    items = (
        item(_rate("29")),
        _slots("10", 2),
        _slots("10", None),
        item(_capacity("5")),
        item(_extra("2", 3), instances=2),
        item(USAGE),
        item(_once("500", 1)),
    )
    assert monthly_value(items, "EUR") == 2900 + 2000 + 500 + 1200


def test_monthly_value_is_rounded_once() -> None:
    """Three annual fees of 1.00 are 0.25 a month together, not three times 0.08."""
    annual = item(_rate("1"), Cadence.ANNUAL)
    assert monthly_value((annual,) * 3, "EUR") == 25
    assert monthly_value((), "EUR") == 0
