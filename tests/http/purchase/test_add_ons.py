"""`add_ons`: from the request to the subscription and to the line of the invoice."""

from decimal import Decimal

from meteroid import models as m

from tests.http.purchase.market import Market, Purchase
from tests.http.purchase.terms import monthly

RATE = m.RatePricing


def added(market: Market, *add_ons: m.CreateSubscriptionAddOn) -> Purchase:
    """Buy the EUR 49 plan with add-ons."""
    return market.bought("Starter", add_ons=list(add_ons))


def test_a_quantity(market: Market) -> None:
    """Three of an add-on cost three times its price, every month."""
    support = market.add_ons["Priority support"]
    bought = added(market, m.CreateSubscriptionAddOn(add_on_id=support.id, quantity=3))

    assert bought.lines == [("Fee", 4900), ("Priority support", 18_000)]
    (kept,) = bought.subscription.add_ons
    assert (kept.add_on_id, kept.name, kept.quantity) == (support.id, "Priority support", 3)
    assert (kept.period, kept.fee) == ("MONTHLY", m.RateFee(rate=Decimal("60.00")))
    assert bought.subscription.mrr_cents == 22_900
    line = bought.invoice.line_items[1]
    assert (line.quantity, line.unit_price) == (Decimal(3), Decimal("60.00"))


def test_no_quantity_is_one(market: Market) -> None:
    """An add-on without a quantity, or with null, is one of it."""
    support = market.add_ons["Priority support"].id
    for entry in ({"add_on_id": support}, {"add_on_id": support, "quantity": None}):
        answer = market.create("Starter", add_ons=[entry])
        assert answer.json()["session"]["amount_due"] == 10_900, answer.text


def test_one_add_on_twice(market: Market) -> None:
    """Two entries of one add-on are two lines, each with its own price."""
    support = market.add_ons["Priority support"].id
    cheaper = m.SubscriptionAddOnPriceOverride(
        name="Night shift", price_entry=monthly(RATE(rate=Decimal("20.00")))
    )
    bought = added(
        market,
        m.CreateSubscriptionAddOn(add_on_id=support, quantity=2),
        m.CreateSubscriptionAddOn(add_on_id=support, quantity=3, customization=cheaper),
    )

    assert bought.lines == [("Fee", 4900), ("Priority support", 12_000), ("Night shift", 6000)]


def test_another_price(market: Market) -> None:
    """PRICE_OVERRIDE with a NEW price: that price and name are billed, the add-on stays."""
    support = market.add_ons["Priority support"]
    override = m.SubscriptionAddOnPriceOverride(
        name="Priority support (launch price)",
        price_entry=monthly(RATE(rate=Decimal("45.00"))),
    )
    bought = added(
        market,
        m.CreateSubscriptionAddOn(add_on_id=support.id, quantity=2, customization=override),
    )

    assert bought.lines == [("Fee", 4900), ("Priority support (launch price)", 9000)]
    (kept,) = bought.subscription.add_ons
    assert (kept.add_on_id, kept.name) == (support.id, "Priority support (launch price)")
    assert kept.fee == m.RateFee(rate=Decimal("45.00"))
    assert market.sdk.add_ons.retrieve(support.id).name == "Priority support"


def test_another_price_of_the_catalog(market: Market) -> None:
    """PRICE_OVERRIDE with an EXISTING price of its product, under the add-on's own name."""
    support = market.add_ons["Priority support"]
    price = market.price(
        market.products["Priority support"],
        {"type": "RATE", "rate": "600.00"},
        cadence="ANNUAL",
    )
    override = m.SubscriptionAddOnPriceOverride(price_entry=m.ExistingPriceRef(id=price))
    bought = added(
        market, m.CreateSubscriptionAddOn(add_on_id=support.id, customization=override)
    )

    assert bought.lines == [("Fee", 4900), ("Priority support", 60_000)]
    (kept,) = bought.subscription.add_ons
    assert (kept.period, kept.fee) == ("ANNUAL", m.RateFee(rate=Decimal("600.00")))
    assert bought.wire["add_ons"][0]["price_id"] == price
    # The plan is monthly still, and a year of the add-on is EUR 50 a month.
    assert bought.subscription.period == "MONTHLY"
    assert bought.subscription.mrr_cents == 4900 + 5000


def test_parameters(market: Market) -> None:
    """PARAMETERIZATION: five slots of each of two instances are ten slots."""
    workspaces = market.add_ons["Workspaces"]
    wanted = m.SubscriptionAddOnParameterization(
        initial_slot_count=5, billing_period=m.BillingPeriodEnum.MONTHLY
    )
    bought = added(
        market,
        m.CreateSubscriptionAddOn(add_on_id=workspaces.id, quantity=2, customization=wanted),
    )

    assert bought.lines == [("Fee", 4900), ("Workspaces", 4000)]
    (kept,) = bought.subscription.add_ons
    assert kept.quantity == 2
    assert kept.fee == m.SlotFee(
        initial_slots=5, unit="workspace", unit_rate=Decimal("4.00"), min_slots=1, max_slots=20
    )


def test_slots_start_at_the_least(market: Market) -> None:
    """Without a count, an add-on has its least number of slots."""
    bought = added(market, m.CreateSubscriptionAddOn(add_on_id=market.add_ons["Workspaces"].id))

    assert bought.lines == [("Fee", 4900), ("Workspaces", 400)]


def test_the_session_repeats_what_was_sent(market: Market) -> None:
    """The session's answer holds the add-ons as they were sent, nulls left out."""
    support = market.add_ons["Priority support"].id
    sent = {
        "add_on_id": support,
        "quantity": 2,
        "customization": {
            "type": "PRICE_OVERRIDE",
            "name": "Launch",
            "price_entry": {
                "type": "NEW",
                "cadence": "MONTHLY",
                "currency": "EUR",
                "pricing": {"type": "RATE", "rate": "45.00"},
            },
        },
    }
    session = market.create("Starter", add_ons=[sent]).json()["session"]

    assert session["add_ons"] == [sent]
    assert market.session(session["id"])["add_ons"] == [sent]


def test_the_plans_price_and_limit_come_first(market: Market) -> None:
    """A plan that lists an add-on sells it at its own price; the smaller limit holds."""
    support = market.add_ons["Priority support"]
    price = market.price(market.products["Priority support"], {"type": "RATE", "rate": "35"})
    plan = market.plan(
        "Listed",
        add_ons=[m.PlanAddOnInput(add_on_id=support.id, price_id=price, max_instances=2)],
    )
    bought = market.bought(
        "Listed", add_ons=[m.CreateSubscriptionAddOn(add_on_id=support.id, quantity=2)]
    )
    above = market.create(
        "Listed", add_ons=[{"add_on_id": support.id}, {"add_on_id": support.id, "quantity": 2}]
    )
    other = market.create("Listed", add_ons=[{"add_on_id": market.add_ons["Workspaces"].id}])

    assert bought.subscription.plan_id == plan.id
    assert bought.lines == [("Fee", 4900), ("Priority support", 7000)]
    assert above.status_code == 400
    assert [one["field"] for one in above.json()["errors"]] == ["add_ons[1].quantity"]
    assert "at most 2" in above.json()["message"]
    assert other.status_code == 400
    assert [one["code"] for one in other.json()["errors"]] == ["not_sold"]


def test_a_one_time_add_on(market: Market) -> None:
    """A one-time add-on is billed once, in full, whatever cadence its price is sent with."""
    training = market.add_on(
        "Training",
        m.OneTimeFeeStructure(),
        {"type": "ONE_TIME", "unit_price": "250", "quantity": 2},
    )
    bought = market.bought(
        "Starter",
        add_ons=[m.CreateSubscriptionAddOn(add_on_id=training.id)],
        billing_day_anchor=15,
    )

    # 4900 x 5/28 = 875; the training in full.
    assert bought.lines == [("Fee", 875), ("Training", 50_000)]
    assert bought.subscription.add_ons[0].period == "ONE_TIME"
    assert bought.subscription.mrr_cents == 4900
