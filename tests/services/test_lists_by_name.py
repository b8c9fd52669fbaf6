"""Lists in the order of customers' and plans' names, also while customers are renamed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from tallystick.db import customer_renamings, invoices, paging, plan_slices, subscriptions
from tallystick.db.engine import Tx, connect
from tallystick.db.paging import Window
from tallystick.services.examine import examine
from tallystick.services.ids import new_id
from tallystick.services.pass_on_names import pass_on_names
from tests.world import World

RENAME = "update customers set name = $2 where id = $1"

ONE_MORE = """
    insert into subscriptions
    select (jsonb_populate_record(null::subscriptions, to_jsonb(s) || jsonb_build_object(
        'id', $2::uuid, 'checkout_session_id', null, 'status', 'CANCELLED',
        'next_step_on', null, 'customer_sort_name', 'whatever'))).*
    from subscriptions s where id = $1
"""


@pytest.fixture
async def other(database_dsn: str) -> AsyncIterator[Tx]:
    """A connection of somebody else."""
    connection = await connect(database_dsn)
    yield connection
    await connection.close()


async def buyers(world: World, *names: str) -> list[UUID]:
    """Customers who have bought, one subscription and one invoice each."""
    plan = await world.plan()
    made = []
    for name in names:
        made.append(await world.customer(name))
        await world.confirm(await world.session(made[-1], plan))
        await world.execute(RENAME, made[-1], name)
    return made


async def by_customer(world: World, *, descending: bool = False) -> list[UUID]:
    """Whose subscriptions are listed by customer name; invoices are in the same order."""
    window = Window(limit=100, offset=0, order="customer_name", descending=descending)
    async with world.database.transaction() as tx:
        subscribed = await subscriptions.page(tx, world.tenant_id, window)
        billed = await invoices.page(tx, world.tenant_id, window)
    found = [one.customer_id for one in subscribed.items]
    assert [one.customer_id for one in billed.items] == found
    return found


async def by_plan(world: World, **wanted: Any) -> tuple[list[UUID], int]:  # noqa: ANN401
    """The ids of subscriptions, listed by plan name, and how many there are."""
    values = {"limit": 100, "offset": 0, "descending": False, **wanted}
    window = Window(
        order="plan_name",
        **{name: values.pop(name) for name in ("limit", "offset")},
        descending=values.pop("descending"),
    )
    async with world.database.transaction() as tx:
        page = await subscriptions.page(tx, world.tenant_id, window, **values)
    return [one.id for one in page.items], page.total


async def waiting(world: World) -> list[str]:
    """Former names that may still be in use."""
    rows = await world.fetch("select sort_name from customer_renamings order by sort_name")
    return [row["sort_name"] for row in rows]


async def settle(world: World) -> None:
    """Let periodic work have its turns; who had read a former name has ended."""
    for _ in range(400):
        await pass_on_names(world.app)
        if not await waiting(world):
            return
        # Transactions of other databases of the server count, too.
        await asyncio.sleep(0.05)
    pytest.fail("a former name is never forgotten")


async def test_a_renamed_customer_moves_at_once(world: World) -> None:
    """What a renamed customer has is listed by the new name; its invoice keeps the old one."""
    bee, ant, cat = await buyers(world, "bee", "Ant", "Cat")
    assert await by_customer(world) == [ant, bee, cat]

    await world.execute(RENAME, ant, "Dog")

    assert await by_customer(world) == [bee, cat, ant]
    assert await by_customer(world, descending=True) == [ant, cat, bee]
    billed = await world.one(
        "select customer_details ->> 'name' as name from invoices where customer_id = $1", ant
    )
    assert billed["name"] != "Dog"
    assert (await examine(world.database)).breaches == ()
    await settle(world)
    assert await by_customer(world) == [bee, cat, ant]
    assert (await examine(world.database)).breaches == ()


async def test_customers_of_one_name_are_in_the_order_of_what_they_bought(
    world: World,
) -> None:
    """Upper and lower case are one name; ties go by id, forwards and backwards."""
    made = await buyers(world, "same", "SAME", "Same")

    assert await by_customer(world) == made
    assert await by_customer(world, descending=True) == made[::-1]

    # Another case is no other name.
    await settle(world)
    await world.execute(RENAME, made[0], "SamE")
    assert await waiting(world) == []


async def test_nobody_is_waited_for_by_a_renaming(world: World, other: Tx) -> None:
    """An invoice that somebody has locked follows later; a turn passes on until all have."""
    (ant,) = await buyers(world, "Ant")
    await settle(world)
    under_way = other.transaction()
    await under_way.start()
    await other.execute("select from invoices for update")
    await world.execute(RENAME, ant, "Bee")
    await pass_on_names(world.app)

    names = "select customer_sort_name as name from invoices"
    assert (await world.one(names))["name"] == "ant"
    assert (await examine(world.database)).breaches == ()

    await under_way.commit()
    await settle(world)
    assert (await world.one(names))["name"] == "bee"
    assert (await examine(world.database)).breaches == ()


async def test_many_rows_follow_in_several_transactions(
    world: World, other: Tx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three subscriptions, one in each transaction: one turn passes the name on to all."""
    (ant,) = await buyers(world, "Ant")
    first = await world.one("select id from subscriptions")
    for _ in range(2):
        await world.execute(ONE_MORE, first["id"], new_id())
    await settle(world)
    async with other.transaction():
        await other.execute("select from subscriptions for update")
        await world.execute(RENAME, ant, "Bee")
    monkeypatch.setattr(customer_renamings, "ROWS_MAX", 1)

    # Three with something to move, and a last look.
    assert await pass_on_names(world.app) == 4
    rows = await world.fetch("select distinct customer_sort_name as name from subscriptions")
    assert [row["name"] for row in rows] == ["bee"]


async def test_what_is_written_meanwhile_follows(world: World, other: Tx) -> None:
    """Who has read the former name and is not done yet keeps it from being forgotten."""
    (ant,) = await buyers(world, "Ant")
    await settle(world)
    first = await world.one("select id from subscriptions")
    late = new_id()
    writing = other.transaction()
    await writing.start()
    await other.execute(ONE_MORE, first["id"], late)
    await world.execute(RENAME, ant, "Bee")
    for _ in range(3):
        await pass_on_names(world.app)
    assert await waiting(world) == ["ant"]

    await writing.commit()
    name = "select customer_sort_name as name from subscriptions where id = $1"
    assert (await world.one(name, late))["name"] == "ant"
    await settle(world)
    assert (await world.one(name, late))["name"] == "bee"
    assert (await examine(world.database)).breaches == ()


async def test_a_customer_who_is_renamed_back_is_done_with(world: World) -> None:
    """There and back again, in one transaction and in two: the first name stands."""
    (ant,) = await buyers(world, "Ant")
    async with world.database.transaction() as tx:
        await tx.execute(RENAME, ant, "Bee")
        await tx.execute(RENAME, ant, "Ant")
    await world.execute(RENAME, ant, "Cat")
    await world.execute(RENAME, ant, "Ant")
    await settle(world)

    rows = await world.fetch(
        "select customer_sort_name as name from subscriptions"
        " union select customer_sort_name from invoices"
    )
    assert [row["name"] for row in rows] == ["ant"]


async def test_numbers_of_another_server_are_not_waited_for(world: World) -> None:
    """On a server that has given out fewer numbers, a former name is forgotten, too."""
    (ant,) = await buyers(world, "Ant")
    await world.execute(RENAME, ant, "Bee")
    await world.execute("update customer_renamings set settles_at = '9000000000000'")

    await settle(world)


async def test_subscriptions_by_plan_name_are_exact_on_every_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plans of one name, archived, renamed, without subscriptions; by status; either way."""
    for module in (paging, plan_slices):
        monkeypatch.setattr(module, "NEAR", 1)
    plans = {name: await world.plan(name=name) for name in ("Team", "Pro", "TEAM", "Max", "No")}
    for name in ("Team", "Pro", "TEAM", "Max", "TEAM", "Team", "Pro", "Team"):
        await world.confirm(await world.session(await world.customer(), plans[name]))
    rename = "update plans set name = $2 where id = $1"
    await world.execute(rename, plans["Pro"].id, "zero")
    await world.execute(
        "update plans set status = 'ARCHIVED', archived_at = now() where id = $1",
        plans["Max"].id,
    )
    rows = await world.fetch(
        "select s.id, s.plan_id from subscriptions s join plans p on p.id = s.plan_id"
        " order by lower(p.name), s.id"
    )
    every = [row["id"] for row in rows]
    assert [row["plan_id"] for row in rows][:1] == [plans["Max"].id]
    assert {row["plan_id"] for row in rows[-2:]} == {plans["Pro"].id}
    for descending in (False, True):
        wanted = every[::-1] if descending else every
        for limit in (1, 3, 8):
            for offset in range(0, 10, limit):
                found = await by_plan(world, limit=limit, offset=offset, descending=descending)
                assert found == (wanted[offset : offset + limit], 8)

    suspended = every[2:5]
    await world.execute(
        "update subscriptions set status = 'SUSPENDED' where id = any($1)", suspended
    )
    assert await by_plan(world, statuses=["SUSPENDED"]) == (suspended, 3)
    assert await by_plan(world, statuses=["SUSPENDED"], descending=True, limit=1) == (
        suspended[2:],
        3,
    )
    assert await by_plan(world, statuses=["CANCELLED"]) == ([], 0)
    of_pro = await by_plan(world, plan_id=plans["Pro"].id, offset=1)
    assert of_pro == (every[-1:], 2)
