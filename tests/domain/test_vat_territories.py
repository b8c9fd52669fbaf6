"""Parts of member states in which the Union's VAT is not due."""

from datetime import date

import pytest

from tallystick.domain import vat_territories
from tallystick.domain.tax import (
    Buyer,
    ExemptionType,
    ProductTaxRule,
    Seller,
    TaxDecision,
    TaxEngine,
    TaxWhy,
    VatClass,
    decide,
)
from tallystick.domain.vat_territories import TERRITORIES, Territory, territory_of

DAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("country", "postal_code", "name"),
    [
        ("ES", "35001", "Canary Islands"),
        ("ES", "38 690", "Canary Islands"),
        ("ES", "51001", "Ceuta"),
        ("ES", "52080", "Melilla"),
        ("ES", "28013", None),
        ("FR", "97400", "French overseas territories"),
        ("FR", "98800", "French overseas territories"),
        ("FR", "98000", None),
        ("FR", "75001", None),
        ("IT", "23041", "Livigno"),
        ("IT", "23030", None),
        ("IT", "22061", "Campione d'Italia"),
        ("DE", "78266", "B\u00fcsingen am Hochrhein"),
        ("DE", "d-27498", "Heligoland"),
        ("DE", "10115", None),
        ("GR", "630 86", "Mount Athos"),
        ("FI", "FI-22100", "\u00c5land Islands"),
        ("FI", "00100", None),
        ("PT", "35001", None),
        ("ES", "3500", None),
        ("ES", "350011", None),
        ("ES", "\u0663\u0665\u0660\u0660\u0661", None),
        ("ES", "", None),
        ("ES", None, None),
        (None, "35001", None),
    ],
)
def test_a_territory_is_told_by_its_postal_code(
    country: str | None, postal_code: str | None, name: str | None
) -> None:
    """Country and postal code together name the territory, however the code is written."""
    found = territory_of(country, postal_code, DAY)

    assert (found and found.name) == name


def test_the_table_has_a_first_day() -> None:
    """Before its state was a member a territory was outside of nothing."""
    assert territory_of("FI", "22100", date(1994, 12, 31)) is None
    assert all(
        one.first <= one.last and len(one.first) == len(one.last) == 5
        for rows in TERRITORIES.values()
        for one in rows
    )


def _decided(
    postal_code: str, *rules: ProductTaxRule, seller: str = "FR", business: bool = False
) -> TaxDecision:
    buyer = Buyer(country="ES", postal_code=postal_code, vat_number_valid=business)
    engine = Seller(engine=TaxEngine.EU_VAT, country=seller)
    return decide(engine, buyer, rules, VatClass.STANDARD, DAY)


@pytest.mark.parametrize("seller", ["FR", "ES"])
@pytest.mark.parametrize("business", [False, True])
def test_no_vat_is_due_there(seller: str, *, business: bool) -> None:
    """Neither VAT nor reverse charge, from home or abroad; the note names the territory."""
    found = _decided("38001", seller=seller, business=business)

    assert (found.why, found.exemption, found.rates) == (
        TaxWhy.NO_VAT_TERRITORY,
        ExemptionType.NO_VAT_TERRITORY,
        (),
    )
    assert found.reason is not None
    assert "Canary Islands" in found.reason
    assert _decided("28013", seller=seller).total_rate > 0


def test_only_the_engine_asks_for_it() -> None:
    """A product's own rate applies there as everywhere, and other engines know no territory."""
    rule = ProductTaxRule(country="FR", region=None, rate=_decided("28013").total_rate)
    manual = Seller(engine=TaxEngine.MANUAL, country="FR")
    buyer = Buyer(country="ES", postal_code="38001")

    assert _decided("38001", rule).why is TaxWhy.PRODUCT
    assert decide(manual, buyer, (), VatClass.STANDARD, DAY).why is TaxWhy.NONE


def test_how_a_row_is_read() -> None:
    """A name may have blanks; those of a state keep their order."""
    read = vat_territories._read("""
        AA 1993-01-01 27498 27499 Some Island
        BB 1995-01-01 10000 19999 Else
        AA 2000-05-01 30000 30000 Mount Other
    """)
    island = Territory(
        name="Some Island", outside_from=date(1993, 1, 1), first="27498", last="27499"
    )
    mount = Territory(
        name="Mount Other", outside_from=date(2000, 5, 1), first="30000", last="30000"
    )
    other = Territory(name="Else", outside_from=date(1995, 1, 1), first="10000", last="19999")
    assert read == {"AA": (island, mount), "BB": (other,)}
