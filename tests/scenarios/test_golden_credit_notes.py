"""The golden stories of credit notes, step by step through the services.

Here a note without a refund under way is final at once: the cases' draft is its preview.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from tallystick.domain.credit_note import (
    CreditToBalance,
    DebtCancellation,
    Everything,
    LineCredit,
    Refund,
)
from tallystick.domain.credit_note_entry import CreditNoteEntry
from tallystick.domain.errors import Conflict
from tallystick.services.change_invoice import MoneyReceived, receive_money
from tallystick.services.issue_credit_note import (
    CreditRequest,
    preview_credit_note,
    void_credit_note,
)
from tallystick.services.refund_invoice import refund_invoice
from tests.cases.golden import case
from tests.crediting import Billed, sound
from tests.scenarios.golden_lives import at, day, sold
from tests.subscribing import Merchant
from tests.world import World


@dataclass(kw_only=True)
class Story:
    """A case, its invoice, and the note that the story is about."""

    told: dict[str, Any]
    billed: Billed

    async def pays(self, amount: int) -> None:
        """Money comes another way."""
        world = self.billed.world
        async with world.app.transaction() as tx:
            money = MoneyReceived(amount=amount, paid_at=None, reference=None)
            await receive_money(world.ctx.within(tx), self.billed.id, money)

    async def previews(self, request: CreditRequest) -> CreditNoteEntry:
        """The draft of the case."""
        async with self.billed.world.app.transaction() as tx:
            return await preview_credit_note(self.billed.world.ctx.within(tx), request)


async def begin(world: World, case_id: str) -> Story:
    """The subscription of a case, with its first invoice."""
    told = case(case_id)
    asked = told["input"]
    merchant, start = Merchant(world=world), day(asked["start_date"])
    await merchant.stand_at(at(start))
    customer = await world.customer()
    if "customer_balance" in asked:
        await world.balance(customer, asked["customer_balance"])
    await merchant.subscribe(
        customer, await sold(world, asked["plan"]), start, charge_automatically=False
    )
    row = await world.one("select id from invoices")
    return Story(
        told=told, billed=Billed(world=merchant.world, customer_id=customer, id=row["id"])
    )


@pytest.mark.parametrize("case_id", ["CRN-02"])
async def test_a_refund_restores_the_balance(world: World, case_id: str) -> None:
    """CRN-02: of 100.00, 20.00 from the balance return there, and 80.00 go back."""
    story = await begin(world, case_id)
    billed, expected = story.billed, story.told["expected"]
    stands = await billed.stands()
    assert stands["total"] == expected["invoice"]["total"]
    assert stands["applied_balance"] == expected["invoice"]["applied_credits"]
    assert stands["amount_due"] == expected["invoice"]["amount_due"]
    first, draft, final = expected["per_step"]
    assert await billed.balance() == first["customer_balance"]
    await story.pays(story.told["steps"][1]["amount"])
    wanted = CreditRequest(invoice_id=billed.id, kind=Refund(offline=True), scope=Everything())

    shown = await story.previews(wanted)
    assert await billed.balance() == draft["customer_balance"]
    made = await refund_invoice(billed.world.ctx, wanted, shown.id)

    for note, step in ((shown, draft), (made, final)):
        assert note.status.lower() == step["credit_note"]["status"]
        assert note.credited == step["credit_note"]["credited"]
        assert note.refunded == step["credit_note"]["refunded"]
    assert await billed.balance() == final["customer_balance"]
    await sound(world)


@pytest.mark.parametrize("case_id", ["CRN-04"])
async def test_a_debt_is_cancelled(world: World, case_id: str) -> None:
    """CRN-04: nothing changes before the note is final; then nothing is due, and it is PAID."""
    story = await begin(world, case_id)
    billed = story.billed
    draft, final = (one for one in story.told["expected"]["per_step"])
    wanted = CreditRequest(invoice_id=billed.id, kind=DebtCancellation(), scope=Everything())

    shown = await story.previews(wanted)
    before = await billed.stands()
    await billed.credit(DebtCancellation())

    assert {"credited": shown.credited, "refunded": shown.refunded} == draft["credit_note"]
    assert before["payment_status"].lower() == draft["invoice"]["payment_status"]
    assert before["amount_due"] == story.told["derived"]["invoice"]["amount_due_before"]
    stands = await billed.stands()
    assert stands["payment_status"].lower() == final["invoice"]["payment_status"]
    assert stands["amount_due"] == final["invoice"]["amount_due"]
    assert (stands["paid_at"] is not None) == final["invoice"]["paid_at_set"]
    await sound(world)


@pytest.mark.parametrize("case_id", ["CRN-05"])
async def test_a_part_of_a_debt_is_cancelled(world: World, case_id: str) -> None:
    """CRN-05: without the first line, 90.00 are due and the invoice is unpaid still."""
    story = await begin(world, case_id)
    lines = await story.billed.lines()

    note = await story.billed.credit(DebtCancellation(), (LineCredit(line_id=lines[0]),))

    stands = await story.billed.stands()
    assert stands["payment_status"].lower() == "unpaid"
    assert stands["amount_due"] == stands["total"] - note.total
    assert stands["amount_due"] == story.told["derived"]["invoice"]["amount_due"]
    await sound(world)


@pytest.mark.parametrize("case_id", ["CRN-07"])
async def test_a_cancelled_debt_comes_back(world: World, case_id: str) -> None:
    """CRN-07: voiding the note leaves the invoice as it was before."""
    story = await begin(world, case_id)
    billed = story.billed
    note = await billed.credit(DebtCancellation())

    async with world.app.transaction() as tx:
        voided = await void_credit_note(billed.world.ctx.within(tx), note.id)

    (step,) = (one for one in story.told["expected"]["per_step"] if one["step"] == 3)
    stands = await billed.stands()
    assert stands["payment_status"].lower() == step["invoice"]["payment_status"]
    assert stands["paid_at"] is step["invoice"]["paid_at"]
    assert stands["amount_due"] == story.told["derived"]["per_step"][0]["amount_due"]
    assert (voided.status, voided.number) == ("VOIDED", "CN-000001")
    await sound(world)


async def test_a_credit_on_the_balance_is_taken_back(world: World) -> None:
    """As far as the balance has it: what was spent of it stands in the way."""
    story = await begin(world, "CRN-07")
    billed = story.billed
    await story.pays(10000)
    note = await billed.credit(CreditToBalance())
    await world.execute("update customer_balances set held = 1")
    with pytest.raises(Conflict, match="9999 left of the 10000"):
        async with world.app.transaction() as tx:
            await void_credit_note(billed.world.ctx.within(tx), note.id)
    await world.execute("update customer_balances set held = 0")

    async with world.app.transaction() as tx:
        await void_credit_note(billed.world.ctx.within(tx), note.id)

    assert await billed.balance() == 0
    await sound(world)
    await billed.credit(CreditToBalance())
    assert await billed.balance() == 10000


@pytest.mark.parametrize("case_id", ["CRN-09"])
async def test_two_at_once_for_one_line(busy: World, case_id: str) -> None:
    """CRN-09: exactly one succeeds, the other is told that nothing is left."""
    story = await begin(busy, case_id)
    billed, expected = story.billed, story.told["expected"]
    await story.pays(10000)
    lines = await billed.lines()
    wanted = (LineCredit(line_id=lines[0]),)

    made = await asyncio.gather(
        *(billed.credit(CreditToBalance(), wanted) for _ in range(2)), return_exceptions=True
    )

    refused = [one for one in made if isinstance(one, BaseException)]
    assert len(made) - len(refused) == expected["successes"]
    assert isinstance(refused[0], Conflict)
    assert expected["error"] in str(refused[0])
    await sound(busy)
