"""A process fails at every step of hearing of a refund that came back, and giving it again."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

import pytest

from tallystick.domain.errors import TallystickError
from tallystick.services.came_back import give_back_again
from tallystick.services.look_into_money import record_failed_refunds
from tests.faults.process import BROKEN, Break, Process, in_process
from tests.scripted_bank import ScriptedBank, with_bank
from tests.services.test_came_back import failures, given_back, named_by_doctor, orphan
from tests.services.test_reconcile import states, taken
from tests.world import NOON, World

Work = Callable[[World], Awaitable[object]]


async def hears(world: World) -> None:
    """The worker goes round."""
    await record_failed_refunds(world.app, NOON)


async def fails_once(world: World, script: ScriptedBank, process: Process, work: Work) -> None:
    """The work is begun by a process that fails, and done by one that does not."""
    with suppress(*BROKEN, TallystickError):
        await work(in_process(world, script, process))
    with suppress(TallystickError):
        await work(world)


@pytest.mark.parametrize("how", Break)
async def test_it_is_told_once_and_given_once(world: World, how: Break) -> None:
    """Wherever: EUR 49 come back again and again, each time told once and given once."""
    script = ScriptedBank(world.sandbox)
    shop = with_bank(world, script)
    reference = await taken(world)
    await states(world)
    orphan_id = (await orphan(world))["id"]
    assert isinstance(orphan_id, UUID)

    async def gives(world: World) -> object:
        return await give_back_again(world.ctx, orphan_id)

    async def once_more(hearing: Process, giving: Process) -> None:
        tries = (await orphan(world))["tries"]
        key = f"{orphan_id}:refund" if tries == 1 else f"{orphan_id}:refund:{tries}"
        await world.sandbox.send_refund_back(world.tenant_id, reference, key, "closed")
        await fails_once(shop, script, hearing, hears)
        assert (await orphan(world))["state"] == "REFUSED"
        await fails_once(shop, script, giving, gives)
        assert (await orphan(world))["state"] == "REFUNDED"

    hearing, giving = Process(), Process()
    await once_more(hearing, giving)
    steps = max(len(hearing.steps), len(giving.steps))
    for step in range(1, steps + 1):
        await once_more(Process(step, how), Process(step, how))

    assert await given_back(world) == [-4900, *[4900, -4900] * (steps + 1)]
    assert await failures(world) == [orphan_id] * (steps + 1)
    assert await named_by_doctor(world) == set()
