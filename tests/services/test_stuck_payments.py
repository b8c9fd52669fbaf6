"""A payment that does not come to its end: the doctor names it, however often it is tried."""

import asyncpg
import pytest

from tallystick.domain.payment import Unknown
from tallystick.services.confirm_result import Challenge, InFlight
from tallystick.services.continue_checkout import continue_checkout
from tallystick.services.examine import Breach, examine
from tests.real_time import sweep
from tests.scripted_bank import ScriptedBank, lost, says, with_bank
from tests.shops import attempts
from tests.soundness import assert_sound
from tests.world import World

ASKS = "4000002500003155"
IMPOSSIBLE = """
    create function refuse_it() returns trigger language plpgsql as $$
    begin raise exception 'impossible' using errcode = 'check_violation'; end $$;
    create trigger impossible before insert on subscriptions
        for each row execute function refuse_it();
"""


async def passed(world: World, minutes: int) -> None:
    """Let so much real time have passed since whatever has happened so far."""
    gone = f"- make_interval(mins => {minutes})"
    await world.execute(f"update payment_attempts set claimed_on = claimed_on {gone}")
    await world.execute(f"update sandbox.movements set created_at = created_at {gone}")


async def named(world: World) -> dict[str, Breach]:
    """What the doctor says, by rule; that no worker numbers events is not meant here."""
    found = (await examine(world.database)).breaches
    return {breach.rule: breach for breach in found if breach.rule != "event-numbered"}


async def test_money_that_cannot_be_recorded_is_named(world: World) -> None:
    """Ten minutes after the bank took it the doctor names the attempt, for all its sweeps."""
    session = await world.session(await world.customer(), await world.plan())
    await world.execute(IMPOSSIBLE)
    with pytest.raises(asyncpg.CheckViolationError, match="impossible"):
        await world.confirm(session)
    assert await world.charges() == [4900]
    await passed(world, 9)
    assert await named(world) == {}

    await passed(world, 2)
    assert await sweep(world) == 0

    found = await named(world)
    assert set(found) == {"bank-unrecorded"}
    assert found["bank-unrecorded"].object == str((await attempts(world))[0]["id"])
    assert found["bank-unrecorded"].about.startswith("4900 EUR taken at ")
    await world.execute("drop trigger impossible on subscriptions")
    assert await sweep(world) == 1
    assert await named(world) == {}
    await assert_sound(world)


@pytest.mark.parametrize(
    "loss",
    [
        "delete from plan_places",
        "delete from balance_entries; delete from customer_balances",
        "update checkout_sessions set state = 'EXPIRED'",
    ],
)
async def test_what_the_claim_took_and_is_gone_stops_the_record(
    world: World, loss: str
) -> None:
    """Without its place, its hold or its session nothing is recorded, and it is named."""
    customer = await world.customer()
    await world.balance(customer, 900)
    session = await world.session(customer, await world.plan())
    lost_answer = await world.card("4000000000009979")
    assert await world.confirm(session, method=lost_answer) == InFlight()
    for statement in loss.split(";"):
        await world.execute(statement)

    assert await sweep(world) == 0

    assert await world.charges() == [4000]
    assert (await attempts(world))[0]["state"] == "LIVE"
    assert await world.fetch("select id from subscriptions") == []
    await passed(world, 11)
    assert "bank-unrecorded" in await named(world)


async def test_a_provider_that_never_answers_is_named(world: World) -> None:
    """Longer than a challenge lives and ten minutes more is too long for any attempt."""
    bank = ScriptedBank(world.sandbox)
    bank.otherwise = says(Unknown())
    bank.script("open", lost)
    shop = with_bank(world, bank)
    session = await shop.session(await shop.customer(), await shop.plan())
    assert await shop.confirm(session) == InFlight()
    await passed(world, 39)
    await sweep(shop)
    assert await named(world) == {}

    await passed(world, 2)
    await sweep(shop)

    found = await named(world)
    assert set(found) == {"attempt-ended"}
    assert found["attempt-ended"].object == str((await attempts(world))[0]["id"])
    assert f"(session {session})" in found["attempt-ended"].about


async def test_who_may_still_be_at_the_bank_is_waited_for(world: World) -> None:
    """Approved at the bank and not come back: named once the challenge is over, not before."""
    session = await world.session(await world.customer(), await world.plan())
    assert isinstance(await world.confirm(session, method=await world.card(ASKS)), Challenge)
    (attempt,) = await attempts(world)
    await world.sandbox.answer_challenge(world.tenant_id, attempt["reference"], approve=True)
    await passed(world, 20)
    assert await named(world) == {}

    await world.execute(IMPOSSIBLE)
    with pytest.raises(asyncpg.CheckViolationError, match="impossible"):
        await continue_checkout(world.ctx, session)

    assert set(await named(world)) == {"bank-unrecorded"}
    soon = await world.one(
        "select check_at < now() + interval '31 seconds' as yes from payment_attempts"
    )
    assert soon["yes"]
