"""Archived and brought back, disabled and enabled: the same for everything in the catalog."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from meteroid import AsyncMeteroid
from meteroid import models as m
from meteroid.errors import ConflictError

from tests.http.catalog.shop import Shop
from tests.http.conftest import NOON

TWENTY = m.PercentageDiscount(percentage="20")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of thing: its resource at the client, how one is made, what its events carry."""

    resource: str
    make: Callable[[Shop, str], str]
    back: str
    data: Callable[[dict[str, Any]], Any]


def _add_on(shop: Shop, name: str) -> str:
    product = shop.product(name)
    return shop.sdk.add_ons.create(
        name=name, product_id=product, price_id=shop.price(product)
    ).id


KINDS = {
    "addon": Kind(
        resource="add_ons",
        make=_add_on,
        back="addon.updated",
        data=lambda body: m.AddOnEvent.from_dict(body).add_on_event_data.add_on_id,
    ),
    "coupon": Kind(
        resource="coupons",
        make=lambda shop, name: shop.sdk.coupons.create(code=name, discount=TWENTY).id,
        back="coupon.updated",
        data=lambda body: m.CouponEvent.from_dict(body).coupon_event_data.coupon_id,
    ),
    "metric": Kind(
        resource="metrics",
        make=lambda shop, name: shop.metric(name),
        back="metric.updated",
        data=lambda body: m.MetricEvent.from_dict(body).metric_event_data.metric_id,
    ),
    "plan": Kind(
        resource="plans",
        make=lambda shop, name: shop.plan(name).id,
        back="plan.updated",
        data=lambda body: m.PlanEvent.from_dict(body).plan_event_data.plan_id,
    ),
    "product": Kind(
        resource="products",
        make=lambda shop, name: shop.product(name),
        back="product.updated",
        data=lambda body: m.ProductEvent.from_dict(body).product_event_data.product_id,
    ),
}


@pytest.fixture(params=list(KINDS))
def noun(request: pytest.FixtureRequest) -> str:
    """Each kind of thing in turn."""
    return str(request.param)


def archived(shop: Shop, noun: str, name: str) -> bool:
    """Whether a thing says that it was archived at noon."""
    found = shop.raw.get(f"/{noun}s/{name}").json()
    if noun == "plan":
        return bool(found["status"] == "ARCHIVED")
    assert found["archived_at"] in (None, NOON.isoformat(timespec="milliseconds")[:23] + "Z")
    return found["archived_at"] is not None


def test_archived_and_brought_back(shop: Shop, noun: str) -> None:
    """Nothing else of it changes; each way is told once, and done twice is done once."""
    kind = KINDS[noun]
    name = kind.make(shop, "ant")
    resource = getattr(shop.sdk, kind.resource)
    before = resource.retrieve(name)

    for _ in range(2):
        assert resource.archive(name) is None
        assert archived(shop, noun, name)
    for _ in range(2):
        assert resource.unarchive(name) is None
        assert resource.retrieve(name) == before

    (gone,) = shop.events(f"{noun}.archived")
    (back,) = shop.events(kind.back)
    assert kind.data(gone) == kind.data(back) == name


def test_the_async_client_archives(shop: Shop, noun: str) -> None:
    """The asynchronous client sees the same."""
    kind = KINDS[noun]
    name = kind.make(shop, "ant")

    async def story() -> list[bool]:
        async with AsyncMeteroid(api_key=shop.tenant.api_key, base_url=shop.url) as client:
            resource = getattr(client, kind.resource)
            await resource.archive(name)
            seen = [archived(shop, noun, name)]
            await resource.unarchive(name)
            return [*seen, archived(shop, noun, name)]

    assert asyncio.run(story()) == [True, False]


def test_archiving_under_a_key_is_done_once(shop: Shop, noun: str) -> None:
    """A repeat after it was brought back does not archive it again."""
    name = KINDS[noun].make(shop, "ant")
    path, headers = f"/{noun}s/{name}", {"Idempotency-Key": "once"}

    first = shop.raw.post(f"{path}/archive", headers=headers)
    shop.raw.post(f"{path}/unarchive")
    again = shop.raw.post(f"{path}/archive", headers=headers)

    assert (first.status_code, first.content) == (204, b"")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (204, "true")
    assert not archived(shop, noun, name)


def test_another_tenants_things_stay(shop: Shop, other_shop: Shop, noun: str) -> None:
    """404, and nothing happens to them."""
    name = KINDS[noun].make(other_shop, "ant")

    for way in ("archive", "unarchive"):
        assert shop.refused("POST", f"/{noun}s/{name}/{way}") == (404, [])

    assert not archived(other_shop, noun, name)


def test_what_is_archived_is_listed_where_it_is_asked_for(shop: Shop) -> None:
    """By `include_archived`, by a filter, by a status; products and metrics are hidden."""
    names = {noun: kind.make(shop, "ant") for noun, kind in KINDS.items()}
    for noun, kind in KINDS.items():
        getattr(shop.sdk, kind.resource).archive(names[noun])
    sdk = shop.sdk

    assert list(sdk.add_ons.list()) == []
    assert [one.id for one in sdk.add_ons.list(include_archived=True)] == [names["addon"]]
    for hidden in (m.CouponFilter.ACTIVE, m.CouponFilter.INACTIVE):
        assert list(sdk.coupons.list(filter=hidden)) == []
    for shown in (m.CouponFilter.ALL, m.CouponFilter.ARCHIVED, None):
        assert [one.id for one in sdk.coupons.list(filter=shown)] == [names["coupon"]]
    assert list(sdk.metrics.list()) == []
    assert names["product"] not in [one.id for one in sdk.products.list()]
    statuses = m.PlanStatusEnum
    assert list(sdk.plans.list(status=[statuses.ACTIVE, statuses.DRAFT])) == []
    assert [one.id for one in sdk.plans.list(status=[statuses.ARCHIVED])] == [names["plan"]]
    assert [one.id for one in sdk.plans.list()] == [names["plan"]]


def test_an_archived_draft_comes_back_as_a_draft(shop: Shop) -> None:
    """A plan is what its versions make it; while it is archived nothing is published."""
    plan = shop.plan(status="DRAFT")
    shop.sdk.plans.archive(plan.id)

    with pytest.raises(ConflictError, match="archived"):
        shop.sdk.plans.publish(plan.id)

    shop.sdk.plans.unarchive(plan.id)
    assert shop.sdk.plans.retrieve(plan.id) == plan
    assert shop.sdk.plans.publish(plan.id).status == "ACTIVE"


@pytest.mark.parametrize("noun", ["coupon", "metric"])
def test_a_code_that_was_given_anew_stays_there(shop: Shop, noun: str) -> None:
    """The archived one cannot come back while another has its code; then it can."""
    kind = KINDS[noun]
    resource = getattr(shop.sdk, kind.resource)
    old = kind.make(shop, "SAVE")
    resource.archive(old)
    new = kind.make(shop, "SAVE")

    assert shop.refused("POST", f"/{noun}s/{old}/unarchive") == (409, [("code", "duplicate")])
    assert archived(shop, noun, old)
    assert shop.events(kind.back) == []

    resource.archive(new)
    resource.unarchive(old)
    assert not archived(shop, noun, old)


def test_a_coupon_is_switched_off_and_on(shop: Shop) -> None:
    """Its events say which; done twice is done once; the list of the active follows."""
    coupon = shop.sdk.coupons.create(code="SAVE", discount=TWENTY)
    resource, active = shop.sdk.coupons, m.CouponFilter.ACTIVE

    for _ in range(2):
        resource.disable(coupon.id)
        assert resource.retrieve(coupon.id).disabled is True
        assert list(resource.list(filter=active)) == []
    assert [one.id for one in resource.list(filter=m.CouponFilter.INACTIVE)] == [coupon.id]
    for _ in range(2):
        resource.enable(coupon.id)
        assert resource.retrieve(coupon.id) == coupon
    assert [one.id for one in resource.list(filter=active)] == [coupon.id]

    told = [
        m.CouponEvent.from_dict(one).coupon_event_data.disabled
        for one in shop.events("coupon.updated")
    ]
    assert told == [True, False]


def test_the_async_client_switches_coupons(shop: Shop) -> None:
    """The asynchronous client sees the same."""
    coupon = shop.sdk.coupons.create(code="SAVE", discount=TWENTY)

    async def story() -> list[bool]:
        async with AsyncMeteroid(api_key=shop.tenant.api_key, base_url=shop.url) as client:
            await client.coupons.disable(coupon.id)
            seen = [(await client.coupons.retrieve(coupon.id)).disabled]
            await client.coupons.enable(coupon.id)
            return [*seen, (await client.coupons.retrieve(coupon.id)).disabled]

    assert asyncio.run(story()) == [True, False]


def test_lists_of_one_family(shop: Shop) -> None:
    """Products, plans and metrics are listed by family, as the client asks for them."""
    cloud, edge = shop.family(), shop.family("Edge")
    shop.metric("cloud")
    shop.product("Cloud")
    shop.plan("Cloud", components=[])
    sdk = shop.sdk
    theirs = (
        sdk.metrics.create(
            aggregation_type="COUNT", code="edge", name="edge", product_family_id=edge
        ).id,
        sdk.products.create(
            fee_structure=m.RateFeeStructure(), name="Edge", product_family_id=edge
        ).id,
        shop.plan("Edge", components=[], product_family_id=edge).id,
    )

    lists: tuple[Any, ...] = (sdk.metrics, sdk.products, sdk.plans)
    for resource, name in zip(lists, theirs, strict=True):
        assert [one.id for one in resource.list(product_family_id=edge)] == [name]
        assert name not in [one.id for one in resource.list(product_family_id=cloud)]
