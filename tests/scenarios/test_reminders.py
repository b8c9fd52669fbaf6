"""Reminders as events: each on its day, once, however the time has passed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tallystick.db.engine import Database
from tallystick.domain.payment import MethodKind
from tallystick.services.change_invoice import MoneyReceived, receive_money
from tallystick.services.due_work import bill_due
from tallystick.services.ids import new_id
from tallystick.services.save_payment_method import save_payment_method
from tests.subscribing import Merchant
from tests.world import VISA, World, open_world

START = date(2026, 3, 10)
REMINDERS = ("invoice.due_soon", "invoice.overdue", "invoice.final_notice")


@pytest.fixture
def merchant(world: World) -> Merchant:
    """Whoever moves the shop's clock."""
    return Merchant(world=world)


async def reminded(world: World) -> list[tuple[str, date]]:
    """Every reminder of an invoice with its day, in their order."""
    rows = await world.fetch(
        "select type, happened_at::date as day from events"
        " where tenant_id = $1 and type = any($2) order by position",
        world.tenant_id,
        list(REMINDERS),
    )
    return [(row["type"].removeprefix("invoice."), row["day"]) for row in rows]


async def owing(merchant: Merchant, **fields: Any) -> UUID:  # noqa: ANN401 - of `OfferRequest`
    """A subscription whose invoices are due after ten days, and paid by hand."""
    world = merchant.world
    made = await merchant.subscribe(
        await world.customer(), await world.plan(), START, net_terms=10, **fields
    )
    return made.subscription.id


async def card(world: World, customer: UUID, expiry: str = "12/2040") -> UUID:
    """A card on file that is good until then."""
    fields = {"card_number": VISA, "card_expiry": "12/40", "card_cvc": "123"}
    made = await save_payment_method(world.ctx, customer, new_id(), MethodKind.CARD, fields)
    await world.execute(
        "update payment_methods set card_expiry = $1 where id = $2", expiry, made.id
    )
    return made.id


async def test_an_invoice_that_nobody_pays(merchant: Merchant) -> None:
    """Due on March 20: told on the 17th, 21st and 27th, and for the last time on April 3."""
    await owing(merchant)
    await merchant.travel(date(2026, 4, 10))

    assert await reminded(merchant.world) == [
        ("due_soon", date(2026, 3, 17)),
        ("overdue", date(2026, 3, 21)),
        ("overdue", date(2026, 3, 27)),
        ("final_notice", date(2026, 4, 3)),
    ]
    told = await merchant.world.one(
        "select data ->> 'amount_due' as due, data ->> 'due_date' as day,"
        " data ->> 'days_overdue' as late, data ->> 'payment_url' as url from events"
        " where type = 'invoice.final_notice'"
    )
    assert (told["due"], told["day"], told["late"]) == ("4900", "2026-03-20", "14")
    assert told["url"].startswith("http://127.0.0.1:8484/pay/ten_")


async def test_what_is_paid_is_told_no_more(merchant: Merchant) -> None:
    """Paid on March 22, it is left alone."""
    world = merchant.world
    await owing(merchant)
    await merchant.travel(date(2026, 3, 22))
    (invoice,) = await merchant.invoices()
    async with world.app.transaction() as tx:
        money = MoneyReceived(amount=4900, paid_at=None, reference=None)
        await receive_money(world.ctx.within(tx), invoice["id"], money)
    await merchant.travel(date(2026, 4, 10))

    assert len(await reminded(world)) == 2


async def test_what_is_charged_by_itself_is_told_by_its_failures(merchant: Merchant) -> None:
    """No reminder by its due day; the final notice comes when one try is left."""
    world = merchant.world
    await world.execute("update invoicing_entities set dunning_policy = 'SUSPEND'")
    customer = await world.customer()
    fields = {"card_number": "4000000000000341", "card_expiry": "12/40", "card_cvc": "123"}
    await save_payment_method(world.ctx, customer, new_id(), MethodKind.CARD, fields)
    await merchant.subscribe(customer, await world.plan(), START)
    await merchant.travel(date(2026, 4, 9))

    assert await reminded(world) == [("final_notice", date(2026, 3, 18))]
    told = await world.one(
        "select data ->> 'next_try_at' as again, data ->> 'final_policy' as policy,"
        " data ->> 'amount_due' as due from events where type = 'invoice.final_notice'"
    )
    assert (told["again"], told["policy"], told["due"]) == (
        "2026-03-25T12:00:00.000Z",
        "SUSPEND",
        "4900",
    )


async def test_days_are_settings(merchant: Merchant) -> None:
    """None before, two after; days in Auckland begin half a day earlier."""
    await merchant.world.execute(
        "update tenants set reminder_days_before = 0, reminder_days_after = '{2,4}',"
        " time_zone = 'Pacific/Auckland'"
    )
    await merchant.travel(datetime(2026, 3, 10, 13, tzinfo=UTC))
    await owing(merchant)
    await merchant.travel(date(2026, 4, 9))

    rows = await merchant.world.fetch(
        "select type, happened_at from events where type = any($1) order by position",
        list(REMINDERS),
    )
    assert [(row["type"], row["happened_at"]) for row in rows] == [
        ("invoice.overdue", datetime(2026, 3, 21, 11, tzinfo=UTC)),
        ("invoice.final_notice", datetime(2026, 3, 23, 11, tzinfo=UTC)),
    ]


async def test_a_clock_that_jumps_tells_the_same_as_a_worker(db: Database) -> None:
    """Four months moved at once, and by a worker that comes every six hours."""
    jumped = Merchant(world=await open_world(db))
    await owing(jumped)
    await jumped.travel(date(2026, 7, 1))

    waited = Merchant(world=await open_world(db))
    await owing(waited)
    moment, end = datetime(2026, 3, 11, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
    while moment <= end:
        await waited.stand_at(moment)
        while await bill_due(waited.world.app, moment):
            pass
        moment += timedelta(hours=6)

    told = await reminded(jumped.world)
    assert len(told) == 15
    assert await reminded(waited.world) == told


async def test_a_card_that_expires_before_the_next_charge(merchant: Merchant) -> None:
    """Good until the end of April: told on April 1, once, with the day of the next charge."""
    world = merchant.world
    customer = await world.customer()
    method = await card(world, customer, "04/2026")
    made = await merchant.subscribe(customer, await world.plan(), START)
    await merchant.travel(date(2026, 3, 31))
    told = "select data, happened_at from events where type = 'payment_method.expiring'"
    assert await world.fetch(told) == []
    await merchant.travel(date(2026, 4, 20))

    row = await world.one(
        "select object_id, happened_at, data ->> 'expires_on' as gone,"
        " data ->> 'next_charge_on' as next, data ->> 'card_last4' as last4,"
        " jsonb_array_length(data -> 'subscription_ids') as many from events"
        " where type = 'payment_method.expiring'"
    )
    assert (row["object_id"], row["happened_at"]) == (
        method,
        datetime(2026, 4, 1, tzinfo=UTC),
    )
    assert (row["gone"], row["next"], row["last4"], row["many"]) == (
        "2026-05-01",
        "2026-04-10",
        "4242",
        1,
    )
    assert made.subscription.payment_method_id is None


async def test_a_card_that_nothing_hangs_on(merchant: Merchant) -> None:
    """Another one is good, or nothing is charged to it: nobody is told."""
    world = merchant.world
    spare = await world.customer("Spare")
    await card(world, spare, "04/2026")
    await card(world, spare)
    await merchant.subscribe(spare, await world.plan(), START)
    idle = await world.customer("Idle")
    await card(world, idle, "04/2026")
    await merchant.travel(date(2026, 5, 5))

    assert await world.fetch("select from events where type = 'payment_method.expiring'") == []
