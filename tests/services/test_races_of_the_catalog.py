"""Changes of the catalog that meet: what rests on something finds it as it was held."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TypeVar

import pytest

from tallystick.db.engine import retrying
from tallystick.domain.custom_properties import (
    PropertyDefinition,
    PropertyEntity,
    PropertyType,
)
from tallystick.domain.errors import Conflict
from tallystick.domain.metrics import Aggregation, Metric, MetricDefinition, MetricFilter
from tallystick.domain.metrics import FilterOperator as Op
from tallystick.domain.new_plan import NewComponent
from tallystick.domain.offer_request import NewPrice
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    CapacityFee,
    CapacityPricing,
    RateFee,
    RatePricing,
    SlotFee,
    SlotPricing,
)
from tallystick.services.context import Context
from tallystick.services.create_metric import NewMetric, create_metric
from tallystick.services.create_price import create_price
from tallystick.services.create_product import NewCatalogProduct, create_product
from tallystick.services.define_property import define_property
from tallystick.services.edit_metric import archive_metric, edit_metric, unarchive_metric
from tallystick.services.edit_product import edit_product
from tallystick.services.ids import new_id
from tallystick.services.publish_plan import publish_plan
from tallystick.services.replace_plan import PlanReplacement, replace_plan
from tests.soundness import assert_sound
from tests.world import SoldPlan, World

Result = TypeVar("Result")
FILTERS = (MetricFilter(property="zone", op=Op.EQUAL, values=("a",)),)


async def run(world: World, verb: Callable[[Context], Awaitable[Result]]) -> Result:
    """Run a plain verb as the door does."""
    return await retrying(world.database, lambda tx: verb(world.ctx.within(tx)))


def costing(euros: int, *, publish: bool = True) -> PlanReplacement:
    """The plan with one fee of so many euros."""
    pricing = RatePricing(rate=Decimal(euros))
    return PlanReplacement(
        name="Pro",
        currency="EUR",
        publish=publish,
        components=(
            NewComponent(name="Fee", fee=RateFee(), prices=((Cadence.MONTHLY, pricing),)),
        ),
        add_ons=(),
        description=None,
        tax_inclusive=False,
        net_terms=None,
        period_start_day=None,
        billing_cycles=None,
        trial=None,
        minimum=None,
    )


async def versions(world: World, plan: SoldPlan) -> list[tuple[int, bool, int, int]]:
    """Each version: its number, whether it is published, its components, their prices."""
    rows = await world.fetch(
        "select version, published_at is not null as published,"
        " (select count(*) from plan_components c where c.plan_version_id = v.id) as parts,"
        " (select count(*) from plan_components c join plan_component_prices p"
        "  on p.component_id = c.id where c.plan_version_id = v.id) as prices"
        " from plan_versions v where plan_id = $1 order by version",
        plan.id,
    )
    return [(row["version"], row["published"], row["parts"], row["prices"]) for row in rows]


async def test_replacements_of_one_plan_come_one_after_another(world: World) -> None:
    """Eight at once make eight versions, each whole, numbered without a gap."""
    plan = await world.plan()

    await asyncio.gather(
        *[
            run(world, lambda ctx, euros=euros: replace_plan(ctx, plan.id, costing(euros)))  # type: ignore[misc]
            for euros in range(50, 58)
        ]
    )

    assert await versions(world, plan) == [(number, True, 1, 1) for number in range(1, 10)]
    await assert_sound(world)


async def test_a_draft_is_published_whole_or_not_at_all(world: World) -> None:
    """Written anew and published at once: every published version has all of its parts."""
    plan = await world.plan()
    for euros in range(60, 66):
        ends = await asyncio.gather(
            run(world, lambda ctx: replace_plan(ctx, plan.id, costing(70, publish=False))),
            run(
                world,
                lambda ctx, euros=euros: replace_plan(  # type: ignore[misc]
                    ctx, plan.id, costing(euros, publish=False)
                ),
            ),
            run(world, lambda ctx: publish_plan(ctx, plan.id)),
            return_exceptions=True,
        )
        refusals = [end for end in ends if isinstance(end, BaseException)]
        assert [type(end) for end in refusals] in ([], [Conflict]), "there may be no draft yet"

    found = await versions(world, plan)
    assert {(parts, prices) for _, _, parts, prices in found} == {(1, 1)}
    assert [number for number, *_ in found] == list(range(1, len(found) + 1))
    assert sum(not published for _, published, *_ in found) <= 1
    await assert_sound(world)


async def metric(world: World, code: str = "calls") -> Metric:
    """A metric that counts."""
    new = NewMetric(
        product_family_id=world.family_id,
        code=code,
        name=code,
        aggregation=Aggregation.COUNT,
        definition=MetricDefinition(),
    )
    return await run(world, lambda ctx: create_metric(ctx, new))


async def refused_after(world: World, price: NewPrice, other: str) -> None:
    """A price is being made; what would change what it is of waits for it, and is refused."""
    counted = await metric(world)
    fee = SlotFee(unit_name="seat")
    if isinstance(price.pricing, CapacityPricing):
        new = NewCatalogProduct(
            product_family_id=world.family_id, name="P", fee=CapacityFee(metric_id=counted.id)
        )
    else:
        new = NewCatalogProduct(product_family_id=world.family_id, name="P", fee=fee)
    product = (await run(world, lambda ctx: create_product(ctx, new))).product
    async with world.database.transaction() as tx:
        await create_price(world.ctx.within(tx), product.id, price)
        changing = asyncio.create_task(
            run(world, lambda ctx: edit_metric(ctx, counted.id, {}, {"filters": FILTERS}))
            if other == "metric"
            else run(
                world,
                lambda ctx: edit_product(ctx, product.id, {}, SlotFee(unit_name="user")),
            )
        )
        done, _ = await asyncio.wait([changing], timeout=0.2)
        assert not done

    with pytest.raises(Conflict, match="price"):
        await changing


async def test_a_metric_waits_for_the_price_that_will_count_with_it(world: World) -> None:
    """Once there is the price, its filters are fixed."""
    pricing = CapacityPricing(rate=Decimal(9), included=10, overage_rate=Decimal(1))
    price = NewPrice(cadence=Cadence.MONTHLY, currency="EUR", pricing=pricing)

    await refused_after(world, price, "metric")


async def test_a_product_waits_for_its_first_price(world: World) -> None:
    """Once there is the price, its fee structure is fixed."""
    pricing = SlotPricing(unit_rate=Decimal(9))
    price = NewPrice(cadence=Cadence.MONTHLY, currency="EUR", pricing=pricing)

    await refused_after(world, price, "product")


async def test_one_of_two_gets_a_code(world: World) -> None:
    """An archived metric comes back while its code is given anew: one of both, every time."""
    old = await metric(world)
    await run(world, lambda ctx: archive_metric(ctx, old.id))

    ends = await asyncio.gather(
        run(world, lambda ctx: unarchive_metric(ctx, old.id)),
        metric(world),
        return_exceptions=True,
    )

    assert [type(end) for end in ends].count(Conflict) == 1
    rows = await world.fetch("select id from metrics where archived_at is null")
    assert len(rows) == 1


async def test_no_more_properties_than_there_may_be(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight who define one at the same time, where there is room for three."""
    monkeypatch.setattr("tallystick.services.define_property.DEFINITIONS_MAX", 3)

    def define(key: str) -> Awaitable[PropertyDefinition]:
        wanted = PropertyDefinition(
            id=new_id(),
            entity=PropertyEntity.CUSTOMER,
            key=key,
            name=key,
            type=PropertyType.TEXT,
            created_at=world.ctx.now,
            updated_at=world.ctx.now,
        )
        return run(world, lambda ctx: define_property(ctx, wanted))

    met = await asyncio.gather(
        *(define(f"k{number}") for number in range(8)), return_exceptions=True
    )

    assert sum(isinstance(one, PropertyDefinition) for one in met) == 3
    assert sum(isinstance(one, Conflict) for one in met) == 5
