"""What happens to one invoice's money when several things happen to it."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from tallystick.domain.credit_note import Amount, DebtCancellation, PaidAmount, Refund
from tallystick.domain.errors import Busy, Conflict
from tallystick.domain.payment import MethodKind
from tallystick.services.change_invoice import MoneyReceived, receive_money
from tallystick.services.ids import new_id
from tallystick.services.pay_invoice import pay_invoice
from tallystick.services.pay_on_page import AmountChanged, PagePayment, Paid, pay_on_page
from tallystick.services.record_reversal import record_reversal
from tallystick.services.refund_invoice import payment_to_refund
from tallystick.services.save_payment_method import save_payment_method
from tests.crediting import Billed
from tests.real_time import debits_are_decided
from tests.subscribing import Merchant
from tests.world import PUBLIC_URL, VISA, World

FAILS_WHEN_CHARGED = "4000000000000341"
FAILS_LATER = "DE62370400440532013001"
START = date(2026, 3, 10)


@pytest.fixture
def merchant(world: World) -> Merchant:
    """Whoever moves the shop's clock."""
    return Merchant(world=world)


async def card(world: World, customer: UUID, number: str) -> UUID:
    """A card that a customer puts on file."""
    fields = {"card_number": number, "card_expiry": "12/40", "card_cvc": "123"}
    made = await save_payment_method(world.ctx, customer, new_id(), MethodKind.CARD, fields)
    return made.id


async def debit(world: World, customer: UUID, iban: str) -> UUID:
    """An account that a customer puts on file."""
    fields = {"iban": iban, "account_holder": "Dana Globex"}
    kind = MethodKind.DIRECT_DEBIT
    made = await save_payment_method(world.ctx, customer, new_id(), kind, fields)
    return made.id


async def billed(merchant: Merchant, policy: str = "LEAVE") -> Billed:
    """An invoice of EUR 49 of March 10 whose customer has nothing on file yet."""
    world = merchant.world
    await world.execute("update invoicing_entities set dunning_policy = $1", policy)
    customer = await world.customer()
    await merchant.subscribe(customer, await world.plan(), START)
    await merchant.travel(world.ctx.now)
    row = await world.one("select id from invoices")
    return Billed(world=world, customer_id=customer, id=row["id"])


async def comes(one: Billed, amount: int) -> None:
    """Money comes another way."""
    money = MoneyReceived(amount=amount, paid_at=None, reference=None)
    async with one.world.app.transaction() as tx:
        await receive_money(one.world.ctx.within(tx), one.id, money)


async def on_page(one: Billed, amount: int) -> object:
    """Its customer pays on its page, with a good card."""
    world = one.world
    payment = PagePayment(
        amount=amount,
        method=await world.card(),
        consent=None,
        return_url=f"{PUBLIC_URL}/pay/return",
    )
    return await pay_on_page(world.ctx, one.id, payment)


async def stands(one: Billed) -> tuple[str, int]:
    """Its payment status, and what is due."""
    row: dict[str, Any] = await one.stands()
    return row["payment_status"], row["amount_due"]


async def test_part_of_it_comes_between_two_tries(merchant: Merchant) -> None:
    """EUR 19 come on March 12; the second try, with a new card, takes the EUR 30 left."""
    one = await billed(merchant)
    await card(one.world, one.customer_id, FAILS_WHEN_CHARGED)
    await merchant.travel(date(2026, 3, 12))
    await comes(one, 1900)
    assert await stands(one) == ("PARTIALLY_PAID", 3000)
    await card(one.world, one.customer_id, VISA)
    await merchant.travel(date(2026, 3, 14))

    assert await stands(one) == ("PAID", 0)
    assert await one.world.charges() == [3000]


async def test_no_other_money_is_noted_while_a_debit_is_on_its_way(
    merchant: Merchant,
) -> None:
    """Busy until the bank has decided; it fails, EUR 49 are due, and all of it comes."""
    one = await billed(merchant)
    await debit(one.world, one.customer_id, FAILS_LATER)
    await merchant.travel(datetime(2026, 3, 10, 13, tzinfo=UTC))
    assert await stands(one) == ("PROCESSING", 4900)
    with pytest.raises(Busy):
        await comes(one, 100)
    with pytest.raises((Busy, Conflict)):
        await one.credit(DebtCancellation(), Amount(1000))
    assert not isinstance(await on_page(one, 4900), Paid)

    await debits_are_decided(one.world)
    assert await stands(one) == ("ERRORED", 4900)
    await comes(one, 4900)
    await merchant.travel(date(2026, 4, 1))
    assert await stands(one) == ("PAID", 0)
    assert await one.world.charges() == []


async def test_a_debit_that_fails_and_a_note_after_it(merchant: Merchant) -> None:
    """EUR 10 of the debt are cancelled after it failed: the next try is for EUR 39."""
    one = await billed(merchant)
    await debit(one.world, one.customer_id, FAILS_LATER)
    await merchant.travel(datetime(2026, 3, 10, 13, tzinfo=UTC))
    await debits_are_decided(one.world)
    await one.credit(DebtCancellation(), Amount(1000))
    assert await stands(one) == ("ERRORED", 3900)
    await card(one.world, one.customer_id, VISA)
    await merchant.travel(date(2026, 3, 11))

    assert await stands(one) == ("PAID", 0)
    assert await one.world.charges() == [3900]


async def test_money_that_came_another_way_goes_back_another_way(merchant: Merchant) -> None:
    """No provider can refund it; noted as given back, EUR 20 of it are a refund, and the
    invoice stays paid.
    """
    one = await billed(merchant)
    await comes(one, 4900)
    row = await one.world.one("select id from transactions")
    async with one.world.database.connection() as tx:
        request = await payment_to_refund(one.world.ctx, tx, row["id"], 2000)
    with pytest.raises(Conflict, match="did not come through a provider"):
        await one.credit(request.kind, request.scope)

    note = await one.credit(Refund(payment_id=row["id"], offline=True), PaidAmount(2000))

    assert (note.refunded, note.total) == (2000, 2000)
    assert await stands(one) == ("PAID", 0)
    (refund,) = await one.world.fetch(
        "select refund_mode, amount from transactions where payment_type = 'REFUND'"
    )
    assert (refund["refund_mode"], refund["amount"]) == ("OFFLINE", 2000)
    await merchant.is_sound()


async def test_a_dispute_during_dunning(merchant: Merchant) -> None:
    """EUR 10 came, EUR 39 were paid on the page and are disputed: due again, tried by nobody,
    and the subscription is not cancelled, whatever the policy. The customer pays again.
    """
    one = await billed(merchant, "CANCEL")
    world = one.world
    await card(world, one.customer_id, FAILS_WHEN_CHARGED)
    await merchant.travel(date(2026, 3, 12))
    await comes(one, 1000)
    assert await on_page(one, 4900) == AmountChanged()
    assert await on_page(one, 3900) == Paid()
    payment = await world.one("select reference from transactions where amount = 3900")
    reported = await world.sandbox.take_back(
        world.tenant_id, payment["reference"], "sbx_rev_1", "DISPUTE", None
    )
    await record_reversal(world.ctx, reported)
    assert await stands(one) == ("PARTIALLY_PAID", 3900)
    await merchant.travel(date(2026, 4, 9))

    row = await world.one("select status from subscriptions")
    assert (row["status"], await world.charges()) == ("ACTIVE", [3900])
    assert await on_page(one, 3900) == Paid()
    assert await stands(one) == ("PAID", 0)
    assert await world.charges() == [3900, 3900]
    await merchant.is_sound()


async def test_a_person_collects_what_was_disputed(merchant: Merchant) -> None:
    """Asked for, the saved card pays it; what fails then has its tries, and its policy."""
    one = await billed(merchant, "SUSPEND")
    world = one.world
    await card(world, one.customer_id, VISA)
    await merchant.travel(date(2026, 3, 11))
    payment = await world.one("select reference from transactions")
    reported = await world.sandbox.take_back(
        world.tenant_id, payment["reference"], "sbx_rev_2", "CHARGEBACK", None
    )
    await record_reversal(world.ctx, reported)
    await world.execute(
        "update sandbox.methods set behaviour = 'FAILS_WHEN_CHARGED' where kind = 'CARD'"
    )
    with pytest.raises(Conflict):
        await pay_invoice(world.ctx, one.id, new_id())
    await merchant.travel(date(2026, 3, 30))

    row = await world.one("select status from subscriptions")
    assert (row["status"], await stands(one)) == ("SUSPENDED", ("ERRORED", 4900))
    assert await on_page(one, 4900) == Paid()
    row = await world.one("select status from subscriptions")
    assert (row["status"], await stands(one)) == ("ACTIVE", ("PAID", 0))
