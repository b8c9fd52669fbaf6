"""What is refused when a session is created: party, plan, components, and single values.

Each refusal names the field, and leaves nothing behind.
"""

import pytest
from meteroid import models as m

from tallystick.domain.ids import Prefix
from tests.http.purchase.market import Json, Market, id_of
from tests.http.purchase.requests import extra, price, priced, refused

SLOTS: Json = {
    "type": "SLOT",
    "slot_unit_name": "seat",
    "upgrade_policy": "PRORATED",
    "downgrade_policy": "REMOVE_AT_END_OF_PERIOD",
}


def test_a_customer_that_is_not_there(market: Market, rival: Market) -> None:
    """An unknown customer is not found, by id or alias; nor is another tenant's."""
    theirs = rival.customer(alias="initech")
    for customer in (id_of(Prefix.CUSTOMER), "nobody", theirs.id, "initech"):
        found = refused(market, market.body(customer_id=customer), 404)
        assert found == [("customer_id", "unknown")]


def test_an_archived_customer(market: Market) -> None:
    """An archived customer buys nothing; its alias is free for another."""
    customer = market.customer(alias="gone")
    market.archive("customers", Prefix.CUSTOMER, customer.id)

    assert refused(market, market.body(customer_id=customer.id)) == [
        ("customer_id", "archived")
    ]
    assert refused(market, market.body(customer_id="gone"), 404) == [("customer_id", "unknown")]


def test_a_plan_version_that_is_not_there(market: Market, rival: Market) -> None:
    """An unknown version is not found; nor is another tenant's."""
    for version in (id_of(Prefix.PLAN_VERSION), rival.plans["Starter"].version_id):
        body = {**market.body(), "plan_version_id": version}
        assert refused(market, body, 404) == [("plan_version_id", "unknown")]


def test_both_are_not_there(market: Market) -> None:
    """What is not found is told together."""
    body = {"customer_id": "nobody", "plan_version_id": id_of(Prefix.PLAN_VERSION)}

    assert refused(market, body, 404) == [
        ("customer_id", "unknown"),
        ("plan_version_id", "unknown"),
    ]


def test_a_draft(market: Market) -> None:
    """A draft is not sold."""
    assert refused(market, market.body("Draft")) == [("plan_version_id", "draft")]


def test_an_archived_plan(market: Market) -> None:
    """A plan that was archived is not sold any more, published or not."""
    plan = market.plan("Old")
    market.create("Old")
    market.archive("plans", Prefix.PLAN, plan.id)

    assert refused(market, market.body("Old")) == [("plan_version_id", "archived")]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("billing_day_anchor", 0, "out_of_range"),
        ("billing_day_anchor", 32, "out_of_range"),
        ("billing_day_anchor", -1, "out_of_range"),
        ("net_terms", -1, "out_of_range"),
        ("net_terms", 366, "out_of_range"),
        ("trial_duration_days", -1, "out_of_range"),
        ("trial_duration_days", 731, "out_of_range"),
        ("expires_in_hours", -1, "out_of_range"),
        ("expires_in_hours", 8761, "out_of_range"),
        ("invoice_threshold", "0", "out_of_range"),
        ("invoice_threshold", "-1", "out_of_range"),
        ("invoice_memo", "x" * 10_001, "too_long"),
        ("purchase_order", "x" * 256, "too_long"),
        ("metadata", [], "wrong_type"),
        ("metadata", "text", "wrong_type"),
        ("coupon_code", "", "too_short"),
        ("coupon_code", "NOPE", "unknown"),
        ("success_url", "/done", "malformed"),
        ("success_url", "javascript:alert(1)", "malformed"),
        ("success_url", "ftp://acme.example", "malformed"),
        ("success_url", "https://", "malformed"),
        ("success_url", "https://me:secret@acme.example/", "malformed"),
        ("success_url", "https://acme.example/" + "x" * 2028, "too_long"),
        ("cancel_url", "//acme.example", "malformed"),
        ("cancel_url", "https://acme.example/a b", "malformed"),
        ("customer_id", "", "too_short"),
        ("plan_version_id", "plv_", "malformed_id"),
        ("plan_version_id", "cus_7n42DGM5Tflk9n8mt7Fhc7", "malformed_id"),
        ("end_date", "2026-02-30", "malformed"),
        ("billing_start_date", "2026-03-10T00:00:00Z", "malformed"),
    ],
)
def test_a_value_that_cannot_be(market: Market, field: str, value: object, code: str) -> None:
    """A value out of its bounds is refused by its field."""
    assert refused(market, {**market.body(), field: value}) == [(field, code)]


def test_a_required_field(market: Market) -> None:
    """Customer and plan version are required; null is as good as nothing."""
    both = [("customer_id", "required"), ("plan_version_id", "required")]

    assert refused(market, {}) == both
    nulls = refused(market, {"customer_id": None, "plan_version_id": None})
    assert [field for field, _ in nulls] == ["customer_id", "plan_version_id"]


def test_parameters(market: Market, rival: Market) -> None:
    """Parameters must leave exactly one price of a component; the message lists the choices."""
    seats = market.component("Business", "Seats")
    calls = market.component("Business", "API calls")
    platform = market.component("Business", "Platform")
    nothing = refused(market, market.body("Business"))
    sent = [
        {"component_id": seats, "parameters": {"billing_period": "QUARTERLY"}},
        {"component_id": calls, "parameters": {"committed_capacity": 5}},
        {"component_id": platform, "parameters": {"initial_slot_count": 5}},
        {"component_id": id_of(Prefix.COMPONENT), "parameters": {}},
        {"component_id": rival.component("Business", "Seats"), "parameters": {}},
        {"component_id": seats, "parameters": {"billing_period": "MONTHLY"}},
        {"component_id": market.component("Starter", "Fee"), "parameters": {}},
    ]
    body = market.body("Business", components={"parameterized_components": sent})
    path = "components.parameterized_components"

    assert [code for _, code in nothing] == ["ambiguous_price", "ambiguous_price"]
    assert sorted(refused(market, body)) == sorted(
        [
            (f"{path}[0].parameters", "no_such_price"),
            (f"{path}[1].parameters", "no_such_price"),
            (f"{path}[2].parameters.initial_slot_count", "not_applicable"),
            (f"{path}[3].component_id", "unknown"),
            (f"{path}[4].component_id", "unknown"),
            (f"{path}[5].component_id", "duplicate"),
            (f"{path}[6].component_id", "unknown"),
        ]
    )
    told = {
        e["field"]: e["message"]
        for e in market.raw.post("/checkout-sessions", json=body).json()["errors"]
    }
    assert "MONTHLY, ANNUAL" in told[f"{path}[0].parameters"]
    for included in ("10000", "100000", "1000000"):
        assert f"{included} included" in told[f"{path}[1].parameters"]


@pytest.mark.parametrize("count", [0, 1, 51])
def test_slots_within_their_bounds(market: Market, count: int) -> None:
    """Slots stay within the price's least and most."""
    parameters = {"billing_period": "MONTHLY", "initial_slot_count": count}
    sent = _chosen(market, Seats=parameters)
    answer = market.create("Business", components={"parameterized_components": sent})

    (fault,) = answer.json()["errors"]
    assert fault["field"] == (
        "components.parameterized_components[0].parameters.initial_slot_count"
    )
    assert (fault["code"], fault["message"]) == ("out_of_bounds", "must be between 2 and 50")


def test_overrides(market: Market, rival: Market) -> None:
    """An overriding price must suit the product and the plan's currency."""
    platform = market.component("Business", "Platform")
    insights = market.component("Business", "Insights")
    storage = market.component("Business", "Storage")
    foreign = rival.price(rival.products["Priority support"], {"type": "RATE", "rate": "1"})
    other = market.price(market.products["Priority support"], {"type": "RATE", "rate": "1"})

    def entry(component_id: str, price_entry: Json) -> Json:
        return {"component_id": component_id, "name": "X", "price_entry": price_entry}

    sent = [
        entry(platform, price(currency="USD")),
        entry(insights, price(pricing={"type": "ONE_TIME", "unit_price": "1", "quantity": 1})),
        entry(
            storage,
            price(
                pricing={
                    "type": "USAGE",
                    "model": {"type": "PACKAGE", "block_size": 10, "rate": "1"},
                }
            ),
        ),
        entry(rival.component("Business", "Platform"), price()),
        entry(platform, price()),
        entry(market.component("Business", "Seats"), {"type": "EXISTING", "id": foreign}),
        entry(market.component("Business", "API calls"), {"type": "EXISTING", "id": other}),
    ]
    path = "components.overridden_components"
    body = market.body("Business", components={"overridden_components": sent})

    assert sorted(refused(market, body)) == sorted(
        [
            (f"{path}[0].price_entry.currency", "wrong_currency"),
            (f"{path}[1].price_entry.pricing", "wrong_fee_type"),
            (f"{path}[2].price_entry.pricing", "wrong_fee_type"),
            (f"{path}[3].component_id", "unknown"),
            (f"{path}[4].component_id", "duplicate"),
            (f"{path}[5].price_entry.id", "unknown"),
            (f"{path}[6].price_entry.id", "unknown"),
        ]
    )


def test_an_existing_price_in_another_currency(market: Market) -> None:
    """A price of the catalog in another currency than the plan's is refused."""
    product = market.plans["Starter"].price_components[0].product_id
    assert product is not None
    dollars = market.price(product, {"type": "RATE", "rate": "1"}, currency="USD")
    existing = {"type": "EXISTING", "id": dollars}
    override = {
        "component_id": market.component("Starter", "Fee"),
        "name": "X",
        "price_entry": existing,
    }
    more = extra(product_ref={"type": "EXISTING", "id": product}, price_entry=existing)
    body = market.body(components={"overridden_components": [override], **more})

    assert refused(market, body) == [
        ("components.overridden_components[0].price_entry.id", "wrong_currency"),
        ("components.extra_components[0].price_entry.id", "wrong_currency"),
    ]


def test_removals(market: Market) -> None:
    """A component is removed once, and not changed as well."""
    seats, platform, calls = (
        market.component("Business", name) for name in ("Seats", "Platform", "API calls")
    )
    components = {
        "parameterized_components": [{"component_id": seats, "parameters": {}}],
        "overridden_components": [
            {"component_id": platform, "name": "X", "price_entry": price()}
        ],
        "remove_components": [seats, platform, calls, calls, id_of(Prefix.COMPONENT)],
    }
    path = "components.remove_components"

    assert refused(market, market.body("Business", components=components)) == [
        (f"{path}[0]", "contradiction"),
        (f"{path}[1]", "contradiction"),
        (f"{path}[3]", "duplicate"),
        (f"{path}[4]", "unknown"),
    ]


def test_extras(market: Market, rival: Market) -> None:
    """A product must be of this catalog; a new one cannot have an existing price."""
    old = market.product("Discontinued", m.RateFeeStructure())
    market.archive("products", Prefix.PRODUCT, old)
    own = market.price(market.products["Priority support"], {"type": "RATE", "rate": "1"})
    wrong: list[tuple[Json, str, str]] = [
        (_of(id_of(Prefix.PRODUCT)), "product_ref.id", "unknown"),
        (_of(rival.products["Priority support"]), "product_ref.id", "unknown"),
        (_of(old), "product_ref.id", "archived"),
        ({"price_entry": {"type": "EXISTING", "id": own}}, "price_entry", "contradiction"),
        ({"price_entry": price(currency="USD")}, "price_entry.currency", "wrong_currency"),
        (
            {"price_entry": price(pricing={"type": "SLOT", "unit_rate": "1"})},
            "price_entry.pricing",
            "wrong_fee_type",
        ),
    ]
    entries = [extra(**fields)["extra_components"][0] for fields, _, _ in wrong]
    body = market.body(components={"extra_components": entries})

    assert refused(market, body) == [
        (f"components.extra_components[{index}].{field}", code)
        for index, (_, field, code) in enumerate(wrong)
    ]


def test_a_new_product_must_agree_with_itself(market: Market, rival: Market) -> None:
    """Fee type and structure agree, and a metric is one of this tenant's."""
    slots = {"type": "NEW", "name": "X", "fee_type": "RATE", "fee_structure": SLOTS}
    found = refused(market, market.body(components=extra(product_ref=slots)))
    assert found == [
        ("components.extra_components[0].product_ref.fee_structure.type", "contradiction")
    ]
    for metric in (id_of(Prefix.METRIC), rival.metric):
        usage = {"type": "USAGE", "metric_id": metric, "model": "PER_UNIT"}
        pricing = {"type": "USAGE", "model": {"type": "PER_UNIT", "rate": "1"}}
        found = refused(market, market.body(components=priced(pricing, usage)))
        path = "components.extra_components[0].product_ref.fee_structure.metric_id"
        assert found == [(path, "unknown")]


def test_every_fault_at_once(market: Market, rival: Market) -> None:
    """Faults of different fields are told together, each with its path."""
    body = market.body(
        billing_start_date="2020-01-01",
        end_date="2019-01-01",
        coupon_code="NOPE",
        coupon_ids=[rival.coupons["LAUNCH20"].id],
        add_ons=[{"add_on_id": id_of(Prefix.ADD_ON)}],
        components={"remove_components": [id_of(Prefix.COMPONENT)]},
        payment_methods_config={"type": "bank_transfer"},
        charge_automatically=True,
    )

    assert refused(market, body) == [
        ("components.remove_components[0]", "unknown"),
        ("add_ons[0].add_on_id", "unknown"),
        ("coupon_code", "unknown"),
        ("coupon_ids[0]", "unknown"),
        ("payment_methods_config", "unusable"),
        ("charge_automatically", "contradiction"),
        ("billing_start_date", "out_of_bounds"),
        ("end_date", "too_early"),
    ]


def _of(product_id: str) -> Json:
    return {"product_ref": {"type": "EXISTING", "id": product_id}}


def _chosen(market: Market, **parameters: Json) -> list[Json]:
    chosen: Json = {
        "Seats": {"billing_period": "MONTHLY"},
        "API calls": {"committed_capacity": 10_000},
        **parameters,
    }
    return [
        {"component_id": market.component("Business", name), "parameters": given}
        for name, given in chosen.items()
    ]
