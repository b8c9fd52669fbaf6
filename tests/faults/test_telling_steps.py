"""A process fails at every step of telling a provider: in the end it knows, and is left be."""

from contextlib import suppress
from uuid import UUID

import pytest

from tallystick.services.ids import new_id
from tallystick.services.keep_method import keep_method
from tallystick.services.tell_providers import forget_methods, tell_of_customers
from tests.connected import Connected
from tests.faults.process import BROKEN, Break, Process, in_process
from tests.scripted_bank import ScriptedBank, with_bank
from tests.services.test_telling_providers import (
    bought,
    is_sound,
    known,
    later,
    merchant,
    removed,
    renamed,
    shop,
    twin,
    wires,
)
from tests.world import GLOBEX, NOON, World

__all__ = ["merchant", "shop", "twin", "wires"]


async def removed_in(
    world: World, bank: ScriptedBank, customer: UUID, process: Process
) -> None:
    """Remove the only method, and let a worker tell of it, in a process that fails."""
    method_id, method = new_id(), await world.card()
    async with world.app.transaction() as tx:
        await keep_method(world.ctx, tx, customer, method_id, method, world.ctx.now)
    frail = in_process(world, bank, process)
    with suppress(*BROKEN):
        await removed(frail, customer)
        await forget_methods(frail.app, NOON)
    row = await world.one("select archived_at from payment_methods where id = $1", method_id)
    is_kept = await world.provider.look_at_method(world.tenant_id, method.token) is not None
    assert is_kept or row["archived_at"] is not None, "only what was removed is let go"
    if row["archived_at"] is None:
        await removed(world, customer)

    await later(world)

    assert await world.provider.look_at_method(world.tenant_id, method.token) is None


@pytest.mark.parametrize("how", Break)
async def test_a_method_is_let_go_in_the_end(world: World, how: Break) -> None:
    """Wherever it fails: never before it was removed, and once it was, always."""
    bank = ScriptedBank(world.sandbox)
    world = with_bank(world, bank)
    customer = await world.customer()
    process = Process()
    await removed_in(world, bank, customer, process)
    assert [one for one in process.steps if "asking" in one] == ["before asking: forget_method"]

    for step in range(1, len(process.steps) + 1):
        await removed_in(world, bank, customer, Process(step, how))

    told = await world.one(
        "select count(*) as events, count(distinct object_id) as methods from events "
        "where type = 'payment_method.removed'"
    )
    assert told["events"] == told["methods"] == len(process.steps) + 1
    assert await later(world) == (0, 0)
    await is_sound(world)


async def test_a_customer_is_told_in_the_end(shop: Connected) -> None:
    """Wherever it fails: the account knows what is stored, and no more is due."""
    customer = await bought(shop)
    bank = ScriptedBank(shop.world.provider)
    world = with_bank(shop.world, bank)

    async def renamed_in(process: Process, name: str) -> None:
        frail = in_process(world, bank, process)
        with suppress(*BROKEN):
            await renamed(frail, customer, name=name)
            await tell_of_customers(frail.app, NOON)
        await later(world)
        row = await world.one("select name from customers")
        assert known(shop) == (row["name"], GLOBEX.email)

    process = Process()
    await renamed_in(process, "Globex 0")
    asked = [one for one in process.steps if "asking" in one]
    assert asked == ["before asking: update_customer"]
    for step in range(1, len(process.steps) + 1):
        await renamed_in(Process(step), f"Globex {step}")

    assert await later(world) == (0, 0)
    await is_sound(world)
