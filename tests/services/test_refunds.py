"""Refunds: money goes back once, whatever answer fails to come and whoever asks at once."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from tallystick.domain.coupons import Percentage
from tallystick.domain.credit_note import (
    Amount,
    CreditNoteStatus,
    CreditToBalance,
    DebtCancellation,
    Everything,
    LineCredit,
    PaidAmount,
    Refund,
)
from tallystick.domain.errors import Conflict, InvalidInput
from tallystick.domain.offer import ExternalPayment
from tallystick.domain.payment import Cancelled, RefundRefused, Unconfirmed, Unknown
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RateFee
from tallystick.services.change_invoice import MoneyReceived, receive_money, void_invoice
from tallystick.services.collect_invoice import collect_due
from tallystick.services.ids import new_id
from tests.cases.golden import case
from tests.crediting import Billed, bought, refunds_swept, sound, told, went_back
from tests.real_time import debits_are_decided
from tests.scripted_bank import ScriptedBank, Step, lost, says, silent, with_bank
from tests.services.test_collecting import a_month_later, swept, tries
from tests.shops import selling_under_eu_rules
from tests.world import World, rate

FAILS = "DE62370400440532013001"
PRICES = ("33.33", "19.99", "7.01")


async def test_what_card_and_balance_paid_goes_back(world: World) -> None:
    """EUR 49, of which the balance paid 10: half returns 5.00 and 19.50; it stays PAID."""
    billed = await bought(world, balance=1000)

    note = await billed.credit(Refund(), Amount(2450))

    assert (note.status, note.number) == (CreditNoteStatus.FINALIZED, "CN-000001")
    assert (note.credited, note.refunded) == (500, 1950)
    assert await went_back(world) == [1950]
    assert await billed.balance() == 500
    stands = await billed.stands()
    assert (stands["payment_status"], stands["amount_due"]) == ("PAID", 0)
    assert await told(world) == [
        "invoice.paid",
        "credit_note.created",
        "refund.issued",
        "credit_note.finalized",
        "refund.settled",
    ]
    await sound(world)


async def test_everything_nets_to_zero(world: World) -> None:
    """The rest goes back by the second note, and then nothing is left."""
    billed = await bought(world, balance=1000)
    await billed.credit(Refund(), Amount(1633))

    await billed.credit(Refund())

    assert sum(await went_back(world)) == 3900
    assert await billed.balance() == 1000
    with pytest.raises(Conflict):
        await billed.credit(Refund())
    await sound(world)


async def test_any_measure_nets_to_zero(world: World) -> None:
    """Three lines with coupon and VAT, taken back by quantity, amount, money and rest: every
    column of the notes sums to the invoice's, and of each line to the line's.
    """
    await selling_under_eu_rules(world)
    parts = [(f"Part {n}", RateFee(), [(Cadence.MONTHLY, rate(n))]) for n in PRICES]
    coupon = await world.coupon("SEVEN", Percentage(percentage=Decimal(7)))
    plan = await world.plan(*parts)
    billed = await bought(world, plan=plan, balance=777, coupon_ids=(coupon,))
    first, second, _ = await billed.lines()

    third = LineCredit(line_id=first, quantity=Decimal(1) / 8)
    await billed.credit(CreditToBalance(), (third, LineCredit(line_id=second, amount=101)))
    await billed.credit(Refund(), Amount(1234))
    await billed.credit(Refund(payment_id=await billed.payment()), PaidAmount(321))
    await billed.credit(Refund(), (LineCredit(line_id=first),))
    await billed.credit(CreditToBalance())

    columns = "sum(subtotal) as subtotal, sum(discount) as discount, sum(tax_amount) as tax"
    notes = await world.one(f"select {columns}, sum(total) as total from credit_notes")
    assert notes == await world.one(f"select {columns}, sum(total) as total from invoices")
    open_lines = await world.fetch(
        """
        select l.position from invoice_lines l
        left join credit_note_lines c on c.invoice_line_id = l.id group by l.id, l.position,
            l.amount, l.discount, l.tax, l.tenant_id
        having (l.amount, l.discount, l.tax)
               is distinct from (sum(c.amount), sum(c.discount), sum(c.tax))
        """
    )
    assert open_lines == []
    given = await billed.balance() + sum(await went_back(world))
    assert given == (await billed.stands())["total"]
    await sound(world)


@pytest.mark.parametrize("step", [silent, lost, says(Unknown())])
async def test_an_answer_that_does_not_come(world: World, step: Step) -> None:
    """The note is a draft until the sweeper has asked again under the same key: once."""
    bank = ScriptedBank(world.sandbox)
    bank.script("refund", step)
    billed = await bought(with_bank(world, bank), balance=1000)

    note = await billed.credit(Refund())

    assert (note.status, note.number) == (CreditNoteStatus.DRAFT, None)
    assert await billed.balance() == 0
    await sound(world)
    await refunds_swept(billed.world)
    await refunds_swept(billed.world)
    assert await went_back(world) == [3900]
    assert await billed.balance() == 1000
    row = await world.one("select status, credit_note_number from credit_notes")
    assert tuple(row.values()) == ("FINALIZED", "CN-000001")
    await sound(world)


async def test_a_draft_counts_against_the_invoice(world: World) -> None:
    """While a refund is under way, what it takes cannot be credited a second time."""
    bank = ScriptedBank(world.sandbox)
    bank.script("refund", silent)
    billed = await bought(with_bank(world, bank))
    await billed.credit(Refund(), Amount(4000))

    with pytest.raises(InvalidInput, match="from 1 to 900"):
        await billed.credit(CreditToBalance(), Amount(901))
    await billed.credit(CreditToBalance(), Amount(900))

    await refunds_swept(billed.world)
    assert (await went_back(world), await billed.balance()) == ([4000], 900)
    rows = await world.fetch("select number from credit_notes order by created_at, id")
    assert [row["number"] for row in rows] == [2, 1], "numbered when they are final"
    await sound(world)


async def test_a_provider_that_refuses(world: World) -> None:
    """The note is voided without a number, nothing moves, and all can be credited again."""
    bank = ScriptedBank(world.sandbox)
    bank.script("refund", says(RefundRefused("the card is closed")))
    billed = await bought(with_bank(world, bank), balance=1000)

    with pytest.raises(Conflict, match="refuses this refund: the card is closed"):
        await billed.credit(Refund())

    assert (await went_back(world), await billed.balance()) == ([], 0)
    assert (await told(world))[-2:] == ["credit_note.voided", "refund.failed"]
    row = await world.one("select status, number from credit_notes")
    assert tuple(row.values()) == ("VOIDED", None)
    await sound(world)
    note = await billed.credit(CreditToBalance())
    assert (note.number, await billed.balance()) == ("CN-000001", 4900)
    await sound(world)


async def test_a_repeat_is_the_same_refund(busy: World) -> None:
    """Ten at once and one later under the same id: one note, and the money moves once."""
    billed = await bought(busy)
    note_id = new_id()

    notes = await asyncio.gather(
        *(billed.credit(Refund(), Amount(1000), note_id=note_id) for _ in range(10))
    )
    again = await billed.credit(Refund(), Amount(1000), note_id=note_id)

    assert {one.id for one in notes} == {again.id}
    assert await went_back(busy) == [1000]
    assert again.number == "CN-000001"
    await sound(busy)


@pytest.mark.parametrize("kind", [Refund(), CreditToBalance()])
async def test_twenty_notes_never_exceed_the_invoice(busy: World, kind: Any) -> None:  # noqa: ANN401
    """EUR 49 give four times EUR 12, however many ask at once; the rest is refused."""
    billed = await bought(busy)

    asked = await asyncio.gather(
        *(billed.credit(kind, Amount(1200)) for _ in range(20)), return_exceptions=True
    )

    assert sum(not isinstance(one, BaseException) for one in asked) == 4
    refused = [one for one in asked if isinstance(one, BaseException)]
    assert {str(one) for one in refused} == {"amount must be from 1 to 100, in minor units."}
    assert sum(await went_back(busy)) + await billed.balance() == 4800
    rows = await busy.fetch("select number from credit_notes order by number")
    assert [row["number"] for row in rows] == [1, 2, 3, 4]
    await sound(busy)


async def test_a_payment_in_two_parts(world: World) -> None:
    """EUR 20 of a payment, then the rest of it."""
    billed = await bought(world)
    payment = await billed.payment()

    first = await billed.credit(Refund(payment_id=payment), PaidAmount(2000))
    rest = await billed.credit(Refund(payment_id=payment), PaidAmount(None))

    assert (first.refunded, rest.refunded) == (2000, 2900)
    assert await went_back(world) == [2000, 2900]
    await sound(world)


async def test_a_debit_that_nobody_owes_any_more_goes_back(world: World) -> None:
    """Its invoice was paid another way meanwhile: the money is sent back, once."""
    session = await world.session(await world.customer(), await world.plan())
    await world.confirm(session, method=await world.debit())
    await debits_are_decided(world)
    later = await a_month_later(world)
    bank = ScriptedBank(later.sandbox)
    bank.script("confirm", lost)
    bank.script("look", says(Unconfirmed()))
    bank.script("cancel", says(Cancelled()))
    later = with_bank(later, bank)
    await collect_due(later.ctx)
    await swept(later)
    assert await tries(later) == ["FAILED"]
    row = await later.one("select id from invoices where number = 2")
    async with later.app.transaction() as tx:
        money = MoneyReceived(amount=4900, paid_at=None, reference=None)
        await receive_money(later.ctx.within(tx), row["id"], money)

    await debits_are_decided(later)
    await debits_are_decided(later)
    await sound(later)
    await refunds_swept(later)
    await refunds_swept(later)

    assert await went_back(later) == [4900]
    assert (await told(later)).count("payment.orphan_refunded") == 1
    stands = await later.one("select settled, payment_status from invoices where number = 2")
    assert tuple(stands.values()) == (4900, "PAID")
    await sound(later)


@pytest.mark.parametrize("case_id", ["PAY-09"])
async def test_a_credit_while_a_debit_is_on_its_way(world: World, case_id: str) -> None:
    """The balance has it at once; as much is due as before, and the debit pays it."""
    credited = case(case_id)["derived"]["credited"]
    billed = await bought(world, method=await world.debit())

    await billed.credit(CreditToBalance(), Amount(credited))

    stands = await billed.stands()
    assert (stands["payment_status"], stands["amount_due"]) == ("PROCESSING", 4900)
    for kind in (DebtCancellation(), Refund()):
        with pytest.raises(Conflict):
            await billed.credit(kind, Amount(1))
    await debits_are_decided(world)
    stands = await billed.stands()
    assert (stands["payment_status"], stands["amount_due"]) == ("PAID", 0)
    assert await billed.balance() == credited == 1806
    await sound(world)
    note = await billed.credit(Refund())
    assert note.refunded == 4900 - 1806
    await sound(world)


async def test_a_credit_for_a_debit_that_fails(world: World) -> None:
    """What was given stays on the balance; all of the invoice is due, and can be cancelled as
    far as no note has credited it.
    """
    billed = await bought(world, balance=1000, method=await world.debit(FAILS))
    await billed.credit(CreditToBalance(), Amount(3900))
    await debits_are_decided(world)
    stands = await billed.stands()
    assert (stands["payment_status"], stands["amount_due"]) == ("ERRORED", 3900)

    await billed.credit(DebtCancellation())

    stands = await billed.stands()
    assert (stands["payment_status"], stands["amount_due"]) == ("ERRORED", 2900)
    assert await billed.balance() == 3900
    await sound(world)


async def test_voiding_gives_back_what_no_note_gave_back(world: World) -> None:
    """Of EUR 10 from the balance a note gave 4 back: voiding the invoice gives 6."""
    from_others = await owing(world)
    await from_others.credit(CreditToBalance(), Amount(400))
    assert await from_others.balance() == 400

    async with world.app.transaction() as tx:
        await void_invoice(world.ctx.within(tx), from_others.id)

    assert await from_others.balance() == 1000
    await sound(world)
    for kind in (CreditToBalance(), DebtCancellation()):
        with pytest.raises(Conflict, match="VOID"):
            await from_others.credit(kind)


async def test_only_what_is_due_is_cancelled(world: World) -> None:
    """EUR 39 are due: a part, then the rest, which makes it PAID and says so."""
    billed = await owing(world)
    (line,) = await billed.lines()

    await billed.credit(DebtCancellation(), (LineCredit(line_id=line, amount=1900),))
    part = await billed.stands()
    await billed.credit(DebtCancellation(), Amount(2000))

    assert (part["payment_status"], part["amount_due"]) == ("UNPAID", 2000)
    stands = await billed.stands()
    assert (stands["payment_status"], stands["amount_due"]) == ("PAID", 0)
    assert stands["paid_at"] is not None
    assert (await told(world))[-1] == "invoice.paid"
    with pytest.raises(Conflict, match="0 of this invoice is still due"):
        await billed.credit(DebtCancellation(), Everything())
    await sound(world)


async def test_what_is_cancelled_is_not_collected(world: World) -> None:
    """A renewal of EUR 49 with 20 cancelled is charged 29."""
    await bought(world)
    later = await a_month_later(world)
    row = await later.one("select id, customer_id from invoices where number = 2")
    renewal = Billed(world=later, customer_id=row["customer_id"], id=row["id"])

    await renewal.credit(DebtCancellation(), Amount(2000))
    await collect_due(later.ctx)

    assert await later.charges() == [4900, 2900]
    assert (await renewal.stands())["payment_status"] == "PAID"
    await sound(later)


async def owing(world: World) -> Billed:
    """An invoice of EUR 49, of which the balance paid 10 and nobody the rest."""
    return await bought(world, balance=1000, payment=ExternalPayment(), chooses=False)
