"""Different verbs at one attempt, together: it has one end, and everybody hears of that one."""

import asyncio
from collections import Counter
from functools import partial
from uuid import UUID

from tallystick.db.engine import Tx, retrying
from tallystick.domain.errors import Conflict
from tallystick.domain.payment import Cancelled, FailureReason
from tallystick.services.confirm_result import (
    Challenge,
    Completed,
    Ended,
    InFlight,
    PaymentFailed,
)
from tallystick.services.continue_checkout import continue_checkout, use_another_method
from tallystick.services.end_session import cancel_session, expire_session
from tallystick.services.record_failure import record_failure
from tallystick.services.record_purchase import record_purchase
from tests.crowds import at_once
from tests.real_time import challenges_end, sweep
from tests.scripted_bank import ScriptedBank, says, with_bank
from tests.shops import attempts, sold, stored
from tests.soundness import assert_sound
from tests.world import World

ASKS = "4000002500003155"
ANSWER_IS_LOST = "4000000000009979"
ROUNDS = 8


async def cancelled(world: World, session: UUID) -> bool:
    """Cancel a session, whatever is going on; whether it was cancelled."""
    try:
        await cancel_session(world.ctx, session)
    except Conflict:
        return False
    return True


async def test_a_cancel_meets_a_confirm(busy: World) -> None:
    """Either the purchase stands, or the session is cancelled and nothing was charged."""
    plan = await busy.plan()
    outcomes: Counter[str] = Counter()
    for number in range(ROUNDS):
        session = await busy.session(await busy.customer(f"C{number}"), plan)
        shown, before = await busy.shown(session), len(await busy.charges())

        async def later(session: UUID = session, pause: float = number * 0.004) -> bool:
            await asyncio.sleep(pause)
            return await cancelled(busy, session)

        await asyncio.gather(later(), busy.confirm(session, shown=shown))
        await sweep(busy)
        state = (await stored(busy, session))["state"]
        outcomes[state] += 1
        assert len(await busy.charges()) - before == (state == "COMPLETED")
    assert outcomes.keys() <= {"COMPLETED", "CANCELLED"}
    await assert_sound(busy)


async def test_an_expiry_meets_a_confirm(busy: World) -> None:
    """A session whose time is up while it is paid is sold or expired, never both."""
    plan = await busy.plan()
    for number in range(ROUNDS):
        session = await busy.session(await busy.customer(f"C{number}"), plan)
        shown, before = await busy.shown(session), len(await busy.charges())
        late = busy.at(busy.ctx.now.replace(hour=14))

        async def later(session: UUID = session, pause: float = number * 0.004) -> None:
            await asyncio.sleep(pause)
            await expire_session(late.ctx, session)  # noqa: B023 - awaited in this round

        await asyncio.gather(later(), busy.confirm(session, shown=shown))
        await sweep(busy)
        state = (await stored(busy, session))["state"]
        assert state in {"COMPLETED", "EXPIRED"}
        assert len(await busy.charges()) - before == (state == "COMPLETED")
    await assert_sound(busy)


async def test_a_sweeper_in_a_hurry_meets_a_confirm(busy: World) -> None:
    """A sweeper that takes up an attempt too early changes what happens, never how often."""
    plan = await busy.plan()
    for number in range(ROUNDS):
        session = await busy.session(await busy.customer(f"C{number}"), plan)
        shown, before = await busy.shown(session), len(await busy.charges())

        async def hurry(pause: float = number * 0.004) -> None:
            await asyncio.sleep(pause)
            await sweep(busy)

        result, *_ = await asyncio.gather(busy.confirm(session, shown=shown), hurry(), hurry())
        await sweep(busy)
        state = (await stored(busy, session))["state"]
        assert state == ("COMPLETED" if result == Completed() else "CREATED")
        assert len(await busy.charges()) - before == (state == "COMPLETED")
    await assert_sound(busy)


async def test_another_method_meets_a_confirm_in_flight(busy: World) -> None:
    """A buyer who is quicker than the bank pays once, with one card or the other."""
    plan = await busy.plan()
    for number in range(ROUNDS):
        session = await busy.session(await busy.customer(f"C{number}"), plan)
        shown, before = await busy.shown(session), len(await busy.charges())

        async def leave(session: UUID = session, pause: float = number * 0.004) -> None:
            await asyncio.sleep(pause)
            await use_another_method(busy.ctx, session)

        await asyncio.gather(busy.confirm(session, shown=shown), leave())
        if (await stored(busy, session))["state"] == "CREATED":
            assert await busy.confirm(session, shown=shown) == Completed()
        assert len(await busy.charges()) - before == 1
    await assert_sound(busy)


async def test_everybody_records_one_attempt_once(busy: World) -> None:
    """Return page, webhook and sweeper bring the same news together: one purchase."""
    session = await busy.session(await busy.customer(), await busy.plan())
    lost = await busy.confirm(session, method=await busy.card(ANSWER_IS_LOST))
    assert lost == InFlight()
    (attempt,) = await attempts(busy)

    results = await at_once(
        [
            *(
                retrying(busy.database, lambda tx: record_purchase(busy.ctx, tx, attempt["id"]))
                for _ in range(10)
            ),
            *(continue_checkout(busy.ctx, session) for _ in range(10)),
            *(use_another_method(busy.ctx, session) for _ in range(10)),
        ]
    )

    assert set(results) == {Completed()}
    assert await sold(busy) == (1, 1, 1)
    await assert_sound(busy)


async def test_success_and_failure_of_one_attempt_meet(busy: World) -> None:
    """One messenger says cancelled and one says paid: the money was taken, so it buys."""
    plan = await busy.plan()
    for number in range(ROUNDS):
        session = await busy.session(await busy.customer(f"C{number}"), plan)
        await busy.confirm(session, method=await busy.card(ANSWER_IS_LOST))
        attempt = (await attempts(busy))[-1]["id"]

        await asyncio.gather(
            retrying(busy.database, partial(_fail, busy, attempt)),
            retrying(busy.database, partial(_buy, busy, attempt)),
        )

        assert (await stored(busy, session))["state"] == "COMPLETED"
    assert await sold(busy) == (ROUNDS, ROUNDS, ROUNDS)
    await assert_sound(busy)


async def _fail(world: World, attempt: UUID, tx: Tx) -> None:
    await record_failure(world.ctx, tx, attempt, FailureReason.INTERRUPTED)


async def _buy(world: World, attempt: UUID, tx: Tx) -> None:
    await record_purchase(world.ctx, tx, attempt)


async def test_the_end_of_a_challenge_meets_its_approval(busy: World) -> None:
    """At the half hour's end the buyer approves: bought or given up, as the bank decided."""
    plan = await busy.plan()
    for number in range(ROUNDS):
        session = await busy.session(await busy.customer(f"C{number}"), plan)
        await busy.confirm(session, method=await busy.card(ASKS))
        attempt = (await attempts(busy))[-1]

        _, _, result = await asyncio.gather(
            busy.sandbox.answer_challenge(busy.tenant_id, attempt["reference"], approve=True),
            challenges_end(busy),
            continue_checkout(busy.ctx, session),
        )
        assert isinstance(result, Completed | PaymentFailed | Challenge | Ended)
        await sweep(busy)
    completed = await busy.fetch("select id from checkout_sessions where state = 'COMPLETED'")
    assert len(await busy.charges()) == len(completed)
    await assert_sound(busy)


async def test_a_customer_changed_during_a_claim_is_not_lost(busy: World) -> None:
    """Edits of the customer while it buys wait for each other; the purchase is as quoted."""
    customer = await busy.customer()
    session = await busy.session(customer, await busy.plan())
    shown = await busy.shown(session)

    async def edit() -> None:
        for number in range(10):
            await busy.execute(
                "update customers set alias = $2 where id = $1", customer, f"alias-{number}"
            )

    result, _ = await asyncio.gather(busy.confirm(session, shown=shown), edit())

    assert result == Completed()
    kept = await busy.one("select alias, name from customers where id = $1", customer)
    assert (kept["alias"], kept["name"]) == ("alias-9", "Globex")
    await assert_sound(busy)


async def test_late_news_of_one_attempt_buys_once(busy: World) -> None:
    """Ten messengers bring the same late money: it buys once, and none of it goes back."""
    bank = ScriptedBank(busy.sandbox)
    shop = with_bank(busy, bank)
    session = await shop.session(await shop.customer(), await shop.plan())
    await shop.confirm(session, method=await shop.card(ASKS))
    bank.script("cancel", says(Cancelled()))
    await use_another_method(shop.ctx, session)
    async with busy.database.connection() as tx:
        row = await tx.fetchrow("select id, reference from payment_attempts")
    assert row is not None
    await busy.sandbox.answer_challenge(busy.tenant_id, row["reference"], approve=True)

    results = await at_once(
        [
            retrying(busy.database, lambda tx: record_purchase(shop.ctx, tx, row["id"]))
            for _ in range(10)
        ]
    )

    assert set(results) == {Completed()}
    assert await sold(busy) == (1, 1, 1)
    await assert_sound(busy)
