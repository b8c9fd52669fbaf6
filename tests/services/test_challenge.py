"""3-D Secure: approved, refused, abandoned, left for another card."""

from uuid import UUID

from tallystick.domain.payment import FailureReason
from tallystick.services.confirm_result import Challenge, Completed, InFlight, PaymentFailed
from tallystick.services.continue_checkout import continue_checkout, use_another_method
from tests.real_time import challenges_end, sweep
from tests.shops import attempts, sold, stored
from tests.soundness import assert_sound
from tests.world import World

ASKS = "4000002500003155"


async def challenged(world: World) -> tuple[UUID, str]:
    """A session whose buyer has been sent to the bank, and the bank's reference."""
    session = await world.session(await world.customer(), await world.plan())
    asked = await world.confirm(session, method=await world.card(ASKS))
    (attempt,) = await attempts(world)
    assert isinstance(asked, Challenge)
    assert attempt["reference"] in asked.url
    return session, attempt["reference"]


async def test_an_approved_challenge_buys_on_the_way_back(world: World) -> None:
    """The buyer approves at the bank, comes back, and has bought: one charge of EUR 49."""
    session, reference = await challenged(world)
    assert await world.charges() == []
    await world.sandbox.answer_challenge(world.tenant_id, reference, approve=True)

    assert await continue_checkout(world.ctx, session) == Completed()

    assert await world.charges() == [4900]
    assert await continue_checkout(world.ctx, session) == Completed()
    assert await sold(world) == (1, 1, 1)
    await assert_sound(world)


async def test_a_refused_challenge_says_so_and_leaves_the_link_usable(world: World) -> None:
    """A buyer who refuses at the bank pays nothing, reads why, and may try another card."""
    session, reference = await challenged(world)
    await world.sandbox.answer_challenge(world.tenant_id, reference, approve=False)

    refused = await continue_checkout(world.ctx, session)

    assert refused == PaymentFailed(FailureReason.AUTHENTICATION_FAILED)
    assert await continue_checkout(world.ctx, session) == refused
    assert await world.confirm(session) == Completed()
    assert await world.charges() == [4900]
    await assert_sound(world)


async def test_an_abandoned_challenge_is_cancelled_after_half_an_hour(world: World) -> None:
    """A challenge nobody answers is cancelled at the bank; then another card buys."""
    session, reference = await challenged(world)
    left = await world.one(
        "select extract(epoch from challenge_until - now()) as seconds, "
        "check_at = challenge_until as due_then from payment_attempts"
    )
    assert 1790 < left["seconds"] <= 1800
    assert left["due_then"]

    await challenges_end(world)

    (attempt,) = await attempts(world)
    assert attempt["state"] == "FAILED"
    assert '"AUTHENTICATION_ABANDONED"' in attempt["failure"]
    assert (await stored(world, session))["state"] == "CREATED"
    await world.sandbox.answer_challenge(world.tenant_id, reference, approve=True)
    assert await world.charges() == []
    assert await world.confirm(session) == Completed()
    assert await world.charges() == [4900]
    await assert_sound(world)


async def test_a_challenge_is_left_for_another_card(world: World) -> None:
    """Choosing another method cancels the challenge first; only the other card is charged."""
    session, reference = await challenged(world)

    left = await use_another_method(world.ctx, session)

    assert left == PaymentFailed(FailureReason.CANCELLED_BY_BUYER)
    assert await world.confirm(session) == Completed()
    await world.sandbox.answer_challenge(world.tenant_id, reference, approve=True)
    assert await sold(world) == (1, 1, 1)
    await assert_sound(world)


async def test_leaving_an_approved_challenge_is_too_late(world: World) -> None:
    """Who approved at the bank and then asks for another method has bought already."""
    session, reference = await challenged(world)
    await world.sandbox.answer_challenge(world.tenant_id, reference, approve=True)

    assert await use_another_method(world.ctx, session) == Completed()

    assert await sold(world) == (1, 1, 1)
    await assert_sound(world)


async def test_a_second_confirm_shows_the_live_challenge(world: World) -> None:
    """While a challenge lives, confirming again makes no other attempt: it shows that one."""
    session, reference = await challenged(world)

    again = await world.confirm(session, shown="whatever")

    assert isinstance(again, Challenge)
    assert reference in again.url
    assert len(await attempts(world)) == 1
    assert isinstance(await continue_checkout(world.ctx, session), Challenge)
    await assert_sound(world, at_rest=False)


async def test_the_sweeper_finds_an_approval_nobody_came_back_from(world: World) -> None:
    """Who approves and closes the browser has bought all the same."""
    _, reference = await challenged(world)
    await world.sandbox.answer_challenge(world.tenant_id, reference, approve=True)

    assert await sweep(world) == 1

    assert await sold(world) == (1, 1, 1)
    await assert_sound(world)


async def test_waiting_without_an_answer_shows_a_payment_under_way(world: World) -> None:
    """A page that looks again while the bank has not answered is told to wait."""
    session = await world.session(await world.customer(), await world.plan())
    assert await world.confirm(session, method=await world.card("4000000000009987")) == (
        InFlight()
    )

    assert await continue_checkout(world.ctx, session) == InFlight()
    assert await world.confirm(session, shown="whatever") == InFlight()

    await assert_sound(world, at_rest=False)
