"""Plans replaced: drafts in place, published versions by successors, and their list."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from meteroid import AsyncMeteroid
from meteroid import models as m
from meteroid.errors import ConflictError, NotFoundError

from tests.http.catalog.shop import Shop, term
from tests.http.catalog.test_plans import component, every_fee

UNKNOWN = "plan_1111111111111111111111"


def fee(price: str, name: str = "Fee") -> m.PriceComponentInput:
    """A monthly fee in euro."""
    return component(name, m.RatePlanFee(rates=[term("MONTHLY", price)]))


def replaced(
    shop: Shop,
    plan: m.Plan,
    *components: m.PriceComponentInput,
    **said: Any,  # noqa: ANN401
) -> m.Plan:
    """A plan with other components, EUR and its name unless said otherwise."""
    given: dict[str, Any] = {"name": plan.name, "currency": "EUR", **said}
    return shop.sdk.plans.replace(plan.id, components=list(components), **given)


def price_of(plan: m.Plan) -> Decimal:
    """What the only rate of the first component is."""
    told = plan.price_components[0].fee
    assert isinstance(told, m.RatePlanFee)
    return told.rates[0].price


def numbers(shop: Shop, plan: m.Plan) -> list[tuple[int, bool]]:
    """Every version of a plan by its number, and whether it is the draft."""
    return [(one.version, one.is_draft) for one in shop.sdk.plans.versions.list(plan.id)]


def test_a_published_plan_gets_a_new_version_and_keeps_the_old_one(shop: Shop) -> None:
    """The new version is sold at once; the old one says what it said."""
    first = shop.plan()

    second = replaced(shop, first, fee("59.00"))

    assert (second.id, second.version, second.status) == (first.id, 2, "ACTIVE")
    assert second.version_id != first.version_id
    assert (price_of(first), price_of(second)) == (Decimal("49.00"), Decimal("59.00"))
    assert shop.sdk.plans.retrieve(first.id) == second
    assert shop.sdk.plans.retrieve(first.id, version="1") == first
    assert numbers(shop, first) == [(2, False), (1, False)]
    assert len(shop.events("plan.published")) == 2


def test_a_draft_can_be_staged_beside_what_is_sold(shop: Shop) -> None:
    """`status: DRAFT` leaves the sold version sold until the draft is published."""
    first = shop.plan()

    draft = replaced(shop, first, fee("59.00"), status="DRAFT")

    assert draft.version == 2
    assert numbers(shop, first) == [(2, True), (1, False)]
    assert shop.raw.get(f"/plans/{first.id}?version=draft").json()["is_draft"] is True
    assert shop.sdk.plans.retrieve(first.id) == first
    assert shop.sdk.plans.retrieve(first.id, version="draft") == draft
    (told,) = shop.events("plan.updated")
    assert m.PlanEvent.from_dict(told).plan_event_data.version == 2

    assert shop.sdk.plans.publish(first.id).version_id == draft.version_id
    assert price_of(shop.sdk.plans.retrieve(first.id)) == Decimal("59.00")


def test_a_draft_is_written_anew_in_its_place(shop: Shop) -> None:
    """Id and number stay, whatever it sells; nothing of before is left in it."""
    care = shop.product("Care")
    add_on = shop.sdk.add_ons.create(name="Care", product_id=care, price_id=shop.price(care))
    draft = shop.plan(
        status="DRAFT",
        add_ons=[m.PlanAddOnInput(add_on_id=add_on.id)],
        billing=m.BillingConfig(net_terms=30, period_start_day=15, billing_cycles=12),
        description="For now",
        self_service_rank=3,
        tax_inclusive=True,
        trial=m.TrialConfig(duration_days=14, is_free=True),
    )
    shop.sdk.plans.versions.update_minimum(
        draft.version_id, amount="100", scope=m.AllComponentsScope()
    )

    again = replaced(shop, draft, fee("59.00"), fee("9.00", "Extra"), name="Pro 2")

    assert (again.version_id, again.version, again.status) == (draft.version_id, 1, "DRAFT")
    assert [one.name for one in again.price_components] == ["Fee", "Extra"]
    assert (again.name, again.description, again.self_service_rank) == ("Pro 2", None, 3)
    assert (again.tax_inclusive, again.trial, again.minimum_commitment) == (False, None, None)
    assert (again.net_terms, again.period_start_day, again.billing_cycles) == (0, None, None)
    assert shop.raw.get(f"/plans/{draft.id}").json()["add_ons"] == []
    assert numbers(shop, draft) == [(1, True)]
    assert shop.counts()["plan_components"] == 2


def test_everything_about_a_plan_can_be_replaced(shop: Shop) -> None:
    """Each field is returned as sent; type, family and rank are the plan's."""
    trialing = shop.plan("Enterprise")
    care = shop.product("Care")
    add_on = shop.sdk.add_ons.create(
        name="Care", product_id=care, price_id=shop.price(care, currency="USD")
    )
    fees = every_fee(shop.metric())
    first = shop.plan(plan_type="CUSTOM", self_service_rank=7)
    trial = m.TrialConfig(
        duration_days=7, is_free=False, trialing_plan_id=m.PlanId(trialing.id)
    )

    made = replaced(
        shop,
        first,
        *[component(name, one) for name, one in fees.items()],
        add_ons=[m.PlanAddOnInput(add_on_id=add_on.id, max_instances=2)],
        billing=m.BillingConfig(net_terms=14, period_start_day=1, billing_cycles=6),
        currency="USD",
        description="All of it",
        minimum_commitment=m.MinimumCommitmentInput(
            amount="250.00", scope=m.ComponentsScope(component_names=["Seats", "Storage"])
        ),
        name="Business",
        status="ACTIVE",
        tax_inclusive=True,
        trial=trial,
    )

    ids = {one.name: one.product_id for one in made.price_components}
    assert {one.name: one.fee for one in made.price_components} == fees
    assert (made.name, made.description, made.currency) == ("Business", "All of it", "USD")
    assert (made.net_terms, made.period_start_day, made.billing_cycles) == (14, 1, 6)
    assert (made.tax_inclusive, made.trial, made.version) == (True, trial, 2)
    assert (made.plan_type, made.self_service_rank) == ("CUSTOM", 7)
    assert made.product_family == first.product_family
    minimum = made.minimum_commitment
    assert minimum is not None
    assert minimum.amount == "250.00"
    assert isinstance(minimum.scope, m.ProductsScope)
    assert minimum.scope.product_ids == [ids["Seats"], ids["Storage"]]
    assert [(one["add_on_id"], one["max_instances"]) for one in add_ons(shop, made)] == [
        (add_on.id, 2)
    ]
    assert shop.sdk.plans.retrieve(made.id) == made


def add_ons(shop: Shop, plan: m.Plan) -> list[dict[str, Any]]:
    """What a plan says about its add-ons, which the client does not decode."""
    listed: list[dict[str, Any]] = shop.raw.get(f"/plans/{plan.id}").json()["add_ons"]
    return listed


def test_a_component_keeps_its_product_and_its_price(shop: Shop) -> None:
    """By its name and fee structure, or by the product it names; only new prices are new."""
    first = shop.plan(components=[fee("49.00"), fee("5.00", "Extra")])
    products = {one.name: one.product_id for one in first.price_components}
    before = shop.counts()

    second = replaced(shop, first, fee("49.00"), fee("6.00", "Extra"), fee("1.00", "New"))

    kept = {one.name: one.product_id for one in second.price_components}
    assert (kept["Fee"], kept["Extra"]) == (products["Fee"], products["Extra"])
    assert kept["New"] not in products.values()
    after = shop.counts()
    assert after["products"] - before["products"] == 1
    assert after["prices"] - before["prices"] == 2
    renamed = component("Base", m.RatePlanFee(rates=[term("MONTHLY", "49.00")]), kept["Fee"])
    third = replaced(shop, first, renamed)
    assert third.price_components[0].product_id == products["Fee"]
    assert shop.counts()["prices"] == after["prices"]


def test_what_is_sold_already_makes_no_other_version(shop: Shop) -> None:
    """The same again changes nothing; other words change the plan, not its versions."""
    first = shop.plan(description="Old", trial=m.TrialConfig(duration_days=7, is_free=True))
    same = {"trial": m.TrialConfig(duration_days=7, is_free=True)}

    again = replaced(shop, first, fee("49.00"), description="Old", **same)
    assert again == first
    assert shop.events("plan.updated") == []

    named = replaced(shop, first, fee("49.0"), name="Pro 2", description="New", **same)
    assert (named.version_id, named.name, named.description) == (
        first.version_id,
        "Pro 2",
        "New",
    )
    assert len(shop.events("plan.updated")) == 1
    assert replaced(shop, first, fee("49.00")).version == 2


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"status": "ARCHIVED"}, [("status", "unknown_value")]),
        ({"plan_type": "FREE"}, [("plan_type", "unknown_field")]),
        ({"name": None}, [("name", "required")]),
        (
            {"currency": "EURO", "components": [{"name": "A", "fee": {"type": "RATE"}}]},
            [("currency", "unknown_value"), ("components[0].fee.rates", "required")],
        ),
        (
            {"trial": {"duration_days": 7, "is_free": True, "trialing_plan_id": UNKNOWN}},
            [("trial.trialing_plan_id", "unknown")],
        ),
        (
            {"minimum_commitment": {"amount": "0.001", "scope": {"type": "all_components"}}},
            [("minimum_commitment.amount", "too_precise")],
        ),
        (
            {
                "minimum_commitment": {
                    "amount": "1",
                    "scope": {"type": "components", "component_names": ["Fee", "Fee", "Gone"]},
                }
            },
            [
                ("minimum_commitment.scope.component_names[1]", "duplicate"),
                ("minimum_commitment.scope.component_names[2]", "unknown"),
            ],
        ),
        (
            {
                "components": [],
                "minimum_commitment": {"amount": "1", "scope": {"type": "all_components"}},
            },
            [("minimum_commitment.scope", "nothing_covered")],
        ),
        ({"entitlements": [{"feature_id": "feat_1"}]}, [("entitlements[0].value", "required")]),
    ],
)
def test_a_replacement_that_cannot_be_changes_nothing(
    shop: Shop, fields: dict[str, object], faults: list[tuple[str, str]]
) -> None:
    """Every fault with its path; the plan, its words included, is as it was."""
    plan = shop.plan()
    before = shop.counts()
    rate = {"type": "RATE", "rates": [{"term": "MONTHLY", "price": "1"}]}
    body = {
        "name": "Other",
        "currency": "EUR",
        "components": [{"name": "Fee", "fee": rate}],
        **fields,
    }

    status, found = shop.refused("PUT", f"/plans/{plan.id}", body)

    assert (status, sorted(found)) == (400, sorted(faults))
    assert shop.sdk.plans.retrieve(plan.id) == plan
    assert shop.counts() == before


def test_a_free_plan_stays_free(shop: Shop) -> None:
    """The type is the plan's: nothing that costs, and no minimum, gets into a free one."""
    plan = shop.plan(plan_type="FREE", components=[])
    rate = {"type": "RATE", "rates": [{"term": "MONTHLY", "price": "0.01"}]}

    assert shop.refused(
        "PUT",
        f"/plans/{plan.id}",
        {
            "name": "Free",
            "currency": "EUR",
            "components": [{"name": "Fee", "fee": rate}],
            "minimum_commitment": {"amount": "1", "scope": {"type": "all_components"}},
        },
    ) == (400, [("components[0].fee", "not_free"), ("minimum_commitment.amount", "not_free")])


def test_an_archived_plan_is_not_replaced(shop: Shop) -> None:
    """409, and it is as it was."""
    plan = shop.plan()
    shop.sdk.plans.archive(plan.id)

    with pytest.raises(ConflictError, match="archived"):
        replaced(shop, plan, fee("1"))

    assert numbers(shop, plan) == [(1, False)]


def test_a_draft_that_cannot_be_sold_any_more_is_not_published(shop: Shop) -> None:
    """What was archived since is named by the path of the request, all together."""
    metric, care = shop.metric(), shop.product("Care")
    add_on = shop.sdk.add_ons.create(name="Care", product_id=care, price_id=shop.price(care))
    trialing = shop.plan("Enterprise")
    fees = every_fee(metric)
    draft = shop.plan(
        status="DRAFT",
        components=[component("Fee", fees["Platform"]), component("Use", fees["Storage"])],
        add_ons=[m.PlanAddOnInput(add_on_id=add_on.id)],
        trial=m.TrialConfig(
            duration_days=7, is_free=True, trialing_plan_id=m.PlanId(trialing.id)
        ),
    )
    product = draft.price_components[0].product_id
    assert product is not None
    shop.sdk.products.archive(product)
    shop.sdk.metrics.archive(metric)
    shop.sdk.add_ons.archive(add_on.id)
    shop.sdk.plans.archive(trialing.id)

    assert shop.refused("POST", f"/plans/{draft.id}/publish") == (
        409,
        [
            ("components[0].product_id", "archived"),
            ("components[1].fee.metric_id", "archived"),
            ("add_ons[0].add_on_id", "archived"),
            ("trial.trialing_plan_id", "archived"),
        ],
    )

    shop.sdk.products.unarchive(product)
    shop.sdk.metrics.unarchive(metric)
    shop.sdk.add_ons.unarchive(add_on.id)
    shop.sdk.plans.unarchive(trialing.id)
    assert shop.sdk.plans.publish(draft.id).status == "ACTIVE"


def test_versions_are_paged(shop: Shop, other_shop: Shop) -> None:
    """The newest first, true on every page; another tenant's plan has none here."""
    plan = shop.plan()
    for price in ("50", "51"):
        replaced(shop, plan, fee(price))

    pages = [
        shop.raw.get(f"/plans/{plan.id}/versions?per_page=2&page={page}").json()
        for page in (0, 1, 2)
    ]

    assert [[one["version"] for one in page["data"]] for page in pages] == [[3, 2], [1], []]
    assert [page["pagination_meta"] for page in pages] == [
        {"page": page, "per_page": 2, "total_items": 3, "total_pages": 2} for page in (0, 1, 2)
    ]
    assert all(one["published_at"] for page in pages for one in page["data"])
    for foreign in (UNKNOWN, other_shop.plan().id):
        with pytest.raises(NotFoundError):
            shop.sdk.plans.versions.list(foreign)


def test_the_async_client_replaces_and_lists(shop: Shop) -> None:
    """The asynchronous client sees the same."""
    plan = shop.plan()

    async def story() -> list[int]:
        async with AsyncMeteroid(api_key=shop.tenant.api_key, base_url=shop.url) as client:
            made = await client.plans.replace(
                plan.id, components=[fee("59")], currency="EUR", name="Pro", status="DRAFT"
            )
            await client.plans.versions.update_minimum(
                made.version_id, amount="100", scope=m.AllComponentsScope()
            )
            await client.plans.versions.delete_minimum(made.version_id)
            await client.plans.publish(plan.id)
            await client.plans.update(plan.id, name="Pro 2", self_service_rank=1)
            await client.plans.archive(plan.id)
            await client.plans.unarchive(plan.id)
            return [one.version async for one in client.plans.versions.list(plan.id)]

    assert asyncio.run(story()) == [2, 1]
    assert shop.sdk.plans.retrieve(plan.id).name == "Pro 2"
