"""Reversals that meet: themselves, each other, and refunds of ours."""

import asyncio
from dataclasses import replace

import pytest

from tallystick.domain.credit_note import Amount, CreditNoteStatus, Refund
from tallystick.domain.errors import Conflict
from tallystick.services.examine import examine
from tallystick.services.record_reversal import record_reversal
from tests.crediting import bought, refunds_swept, sound, told, went_back
from tests.reversing import invented, reversals_are_told, reversible
from tests.scripted_bank import ScriptedBank, lost, silent, with_bank
from tests.world import World


async def test_ten_hear_of_it_at_once(busy: World) -> None:
    """Webhook, worker and door together: due once, told once."""
    bank = await reversible(await bought(busy))
    reported = await bank.takes_back(1000)

    await asyncio.gather(
        *(record_reversal(busy.ctx, reported) for _ in range(8)),
        *(reversals_are_told(busy) for _ in range(2)),
    )

    assert await bank.stands() == ("PARTIALLY_PAID", 1000)
    assert (await told(busy)).count("payment.reversed") == 1
    await sound(busy)
    won = await bank.decides(won=True)
    await asyncio.gather(*(record_reversal(busy.ctx, one) for one in [won, reported] * 5))

    assert await bank.stands() == ("PAID", 0)
    assert (await told(busy)).count("payment.reinstated") == 1
    assert (await told(busy)).count("invoice.paid") == 2
    await reversals_are_told(busy)
    await sound(busy)


async def test_twenty_of_more_than_was_paid(busy: World) -> None:
    """Of EUR 49 twenty times EUR 12 are taken: 49 are due, and 191 are lost; then all of them
    come back at once, and nothing is.
    """
    bank = await reversible(await bought(busy))
    taken = [invented(bank.reference, 1200, id=f"dp_{n}") for n in range(20)]

    await asyncio.gather(*(record_reversal(busy.ctx, one) for one in taken))

    row = await bank.billed.stands()
    assert (row["payment_status"], row["amount_due"]) == ("UNPAID", 4900)
    assert (row["reversed"], row["lost"]) == (4900, 24000 - 4900)
    # The test bank knows nothing of these; everything else agrees.
    breaches = (await examine(busy.database)).breaches
    assert {one.rule for one in breaches} == {"bank-reversal"}

    won = [replace(one, returned=1200) for one in taken]
    await asyncio.gather(*(record_reversal(busy.ctx, one) for one in (*won, *taken)))

    row = await bank.billed.stands()
    assert (row["payment_status"], row["reversed"], row["lost"]) == ("PAID", 0, 0)


async def test_refunds_and_disputes_at_once(busy: World) -> None:
    """Of EUR 49, ten refunds and ten reversals of EUR 12: what leaves is at most what came."""
    bank = await reversible(await bought(busy))

    async def taken() -> None:
        await bank.told(await bank.takes_back(1200, "REFUND"))

    done = await asyncio.gather(
        *(bank.billed.credit(Refund(), Amount(1200)) for _ in range(10)),
        *(taken() for _ in range(10)),
        return_exceptions=True,
    )
    unexpected = [
        one for one in done if isinstance(one, BaseException) and not isinstance(one, Conflict)
    ]
    assert [one for one in unexpected if "must be from" not in str(one)] == []
    await refunds_swept(busy)
    await reversals_are_told(busy)

    payment = await bank.transaction()
    assert payment.refunded + payment.reversed == 4800
    assert sum(await went_back(busy)) == payment.refunded
    assert (await bank.stands())[1] == payment.reversed
    await sound(busy)


async def test_disputed_while_a_refund_is_under_way(world: World) -> None:
    """The question was lost: the bank takes all of it first, refuses the refund, and the note
    is void without a number.
    """
    script = ScriptedBank(world.sandbox)
    script.script("refund", silent)
    bank = await reversible(await bought(with_bank(world, script)))
    note = await bank.billed.credit(Refund())
    assert note.status is CreditNoteStatus.DRAFT

    await bank.disputed()
    assert await bank.stands() == ("UNPAID", 4900)
    await sound(world)
    await refunds_swept(bank.world)

    row = await world.one("select status, number from credit_notes")
    assert tuple(row.values()) == ("VOIDED", None)
    assert (await went_back(world), await bank.stands()) == ([], ("UNPAID", 4900))
    await sound(world)


async def test_disputed_after_a_refund_that_nobody_heard_of(world: World) -> None:
    """The answer was lost: what is left is disputed, and the note goes out."""
    script = ScriptedBank(world.sandbox)
    script.script("refund", lost)
    bank = await reversible(await bought(with_bank(world, script)))
    await bank.billed.credit(Refund(), Amount(4000))

    with pytest.raises(Conflict, match="Of this payment 900"):
        await bank.takes_back(901, "REFUND")
    await bank.disputed(900)
    await refunds_swept(bank.world)

    row = await world.one("select status, number from credit_notes")
    assert tuple(row.values()) == ("FINALIZED", 1)
    assert (await went_back(world), await bank.stands()) == ([4000], ("PARTIALLY_PAID", 900))
    await sound(world)


async def test_a_bank_that_loses_it_twice(world: World) -> None:
    """A dispute of what was refunded before, as card networks allow: it is a fact, so it is
    due again, and no note sends a cent more.
    """
    bank = await reversible(await bought(world))
    await bank.billed.credit(Refund())

    await record_reversal(world.ctx, invented(bank.reference, 4900))

    assert await bank.stands() == ("UNPAID", 4900)
    with pytest.raises(Conflict):
        await bank.billed.credit(Refund(), Amount(1))
    breaches = (await examine(world.database)).breaches
    assert {one.rule for one in breaches} == {"bank-reversal"}, "which it did not do itself"


async def test_a_person_pays_while_it_is_taken_back(busy: World) -> None:
    """Ten ask to charge what is due while more is taken: charged once, the rest stays due."""
    bank = await reversible(await bought(busy))
    await bank.refunded(1000)
    more = await bank.takes_back(500, "REFUND")

    await asyncio.gather(
        *(bank.pay() for _ in range(10)), bank.told(more), return_exceptions=True
    )

    charged = (await busy.charges())[1:]
    status, due = await bank.stands()
    assert sum(charged) + due == 1500
    assert charged in ([1000], [1500], [1000, 500])
    assert status == ("PARTIALLY_PAID" if due else "PAID")
    await sound(busy)
