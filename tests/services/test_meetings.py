"""Verbs that meet: what one of them does while another waits for the bank."""

import asyncio
from uuid import UUID

import pytest

from tallystick.db.refusals import CheckViolation
from tallystick.domain.errors import Busy
from tallystick.domain.payment import (
    AlreadySucceeded,
    FailureReason,
    Pending,
    Succeeded,
    Unknown,
)
from tallystick.domain.session import SessionState
from tallystick.services.confirm_result import (
    Completed,
    ConfirmResult,
    Ended,
    InFlight,
    PaymentFailed,
)
from tallystick.services.continue_checkout import continue_checkout, use_another_method
from tallystick.services.end_session import cancel_session
from tests.real_time import sweep
from tests.scripted_bank import (
    ScriptedBank,
    after,
    before,
    hanging,
    lost,
    says,
    silent,
    with_bank,
)
from tests.shops import attempts, sold, stored
from tests.soundness import assert_sound
from tests.world import World

ASKS = "4000002500003155"


class Shop:
    """A shop with a scripted bank, and one session in it."""

    def __init__(self, world: World, bank: ScriptedBank, session: UUID) -> None:
        self.world, self.bank, self.session = world, bank, session

    async def confirm(self, number: str | None = None) -> ConfirmResult:
        """Press the button."""
        method = None if number is None else await self.world.card(number)
        return await self.world.confirm(self.session, method=method)

    async def another_method(self) -> ConfirmResult:
        """Ask for another payment method."""
        return await use_another_method(self.world.ctx, self.session)

    async def come_back(self) -> ConfirmResult:
        """Come back from the bank, or look again."""
        return await continue_checkout(self.world.ctx, self.session)

    async def cancel(self) -> None:
        """Cancel the session, as its merchant."""
        await cancel_session(self.world.ctx, self.session)

    async def try_to_cancel(self) -> None:
        """Cancel it while the bank does not answer."""
        with pytest.raises(Busy) as busy:
            await self.cancel()
        assert busy.value.retry_after_seconds == 15

    async def attempt(self) -> dict[str, object]:
        """The only attempt, with the seconds until it is looked at."""
        return await self.world.one(
            "select *, extract(epoch from check_at - now()) as seconds from payment_attempts"
        )

    async def state(self) -> str:
        """The session's state."""
        return str((await stored(self.world, self.session))["state"])


@pytest.fixture
async def shop(world: World) -> Shop:
    """A shop with one open session."""
    bank = ScriptedBank(world.sandbox)
    world = with_bank(world, bank)
    session = await world.session(await world.customer(), await world.plan())
    return Shop(world, bank, session)


async def test_a_second_click_after_the_first_has_bought(shop: Shop) -> None:
    """Whoever confirms again what was just bought is told so."""
    shown = await shop.world.shown(shop.session)
    await shop.confirm()

    assert await shop.world.confirm(shop.session, shown=shown) == Completed()

    assert await sold(shop.world) == (1, 1, 1)


async def test_a_challenge_cancelled_before_its_answer_came_is_not_shown(shop: Shop) -> None:
    """The buyer is not sent to a challenge that another tab has cancelled meanwhile."""
    shop.bank.script("confirm", after(shop.another_method))

    assert await shop.confirm(ASKS) == PaymentFailed(FailureReason.CANCELLED_BY_BUYER)

    assert await shop.confirm() == Completed()
    assert await sold(shop.world) == (1, 1, 1)
    await assert_sound(shop.world)


async def test_a_challenge_does_not_outlive_a_cancel(shop: Shop) -> None:
    """A cancel that the bank did not answer ends the session before the buyer is asked."""
    shop.bank.script("cancel", silent)
    shop.bank.script("confirm", before(shop.try_to_cancel))

    assert await shop.confirm(ASKS) == Ended(SessionState.CANCELLED)

    assert await shop.state() == "CANCELLED"
    await assert_sound(shop.world)


async def test_money_taken_before_a_cancel_arrived_stands(shop: Shop) -> None:
    """A cancel that the bank did not answer loses against the payment it met."""
    shop.bank.script("cancel", silent)
    shop.bank.script("confirm", before(shop.try_to_cancel))

    assert await shop.confirm() == Completed()

    assert await sold(shop.world) == (1, 1, 1)
    await assert_sound(shop.world)


async def test_another_method_before_the_call_arrived(shop: Shop) -> None:
    """A confirmation that arrives at the bank after the cancel takes nothing."""
    shop.bank.script("confirm", before(shop.another_method))

    result = await shop.confirm()

    assert result == PaymentFailed(FailureReason.CANCELLED_BY_BUYER)
    assert await shop.world.charges() == []
    assert await shop.confirm() == Completed()
    await assert_sound(shop.world)


async def test_another_method_before_the_intent_is_known(shop: Shop) -> None:
    """An attempt without a reference is opened under its key, and cancelled."""
    shop.bank.script("open", after(shop.another_method))

    result = await shop.confirm()

    assert result == PaymentFailed(FailureReason.CANCELLED_BY_BUYER)
    assert shop.bank.calls == ["open", "open", "cancel"]
    assert await shop.confirm() == Completed()
    await assert_sound(shop.world)


async def test_a_cancel_whose_answer_was_lost_keeps_its_reason(shop: Shop) -> None:
    """The bank cancelled and we did not hear it: asked again, the reason is the same."""
    await shop.confirm(ASKS)
    shop.bank.script("cancel", lost)
    assert await shop.another_method() != PaymentFailed(FailureReason.CANCELLED_BY_BUYER)

    result = await shop.another_method()

    assert result == PaymentFailed(FailureReason.CANCELLED_BY_BUYER)
    await assert_sound(shop.world)


async def test_an_unanswered_cancel_is_asked_again_soon(shop: Shop) -> None:
    """A session to be ended does not wait for the end of the challenge's half hour."""
    await shop.confirm(ASKS)
    shop.bank.script("cancel", silent)

    await shop.try_to_cancel()

    waits = (await shop.attempt())["seconds"]
    assert 0 < int(str(waits).split(".", maxsplit=1)[0]) <= 30
    await sweep(shop.world)
    assert await shop.state() == "CANCELLED"
    await assert_sound(shop.world)


async def test_a_card_that_is_pending_keeps_the_session_waiting(shop: Shop) -> None:
    """Only a debit completes on Pending: a card is asked about until it is decided."""
    shop.bank.script("confirm", says(Pending()))
    assert await shop.confirm() == InFlight()
    attempt = await shop.attempt()
    assert (attempt["step"], attempt["state"]) == ("PENDING", "LIVE")

    shop.bank.script("look", says(Pending()), says(Unknown()), says(Unknown()))
    shop.bank.script("cancel", *[says(AlreadySucceeded(pending=True))] * 2)
    await sweep(shop.world)
    assert await shop.another_method() == InFlight()
    await shop.try_to_cancel()

    assert await sold(shop.world) == (0, 0, 0)
    assert await shop.state() == "AWAITING_PAYMENT"
    shop.bank.script("look", says(Succeeded()))
    assert await shop.come_back() == Completed()


async def pending(shop: Shop) -> None:
    """A card payment that the bank decides later, and says so whenever it is asked."""
    shop.bank.script("confirm", says(Pending()))
    assert await shop.confirm() == InFlight()
    shop.bank.script("look", *[says(Pending())] * 2)


async def test_a_pending_card_is_left_for_another_one(shop: Shop) -> None:
    """The bank is asked to cancel it, and once it has, another card buys."""
    await pending(shop)

    assert await shop.another_method() == PaymentFailed(FailureReason.CANCELLED_BY_BUYER)

    assert await shop.confirm() == Completed()
    assert await sold(shop.world) == (1, 1, 1)
    await assert_sound(shop.world)


async def test_a_session_is_cancelled_with_its_pending_card(shop: Shop) -> None:
    """The merchant's cancel is asked of the bank, too."""
    await pending(shop)

    await shop.cancel()

    assert await shop.state() == "CANCELLED"
    await assert_sound(shop.world)


async def test_a_pending_card_is_waited_for_as_long_as_a_challenge(shop: Shop) -> None:
    """Asked about for half an hour of real time, then cancelled, and the link is usable."""
    await pending(shop)
    await sweep(shop.world)
    assert await shop.state() == "AWAITING_PAYMENT"
    assert "cancel" not in shop.bank.calls

    await shop.world.execute(
        "update payment_attempts set claimed_on = now() - interval '30 minutes'"
    )
    await sweep(shop.world)

    assert await shop.state() == "CREATED"
    assert await shop.confirm() == Completed()
    await assert_sound(shop.world)


async def test_a_debit_that_was_accepted_before_the_cancel_is_bought(shop: Shop) -> None:
    """Too late to cancel a debit that the bank has accepted."""
    shop.bank.script("confirm", lost)
    await shop.world.confirm(shop.session, method=await shop.world.debit())
    shop.bank.script("look", silent)

    assert await shop.another_method() == Completed()

    assert await sold(shop.world) == (0, 1, 1)
    assert (await shop.world.one("select status from transactions"))["status"] == "PENDING"
    await assert_sound(shop.world)


async def test_a_call_that_hangs_is_given_up_in_time(shop: Shop) -> None:
    """A bank that says nothing holds a buyer no longer than the call's limit."""
    hasty = with_bank(shop.world, shop.bank, call_limit_seconds=0.2)
    shop.bank.script("open", hanging)
    assert await hasty.confirm(shop.session) == InFlight()
    shop.bank.script("open", hanging)
    await sweep(hasty)
    assert await shop.state() == "AWAITING_PAYMENT"

    await sweep(shop.world)

    assert await shop.confirm() == Completed()
    assert await sold(shop.world) == (1, 1, 1)
    await assert_sound(shop.world)


async def test_a_return_without_a_payment_tells_the_last_failure(shop: Shop) -> None:
    """Coming back where nothing lives repeats why the last try failed."""
    assert await shop.come_back() == PaymentFailed(FailureReason.INTERRUPTED)
    await shop.confirm("4000000000000002")

    assert await shop.come_back() == PaymentFailed(FailureReason.DECLINED)
    assert await shop.another_method() == PaymentFailed(FailureReason.DECLINED)
    assert len(await attempts(shop.world)) == 1


async def test_a_buyer_who_is_cut_off_loses_nothing(shop: Shop) -> None:
    """A request that ends while the bank is asked leaves its attempt to the sweeper."""
    shop.bank.script("confirm", hanging)
    asking = asyncio.ensure_future(shop.confirm())
    while "confirm" not in shop.bank.calls:
        await asyncio.sleep(0.01)

    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await shop.state() == "AWAITING_PAYMENT"
    await sweep(shop.world)
    assert await shop.confirm() == Completed()
    assert await sold(shop.world) == (1, 1, 1)
    await assert_sound(shop.world)


async def test_a_defect_in_recording_is_tried_again(shop: Shop) -> None:
    """What the schema refuses is raised, kept alive, and recorded once the cause is gone."""
    await shop.world.execute(
        "alter table invoices add constraint defect check (total <> 4900) not valid"
    )
    with pytest.raises(CheckViolation):
        await shop.confirm()
    assert await sold(shop.world) == (1, 0, 0)
    assert await sweep(shop.world) == 0
    assert await shop.state() == "AWAITING_PAYMENT"
    assert (await shop.attempt())["state"] == "LIVE"

    await shop.world.execute("alter table invoices drop constraint defect")
    assert await sweep(shop.world) == 1

    assert await sold(shop.world) == (1, 1, 1)
    assert (await shop.world.one("select invoice_number from invoices"))[
        "invoice_number"
    ] == "INV-1"
    await assert_sound(shop.world)
