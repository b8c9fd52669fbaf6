"""A process fails at every step of a refund: the money goes back once, under one note."""

from contextlib import suppress

import pytest

from tallystick.domain.credit_note import Amount, CreditNoteStatus, Refund
from tallystick.domain.errors import TallystickError
from tallystick.services.ids import new_id
from tests.crediting import Billed, bought, refunds_swept, sound, went_back
from tests.faults.process import BROKEN, Break, Process, in_process
from tests.scripted_bank import ScriptedBank, with_bank
from tests.world import World


async def refund_in(billed: Billed, bank: ScriptedBank, process: Process, amount: int) -> None:
    """Refund an amount in a process that fails, sweep, and ask again under the same id."""
    world, note_id = billed.world, new_id()
    frail = Billed(
        world=in_process(world, bank, process), customer_id=billed.customer_id, id=billed.id
    )
    before = len(await went_back(world))
    with suppress(*BROKEN, TallystickError):
        await frail.credit(Refund(), Amount(amount), note_id=note_id)
    await refunds_swept(world)
    await sound(world)
    assert len(await went_back(world)) <= before + 1

    note = await billed.credit(Refund(), Amount(amount), note_id=note_id)

    assert note.status is CreditNoteStatus.FINALIZED
    back = await went_back(world)
    assert back[before:] == [note.refunded], process.steps[-2:]


@pytest.mark.parametrize("how", Break)
async def test_a_process_fails_at_any_step(world: World, how: Break) -> None:
    """Wherever: sooner or later one refund of the amount, and numbers without a gap."""
    bank = ScriptedBank(world.sandbox)
    billed = await bought(with_bank(world, bank), balance=900)
    process = Process()
    await refund_in(billed, bank, process, 20)
    assert [one for one in process.steps if "asking" in one] == ["before asking: refund"]

    for step in range(1, len(process.steps) + 1):
        await refund_in(billed, bank, Process(step, how), 20 + step)

    rows = await world.fetch("select number from credit_notes order by number")
    assert [row["number"] for row in rows] == list(range(1, len(process.steps) + 2))
    stands = await billed.stands()
    assert (stands["payment_status"], stands["amount_due"]) == ("PAID", 0)
    await sound(world)
