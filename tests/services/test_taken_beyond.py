"""A provider takes more than a payment had brought: recorded to the cent, owed by nobody."""

import json

import pytest

from tallystick.domain.credit_note import Amount, PaidAmount, Refund
from tallystick.domain.errors import Conflict
from tallystick.services.change_invoice import void_invoice
from tallystick.services.examine import examine
from tallystick.services.record_reversal import record_reversal
from tests.crediting import bought, sound, told
from tests.reversing import Reversible, invented, reversals_are_told, reversible
from tests.subscribing import explain_all
from tests.world import World


async def figures(bank: Reversible) -> tuple[int, int, int]:
    """What is due of the invoice, reversed of it, and lost."""
    row = await bank.billed.stands()
    return row["amount_due"], row["reversed"], row["lost"]


async def noticed(world: World) -> list[str]:
    """What the doctor tells without calling it a breach."""
    examination = await examine(world.database)
    assert examination.breaches == ()
    return [one.about for one in examination.notices]


async def kept_by_bank(world: World) -> int:
    """The sum of the bank's ledger."""
    signs = {"CHARGE": 1, "REINSTATEMENT": 1, "REFUND_FAILED": 1}
    moved = await world.sandbox.movements(world.tenant_id)
    return sum(one.amount * signs.get(one.kind, -1) for one in moved)


async def test_a_dispute_by_another_rate(world: World) -> None:
    """EUR 53.10 of 49: 49 are due again, 4.10 are lost; won, all 53.10 are back."""
    bank = await reversible(await bought(world))

    await bank.disputed(5310)

    assert await figures(bank) == (4900, 4900, 410)
    payment = await bank.transaction()
    assert (payment.reversed, payment.lost, payment.shown_status) == (5310, 410, "REFUNDED")
    assert (await bank.entry()).lost == 410
    event = await world.one("select data from events where type = 'payment.reversed'")
    body = json.loads(event["data"])
    assert (body["amount"], body["amount_reversed"], body["amount_lost"]) == (4900, 5310, 410)
    assert await noticed(world) == [
        "410 EUR of invoice INV-1: 5310 taken back of a payment of 4900"
    ]
    assert await kept_by_bank(world) == -410
    await explain_all(world)
    await sound(world)

    await bank.won()

    assert (await bank.stands(), await figures(bank)) == (("PAID", 0), (0, 0, 0))
    payment = await bank.transaction()
    assert (payment.reversed, payment.lost, payment.shown_status) == (0, 0, "SETTLED")
    assert (await told(world))[-2:] == ["payment.reinstated", "invoice.paid"]
    assert (await noticed(world), await kept_by_bank(world)) == ([], 4900)
    await sound(world)


async def test_a_dispute_of_what_the_bank_had_refunded(world: World) -> None:
    """EUR 19 refunded by hand, then all 49 disputed: 49 are due, and 19 are lost; won, 19 are
    due, as before the dispute.
    """
    bank = await reversible(await bought(world))
    await bank.refunded(1900)

    await bank.disputed(4900)

    assert (await bank.stands(), await figures(bank)) == (("UNPAID", 4900), (4900, 4900, 1900))
    await sound(world)
    await bank.won()
    assert (await bank.stands(), await figures(bank)) == (
        ("PARTIALLY_PAID", 1900),
        (1900, 1900, 0),
    )
    await sound(world)


async def test_a_dispute_of_what_we_had_refunded(world: World) -> None:
    """EUR 10 under a note, then all 49 disputed: the customer has both, and owes all 49; of a
    dispute of 55 the 6 that nobody had paid are lost.
    """
    bank = await reversible(await bought(world))
    await bank.billed.credit(Refund(payment_id=bank.payment), PaidAmount(1000))

    await bank.disputed(5500)

    assert await figures(bank) == (4900, 4900, 600)
    assert await kept_by_bank(world) == 4900 - 1000 - 5500
    with pytest.raises(Conflict):
        await bank.billed.credit(Refund(), Amount(1))
    await explain_all(world)
    await sound(world)
    await bank.won()
    assert (await bank.stands(), await figures(bank)) == (("PAID", 0), (0, 0, 0))
    await sound(world)


async def test_a_dispute_that_is_lost_leaves_the_loss(world: World) -> None:
    """It is paid again by card, 49 and no more, and the doctor goes on telling of the rest."""
    bank = await reversible(await bought(world))
    await bank.disputed(5310)
    await bank.told(await bank.decides(won=False))

    await bank.pay()

    assert (await bank.stands(), await world.charges()) == (("PAID", 0), [4900, 4900])
    assert await figures(bank) == (0, 4900, 410)
    assert (await bank.transaction()).reversal_kind == "CHARGEBACK"
    assert len(await noticed(world)) == 1
    await sound(world)


async def test_what_is_won_after_it_was_paid_again(world: World) -> None:
    """Of EUR 53.10 the loss of 4.10 is made good, and 49 are the customer's."""
    bank = await reversible(await bought(world))
    await bank.disputed(5310)
    await bank.pay()

    await bank.won()

    assert (await figures(bank), await bank.billed.balance()) == ((0, 4900, 0), 4900)
    await sound(world)


async def test_a_void_invoice(world: World) -> None:
    """All was taken and more: it can be voided, the loss stays, and is made good first."""
    bank = await reversible(await bought(world))
    await bank.disputed(5310)
    async with world.app.transaction() as tx:
        await void_invoice(world.ctx.within(tx), bank.billed.id)
    assert await figures(bank) == (0, 4900, 410)
    await sound(world)

    await bank.won()

    assert (await figures(bank), await bank.billed.balance()) == ((0, 4900, 0), 4900)
    await sound(world)


async def test_more_was_taken_than_was_said_first(world: World) -> None:
    """EUR 49, then 53.10 under the same id: told twice; an older report is refused."""
    bank = await reversible(await bought(world))
    first = invented(bank.reference, 4900)
    await record_reversal(world.ctx, first)

    for _ in range(2):
        await record_reversal(world.ctx, invented(bank.reference, 5310))

    assert await figures(bank) == (4900, 4900, 410)
    with pytest.raises(Conflict, match="is known with 5310"):
        await record_reversal(world.ctx, first)
    assert (await told(world)).count("payment.reversed") == 2


async def test_the_worker_records_what_exceeds_a_payment(world: World) -> None:
    """It is told once, and not again and again."""
    bank = await reversible(await bought(world))
    await bank.takes_back(1000, "REFUND")
    await bank.takes_back(12000)

    assert await reversals_are_told(world) == 2
    assert await reversals_are_told(world) == 0

    assert await figures(bank) == (4900, 4900, 8100)
    await sound(world)
