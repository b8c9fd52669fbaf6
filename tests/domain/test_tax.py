"""Tax: the first rule that has something to say decides, and each rate is rounded per line."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tallystick.domain.tax import (
    EXEMPT_NOTE,
    EXPORT_NOTE,
    NOT_REGISTERED_NOTE,
    REVERSE_CHARGE_NOTE,
    Buyer,
    ExemptionType,
    LineTax,
    ProductTaxRule,
    Seller,
    TaxAmount,
    TaxDecision,
    TaxEngine,
    TaxFault,
    TaxRate,
    TaxWhy,
    VatClass,
    compute,
    decide,
    needs_country,
)
from tests.cases.golden import case, row_id, rows

DAY = date(2024, 1, 1)
TEN = TaxRate(name="Local", rate=Decimal("0.10"), code="L10")
EU_SELLER = Seller(engine=TaxEngine.EU_VAT, country="DE")
CONSUMER = Buyer(country="FR")
BUSINESS = Buyer(country="FR", vat_number_valid=True)
RULE = ProductTaxRule(country="DE", region=None, rate=Decimal("0.05"))


def _decide(
    seller: Seller,
    buyer: Buyer,
    *rules: ProductTaxRule,
    vat_class: VatClass = VatClass.STANDARD,
    day: date = DAY,
) -> TaxDecision:
    return decide(seller, buyer, rules, vat_class, day)


def _golden_seller(given_: dict[str, Any], engine: TaxEngine = TaxEngine.MANUAL) -> Seller:
    return Seller(engine=engine, country=given_.get("country"), region=given_.get("region"))


def _golden_buyer(given_: dict[str, Any]) -> Buyer:
    customs = [{"code": "C", "rate": given_["custom_rate"]}] if "custom_rate" in given_ else []
    customs += given_.get("custom_rates", [])
    return Buyer(
        country=given_.get("country"),
        exempt=given_.get("tax_exempt", False),
        custom_rates=tuple(
            TaxRate(name=one["code"], rate=Decimal(one["rate"]), code=one["code"])
            for one in customs
        ),
    )


def _golden_rules(line: dict[str, Any]) -> tuple[ProductTaxRule, ...]:
    return tuple(
        ProductTaxRule(
            country=rule["country"], region=rule.get("region"), rate=Decimal(rule["rate"])
        )
        for rule in line.get("product_tax", {}).get("rules", [])
    )


@pytest.mark.parametrize("case_id", ["TAX-01", "TAX-03", "TAX-04", "TAX-09"])
def test_golden_decisions(case_id: str) -> None:
    """Exemption, product rates, the seller's region and custom rates give the figures."""
    given_, expected = case(case_id)["input"], case(case_id)["expected"]
    seller, buyer = _golden_seller(given_["seller"]), _golden_buyer(given_["customer"])
    decisions = [_decide(seller, buyer, *_golden_rules(line)) for line in given_["lines"]]
    taxed = [
        compute(line["taxable"], decision, inclusive=False)
        for line, decision in zip(given_["lines"], decisions, strict=True)
    ]
    taxes = [one.tax for one in taxed]
    assert taxes == expected.get("line_tax", taxes)
    assert sum(taxes) == expected.get("tax", sum(taxes))
    assert sum(one.total for one in taxed) == expected.get("total", sum(t.total for t in taxed))
    rates = [decision.total_rate for decision in decisions]
    assert rates == [Decimal(rate) for rate in expected.get("line_rate", rates)]
    exemption = expected.get("exemption")
    assert all(
        decision.exemption == (exemption and ExemptionType(exemption.upper()))
        for decision in decisions
    )


@pytest.mark.parametrize("row", rows("TAX-06"), ids=row_id)
def test_golden_rounding_per_line(row: dict[str, Any]) -> None:
    """21 % of 9.99 is 2.10, of 9.97 it is 2.09."""
    given_ = case("TAX-06")["input"]
    decision = _decide(_golden_seller(given_["seller"]), _golden_buyer(given_["customer"]))
    assert compute(row["taxable"], decision, inclusive=False).tax == row["tax"]


@pytest.mark.parametrize("case_id", ["TAX-08", "TAX-11"])
def test_golden_reverse_charge(case_id: str) -> None:
    """A business in another member state accounts for the VAT itself."""
    decided = {"TAX-11": "use DE136695976"}.get(case_id)
    golden = case(case_id, decided=decided)
    seller = _golden_seller(golden["input"]["seller"], TaxEngine.EU_VAT)
    decision = _decide(seller, Buyer(country="DE", vat_number_valid=True))
    assert decision.exemption == golden["expected"]["exemption"].upper()
    assert decision.why is TaxWhy.REVERSE_CHARGE
    assert decision.reason == REVERSE_CHARGE_NOTE
    taxed = compute(10000, decision, inclusive=False)
    assert (taxed.tax, taxed.total) == (golden["expected"]["tax"], golden["expected"]["total"])


@pytest.mark.parametrize("row", rows("TAX-13", decided="below the threshold"), ids=row_id)
def test_golden_invalid_vat_number_is_a_consumer(row: dict[str, Any]) -> None:
    """Without a valid number the buyer pays VAT: the seller's, below the threshold."""
    golden = case("TAX-13", decided="below the threshold")
    seller = replace(
        _golden_seller(golden["input"]["seller"], TaxEngine.EU_VAT), below_threshold=True
    )
    decision = _decide(seller, Buyer(country="DE", vat_number_valid=False))
    tax = compute(10000, decision, inclusive=False).tax
    assert (tax > 0) == row["tax_positive"]
    assert tax == golden["derived"]["tax_each"]


@pytest.mark.parametrize("row", rows("TAX-14"), ids=row_id)
def test_golden_missing_country(row: dict[str, Any]) -> None:
    """Without the buyer's or the seller's country the engine charges nothing."""
    seller = Seller(engine=TaxEngine.EU_VAT, country=row["seller_country"])
    decision = _decide(seller, Buyer(country=row["customer_country"]))
    assert decision.why is TaxWhy.COUNTRY_UNKNOWN
    assert decision.exemption is None
    assert compute(10000, decision, inclusive=False).total == row["total"]


@pytest.mark.parametrize("row", rows("TAX-16", decided="below the threshold"), ids=row_id)
def test_golden_scenarios(row: dict[str, Any]) -> None:
    """Tax on 100.00 by the two countries, the kind of buyer and the product's class."""
    seller = Seller(engine=TaxEngine.EU_VAT, country=row["seller"], below_threshold=True)
    buyer = Buyer(country=row["customer"], vat_number_valid=row["kind"] == "B2B")
    vat_class = VatClass(row.get("vat_rate", "standard").upper())
    decision = _decide(seller, buyer, vat_class=vat_class)
    assert compute(10000, decision, inclusive=False).tax == row["tax"]


def test_no_engine_means_no_tax() -> None:
    """NONE beats every rate, an exemption included: there is nothing to be exempt from."""
    seller = Seller(engine=TaxEngine.NONE, country="DE")
    for buyer in (
        replace(CONSUMER, custom_rates=(TEN,)),
        replace(CONSUMER, exempt=True),
        BUSINESS,
    ):
        assert _decide(seller, buyer, RULE) == TaxDecision(
            rates=(), exemption=None, reason=None, why=TaxWhy.ENGINE_OFF
        )


def test_the_order_of_the_rules() -> None:
    """Exempt, reverse charge, product, custom, engine, nothing: the first one decides."""
    everything = replace(BUSINESS, exempt=True, exemption_reason="Embassy", custom_rates=(TEN,))
    business = replace(everything, exempt=False)
    consumer = replace(business, vat_number_valid=False)
    plain = replace(consumer, custom_rates=())
    manual = replace(EU_SELLER, engine=TaxEngine.MANUAL)
    decisions = [
        _decide(EU_SELLER, everything, RULE),
        _decide(EU_SELLER, business, RULE),
        _decide(EU_SELLER, consumer, RULE),
        _decide(EU_SELLER, consumer),
        _decide(EU_SELLER, plain),
        _decide(manual, plain),
    ]
    assert [one.why for one in decisions] == [
        TaxWhy.EXEMPT,
        TaxWhy.REVERSE_CHARGE,
        TaxWhy.PRODUCT,
        TaxWhy.CUSTOM,
        TaxWhy.EU_DESTINATION,
        TaxWhy.NONE,
    ]
    assert decisions[0].reason == "Embassy"
    assert [str(one.total_rate) for one in decisions] == ["0", "0", "0.05", "0.10", "0.20", "0"]


def test_an_exemption_always_has_a_reason() -> None:
    """Without a reason of the merchant's the invoice carries ours."""
    decision = _decide(EU_SELLER, replace(CONSUMER, exempt=True))
    assert decision.exemption is ExemptionType.TAX_EXEMPT
    assert decision.reason == EXEMPT_NOTE


def test_reverse_charge_needs_the_engine() -> None:
    """Under MANUAL a VAT number changes nothing."""
    manual = Seller(engine=TaxEngine.MANUAL, country="DE")
    assert _decide(manual, BUSINESS, RULE).why is TaxWhy.PRODUCT
    assert _decide(manual, BUSINESS).why is TaxWhy.NONE


@pytest.mark.parametrize(
    ("home", "away", "vat_number_valid", "why", "rate"),
    [
        ("DE", "DE", True, TaxWhy.EU_DOMESTIC, "0.19"),
        ("DE", "DE", False, TaxWhy.EU_DOMESTIC, "0.19"),
        ("DE", "FR", False, TaxWhy.EU_DESTINATION, "0.20"),
        ("DE", "FR", True, TaxWhy.REVERSE_CHARGE, "0"),
        ("DE", "GR", True, TaxWhy.REVERSE_CHARGE, "0"),
        ("DE", "MC", False, TaxWhy.EU_DESTINATION, "0.20"),
        ("DE", "MC", True, TaxWhy.REVERSE_CHARGE, "0"),
        ("FR", "MC", True, TaxWhy.EU_DOMESTIC, "0.20"),
        ("MC", "FR", False, TaxWhy.EU_DOMESTIC, "0.20"),
        ("DE", "CH", True, TaxWhy.EXPORT, "0"),
        ("DE", "GB", False, TaxWhy.EXPORT, "0"),
        ("CH", "DE", False, TaxWhy.NOT_REGISTERED, "0"),
        ("US", "DE", True, TaxWhy.NOT_REGISTERED, "0"),
        ("US", "US", False, TaxWhy.NOT_REGISTERED, "0"),
    ],
)
def test_the_engine_by_places(
    home: str, away: str, vat_number_valid: bool, why: TaxWhy, rate: str
) -> None:
    """Domestic, destination, reverse charge, export and sellers from outside the Union."""
    buyer = Buyer(country=away, vat_number_valid=vat_number_valid)
    decision = _decide(Seller(engine=TaxEngine.EU_VAT, country=home), buyer)
    assert decision.why is why
    assert decision.total_rate == Decimal(rate)


def test_untaxed_sales_carry_their_note() -> None:
    """An export and a seller from outside the Union say why there is no VAT."""
    export = _decide(EU_SELLER, Buyer(country="JP"))
    assert (export.exemption, export.reason) == (ExemptionType.EXPORT, EXPORT_NOTE)
    outside = _decide(replace(EU_SELLER, country="CH"), CONSUMER)
    assert outside.exemption is ExemptionType.NOT_REGISTERED
    assert outside.reason == NOT_REGISTERED_NOTE


def test_below_the_threshold_the_sellers_rate_applies() -> None:
    """Only consumers in other member states are charged the seller's rate."""
    small = replace(EU_SELLER, below_threshold=True)
    assert _decide(small, CONSUMER).why is TaxWhy.EU_ORIGIN
    assert _decide(small, CONSUMER).rates[0].code == "DE-STANDARD"
    assert _decide(small, BUSINESS).why is TaxWhy.REVERSE_CHARGE
    assert _decide(small, Buyer(country="US")).why is TaxWhy.EXPORT


@pytest.mark.parametrize(
    ("country", "vat_class", "rate"),
    [
        ("FR", VatClass.STANDARD, "0.20"),
        ("FR", VatClass.REDUCED, "0.10"),
        ("FR", VatClass.REDUCED_ALT, "0.055"),
        ("FR", VatClass.ZERO, "0"),
        ("DE", VatClass.REDUCED, "0.07"),
        ("DE", VatClass.REDUCED_ALT, "0.19"),
        ("DK", VatClass.REDUCED, "0.25"),
        ("DK", VatClass.REDUCED_ALT, "0.25"),
    ],
)
def test_classes_follow_the_buyers_country(
    country: str, vat_class: VatClass, rate: str
) -> None:
    """A class is the country's own rate; a class that it does not have is taxed in full."""
    (only,) = _decide(EU_SELLER, Buyer(country=country), vat_class=vat_class).rates
    assert only == TaxRate(name="VAT", rate=Decimal(rate), code=f"{country}-{vat_class.value}")


def test_the_rate_is_that_of_the_day() -> None:
    """Estonia: 22 % on 30 June 2025, 24 % from 1 July on."""
    buyer = Buyer(country="EE")
    for day, rate in ((date(2025, 6, 30), "0.22"), (date(2025, 7, 1), "0.24")):
        assert _decide(EU_SELLER, buyer, day=day).total_rate == Decimal(rate)


@pytest.mark.parametrize(
    ("country", "region", "rate"),
    [
        ("US", "CA", "0.0725"),
        ("US", "ca", "0.0725"),
        ("US", "TX", "0.05"),
        ("US", None, "0.05"),
        ("CA", "CA", None),
        (None, None, None),
    ],
)
def test_product_rules_look_at_the_seller(
    country: str | None, region: str | None, rate: str | None
) -> None:
    """The region's rule beats the country's; where none matches the next rule decides."""
    rules = (
        ProductTaxRule(country="US", region=None, rate=Decimal("0.05")),
        ProductTaxRule(country="US", region="CA", rate=Decimal("0.0725")),
        ProductTaxRule(country="US", region="NY", rate=Decimal("0.08")),
    )
    seller = Seller(engine=TaxEngine.MANUAL, country=country, region=region)
    decision = _decide(seller, Buyer(country="US", region="NY"), *rules)
    assert decision.why is (TaxWhy.NONE if rate is None else TaxWhy.PRODUCT)
    assert decision.total_rate == Decimal(rate or 0)


def test_product_and_custom_rates_know_no_borders() -> None:
    """They apply outside the Union too, where the engine would charge nothing."""
    abroad = Buyer(country="JP")
    assert _decide(EU_SELLER, abroad, RULE).rates[0].code == "DE"
    regional = replace(RULE, region="BY")
    assert _decide(replace(EU_SELLER, region="BY"), abroad, regional).rates[0].code == "DE-BY"
    assert _decide(EU_SELLER, replace(abroad, custom_rates=(TEN,))).rates == (TEN,)


@pytest.mark.parametrize(
    ("engine", "country", "asks"),
    [
        (TaxEngine.EU_VAT, None, True),
        (TaxEngine.EU_VAT, "FR", False),
        (TaxEngine.MANUAL, None, False),
        (TaxEngine.NONE, None, False),
    ],
)
def test_the_page_asks_for_the_country(
    engine: TaxEngine, country: str | None, asks: bool
) -> None:
    """Only the EU engine cannot price without the buyer's country."""
    assert needs_country(Seller(engine=engine, country="DE"), Buyer(country=country)) == asks


@pytest.mark.parametrize("rate", ["1", "1.5", "-0.01", "NaN", "Infinity"])
def test_rates_are_fractions(rate: str) -> None:
    """20 is not 20 %, and no rate is negative."""
    makers: tuple[Callable[[], object], ...] = (
        lambda: TaxRate(name="T", rate=Decimal(rate), code="T"),
        lambda: ProductTaxRule(country="DE", region=None, rate=Decimal(rate)),
    )
    for make in makers:
        with pytest.raises(TaxFault) as caught:
            make()
        assert caught.value.field == "rate"
        assert "0.20 is 20 %" in caught.value.message


def test_contradictions_are_defects() -> None:
    """An exempt line has no rates, a reason explains an exemption, and parts make the whole."""
    with pytest.raises(AssertionError):
        TaxDecision(
            rates=(TEN,), exemption=ExemptionType.EXPORT, reason=None, why=TaxWhy.EXPORT
        )
    with pytest.raises(AssertionError):
        TaxDecision(rates=(), exemption=None, reason="because", why=TaxWhy.NONE)
    with pytest.raises(AssertionError):
        LineTax(net=1, tax=1, total=3, taxes=())
    with pytest.raises(AssertionError):
        LineTax(net=1, tax=1, total=2, taxes=(TaxAmount(rate=TEN, amount=2),))
