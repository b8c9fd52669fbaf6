"""What was billed before its window's end, and what lacks to a minimum, is told on the line."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from tallystick.domain.charges import Before, Charge, Computation, Shortfall
from tallystick.domain.errors import Unexplained
from tallystick.domain.explain_invoice import explain_invoice
from tallystick.domain.metered import Meter, usage_charges
from tallystick.domain.periods import Period
from tallystick.domain.pricing import FeeType, PerUnit, UsagePricing
from tallystick.domain.usage_pricing import Measured
from tests.domain.kept import kept_of, sentences_of, told
from tests.domain.samples import PRODUCT, billed, charges_of, fixed, item, percent

JANUARY = Period(date(2024, 1, 1), date(2024, 2, 1))
CALLS = item(UsagePricing(model=PerUnit(rate=Decimal("0.10"))))


def used(units: int, before: int, held: int = 0) -> Charge:
    """Calls of January at EUR 0.10, of which EUR `before` cents were billed already."""
    meter = Meter(item=CALLS, window=JANUARY)
    (charge,) = usage_charges(meter, [Measured(quantity=Fraction(units))], "EUR")
    return replace(
        charge,
        amount=charge.amount - before + held,
        before=Before(amount=before, quantity=Decimal(before) / 10),
    )


def true_up(*, cost: int = 4000) -> Charge:
    """What 20 of January's 31 days lack to a minimum of EUR 100.00: 64.52 less their cost."""
    return Charge(
        item_id=CALLS.id,
        product_id=PRODUCT,
        name="Minimum commitment",
        start=date(2024, 1, 12),
        end=date(2024, 2, 1),
        amount=6452 - cost,
        computation=Computation(
            fee=FeeType.EXTRA_RECURRING,
            unit_price=Decimal(6452 - cost) / 100,
            units=1,
            instances=1,
            days=20,
            full_days=20,
        ),
        shortfall=Shortfall(minimum=Decimal(100), full_days=31, least=6452, cost=cost),
    )


def test_what_was_billed_before_is_left_out() -> None:
    """800 calls are EUR 80.00, of which 50.00 were billed at the threshold."""
    line, _ = told(billed([used(800, 5000)]))

    assert line[2:4] == [
        "800 \N{MULTIPLICATION SIGN} EUR 0.10 = EUR 80.00",
        "Less EUR 50.00 that earlier invoices billed of it leaves EUR 30.00",
    ]


def test_what_the_invoice_cannot_bear_is_not_given_back() -> None:
    """EUR 50.00 were billed of what costs 10.00 now, beside a fee of 25.00."""
    made = billed([*charges_of(2500), used(100, 5000, held=1500)])

    assert told(made)[1][3] == (
        "Less EUR 50.00 that earlier invoices billed of it; EUR 15.00 is not given back, which"
        " leaves \N{MINUS SIGN}EUR 25.00"
    )


def test_what_lacks_to_a_minimum() -> None:
    """EUR 100.00 x 20/31 = 64.52, less 40.00."""
    line, invoice = told(billed([true_up()]))

    assert line[1] == (
        "The period costs at least EUR 100.00, for 20 of 31 days EUR 64.52; it cost EUR 40.00,"
        " so EUR 24.52 is missing"
    )
    assert invoice[0] == "The lines come to EUR 24.52"


def test_a_fixed_coupon_gives_its_amount_once_in_a_period() -> None:
    """EUR 5.00, of which a threshold invoice had 2.00, after ten per cent of 30.00."""
    whole = [percent("10", "TEN"), fixed("5", "FIVE")]
    made = billed(charges_of(3000), coupons=[whole[0], fixed("3", "FIVE")])
    kept = kept_of(made, whole)
    ahead = replace(
        kept, coupons=tuple(replace(one, may_have_given=True) for one in kept.coupons)
    )

    assert sentences_of(explain_invoice(ahead))[-1][1:3] == [
        "Code TEN takes off EUR 3.00: 10% of EUR 30.00 = EUR 3.00",
        (
            "Code FIVE takes off EUR 3.00: EUR 5.00 less EUR 2.00 given earlier in this period,"
            " of EUR 27.00"
        ),
    ]
    with pytest.raises(Unexplained, match="the share of the discount comes to 800"):
        explain_invoice(kept)


def test_what_was_billed_before_must_add_up() -> None:
    """Another amount before, or another minimum, is an error."""
    for wrong in (
        replace(used(800, 5000), amount=2999),
        replace(used(100, 5000), amount=-4001),
        replace(true_up(), amount=2453),
        replace(
            true_up(),
            shortfall=Shortfall(minimum=Decimal(101), full_days=31, least=6452, cost=4000),
        ),
    ):
        with pytest.raises(Unexplained, match="comes to"):
            explain_invoice(kept_of(billed([*charges_of(9000), wrong])))
