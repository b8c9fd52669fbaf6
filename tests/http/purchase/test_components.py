"""`components`: chosen, overridden, added and removed, to the subscription and the invoice."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from meteroid import models as m

from tests.http.purchase.market import Market, Purchase
from tests.http.purchase.terms import monthly, slots_of

PARAMETERS: Mapping[str, m.ComponentParameters | None] = {
    "Seats": m.ComponentParameters(billing_period=m.BillingPeriodEnum.MONTHLY),
    "API calls": m.ComponentParameters(committed_capacity=10_000),
}


def business(
    market: Market,
    parameterized: Mapping[str, m.ComponentParameters | None] | None = None,
    **components: Any,  # noqa: ANN401 - the other changes
) -> Purchase:
    """Buy the business plan, with seats billed monthly and the least capacity unless said."""
    chosen = [
        m.ComponentParameterization(
            component_id=market.component("Business", name), parameters=parameters
        )
        for name, parameters in {**PARAMETERS, **(parameterized or {})}.items()
        if parameters is not None
    ]
    return market.bought(
        "Business",
        components=m.CreateSubscriptionComponents(
            parameterized_components=chosen, **components
        ),
    )


def fee(bought: Purchase, name: str) -> object:
    """The fee of a subscription's component."""
    return next(one.fee for one in bought.subscription.components if one.name == name)


def test_parameters(market: Market) -> None:
    """Twelve seats billed monthly, and 100 000 calls included, as chosen."""
    bought = business(
        market,
        parameterized={
            "Seats": m.ComponentParameters(
                billing_period=m.BillingPeriodEnum.MONTHLY, initial_slot_count=12
            ),
            "API calls": m.ComponentParameters(committed_capacity=100_000),
        },
    )

    assert bought.lines == [
        ("Platform", 14_900),
        ("Seats", 11_400),
        ("API calls", 8000),
        ("Insights", 3000),
    ]
    assert fee(bought, "Seats") == m.SlotFee(
        initial_slots=12, unit="seat", unit_rate=Decimal("9.50"), min_slots=2, max_slots=50
    )
    assert fee(bought, "API calls") == m.CapacityFee(
        included=100_000,
        metric_id=market.metric,
        overage_rate=Decimal("0.002"),
        rate=Decimal("80.00"),
    )
    # Usage is billed at the period's end, if there is any.
    assert [one.name for one in bought.subscription.components] == [
        "Platform",
        "Seats",
        "API calls",
        "Storage",
        "Insights",
    ]
    assert bought.subscription.mrr_cents == 37_300


def test_a_longer_period(market: Market) -> None:
    """Seats billed by the year beside monthly fees: the first invoice has their whole year."""
    bought = business(
        market,
        parameterized={
            "Seats": m.ComponentParameters(billing_period=m.BillingPeriodEnum.ANNUAL)
        },
    )

    seats = bought.invoice.line_items[1]
    assert (seats.name, seats.amount_total) == ("Seats", 19_800)
    assert (seats.end_date - seats.start_date).days == 365
    assert bought.subscription.components[1].period == "ANNUAL"
    assert bought.subscription.period == "MONTHLY"
    assert bought.subscription.mrr_cents == 14_900 + 1650 + 2000 + 3000


def test_an_override(market: Market) -> None:
    """An overridden component keeps its place and product, under another name and price."""
    platform = market.plans["Business"].price_components[0]
    bought = business(
        market,
        overridden_components=[
            m.ComponentOverride(
                component_id=platform.id,
                name="Platform fee (negotiated)",
                price_entry=monthly(m.RatePricing(rate=Decimal("129.00"))),
            )
        ],
    )

    assert bought.lines[0] == ("Platform fee (negotiated)", 12_900)
    kept = bought.subscription.components[0]
    assert (kept.price_component_id, kept.product_id) == (platform.id, platform.product_id)
    assert (kept.name, kept.fee) == (
        "Platform fee (negotiated)",
        m.RateFee(rate=Decimal("129.00")),
    )


def test_an_override_with_a_price_of_the_catalog(market: Market) -> None:
    """An override can name another price of the component's product."""
    platform = market.plans["Business"].price_components[0]
    assert platform.product_id is not None
    price = market.price(
        platform.product_id, {"type": "RATE", "rate": "1490.00"}, cadence="ANNUAL"
    )
    bought = business(
        market,
        overridden_components=[
            m.ComponentOverride(
                component_id=platform.id,
                name="Platform",
                price_entry=m.ExistingPriceRef(id=price),
            )
        ],
    )

    assert bought.lines[0] == ("Platform", 149_000)
    assert bought.wire["components"][0]["price_id"] == price


def test_a_slot_count_beside_an_override(market: Market) -> None:
    """A slot count applies to the overridden price."""
    bought = business(
        market,
        parameterized={"Seats": m.ComponentParameters(initial_slot_count=100)},
        overridden_components=[
            m.ComponentOverride(
                component_id=market.component("Business", "Seats"),
                name="Seats (volume)",
                price_entry=monthly(
                    m.SlotPricing(unit_rate=Decimal("7.25"), min_slots=100, max_slots=500)
                ),
            )
        ],
    )

    assert bought.lines[1] == ("Seats (volume)", 72_500)
    assert fee(bought, "Seats (volume)") == m.SlotFee(
        initial_slots=100,
        unit="seat",
        unit_rate=Decimal("7.25"),
        min_slots=100,
        max_slots=500,
    )


def test_an_extra_of_the_catalog(market: Market) -> None:
    """An extra component of an existing product, at one of its prices."""
    product = market.products.get("Training days") or market.product(
        "Training days", m.OneTimeFeeStructure()
    )
    price = market.price(product, {"type": "ONE_TIME", "unit_price": "750.00", "quantity": 2})
    bought = business(
        market,
        extra_components=[
            m.ExtraComponent(
                name="Kick-off",
                product_ref=m.ExistingProductRef(id=product),
                price_entry=m.ExistingPriceRef(id=price),
            )
        ],
    )

    assert bought.lines[-1] == ("Kick-off", 150_000)
    kept = bought.subscription.components[-1]
    assert (kept.price_component_id, kept.product_id) == (None, product)
    assert (kept.period, kept.fee) == ("ONE_TIME", m.OneTimeFee(quantity=2, rate=Decimal(750)))


def test_a_new_extra(market: Market) -> None:
    """A NEW product and price come into being when they are bought, outside the catalog."""
    before = market.stored()
    session = market.offer(
        "Starter",
        components=m.CreateSubscriptionComponents(
            extra_components=[
                m.ExtraComponent(
                    name="Reviewers",
                    product_ref=m.NewProductRef(
                        name="Reviewer",
                        fee_type=m.ProductFeeTypeEnum.SLOT,
                        fee_structure=slots_of("reviewer"),
                    ),
                    price_entry=monthly(m.SlotPricing(unit_rate=Decimal("6.10"), min_slots=3)),
                )
            ]
        ),
    )
    between = market.stored()
    bought = market.buy(session)
    product_id = bought.subscription.components[1].product_id
    assert product_id is not None
    product = market.sdk.products.retrieve(product_id)

    assert (between["products"], between["prices"]) == (before["products"], before["prices"])
    assert bought.lines == [("Fee", 4900), ("Reviewers", 1830)]
    assert (product.name, product.product_family_id) == ("Reviewer", market.family)
    assert market.stored()["products"] == before["products"] + 1
    listed = [one.id for one in market.sdk.products.list(per_page=100)]
    assert product_id not in listed


def test_removed(market: Market) -> None:
    """A removed component is neither in the subscription nor on the invoice."""
    bought = business(market, remove_components=[market.component("Business", "Insights")])

    assert "Insights" not in [one.name for one in bought.subscription.components]
    assert bought.lines == [("Platform", 14_900), ("Seats", 1900), ("API calls", 2000)]


def test_a_component_that_cannot_be_chosen_is_removed(market: Market) -> None:
    """What would need a choice needs none when it is removed."""
    bought = business(
        market,
        parameterized={"Seats": None},
        remove_components=[market.component("Business", "Seats")],
    )

    assert "Seats" not in [one.name for one in bought.subscription.components]


def test_a_capacity_beside_an_override_must_agree(market: Market) -> None:
    """Parameters beside an override may only repeat what the price says."""
    calls = market.component("Business", "API calls")
    seats = market.component("Business", "Seats")
    body = {
        "parameterized_components": [
            {"component_id": seats, "parameters": {"billing_period": "MONTHLY"}},
            {"component_id": calls, "parameters": {"committed_capacity": 10_000}},
        ],
        "overridden_components": [
            {
                "component_id": calls,
                "name": "Calls",
                "price_entry": {
                    "type": "NEW",
                    "cadence": "MONTHLY",
                    "currency": "EUR",
                    "pricing": {
                        "type": "CAPACITY",
                        "rate": "10",
                        "included": 20_000,
                        "overage_rate": "0.1",
                    },
                },
            }
        ],
    }
    refused = market.create("Business", components=body)
    body["parameterized_components"][1]["parameters"] = {"committed_capacity": 20_000}
    accepted = market.create("Business", components=body)

    assert [(one["field"], one["code"]) for one in refused.json()["errors"]] == [
        (
            "components.parameterized_components[1].parameters.committed_capacity",
            "contradiction",
        )
    ]
    assert accepted.json()["session"]["amount_due"] == 14_900 + 1900 + 1000 + 3000
    assert accepted.json()["session"]["components"] == body


def every_kind(market: Market) -> list[tuple[str, str, m.ProductFeeStructure, m.Pricing]]:
    """A name, a fee type, a fee and a price of each kind."""
    return [
        ("A", "RATE", m.RateFeeStructure(), m.RatePricing(rate=Decimal("1.005"))),
        ("B", "SLOT", slots_of("b"), m.SlotPricing(unit_rate=Decimal(2), min_slots=2)),
        (
            "C",
            "CAPACITY",
            m.CapacityFeeStructure(metric_id=market.metric),
            m.CapacityPricing(rate=Decimal(3), included=10, overage_rate=Decimal("0.1")),
        ),
        (
            "D",
            "USAGE",
            m.UsageFeeStructure(metric_id=market.metric, model=m.UsageModelEnum.PER_UNIT),
            m.UsagePricing(model=m.PerUnitPricing(rate=Decimal("0.004"))),
        ),
        (
            "E",
            "EXTRA_RECURRING",
            m.ExtraRecurringFeeStructure(billing_type=m.ExtraRecurringBillingTypeEnum.ADVANCE),
            m.ExtraRecurringPricing(unit_price=Decimal("4.50"), quantity=2),
        ),
        (
            "F",
            "EXTRA_RECURRING",
            m.ExtraRecurringFeeStructure(billing_type=m.ExtraRecurringBillingTypeEnum.ARREARS),
            m.ExtraRecurringPricing(unit_price=Decimal("5.50"), quantity=1),
        ),
        (
            "G",
            "ONE_TIME",
            m.OneTimeFeeStructure(),
            m.OneTimePricing(unit_price=Decimal(6), quantity=3),
        ),
    ]


def test_every_pricing_type_can_be_an_extra(market: Market) -> None:
    """Each pricing type is sold as an extra component, and billed as its kind is."""
    bought = market.bought(
        "Starter",
        components=m.CreateSubscriptionComponents(
            extra_components=[
                m.ExtraComponent(
                    name=name,
                    product_ref=m.NewProductRef(
                        name=name, fee_type=m.ProductFeeTypeEnum(kind), fee_structure=structure
                    ),
                    price_entry=monthly(pricing),
                )
                for name, kind, structure, pricing in every_kind(market)
            ]
        ),
    )

    # 1.005 is rounded half away from zero; usage (D) and arrears (F) come at the period's end.
    assert bought.lines == [
        ("Fee", 4900),
        ("A", 101),
        ("B", 400),
        ("C", 300),
        ("E", 900),
        ("G", 1800),
    ]
    assert [one.name for one in bought.subscription.components] == ["Fee", *"ABCDEFG"]
    assert bought.subscription.mrr_cents == 4900 + 100 + 400 + 300 + 900 + 550 + 1
