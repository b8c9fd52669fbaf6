"""Plans through the SDK: made with everything they sell, published, read, listed."""

from decimal import Decimal

import pytest
from meteroid import models as m
from meteroid.errors import ConflictError, NotFoundError

from tests.http.catalog.shop import Shop, term


def component(name: str, fee: m.Fee, product_id: str | None = None) -> m.PriceComponentInput:
    """A component of a plan to be."""
    if product_id is None:
        return m.PriceComponentInput(name=name, fee=fee)
    return m.PriceComponentInput(name=name, fee=fee, product_id=m.ProductId(product_id))


def every_fee(metric: str) -> dict[str, m.Fee]:
    """One fee of each kind, by the name of its component."""
    metric_id = m.BillableMetricId(metric)
    monthly = m.BillingPeriodEnum.MONTHLY
    return {
        "Platform": m.RatePlanFee(rates=[term("MONTHLY", "149.00"), term("ANNUAL", "1490.00")]),
        "Seats": m.SlotPlanFee(
            rates=[term("MONTHLY", "9.90")], slot_unit_name="seat", minimum_count=2, quota=500
        ),
        "Events": m.CapacityPlanFee(
            cadence=monthly,
            metric_id=metric_id,
            thresholds=[
                m.CapacityThreshold(
                    included_amount=included,
                    per_unit_overage=Decimal("0.004"),
                    price=Decimal(price),
                )
                for included, price in ((10_000, "20"), (100_000, "150"))
            ],
        ),
        "Storage": m.UsagePlanFee(
            cadence=monthly,
            metric_id=metric_id,
            pricing=m.TieredPlanPricing(
                tiers=[
                    m.TierRow(first_unit=0, rate=Decimal("0.10"), flat_fee=None, flat_cap=None),
                    m.TierRow(
                        first_unit=1000,
                        rate=Decimal("0.05"),
                        flat_fee=Decimal(2),
                        flat_cap=None,
                    ),
                ],
                block_size=None,
            ),
        ),
        "Backups": m.ExtraRecurringPlanFee(
            billing_type=m.BillingType.ARREARS,
            cadence=monthly,
            quantity=3,
            unit_price=Decimal("5.00"),
        ),
        "Setup": m.OneTimePlanFee(quantity=1, unit_price=Decimal("250.00")),
    }


def test_a_plan_with_every_fee_is_created_and_found_again(shop: Shop) -> None:
    """Components come back in their order with the fees they were given."""
    fees = every_fee(shop.metric())

    made = shop.plan(components=[component(name, fee) for name, fee in fees.items()])

    assert made.id.startswith("plan_")
    assert made.version_id.startswith("plv_")
    assert {one.name: one.fee for one in made.price_components} == fees
    assert [one.name for one in made.price_components] == list(fees)
    assert (made.status, made.version, made.currency) == ("ACTIVE", 1, "EUR")
    assert made.product_family == m.ProductFamily(
        id=m.ProductFamilyId(shop.family()), name="Cloud"
    )
    assert shop.sdk.plans.retrieve(made.id) == made


def test_a_plan_says_what_a_checkout_can_choose(shop: Shop) -> None:
    """Parameters are listed by component: cadences, capacities, and components with slots."""
    fees = every_fee(shop.metric())
    made = shop.plan(components=[component(name, fee) for name, fee in fees.items()])
    ids = {one.name: one.id for one in made.price_components}

    assert made.available_parameters == m.AvailableParameters(
        billing_periods={
            ids["Platform"]: [m.BillingPeriodEnum.MONTHLY, m.BillingPeriodEnum.ANNUAL]
        },
        capacity_thresholds={ids["Events"]: [10_000, 100_000]},
        slot_components=[ids["Seats"]],
    )


def test_a_component_without_a_product_makes_one(shop: Shop) -> None:
    """The product lands in the plan's family and in the catalog, with the component's name."""
    made = shop.plan()

    (product,) = shop.sdk.products.list()
    assert (product.name, product.fee_type, product.catalog) == ("Fee", "RATE", True)
    assert product.product_family_id == shop.family()
    assert made.price_components[0].product_id == product.id
    assert shop.raw.get(f"/products/{product.id}/prices").json()["data"][0]["pricing"] == {
        "type": "RATE",
        "rate": "49.00",
    }
    assert len(shop.events("product.created")) == 1


def test_a_component_of_a_product_uses_it(shop: Shop) -> None:
    """With `product_id` no product is made; its new prices are the product's."""
    product = shop.product()
    shop.price(product)

    made = shop.plan(
        components=[component("Care", m.RatePlanFee(rates=[term("MONTHLY", "15.00")]), product)]
    )

    assert made.price_components[0].product_id == product
    counts = shop.counts()
    assert (counts["products"], counts["prices"]) == (1, 2)


def test_everything_about_a_plan_is_returned(shop: Shop) -> None:
    """Trial, billing, rank, description and tax are kept with the version."""
    trialing = shop.plan("Enterprise")
    trial = m.TrialConfig(
        duration_days=14, is_free=False, trialing_plan_id=m.PlanId(trialing.id)
    )

    made = shop.plan(
        billing=m.BillingConfig(billing_cycles=24, net_terms=30, period_start_day=15),
        description="For teams",
        self_service_rank=2,
        tax_inclusive=True,
        trial=trial,
        plan_type="CUSTOM",
    )

    assert (made.billing_cycles, made.net_terms, made.period_start_day) == (24, 30, 15)
    assert (made.description, made.self_service_rank) == ("For teams", 2)
    assert (made.tax_inclusive, made.plan_type, made.trial) == (True, "CUSTOM", trial)


def test_net_terms_left_out_are_the_sellers(shop: Shop) -> None:
    """A plan without net terms shows the default invoicing entity's."""
    made = shop.plan()
    entity = f"/invoicing-entities/{shop.tenant.invoicing_entity_id}"
    assert made.net_terms == 0

    assert shop.raw.patch(entity, json={"net_terms": 21}).status_code == 200

    assert shop.sdk.plans.retrieve(made.id).net_terms == 21


def test_a_plan_lists_the_add_ons_it_sells(shop: Shop) -> None:
    """An entry may set the price and lower the limit; it is returned beside the plan."""
    product = shop.product()
    price = shop.price(product)
    cheaper = shop.price(product, {"type": "RATE", "rate": "8"})
    add_on = shop.sdk.add_ons.create(name="Care", product_id=product, price_id=price)

    made = shop.plan(
        add_ons=[
            m.PlanAddOnInput(
                add_on_id=add_on.id,
                price_id=m.PriceId(cheaper),
                max_instances=2,
                self_serviceable=True,
            )
        ]
    )

    assert shop.raw.get(f"/plans/{made.id}").json()["add_ons"] == [
        {
            "add_on_id": add_on.id,
            "price_id": cheaper,
            "max_instances": 2,
            "self_serviceable": True,
        }
    ]


def test_a_draft_is_published_once(shop: Shop) -> None:
    """A draft becomes the active version; there is nothing to publish a second time."""
    draft = shop.plan(status="DRAFT")
    assert draft.status == "DRAFT"
    assert shop.sdk.plans.retrieve(draft.id, version="draft").version_id == draft.version_id

    published = shop.sdk.plans.publish(draft.id)

    assert (published.status, published.version_id) == ("ACTIVE", draft.version_id)
    assert shop.sdk.plans.retrieve(draft.id) == published
    with pytest.raises(ConflictError):
        shop.sdk.plans.publish(draft.id)
    with pytest.raises(NotFoundError):
        shop.sdk.plans.retrieve(draft.id, version="draft")


def test_a_version_is_found_by_its_number(shop: Shop) -> None:
    """Version 1 is there, version 2 is not, and a version is a number or `draft`."""
    plan = shop.plan()

    assert shop.sdk.plans.retrieve(plan.id, version="1") == plan
    with pytest.raises(NotFoundError):
        shop.sdk.plans.retrieve(plan.id, version="2")
    assert shop.refused("GET", f"/plans/{plan.id}?version=newest") == (
        400,
        [("version", "malformed")],
    )


def test_plans_tell_their_events(shop: Shop) -> None:
    """`plan.created` tells of the draft, `plan.published` of the version that is sold."""
    plan = shop.plan()

    (created,) = shop.events("plan.created")
    (published,) = shop.events("plan.published")
    told = [m.PlanEvent.from_dict(one).plan_event_data for one in (created, published)]
    assert [one.plan_id for one in told] == [plan.id, plan.id]
    assert [one.status for one in told] == ["DRAFT", "ACTIVE"]
    assert [(one.version, one.currency, one.plan_type) for one in told] == [
        (1, "EUR", "STANDARD")
    ] * 2


def test_a_free_plan_may_have_components_that_cost_nothing(shop: Shop) -> None:
    """Seats at zero make a free plan countable, not billed."""
    free = shop.plan(
        plan_type="FREE",
        components=[
            component(
                "Seats", m.SlotPlanFee(rates=[term("MONTHLY", "0")], slot_unit_name="seat")
            )
        ],
    )

    assert (free.plan_type, len(free.price_components)) == ("FREE", 1)
    assert shop.plan("Empty", plan_type="FREE", components=[]).price_components == []


def test_plans_are_filtered(shop: Shop) -> None:
    """Family, status, type and a part of the name each narrow the list."""
    standard = shop.plan("Pro").id
    draft = shop.plan("Next", status="DRAFT").id
    free = shop.plan("Hobby", plan_type="FREE", components=[]).id
    elsewhere = shop.plan("Probe", product_family_id=shop.family("Lab")).id

    def listed(**filters: object) -> set[str]:
        return {one.id for one in shop.sdk.plans.list(**filters)}  # type: ignore[arg-type]

    assert listed() == {standard, draft, free, elsewhere}
    assert listed(status=["DRAFT"]) == {draft}
    assert listed(status=["DRAFT", "ARCHIVED"], plan_type=["FREE"]) == set()
    assert listed(plan_type=["FREE", "CUSTOM"]) == {free}
    assert listed(search="PRO") == {standard, elsewhere}
    assert listed(product_family_id=shop.family("Lab")) == {elsewhere}
