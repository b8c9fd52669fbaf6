"""Subscriptions made for a checkout: what their own link does on the day it is confirmed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tallystick.domain.coupons import Percentage
from tallystick.domain.errors import Busy, Conflict
from tallystick.domain.offer import ExternalPayment
from tallystick.domain.payment import FailureReason
from tallystick.domain.purchase import Activation
from tallystick.services.activate_subscription import activate_subscription
from tallystick.services.cancel_subscription import cancel_subscription
from tallystick.services.confirm_result import (
    Challenge,
    Completed,
    Ended,
    InFlight,
    PaymentFailed,
    QuoteChanged,
)
from tallystick.services.continue_checkout import continue_checkout
from tallystick.services.edit_subscription import TermsChange, edit_subscription
from tallystick.services.end_session import cancel_session
from tallystick.services.record_failure import record_failure
from tallystick.services.record_purchase import record_purchase
from tallystick.services.renew_due import renew_due
from tests.real_time import sweep
from tests.shops import attempts
from tests.subscribing import Merchant
from tests.world import NOON, SoldPlan, World

DECLINED = "4000000000000002"
ASKS = "4000002500003155"
ANSWER_IS_LOST = "4000000000009979"
QUESTION_IS_LOST = "4000000000009987"
FAILS_WHEN_CHARGED = "4000000000000341"
TODAY = date(2026, 3, 10)


@dataclass(kw_only=True)
class Waiting:
    """A subscription that waits for its checkout, and the session of that."""

    merchant: Merchant
    customer: UUID
    plan: SoldPlan
    id: UUID
    session: UUID

    @property
    def world(self) -> World:
        """The shop as its clock stands."""
        return self.merchant.world

    async def stands(self) -> dict[str, Any]:
        """The subscription's row."""
        return await self.merchant.stands(self.id)

    async def session_state(self) -> str:
        """The session's state."""
        row = await self.world.one(
            "select state from checkout_sessions where id = $1", self.session
        )
        return str(row["state"])

    async def confirm(self, card: str | None = None, **more: Any) -> object:  # noqa: ANN401
        """Press the button, and find that every invariant holds."""
        method = await self.world.card(card) if card else None
        told = await self.world.confirm(self.session, method=method, **more)
        await self.merchant.is_sound()
        return told

    async def live_attempt(self) -> dict[str, Any]:
        """The newest attempt."""
        return (await attempts(self.world))[-1]


@pytest.fixture
def merchant(world: World) -> Merchant:
    """Whoever subscribes customers by hand."""
    return Merchant(world=world)


async def waiting(
    merchant: Merchant, start: date = TODAY, plan: SoldPlan | None = None, **offer: object
) -> Waiting:
    """A subscription made on March 10 for a checkout, of EUR 49 a month."""
    customer = await merchant.world.customer()
    sold = plan or await merchant.world.plan()
    made = await merchant.subscribe(customer, sold, start, Activation.ON_CHECKOUT, **offer)
    session = made.subscription.open_session_id
    assert session is not None
    return Waiting(
        merchant=merchant,
        customer=customer,
        plan=sold,
        id=made.subscription.id,
        session=session,
    )


async def test_it_waits_for_its_checkout(merchant: Merchant) -> None:
    """PENDING_ACTIVATION, nothing billed, and a session that never expires and holds the plan."""
    made = await waiting(merchant)

    now = await made.stands()
    assert (now["status"], now["awaits_checkout"]) == ("PENDING_ACTIVATION", True)
    assert now["next_step_on"] is None
    session = await merchant.world.one("select * from checkout_sessions")
    assert session["checkout_type"] == "SUBSCRIPTION_ACTIVATION"
    assert (session["state"], session["expires_at"]) == ("CREATED", None)
    assert (session["amount_due"], session["amount_total"]) == (4900, 4900)
    await merchant.travel(date(2027, 6, 1))
    assert (await made.stands())["status"] == "PENDING_ACTIVATION"
    assert await merchant.invoices() == []
    with pytest.raises(Conflict, match="has this plan already"):
        await made.world.session(made.customer, made.plan)
    with pytest.raises(Conflict, match="by its checkout"):
        await activate(made)


async def activate(made: Waiting) -> None:
    """Try to activate it by hand."""
    async with made.world.app.transaction() as tx:
        await activate_subscription(made.world.ctx.within(tx), made.id, preview=False)


async def test_it_is_billed_from_the_day_of_confirmation(merchant: Merchant) -> None:
    """Made for March 10, confirmed on March 20: that day's month, and no other subscription."""
    made = await waiting(merchant)
    await merchant.travel(date(2026, 3, 20))

    assert await made.confirm() == Completed()

    now = await made.stands()
    assert (now["status"], now["awaits_checkout"]) == ("ACTIVE", False)
    assert (now["start_date"], now["billing_start_date"]) == (
        date(2026, 3, 20),
        date(2026, 3, 20),
    )
    assert (now["billing_day_anchor"], now["current_period_end"]) == (20, date(2026, 4, 20))
    assert (now["mrr"], now["is_being_paid"]) == (4900, False)
    assert now["payment_method_id"] is not None
    assert len(await made.world.fetch("select * from subscriptions")) == 1
    (invoice,) = await merchant.invoices()
    assert (invoice["invoice_date"], invoice["payment_status"]) == (date(2026, 3, 20), "PAID")
    assert (invoice["number"], invoice["subscription_id"]) == (1, made.id)
    session = await made.world.one("select state, subscription_id from checkout_sessions")
    assert (session["state"], session["subscription_id"]) == ("COMPLETED", made.id)
    await merchant.travel(date(2026, 4, 21))
    assert await made.world.charges() == [4900, 4900]


async def test_what_is_told(merchant: Merchant) -> None:
    """Session and subscription are created together; the checkout activates, and no more."""
    made = await waiting(merchant)
    created = await merchant.events()
    assert created == [("checkout_session.created", None), ("subscription.created", None)]

    await made.confirm()

    assert (await merchant.events())[2:] == [
        ("subscription.updated", "activated"),
        ("invoice.created", None),
        ("invoice.finalized", None),
        ("invoice.paid", None),
        ("checkout_session.completed", None),
    ]


async def test_a_start_that_is_to_come(merchant: Merchant) -> None:
    """Confirmed before its start: the card is saved, and charged on April 1."""
    made = await waiting(merchant, date(2026, 4, 1))

    assert await made.confirm() == Completed()

    now = await made.stands()
    assert (now["status"], now["next_step_on"]) == ("PENDING_ACTIVATION", date(2026, 4, 1))
    assert await made.world.charges() == []
    await merchant.travel(date(2026, 4, 1))
    assert await made.world.charges() == [4900]
    assert (await made.stands())["status"] == "ACTIVE"


async def test_a_start_that_passed_meanwhile(merchant: Merchant) -> None:
    """Made for April 1 and confirmed on April 5: billed from April 5."""
    made = await waiting(merchant, date(2026, 4, 1))
    await merchant.travel(date(2026, 4, 5))

    assert await made.confirm() == Completed()

    now = await made.stands()
    assert (now["start_date"], now["current_period_end"]) == (
        date(2026, 4, 5),
        date(2026, 5, 5),
    )


async def test_during_its_free_trial(merchant: Merchant) -> None:
    """The trial begins at once; the checkout saves the card; the trial goes on to its end."""
    made = await waiting(merchant, trial_duration_days=14)
    assert (await made.stands())["status"] == "TRIAL_ACTIVE"
    await merchant.travel(date(2026, 3, 15))

    assert await made.confirm() == Completed()

    now = await made.stands()
    assert (now["status"], now["trial_end"]) == ("TRIAL_ACTIVE", date(2026, 3, 24))
    assert (now["start_date"], now["current_period_start"]) == (TODAY, TODAY)
    assert now["next_step_on"] == date(2026, 3, 24)
    assert await made.world.charges() == []
    await merchant.travel(date(2026, 3, 24))
    assert await made.world.charges() == [4900]
    after = await made.stands()
    assert (after["status"], after["current_period_end"]) == ("ACTIVE", date(2026, 4, 24))


async def test_never_checked_out_and_revived(merchant: Merchant) -> None:
    """TRIAL_EXPIRED without invoice; its own link bills from April 10, and nothing before."""
    made = await waiting(merchant, trial_duration_days=14)
    await merchant.travel(date(2026, 4, 10))

    now = await made.stands()
    assert (now["status"], now["mrr"]) == ("TRIAL_EXPIRED", 0)
    assert await merchant.invoices() == []
    assert await made.world.fetch("select * from plan_places") == []
    assert await made.confirm() == Completed()

    revived = await made.stands()
    assert (revived["status"], revived["mrr"]) == ("ACTIVE", 4900)
    assert revived["billing_start_date"] == date(2026, 4, 10)
    assert (revived["billing_day_anchor"], revived["current_period_end"]) == (
        10,
        date(2026, 5, 10),
    )
    assert revived["trial_end"] == date(2026, 3, 24)
    (invoice,) = await merchant.invoices()
    assert (invoice["invoice_date"], invoice["total"]) == (date(2026, 4, 10), 4900)
    await merchant.travel(date(2026, 5, 11))
    assert await made.world.charges() == [4900, 4900]


async def test_another_customers_card_does_not_stand_in(merchant: Merchant) -> None:
    """A card saved for another plan is no consent to this one."""
    made = await waiting(merchant, trial_duration_days=14)
    other = await made.world.session(made.customer, await made.world.plan(name="Other"))
    assert await made.world.confirm(other) == Completed()

    await merchant.travel(date(2026, 3, 25))

    assert (await made.stands())["status"] == "TRIAL_EXPIRED"
    assert await made.world.charges() == [4900]
    assert len(await merchant.invoices()) == 1


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


async def cancel(made: Waiting, on: date) -> None:
    """Cancel it while the bank has money that we know nothing of."""
    async with made.world.app.transaction() as tx:
        await cancel_subscription(made.world.ctx.within(tx), made.id, on, None)


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


async def test_a_coupon_is_redeemed_by_the_checkout(merchant: Merchant) -> None:
    """Nothing is redeemed before; the customer's only use of it is this one."""
    coupon = await merchant.world.coupon(
        "ONCE", Percentage(percentage=Decimal(20)), reusable=False, redemption_limit=1
    )
    made = await waiting(merchant, coupon_codes=("ONCE",))
    assert await made.world.fetch("select * from coupon_redemptions") == []

    assert await made.confirm() == Completed()

    used = await made.world.one(
        "select coupon_id, state, applied_amount, subscription_id from coupon_redemptions"
    )
    assert (used["coupon_id"], used["state"]) == (coupon, "REDEEMED")
    assert (used["applied_amount"], used["subscription_id"]) == (980, made.id)
    assert await made.world.charges() == [3920]


async def test_a_paid_trial_begins_with_its_checkout(merchant: Merchant) -> None:
    """Charged on the day of confirmation, and in trial for seven days from there."""
    plan = await merchant.world.plan(trial_days=7, trial_is_free=False)
    made = await waiting(merchant, plan=plan)
    assert (await made.stands())["status"] == "PENDING_ACTIVATION"
    await merchant.travel(date(2026, 3, 20))

    assert await made.confirm() == Completed()

    now = await made.stands()
    assert (now["status"], now["trial_end"]) == ("TRIAL_ACTIVE", date(2026, 3, 27))
    assert now["next_step_on"] == date(2026, 3, 27)
    assert await made.world.charges() == [4900]


async def test_the_terms_follow_the_subscription(merchant: Merchant) -> None:
    """Changed to payment outside: the quote changes, and nothing is charged."""
    made = await waiting(merchant)
    shown = await made.world.shown(made.session)
    change = TermsChange(
        said=frozenset({"payment_methods_config", "net_terms"}),
        payment=ExternalPayment(),
        net_terms=30,
    )
    async with made.world.app.transaction() as tx:
        await edit_subscription(made.world.ctx.within(tx), made.id, change)

    assert await made.confirm(chooses=False, agrees=False) == Completed()

    assert shown
    (invoice,) = await merchant.invoices()
    assert (invoice["payment_status"], invoice["amount_due"]) == ("UNPAID", 4900)
    assert (invoice["net_terms"], invoice["due_date"]) == (30, date(2026, 4, 9))


async def test_what_was_shown_in_the_trial_is_not_charged_after_it(merchant: Merchant) -> None:
    """A page from the trial's last day promised a saved card only: the new quote is shown."""
    made = await waiting(merchant, trial_duration_days=14)
    shown = await made.world.shown(made.session)
    await merchant.travel(date(2026, 3, 24))

    told = await made.confirm(shown=shown)

    assert isinstance(told, QuoteChanged)
    assert told.quote.amount_due == 4900
    assert await made.world.charges() == []


async def test_no_day_is_left_to_bill(merchant: Merchant) -> None:
    """Its end has come before anybody confirmed: both are over."""
    made = await waiting(merchant, end_date=date(2026, 4, 1))
    shown = await made.world.shown(made.session)
    await merchant.travel(date(2026, 4, 2))

    assert isinstance(await made.confirm(shown=shown), Ended)
    assert (await made.stands())["status"] == "CANCELLED"
    assert await made.world.fetch("select * from plan_places") == []


async def test_the_second_subscription_needs_no_place(merchant: Merchant) -> None:
    """Made by hand though the customer has the plan: it is never refused for that."""
    first = await waiting(merchant)
    assert await first.confirm() == Completed()

    second = await merchant.subscribe(first.customer, first.plan, TODAY, Activation.ON_CHECKOUT)
    session = second.subscription.open_session_id
    assert session is not None
    assert await merchant.world.confirm(session) == Completed()

    assert await merchant.world.charges() == [4900, 4900]
    await merchant.is_sound()


async def test_a_failed_first_charge_after_the_trial(merchant: Merchant) -> None:
    """Checked out in the trial, declined at its end, paid three days later: from that day."""
    made = await waiting(merchant, trial_duration_days=14)
    assert await made.confirm(FAILS_WHEN_CHARGED) == Completed()
    await merchant.travel(date(2026, 3, 24))
    assert (await made.stands())["status"] == "TRIAL_EXPIRED"
    good = (await made.world.card()).token
    await made.world.execute("update payment_methods set token = $1", good)

    await merchant.travel(date(2026, 3, 27))

    now = await made.stands()
    assert (now["status"], now["current_period_end"]) == ("ACTIVE", date(2026, 4, 27))
    assert await made.world.charges() == [4900]
    assert NOON.date() == TODAY
