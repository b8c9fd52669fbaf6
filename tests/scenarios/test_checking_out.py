"""Subscriptions made for a checkout: what their own link does on the day it is confirmed."""

from datetime import date
from decimal import Decimal

import pytest

from tallystick.domain.coupons import Percentage
from tallystick.domain.errors import Conflict
from tallystick.domain.offer import ExternalPayment
from tallystick.domain.purchase import Activation
from tallystick.services.confirm_result import (
    Completed,
    Ended,
    QuoteChanged,
)
from tallystick.services.edit_subscription import TermsChange, edit_subscription
from tests.subscribing import Merchant
from tests.waiting import TODAY, activate, waiting
from tests.world import NOON, World

FAILS_WHEN_CHARGED = "4000000000000341"


@pytest.fixture
def merchant(world: World) -> Merchant:
    """Whoever subscribes customers by hand."""
    return Merchant(world=world)


async def test_it_waits_for_its_checkout(merchant: Merchant) -> None:
    """PENDING_ACTIVATION, nothing billed, and a session without end."""
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
        ("payment_method.added", None),
        ("payment_method.chosen", None),
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
    assert (await made.stands())["status"] == "COMPLETED"
    assert await made.world.fetch("select * from plan_places") == []
    session = await made.world.one("select state from checkout_sessions")
    assert session["state"] == "CANCELLED"


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
