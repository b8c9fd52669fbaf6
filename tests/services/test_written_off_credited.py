"""Crediting an invoice of which a rest was written off: all of it nets to zero, and what nobody
paid goes to nobody.
"""

import json
from uuid import UUID

import pytest

from tallystick.domain.credit_note import (
    Amount,
    CreditToBalance,
    DebtCancellation,
    Everything,
    LineCredit,
    Refund,
)
from tallystick.domain.credit_note_entry import CreditNoteEntry
from tallystick.domain.errors import Conflict
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RateFee
from tallystick.services.confirm_result import Completed
from tallystick.services.issue_credit_note import void_credit_note
from tests.crediting import Billed, sound, told
from tests.subscribing import explain_all
from tests.world import World, rate


async def written_off(
    world: World, price: str = "970", balance: int = 955, currency: str = "JPY"
) -> Billed:
    """Bought for a price, of which the balance pays all but what is too small to charge."""
    customer = await world.customer(currency=currency)
    if balance:
        await world.balance(customer, balance, currency)
    fee = ("Fee", RateFee(), [(Cadence.MONTHLY, rate(price))])
    session = await world.session(customer, await world.plan(fee, currency=currency))
    assert await world.confirm(session) == Completed()
    row = await world.one("select id, written_off, amount_due from invoices")
    assert (row["written_off"] > 0, row["amount_due"]) == (True, 0)
    return Billed(world=world, customer_id=customer, id=row["id"])


def parts(note: CreditNoteEntry) -> tuple[int, int, int, int]:
    """Its total, and what of it goes to the balance, to a card, and to nobody."""
    return note.total, note.credited, note.refunded, note.written_off


async def voided(world: World, note: UUID) -> None:
    """A person voids a note."""
    async with world.app.transaction() as tx:
        await void_credit_note(world.ctx.within(tx), note)


async def test_everything_nets_to_zero(world: World) -> None:
    """JPY 970, of which the balance paid 955 and 15 were written off: 955 go back to it."""
    billed = await written_off(world)

    note = await billed.credit(CreditToBalance(), Everything())

    assert parts(note) == (970, 955, 0, 15)
    assert await billed.balance() == 955
    row = await billed.stands()
    assert (row["payment_status"], row["amount_due"], row["written_off"]) == ("PAID", 0, 15)
    with pytest.raises(Conflict, match="Nothing is left to credit"):
        await billed.credit(CreditToBalance(), Everything())
    event = await world.one("select data from events where type = 'credit_note.finalized'")
    body = json.loads(event["data"])
    assert (body["total"], body["credited_amount_cents"]) == (-970, 955)
    assert body["written_off_amount_cents"] == 15
    await explain_all(world)
    await sound(world)


async def test_what_was_paid_goes_back_first(world: World) -> None:
    """JPY 500 of it are paid money, 460 more leave 5 of that beside 10 that nobody paid."""
    billed = await written_off(world)
    (line,) = await billed.lines()

    first = await billed.credit(CreditToBalance(), (LineCredit(line_id=line, amount=500),))
    second = await billed.credit(CreditToBalance(), Amount(460))
    rest = await billed.credit(CreditToBalance())

    assert [parts(one) for one in (first, second, rest)] == [
        (500, 500, 0, 0),
        (460, 455, 0, 5),
        (10, 0, 0, 10),
    ]
    assert await billed.balance() == 955
    assert (await told(world)).count("credit_note.finalized") == 3
    await sound(world)


async def test_a_voided_note_leaves_it_to_the_next(world: World) -> None:
    """The balance gives back what it got, no more, and the next note credits all of it."""
    billed = await written_off(world)
    note = await billed.credit(CreditToBalance())

    await voided(world, note.id)

    assert await billed.balance() == 0
    await sound(world)
    again = await billed.credit(CreditToBalance())
    assert (parts(again), await billed.balance()) == ((970, 955, 0, 15), 955)
    await sound(world)


async def test_all_of_it_was_written_off(world: World) -> None:
    """KWD 0.490: a note of 490 gives nothing to anybody, and can be voided as any other."""
    billed = await written_off(world, "0.490", 0, "KWD")
    for kind in (Refund(), DebtCancellation()):
        with pytest.raises(Conflict):
            await billed.credit(kind)

    note = await billed.credit(CreditToBalance())

    assert (parts(note), await billed.balance()) == ((490, 0, 0, 490), 0)
    assert await world.fetch("select from balance_entries") == []
    await sound(world)
    await voided(world, note.id)
    await sound(world)


async def test_too_much_is_still_too_much(world: World) -> None:
    """Nothing that nobody asks for any more is cancelled, and no refund finds a payment."""
    billed = await written_off(world)
    with pytest.raises(Conflict, match="0 of this invoice is still due"):
        await billed.credit(DebtCancellation())
    with pytest.raises(Conflict, match="No payment of this invoice can be refunded"):
        await billed.credit(Refund())
    assert await billed.balance() == 0
    await sound(world)
