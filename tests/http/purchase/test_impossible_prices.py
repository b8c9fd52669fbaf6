"""Prices that cannot be computed or charged, by the path of what is wrong with them."""

import pytest

from tests.http.purchase.market import Json, Market
from tests.http.purchase.requests import extra, price, priced, refused

FIRST = "components.extra_components[0]"


@pytest.mark.parametrize(
    ("pricing", "fee", "field"),
    [
        ({"type": "RATE", "rate": "-1"}, None, "rate"),
        ({"type": "RATE", "rate": "1e3"}, None, "rate"),
        ({"type": "RATE"}, None, "rate"),
        ({"type": "RATE", "rate": "1", "unit_rate": "1"}, None, "unit_rate"),
        ({"type": "SUBSCRIPTION"}, {"type": "RATE"}, "type"),
        ({"rate": "1"}, {"type": "RATE"}, "type"),
    ],
)
def test_a_price_that_is_none(
    market: Market, pricing: Json, fee: Json | None, field: str
) -> None:
    """A price's fields are checked by their path."""
    found = refused(market, market.body(components=priced(pricing, fee or {"type": "RATE"})))

    assert [name for name, _ in found] == [f"{FIRST}.price_entry.pricing.{field}"]


@pytest.mark.parametrize(
    ("model", "field"),
    [
        ({"type": "PACKAGE", "block_size": 0, "rate": "1"}, "block_size"),
        ({"type": "PER_UNIT", "rate": "-0.1"}, "rate"),
        ({"type": "TIERED", "tiers": []}, "tiers"),
        ({"type": "TIERED", "tiers": [{"first_unit": 1, "rate": "1"}]}, "tiers[0].first_unit"),
        (
            {"type": "VOLUME", "tiers": [{"first_unit": n, "rate": "1"} for n in (0, 5, 5)]},
            "tiers[2].first_unit",
        ),
        (
            {"type": "TIERED", "block_size": 2, "tiers": [{"first_unit": 0, "rate": "1"}]},
            "block_size",
        ),
        (
            {
                "type": "MATRIX",
                "rates": [
                    {"dimension1": {"key": "a", "value": "b"}, "per_unit_price": "1"},
                    {"dimension1": {"key": "a", "value": "b"}, "per_unit_price": "2"},
                ],
            },
            "rates[1]",
        ),
    ],
)
def test_a_usage_price_that_is_none(market: Market, model: Json, field: str) -> None:
    """Zero blocks, tiers in disorder and rows that repeat are refused by their path."""
    kind = {"type": "USAGE", "metric_id": market.metric, "model": model["type"]}
    body = market.body(components=priced({"type": "USAGE", "model": model}, kind))

    (found,) = refused(market, body)
    assert found[0].startswith(f"{FIRST}.price_entry.pricing.model.{field}")


def test_prices_too_large_to_charge(market: Market) -> None:
    """What no bank could charge is refused, also where the sum of the lines is too much."""
    one = {"type": "RATE", "rate": "9" * 15}
    many: Json = {
        "extra_components": [
            extra(
                name=f"X{n}",
                price_entry=price(pricing={"type": "RATE", "rate": "90000000000000"}),
            )["extra_components"][0]
            for n in range(100)
        ]
    }
    dearest = market.create(components=priced(one)).json()["errors"][0]["message"]
    assert dearest == "must not cost more than can be charged; `Onboarding` costs the most"
    for components in (priced(one), many):
        assert refused(market, market.body(components=components)) == [
            ("components", "too_large")
        ]


def test_impossible_prices_are_told_with_everything_else(market: Market) -> None:
    """A price in disorder hides no other fault, and makes none of its own."""
    disorder = {"type": "TIERED", "tiers": [{"first_unit": 1, "rate": "1"}]}
    usage = price(pricing={"type": "USAGE", "model": disorder})
    rate = {"type": "RATE"}
    slots = {"type": "NEW", "name": "X", "fee_type": "SLOT", "fee_structure": rate}
    body = market.body(
        components={
            "overridden_components": [
                {
                    "component_id": market.component("Starter", "Fee"),
                    "name": "Fee",
                    "price_entry": usage,
                }
            ],
            **extra(product_ref=slots),
        },
        add_ons=[
            {
                "add_on_id": market.add_ons["Priority support"].id,
                "quantity": 9,
                "customization": {"type": "PRICE_OVERRIDE", "price_entry": usage},
            }
        ],
        coupon_code="NOPE",
    )
    tiers = "price_entry.pricing.model.tiers[0].first_unit"

    assert sorted(refused(market, body)) == [
        (f"add_ons[0].customization.{tiers}", "invalid"),
        ("add_ons[0].quantity", "above_limit"),
        ("components.extra_components[0].product_ref.fee_structure.type", "contradiction"),
        (f"components.overridden_components[0].{tiers}", "invalid"),
        ("coupon_code", "unknown"),
    ]
