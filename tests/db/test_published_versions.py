"""A published plan version never changes, nor does a price."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest

from tallystick.db.engine import Database, connect
from tallystick.services.ids import new_id
from tests.world import SoldPlan, World, open_world


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own."""
    return await open_world(db)


@pytest.fixture
async def plan(world: World) -> SoldPlan:
    """A published plan."""
    return await world.plan()


CHANGES = {
    "its terms": "update plan_versions set net_terms = 5 where tenant_id = $1 and id = $2",
    "its being published": "update plan_versions set published_at = null"
    " where tenant_id = $1 and id = $2",
    "its being there": "delete from plan_versions where tenant_id = $1 and id = $2",
    "a component's name": "update plan_components set name = 'Other'"
    " where tenant_id = $1 and plan_version_id = $2",
    "a component": "delete from plan_components where tenant_id = $1 and plan_version_id = $2",
    "a component's price": "delete from plan_component_prices choice"
    " using plan_components component where choice.tenant_id = $1"
    " and component.id = choice.component_id and component.plan_version_id = $2",
    "the order of prices": "update plan_component_prices choice set position = 7"
    " from plan_components component where choice.tenant_id = $1"
    " and component.id = choice.component_id and component.plan_version_id = $2",
    "one more component": "insert into plan_components (tenant_id, id, plan_version_id,"
    " product_id, name, position) select tenant_id, gen_random_uuid(), plan_version_id,"
    " product_id, 'More', 9 from plan_components where tenant_id = $1"
    " and plan_version_id = $2",
}

ONE_COMPONENT = """
    insert into plan_components (tenant_id, id, plan_version_id, product_id, name, position)
    values ($1, $2, $3, $4, 'Late', 0)
"""


@pytest.mark.parametrize("what", list(CHANGES))
async def test_nothing_of_a_published_version_changes(
    world: World, plan: SoldPlan, what: str
) -> None:
    """The database itself refuses, whoever asks."""
    with pytest.raises(
        asyncpg.IntegrityConstraintViolationError, match="never changes once its version is"
    ):
        await world.execute(CHANGES[what], world.tenant_id, plan.version_id)


async def test_no_add_on_joins_a_published_version(world: World, plan: SoldPlan) -> None:
    """What a version sells is settled when it is published."""
    (product,) = plan.products.values()
    price = (await world.one("select id from prices"))["id"]
    add_on = new_id()
    await world.execute(
        "insert into add_ons (tenant_id, id, product_id, price_id, name, created_at)"
        " values ($1, $2, $3, $4, 'Care', now())",
        world.tenant_id,
        add_on,
        product,
        price,
    )

    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="plan_add_ons"):
        await world.execute(
            "insert into plan_add_ons (tenant_id, plan_version_id, add_on_id)"
            " values ($1, $2, $3)",
            world.tenant_id,
            plan.version_id,
            add_on,
        )


async def draft_of(world: World, plan: SoldPlan) -> UUID:
    """The next version of a plan, not published."""
    draft = new_id()
    await world.execute(
        "insert into plan_versions (tenant_id, id, plan_id, version, currency, created_at)"
        " values ($1, $2, $3, 2, 'EUR', now())",
        world.tenant_id,
        draft,
        plan.id,
    )
    return draft


async def test_nothing_moves_out_of_a_published_version(world: World, plan: SoldPlan) -> None:
    """Neither a component nor a choice of prices is taken from it to a draft."""
    draft, other = await draft_of(world, plan), new_id()
    await world.execute(ONE_COMPONENT, world.tenant_id, other, draft, plan.products["Fee"])
    component = "update plan_components set plan_version_id = $1, position = 7"
    choice = "update plan_component_prices set component_id = $1"
    moves = (
        (f"{component} where plan_version_id = $2", (draft, plan.version_id)),
        (f"{choice} where component_id = $2", (other, plan.components["Fee"])),
    )
    for move, places in moves:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="never changes"):
            await world.execute(move, *places)


async def test_a_component_comes_before_the_publication_or_not_at_all(
    world: World, plan: SoldPlan, database_dsn: str
) -> None:
    """Who publishes waits for a component being added; who adds to it then is refused."""
    draft = await draft_of(world, plan)
    one, other = await connect(database_dsn), await connect(database_dsn)
    adding = one.transaction()
    await adding.start()
    await one.execute(ONE_COMPONENT, world.tenant_id, new_id(), draft, plan.products["Fee"])
    publishing = asyncio.create_task(
        other.execute("update plan_versions set published_at = now() where id = $1", draft)
    )
    done, _ = await asyncio.wait([publishing], timeout=0.3)
    assert not done
    await adding.commit()
    await publishing

    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="never changes"):
        await one.execute(ONE_COMPONENT, world.tenant_id, new_id(), draft, plan.products["Fee"])
    await one.close()
    await other.close()


async def test_a_price_never_changes(world: World) -> None:
    """Whoever bought at a price keeps it."""
    await world.plan()
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="prices never changes"):
        await world.execute(
            "update prices set currency = 'USD' where tenant_id = $1", world.tenant_id
        )


async def test_a_draft_may_still_change(world: World, plan: SoldPlan) -> None:
    """Until it is published, a version and its components are the merchant's to edit."""
    draft = await draft_of(world, plan)

    edits: list[Callable[[], Awaitable[None]]] = [
        lambda: world.execute("update plan_versions set net_terms = 5 where id = $1", draft),
        lambda: world.execute("delete from plan_versions where id = $1", draft),
    ]
    for edit in edits:
        await edit()

    assert [row["version"] for row in await world.fetch("select * from plan_versions")] == [1]


async def test_a_plan_has_one_draft_at_a_time(world: World, plan: SoldPlan) -> None:
    """A second draft of one plan is refused by its index."""
    insert = (
        "insert into plan_versions (tenant_id, id, plan_id, version, currency, created_at)"
        " values ($1, $2, $3, $4, 'EUR', now())"
    )
    await world.execute(insert, world.tenant_id, new_id(), plan.id, 2)

    with pytest.raises(asyncpg.UniqueViolationError, match="one_draft_version"):
        await world.execute(insert, world.tenant_id, new_id(), plan.id, 3)
