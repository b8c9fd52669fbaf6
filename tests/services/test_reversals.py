"""Reversed money: due again, collected by nobody until a person asks, and never sent twice."""

import json
from datetime import timedelta

import pytest

from tallystick.domain.credit_note import (
    Amount,
    CreditToBalance,
    DebtCancellation,
    PaidAmount,
    Refund,
)
from tallystick.domain.errors import Busy, Conflict, InvalidInput, NotFound
from tallystick.domain.invoice import PaymentStatus
from tallystick.domain.reversal import ReversalKind
from tallystick.services.change_invoice import MoneyReceived, receive_money, void_invoice
from tallystick.services.collect_invoice import collect_due
from tallystick.services.issue_credit_note import void_credit_note
from tallystick.services.record_reversal import record_reversal
from tests.crediting import bought, sound, told, went_back
from tests.real_time import debits_are_decided
from tests.reversing import Reversible, invented, reversals_are_told, reversible
from tests.scripted_bank import ScriptedBank, lost, with_bank
from tests.services.test_collecting import swept
from tests.subscribing import explain_all
from tests.world import NOON, World


async def test_a_dispute_makes_it_due_again(world: World) -> None:
    """EUR 49 bought by card and disputed: nothing is paid any more, and merchants hear why."""
    bank = await reversible(await bought(world))

    await bank.disputed()

    row = await bank.billed.stands()
    assert (row["payment_status"], row["amount_due"], row["paid_at"]) == ("UNPAID", 4900, None)
    assert (row["settled"], row["reversed"], row["total"]) == (4900, 4900, 4900)
    payment = await bank.transaction()
    assert (payment.status, payment.shown_status) == ("SETTLED", "REFUNDED")
    assert (payment.refunded, payment.reversed) == (0, 4900)
    event = await world.one(
        "select data, object_id from events where type = 'payment.reversed'"
    )
    assert event["object_id"] == bank.payment
    body = json.loads(event["data"])
    assert (body["amount"], body["amount_reversed"], body["amount_refunded"]) == (4900, 4900, 0)
    assert (body["status"], body["reversal_kind"]) == ("REFUNDED", "DISPUTE")
    await explain_all(world)
    await sound(world)


async def test_nobody_collects_it_until_a_person_asks(world: World) -> None:
    """Neither at once nor in a month; the person's charge pays it a second time."""
    bank = await reversible(await bought(world))
    await bank.refunded(1000)

    assert await collect_due(world.at(NOON + timedelta(days=30)).ctx) == 0
    assert (await bank.stands(), await world.charges()) == (("PARTIALLY_PAID", 1000), [4900])

    paid = await bank.pay()

    assert (paid.payment_status, paid.amount_due) == (PaymentStatus.PAID, 0)
    assert (paid.settled, paid.reversed, await world.charges()) == (5900, 1000, [4900, 1000])
    assert await told(world) == ["invoice.paid", "payment.reversed", "invoice.paid"]
    await explain_all(world)
    await sound(world)


async def test_once_a_person_has_asked_it_is_tried_again(world: World) -> None:
    """A charge that is declined is tried again after three days, until more is taken back."""
    billed = await bought(world)
    bank = await reversible(billed)
    await bank.refunded(1000)
    await world.execute("update sandbox.methods set behaviour = 'DECLINES'")
    with pytest.raises(Conflict, match="could not be charged"):
        await bank.pay()
    row = await billed.stands()
    assert (row["payment_status"], row["collect_at"]) == ("ERRORED", NOON + timedelta(days=3))

    await bank.refunded(500)

    assert await bank.stands() == ("ERRORED", 1500)
    assert await collect_due(world.at(NOON + timedelta(days=3)).ctx) == 0
    await world.execute("update sandbox.methods set behaviour = 'SUCCEEDS'")
    await bank.pay()
    assert (await bank.stands(), await world.charges()) == (("PAID", 0), [4900, 1500])
    await sound(world)


async def test_a_dispute_that_is_won(world: World) -> None:
    """What comes back pays the invoice; told once, however often it is reported."""
    bank = await reversible(await bought(world))
    opened = await bank.disputed(1000)

    won = await bank.won()
    for again in (won, opened, won):
        await bank.told(again)

    assert await bank.stands() == ("PAID", 0)
    assert (await bank.billed.stands())["paid_at"] == NOON
    payment = await bank.transaction()
    assert (payment.reversed, payment.reversal_kind, payment.shown_status) == (
        0,
        None,
        "SETTLED",
    )
    assert await told(world) == [
        "invoice.paid",
        "payment.reversed",
        "payment.reinstated",
        "invoice.paid",
    ]
    await sound(world)


async def test_a_dispute_that_is_lost(world: World) -> None:
    """A chargeback: it stays due, and nothing more is told."""
    bank = await reversible(await bought(world))
    await bank.disputed(1000)

    await bank.told(await bank.decides(won=False))

    assert await bank.stands() == ("PARTIALLY_PAID", 1000)
    assert (await bank.transaction()).reversal_kind == "CHARGEBACK"
    assert (await told(world)).count("payment.reversed") == 1
    await sound(world)


async def test_what_the_worker_hears(world: World) -> None:
    """Each news is recorded once; what was opened and won meanwhile never was due."""
    bank = await reversible(await bought(world))
    await bank.takes_back(700, "REFUND")
    await bank.takes_back(1000)
    assert await reversals_are_told(world) == 2
    assert await bank.stands() == ("PARTIALLY_PAID", 1700)
    assert await reversals_are_told(world) == 0

    await bank.decides(won=True)
    assert await reversals_are_told(world) == 1
    assert await bank.stands() == ("PARTIALLY_PAID", 700)

    await bank.takes_back(200)
    await bank.decides(won=True)
    assert await reversals_are_told(world) == 1

    assert await bank.stands() == ("PARTIALLY_PAID", 700)
    assert (await told(world))[-2:] == ["payment.reversed", "payment.reinstated"]
    await sound(world)


async def test_news_that_comes_while_another_is_recorded(world: World) -> None:
    """Acknowledging that it was opened does not hide that it was won."""
    bank = await reversible(await bought(world))
    opened = await bank.takes_back(1000)
    await record_reversal(world.ctx, opened)
    await bank.decides(won=True)
    await world.sandbox.acknowledge_reversal(world.tenant_id, opened)

    assert await reversals_are_told(world) == 1

    assert await bank.stands() == ("PAID", 0)
    await sound(world)


async def test_a_refund_of_more_than_is_left_is_refused_at_the_bank(world: World) -> None:
    """Named, with what is left; nothing is changed, neither here nor there."""
    bank = await reversible(await bought(world))
    await bank.disputed(1000)
    before = await bank.entry()

    with pytest.raises(Conflict, match="Of this payment 3900 can still be taken back"):
        await bank.takes_back(3901, "REFUND")

    assert await bank.entry() == before
    await sound(world)


async def test_a_payment_that_nobody_knows(world: World) -> None:
    """And one that is not settled yet: a later report may be recorded."""
    with pytest.raises(NotFound):
        await record_reversal(world.ctx, invented("sbx_pay_other", 100))
    bank = await reversible(await bought(world, method=await world.debit()))
    report = invented(bank.reference, 100)
    with pytest.raises(Conflict, match="PENDING"):
        await record_reversal(world.ctx, report)

    await debits_are_decided(world)
    await record_reversal(world.ctx, report)

    assert await bank.stands() == ("PARTIALLY_PAID", 100)


async def test_no_note_sends_it_a_second_time(world: World) -> None:
    """Of EUR 49, 19 are disputed: 30 can be refunded or credited, and not a cent more."""
    bank = await reversible(await bought(world))
    await bank.disputed(1900)

    for kind in (Refund(), CreditToBalance()):
        with pytest.raises(Conflict, match="3000 of this invoice was paid and not given back"):
            await bank.billed.credit(kind, Amount(3001))
    with pytest.raises(InvalidInput, match="from 1 to 3000"):
        await bank.billed.credit(Refund(payment_id=bank.payment), PaidAmount(3001))
    note = await bank.billed.credit(Refund(payment_id=bank.payment), PaidAmount(None))

    assert (note.refunded, await went_back(world)) == (3000, [3000])
    assert await bank.stands() == ("PARTIALLY_PAID", 1900), "the note leaves what is due"
    with pytest.raises(Conflict):
        await bank.billed.credit(Refund(), Amount(1))
    await sound(world)


async def test_of_what_the_balance_paid_its_share(world: World) -> None:
    """The balance paid 10 and a card 39, of which 19.50 are disputed: of the 29.50 that are
    left, half of it 5.00 and 9.75.
    """
    bank = await reversible(await bought(world, balance=1000))
    await bank.disputed(1950)
    assert await bank.stands() == ("PARTIALLY_PAID", 1950)

    note = await bank.billed.credit(Refund(), Amount(1475))

    assert (note.credited, note.refunded) == (500, 975)
    await sound(world)


async def test_a_debt_is_forgiven_and_the_dispute_won(world: World) -> None:
    """What then comes back is the customer's: nobody owes it."""
    bank = await reversible(await bought(world))
    await bank.disputed()
    note = await bank.billed.credit(DebtCancellation())
    assert await bank.stands() == ("PAID", 0)

    await bank.won()

    assert (await bank.stands(), await bank.billed.balance()) == (("PAID", 0), 4900)
    entry = await world.one("select reason, amount, invoice_id from balance_entries")
    assert tuple(entry.values()) == ("REVERSAL", 4900, bank.billed.id)
    await sound(world)

    async with world.app.transaction() as tx:
        await void_credit_note(world.ctx.within(tx), note.id)
    assert await bank.stands() == ("UNPAID", 4900)
    await sound(world)


async def test_it_was_paid_again_and_the_dispute_won(world: World) -> None:
    """Of EUR 49 that come back 30 are due; the customer has paid 19 by transfer meanwhile."""
    bank = await reversible(await bought(world))
    await bank.disputed()
    async with world.app.transaction() as tx:
        money = MoneyReceived(amount=1900, paid_at=None, reference="transfer")
        await receive_money(world.ctx.within(tx), bank.billed.id, money)
    assert await bank.stands() == ("PARTIALLY_PAID", 3000)

    await bank.won()

    assert (await bank.stands(), await bank.billed.balance()) == (("PAID", 0), 1900)
    row = await bank.billed.stands()
    assert (row["settled"], row["reversed"], row["awaits_person"]) == (6800, 1900, False)
    await sound(world)


async def test_voiding_what_was_taken_back(world: World) -> None:
    """All of it: it can be voided, the balance has its part again; in part it cannot."""
    bank = await reversible(await bought(world, balance=1000))
    await bank.refunded(3800)
    async with world.app.transaction() as tx:
        with pytest.raises(Conflict, match="paid, even in part"):
            await void_invoice(world.ctx.within(tx), bank.billed.id)
    await bank.disputed(100)

    async with world.app.transaction() as tx:
        await void_invoice(world.ctx.within(tx), bank.billed.id)

    row = await bank.billed.stands()
    assert (row["status"], row["amount_due"], row["reversed"]) == ("VOID", 0, 3900)
    assert await bank.billed.balance() == 1000
    await sound(world)
    await bank.won()
    assert await bank.billed.balance() == 1100, "nobody owes what came back"
    await explain_all(world)
    await sound(world)


async def test_voiding_what_a_note_has_given_back(world: World) -> None:
    """EUR 10 went to the balance: the debt would be gone, and the ten a gift."""
    bank = await reversible(await bought(world))
    note = await bank.billed.credit(CreditToBalance(), Amount(1000))
    await bank.disputed()
    async with world.app.transaction() as tx:
        with pytest.raises(Conflict, match="given back 1000 of what had paid"):
            await void_invoice(world.ctx.within(tx), bank.billed.id)
    with pytest.raises(InvalidInput, match="from 1 to 3900"):
        await bank.billed.credit(DebtCancellation(), Amount(3901))

    async with world.app.transaction() as tx:
        await void_credit_note(world.ctx.within(tx), note.id)
        await void_invoice(world.ctx.within(tx), bank.billed.id)

    assert await bank.billed.balance() == 0
    await sound(world)


async def test_while_a_debit_is_on_its_way(world: World) -> None:
    """More is taken back while EUR 10 are being paid again: PROCESSING, then partly paid."""
    bank = await paying_again_by_debit(world)

    await bank.refunded(500)

    assert await bank.stands() == ("PROCESSING", 1500)
    note = await bank.billed.credit(CreditToBalance(), Amount(4400))
    assert note.credited == 4900 - 1500 + 1000, "what is kept and what is promised, no more"
    with pytest.raises(Conflict):
        await bank.billed.credit(CreditToBalance(), Amount(1))
    await debits_are_decided(world)
    assert await bank.stands() == ("PARTIALLY_PAID", 500)
    assert await collect_due(world.at(NOON + timedelta(days=30)).ctx) == 0
    await sound(world)


async def test_a_debit_that_fails_beside_it(world: World) -> None:
    """It is ERRORED; what was taken back since still waits for a person."""
    bank = await paying_again_by_debit(world, "FAILS_LATER")
    await bank.refunded(500)

    await debits_are_decided(world)

    assert await bank.stands() == ("ERRORED", 1500)
    assert await collect_due(world.at(NOON + timedelta(days=30)).ctx) == 0
    await sound(world)


async def test_money_that_comes_back_while_it_is_paid_again(world: World) -> None:
    """The worker waits for the answer of the charge, and then gives the customer the rest."""
    bank = ScriptedBank(world.sandbox)
    subject = await reversible(await bought(with_bank(world, bank)))
    await subject.disputed()
    bank.script("confirm", lost)
    with pytest.raises(Busy):
        await subject.pay()
    await subject.decides(won=True)

    assert await reversals_are_told(subject.world) == 0
    assert await subject.stands() == ("UNPAID", 4900)
    await sound(world)
    await swept(subject.world)
    assert await subject.stands() == ("PAID", 0)
    assert await reversals_are_told(subject.world) == 1

    assert (await subject.stands(), await subject.billed.balance()) == (("PAID", 0), 4900)
    await sound(world)


@pytest.mark.parametrize("kind", list(ReversalKind))
async def test_every_kind_is_shown(world: World, kind: ReversalKind) -> None:
    """Whatever a provider calls it, with its own words."""
    bank = await reversible(await bought(world))

    report = invented(bank.reference, 100, kind=kind, reason="as the bank says")
    await record_reversal(world.ctx, report)

    payment = await bank.transaction()
    assert (payment.reversal_kind, payment.reversal_reason) == (kind, "as the bank says")


async def paying_again_by_debit(world: World, ends: str = "SETTLES_LATER") -> Reversible:
    """EUR 49 by a debit that has settled, of which 10 were refunded and are debited again."""
    bank = await reversible(await bought(world, method=await world.debit()))
    await debits_are_decided(world)
    await bank.refunded(1000)
    await world.execute("update sandbox.methods set behaviour = $1", ends)
    await bank.pay()
    assert await bank.stands() == ("PROCESSING", 1000)
    return bank
