"""Minimum commitments of plan versions, by the reference's own client."""

from typing import Any

import pytest
from meteroid import models as m
from meteroid.errors import ConflictError, NotFoundError

from tests.http.catalog.shop import Shop, term
from tests.http.catalog.test_plans import component

ALL = m.AllComponentsScope()
UNKNOWN = "plv_1111111111111111111111"


def drafted(shop: Shop, **fields: Any) -> m.Plan:  # noqa: ANN401 - of the plan
    """A plan at EUR 49 a month whose version is a draft."""
    return shop.plan(status="DRAFT", **fields)


def put(version_id: str) -> str:
    """Where a version's minimum is."""
    return f"/plans/versions/{version_id}/minimum"


def test_a_draft_is_given_a_minimum_and_keeps_it(shop: Shop) -> None:
    """It is returned, shown with the plan, and published with it."""
    plan = drafted(shop)
    assert plan.minimum_commitment is None

    given = shop.sdk.plans.versions.update_minimum(plan.version_id, amount="100.00", scope=ALL)

    assert (given.amount, given.scope) == ("100.00", ALL)
    published = shop.sdk.plans.publish(plan.id)
    assert published.minimum_commitment == given
    assert shop.sdk.plans.retrieve(plan.id).minimum_commitment == given


def test_a_minimum_is_replaced_and_removed(shop: Shop) -> None:
    """The last one holds; removed, there is none, and removing it again changes nothing."""
    plan = drafted(shop)
    product = plan.price_components[0].product_id
    assert product is not None
    products = m.ProductsScope(product_ids=[product])
    minimum = shop.sdk.plans.versions

    minimum.update_minimum(plan.version_id, amount="100", scope=ALL)
    minimum.update_minimum(plan.version_id, amount="250", scope=products)
    kept = shop.sdk.plans.retrieve(plan.id).minimum_commitment
    assert kept is not None
    assert (kept.amount, kept.scope) == ("250", products)

    for _ in range(2):
        minimum.delete_minimum(plan.version_id)
        assert shop.sdk.plans.retrieve(plan.id).minimum_commitment is None
    assert len(shop.events("plan.updated")) == 3


def test_a_published_version_never_changes(shop: Shop) -> None:
    """409, and what it was sold with stays."""
    plan = shop.plan()

    with pytest.raises(ConflictError, match="published"):
        shop.sdk.plans.versions.update_minimum(plan.version_id, amount="100.00", scope=ALL)
    with pytest.raises(ConflictError, match="published"):
        shop.sdk.plans.versions.delete_minimum(plan.version_id)

    assert shop.sdk.plans.retrieve(plan.id).minimum_commitment is None


def test_an_unknown_version_is_not_found(shop: Shop, other_shop: Shop) -> None:
    """Neither is another tenant's."""
    theirs = drafted(other_shop)
    for version_id in (UNKNOWN, theirs.version_id):
        with pytest.raises(NotFoundError):
            shop.sdk.plans.versions.update_minimum(version_id, amount="1", scope=ALL)
        with pytest.raises(NotFoundError):
            shop.sdk.plans.versions.delete_minimum(version_id)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"amount": "0", "scope": {"type": "all_components"}}, ("amount", "out_of_range")),
        ({"amount": "-1", "scope": {"type": "all_components"}}, ("amount", "out_of_range")),
        ({"amount": "1.001", "scope": {"type": "all_components"}}, ("amount", "too_precise")),
        (
            {"amount": "999999999999999", "scope": {"type": "all_components"}},
            ("amount", "too_large"),
        ),
        ({"amount": "1"}, ("scope", "required")),
        ({"amount": "1", "scope": {"type": "plans"}}, ("scope.type", "unknown")),
        (
            {"amount": "1", "scope": {"type": "products", "product_ids": []}},
            ("scope.product_ids", "too_short"),
        ),
        (
            {"amount": "1", "scope": {"type": "products", "product_ids": ["prd_1"]}},
            ("scope.product_ids[0]", "unknown"),
        ),
    ],
)
def test_a_minimum_that_cannot_be_is_refused(
    shop: Shop, body: dict[str, Any], fault: tuple[str, str]
) -> None:
    """With the field's path; what was there stays."""
    plan = drafted(shop)
    shop.sdk.plans.versions.update_minimum(plan.version_id, amount="100.00", scope=ALL)

    status, faults = shop.refused("PUT", put(plan.version_id), body)

    assert (status, [field for field, _ in faults]) == (400, [fault[0]])
    kept = shop.sdk.plans.retrieve(plan.id).minimum_commitment
    assert kept is not None
    assert kept.amount == "100.00"


def test_a_free_plan_has_no_minimum(shop: Shop) -> None:
    """A FREE plan never bills."""
    plan = drafted(shop, plan_type="FREE", components=[])

    status, faults = shop.refused(
        "PUT", put(plan.version_id), {"amount": "1", "scope": {"type": "all_components"}}
    )

    assert (status, faults) == (400, [("amount", "not_free")])


def test_a_minimum_needs_something_that_counts(shop: Shop) -> None:
    """A plan of nothing but a one-time fee has no period that could cost anything."""
    fee = m.OneTimePlanFee(quantity=1, unit_price="10")  # type: ignore[arg-type]
    once = drafted(shop, components=[component("Setup", fee)])
    plan = drafted(shop, name="Other")
    other = shop.product("Other product")

    status, faults = shop.refused(
        "PUT", put(once.version_id), {"amount": "1", "scope": {"type": "all_components"}}
    )
    assert (status, faults) == (400, [("scope", "nothing_covered")])
    status, faults = shop.refused(
        "PUT",
        put(plan.version_id),
        {"amount": "1", "scope": {"type": "products", "product_ids": [other]}},
    )
    assert (status, faults) == (400, [("scope.product_ids", "nothing_covered")])


def test_the_preview_and_the_subscription_name_it(shop: Shop) -> None:
    """EUR 49 today, then EUR 51 more at each renewal: at least EUR 100 a month."""
    plan = drafted(
        shop, components=[component("Fee", m.RatePlanFee(rates=[term("MONTHLY", "49.00")]))]
    )
    shop.sdk.plans.versions.update_minimum(plan.version_id, amount="100.00", scope=ALL)
    shop.sdk.plans.publish(plan.id)
    customer = shop.sdk.customers.create(name="Globex", currency="EUR")

    quote = shop.raw.post(
        "/checkout-sessions/preview",
        json={"customer_id": customer.id, "plan_version_id": plan.version_id},
    ).json()

    shown = {"amount": "100.00", "scope": {"type": "all_components"}}
    assert quote["minimum_commitment"] == shown
    assert (quote["amount_due"], quote["upcoming"][0]["amount_total"]) == (4900, 10000)
    today = shop.raw.get("/test-clock").json()["now"][:10]
    made = shop.raw.post(
        "/subscriptions",
        json={
            "activation_condition": "ON_START",
            "customer_id_or_alias": customer.id,
            "plan_id": plan.id,
            "start_date": today,
        },
    ).json()
    assert made["minimum_commitment"] == shown
    subscription = shop.sdk.subscriptions.retrieve(made["id"])
    assert subscription.minimum_commitment == m.MinimumCommitment(amount="100.00", scope=ALL)
