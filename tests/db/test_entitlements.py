"""The schema holds features and entitlements together, whoever writes them."""

from uuid import UUID

import asyncpg
import pytest

from tallystick.db.engine import Database
from tallystick.services.ids import new_id
from tests.world import NOON, World, open_world

BOOLEAN = '{"type": "BOOLEAN", "enabled": true}'
METERED = '{"type": "METERED", "limit": "5"}'


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own."""
    return await open_world(db)


async def feature(world: World, **columns: object) -> UUID:
    """A feature, there or not unless said otherwise."""
    feature_id = new_id()
    values = {"code": "sso", "name": "Sign-on", "feature_type": "BOOLEAN", **columns}
    row = {"tenant_id": world.tenant_id, "id": feature_id, **values}
    await world._insert("features", {**row, "created_at": NOON, "updated_at": NOON})
    return feature_id


async def entitlement(world: World, feature_id: UUID, **columns: object) -> None:
    """An entitlement, the feature's default unless said otherwise."""
    values = {"feature_type": "BOOLEAN", "value": BOOLEAN, **columns}
    row = {"tenant_id": world.tenant_id, "id": new_id(), "feature_id": feature_id, **values}
    await world._insert("entitlements", {**row, "created_at": NOON, "updated_at": NOON})


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"feature_type": "METERED"}, "metered_by_a_metric"),
        ({"value_type": "TEXT"}, "setting_has_a_type"),
        ({"feature_type": "CONFIG"}, "setting_has_a_type"),
        ({"feature_type": "CONFIG", "value_type": "SELECT"}, "selected_from_options"),
        (
            {"feature_type": "CONFIG", "value_type": "TEXT", "options": ["a"]},
            "selected_from_options",
        ),
        ({"code": ""}, "features_code_check"),
    ],
)
async def test_what_a_feature_cannot_be(
    world: World, columns: dict[str, object], constraint: str
) -> None:
    """A metric for what is metered, a type for settings, options for a choice."""
    with pytest.raises(asyncpg.CheckViolationError, match=constraint):
        await feature(world, **columns)


async def test_a_code_names_one_feature(world: World) -> None:
    """Also one that is archived keeps its code."""
    await feature(world, archived_at=NOON)
    with pytest.raises(asyncpg.UniqueViolationError, match="feature_code"):
        await feature(world)


async def test_a_thing_has_one_value_of_a_feature(world: World) -> None:
    """One default, one by each version; the parts that are null count as alike."""
    made, plan = await feature(world), await world.plan()
    await entitlement(world, made)
    await entitlement(world, made, plan_version_id=plan.version_id)
    for columns in ({}, {"plan_version_id": plan.version_id}):
        with pytest.raises(asyncpg.UniqueViolationError, match="one_value_each"):
            await entitlement(world, made, **columns)


async def test_a_value_is_of_the_features_type(world: World) -> None:
    """Neither a value of another type, nor a type that is not the feature's."""
    made = await feature(world)
    with pytest.raises(asyncpg.CheckViolationError, match="value_of_its_type"):
        await entitlement(world, made, value=METERED)
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="feature_type"):
        await entitlement(world, made, feature_type="METERED", value=METERED)


async def test_it_is_attached_to_one_thing(world: World) -> None:
    """Not to a version and an add-on at once."""
    made, plan = await feature(world), await world.plan()
    with pytest.raises(asyncpg.CheckViolationError, match="attached_to_one_thing"):
        await entitlement(world, made, plan_version_id=plan.version_id, add_on_id=new_id())


@pytest.mark.parametrize(
    "change",
    [
        "update features set code = 'other'",
        "update features set feature_type = 'CONFIG', value_type = 'TEXT'",
        "update entitlements set plan_version_id = (select id from plan_versions)",
        "update entitlements set created_at = now()",
    ],
)
async def test_what_never_changes(world: World, change: str) -> None:
    """A feature's code and type, and where an entitlement is attached."""
    await world.plan()
    await entitlement(world, await feature(world))
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="never changes once"):
        await world.execute(change)
    await world.execute("update features set name = 'Other', archived_at = now()")
    off = '{"type": "BOOLEAN", "enabled": false}'
    await world.execute("update entitlements set value = $1", off)
