"""Lists know their length without counting, and find pages far down from the other end."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tallystick.db import (
    customers,
    invoices,
    list_counts,
    listed_sessions,
    paging,
    subscriptions,
)
from tallystick.db.paging import Page, Window
from tallystick.domain.session import SessionState
from tallystick.services.compact_list_counts import compact_list_counts
from tallystick.services.examine import examine
from tests.world import World

Lister = Callable[[Window], Awaitable[Page[Any]]]

PURCHASES = 7


@pytest.fixture
async def busy(world: World) -> World:
    """A few purchases, an open session, one whose time is up, and an archived customer."""
    plan = await world.plan()
    for number in range(PURCHASES):
        buyer = await world.customer("Buyer")
        await world.confirm(await world.session(buyer, plan))
        name = f"Buyer {number % 3}"
        await world.execute("update customers set name = $2 where id = $1", buyer, name)
    await world.session(await world.customer("Open"), plan, expires_in_hours=0)
    await world.session(await world.customer("Late"), plan, expires_in_hours=1)
    gone = await world.customer("Gone")
    await world.execute("update customers set archived_at = now() where id = $1", gone)
    return world


def lists_of(world: World) -> dict[str, tuple[Lister, dict[str, str]]]:
    """Every long list of the shop, with its orders."""
    database, tenant_id = world.database, world.tenant_id

    async def of_customers(window: Window) -> Page[Any]:
        async with database.transaction() as tx:
            return await customers.page(tx, tenant_id, window, search=None, archived=False)

    async def of_subscriptions(window: Window) -> Page[Any]:
        async with database.transaction() as tx:
            return await subscriptions.page(tx, tenant_id, window)

    async def of_invoices(window: Window) -> Page[Any]:
        async with database.transaction() as tx:
            return await invoices.page(tx, tenant_id, window)

    async def of_sessions(window: Window) -> Page[Any]:
        async with database.transaction() as tx:
            records, total = await listed_sessions.page(
                tx, tenant_id, window, customer_id=None, status=None, now=world.ctx.now
            )
        return Page(items=tuple(one.session for one in records), total=total)

    return {
        "customers": (of_customers, customers.ORDERS),
        "subscriptions": (of_subscriptions, subscriptions.ORDERS),
        "invoices": (of_invoices, invoices.ORDERS),
        "sessions": (of_sessions, {"created_at": "s.created_at"}),
    }


async def ids(lister: Lister, **window: Any) -> tuple[list[UUID], int]:  # noqa: ANN401
    """The ids of a part of a list, and the list's length."""
    page = await lister(Window(**window))
    return [one.id for one in page.items], page.total


@pytest.mark.parametrize("name", ["customers", "subscriptions", "invoices", "sessions"])
async def test_a_page_is_the_same_from_either_end(
    busy: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """In every order, each page has the rows that a walk through the whole list finds there."""
    lister, orders = lists_of(busy)[name]
    monkeypatch.setattr(paging, "NEAR", 1)
    for order in orders:
        for descending in (False, True):
            way = {"order": order, "descending": descending}
            every, total = await ids(lister, limit=100, offset=0, **way)
            assert len(every) == total > 6
            found = []
            for offset in range(0, total + 4, 2):
                page, told = await ids(lister, limit=2, offset=offset, **way)
                assert told == total
                found += page
            assert found == every, order


async def test_lengths_follow_every_change(busy: World) -> None:
    """After purchases, archiving and compaction the lengths are those that counting finds."""
    assert (await examine(busy.database)).breaches == ()
    assert await compact_list_counts(busy.app) == 0
    for _ in range(2 * list_counts.ROWS_MAX):
        await busy.execute("update customers set archived_at = now() where name = 'Open'")
        await busy.execute("update customers set archived_at = null where name = 'Open'")
    await asyncio.gather(*(compact_list_counts(busy.app) for _ in range(4)))

    rows = await busy.fetch(
        "select facet, difference from list_counts where list = 'customers'"
    )
    assert {(row["facet"], row["difference"]) for row in rows} == {
        ("ACTIVE", PURCHASES + 2),
        ("ARCHIVED", 1),
    }
    assert len(rows) == 2
    assert (await examine(busy.database)).breaches == ()


async def test_a_session_whose_time_is_up_counts_as_expired(busy: World) -> None:
    """Before the sweeper has been there, lengths by status are those of the reported status."""
    later = busy.ctx.now + timedelta(hours=2)
    lengths = {}
    for status in SessionState:
        async with busy.database.transaction() as tx:
            records, lengths[status.value] = await listed_sessions.page(
                tx,
                busy.tenant_id,
                Window(limit=100, offset=0, order="created_at", descending=True),
                customer_id=None,
                status=status,
                now=later,
            )
        assert len(records) == lengths[status.value]

    assert lengths == {
        "CREATED": 1,
        "AWAITING_PAYMENT": 0,
        "COMPLETED": PURCHASES,
        "EXPIRED": 1,
        "CANCELLED": 0,
    }


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("uyer 1", {"Buyer 1"}),
        ("BUYER", {"Buyer 0", "Buyer 1", "Buyer 2"}),
        ("bu", {"Buyer 0", "Buyer 1", "Buyer 2"}),
        ("uy", set()),
        ("%", set()),
        ("a%t", set()),
        ("Gone", set()),
        ("lobex.ex", {"Open"}),
        ("ACC-7", {"Late"}),
        ("7", set()),
        ("ac", {"Late"}),
    ],
)
async def test_searching(busy: World, search: str, names: set[str]) -> None:
    """Three characters are found anywhere, fewer where a name, an alias or an email begins."""
    await busy.execute("update customers set billing_email = null, alias = null")
    await busy.execute(
        "update customers set billing_email = 'Ap@Globex.Example' where name = 'Open'"
    )
    await busy.execute("update customers set alias = 'acc-7' where name = 'Late'")
    async with busy.database.transaction() as tx:
        page = await customers.page(
            tx,
            busy.tenant_id,
            Window(limit=100, offset=0, order="name", descending=False),
            search=search,
            archived=False,
        )

    assert {one.name for one in page.items} == names
    assert page.total == len(page.items)
