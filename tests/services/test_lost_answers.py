"""Answers that never came: the sweeper asks the bank, and records what happened."""

from tallystick.domain.payment import FailureReason
from tallystick.services.charge import take_up
from tallystick.services.confirm_result import Completed, InFlight, PaymentFailed
from tests.real_time import sweep
from tests.shops import attempts, sold, stored
from tests.soundness import assert_sound
from tests.world import World

QUESTION_IS_LOST = "4000000000009987"
ANSWER_IS_LOST = "4000000000009979"


async def test_a_lost_question_is_cancelled_and_the_link_stays_usable(world: World) -> None:
    """The bank never heard of it: nothing is charged, and the buyer may try again."""
    session = await world.session(await world.customer(), await world.plan())
    lost = await world.confirm(session, method=await world.card(QUESTION_IS_LOST))
    assert lost == InFlight()
    assert (await stored(world, session))["state"] == "AWAITING_PAYMENT"

    assert await sweep(world) == 1

    assert await world.charges() == []
    assert (await stored(world, session))["state"] == "CREATED"
    assert await world.confirm(session) == Completed()
    assert await world.charges() == [4900]
    await assert_sound(world)


async def test_a_lost_answer_is_found_by_the_sweeper(world: World) -> None:
    """The money was taken and the answer lost: the sweeper records the purchase, once."""
    session = await world.session(await world.customer(), await world.plan())
    lost = await world.confirm(session, method=await world.card(ANSWER_IS_LOST))
    assert lost == InFlight()
    assert await sold(world) == (1, 0, 0)

    assert await sweep(world) == 1

    assert await sold(world) == (1, 1, 1)
    assert (await stored(world, session))["state"] == "COMPLETED"
    assert await sweep(world) == 0
    await assert_sound(world)


async def test_the_sweeper_leaves_a_call_within_its_limits_alone(world: World) -> None:
    """An attempt is taken up no earlier than its call's limit plus ten seconds."""
    session = await world.session(await world.customer(), await world.plan())
    await world.confirm(session, method=await world.card(QUESTION_IS_LOST))

    due = await world.one(
        "select extract(epoch from check_at - now()) as seconds from payment_attempts"
    )

    assert 25 < due["seconds"] <= 30


async def test_a_lost_setup_is_resolved_too(world: World) -> None:
    """A card saved for a trial whose answer was lost is found, and the trial begins."""
    session = await world.session(
        await world.customer(), await world.plan(), trial_duration_days=14
    )
    lost = await world.confirm(session, method=await world.card(ANSWER_IS_LOST))
    assert lost == InFlight()

    await sweep(world)

    assert await sold(world) == (0, 1, 0)
    assert len(await world.fetch("select * from payment_methods")) == 1
    await assert_sound(world)


async def test_taking_up_an_ended_attempt_tells_how_it_ended(world: World) -> None:
    """Whoever comes late learns the outcome, and the bank is not asked again."""
    session = await world.session(await world.customer(), await world.plan())
    await world.confirm(session, method=await world.card("4000000000009995"))
    await world.confirm(session)
    failed, bought = await attempts(world)

    late = await take_up(world.ctx, bought["id"], give_up=True)

    assert late == Completed()
    # The session was bought in the second attempt, whatever became of the first.
    assert await take_up(world.ctx, failed["id"], give_up=True) == Completed()
    await assert_sound(world)


async def test_every_decline_has_its_reason(world: World) -> None:
    """The buyer and the merchant learn why a card was declined."""
    session = await world.session(await world.customer(), await world.plan())
    for number, reason in (
        ("4000000000000002", FailureReason.DECLINED),
        ("4000000000009995", FailureReason.INSUFFICIENT_FUNDS),
        ("4000000000000069", FailureReason.CARD_EXPIRED),
        ("4000000000000341", FailureReason.DECLINED),
    ):
        declined = await world.confirm(session, method=await world.card(number))
        assert declined == PaymentFailed(reason)
        error = (await stored(world, session))["last_payment_error"]
        assert f'"{reason.value}"' in error
    assert await world.charges() == []
    assert (await stored(world, session))["attempt_count"] == 4
    await assert_sound(world)
