"""Add-ons that are refused when a session is created, each by its path."""

import pytest
from meteroid import models as m

from tallystick.domain.ids import Prefix
from tests.http.purchase.market import Json, Market, id_of
from tests.http.purchase.requests import price, refused


def test_add_ons(market: Market, rival: Market) -> None:
    """An add-on must be of this catalog, unarchived, in the plan's currency, within limits."""
    old = market.add_on("Old", m.RateFeeStructure(), {"type": "RATE", "rate": "1"})
    market.archive("add_ons", Prefix.ADD_ON, old.id)
    dollars = market.add_on(
        "Dollars", m.RateFeeStructure(), {"type": "RATE", "rate": "1"}, currency="USD"
    )
    support, places = market.add_ons["Priority support"].id, market.add_ons["Workspaces"].id
    entries: list[Json] = [
        {"add_on_id": id_of(Prefix.ADD_ON)},
        {"add_on_id": rival.add_ons["Workspaces"].id},
        {"add_on_id": old.id},
        {"add_on_id": dollars.id},
        {"add_on_id": support, "quantity": 3},
        {"add_on_id": support, "quantity": 3},
        _parameterized(places, initial_slot_count=21),
        _parameterized(places, billing_period="ANNUAL"),
        _parameterized(places, committed_capacity=5),
        _parameterized(support, initial_slot_count=2),
        _overridden(support, price(currency="USD")),
        _overridden(support, price(pricing={"type": "SLOT", "unit_rate": "1"})),
        _overridden(support, {"type": "EXISTING", "id": id_of(Prefix.PRICE)}),
    ]

    assert refused(market, market.body(add_ons=entries)) == [
        ("add_ons[0].add_on_id", "unknown"),
        ("add_ons[1].add_on_id", "unknown"),
        ("add_ons[2].add_on_id", "archived"),
        ("add_ons[3].add_on_id", "wrong_currency"),
        ("add_ons[5].quantity", "above_limit"),
        ("add_ons[6].customization.initial_slot_count", "out_of_bounds"),
        ("add_ons[7].customization", "no_such_price"),
        ("add_ons[8].customization.committed_capacity", "not_applicable"),
        ("add_ons[9].quantity", "above_limit"),
        ("add_ons[9].customization.initial_slot_count", "not_applicable"),
        ("add_ons[10].quantity", "above_limit"),
        ("add_ons[10].customization.price_entry.currency", "wrong_currency"),
        ("add_ons[11].quantity", "above_limit"),
        ("add_ons[11].customization.price_entry.pricing", "wrong_fee_type"),
        ("add_ons[12].quantity", "above_limit"),
        ("add_ons[12].customization.price_entry.id", "unknown"),
    ]


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "1", True, 2**31, 10**30])
def test_a_quantity_that_cannot_be(market: Market, quantity: object) -> None:
    """A quantity is a whole number from 1 on."""
    entry = {"add_on_id": market.add_ons["Workspaces"].id, "quantity": quantity}
    found = refused(market, market.body(add_ons=[entry]))

    assert [field for field, _ in found] == ["add_ons[0].quantity"]


def test_an_add_on_in_another_currency_with_a_price_of_this_one(market: Market) -> None:
    """An add-on whose own price is in dollars is sold in euro at an overriding price."""
    product = market.product("Global", m.RateFeeStructure())
    dollars = market.price(product, {"type": "RATE", "rate": "9"}, currency="USD")
    add_on = market.sdk.add_ons.create(name="Global", product_id=product, price_id=dollars)
    answer = market.create(add_ons=[_overridden(add_on.id, price())])

    assert answer.json()["session"]["amount_due"] == 5900


def _parameterized(add_on_id: str, **parameters: object) -> Json:
    return {
        "add_on_id": add_on_id,
        "customization": {"type": "PARAMETERIZATION", **parameters},
    }


def _overridden(add_on_id: str, price_entry: Json) -> Json:
    return {
        "add_on_id": add_on_id,
        "customization": {"type": "PRICE_OVERRIDE", "price_entry": price_entry},
    }
