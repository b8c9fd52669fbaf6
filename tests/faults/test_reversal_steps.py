"""A process fails at every step of a reversal: it is recorded once, whoever hears of it."""

from contextlib import suppress

import pytest

from tallystick.domain.errors import TallystickError
from tallystick.services.record_reversal import record_reversal
from tests.crediting import bought, sound, told
from tests.faults.process import BROKEN, Break, Process, in_process
from tests.reversing import Reversible, reversals_are_told, reversible
from tests.scripted_bank import ScriptedBank, with_bank
from tests.world import World


async def disputed_in(bank: Reversible, script: ScriptedBank, process: Process) -> None:
    """A dispute is opened, and won, and each time the process that hears of it fails."""
    frail = in_process(bank.world, script, process)
    for reported in (await bank.takes_back(500), await bank.decides(won=True)):
        with suppress(*BROKEN, TallystickError):
            await record_reversal(frail.ctx, reported)
            await reversals_are_told(frail)
    await sound(bank.world)
    await reversals_are_told(bank.world)
    assert await reversals_are_told(bank.world) == 0
    assert await bank.stands() == ("PAID", 0)


async def lost_in(bank: Reversible, script: ScriptedBank, process: Process) -> None:
    """A dispute of a cent is opened, and the process that hears of it fails."""
    frail = in_process(bank.world, script, process)
    reported = await bank.takes_back(1)
    with suppress(*BROKEN, TallystickError):
        await record_reversal(frail.ctx, reported)
        await reversals_are_told(frail)
    await sound(bank.world)
    await reversals_are_told(bank.world)
    await bank.decides(won=False)
    await reversals_are_told(bank.world)


@pytest.mark.parametrize("how", Break)
async def test_a_process_fails_at_any_step(world: World, how: Break) -> None:
    """Wherever: one reversal of the amount, one event of each kind."""
    script = ScriptedBank(world.sandbox)
    bank = await reversible(await bought(with_bank(world, script)))
    process = Process()
    await lost_in(bank, script, process)
    assert not [one for one in process.steps if "asking" in one], "the provider is not asked"

    for step in range(1, len(process.steps) + 1):
        await lost_in(bank, script, Process(step, how))

    times = len(process.steps) + 1
    assert await bank.stands() == ("PARTIALLY_PAID", times)
    assert (await told(world)).count("payment.reversed") == times
    rows = await world.fetch("select amount, kind from reversals")
    assert [(row["amount"], row["kind"]) for row in rows] == [(1, "CHARGEBACK")] * times
    await sound(world)


@pytest.mark.parametrize("how", Break)
async def test_a_process_fails_at_any_step_of_a_return(world: World, how: Break) -> None:
    """Wherever: sooner or later it was taken once and came back once."""
    script = ScriptedBank(world.sandbox)
    bank = await reversible(await bought(with_bank(world, script)))
    process = Process()
    await disputed_in(bank, script, process)

    for step in range(1, len(process.steps) + 1, 2):
        await disputed_in(bank, script, Process(step, how))

    names = await told(world)
    assert names.count("payment.reversed") == names.count("payment.reinstated")
    await sound(world)
