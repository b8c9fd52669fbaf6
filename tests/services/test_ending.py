"""Cancelling and expiring: a session ends only after its payment has."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from tallystick.domain.errors import Conflict, NotFound
from tallystick.domain.session import SessionState
from tallystick.services.confirm_result import Completed, Ended
from tallystick.services.continue_checkout import continue_checkout, use_another_method
from tallystick.services.end_session import cancel_session, expire_session
from tallystick.services.ids import new_id
from tallystick.services.show_checkout import show_checkout
from tests.real_time import expire_due, sweep, travel
from tests.shops import attempts, sold, stored, told
from tests.soundness import assert_sound
from tests.world import NOON, World, day

ASKS = "4000002500003155"
QUESTION_IS_LOST = "4000000000009987"
ANSWER_IS_LOST = "4000000000009979"
LATER = NOON + timedelta(hours=2)


async def opened(world: World, number: str | None = None) -> UUID:
    """A session, which somebody tries to pay with a card of this number."""
    session = await world.session(await world.customer(), await world.plan())
    if number is not None:
        await world.confirm(session, method=await world.card(number))
    return session


async def test_an_open_session_is_cancelled(world: World) -> None:
    """A cancelled link sells nothing any more, and the merchant is told once."""
    session = await opened(world)
    shown = await world.shown(session)

    cancelled = await cancel_session(world.ctx, session)

    assert cancelled.session.state is SessionState.CANCELLED
    assert await world.confirm(session, shown=shown) == Ended(SessionState.CANCELLED)
    assert await continue_checkout(world.ctx, session) == Ended(SessionState.CANCELLED)
    with pytest.raises(Conflict, match="CANCELLED"):
        await cancel_session(world.ctx, session)
    assert (await told(world)).count("checkout_session.cancelled") == 1
    await assert_sound(world)


async def test_a_resumed_cancel_is_its_own_success(world: World) -> None:
    """A request that was interrupted after it had cancelled succeeds when it is repeated."""
    session = await opened(world)
    await cancel_session(world.ctx, session)

    again = await cancel_session(world.ctx, session, resumed=True)

    assert again.session.state is SessionState.CANCELLED
    await assert_sound(world)


async def test_a_resumed_cancel_does_not_take_an_expiry_for_its_own(world: World) -> None:
    """A session that expired before the repeated request was cancelled by nobody."""
    session = await opened(world)
    world = await travel(world, LATER)
    await expire_due(world)

    with pytest.raises(Conflict, match="EXPIRED"):
        await cancel_session(world.ctx, session, resumed=True)


async def test_a_session_waiting_for_the_bank_page_is_cancelled(world: World) -> None:
    """A challenge is cancelled at the bank first; approving it later takes nothing."""
    session = await opened(world, ASKS)
    (attempt,) = await attempts(world)

    cancelled = await cancel_session(world.ctx, session)

    assert cancelled.session.state is SessionState.CANCELLED
    await world.sandbox.answer_challenge(world.tenant_id, attempt["reference"], approve=True)
    assert await sold(world) == (0, 0, 0)
    failed = (await attempts(world))[0]["failure"]
    assert '"SESSION_ENDED"' in failed
    await assert_sound(world)


async def test_a_bought_session_is_not_cancelled(world: World) -> None:
    """Too late: the answer names COMPLETED, and the purchase stands."""
    session = await opened(world)
    await world.confirm(session)

    with pytest.raises(Conflict, match="COMPLETED"):
        await cancel_session(world.ctx, session)

    assert await sold(world) == (1, 1, 1)
    await assert_sound(world)


async def test_cancelling_finds_the_money_taken(world: World) -> None:
    """A payment whose answer was lost is found by the cancel: COMPLETED, and recorded."""
    session = await opened(world, ANSWER_IS_LOST)

    with pytest.raises(Conflict, match="COMPLETED"):
        await cancel_session(world.ctx, session)

    assert await sold(world) == (1, 1, 1)
    assert (await stored(world, session))["ending_requested"] is None
    await assert_sound(world)


async def test_cancelling_a_lost_question_cancels(world: World) -> None:
    """A payment the bank never heard of is cancelled there, and the session with it."""
    session = await opened(world, QUESTION_IS_LOST)

    cancelled = await cancel_session(world.ctx, session)

    assert cancelled.session.state is SessionState.CANCELLED
    assert await sold(world) == (0, 0, 0)
    await assert_sound(world)


async def test_an_expired_session_is_not_cancelled(world: World) -> None:
    """Past its time a session reads EXPIRED, whatever the worker has done so far."""
    session = await opened(world)

    with pytest.raises(Conflict, match="EXPIRED"):
        await cancel_session(world.at(LATER).ctx, session)


async def test_ending_an_unknown_session_says_so(world: World) -> None:
    """There is nothing to cancel, expire, continue or confirm."""
    for verb in (cancel_session, expire_session, continue_checkout, use_another_method):
        with pytest.raises(NotFound):
            await verb(world.ctx, new_id())
    with pytest.raises(NotFound):
        await world.confirm(new_id(), shown="")


async def test_a_session_expires_at_its_time(world: World) -> None:
    """An hour after it was made a link sells nothing; the worker then says so once."""
    session = await opened(world)
    shown = await world.shown(session)
    assert await expire_due(world) == 0
    world = await travel(world, LATER)
    assert await world.confirm(session, shown=shown) == Ended(SessionState.EXPIRED)

    assert await expire_due(world) == 1

    assert (await stored(world, session))["state"] == "EXPIRED"
    assert await expire_due(world) == 0
    await expire_session(world.ctx, session)
    assert (await told(world)).count("checkout_session.expired") == 1
    await assert_sound(world)


async def test_a_session_is_sold_until_the_last_moment(world: World) -> None:
    """At 59 minutes and 59 seconds a link still sells; at 60 minutes it does not."""
    first, second = await opened(world), await opened(world)
    shown = await world.shown(second)
    just_before = await travel(world, NOON + timedelta(minutes=59, seconds=59))
    assert await just_before.confirm(first) == Completed()
    in_time = await travel(world, NOON + timedelta(minutes=60))

    assert await in_time.confirm(second, shown=shown) == Ended(SessionState.EXPIRED)
    await assert_sound(world)


async def test_expiry_cancels_a_challenge_first(world: World) -> None:
    """A session that expires while the buyer is at the bank is cancelled there first."""
    session = await opened(world, ASKS)
    (attempt,) = await attempts(world)
    world = await travel(world, LATER)

    assert await expire_due(world) == 1

    assert (await stored(world, session))["state"] == "EXPIRED"
    await world.sandbox.answer_challenge(world.tenant_id, attempt["reference"], approve=True)
    assert await sold(world) == (0, 0, 0)
    await assert_sound(world)


async def test_expiry_leaves_a_payment_within_its_limits_alone(world: World) -> None:
    """A call under way is not disturbed: it ends soon by itself, and the session with it."""
    session = await opened(world, QUESTION_IS_LOST)
    world = await travel(world, LATER)

    await expire_due(world)

    row = await stored(world, session)
    assert (row["state"], row["ending_requested"]) == ("AWAITING_PAYMENT", "EXPIRE")
    await sweep(world)
    row = await stored(world, session)
    assert (row["state"], row["ending_requested"]) == ("EXPIRED", None)
    assert '"SESSION_ENDED"' in (await attempts(world))[0]["failure"]
    assert (await told(world)).count("checkout_session.expired") == 1
    await assert_sound(world)


async def test_a_payment_taken_before_the_expiry_is_recorded_after_it(world: World) -> None:
    """Money that was taken in time buys, though the news comes after the session's time."""
    session = await opened(world, ANSWER_IS_LOST)
    world = await travel(world, LATER)
    await expire_due(world)

    await sweep(world)

    assert (await stored(world, session))["state"] == "COMPLETED"
    assert await sold(world) == (1, 1, 1)
    made = await world.one("select * from subscriptions")
    assert made["created_at"] == NOON
    await assert_sound(world)


async def test_a_decline_after_the_sessions_time_expires_it(world: World) -> None:
    """A refusal that comes back late ends the session instead of opening it again."""
    session = await opened(world, ASKS)
    (attempt,) = await attempts(world)
    await world.sandbox.answer_challenge(world.tenant_id, attempt["reference"], approve=False)
    world = await travel(world, LATER)

    result = await continue_checkout(world.ctx, session)

    assert result == Ended(SessionState.EXPIRED)
    assert (await stored(world, session))["state"] == "EXPIRED"
    await assert_sound(world)


async def test_a_session_without_expiry_stays(world: World) -> None:
    """A link made to last lasts."""
    session = await world.session(
        await world.customer(), await world.plan(), expires_in_hours=0
    )
    world = await travel(world, NOON + timedelta(days=400))

    assert await expire_due(world) == 0
    assert await world.confirm(session) == Completed()


async def test_expiring_before_the_time_does_nothing(world: World) -> None:
    """Whoever asks too early, the session stays open."""
    session = await opened(world)

    await expire_session(world.ctx, session)

    assert (await stored(world, session))["state"] == "CREATED"


async def test_a_cancel_beats_an_expiry(world: World) -> None:
    """A session that the merchant cancelled while it was paid ends CANCELLED, not EXPIRED."""
    session = await opened(world, QUESTION_IS_LOST)
    await world.execute("update checkout_sessions set ending_requested = 'CANCEL'")
    world = await travel(world, LATER)
    await expire_session(world.ctx, session)

    await sweep(world)

    assert (await stored(world, session))["state"] == "CANCELLED"
    await assert_sound(world)


async def nothing_left_to_bill(world: World) -> tuple[World, UUID, str]:
    """An offer that is over before its session is: the merchant has moved to another zone."""
    session = await world.session(
        await world.customer(),
        await world.plan(),
        end_date=day("2026-03-12"),
        expires_in_hours=0,
    )
    shown = await world.shown(session)
    zone = "Pacific/Kiritimati"
    await world.execute("update tenants set time_zone = $1", zone)
    moved = await travel(world, NOON + timedelta(days=1))
    ctx = replace(moved.ctx, tenant=replace(moved.ctx.tenant, time_zone=zone))
    return replace(moved, ctx=ctx), session, shown


async def test_a_session_ends_with_its_offer(world: World) -> None:
    """Confirmed when no day is left to bill it expires, once and for all, and says so once."""
    later, session, shown = await nothing_left_to_bill(world)
    assert (await stored(world, session))["expires_at"] > later.ctx.now

    for _ in range(2):
        assert await later.confirm(session, shown=shown) == Ended(SessionState.EXPIRED)

    assert (await stored(world, session))["state"] == "EXPIRED"
    assert (await told(world)).count("checkout_session.expired") == 1
    assert await sold(world) == (0, 0, 0)
    await assert_sound(world)


async def test_a_session_whose_offer_is_over_is_shown_expired(world: World) -> None:
    """Its page has no form any more, and it can be made to expire before its time."""
    later, session, _ = await nothing_left_to_bill(world)

    view = await show_checkout(later.ctx, session, paid_with=None)
    await expire_session(later.ctx, session)

    assert (view.status, view.quote) == (SessionState.EXPIRED, None)
    assert (await stored(world, session))["state"] == "EXPIRED"
    await assert_sound(world)
