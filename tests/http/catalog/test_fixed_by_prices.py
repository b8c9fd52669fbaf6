"""What may not change any more once a price rests on it."""

from typing import Any

import pytest
from meteroid import models as m
from meteroid.errors import BadRequestError, ConflictError, NotFoundError

from tests.http.catalog.shop import Shop, term
from tests.http.catalog.test_plans import component
from tests.http.purchase.terms import slots_of

FILTER = {"property": "zone", "op": "IN", "values": ["a"]}
CONVERSION = {"factor": 1000, "rounding": "UP"}
BOTH = {"filters": [FILTER], "unit_conversion": CONVERSION}
FIXED = (409, [("filters", "in_use"), ("unit_conversion", "in_use")])


def counted(shop: Shop, metric: str, **fields: Any) -> m.Plan:  # noqa: ANN401
    """A plan that is priced by a metric."""
    fee = m.UsagePlanFee(
        cadence=m.BillingPeriodEnum.MONTHLY,
        metric_id=m.BillableMetricId(metric),
        pricing=m.PerUnitPlanPricing(rate="0.10"),  # type: ignore[arg-type]
    )
    return shop.plan("Counted", components=[component("Calls", fee)], **fields)


def test_a_metric_that_nothing_is_priced_by_may_change(shop: Shop) -> None:
    """Also while a product without a price names it."""
    metric = shop.metric()
    shop.product("Calls", m.CapacityFeeStructure(metric_id=m.BillableMetricId(metric)))

    assert shop.raw.patch(f"/metrics/{metric}", json=BOTH).status_code == 200


@pytest.mark.parametrize("status", ["DRAFT", "ACTIVE"])
def test_how_a_priced_metric_counts_is_fixed(shop: Shop, status: str) -> None:
    """Filters and conversion decide what was sold; words and segmentation do not."""
    metric = shop.metric()
    counted(shop, metric, status=status)
    before = shop.sdk.metrics.retrieve(metric)

    assert shop.refused("PATCH", f"/metrics/{metric}", BOTH | {"name": "Other"}) == FIXED
    assert shop.sdk.metrics.retrieve(metric) == before

    matrix = {"type": "SINGLE", "key": "region", "values": ["eu", "us"]}
    free = {"name": "Calls", "description": "New", "segmentation_matrix": matrix}
    answer = shop.raw.patch(f"/metrics/{metric}", json=free | {"filters": []})
    assert answer.status_code == 200
    assert answer.json()["segmentation_matrix"] == matrix


def test_a_metric_is_fixed_while_an_open_checkout_counts_with_it(shop: Shop) -> None:
    """The offer is a promise, although its price is not made before it is bought."""
    metric, plan = shop.metric(), shop.plan()
    extra = {
        "name": "Calls",
        "product_ref": {
            "type": "NEW",
            "name": "Calls",
            "fee_type": "USAGE",
            "fee_structure": {"type": "USAGE", "metric_id": metric, "model": "PER_UNIT"},
        },
        "price_entry": {
            "type": "NEW",
            "cadence": "MONTHLY",
            "currency": "EUR",
            "pricing": {"type": "USAGE", "model": {"type": "PER_UNIT", "rate": "0.10"}},
        },
    }
    session = offered(shop, plan, components={"extra_components": [extra]})

    assert shop.refused("PATCH", f"/metrics/{metric}", BOTH) == FIXED
    assert shop.raw.post(f"/checkout-sessions/{session}/cancel").status_code == 200
    assert shop.raw.patch(f"/metrics/{metric}", json=BOTH).status_code == 200


def offered(shop: Shop, plan: m.Plan, **fields: object) -> str:
    """The id of a session for a new customer."""
    customer = shop.sdk.customers.create(
        name="Globex", currency="EUR", billing_address=m.Address(country="FR")
    )
    body = {"customer_id": customer.id, "plan_version_id": plan.version_id, **fields}
    answer = shop.raw.post("/checkout-sessions", json=body)
    assert answer.status_code == 200, answer.text
    name: str = answer.json()["session"]["id"]
    return name


def test_nothing_new_counts_with_an_archived_metric(shop: Shop) -> None:
    """Products, plans and prices of it are refused; what counts with it already is sold."""
    metric = shop.metric()
    plan = counted(shop, metric)
    product = plan.price_components[0].product_id
    shop.sdk.metrics.archive(metric)
    fee = {"type": "CAPACITY", "metric_id": metric}
    price = {
        "cadence": "MONTHLY",
        "currency": "EUR",
        "pricing": {"type": "USAGE", "model": {"type": "PER_UNIT", "rate": "1"}},
    }

    assert shop.refused(
        "POST",
        "/products",
        {"name": "A", "product_family_id": shop.family(), "fee_structure": fee},
    ) == (400, [("fee_structure.metric_id", "unknown")])
    assert shop.refused("POST", f"/products/{product}/prices", price) == (409, [])
    with pytest.raises(BadRequestError, match=r"components\[0\].fee.metric_id"):
        counted(shop, metric)
    assert offered(shop, plan)
    event = {"event_id": "1", "code": "api_calls", "customer_id": "globex"}
    customer = shop.sdk.customers.create(name="Globex", currency="EUR", alias="globex")
    taken = shop.raw.post("/events/ingest", json={"events": [event]})
    assert taken.json()["ingested"] == 1, f"who is priced by it goes on: {customer.id}"

    shop.sdk.metrics.unarchive(metric)
    assert shop.raw.post(f"/products/{product}/prices", json=price).status_code == 201


def test_the_fee_of_a_priced_product_is_fixed(shop: Shop) -> None:
    """Before its first price the structure may change, its kind never."""
    product = shop.product("Seats", slots_of("seat"))
    path, user = f"/products/{product}", {"type": "SLOT", "slot_unit_name": "user"}

    assert shop.refused("PATCH", path, {"fee_structure": {"type": "RATE"}}) == (
        400,
        [("fee_structure.type", "wrong_fee_type")],
    )
    assert shop.raw.patch(path, json={"fee_structure": user}).status_code == 200
    shop.price(product, {"type": "SLOT", "unit_rate": "9"})
    seat = user | {"slot_unit_name": "seat"}
    assert shop.refused("PATCH", path, {"fee_structure": seat, "name": "Places"}) == (
        409,
        [("fee_structure", "in_use")],
    )
    assert shop.sdk.products.retrieve(product).name == "Seats"
    assert shop.raw.patch(path, json={"fee_structure": user, "name": "A"}).status_code == 200


def test_a_product_is_fixed_while_an_open_checkout_offers_it(shop: Shop) -> None:
    """What an offer brings along of its price is not there yet, and promised all the same."""
    plan, product = shop.plan(), shop.product("Seats", slots_of("seat"))
    extra = {
        "name": "Seats",
        "product_ref": {"type": "EXISTING", "id": product},
        "price_entry": {
            "type": "NEW",
            "cadence": "MONTHLY",
            "currency": "EUR",
            "pricing": {"type": "SLOT", "unit_rate": "9", "min_slots": 1},
        },
    }
    offered(shop, plan, components={"extra_components": [extra]})

    assert shop.refused(
        "PATCH",
        f"/products/{product}",
        {"fee_structure": {"type": "SLOT", "slot_unit_name": "user"}},
    ) == (409, [("fee_structure", "in_use")])


def test_a_fee_counts_with_a_metric_that_is_there(shop: Shop, other_shop: Shop) -> None:
    """Neither unknown nor archived nor another tenant's."""
    metric = shop.metric()
    product = shop.product(
        "Calls", m.CapacityFeeStructure(metric_id=m.BillableMetricId(metric))
    )
    gone = shop.metric("gone")
    shop.sdk.metrics.archive(gone)
    for other in (gone, other_shop.metric()):
        body = {"fee_structure": {"type": "CAPACITY", "metric_id": other}}
        assert shop.refused("PATCH", f"/products/{product}", body) == (
            400,
            [("fee_structure.metric_id", "unknown")],
        )


def test_the_price_of_an_add_on_stays_its_products(shop: Shop, other_shop: Shop) -> None:
    """Another product's is a contradiction, another tenant's is not there."""
    product = shop.product("Care")
    add_on = shop.sdk.add_ons.create(
        name="Care", product_id=product, price_id=shop.price(product)
    )
    other = shop.price(shop.product("Other"))
    foreign = other_shop.price(other_shop.product("Foreign"))

    assert shop.refused("PATCH", f"/addons/{add_on.id}", {"price_id": other}) == (
        400,
        [("price_id", "contradiction")],
    )
    with pytest.raises(NotFoundError, match="price_id"):
        shop.sdk.add_ons.update(add_on.id, price_id=m.PriceId(foreign))
    assert shop.sdk.add_ons.retrieve(add_on.id) == add_on


def test_an_add_on_keeps_the_currency_of_plans_that_rely_on_its_price(shop: Shop) -> None:
    """A published version cannot be mended, so that what it sells must stay sellable."""
    product = shop.product("Care")
    euro, dollar = shop.price(product), shop.price(product, currency="USD")
    add_on = shop.sdk.add_ons.create(name="Care", product_id=product, price_id=euro)
    plan = shop.plan(add_ons=[m.PlanAddOnInput(add_on_id=add_on.id)])
    update = shop.sdk.add_ons.update

    with pytest.raises(ConflictError, match="'Pro'"):
        update(add_on.id, price_id=m.PriceId(dollar))

    own = m.PlanAddOnInput(add_on_id=add_on.id, price_id=m.PriceId(euro))
    rate = m.RatePlanFee(rates=[term("MONTHLY", "49.00")])
    shop.sdk.plans.replace(
        plan.id, components=[component("Fee", rate)], currency="EUR", name="Pro", add_ons=[own]
    )
    assert update(add_on.id, price_id=m.PriceId(dollar)).price_id == dollar


def test_a_coupon_may_keep_a_plan_that_was_archived(shop: Shop) -> None:
    """What it was for it may say again; what is archived is not named anew."""
    plan, other = shop.plan(), shop.plan("Other")
    coupon = shop.sdk.coupons.create(
        code="SAVE", discount=m.PercentageDiscount(percentage="20"), plan_ids=[plan.id]
    )
    shop.sdk.plans.archive(plan.id)
    gone = shop.plan("Gone")
    shop.sdk.plans.archive(gone.id)

    kept = shop.sdk.coupons.update(coupon.id, plan_ids=[plan.id, other.id])

    assert sorted(kept.plan_ids) == sorted([plan.id, other.id])
    assert shop.refused("PATCH", f"/coupons/{coupon.id}", {"plan_ids": [plan.id, gone.id]}) == (
        400,
        [("plan_ids[1]", "unknown")],
    )
