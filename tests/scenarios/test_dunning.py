"""After the last try: the entity's policy, what is given up, and what a payment brings back."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from tallystick.domain.credit_note import DebtCancellation
from tallystick.domain.dunning import CANCELLED_BECAUSE
from tallystick.domain.errors import Conflict
from tallystick.domain.payment import MethodKind
from tallystick.services.change_invoice import (
    MoneyReceived,
    give_up_invoice,
    receive_money,
    void_invoice,
)
from tallystick.services.ids import new_id
from tallystick.services.save_payment_method import save_payment_method
from tests.crediting import Billed
from tests.subscribing import Merchant
from tests.world import VISA, World

FAILS_WHEN_CHARGED = "4000000000000341"
START = date(2026, 3, 10)
LAST_TRY = datetime(2026, 3, 25, 12, tzinfo=UTC)
"""Noon of March 10, and 3, 5 and 7 days after it."""


@pytest.fixture
def merchant(world: World) -> Merchant:
    """Whoever moves the shop's clock."""
    return Merchant(world=world)


async def with_policy(world: World, policy: str, *, gives_up: bool = False) -> None:
    """What the shop's entity does after the last try."""
    await world.execute(
        "update invoicing_entities set dunning_policy = $1, dunning_marks_uncollectible = $2",
        policy,
        gives_up,
    )


async def card_on_file(world: World, customer: UUID, number: str) -> UUID:
    """A card that a customer puts on file."""
    fields = {"card_number": number, "card_expiry": "12/40", "card_cvc": "123"}
    made = await save_payment_method(world.ctx, customer, new_id(), MethodKind.CARD, fields)
    return made.id


async def unpaid(merchant: Merchant, policy: str = "LEAVE", *, gives_up: bool = False) -> UUID:
    """A subscription of EUR 49 a month from March 10, whose customer's card fails."""
    world = merchant.world
    await with_policy(world, policy, gives_up=gives_up)
    customer = await world.customer()
    await card_on_file(world, customer, FAILS_WHEN_CHARGED)
    made = await merchant.subscribe(customer, await world.plan(), START)
    return made.subscription.id


async def first(merchant: Merchant) -> dict[str, Any]:
    """Its first invoice."""
    return (await merchant.invoices())[0]


async def pay(world: World, invoice_id: UUID, amount: int) -> None:
    """Money comes another way."""
    money = MoneyReceived(amount=amount, paid_at=None, reference=None)
    async with world.app.transaction() as tx:
        await receive_money(world.ctx.within(tx), invoice_id, money)


async def failures(world: World) -> list[tuple[str | None, str]]:
    """What every failure told: the next try, and how many are left."""
    rows = await world.fetch(
        "select data ->> 'next_try_at' as again, data ->> 'tries_left' as left"
        " from events where type = 'payment.failed' order by position"
    )
    return [(row["again"], row["left"]) for row in rows]


async def test_each_failure_tells_of_the_next_try(merchant: Merchant) -> None:
    """3, 5 and 7 days after the failures; after the fourth none is left."""
    await unpaid(merchant)
    await merchant.travel(LAST_TRY)

    assert await failures(merchant.world) == [
        ("2026-03-13T12:00:00.000Z", "3"),
        ("2026-03-18T12:00:00.000Z", "2"),
        ("2026-03-25T12:00:00.000Z", "1"),
        (None, "0"),
    ]


async def test_left_open(merchant: Merchant) -> None:
    """LEAVE: EUR 49 stay due, the subscription goes on, nobody tries again."""
    made = await unpaid(merchant)
    await merchant.travel(date(2026, 4, 9))

    invoice = await first(merchant)
    assert (invoice["status"], invoice["payment_status"]) == ("FINALIZED", "ERRORED")
    assert (invoice["amount_due"], invoice["collect_at"]) == (4900, None)
    assert (await merchant.stands(made))["status"] == "ACTIVE"
    assert len(await failures(merchant.world)) == 4


async def test_suspended_until_it_is_paid(merchant: Merchant) -> None:
    """SUSPEND: with the last failure, not before; its value and its place stay. Half of the
    money brings nothing back, all of it does.
    """
    world = merchant.world
    made = await unpaid(merchant, "SUSPEND")
    await merchant.travel(datetime(2026, 3, 25, 11, 59, tzinfo=UTC))
    assert (await merchant.stands(made))["status"] == "ACTIVE"

    await merchant.travel(LAST_TRY)
    now = await merchant.stands(made)
    assert (now["status"], now["mrr"]) == ("SUSPENDED", 4900)
    assert now["next_step_on"] == date(2026, 4, 10)
    assert (await merchant.events())[-1] == ("subscription.updated", "paused")

    invoice = await first(merchant)
    await pay(world, invoice["id"], 2400)
    await merchant.travel(date(2026, 3, 26))
    assert (await merchant.stands(made))["status"] == "SUSPENDED"

    await pay(world, invoice["id"], 2500)
    await merchant.travel(date(2026, 3, 27))
    assert (await merchant.stands(made))["status"] == "ACTIVE"
    assert (await merchant.events())[-2:] == [
        ("invoice.paid", None),
        ("subscription.updated", "activated"),
    ]


async def test_it_is_billed_while_it_is_suspended(merchant: Merchant) -> None:
    """Its period goes on and April is billed; it is back when both are paid, not one."""
    world = merchant.world
    made = await unpaid(merchant, "SUSPEND")
    await merchant.travel(date(2026, 4, 28))

    march, april = await merchant.invoices()
    assert (march["amount_due"], april["amount_due"]) == (4900, 4900)
    assert (april["invoice_date"], april["suspends"]) == (date(2026, 4, 10), True)
    await pay(world, march["id"], 4900)
    await merchant.travel(date(2026, 4, 29))
    assert (await merchant.stands(made))["status"] == "SUSPENDED"
    await pay(world, april["id"], 4900)
    await merchant.travel(date(2026, 4, 30))
    assert (await merchant.stands(made))["status"] == "ACTIVE"


async def test_a_void_invoice_suspends_nothing(merchant: Merchant) -> None:
    """What was billed by mistake is voided: the subscription is back."""
    world = merchant.world
    made = await unpaid(merchant, "SUSPEND")
    await merchant.travel(LAST_TRY)
    async with world.app.transaction() as tx:
        await void_invoice(world.ctx.within(tx), (await first(merchant))["id"])
    await merchant.travel(date(2026, 3, 26))

    assert (await merchant.stands(made))["status"] == "ACTIVE"


async def test_cancelled(merchant: Merchant) -> None:
    """CANCEL: it ends on the day of the last failure, with the reason; the debt stays."""
    made = await unpaid(merchant, "CANCEL")
    await merchant.travel(date(2026, 5, 1))

    now = await merchant.stands(made)
    assert (now["status"], now["cancelled_on"], now["mrr"]) == (
        "CANCELLED",
        date(2026, 3, 25),
        0,
    )
    assert now["cancellation_reason"] == CANCELLED_BECAUSE
    (invoice,) = await merchant.invoices()
    assert (invoice["status"], invoice["amount_due"]) == ("FINALIZED", 4900)
    assert (await merchant.events())[-1] == ("subscription.cancelled", None)


async def test_given_up(merchant: Merchant) -> None:
    """Marked with the policy, EUR 49 due; a part that comes leaves it UNCOLLECTIBLE, the rest
    makes it FINALIZED and PAID, and the subscription is back.
    """
    world = merchant.world
    made = await unpaid(merchant, "SUSPEND", gives_up=True)
    await merchant.travel(LAST_TRY)

    invoice = await first(merchant)
    assert (invoice["status"], invoice["amount_due"]) == ("UNCOLLECTIBLE", 4900)
    assert invoice["marked_as_uncollectible_at"] == LAST_TRY
    assert (await merchant.events())[-1] == ("invoice.marked_uncollectible", None)

    await pay(world, invoice["id"], 1000)
    partly = await first(merchant)
    assert (partly["status"], partly["payment_status"], partly["amount_due"]) == (
        "UNCOLLECTIBLE",
        "PARTIALLY_PAID",
        3900,
    )
    await pay(world, invoice["id"], 3900)
    await merchant.travel(date(2026, 3, 26))
    paid = await first(merchant)
    assert (paid["status"], paid["payment_status"]) == ("FINALIZED", "PAID")
    assert paid["marked_as_uncollectible_at"] == LAST_TRY
    assert (await merchant.stands(made))["status"] == "ACTIVE"


async def test_what_is_given_up_can_be_credited(merchant: Merchant) -> None:
    """By hand, once; a note that cancels the debt pays it, and a second mark is refused."""
    world = merchant.world
    await unpaid(merchant)
    await merchant.travel(LAST_TRY)
    invoice_id = (await first(merchant))["id"]
    async with world.app.transaction() as tx:
        await give_up_invoice(world.ctx.within(tx), invoice_id)
    with pytest.raises(Conflict, match="UNCOLLECTIBLE already"):
        async with world.app.transaction() as tx:
            await give_up_invoice(world.ctx.within(tx), invoice_id)
    (row,) = await world.fetch("select customer_id from invoices")
    billed = Billed(world=world, customer_id=row["customer_id"], id=invoice_id)
    await billed.credit(DebtCancellation())

    credited = await first(merchant)
    assert (credited["status"], credited["payment_status"]) == ("FINALIZED", "PAID")
    assert (credited["cancelled"], credited["amount_due"]) == (4900, 0)
    with pytest.raises(Conflict, match="Nothing is due"):
        async with world.app.transaction() as tx:
            await give_up_invoice(world.ctx.within(tx), invoice_id)
    await merchant.is_sound()


async def test_a_new_card_pays_what_is_open(merchant: Merchant) -> None:
    """It is tried at once, with the new one; the subscription keeps that card."""
    world = merchant.world
    made = await unpaid(merchant, "SUSPEND")
    await merchant.travel(date(2026, 3, 28))
    (row,) = await world.fetch("select customer_id from subscriptions")
    method = await card_on_file(world, row["customer_id"], VISA)
    await merchant.travel(date(2026, 3, 29))

    assert (await first(merchant))["payment_status"] == "PAID"
    assert (await merchant.stands(made))["status"] == "ACTIVE"
    assert await world.charges() == [4900]
    (tried,) = await world.fetch(
        "select payment_method_id from collections where state = 'SUCCEEDED'"
    )
    assert tried["payment_method_id"] == method


async def test_an_expired_card_is_dunned(merchant: Merchant) -> None:
    """No question to the bank: CARD_EXPIRED, then the days of dunning, then the new card."""
    world = merchant.world
    customer = await world.customer()
    await card_on_file(world, customer, VISA)
    await world.execute("update payment_methods set card_expiry = '02/2026'")
    await merchant.subscribe(customer, await world.plan(), START)
    await merchant.travel(datetime(2026, 3, 14, tzinfo=UTC))

    told = await world.fetch(
        "select data ->> 'error' as error from events where type = 'payment.failed'"
    )
    assert [row["error"] for row in told] == ["CARD_EXPIRED", "CARD_EXPIRED"]
    assert await world.fetch("select from sandbox.intents where amount > 0") == []
    await card_on_file(world, customer, VISA)
    await merchant.travel(datetime(2026, 3, 15, tzinfo=UTC))
    assert (await first(merchant))["payment_status"] == "PAID"


async def test_what_is_paid_before_the_last_try_is_not_decided_about(
    merchant: Merchant,
) -> None:
    """An hour before it the money comes another way: nothing is cancelled, nothing given up."""
    world = merchant.world
    made = await unpaid(merchant, "CANCEL", gives_up=True)
    await merchant.travel(datetime(2026, 3, 25, 11, tzinfo=UTC))
    await pay(world, (await first(merchant))["id"], 4900)
    await merchant.travel(date(2026, 4, 1))

    assert (await merchant.stands(made))["status"] == "ACTIVE"
    assert (await first(merchant))["payment_status"] == "PAID"
    assert len(await failures(world)) == 3
