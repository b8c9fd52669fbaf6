"""The tax of a quote, and its minor units."""

from decimal import Decimal

import pytest

from tallystick.domain.money import AmountTooLarge
from tallystick.domain.quote import ProductTax
from tallystick.domain.tax import (
    Buyer,
    ExemptionType,
    ProductTaxRule,
    Seller,
    TaxEngine,
    VatClass,
)
from tests.domain.offers import buyer, offer, once, quoted, rate
from tests.domain.samples import named, percent

FRENCH = Seller(engine=TaxEngine.EU_VAT, country="FR")
MANUAL = Seller(engine=TaxEngine.MANUAL, country="FR")


def test_tax_is_added_to_exclusive_prices() -> None:
    """20 % of 44.10 after a coupon is 8.82."""
    made = quoted(
        offer(rate("49"), coupons=(percent("10"),)), seller=MANUAL, buyer=buyer("0.20")
    )
    assert made.bill is not None
    assert (made.bill.subtotal, made.bill.discount, made.bill.tax) == (4900, 490, 882)
    assert made.amount_due == 5292


def test_inclusive_prices_are_paid_as_quoted() -> None:
    """With tax or without, 49.00 is 49.00."""
    made = offer(rate("49"), tax_inclusive=True)
    taxed = quoted(made, seller=MANUAL, buyer=buyer("0.20"))
    assert taxed.bill is not None
    assert (taxed.bill.subtotal, taxed.bill.tax, taxed.amount_due) == (4083, 817, 4900)
    assert quoted(made).amount_due == 4900


def test_each_product_has_its_own_tax() -> None:
    """The product's rule goes before the customer's rate; classes choose among EU rates."""
    made = offer(rate("100"), once("10"))
    own = ProductTaxRule(country="FR", region=None, rate=Decimal("0.10"))
    taxes = {
        named("product Rate"): ProductTax(rules=(own,)),
        named("product Setup"): ProductTax(vat_class=VatClass.REDUCED),
    }
    mixed = quoted(made, seller=MANUAL, buyer=buyer("0.20"), product_taxes=taxes)
    assert mixed.bill is not None
    assert [line.tax for line in mixed.bill.lines] == [1000, 200]
    engine = quoted(made, seller=FRENCH, buyer=Buyer(country="FR"), product_taxes=taxes)
    assert engine.bill is not None
    assert [line.tax for line in engine.bill.lines] == [1000, 100]


def test_reverse_charge_has_its_reason() -> None:
    """A German business buys without French tax."""
    made = quoted(
        offer(rate("35")), seller=FRENCH, buyer=Buyer(country="DE", vat_number_valid=True)
    )
    assert made.bill is not None
    assert made.amount_due == 3500
    assert [row.exemption for row in made.bill.breakdown] == [ExemptionType.REVERSE_CHARGE]


def test_the_engine_asks_for_the_country() -> None:
    """Until the country is known nothing is charged for tax, and the page must ask."""
    made = quoted(offer(rate("35")), seller=FRENCH, buyer=Buyer(country=None))
    assert made.needs_country
    assert made.amount_due == 3500
    assert not quoted(offer(rate("35")), seller=FRENCH, buyer=Buyer(country="FR")).needs_country


@pytest.mark.parametrize(
    ("currency", "due"), [("JPY", 1235), ("EUR", 123450), ("KWD", 1234500)]
)
def test_minor_units_of_every_kind(currency: str, due: int) -> None:
    """1234.5 in a currency without, with two and with three decimals."""
    assert quoted(offer(rate("1234.5"), currency=currency)).amount_due == due


def test_an_amount_too_large_is_refused() -> None:
    """What cannot be stored exactly is never quoted."""
    with pytest.raises(AmountTooLarge):
        quoted(offer(rate("99999999999999999")))
    with pytest.raises(AmountTooLarge):
        quoted(offer(rate("90000000000000"), rate("90000000000000", name="More")))
