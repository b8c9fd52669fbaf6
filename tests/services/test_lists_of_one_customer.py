"""Lists of one customer are found by the customer, however they are ordered.

An index in the order of the whole list has the customer's rows too, behind a million others.
"""

from typing import Any

import pytest

from tallystick.db import invoices, paging, subscriptions
from tallystick.db.paging import Picked, Window
from tests.world import World

ORDERS = [
    *(("invoices", order) for order in invoices.ORDERS),
    *(("subscriptions", order) for order in subscriptions.ORDERS),
]
OF_CUSTOMER = {"invoices": "invoice_date", "subscriptions": "created_at"}
"""The order in which an index has what a customer has."""

MANY_OTHERS = """
    set local session_replication_role = replica;
    insert into invoices select (jsonb_populate_record(one, jsonb_build_object(
        'id', gen_random_uuid(), 'customer_id', gen_random_uuid(),
        'subscription_id', gen_random_uuid(), 'number', 1000000 + n))).*
    from invoices one, generate_series(1, 2000) n;
    analyze invoices
"""
"""As good as what merchants have: among a few rows one index is as near as another."""


@pytest.mark.parametrize(("name", "order"), ORDERS)
async def test_no_whole_list_is_walked(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, order: str
) -> None:
    """Even where nothing is dearer than to sort, the two rows are sorted."""
    customer, plans = await world.customer(), [await world.plan(name=one) for one in "AB"]
    for plan in plans:
        await world.confirm(await world.session(customer, plan))
    await world.confirm(await world.session(await world.customer("Other"), plans[0]))
    found: list[Picked] = []
    pick = paging.pick

    async def noted(*args: Any, **values: Any) -> Picked:  # noqa: ANN401 - as it is called
        found.append(await pick(*args, **values))
        return found[-1]

    monkeypatch.setattr(paging, "pick", noted)
    of = invoices.page if name == "invoices" else subscriptions.page
    window = Window(limit=25, offset=0, order=order, descending=True)
    async with world.database.transaction() as tx:
        page = await of(tx, world.tenant_id, window, customer=customer)
        for way in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
            await tx.execute(f"set local enable_{way} = off")
        rows = await tx.fetch(f"explain {found[0].rows}", *found[0].values)
    plan_text = "\n".join(row[0] for row in rows)

    assert [one.customer_id for one in page.items] == [customer] * 2
    assert page.total == 2
    is_sorted = "Sort Key: " in plan_text
    assert is_sorted == (order != OF_CUSTOMER[name]), plan_text


async def test_a_customers_invoices_are_found_and_counted_in_their_index(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drafts in their grace are among them, of which lines are asked one by one."""
    customer, plan = await world.customer(), await world.plan()
    await world.confirm(await world.session(customer, plan))
    found: list[tuple[str, Any]] = []
    pick = paging.pick

    async def noted(*args: Any, **values: Any) -> Picked:  # noqa: ANN401 - as it is called
        picked = await pick(*args, **values)
        assert picked.rows is not None
        found.append((picked.rows, picked.values))
        found.append((values["length"].sql, values["length"].values))
        return picked

    monkeypatch.setattr(paging, "pick", noted)
    window = Window(limit=25, offset=0, order="invoice_date", descending=True)
    async with world.database.transaction() as tx:
        page = await invoices.page(tx, world.tenant_id, window, customer=customer)
        await tx.execute(MANY_OTHERS)
        for way in ("seqscan", "bitmapscan", "sort"):
            await tx.execute(f"set local enable_{way} = off")
        plans = [
            "\n".join(row[0] for row in await tx.fetch(f"explain {sql}", *values))
            for sql, values in found
        ]

    assert (page.total, len(page.items)) == (1, 1)
    for shown in plans:
        assert "using invoices_of_customer on invoices invoice" in shown
        assert "hashed SubPlan" not in shown
    assert "Index Only Scan Backward using invoices_of_customer" in plans[0]
    assert "using drafts_of_nothing" in plans[1]
