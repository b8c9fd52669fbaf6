"""Checkouts of subscriptions that wait for them: declines, lost answers, and their ends."""

from datetime import UTC, date, datetime

import pytest

from tallystick.domain.errors import Busy
from tallystick.domain.payment import FailureReason
from tallystick.services.confirm_result import (
    Challenge,
    Completed,
    InFlight,
    PaymentFailed,
)
from tallystick.services.continue_checkout import continue_checkout
from tallystick.services.end_session import cancel_session
from tallystick.services.record_failure import record_failure
from tallystick.services.record_purchase import record_purchase
from tallystick.services.renew_due import renew_due
from tests.real_time import sweep
from tests.subscribing import Merchant
from tests.waiting import TODAY, cancel, waiting
from tests.world import World

DECLINED = "4000000000000002"
ASKS = "4000002500003155"
ANSWER_IS_LOST = "4000000000009979"
QUESTION_IS_LOST = "4000000000009987"


@pytest.fixture
def merchant(world: World) -> Merchant:
    """Whoever subscribes customers by hand."""
    return Merchant(world=world)


async def test_a_decline_leaves_it_waiting(merchant: Merchant) -> None:
    """Declined, it waits as before and keeps its place; then a good card."""
    made = await waiting(merchant)

    assert await made.confirm(DECLINED) == PaymentFailed(FailureReason.DECLINED)

    now = await made.stands()
    assert (now["status"], now["is_being_paid"]) == ("PENDING_ACTIVATION", False)
    (place,) = await made.world.fetch("select holder, held_by from plan_places")
    assert (place["holder"], place["held_by"]) == (made.id, "SUBSCRIPTION")
    assert await made.confirm() == Completed()
    assert await made.world.charges() == [4900]


async def test_a_challenge(merchant: Merchant) -> None:
    """While the buyer is at the bank it cannot be cancelled, nor bought in another way."""
    made = await waiting(merchant)

    assert isinstance(await made.confirm(ASKS), Challenge)
    assert (await made.stands())["is_being_paid"] is True
    with pytest.raises(Busy):
        await merchant.cancel(made.id)
    reference = (await made.live_attempt())["reference"]
    await made.world.sandbox.answer_challenge(made.world.tenant_id, reference, approve=True)

    assert await continue_checkout(made.world.ctx, made.session) == Completed()
    assert (await made.stands())["status"] == "ACTIVE"
    assert await made.world.charges() == [4900]
    await merchant.is_sound()


@pytest.mark.parametrize(
    ("card", "charged", "status"),
    [(ANSWER_IS_LOST, [4900], "ACTIVE"), (QUESTION_IS_LOST, [], "PENDING_ACTIVATION")],
)
async def test_an_answer_that_does_not_come(
    merchant: Merchant, card: str, charged: list[int], status: str
) -> None:
    """The sweeper records what happened at the bank, once."""
    made = await waiting(merchant)
    assert await made.confirm(card) == InFlight()

    await sweep(made.world)
    await sweep(made.world)

    assert (await made.stands())["status"] == status
    assert await made.world.charges() == charged
    await merchant.is_sound()


async def test_a_trial_does_not_end_while_it_is_being_paid(merchant: Merchant) -> None:
    """Claimed before the trial's end, recorded after it: it is as on the day of the claim."""
    made = await waiting(merchant, trial_duration_days=14)
    await made.confirm(ANSWER_IS_LOST)
    ends = datetime(2026, 3, 24, 6, tzinfo=UTC)
    await made.world.execute("update tenants set clock = $1", ends)
    later = made.world.at(ends)
    await renew_due(later.ctx)
    assert (await made.stands())["status"] == "TRIAL_ACTIVE"

    await sweep(later)

    assert (await made.stands())["status"] == "TRIAL_ACTIVE"
    good = (await made.world.card()).token
    await made.world.execute("update payment_methods set token = $1", good)
    await merchant.travel(ends)
    assert (await made.stands())["status"] == "ACTIVE"
    assert await made.world.charges() == [4900]


async def test_money_that_comes_late(merchant: Merchant) -> None:
    """Recorded as failed, and taken all the same: it is activated after all."""
    made = await waiting(merchant)
    await made.confirm(ANSWER_IS_LOST)
    late = (await made.live_attempt())["id"]
    async with made.world.app.transaction() as tx:
        await record_failure(made.world.ctx, tx, late, FailureReason.INTERRUPTED)
    await cancel(made, date(2026, 5, 1))

    async with made.world.app.transaction() as tx:
        assert await record_purchase(made.world.ctx, tx, late) == Completed()

    now = await made.stands()
    assert (now["status"], now["is_being_paid"]) == ("ACTIVE", False)
    assert now["next_step_on"] == date(2026, 4, 10)
    await merchant.is_sound()


async def test_money_that_comes_too_late(merchant: Merchant) -> None:
    """Cancelled meanwhile: the session is over, and the money goes back."""
    made = await waiting(merchant)
    await made.confirm(ANSWER_IS_LOST)
    late = (await made.live_attempt())["id"]
    async with made.world.app.transaction() as tx:
        await record_failure(made.world.ctx, tx, late, FailureReason.INTERRUPTED)
    await cancel(made, TODAY)

    async with made.world.app.transaction() as tx:
        await record_purchase(made.world.ctx, tx, late)

    assert (await made.stands())["status"] == "CANCELLED"
    assert (await made.live_attempt())["late_money"] == "REFUNDING"
    await merchant.is_sound()


async def test_cancelling_the_session_cancels_the_subscription(merchant: Merchant) -> None:
    """Both end, and the plan can be bought anew."""
    made = await waiting(merchant)

    await cancel_session(made.world.ctx, made.session)

    now = await made.stands()
    assert (now["status"], now["cancelled_on"]) == ("CANCELLED", TODAY)
    assert await made.session_state() == "CANCELLED"
    assert await made.world.fetch("select * from plan_places") == []
    await merchant.is_sound()


async def test_cancelling_the_session_while_it_is_paid(merchant: Merchant) -> None:
    """The challenge is cancelled at the bank first; then both end."""
    made = await waiting(merchant, trial_duration_days=14)
    assert isinstance(await made.confirm(ASKS), Challenge)

    await cancel_session(made.world.ctx, made.session)

    assert (await made.stands())["status"] == "CANCELLED"
    assert await made.session_state() == "CANCELLED"
    await merchant.is_sound()


@pytest.mark.parametrize("days", [None, 14])
async def test_cancelling_the_subscription_ends_the_session(
    merchant: Merchant, days: int | None
) -> None:
    """Its link is over, and says so."""
    made = await waiting(merchant, trial_duration_days=days)

    await merchant.cancel(made.id, TODAY)

    assert await made.session_state() == "CANCELLED"
    assert ("checkout_session.cancelled", None) in await merchant.events()
    assert (await made.stands())["status"] == "CANCELLED"


async def test_a_cancellation_to_come_ends_the_session_on_its_day(merchant: Merchant) -> None:
    """Scheduled for April 1: until then the link is open."""
    made = await waiting(merchant)

    await merchant.cancel(made.id, date(2026, 4, 1))
    assert await made.session_state() == "CREATED"
    await merchant.travel(date(2026, 4, 1))

    assert await made.session_state() == "CANCELLED"
    assert (await made.stands())["status"] == "CANCELLED"


async def test_a_new_checkout_supersedes_it(merchant: Merchant) -> None:
    """The plan is bought anew while the trial has expired: the old link is over."""
    made = await waiting(merchant, trial_duration_days=14)
    await merchant.travel(date(2026, 3, 25))
    session = await made.world.session(made.customer, made.plan)

    assert await made.world.confirm(session) == Completed()

    assert (await made.stands())["status"] == "SUPERSEDED"
    assert await made.session_state() == "CANCELLED"
    assert await made.world.charges() == [4900]
    await merchant.is_sound()
