"""Buyers and merchants at once at sessions, coupons and balances."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID

import pytest

from tallystick.db.engine import retrying
from tallystick.domain.coupons import Percentage
from tallystick.domain.try_limits import TryLimits
from tallystick.services.archive_customer import archive_customer
from tallystick.services.confirm_result import (
    AlreadyHeld,
    Completed,
    ConfirmResult,
    InFlight,
    QuoteChanged,
)
from tallystick.services.continue_checkout import continue_checkout, use_another_method
from tallystick.services.end_session import cancel_session, expire_session
from tallystick.services.record_purchase import record_purchase
from tallystick.services.settle_debits import settle_debits
from tallystick.services.sweep_attempts import sweep_attempts
from tests.crowds import kinds
from tests.races.racing import ASKS_MAX, PAUSE_SECONDS, Race, Runner, written
from tests.real_time import sweep
from tests.shops import attempts, stored, with_places
from tests.soundness import assert_sound
from tests.world import NOON, World

ANSWER_IS_LOST = "4000000000009979"
DECLINED = "4000000000000002"
PRICE = 4900

pytestmark = pytest.mark.timeout(900)


async def customers(world: World, race: Race, round_: int) -> list[UUID]:
    """As many customers as run."""
    return [await world.customer(f"C{round_}-{n}") for n in range(race.racers)]


async def insist(world: World, session: UUID) -> ConfirmResult:
    """Look at the page and press the button, until what it shows is what it takes."""
    for _ in range(ASKS_MAX):
        result = await world.confirm(session)
        if not isinstance(result, InFlight | QuoteChanged):
            return result
        await asyncio.sleep(PAUSE_SECONDS)
    raise AssertionError("the quote never stands still")


async def test_one_session(race: Race, shop: World) -> None:
    """Confirms of one session: one charge; everybody else hears of that purchase."""
    plan = await shop.plan()
    for number in race.rounds():
        session = await shop.session(await shop.customer(f"C{number}"), plan)
        shown, card = await shop.shown(session), await shop.card()

        heard = await race.run(
            [partial(shop.confirm, session, shown=shown, method=card)] * race.racers
        )

        assert kinds(heard).keys() <= {"Completed", "InFlight"}
        assert Completed() in heard
    assert await shop.charges() == [PRICE] * race.times
    await assert_sound(shop)


async def test_many_sessions_of_one_plan(race: Race, shop: World) -> None:
    """Confirms of many sessions of one customer and one plan: it is bought once."""
    for number in race.rounds():
        plan = await shop.plan(name=f"Plan {number}")
        customer = await shop.customer(f"C{number}")
        sessions = [await shop.session(customer, plan) for _ in range(race.racers)]
        shown = {one: await shop.shown(one) for one in sessions}
        card = await shop.card()

        heard = await race.run(
            [partial(shop.confirm, one, shown=shown[one], method=card) for one in sessions]
        )

        assert heard.count(Completed()) == 1
        assert heard.count(AlreadyHeld()) == race.racers - 1
    assert await shop.charges() == [PRICE] * race.times
    await assert_sound(shop)


async def test_confirm_cancel_expire(race: Race, shop: World) -> None:
    """Confirms, cancels and expiries of each of many sessions: bought, or ended uncharged."""
    plan, sessions = await shop.plan(), []
    late = shop.at(shop.ctx.now + timedelta(hours=2))
    for number in race.rounds():
        runners: list[Runner[object]] = []
        for customer in await customers(shop, race, number):
            session = await shop.session(customer, plan, expires_in_hours=1)
            sessions.append(session)
            shown = await shop.shown(session)
            runners += [partial(shop.confirm, session, shown=shown)] * 2
            runners.append(partial(cancel_session, shop.ctx, session))
            runners.append(partial(expire_session, late.ctx, session))
        race.random.shuffle(runners)
        await race.run(runners)
        await sweep(shop)

    states = [(await stored(shop, one))["state"] for one in sessions]
    assert set(states) <= {"COMPLETED", "CANCELLED", "EXPIRED"}
    assert await shop.charges() == [PRICE] * states.count("COMPLETED")
    await assert_sound(shop)


async def test_the_last_redemptions(race: Race, shop: World) -> None:
    """A coupon for a third of those who want it: no more have it, the others pay in full."""
    plan, limit = await shop.plan(), race.racers // 3
    for number in race.rounds():
        half = Percentage(percentage=Decimal(50))
        coupon = await shop.coupon(f"HALF{number}", half, redemption_limit=limit)
        sessions = [
            await shop.session(one, plan, coupon_ids=(coupon,))
            for one in await customers(shop, race, number)
        ]
        shown = {one: await shop.shown(one) for one in sessions}
        before = len(await shop.charges())

        heard = await race.run(
            [partial(shop.confirm, one, shown=shown[one]) for one in sessions]
        )
        assert kinds(heard) == {"Completed": limit, "QuoteChanged": race.racers - limit}
        losers = [one for one, it in zip(sessions, heard, strict=True) if it != Completed()]
        assert set(await race.run([partial(insist, shop, one) for one in losers])) == {
            Completed()
        }

        charged = sorted((await shop.charges())[before:])
        assert charged == [PRICE // 2] * limit + [PRICE] * (race.racers - limit)
    await assert_sound(shop)


async def test_coupons_of_declined_cards(race: Race, shop: World) -> None:
    """Two coupons reserved and given back in any order: what is taken is what was bought."""
    plan, ten = await shop.plan(), Percentage(percentage=Decimal(10))
    coupons = [await shop.coupon(code, ten) for code in ("A", "B")]
    bought = 0
    for number in race.rounds():
        runners: list[Runner[object]] = []
        for place, customer in enumerate(await customers(shop, race, number)):
            ids = tuple(coupons[:: (-1) ** place])
            session = await shop.session(customer, plan, coupon_ids=ids)
            shown = await shop.shown(session)
            bad = await shop.card(DECLINED)
            runners.append(partial(shop.confirm, session, shown=shown, method=bad))
            runners.append(partial(insist, shop, session))
        await race.run(runners)
        bought += race.racers
    done = await shop.one("select count(*) from subscriptions")
    taken = await shop.fetch("select taken from coupons")
    assert [row["taken"] for row in taken] == [done["count"]] * 2
    # Who meets a declined try of the same session hears of that one, and may have to come back.
    assert done["count"] <= bought
    assert len(await shop.charges()) == done["count"]
    await assert_sound(shop)


async def test_one_balance(race: Race, shop: World) -> None:
    """One customer's balance spent from many tabs: every cent of it once, the rest by card."""
    shop = await with_places(shop, race.racers)
    # Tries that are under way count, and hundreds of one customer are not what this is about.
    shop.app = replace(shop.app, try_limits=TryLimits(per_customer=0, per_address=0))
    shop.ctx = replace(shop.ctx, app=shop.app)
    for number in race.rounds():
        plan = await shop.plan(name=f"Plan {number}")
        customer = await shop.customer(f"C{number}")
        balance = PRICE * 4 + 17
        await shop.balance(customer, balance)
        sessions = [await shop.session(customer, plan) for _ in range(race.racers)]
        before = sum(await shop.charges())

        heard = await race.run([partial(insist, shop, one) for one in sessions])

        assert set(heard) == {Completed()}
        assert sum(await shop.charges()) - before == PRICE * race.racers - balance
    left = await shop.one(
        "select sum(balance) as balance, sum(held) as held from customer_balances"
    )
    assert (left["balance"], left["held"]) == (0, 0)
    await assert_sound(shop)


async def test_archived_while_buying(race: Race, shop: World) -> None:
    """Customers archived while they buy: bought and kept, or archived and never charged."""
    plan = await shop.plan()
    everybody: list[UUID] = []
    for number in race.rounds():
        runners: list[Runner[object]] = []
        found = await customers(shop, race, number)
        for customer in found:
            session = await shop.session(customer, plan)
            shown = await shop.shown(session)
            runners.append(partial(shop.confirm, session, shown=shown))
            runners.append(partial(written, shop, partial(_archive, customer)))
        await race.run(runners)
        everybody += found
    kept = await shop.one("select count(*) from customers where archived_at is null")
    sold = await shop.one("select count(*) from subscriptions")
    assert kept["count"] == sold["count"] == len(await shop.charges())
    assert race.heard["Completed"] == sold["count"]
    assert race.heard["Ended"] == len(everybody) - sold["count"]
    await assert_sound(shop)


async def _archive(customer: UUID, ctx: object) -> None:
    await archive_customer(ctx, customer)  # type: ignore[arg-type]


async def test_news_of_one_payment(race: Race, shop: World) -> None:
    """Messengers, sweepers and the buyer at each of many payments: it is bought once."""
    plan, sold = await shop.plan(), 0
    for number in race.rounds():
        sessions = [
            await shop.session(one, plan) for one in await customers(shop, race, number)
        ]
        cards = {one: await shop.card(ANSWER_IS_LOST) for one in sessions}
        await race.run([partial(shop.confirm, one, method=cards[one]) for one in sessions])
        await shop.execute("update payment_attempts set check_at = now() where state = 'LIVE'")
        live = [row["id"] for row in await attempts(shop) if row["state"] == "LIVE"]

        runners: list[Runner[object]] = [partial(sweep_attempts, shop.app, NOON)] * 4
        for attempt in live:
            runners += [partial(_told, shop, attempt)] * 2
        for session in sessions:
            runners.append(partial(continue_checkout, shop.ctx, session))
            runners.append(partial(use_another_method, shop.ctx, session))
        race.random.shuffle(runners)
        await race.run(runners)
        sold += race.racers
    await sweep(shop)
    assert await shop.charges() == [PRICE] * sold
    row = await shop.one("select count(*) from subscriptions")
    assert row["count"] == sold
    await assert_sound(shop)


async def _told(shop: World, attempt: UUID) -> ConfirmResult:
    return await retrying(shop.app.database, lambda tx: record_purchase(shop.ctx, tx, attempt))


async def test_debits_that_settle(race: Race, shop: World) -> None:
    """Workers that hear together what became of many debits: each is settled once."""
    plan, sold = await shop.plan(), 0
    for number in race.rounds():
        sessions = [
            await shop.session(one, plan) for one in await customers(shop, race, number)
        ]
        debits = {one: await shop.debit() for one in sessions}
        await race.run([partial(shop.confirm, one, method=debits[one]) for one in sessions])
        await shop.execute(
            "update sandbox.intents set settle_at = now() where state = 'PENDING'"
        )
        await asyncio.sleep(0.01)
        await race.run([partial(settle_debits, shop.app, NOON)] * 8)
        sold += race.racers
    await settle_debits(shop.app, NOON)
    paid = await shop.one("select count(*) from invoices where payment_status = 'PAID'")
    assert paid["count"] == sold
    assert await shop.charges() == [PRICE] * sold
    await assert_sound(shop)
