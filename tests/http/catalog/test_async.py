"""The asynchronous client makes, finds, changes and lists everything in the catalog."""

import asyncio
from typing import Any

from meteroid import AsyncMeteroid
from meteroid import models as m

from tests.http.catalog.shop import Shop, term
from tests.http.catalog.test_plans import component

RATE = m.RatePlanFee(rates=[term("MONTHLY", "49.00")])


async def changed(resource: Any, made: Any, **said: object) -> list[str]:  # noqa: ANN401
    """Find a thing, change it, and list it; the ids that were seen."""
    found = await resource.retrieve(made.id)
    assert found == made
    after = await resource.update(made.id, **said)
    assert {name: getattr(after, name) for name in said} == said
    assert [one.id async for one in resource.list(search="an")] == [made.id]
    return [found.id, after.id]


def test_everything_by_the_async_client(shop: Shop) -> None:
    """One of each: made, found again, changed, and found in its list."""
    family = shop.family()
    support = shop.product("Support")
    price = shop.price(support)

    async def story() -> dict[str, list[str]]:
        async with AsyncMeteroid(api_key=shop.tenant.api_key, base_url=shop.url) as client:
            metric = await client.metrics.create(
                aggregation_type="COUNT", code="ant", name="Ant", product_family_id=family
            )
            product = await client.products.create(
                fee_structure=m.RateFeeStructure(), name="Ant", product_family_id=family
            )
            add_on = await client.add_ons.create(
                name="Ant", price_id=m.PriceId(price), product_id=m.ProductId(support)
            )
            coupon = await client.coupons.create(
                code="ant", discount=m.PercentageDiscount(percentage="20")
            )
            plan = await client.plans.create(
                components=[component("Fee", RATE, support)],
                currency="EUR",
                name="Ant",
                plan_type="STANDARD",
                product_family_id=m.ProductFamilyId(family),
                status="ACTIVE",
            )
            words = {"name": "Giant", "description": "Small"}
            filters = [
                m.MetricFilter(op=m.MetricFilterOperator.EQUAL, property="a", values=["b"])
            ]
            return {
                "bm": await changed(client.metrics, metric, filters=filters, **words),
                "prd": await changed(client.products, product, **words),
                "add": await changed(client.add_ons, add_on, self_serviceable=True, **words),
                "cou": await changed(client.coupons, coupon, plan_ids=[plan.id]),
                "plan": await changed(client.plans, plan, self_service_rank=3, **words),
            }

    seen = asyncio.run(story())

    assert all(name.startswith(f"{kind}_") for kind, ids in seen.items() for name in ids)
