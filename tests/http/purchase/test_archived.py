"""What is archived is not sold to anybody new, and what was sold or offered goes on."""

from collections.abc import Callable

import pytest
from meteroid import models as m

from tests.http.purchase.market import Json, Market
from tests.http.purchase.requests import NEW_PRICE, refused
from tests.http.purchase.terms import percent, rate


def subscribing(market: Market, plan: m.Plan, **fields: object) -> Json:
    """A subscription without a checkout, for a new customer."""
    return {
        "customer_id_or_alias": market.customer().id,
        "plan_id": plan.id,
        "start_date": "2026-03-10",
        "activation_condition": "ON_START",
        **fields,
    }


def told(market: Market, path: str, body: Json) -> list[tuple[str, str]]:
    """The faults of a request that must be refused."""
    answer = market.raw.post(path, json=body)
    assert answer.status_code == 400, answer.text
    return [(one["field"], one["code"]) for one in answer.json()["errors"]]


def subscribed(market: Market, plan: m.Plan) -> str:
    """The id of a subscription without a checkout."""
    answer = market.raw.post("/subscriptions", json=subscribing(market, plan))
    assert answer.status_code == 201, answer.text
    name: str = answer.json()["id"]
    return name


def test_an_archived_plan_is_not_sold(market: Market) -> None:
    """Not at a checkout, not without one, not by a change of plan; unarchived it is again."""
    plan = market.plan("Going")
    other = subscribed(market, market.plans["Starter"])
    change = {"plan_version_id": plan.version_id, "at": "PERIOD_END"}
    market.sdk.plans.archive(plan.id)

    assert refused(market, market.body("Going")) == [("plan_version_id", "archived")]
    assert told(market, "/subscriptions", subscribing(market, plan)) == [
        ("plan_id", "archived")
    ]
    assert told(market, f"/subscriptions/{other}/change-plan", change) == [
        ("plan_version_id", "archived")
    ]

    market.sdk.plans.unarchive(plan.id)
    assert market.bought("Going").invoice.total == 4900
    assert market.raw.post(f"/subscriptions/{other}/change-plan", json=change).is_success


def test_an_archived_add_on_is_not_sold(market: Market) -> None:
    """Not at a checkout, not without one, not into a subscription; unarchived it is again."""
    add_on = market.add_on("Going", m.RateFeeStructure(), {"type": "RATE", "rate": "9"})
    plan = market.plans["Starter"]
    running = subscribed(market, plan)
    entry: Json = {"add_on_id": add_on.id}
    amendment = {"at": "NOW", "add_ons": {"add": [entry]}}
    market.sdk.add_ons.archive(add_on.id)

    assert refused(market, market.body(add_ons=[entry])) == [
        ("add_ons[0].add_on_id", "archived")
    ]
    assert told(market, "/subscriptions", subscribing(market, plan, add_ons=[entry])) == [
        ("add_ons[0].add_on_id", "archived")
    ]
    assert told(market, f"/subscriptions/{running}/amend", amendment) == [
        ("add_ons.add[0].add_on_id", "archived")
    ]

    market.sdk.add_ons.unarchive(add_on.id)
    assert market.bought(add_ons=[entry]).invoice.total == 5800
    assert market.raw.post(f"/subscriptions/{running}/amend", json=amendment).is_success


@pytest.mark.parametrize(
    ("away", "back", "by_code"),
    [("archive", "unarchive", "unknown"), ("disable", "enable", "disabled")],
)
def test_a_coupon_that_was_taken_away_is_not_redeemed(
    market: Market, away: str, back: str, by_code: str
) -> None:
    """Neither by its code nor by its id; brought back it is."""
    coupon = market.coupon(f"GOING{away}", percent("20"))
    getattr(market.sdk.coupons, away)(coupon.id)
    body = market.body(coupon_code=coupon.code, coupon_ids=[coupon.id])

    assert refused(market, body) == [
        ("coupon_code", by_code),
        ("coupon_ids[0]", f"{away}d"),
    ]
    without = subscribing(market, market.plans["Starter"], coupon_codes=[coupon.code])
    assert told(market, "/subscriptions", without) == [("coupon_codes[0]", by_code)]

    getattr(market.sdk.coupons, back)(coupon.id)
    assert market.bought(coupon_code=coupon.code).invoice.total == 3920


def test_an_archived_product_is_made_nothing_of(market: Market) -> None:
    """No extra component, price, add-on or plan; a plan that sells it goes on."""
    plan = market.plan("With product", rate("Kept", "12.00"))
    product = plan.price_components[0].product_id
    assert product is not None
    price = market.price(product, {"type": "RATE", "rate": "13"})
    market.sdk.products.archive(product)
    extra = {
        "name": "More",
        "product_ref": {"type": "EXISTING", "id": product},
        "price_entry": NEW_PRICE,
    }
    fee = {"type": "RATE", "rates": [{"term": "MONTHLY", "price": "1"}]}
    again = {
        "name": "Again",
        "currency": "EUR",
        "plan_type": "STANDARD",
        "status": "ACTIVE",
        "product_family_id": market.family,
        "components": [{"name": "Kept", "fee": fee, "product_id": product}],
    }

    assert refused(market, market.body(components={"extra_components": [extra]})) == [
        ("components.extra_components[0].product_ref.id", "archived")
    ]
    assert told(market, "/addons", {"name": "A", "product_id": product, "price_id": price}) == [
        ("product_id", "archived")
    ]
    assert told(market, "/plans", again) == [("components[0].product_id", "archived")]
    path = f"/products/{product}/prices"
    body = {name: value for name, value in NEW_PRICE.items() if name != "type"}
    assert market.raw.post(path, json=body).status_code == 409
    assert market.bought("With product").invoice.total == 1200

    market.sdk.products.unarchive(product)
    assert market.raw.post(path, json=body).status_code == 201


def changed_price(market: Market, add_on: m.AddOn, plan: m.Plan) -> None:
    """The add-on and the plan cost ten times as much, and the coupon is worth nothing."""
    dearer = market.price(add_on.product_id, {"type": "RATE", "rate": "600"})
    market.sdk.add_ons.update(add_on.id, price_id=m.PriceId(dearer), name="Dear")
    market.sdk.plans.replace(
        plan.id, components=[rate("Fee", "490.00")], currency="EUR", name="Dear"
    )


def archived(market: Market, add_on: m.AddOn, plan: m.Plan) -> None:
    """Plan, product and add-on are archived."""
    market.sdk.add_ons.archive(add_on.id)
    market.sdk.products.archive(add_on.product_id)
    market.sdk.plans.archive(plan.id)


@pytest.mark.parametrize("change", [changed_price, archived])
def test_an_open_session_is_a_promise(
    market: Market, change: Callable[[Market, m.AddOn, m.Plan], None]
) -> None:
    """What was offered is sold as it was offered, whatever becomes of the catalog."""
    plan = market.plan(f"Promised {change.__name__}")
    name = f"Care {change.__name__}"
    add_on = market.add_on(name, m.RateFeeStructure(), {"type": "RATE", "rate": "60"})
    coupon = market.coupon(f"PROMISE{change.__name__}", percent("10"))
    session = market.offer(
        plan.name,
        add_ons=[m.CreateSubscriptionAddOn(add_on_id=add_on.id)],
        coupon_ids=[coupon.id],
    )

    change(market, add_on, plan)
    market.sdk.coupons.update(coupon.id, discount=percent("100"))
    bought = market.buy(session)

    assert bought.lines == [("Fee", 4410), (name, 5400)]
    assert bought.invoice.total == 9810
    assert bought.subscription.plan_version == 1
    assert market.charges()[-1] == 9810


def test_a_new_version_is_for_who_comes_later(market: Market) -> None:
    """Who has the old one keeps it; both may be sold by their ids."""
    old = market.plan("Versioned")
    first = market.bought("Versioned")
    new = market.sdk.plans.replace(
        old.id, components=[rate("Fee", "59.00")], currency="EUR", name="Versioned"
    )
    market.plans["Versioned"] = new

    second = market.bought("Versioned")

    kept = market.sdk.subscriptions.retrieve(first.subscription.id)
    assert (kept.plan_version, second.subscription.plan_version) == (1, 2)
    assert (first.invoice.total, second.invoice.total) == (4900, 5900)
    third = market.bought("Versioned", plan_version_id=old.version_id)
    assert third.invoice.total == 4900
    assert market.preview("Versioned")["amount_due"] == 5900
