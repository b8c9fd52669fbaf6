"""An invoice is paid on its own page: the amount that was shown, once, or nothing at all."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from tallystick.domain.credit_note import Amount, DebtCancellation
from tallystick.domain.errors import Busy
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.payment import MethodKind
from tallystick.services.change_invoice import (
    MoneyReceived,
    receive_money,
    void_invoice,
)
from tallystick.services.ids import new_id
from tallystick.services.save_payment_method import save_payment_method
from tallystick.services.try_to_collect import sweep_collections
from tests.crediting import Billed
from tests.http.checkout.buyer import CARD, Buyer, Seen
from tests.http.pay.conftest import Come, link_of
from tests.real_time import debits_are_decided
from tests.subscribing import Merchant
from tests.world import NOON, PUBLIC_URL, World

DEBIT = {
    "method": "DIRECT_DEBIT",
    "iban": "DE89 3704 0044 0532 0130 00",
    "account_holder": "Dana Globex",
}
FAILS_LATER = {**DEBIT, "iban": "DE62 3704 0044 0532 0130 01"}
DECLINED = {**CARD, "card_number": "4000 0000 0000 0002"}
ASKS = {**CARD, "card_number": "4000002500003155"}
ANSWER_IS_LOST = {**CARD, "card_number": "4000000000009979"}
QUESTION_IS_LOST = {**CARD, "card_number": "4000000000009987"}


async def stands(world: World) -> tuple[str, int]:
    """The invoice's payment status, and what is due of it."""
    row = await world.one("select payment_status, amount_due from invoices")
    return row["payment_status"], row["amount_due"]


async def swept(world: World) -> None:
    """Real time passes until the sweeper takes up what was not recorded."""
    await world.execute(
        "update collections set check_at = now() - interval '1 second' where state = 'LIVE'"
    )
    await sweep_collections(world.app, NOON)


async def answered(buyer: Buyer, sent: httpx.Response, answer: str) -> Seen:
    """The buyer's answer to the bank's challenge, and the way back."""
    assert "/sandbox/challenge/" in sent.headers["location"]
    at_bank = Seen.of(await buyer.client.get(sent.headers["location"]))
    await buyer.send(at_bank.form, {"answer": answer}, to=sent.headers["location"])
    return await buyer.send_back()


async def test_a_card(come: Come, world: World) -> None:
    """EUR 49 are shown, with the document; EUR 49 are taken; then it says so."""
    buyer = await come()
    page = await buyer.open()
    assert page.status == 200
    assert "Invoice INV-1" in page.text
    assert "Pay \N{EURO SIGN}49.00" in page.text
    document = await buyer.client.get(f"{buyer.link}/invoice.pdf")
    assert document.headers["content-type"] == "application/pdf"

    paid = await buyer.send(page.form, {"method": "CARD", **CARD})

    assert (paid.status, "the invoice is paid" in paid.text) == (200, True)
    assert not paid.read.forms
    assert await world.charges() == [4900]
    assert await stands(world) == ("PAID", 0)
    row = await world.one("select payment_method_id, status, amount from transactions")
    assert (row["payment_method_id"], row["status"], row["amount"]) == (None, "SETTLED", 4900)
    assert await world.fetch("select from payment_methods") == []
    await Merchant(world=world).is_sound()


async def test_the_link_opens_this_invoice_only(
    come: Come, world: World, invoice_id: UUID
) -> None:
    """Another signature, another invoice's, a session's way: nothing is there."""
    buyer = await come()
    path = link_of(world, invoice_id)
    other = link_of(world, new_id())
    forged = path.rpartition("/")[0] + "/" + other.rpartition("/")[2]
    for wrong in (other, forged, f"{path}x", "/pay", "/pay/x/y/z"):
        assert (await buyer.client.get(wrong)).status_code == 404
    foreign = encode(Prefix.TENANT, new_id())
    parts = path.split("/")
    assert (
        await buyer.client.get("/".join([*parts[:2], foreign, *parts[3:]]))
    ).status_code == 404


async def test_a_draft_has_no_page(come: Come, world: World) -> None:
    """What may still change is not shown, and not paid."""
    await world.execute("alter table invoices disable trigger user")
    await world.execute(
        "update invoices set status = 'DRAFT', number = null, invoice_number = null,"
        " finalized_at = null, collect_at = null"
    )
    assert (await (await come()).open()).status == 404


async def test_a_debit_settles_later(come: Come, world: World) -> None:
    """Accepted, it is on its way; the mandate is kept as it was agreed to."""
    buyer = await come()
    seen = await buyer.send((await buyer.open()).form, DEBIT)

    assert "Your payment is on its way" in seen.text
    assert await stands(world) == ("PROCESSING", 4900)
    row = await world.one("select consent ->> 'text' as text from collections")
    assert "you authorise" in row["text"]
    await debits_are_decided(world)
    assert await stands(world) == ("PAID", 0)


async def test_a_debit_that_fails_can_be_paid_again(come: Come, world: World) -> None:
    """It owes again, and a card pays it."""
    buyer = await come()
    await buyer.send((await buyer.open()).form, FAILS_LATER)
    await debits_are_decided(world)
    assert await stands(world) == ("ERRORED", 4900)

    await buyer.send((await buyer.open()).form, {"method": "CARD", **CARD})
    assert await stands(world) == ("PAID", 0)
    await Merchant(world=world).is_sound()


async def test_a_mandate_that_was_not_shown(come: Come, world: World) -> None:
    """A debit without the wording of its mandate is not asked for."""
    buyer = await come()
    form = (await buyer.open()).form
    seen = await buyer.send(form, {**DEBIT, "mandate_signature": "x"})

    assert (seen.status, "Please read what you agree to" in seen.text) == (400, True)
    assert await world.fetch("select from collections") == []


async def test_a_decline_lets_try_again(come: Come, world: World) -> None:
    """The page says why; the invoice is as it was, and dunning has not begun."""
    buyer = await come()
    seen = await buyer.send((await buyer.open()).form, {"method": "CARD", **DECLINED})

    assert "Your bank declined the payment" in seen.text
    row = await world.one("select payment_status, collection_failures from invoices")
    assert (row["payment_status"], row["collection_failures"]) == ("UNPAID", 0)
    told = await world.one(
        "select data ->> 'error' as error, data ->> 'next_try_at' as again"
        " from events where type = 'payment.failed'"
    )
    assert (told["error"], told["again"]) == ("DECLINED", None)
    await buyer.send(seen.form, {"method": "CARD", **CARD})
    assert await world.charges() == [4900]


@pytest.mark.parametrize(("answer", "due"), [("approve", 0), ("refuse", 4900)])
async def test_3d_secure(come: Come, world: World, answer: str, due: int) -> None:
    """Approved it is paid, refused nothing is charged and the page lets try again."""
    buyer = await come()
    sent = await buyer.post((await buyer.open()).form, {"method": "CARD", **ASKS})
    waiting = await buyer.open()
    assert "Confirm with your bank" in waiting.text

    seen = await answered(buyer, sent, answer)

    assert (await stands(world))[1] == due
    assert ("the invoice is paid" in seen.text) is (due == 0)
    assert await world.charges() == [4900] * (due == 0)
    await Merchant(world=world).is_sound()


async def test_3d_secure_can_be_left(come: Come, world: World) -> None:
    """Another method: the challenge is cancelled at the bank first, then a card pays."""
    buyer = await come()
    await buyer.post((await buyer.open()).form, {"method": "CARD", **ASKS})
    left = await buyer.send((await buyer.open()).form)

    assert "You stopped the payment" in left.text
    await buyer.send(left.form, {"method": "CARD", **CARD})
    assert await world.charges() == [4900]


async def test_a_challenge_that_nobody_answers_ends(come: Come, world: World) -> None:
    """After half an hour it is cancelled at the bank; until then the sweeper leaves it."""
    buyer = await come()
    await buyer.post((await buyer.open()).form, {"method": "CARD", **ASKS})
    row = await world.one(
        "select extract(epoch from check_at - claimed_on)::integer as seconds from collections"
    )
    assert 1790 <= row["seconds"] <= 1810
    await swept(world)

    row = await world.one("select state, failure from collections")
    assert (row["state"], row["failure"]) == ("FAILED", "AUTHENTICATION_ABANDONED")
    assert await stands(world) == ("UNPAID", 4900)


async def test_twice_and_from_two_tabs(come: Come, world: World) -> None:
    """A double click, and a second browser with the same page: one charge."""
    first, second = await come(), await come()
    forms = [(await first.open()).form, (await second.open()).form]
    typed = {"method": "CARD", **CARD}
    await asyncio.gather(
        first.post(forms[0], typed), first.post(forms[0], typed), second.post(forms[1], typed)
    )

    assert await world.charges() == [4900]
    assert await stands(world) == ("PAID", 0)
    again = await second.send(forms[1], typed)
    assert (again.status, "the invoice is paid" in again.text) == (409, True)
    assert await world.charges() == [4900]
    await Merchant(world=world).is_sound()


async def test_while_one_tab_is_at_the_bank_the_other_shows_it(
    come: Come, world: World
) -> None:
    """No second try lives: the other tab is led to the same challenge."""
    first, second = await come(), await come()
    form = (await second.open()).form
    await first.post((await first.open()).form, {"method": "CARD", **ASKS})
    await second.post(form, {"method": "CARD", **CARD})

    assert "Confirm with your bank" in (await second.open()).text
    assert len(await world.fetch("select from collections")) == 1
    assert await world.charges() == []


async def test_a_credit_note_meanwhile(come: Come, world: World, invoice_id: UUID) -> None:
    """EUR 10 are credited after the page was opened: nothing is charged, EUR 39 are shown."""
    buyer = await come()
    form = (await buyer.open()).form
    row = await world.one("select customer_id from invoices")
    billed = Billed(world=world, customer_id=row["customer_id"], id=invoice_id)
    await billed.credit(DebtCancellation(), Amount(1000))

    seen = await buyer.send(form, {"method": "CARD", **CARD})

    assert (seen.status, "The amount has changed" in seen.text) == (409, True)
    assert await world.charges() == []
    await buyer.send(seen.form, {"method": "CARD", **CARD})
    assert await world.charges() == [3900]
    await Merchant(world=world).is_sound()


async def test_a_payment_meanwhile(come: Come, world: World, invoice_id: UUID) -> None:
    """Part of it came another way: the old page charges nothing, the new one the rest."""
    buyer = await come()
    form = (await buyer.open()).form
    money = MoneyReceived(amount=900, paid_at=None, reference="bank")
    async with world.app.transaction() as tx:
        await receive_money(world.ctx.within(tx), invoice_id, money)

    seen = await buyer.send(form, {"method": "CARD", **CARD})
    assert (seen.status, await world.charges()) == (409, [])
    await buyer.send(seen.form, {"method": "CARD", **CARD})
    assert await world.charges() == [4000]
    assert await stands(world) == ("PAID", 0)


async def test_an_amount_that_we_did_not_show(come: Come, world: World) -> None:
    """A form whose figure is not signed pays nothing."""
    buyer = await come()
    form = (await buyer.open()).form
    seen = await buyer.send(form, {"method": "CARD", **CARD, "shown": "1 EUR"})

    assert (seen.status, await world.charges()) == (409, [])


async def test_a_form_from_elsewhere(come: Come, world: World) -> None:
    """Without the cookie of the page nothing is done."""
    form = (await (await come()).open()).form
    other = await come()
    answer = await other.post(form, {"method": "CARD", **CARD})
    assert (answer.status_code, await world.charges()) == (403, [])


async def test_a_void_invoice(come: Come, world: World, invoice_id: UUID) -> None:
    """It says so, and charges nothing, also from a page that was open before."""
    buyer = await come()
    form = (await buyer.open()).form
    async with world.app.transaction() as tx:
        await void_invoice(world.ctx.within(tx), invoice_id)

    seen = await buyer.send(form, {"method": "CARD", **CARD})
    assert (seen.status, "This invoice is void" in seen.text) == (409, True)
    assert await world.charges() == []


async def test_nobody_else_touches_it_meanwhile(
    come: Come, world: World, invoice_id: UUID
) -> None:
    """While a try lives no other money is noted, and nobody collects from a saved card."""
    buyer = await come()
    await buyer.post((await buyer.open()).form, {"method": "CARD", **ASKS})
    money = MoneyReceived(amount=4900, paid_at=None, reference=None)
    with pytest.raises(Busy):
        async with world.app.transaction() as tx:
            await receive_money(world.ctx.within(tx), invoice_id, money)
    row = await world.one("select customer_id from invoices")
    await save_payment_method(
        world.ctx, row["customer_id"], new_id(), MethodKind.CARD, {**CARD}
    )

    assert len(await world.fetch("select from collections")) == 1
    row = await world.one("select collect_at from invoices")
    assert row["collect_at"] is None


@pytest.mark.parametrize(("typed", "due"), [(ANSWER_IS_LOST, 0), (QUESTION_IS_LOST, 4900)])
async def test_no_answer(come: Come, world: World, typed: dict[str, str], due: int) -> None:
    """The page waits; the sweeper finds the money, or makes sure that none will be taken."""
    buyer = await come()
    seen = await buyer.send((await buyer.open()).form, {"method": "CARD", **typed})
    assert "Waiting for the answer" in seen.text
    await swept(world)

    assert (await stands(world))[1] == due
    assert await world.charges() == [4900] * (due == 0)
    await Merchant(world=world).is_sound()


async def test_payment_brings_a_subscription_back(world: World, come: Come) -> None:
    """Suspended after the last try with a card that fails; paid on the page it is back at
    once.
    """
    await world.execute("update invoicing_entities set dunning_policy = 'SUSPEND'")
    row: dict[str, Any] = await world.one("select customer_id from invoices")
    fields = {**CARD, "card_number": "4000000000000341"}
    await save_payment_method(world.ctx, row["customer_id"], new_id(), MethodKind.CARD, fields)
    merchant = Merchant(world=world)
    await merchant.travel(datetime(2026, 3, 26, tzinfo=UTC))
    assert (await world.one("select status from subscriptions"))["status"] == "SUSPENDED"

    buyer = await come()
    await buyer.send((await buyer.open()).form, {"method": "CARD", **CARD})

    assert (await world.one("select status from subscriptions"))["status"] == "ACTIVE"
    assert await stands(world) == ("PAID", 0)
    await merchant.travel(date(2026, 3, 28))


async def test_it_is_told_where_to_pay(world: World, invoice_id: UUID) -> None:
    """The link stands in the events of the final invoice, and is the one that opens."""
    rows = await world.fetch(
        "select type, data ->> 'payment_url' as url from events where type like 'invoice.%'"
    )
    link = PUBLIC_URL + link_of(world, invoice_id)
    assert {row["type"]: row["url"] for row in rows} == {
        "invoice.created": None,
        "invoice.finalized": link,
    }
