"""Workers, merchants and buyers at once at subscriptions, invoices, numbers and clocks."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest

from tallystick.cli.bench.many_subscriptions import copy_first
from tallystick.domain.credit_note import Amount, CreditToBalance, Everything, Refund
from tallystick.domain.errors import InvalidInput
from tallystick.domain.offer_request import OfferRequest
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RateFee
from tallystick.domain.slot_change import SlotMode
from tallystick.services.advance_clock import advance_clock
from tallystick.services.cancel_subscription import cancel_subscription
from tallystick.services.change_plan import change_plan
from tallystick.services.change_slots import SlotsRequest, change_slots
from tallystick.services.collect_invoice import collect_due
from tallystick.services.context import Context
from tallystick.services.due_work import bill_due
from tallystick.services.ids import new_id
from tallystick.services.issue_credit_note import CreditRequest, issue_credit_note
from tallystick.services.pay_invoice import pay_invoice
from tallystick.services.plan_wanted import PlanChangeRequest
from tallystick.services.refund_invoice import refund_invoice
from tests.crediting import bought, refunds_swept, went_back
from tests.races.racing import Race, Runner, written
from tests.real_time import sweep
from tests.scenarios.slots import Seats, begin
from tests.services.test_collecting import a_month_later, swept
from tests.subscribing import Merchant
from tests.world import SoldPlan, World, rate

PRICE = 4900
START = date(2026, 3, 10)
RENEWED = datetime(2026, 4, 10, 12, tzinfo=UTC)
AFTER_GRACE = datetime(2026, 4, 11, 13, tzinfo=UTC)

FEE_OF_90 = ("Fee", RateFee(), [(Cadence.MONTHLY, rate("90.00"))])

pytestmark = pytest.mark.timeout(900)


async def many(shop: World, plan: SoldPlan, count: int) -> list[UUID]:
    """So many subscriptions to a plan, each of a customer of its own who pays by transfer."""
    merchant = Merchant(world=shop)
    customer = await shop.customer("The first")
    made = await merchant.subscribe(customer, plan, START, charge_automatically=False)
    await copy_first(shop.app, shop.tenant_id, made.subscription.id, count - 1)
    rows = await shop.fetch("select id from subscriptions where plan_id = $1", plan.id)
    return [row["id"] for row in rows]


async def totals_of(shop: World, subscription: UUID) -> list[int]:
    """What the invoices of a subscription after its first come to, in their order."""
    rows = await shop.fetch(
        "select total from invoices where subscription_id = $1 and invoice_date > $2"
        " order by number",
        subscription,
        START,
    )
    return [row["total"] for row in rows]


async def test_renewed_by_many(race: Race, shop: World) -> None:
    """Renewals by eight workers: every subscription has one, numbered without a gap."""
    merchant = Merchant(world=shop)
    ids = await many(shop, await shop.plan(), race.racers)
    for number in race.rounds():
        await merchant.stand_at(AFTER_GRACE + timedelta(days=31 * number))

        await race.run([partial(bill_due, shop.app, AFTER_GRACE)] * 8)

        rows = await shop.fetch(
            "select subscription_id, total, number from invoices where invoice_date = $1",
            date(2026, 4 + number, 10),
        )
        assert sorted(row["subscription_id"] for row in rows) == sorted(ids)
        assert {row["total"] for row in rows} == {PRICE}
        first = 2 + number * race.racers
        numbers = sorted(row["number"] for row in rows)
        assert numbers == list(range(first, first + race.racers))
    await merchant.is_sound()


async def test_changed_while_renewed(race: Race, shop: World) -> None:
    """Plan changes against renewals: the month of the old plan, then the difference, once."""
    merchant = Merchant(world=shop)
    for number in race.rounds():
        old = await shop.plan(name=f"Old {number}")
        new = await shop.plan(FEE_OF_90, name=f"New {number}")
        ids = await many(shop, old, race.racers)
        await merchant.stand_at(RENEWED)
        request = PlanChangeRequest(plan_version_id=new.version_id, components=OfferRequest())
        runners: list[Runner[object]] = [
            partial(written, shop, partial(_change, one, request)) for one in ids
        ]
        runners += [partial(bill_due, shop.app, RENEWED)] * 4
        await race.run(runners)
        await bill_due(shop.app, RENEWED)
        await merchant.stand_at(AFTER_GRACE)
        await bill_due(shop.app, AFTER_GRACE)

        for one in ids:
            assert sorted(await totals_of(shop, one)) == [9000 - PRICE, PRICE]
        row = await shop.one(
            "select count(*), min(mrr) as mrr from subscriptions where plan_id = $1", new.id
        )
        assert (row["count"], row["mrr"]) == (race.racers, 9000)
        await merchant.stand_at(datetime(2026, 3, 10, 12, tzinfo=UTC))
    await shop.execute("update tenants set clock = $1", AFTER_GRACE)
    await merchant.is_sound()


async def _change(subscription: UUID, request: PlanChangeRequest, ctx: Context) -> None:
    await change_plan(ctx, subscription, request, preview=False)


async def test_cancelled_while_renewed(race: Race, shop: World) -> None:
    """Cancellations against renewals, on the boundary: each month billed once, then over."""
    merchant = Merchant(world=shop)
    for number in race.rounds():
        ids = await many(shop, await shop.plan(name=f"P{number}"), race.racers)
        await merchant.stand_at(RENEWED)
        runners: list[Runner[object]] = [
            partial(written, shop, partial(_cancel, one)) for one in ids * 2
        ]
        runners += [partial(bill_due, shop.app, RENEWED)] * 4
        await race.run(runners)
        await merchant.stand_at(AFTER_GRACE)
        await bill_due(shop.app, AFTER_GRACE)

        for one in ids:
            assert await totals_of(shop, one) == [PRICE]
        await merchant.stand_at(datetime(2026, 5, 12, tzinfo=UTC))
        await bill_due(shop.app, AFTER_GRACE)
        left = await shop.fetch("select status from subscriptions where status <> 'CANCELLED'")
        assert left == []
        await merchant.stand_at(datetime(2026, 3, 10, 12, tzinfo=UTC))
    await shop.execute("update tenants set clock = '2026-05-12'")
    await merchant.is_sound()


async def _cancel(subscription: UUID, ctx: Context) -> None:
    await cancel_subscription(ctx, subscription, None, None)


async def _one_more(seats: Seats, ctx: Context) -> None:
    request = SlotsRequest(item_id=seats.item_id, delta=1, mode=SlotMode.OPTIMISTIC)
    await change_slots(ctx, seats.subscription_id, request, preview=False)


async def test_slots_of_one_subscription(race: Race, shop: World) -> None:
    """Slots of one subscription changed by many: each is there, and each is billed."""
    seats = await begin(shop, most=5 + race.racers * race.times)
    await seats.merchant.travel(date(2024, 1, 15))
    for _ in race.rounds():
        one_more = partial(_one_more, seats)
        heard = await race.run([partial(written, shop, one_more)] * race.racers)
        assert set(heard) == {None}
    more = race.racers * race.times
    assert (await seats.count(), await seats.value()) == (5 + more, (5 + more) * 1000)
    # EUR 10 for 17 of 31 days, each.
    assert await seats.totals() == [5000, *[548] * more]
    await seats.merchant.is_sound()


async def test_the_last_slots(race: Race, shop: World) -> None:
    """Half of those who want a slot find one: the others are refused, and not billed."""
    for _ in race.rounds():
        half = race.racers // 2
        seats = await begin(shop, most=5 + half)

        one_more = partial(_one_more, seats)
        heard = await race.run([partial(written, shop, one_more)] * race.racers)
        assert heard.count(None) == half
        assert sum(isinstance(one, InvalidInput) for one in heard) == race.racers - half
        assert await seats.count() == 5 + half
    await no_breach(shop)


async def test_collected_by_all(race: Race, shop: World) -> None:
    """One invoice collected by workers and paid by its buyer at once: one charge."""
    for number in race.rounds():
        customer = await shop.customer(f"C{number}")
        await shop.confirm(await shop.session(customer, await shop.plan(name=f"P{number}")))
        before = len(await shop.charges())
        # All of before are due again, too, and collected by whoever comes first.
        later = await a_month_later(shop)
        row = await shop.one(
            "select id from invoices where customer_id = $1 and amount_due > 0", customer
        )
        runners: list[Runner[object]] = [partial(collect_due, later.ctx)] * (race.racers // 2)
        runners += [
            partial(pay_invoice, later.ctx, row["id"], new_id())
            for _ in range(race.racers - len(runners))
        ]
        race.random.shuffle(runners)
        await race.run(runners)
        await swept(later)

        owing = await shop.one(
            "select payment_status, amount_due from invoices where id = $1", row["id"]
        )
        assert tuple(owing.values()) == ("PAID", 0)
        assert len(await shop.charges()) == before + 1
        await shop.execute("update tenants set clock = $1", datetime(2026, 3, 10, tzinfo=UTC))
        await shop.execute("update subscriptions set next_step_on = null")
    rows = await shop.fetch("select state, count(*) from collections group by state")
    assert rows == [{"state": "SUCCEEDED", "count": race.times}]


async def test_refunds_of_one_invoice(race: Race, shop: World) -> None:
    """Refunds of one invoice asked for at once: never more than was paid, each once."""
    for _ in race.rounds():
        billed = await bought(shop, plan=await shop.plan())
        part = PRICE * 2 // race.racers
        before = sum(await went_back(shop))
        requests = [
            CreditRequest(invoice_id=billed.id, kind=Refund(), scope=Amount(part))
            for _ in range(race.racers)
        ]
        await race.run([partial(refund_invoice, shop.ctx, one, new_id()) for one in requests])
        await refunds_swept(shop)
        back = sum(await went_back(shop)) - before
        assert back == PRICE // part * part
        notes = await shop.fetch(
            "select status, total from credit_notes where invoice_id = $1", billed.id
        )
        assert sum(one["total"] for one in notes if one["status"] == "FINALIZED") == back
        assert {one["status"] for one in notes} == {"FINALIZED"}
    await no_breach(shop)


async def test_credits_and_refunds(race: Race, shop: World) -> None:
    """Credits to the balance and refunds of everything: one of them has all of it."""
    for _ in race.rounds():
        billed = await bought(shop, plan=await shop.plan())
        before = sum(await went_back(shop))
        back = CreditRequest(invoice_id=billed.id, kind=Refund(), scope=Everything())
        kept = CreditRequest(invoice_id=billed.id, kind=CreditToBalance(), scope=Everything())

        async def credit(ctx: Context, kept: CreditRequest = kept) -> None:
            await issue_credit_note(ctx, kept)

        runners: list[Runner[object]] = [partial(written, shop, credit)] * (race.racers // 2)
        runners += [
            partial(refund_invoice, shop.ctx, back, new_id())
            for _ in range(race.racers - len(runners))
        ]
        await race.run(runners)
        await refunds_swept(shop)
        assert await billed.balance() + sum(await went_back(shop)) - before == PRICE
    await no_breach(shop)


async def test_one_counter(race: Race, shop: World) -> None:
    """Purchases, renewals and slots that all need the next number: 1 to n without a gap."""
    merchant = Merchant(world=shop)
    for number in race.rounds():
        await many(shop, await shop.plan(name=f"P{number}"), race.racers)
        seats = await begin(shop, "2026-03-10", most=1000)
        await merchant.stand_at(AFTER_GRACE)
        plan = await shop.plan(name=f"Q{number}")
        sessions = [
            await shop.session(await shop.customer(f"D{number}-{n}"), plan)
            for n in range(race.racers)
        ]
        runners: list[Runner[object]] = [partial(shop.confirm, one) for one in sessions]
        runners += [partial(bill_due, shop.app, AFTER_GRACE)] * 4
        runners += [partial(written, shop, partial(_one_more, seats))] * (race.racers // 2)
        race.random.shuffle(runners)
        await race.run(runners)
        await merchant.stand_at(datetime(2026, 3, 10, 12, tzinfo=UTC))
    rows = await shop.fetch("select number from invoices where number is not null")
    assert sorted(row["number"] for row in rows) == list(range(1, len(rows) + 1))
    await no_breach(shop)


async def test_the_clock_moves_on(race: Race, shop: World) -> None:
    """A clock moved over a month while buyers buy: everybody is billed for each month once."""
    plan = await shop.plan()
    merchant = Merchant(world=shop)
    for number in race.rounds():
        sessions = [
            await shop.session(await shop.customer(f"C{number}-{n}"), plan)
            for n in range(race.racers)
        ]
        to = shop.ctx.now + timedelta(days=40)
        runners: list[Runner[object]] = [partial(shop.confirm, one) for one in sessions]
        runners += [partial(advance_clock, shop.ctx, to), partial(bill_due, shop.app, to)]
        # The clock waits for payments, and what nobody works on any more is for the sweeper.
        sweeping = asyncio.create_task(_keeps_sweeping(shop))
        await race.run(runners)
        sweeping.cancel()
        await asyncio.wait({sweeping})
        await merchant.travel(to + timedelta(hours=1))
    rows = await shop.fetch(
        "select subscription_id, invoice_date from invoices"
        " group by subscription_id, invoice_date having count(*) > 1"
    )
    assert rows == []
    await assert_charged(shop)


async def _keeps_sweeping(shop: World) -> None:
    while True:
        await asyncio.sleep(2)
        await sweep(shop)


async def assert_charged(shop: World) -> None:
    """What the bank has taken is what the invoices were paid with."""
    paid = await shop.one("select sum(settled)::bigint as paid from invoices")
    assert paid["paid"] == sum(await shop.charges())
    await no_breach(shop)


async def no_breach(shop: World) -> None:
    """The doctor is silent, and the reference's SDK reads every event."""
    await Merchant(world=shop).is_sound()
