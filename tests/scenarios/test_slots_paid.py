"""Slots that are there once their invoice is paid, whatever pays it, and exactly once."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tallystick.domain.coupons import Percentage
from tallystick.domain.credit_note import DebtCancellation, Everything
from tallystick.domain.errors import Conflict, InvalidInput
from tallystick.domain.offer_request import OfferRequest
from tallystick.domain.slot_change import SlotMode
from tallystick.services.change_invoice import (
    MoneyReceived,
    finalize_invoice,
    receive_money,
    void_invoice,
)
from tallystick.services.change_plan import change_plan
from tallystick.services.due_work import do_due_work
from tallystick.services.issue_credit_note import CreditRequest, issue_credit_note
from tallystick.services.plan_wanted import PlanChangeRequest
from tests.real_time import debits_are_decided
from tests.scenarios.slots import Seats, begin, of, seats_plan
from tests.subscribing import Merchant
from tests.world import World

PAID = SlotMode.ON_INVOICE_PAID


async def asked(world: World, **offer: Any) -> tuple[Seats, UUID]:  # noqa: ANN401
    """Five seats, and five more that wait for 27.42 from January 15 on."""
    seats = await begin(world, **offer)
    await seats.merchant.travel(date(2024, 1, 15))
    changed = await seats.change(5, PAID)
    assert changed.invoice is not None
    assert (changed.invoice.total, changed.effective_on, changed.slots) == (2742, None, 5)
    assert await seats.value() == 5000
    (waiting,) = changed.details.items[0].slot_changes
    assert (waiting.delta, waiting.on, waiting.invoice_id) == (5, None, changed.invoice.id)
    return seats, changed.invoice.id


async def pay(seats: Seats, invoice_id: UUID, amount: int) -> None:
    """Money comes by hand."""
    money = MoneyReceived(amount=amount, paid_at=None, reference=None)
    async with seats.world.app.transaction() as tx:
        await receive_money(seats.world.ctx.within(tx), invoice_id, money)
    await seats.merchant.is_sound()


async def void(seats: Seats, invoice_id: UUID) -> None:
    """The invoice is voided."""
    async with seats.world.app.transaction() as tx:
        await void_invoice(seats.world.ctx.within(tx), invoice_id)
    await seats.merchant.is_sound()


async def to_team(seats: Seats) -> None:
    """Change to a plan of 49.00 without seats."""
    team = await seats.world.plan(name="Team")
    request = PlanChangeRequest(plan_version_id=team.version_id, components=OfferRequest())
    async with seats.world.app.transaction() as tx:
        ctx = seats.world.ctx.within(tx)
        await change_plan(ctx, seats.subscription_id, request, preview=False)
    await seats.merchant.is_sound()


async def joined(seats: Seats) -> list[tuple[int, date | None]]:
    """The entries after the first: how many, and from when."""
    rows = await seats.world.fetch(
        "select delta, effective_on from slot_entries where id <> item_id order by created_at"
    )
    return [(row["delta"], row["effective_on"]) for row in rows]


async def test_paid_by_hand(world: World) -> None:
    """Not by a part, but by the whole: ten seats from January 18, billed whole in February."""
    seats, invoice = await asked(world)
    await seats.merchant.travel(date(2024, 1, 18))

    await pay(seats, invoice, 2000)
    assert (await seats.count(), await seats.value()) == (5, 5000)
    await pay(seats, invoice, 742)

    assert (await seats.count(), await seats.value()) == (10, 10000)
    assert await joined(seats) == [(5, date(2024, 1, 18))]
    changes = [kind for name, kind in await seats.merchant.events() if kind]
    assert changes.count("slots_changed") == 1
    await seats.merchant.travel(date(2024, 2, 2))
    assert await seats.totals() == [5000, 2742, 10000]


async def test_paid_by_the_balance_at_once(world: World) -> None:
    """A balance that covers it makes it PAID when it is finalized: there at once."""
    seats = await begin(world)
    row = await world.one("select id from customers")
    await world.balance(row["id"], 5000)
    await seats.merchant.travel(date(2024, 1, 15))

    changed = await seats.change(5, PAID)

    assert changed.invoice is not None
    assert (changed.invoice.payment_status, changed.invoice.applied_balance) == ("PAID", 2742)
    assert (changed.slots, changed.effective_on) == (10, date(2024, 1, 15))
    assert await seats.value() == 10000


async def saved(world: World, number: str = "") -> Seats:
    """Five seats bought by card or debit, which is on file."""
    merchant = Merchant(world=world)
    await merchant.stand_at(datetime(2024, 1, 1, tzinfo=UTC))
    plan = await seats_plan(world, "10", 5, 100)
    session = await world.session(await world.customer(), plan)
    method = await world.debit() if number == "debit" else None
    await world.confirm(session, method=method)
    item = await world.one("select id, subscription_id from subscription_items")
    return of(merchant, item["subscription_id"], item["id"])


async def test_paid_by_the_card_on_file(world: World) -> None:
    """The due work charges 27.42, and with that the seats are there."""
    seats = await saved(world)
    await seats.merchant.travel(date(2024, 1, 15))
    await seats.change(5, PAID)
    assert await seats.count() == 5

    await do_due_work(world.ctx)

    assert await world.charges() == [5000, 2742]
    assert (await seats.count(), await seats.value()) == (10, 10000)
    await do_due_work(world.ctx)
    assert await joined(seats) == [(5, date(2024, 1, 15))]
    await seats.merchant.is_sound()


async def test_paid_by_a_debit_when_it_settles(world: World) -> None:
    """A debit that is accepted is no money yet; settled, it brings the seats, once."""
    seats = await saved(world, "debit")
    await debits_are_decided(world)
    await seats.merchant.travel(date(2024, 1, 15))
    await seats.change(5, PAID)
    await do_due_work(world.ctx)
    assert await seats.count() == 5

    await debits_are_decided(world)
    await debits_are_decided(world)

    assert (await seats.count(), await seats.value()) == (10, 10000)
    assert await joined(seats) == [(5, date(2024, 1, 15))]
    await seats.merchant.is_sound()


async def test_a_debt_that_is_cancelled_is_paid(world: World) -> None:
    """Whoever waives the whole amount gives the seats: the invoice is PAID."""
    seats, invoice = await asked(world)
    request = CreditRequest(invoice_id=invoice, kind=DebtCancellation(), scope=Everything())

    async with world.app.transaction() as tx:
        await issue_credit_note(world.ctx.within(tx), request)

    await seats.merchant.is_sound()
    assert await seats.count() == 10


async def test_a_void_invoice_drops_them(world: World) -> None:
    """Voided, nothing waits any more; five seats in February."""
    seats, invoice = await asked(world)

    await void(seats, invoice)

    assert await joined(seats) == [(5, None)]
    dropped = await world.one("select dropped_at from slot_entries where id <> item_id")
    assert dropped["dropped_at"] == world.ctx.now
    await seats.merchant.travel(date(2024, 2, 2))
    assert await seats.totals() == [5000, 2742, 5000]
    again = await seats.change(5, PAID)
    assert again.invoice is not None
    await pay(seats, again.invoice.id, again.invoice.total)
    assert await seats.count() == 10


async def test_a_draft_that_waits_for_a_person(world: World) -> None:
    """They wait while the draft does, and go on waiting when it is final and owed."""
    seats, invoice = await asked(world, auto_advance_invoices=False)
    async with world.app.transaction() as tx:
        await finalize_invoice(world.ctx.within(tx), invoice)
    await seats.merchant.is_sound()
    assert await seats.count() == 5

    await pay(seats, invoice, 2742)

    assert await seats.count() == 10


async def test_those_that_wait_count_against_the_most(world: World) -> None:
    """Ten at most: five have five waiting, so not one more; and none of them is given up."""
    seats, _ = await asked(world, most=10)

    with pytest.raises(InvalidInput, match="delta: at most 0 more"):
        await seats.change(1)
    with pytest.raises(InvalidInput, match="delta: at most 0 fewer"):
        await seats.change(-1)


async def test_paid_after_the_boundary(world: World) -> None:
    """Paid on February 3: there from then, and billed from the next month as all others."""
    seats, invoice = await asked(world)
    await seats.merchant.travel(date(2024, 2, 3))
    assert await seats.totals() == [5000, 2742, 5000]

    await pay(seats, invoice, 2742)

    assert (await seats.count(), await seats.value()) == (10, 10000)
    await seats.merchant.travel(date(2024, 3, 2))
    assert await seats.totals() == [5000, 2742, 5000, 10000]


async def test_paid_before_a_step_that_is_overdue(world: World) -> None:
    """Paid on February 3 while February's step is late: February has five, the value ten."""
    seats, invoice = await asked(world)
    await seats.merchant.stand_at(datetime(2024, 2, 3, tzinfo=UTC))
    await pay(seats, invoice, 2742)

    await do_due_work(world.ctx)

    assert await seats.totals() == [5000, 2742, 5000]
    assert (await seats.count(), await seats.value()) == (10, 10000)


async def test_paid_when_it_is_over(world: World) -> None:
    """Cancelled before it was paid: the money stays, the seats never come."""
    seats, invoice = await asked(world)
    await seats.merchant.cancel(seats.subscription_id)
    await seats.merchant.travel(date(2024, 2, 2))

    await pay(seats, invoice, 2742)

    assert await joined(seats) == [(5, None)]
    assert (await seats.value(), await seats.totals()) == (0, [5000, 2742])


async def test_a_plan_change_waits_for_them(world: World) -> None:
    """Refused while they wait, and nothing is changed; paid, it takes all ten along."""
    seats, invoice = await asked(world)
    before = await seats.everything()
    with pytest.raises(Conflict, match="wait for their invoice: pay it, or void it"):
        await to_team(seats)
    assert await seats.everything() == before
    await pay(seats, invoice, 2742)

    await to_team(seats)

    # Ten seats for 17 of 31 days are given back: 54.84, and 49.00 x 17 / 31 = 26.87 charged.
    assert (await seats.last())["total"] == -5484 + 2687


async def test_after_a_decline_a_later_try_pays(world: World) -> None:
    """Declined, they go on waiting; the try three days later brings them on its day."""
    seats = await saved(world)
    row = await world.one("select token from payment_methods")
    await seats.merchant.travel(date(2024, 1, 15))
    declined = await world.card("4000000000000341")
    await world.execute("update payment_methods set token = $1", declined.token)
    await seats.change(5, PAID)
    await do_due_work(world.ctx)
    assert await seats.count() == 5
    await world.execute("update payment_methods set token = $1", row["token"])

    await seats.merchant.travel(world.ctx.now + timedelta(days=3))

    assert await joined(seats) == [(5, date(2024, 1, 18))]
    assert await world.charges() == [5000, 2742]


async def test_slots_are_credited_as_each_was_billed(world: World) -> None:
    """Half of 25.81 for the first five, whom a coupon halved, and all of it for five more."""
    await world.coupon("HALF", Percentage(percentage=Decimal(50)), recurring_value=1)
    seats = await begin(world, coupon_codes=("HALF",))
    await seats.merchant.travel(date(2024, 1, 16))
    await seats.change(5)

    await to_team(seats)

    lines = [(one["name"], one["amount"]) for one in (await seats.last())["lines"]]
    assert lines == [
        ("Seats (credit)", -1291),
        ("Seats (credit)", -2581),
        ("Fee (prorated)", 2529),
    ]


@pytest.mark.parametrize("late", [True, False])
async def test_what_was_not_billed_is_not_credited(world: World, late: bool) -> None:
    """Paid after the boundary, or with a void invoice: five of ten seats were billed."""
    if late:
        seats, invoice = await asked(world)
        await seats.merchant.travel(date(2024, 2, 15))
        await pay(seats, invoice, 2742)
    else:
        seats = await begin(world)
        await seats.merchant.travel(date(2024, 2, 15))
        changed = await seats.change(5)
        assert changed.invoice is not None
        await void(seats, changed.invoice.id)
    assert await seats.count() == 10

    await to_team(seats)

    # Five seats for 15 of 29 days.
    assert (await seats.last())["lines"][0]["amount"] == -2586
