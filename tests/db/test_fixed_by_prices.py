"""The database itself keeps what a price rests on, whoever asks."""

import asyncpg
import pytest

from tallystick.db.engine import Database
from tallystick.domain.pricing import CapacityFee, CapacityPricing, RateFee
from tallystick.services.ids import new_id
from tests.world import World, open_world, rate


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own."""
    return await open_world(db)


CHANGES = {
    "its code": "code = 'other'",
    "its aggregation": "aggregation_type = 'SUM'",
    "its key": "aggregation_key = 'bytes'",
    "its filters": """definition = definition || '{"filters": [1]}'""",
    "its conversion": """definition = definition || '{"unit_conversion": {}}'""",
}


async def counted(world: World) -> None:
    """A metric, and a product without a price that counts with it."""
    metric_id = new_id()
    await world.execute(
        "insert into metrics (tenant_id, id, product_family_id, code, name, aggregation_type,"
        " created_at) values ($1, $2, $3, 'calls', 'Calls', 'COUNT', now())",
        world.tenant_id,
        metric_id,
        world.family_id,
    )
    world.made["product"] = await world.product("Calls", CapacityFee(metric_id=metric_id))


async def give_a_price(world: World) -> None:
    """The product's first price."""
    pricing = CapacityPricing(rate=rate("1").rate, included=1, overage_rate=rate("1").rate)
    await world.price(world.made["product"], pricing)


@pytest.mark.parametrize("what", list(CHANGES))
async def test_how_a_priced_metric_counts(world: World, what: str) -> None:
    """It changes before there is a price, and not after."""
    await counted(world)
    await world.execute(f"update metrics set {CHANGES[what]}")
    await world.execute(
        "update metrics set code = 'calls', aggregation_type = 'COUNT', aggregation_key = null,"
        " definition = '{}'"
    )
    await give_a_price(world)

    with pytest.raises(
        asyncpg.IntegrityConstraintViolationError, match="once there is a price"
    ):
        await world.execute(f"update metrics set {CHANGES[what]}")
    await world.execute(
        "update metrics set name = 'Other', archived_at = now(),"
        """ definition = definition || '{"segmentation": {}}'"""
    )


async def test_the_fee_of_a_priced_product(world: World) -> None:
    """It changes before there is a price, and not after."""
    product = await world.product("Fee", RateFee())
    change = """
        update products set fee_structure = fee_structure || '{"new": 1}' where id = $1
    """
    await world.execute(change, product)
    await world.price(product, rate("49"))

    with pytest.raises(
        asyncpg.IntegrityConstraintViolationError, match="once there is a price"
    ):
        await world.execute(change.replace("1}", "2}"), product)
    await world.execute("update products set name = 'Other' where id = $1", product)


async def test_an_archived_plan_says_so(world: World) -> None:
    """Status and moment agree."""
    plan = await world.plan()

    for change in ("archived_at = now()", "status = 'ARCHIVED'"):
        with pytest.raises(asyncpg.CheckViolationError, match="archived_says_so"):
            await world.execute(f"update plans set {change} where id = $1", plan.id)


async def test_an_alias_names_one_family(world: World) -> None:
    """Of a tenant; those without one are as many as there are."""
    add = (
        "insert into product_families (tenant_id, id, name, alias, created_at)"
        " values ($1, $2, 'Edge', $3, now())"
    )
    await world.execute(add, world.tenant_id, new_id(), None)
    await world.execute(add, world.tenant_id, new_id(), None)
    await world.execute(add, world.tenant_id, new_id(), "edge")

    with pytest.raises(asyncpg.UniqueViolationError, match="product_family_alias"):
        await world.execute(add, world.tenant_id, new_id(), "edge")
