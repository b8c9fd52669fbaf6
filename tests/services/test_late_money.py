"""Money that comes after its attempt has ended: recorded or given back, and never both."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from tallystick.db import attempts as attempt_rows
from tallystick.domain.attempt import Attempt
from tallystick.domain.coupons import Percentage
from tallystick.domain.payment import (
    Cancelled,
    FailureReason,
    Pending,
    Refunded,
    RefundRefused,
    Succeeded,
    Unknown,
)
from tallystick.domain.session import SessionState
from tallystick.services.charge import carry_on, order_of
from tallystick.services.confirm_result import Completed, ConfirmResult, Ended, PaymentFailed
from tallystick.services.continue_checkout import use_another_method
from tallystick.services.end_session import cancel_session
from tallystick.services.late_money import (
    RefundRefusedByProvider,
    RefundUnanswered,
    refund_late_money,
)
from tests.real_time import debits_are_decided
from tests.scripted_bank import ScriptedBank, hanging, says, with_bank
from tests.shops import invoice, sold, stored, told
from tests.soundness import assert_sound
from tests.world import NOON, World

ASKS = "4000002500003155"


class Late:
    """A shop whose bank says "cancelled" and takes the money all the same."""

    def __init__(self, world: World) -> None:
        self.bank = ScriptedBank(world.sandbox)
        self.world = with_bank(world, self.bank)

    async def ended(self, session: UUID) -> Attempt:
        """A session's attempt that has ended without money, as we were told."""
        await self.world.confirm(session, method=await self.world.card(ASKS))
        attempt = await self.newest(session)
        self.bank.script("cancel", says(Cancelled()))
        left = await use_another_method(self.world.ctx, session)
        assert left == PaymentFailed(FailureReason.CANCELLED_BY_BUYER)
        return attempt

    async def news(self, attempt: Attempt, world: World | None = None) -> ConfirmResult:
        """The bank takes the money now, and says so."""
        shop = world or self.world
        assert attempt.reference is not None
        await shop.sandbox.answer_challenge(shop.tenant_id, attempt.reference, approve=True)
        return await carry_on(shop.ctx, attempt, Succeeded())

    async def refund(self, attempt: Attempt) -> None:
        """Do the job that was left for the worker."""
        await refund_late_money(self.world.ctx, attempt.id)

    async def newest(self, session: UUID) -> Attempt:
        """The session's newest attempt."""
        async with self.world.database.connection() as tx:
            found = await attempt_rows.latest(tx, self.world.tenant_id, session)
        assert found is not None
        return found

    async def moved(self) -> list[tuple[str, int]]:
        """What the bank has moved."""
        moved = await self.world.sandbox.movements(self.world.tenant_id)
        return [(one.kind, one.amount) for one in moved]

    async def jobs(self) -> int:
        """How many refunds wait for the worker."""
        rows = await self.world.fetch(
            "select id from pgqueuer where entrypoint = 'refund_late_money'"
        )
        return len(rows)


@pytest.fixture
def late(world: World) -> Late:
    """A shop with a bank that errs."""
    return Late(world)


async def test_late_money_buys_while_the_session_is_open(late: Late) -> None:
    """Nobody else has taken anything: the purchase is recorded after all, once."""
    customer = await late.world.customer()
    await late.world.balance(customer, 1000)
    coupon = await late.world.coupon("HALF", Percentage(percentage=Decimal(50)))
    session = await late.world.session(customer, await late.world.plan(), coupon_ids=(coupon,))
    attempt = await late.ended(session)

    assert await late.news(attempt) == Completed()
    assert await late.news(attempt) == Completed()

    assert await sold(late.world) == (1, 1, 1)
    bill = await invoice(late.world)
    assert (bill["total"], bill["applied_balance"], bill["settled"]) == (2450, 1000, 1450)
    assert await late.jobs() == 0
    await assert_sound(late.world)


async def test_late_money_goes_back_once_the_session_is_bought(late: Late) -> None:
    """Bought with another card meanwhile: the late EUR 49 go back, told once."""
    session = await late.world.session(await late.world.customer(), await late.world.plan())
    attempt = await late.ended(session)
    await late.world.confirm(session)

    assert await late.news(attempt) == Completed()
    assert await late.news(attempt) == Completed()

    assert await late.jobs() == 1
    await late.refund(attempt)
    await late.refund(attempt)
    assert await late.moved() == [("CHARGE", 4900), ("CHARGE", 4900), ("REFUND", 4900)]
    assert (await told(late.world)).count("payment.orphan_refunded") == 1
    await late.news(attempt)
    assert await late.jobs() == 1
    await assert_sound(late.world)


async def test_late_money_goes_back_while_another_payment_is_under_way(late: Late) -> None:
    """What another attempt has taken cannot be taken again."""
    session = await late.world.session(await late.world.customer(), await late.world.plan())
    attempt = await late.ended(session)
    await late.world.confirm(session, method=await late.world.card(ASKS))

    assert await late.news(attempt) == PaymentFailed(FailureReason.CANCELLED_BY_BUYER)

    assert await late.jobs() == 1
    assert (await stored(late.world, session))["state"] == "AWAITING_PAYMENT"


async def test_money_on_its_way_back_never_buys(late: Late) -> None:
    """Once a refund is under way, hearing of the money again does not sell anything."""
    session = await late.world.session(await late.world.customer(), await late.world.plan())
    attempt = await late.ended(session)
    await late.world.confirm(session, method=await late.world.card(ASKS))
    await late.news(attempt)
    await use_another_method(late.world.ctx, session)
    assert (await stored(late.world, session))["state"] == "CREATED"

    again = await late.news(attempt)

    assert again == PaymentFailed(FailureReason.CANCELLED_BY_BUYER)
    await late.refund(attempt)
    assert await late.news(attempt) == again
    assert await late.moved() == [("CHARGE", 4900), ("REFUND", 4900)]
    assert (await sold(late.world))[1:] == (0, 0)
    await assert_sound(late.world)


@pytest.mark.parametrize("how", ["cancelled", "expired", "past its time"])
async def test_late_money_goes_back_after_the_end(late: Late, how: str) -> None:
    """A session that has ended, or reads so, sells nothing any more."""
    session = await late.world.session(await late.world.customer(), await late.world.plan())
    attempt = await late.ended(session)
    world, status = late.world, SessionState.EXPIRED
    if how == "cancelled":
        await cancel_session(world.ctx, session)
        status = SessionState.CANCELLED
    else:
        world = world.at(NOON + timedelta(hours=2))
        if how == "expired":
            await world.execute("update checkout_sessions set state = 'EXPIRED'")

    assert await late.news(attempt, world) == Ended(status)

    await late.refund(attempt)
    assert await late.moved() == [("CHARGE", 4900), ("REFUND", 4900)]
    assert (await sold(late.world))[1:] == (0, 0)


async def test_late_money_goes_back_when_the_place_is_taken(late: Late) -> None:
    """Another link for the same plan was bought: nobody has it twice."""
    customer, plan = await late.world.customer(), await late.world.plan()
    session, other = [await late.world.session(customer, plan) for _ in range(2)]
    attempt = await late.ended(session)
    await late.world.confirm(other)

    await late.news(attempt)

    await late.refund(attempt)
    assert (await sold(late.world))[1:] == (1, 1)
    await assert_sound(late.world)


async def test_late_money_goes_back_when_the_coupon_is_gone(late: Late) -> None:
    """The last redemption went to somebody else."""
    plan = await late.world.plan()
    coupon = await late.world.coupon(
        "LAST", Percentage(percentage=Decimal(50)), redemption_limit=1
    )
    session = await late.world.session(await late.world.customer(), plan, coupon_ids=(coupon,))
    attempt = await late.ended(session)
    other = await late.world.customer("Initech")
    await late.world.confirm(await late.world.session(other, plan, coupon_ids=(coupon,)))

    await late.news(attempt)

    await late.refund(attempt)
    assert await late.moved() == [("CHARGE", 2450), ("CHARGE", 2450), ("REFUND", 2450)]
    await assert_sound(late.world)


async def test_late_money_goes_back_when_the_balance_is_spent(late: Late) -> None:
    """The credit that the quote counted on paid for something else."""
    customer = await late.world.customer()
    await late.world.balance(customer, 1000)
    session = await late.world.session(customer, await late.world.plan())
    attempt = await late.ended(session)
    await late.world.confirm(
        await late.world.session(customer, await late.world.plan(name="Team"))
    )

    await late.news(attempt)

    await late.refund(attempt)
    assert await late.moved() == [("CHARGE", 3900), ("CHARGE", 3900), ("REFUND", 3900)]
    await assert_sound(late.world)


async def test_a_late_saved_card_owes_nobody_anything(late: Late) -> None:
    """A method saved too late starts the trial if it still can, and is no money otherwise."""
    plan = await late.world.plan()
    for bought in (False, True):
        customer = await late.world.customer(f"Globex {bought}")
        session = await late.world.session(customer, plan, trial_duration_days=14)
        attempt = await late.ended(session)
        if bought:
            await late.world.confirm(session)
        assert await late.news(attempt) == Completed()
    assert await sold(late.world) == (0, 2, 0)
    assert await late.jobs() == 0
    await assert_sound(late.world)


async def test_a_late_debit_goes_back_when_it_has_come(late: Late) -> None:
    """A debit accepted too late is no money yet: it goes back once it is settled."""
    session = await late.world.session(await late.world.customer(), await late.world.plan())
    late.bank.script("confirm", says(Unknown()))
    await late.world.confirm(session, method=await late.world.debit())
    attempt = await late.newest(session)
    late.bank.script("cancel", says(Cancelled()))
    await use_another_method(late.world.ctx, session)
    await late.world.confirm(session)
    assert attempt.reference is not None
    await late.world.sandbox.confirm(order_of(late.world.ctx, attempt), attempt.reference)

    assert await carry_on(late.world.ctx, attempt, Pending()) == Completed()
    assert await late.jobs() == 0

    await debits_are_decided(late.world)
    assert await late.jobs() == 1
    await late.refund(attempt)
    assert await late.moved() == [("CHARGE", 4900), ("CHARGE", 4900), ("REFUND", 4900)]
    await assert_sound(late.world)


async def test_a_refund_is_tried_until_it_is_answered(late: Late) -> None:
    """Silence is tried again under the same key, and moves the money once."""
    session = await late.world.session(await late.world.customer(), await late.world.plan())
    attempt = await late.ended(session)
    await late.world.confirm(session)
    await late.news(attempt)
    late.bank.script("refund", says(Unknown()), says(RefundRefused("no")), hanging)

    with pytest.raises(RefundUnanswered):
        await late.refund(attempt)
    with pytest.raises(RefundRefusedByProvider, match="no"):
        await late.refund(attempt)
    hasty = with_bank(late.world, late.bank, call_limit_seconds=0.05)
    with pytest.raises(RefundUnanswered):
        await refund_late_money(hasty.ctx, attempt.id)
    assert (await told(late.world)).count("payment.orphan_refunded") == 0
    await late.refund(attempt)

    assert (await late.moved())[-1] == ("REFUND", 4900)
    assert (
        await late.world.sandbox.refund(
            late.world.tenant_id, str(attempt.reference), 4900, f"{attempt.id}:refund"
        )
        == Refunded()
    )
    await assert_sound(late.world)


async def test_money_that_bought_is_not_given_back(late: Late) -> None:
    """A refund is refused for an attempt whose money is not on its way back."""
    session = await late.world.session(await late.world.customer(), await late.world.plan())
    await late.world.confirm(session)

    await late.refund(await late.newest(session))

    assert await late.moved() == [("CHARGE", 4900)]
    await assert_sound(late.world)
