"""What came back to spare and went to the balance: the bank may take it a second time."""

import asyncio
import json
from uuid import UUID

import pytest

from tallystick.domain.credit_note import Amount, DebtCancellation
from tallystick.domain.errors import Conflict
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RateFee
from tallystick.services.change_invoice import void_invoice
from tallystick.services.collect_invoice import collect_due
from tallystick.services.confirm_result import Completed
from tallystick.services.issue_credit_note import void_credit_note
from tests.crediting import bought, sound, told
from tests.reversing import Reversible, reversals_are_told, reversible
from tests.subscribing import explain_all
from tests.world import World, rate

ASKS = "4000002500003155"


async def kept(world: World, forgiven: int = 4900) -> Reversible:
    """EUR 49 by card, all of it disputed, so much of it forgiven, and then the dispute won."""
    bank = await reversible(await bought(world))
    await bank.disputed()
    await bank.billed.credit(DebtCancellation(), Amount(forgiven))
    await bank.won()
    assert (await bank.stands(), await bank.billed.balance()) == (("PAID", 0), forgiven)
    return bank


async def spends(bank: Reversible, price: str) -> None:
    """The customer buys something else, which the balance pays."""
    fee = [("Support", RateFee(), [(Cadence.MONTHLY, rate(price))])]
    plan = await bank.world.plan(*fee, name="Support")
    session = await bank.world.session(bank.billed.customer_id, plan)
    assert await bank.world.confirm(session) == Completed()


async def figures(bank: Reversible) -> tuple[int, int, int]:
    """What is reversed of the invoice, what of that is spare, and the balance."""
    row = await bank.billed.stands()
    return row["reversed"], row["spare"], await bank.billed.balance()


async def balance_moved(world: World) -> list[int]:
    """What reversals moved of balances, oldest first."""
    rows = await world.fetch(
        "select amount from balance_entries where reason = 'REVERSAL' order by id"
    )
    return [row["amount"] for row in rows]


async def test_it_is_taken_from_the_balance(world: World) -> None:
    """EUR 49 that the balance has: it gives them, and the invoice stays as it is."""
    bank = await kept(world)
    assert await figures(bank) == (4900, 4900, 4900)
    payment = await bank.transaction()
    assert (payment.reversed, payment.shown_status) == (0, "SETTLED"), "the bank has nothing"

    await bank.takes_back(None, "REFUND")
    assert await reversals_are_told(world) == 1
    assert await reversals_are_told(world) == 0

    assert (await bank.stands(), await figures(bank)) == (("PAID", 0), (4900, 0, 0))
    payment = await bank.transaction()
    assert (payment.reversed, payment.shown_status) == (4900, "REFUNDED")
    assert payment.reversal_kind == "REFUND"
    assert await balance_moved(world) == [4900, -4900]
    assert [one for one in await told(world) if one.startswith("payment.")] == [
        "payment.reversed",
        "payment.reinstated",
        "payment.reversed",
    ]
    assert (await told(world)).count("invoice.paid") == 2, "bought, and forgiven"
    event = await world.one(
        "select data from events where type = 'payment.reversed' order by position desc limit 1"
    )
    assert json.loads(event["data"])["amount_reversed"] == 4900
    await explain_all(world)
    await sound(world)


async def test_what_was_spent_is_due(world: World) -> None:
    """EUR 39 of it bought something else: the balance gives the 10 that it has, 39 are due."""
    bank = await kept(world)
    await spends(bank, "39")
    assert await bank.billed.balance() == 1000

    await bank.refunded()

    assert (await bank.stands(), await figures(bank)) == (("UNPAID", 3900), (8800, 3900, 0))
    row = await bank.billed.stands()
    assert (row["total"], row["cancelled"], row["settled"]) == (4900, 4900, 4900)
    assert (row["awaits_person"], row["paid_at"]) == (True, None)
    assert await collect_due(world.ctx) == 0
    await explain_all(world)
    await sound(world)
    async with world.app.transaction() as tx:
        with pytest.raises(Conflict, match="has used 3900 of what had paid this invoice"):
            await void_invoice(world.ctx.within(tx), bank.billed.id)

    await bank.pay()

    assert (await bank.stands(), await world.charges()) == (("PAID", 0), [4900, 3900])
    await explain_all(world)
    await sound(world)


async def test_a_part_was_spare(world: World) -> None:
    """Of EUR 49 that came back 26.40 were forgiven. The bank takes 30: 26.40 of them from the
    balance, 3.60 are due; then the 19 that are left.
    """
    bank = await kept(world, 2640)
    assert await figures(bank) == (2640, 2640, 2640)

    await bank.refunded(3000)
    assert (await bank.stands(), await figures(bank)) == (
        ("PARTIALLY_PAID", 360),
        (3000, 0, 0),
    )
    await bank.refunded()

    assert (await bank.stands(), await figures(bank)) == (("UNPAID", 2260), (4900, 0, 0))
    await explain_all(world)
    await sound(world)


async def test_a_second_dispute_is_won_too(world: World) -> None:
    """Each has its part again: of 49 that were taken the balance gave 10, and 39 were due."""
    bank = await kept(world)
    await spends(bank, "39")
    await bank.disputed()
    assert (await bank.stands(), await figures(bank)) == (("UNPAID", 3900), (8800, 3900, 0))

    await bank.won()

    assert (await bank.stands(), await figures(bank)) == (("PAID", 0), (4900, 4900, 1000))
    assert await balance_moved(world) == [4900, -1000, 1000]
    assert (await told(world))[-2:] == ["payment.reinstated", "invoice.paid"]
    await sound(world)


async def test_opened_and_won_meanwhile(world: World) -> None:
    """Nobody heard of the second one: nothing moves."""
    bank = await kept(world)
    await bank.takes_back()
    await bank.decides(won=True)
    before = await told(world)

    assert await reversals_are_told(world) == 1

    assert (await bank.stands(), await figures(bank)) == (("PAID", 0), (4900, 4900, 4900))
    assert (await told(world), await balance_moved(world)) == (before, [4900])
    await sound(world)


async def test_what_a_checkout_holds_is_not_taken(world: World) -> None:
    """A checkout of EUR 50 that waits for its bank holds all 49: they are due."""
    bank = await kept(world)
    fee = [("Support", RateFee(), [(Cadence.MONTHLY, rate("50"))])]
    plan = await world.plan(*fee, name="Support")
    session = await world.session(bank.billed.customer_id, plan)
    await world.confirm(session, method=await world.card(ASKS))
    row = await world.one("select balance, held from customer_balances")
    assert tuple(row.values()) == (4900, 4900)

    await bank.refunded()

    assert (await bank.stands(), await figures(bank)) == (("UNPAID", 4900), (9800, 4900, 4900))
    await sound(world)


async def void(bank: Reversible) -> None:
    """A person voids the invoice."""
    async with bank.world.app.transaction() as tx:
        await void_invoice(bank.world.ctx.within(tx), bank.billed.id)


async def status(bank: Reversible) -> tuple[str, int]:
    """Of the invoice, with what is due."""
    row = await bank.billed.stands()
    return row["status"], row["amount_due"]


async def test_after_a_void_invoice(world: World) -> None:
    """EUR 49 came back to the customer, who spent 39, and were taken again: 10 from the
    balance. A void invoice asks for nothing; when the 49 come back, the loss is made good
    first.
    """
    bank = await reversible(await bought(world))
    await bank.disputed()
    await void(bank)
    await bank.won()
    assert await figures(bank) == (4900, 4900, 4900)
    await spends(bank, "39")

    await bank.disputed()

    assert (await status(bank), await figures(bank)) == (("VOID", 0), (8800, 3900, 0))
    assert (await told(world))[-1] == "payment.reversed"
    await explain_all(world)
    await sound(world)
    await bank.won()
    assert (await status(bank), await figures(bank)) == (("VOID", 0), (4900, 4900, 1000))
    assert (await told(world))[-1] == "payment.reinstated"
    await sound(world)


async def test_what_is_owed_again_after_it_was_forgiven(world: World) -> None:
    """The note is voided, so EUR 49 are due while the balance has 49: they can be voided."""
    bank = await kept(world)
    row = await world.one("select id from credit_notes")
    note: UUID = row["id"]
    async with world.app.transaction() as tx:
        await void_credit_note(world.ctx.within(tx), note)
    assert await bank.stands() == ("UNPAID", 4900)

    await void(bank)
    await bank.refunded()

    assert (await status(bank), await figures(bank)) == (("VOID", 0), (4900, 0, 0))
    await sound(world)


async def test_it_is_spent_while_it_is_taken(busy: World) -> None:
    """EUR 49 are on the balance: two purchases of 30 and two refunds of 24.50 at once. What
    the purchases had is due, what they had not is taken, and nobody has a cent of it twice.
    """
    bank = await kept(busy)
    fee = ("Support", RateFee(), [(Cadence.MONTHLY, rate("30"))])
    plans = [await busy.plan(fee, name=f"Support {n}") for n in range(2)]
    sessions = [await busy.session(bank.billed.customer_id, plan) for plan in plans]
    shown = [await busy.shown(one) for one in sessions]

    await asyncio.gather(
        *(busy.confirm(one, shown=page) for one, page in zip(sessions, shown, strict=True)),
        *(bank.refunded(2450) for _ in range(2)),
        return_exceptions=True,
    )
    await reversals_are_told(busy)

    row = await busy.one(
        "select sum(applied_balance) as spent from invoices where id <> $1", bank.billed.id
    )
    reversed_, spare, balance = await figures(bank)
    spent = int(row["spent"] or 0)
    assert (await bank.stands())[1] == spent == spare
    assert (reversed_, balance) == (4900 + spent, 0)
    assert await balance_moved(busy) != [4900]
    assert spent <= 4900
    await explain_all(busy)
    await sound(busy)
