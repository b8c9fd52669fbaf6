"""The golden cases of a bill: coupons, tax and their order on one invoice."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tallystick.domain.bill import settle
from tallystick.domain.tax import REVERSE_CHARGE_NOTE
from tests.cases.golden import case
from tests.domain.samples import (
    PRODUCT,
    REVERSED,
    billed,
    charge_of,
    charges_of,
    fixed,
    golden_coupons,
    sums,
    taxed_at,
)

OTHER = UUID(int=99)

GOLDEN_COUPONS = [
    "CPN-01",
    "CPN-03",
    "CPN-04",
    "CPN-06",
    "CPN-08",
    "CPN-09",
    "CPN-11",
    "CPN-13",
]


@pytest.mark.parametrize("case_id", [*GOLDEN_COUPONS, "CPN-14", "CPN-16"])
def test_golden_coupons_on_the_first_invoice(case_id: str) -> None:
    """Subtotal, discount, total and number of coupons are the case's."""
    decided = {"CPN-16": "confirmed quote must match"}.get(case_id)
    golden = case(case_id, decided=decided)
    given_: dict[str, Any] = golden["input"]
    charges = charges_of(*(one["unit_price_minor"] for one in given_["plan_components"]))
    made = billed(charges, coupons=golden_coupons(given_["coupons"], given_["currency"]))
    derived = golden.get("derived", {}).get("invoices", [{}])[0]
    expected = derived | golden["expected"]["invoices"][0]
    figures = {
        "coupon_count": len(made.coupons),
        "subtotal": made.subtotal,
        "discount": made.discount,
        "total": made.total,
        "tax": made.tax,
        "amount_due": settle(made.total, 0).amount_due,
    }
    named = figures.keys() & expected.keys()
    assert {"total"} <= named
    assert {name: figures[name] for name in named} == {name: expected[name] for name in named}


def test_golden_amount_of_each_coupon() -> None:
    """CPN-08: 90 % of 49.00 is 44.10, and ten euros find 4.90 left."""
    golden = case("CPN-08")
    coupons = golden_coupons(golden["input"]["coupons"], "EUR")
    made = billed(charges_of(4900), coupons=coupons)
    assert [one.amount for one in made.coupons] == golden["derived"]["per_coupon"]


@pytest.mark.parametrize("case_id", ["INV-01"])
def test_golden_without_tax(case_id: str) -> None:
    """INV-01: no tax leaves no trace, and a balance lowers what is due, not the total."""
    golden = case(case_id)["derived"]["per_step"]
    made = billed(charges_of(3500))
    assert (made.subtotal, made.total) == (golden[0]["subtotal"], golden[0]["total"])
    assert made.breakdown == ()
    assert settle(made.total, 0).amount_due == golden[0]["amount_due"]
    assert settle(made.total, 1000).amount_due == golden[2]["amount_due"]


@pytest.mark.parametrize("case_id", ["INV-03"])
def test_golden_reverse_charge(case_id: str) -> None:
    """INV-03: one row of the breakdown says that the recipient accounts for the VAT."""
    golden = case(case_id, decided="use DE136695976")["expected"]
    made = billed(charges_of(3500), REVERSED)
    assert (made.subtotal, made.total) == (golden["subtotal"], golden["total"])
    (row,), (expected,) = made.breakdown, golden["tax_breakdown"]
    assert (row.taxable, row.tax) == (expected["taxable"], expected["tax"])
    assert row.exemption == expected["exemption"].upper()
    assert row.reason == REVERSE_CHARGE_NOTE
    assert (row.name, row.rate, row.code) == ("Reverse charge", Decimal(0), None)


@pytest.mark.parametrize("case_id", ["INV-04"])
def test_golden_tax_after_a_coupon(case_id: str) -> None:
    """INV-04: 10 % off 35.00, then 8.25 % of 31.50 is 2.60."""
    golden = case(case_id)
    coupons = golden_coupons(golden["input"]["coupons"], "EUR")
    made = billed(charges_of(3500), taxed_at("0.0825"), coupons)
    derived, expected = golden["derived"], golden["expected"]
    assert sums(made) == (
        expected["subtotal"],
        expected["discount"],
        derived["tax"],
        derived["total"],
    )
    (line,) = made.lines
    assert (line.net, line.tax) == (derived["lines"][0]["taxable"], derived["lines"][0]["tax"])
    assert [{"code": one.code, "value": one.amount} for one in made.coupons] == expected[
        "applied_coupons"
    ]


@pytest.mark.parametrize("case_id", ["DSC-06"])
def test_golden_spread(case_id: str) -> None:
    """DSC-06: a discount of 1.00 over 3.33, 3.33 and 3.34 leaves three equal lines."""
    golden = case(case_id)
    made = billed(charges_of(*golden["input"]["line_subtotals"]), coupons=[fixed("1")])
    assert [line.net for line in made.lines] == golden["expected"]["line_taxable"]


def test_lines_of_different_products_bear_their_own_tax() -> None:
    """TAX-03: 20 % on one product, 10 % on the other; a row of the breakdown for each."""
    golden = case("TAX-03")
    first, second = golden["input"]["lines"]
    made = billed(
        [charge_of(first["taxable"]), charge_of(second["taxable"], OTHER)],
        decision_of={PRODUCT: taxed_at("0.20"), OTHER: taxed_at("0.10")}.__getitem__,
    )
    assert [line.tax for line in made.lines] == golden["expected"]["line_tax"]
    assert (made.tax, made.total) == (golden["expected"]["tax"], golden["expected"]["total"])
    assert [(row.rate, row.taxable, row.tax) for row in made.breakdown] == [
        (Decimal("0.20"), 10000, 2000),
        (Decimal("0.10"), 5000, 500),
    ]
