"""What a plan may not be: each fault with its path, all together, and nothing is created."""

from typing import Any

import pytest

from tests.http.catalog.shop import Shop

UNKNOWN = "0198c4a5-7b3e-7c11-9f00-0123456789ab"
RATE = {"type": "RATE", "rates": [{"term": "MONTHLY", "price": "49"}]}
Faults = list[tuple[str, str]]


def body(shop: Shop, **fields: object) -> dict[str, object]:
    """The request for a plan, right but for the fields given."""
    return {
        "name": "Pro",
        "product_family_id": shop.family(),
        "plan_type": "STANDARD",
        "status": "ACTIVE",
        "currency": "EUR",
        "components": [],
        **fields,
    }


def of(**fee: Any) -> dict[str, object]:  # noqa: ANN401 - any part of a fee may be wrong
    """A component with this fee."""
    return {"name": "Part", "fee": fee}


def check(shop: Shop, fields: dict[str, object], faults: Faults) -> None:
    """The plan is refused for exactly these faults, and leaves nothing behind."""
    wanted = body(shop, **fields)
    before = shop.counts()

    status, found = shop.refused("POST", "/plans", wanted)

    assert (status, sorted(found)) == (400, sorted(faults))
    assert shop.counts() == before


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"status": "INACTIVE"}, [("status", "unknown_value")]),
        ({"plan_type": "GOLD"}, [("plan_type", "unknown_value")]),
        ({"currency": "eur"}, [("currency", "unknown_value")]),
        ({"name": "x\0"}, [("name", "invalid_text")]),
        ({"self_service_rank": -1}, [("self_service_rank", "out_of_range")]),
        (
            {"billing": {"net_terms": -1, "period_start_day": 32, "billing_cycles": 0}},
            [
                ("billing.net_terms", "out_of_range"),
                ("billing.period_start_day", "out_of_range"),
                ("billing.billing_cycles", "out_of_range"),
            ],
        ),
        (
            {"trial": {"duration_days": 731, "is_free": "yes"}},
            [("trial.duration_days", "out_of_range"), ("trial.is_free", "wrong_type")],
        ),
        (
            {"trial": {"duration_days": 7, "is_free": True, "trialing_plan_id": UNKNOWN}},
            [("trial.trialing_plan_id", "unknown")],
        ),
        ({"trial_days": 14}, [("trial_days", "unknown_field")]),
        ({"entitlements": [{"feature_id": "feat_1"}]}, [("entitlements[0].value", "required")]),
        ({"components": [of(**RATE)] * 101}, [("components", "too_long")]),
    ],
)
def test_a_plan_that_cannot_be_is_refused(
    shop: Shop, fields: dict[str, object], faults: Faults
) -> None:
    """Bounds, enums, unknown fields and fields that do nothing yet are refused by name."""
    check(shop, fields, faults)


@pytest.mark.parametrize(
    ("fee", "faults"),
    [
        ({"type": "RATE", "rates": []}, [("rates", "too_short")]),
        (
            {"type": "RATE", "rates": RATE["rates"] * 2},  # type: ignore[operator]
            [("rates[1].term", "duplicate")],
        ),
        (
            {"type": "RATE", "rates": [{"term": "WEEKLY", "price": "-1"}]},
            [("rates[0].term", "unknown_value"), ("rates[0].price", "out_of_range")],
        ),
        (
            {
                "type": "SLOT",
                "slot_unit_name": "seat",
                "rates": RATE["rates"],
                "minimum_count": 10,
                "quota": 5,
            },
            [("quota", "invalid")],
        ),
        (
            {
                "type": "CAPACITY",
                "cadence": "MONTHLY",
                "metric_id": UNKNOWN,
                "thresholds": [
                    {"included_amount": 10, "price": "1", "per_unit_overage": "1"},
                    {"included_amount": 10, "price": "2", "per_unit_overage": "1"},
                ],
            },
            [("metric_id", "unknown"), ("thresholds[1].included_amount", "duplicate")],
        ),
        (
            {
                "type": "USAGE",
                "cadence": "MONTHLY",
                "metric_id": UNKNOWN,
                "pricing": {"type": "VOLUME", "tiers": [{"first_unit": 1, "rate": "1"}]},
            },
            [("metric_id", "unknown"), ("pricing.tiers[0].first_unit", "invalid")],
        ),
        (
            {
                "type": "USAGE",
                "cadence": "MONTHLY",
                "metric_id": "bm_",
                "pricing": {"type": "TIERED", "tiers": [], "block_size": 2},
            },
            [
                ("metric_id", "malformed_id"),
                ("pricing.tiers", "too_short"),
                ("pricing.block_size", "not_supported_yet"),
            ],
        ),
        (
            {"type": "ONE_TIME", "unit_price": "1", "quantity": 0},
            [("quantity", "out_of_range")],
        ),
    ],
)
def test_a_fee_that_cannot_be_is_refused(
    shop: Shop, fee: dict[str, object], faults: Faults
) -> None:
    """Every fault of a fee is told with the path below its component."""
    paths = [(f"components[0].fee.{field}", code) for field, code in faults]

    check(shop, {"components": [of(**fee)]}, paths)


def test_a_free_plan_has_no_component_that_costs_something(shop: Shop) -> None:
    """One cent is too much for a free plan."""
    cent = {"type": "RATE", "rates": [{"term": "MONTHLY", "price": "0.01"}]}

    check(
        shop,
        {"plan_type": "FREE", "components": [of(**cent)]},
        [("components[0].fee", "not_free")],
    )


def test_a_component_must_agree_with_its_product(shop: Shop) -> None:
    """Kind and structure of the fee are the product's; an unknown product is a fault."""
    plain = shop.product()
    seats = shop.raw.post(
        "/products",
        json={
            "name": "Seats",
            "product_family_id": shop.family(),
            "fee_structure": {"type": "SLOT", "slot_unit_name": "seat"},
        },
    ).json()["id"]
    slots = {"type": "SLOT", "slot_unit_name": "user", "rates": RATE["rates"]}

    check(
        shop,
        {
            "components": [
                {"name": "A", "fee": RATE, "product_id": UNKNOWN},
                {"name": "B", "fee": slots, "product_id": plain},
                {"name": "C", "fee": slots, "product_id": seats},
            ]
        },
        [
            ("components[0].product_id", "unknown"),
            ("components[1].fee.type", "wrong_fee_type"),
            ("components[2].fee", "wrong_fee_structure"),
        ],
    )


def test_add_ons_of_a_plan_must_be_sellable_with_it(shop: Shop) -> None:
    """Unknown, twice, in another currency, or at another product's price: refused."""
    product = shop.product()
    euro, dollar = shop.price(product), shop.price(product, currency="USD")
    foreign_price = shop.price(shop.product("Other"))
    made = {
        name: shop.sdk.add_ons.create(name=name, product_id=product, price_id=price).id
        for name, price in (("E", euro), ("D", dollar), ("F", euro))
    }

    check(
        shop,
        {
            "add_ons": [
                {"add_on_id": UNKNOWN},
                {"add_on_id": made["E"]},
                {"add_on_id": made["E"]},
                {"add_on_id": made["D"]},
                {"add_on_id": made["F"], "price_id": foreign_price},
            ]
        },
        [
            ("add_ons[0].add_on_id", "unknown"),
            ("add_ons[2].add_on_id", "duplicate"),
            ("add_ons[3].add_on_id", "wrong_currency"),
            ("add_ons[4].price_id", "unknown"),
        ],
    )


def test_an_add_on_at_the_plans_own_price_may_come_from_another_currency(shop: Shop) -> None:
    """The price that counts is the entry's: in the plan's currency it is right."""
    product = shop.product()
    euro, dollar = shop.price(product), shop.price(product, currency="USD")
    add_on = shop.sdk.add_ons.create(name="D", product_id=product, price_id=dollar)

    answer = shop.raw.post(
        "/plans", json=body(shop, add_ons=[{"add_on_id": add_on.id, "price_id": euro}])
    )

    assert answer.status_code == 201


def test_faults_of_prices_and_of_names_are_told_together(shop: Shop) -> None:
    """What a price says wrongly and what the catalog lacks come in one answer."""
    tiers = [{"first_unit": 0, "rate": "1"}, {"first_unit": 0, "rate": "1"}]
    usage = {
        "type": "USAGE",
        "cadence": "MONTHLY",
        "metric_id": shop.metric(),
        "pricing": {"type": "TIERED", "tiers": tiers},
    }

    check(
        shop,
        {
            "components": [
                of(**usage),
                {"name": "B", "fee": RATE, "product_id": UNKNOWN},
            ],
            "add_ons": [{"add_on_id": UNKNOWN}],
        },
        [
            ("components[0].fee.pricing.tiers[1].first_unit", "invalid"),
            ("components[1].product_id", "unknown"),
            ("add_ons[0].add_on_id", "unknown"),
        ],
    )


def test_another_tenants_things_cannot_be_named(shop: Shop, other_shop: Shop) -> None:
    """Family, product, metric, add-on and trialing plan of another tenant do not exist."""
    product = other_shop.product()
    price = other_shop.price(product)
    add_on = other_shop.sdk.add_ons.create(name="A", product_id=product, price_id=price)
    usage = {
        "type": "USAGE",
        "cadence": "MONTHLY",
        "metric_id": other_shop.metric(),
        "pricing": {"type": "PER_UNIT", "rate": "1"},
    }

    check(
        shop,
        {
            "components": [{"name": "A", "fee": RATE, "product_id": product}, of(**usage)],
            "add_ons": [{"add_on_id": add_on.id}],
            "trial": {
                "duration_days": 7,
                "is_free": True,
                "trialing_plan_id": other_shop.plan().id,
            },
        },
        [
            ("components[0].product_id", "unknown"),
            ("components[1].fee.metric_id", "unknown"),
            ("add_ons[0].add_on_id", "unknown"),
            ("trial.trialing_plan_id", "unknown"),
        ],
    )
    assert shop.refused(
        "POST", "/plans", body(shop, product_family_id=other_shop.family())
    ) == (404, [("product_family_id", "unknown")])
