"""What Stripe's adapter lists of the money in an account, with the ledger of the twin."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from stripe import StripeError

from tallystick.domain.orphan import AccessRefused, AllRefunded, NotToGive, TakenPayment
from tallystick.domain.payment import Pending
from tallystick.services.ids import new_id
from tests.providers.contract import Case, an_order, opened
from tests.providers.contract_money import every_payment
from tests.providers.stripe_banks import TwinBank, order_by, paid
from tests.stripe import intents
from tests.stripe import twin as at
from tests.stripe.refusals import Json
from tests.stripe.script import Failing


@pytest.fixture
def bank(twin_bank: TwinBank) -> TwinBank:
    """Stripe's adapter, and a merchant of its own at the twin."""
    return twin_bank


async def test_what_others_charge_in_the_account_is_left_alone(bank: TwinBank) -> None:
    """Of more charges than a page holds, ours are listed; one that is disputed is not held."""
    before = datetime(2020, 1, 1, tzinfo=UTC)
    first, *others = [await order_by(bank, "pm_card_visa") for _ in range(3)]
    disputed, last = (replace(one, tenant_id=first.tenant_id) for one in others)
    ours = await paid(bank, first)
    for number in range(100):
        foreign = {"amount": 700 + number, "currency": "eur", "payment_method": "pm_card_visa"}
        call_twin(bank, {**foreign, "confirm": True, "off_session": True})
    at.dispute(bank.merchant, await paid(bank, disputed))
    newest = await paid(bank, last)

    until = datetime(2099, 1, 1, tzinfo=UTC)
    listed = await every_payment(bank.stripe, first.tenant_id, before, until)

    assert [(one.reference, one.amount) for one in listed] == [(newest, 5412), (ours, 5412)]
    assert len(bank.merchant.called("charges.list")) == 2
    assert len(bank.merchant.called("events.list")) == 2


async def test_a_debit_is_found_when_it_settles(bank: TwinBank) -> None:
    """Made ten days ago and settled now: it came now, and what is left of it is held."""
    order = await an_order(bank, Case.GOOD_DEBIT)
    reference = await opened(bank.stripe, order)
    assert await bank.stripe.confirm(order, reference) == Pending()
    at.made_ago(bank.merchant, reference, days=10)
    now = datetime.now(UTC)  # noqa: TID251 - the twin's time
    span = (order.tenant_id, now - timedelta(days=3), now + timedelta(minutes=1))
    assert await every_payment(bank.stripe, *span) == []
    held = await bank.stripe.payment_held(order.tenant_id, reference)
    assert held == NotToGive()

    at.settle(bank.merchant, reference)

    (found,) = await every_payment(bank.stripe, *span)
    assert (found.reference, found.amount) == (reference, 5412)
    assert found.taken_at > now - timedelta(minutes=1)
    await bank.stripe.refund(order.tenant_id, reference, 412, "part")
    held = await bank.stripe.payment_held(order.tenant_id, reference)
    assert isinstance(held, TakenPayment)
    assert held.amount == 5000
    # As it was made, it is found by when it was made.
    then = (order.tenant_id, now - timedelta(days=11), now - timedelta(days=9))
    (found,) = await every_payment(bank.stripe, *then)
    assert (found.reference, found.amount) == (reference, 5000)


@pytest.mark.parametrize("status", [401, 403])
async def test_keys_that_may_not_look(bank: TwinBank, status: int) -> None:
    """They were rolled, or lack a permission: the adapter says so, and names no key."""
    bank.merchant.script("charges.list", Failing(status))
    now = datetime.now(UTC)  # noqa: TID251 - the twin's time
    with pytest.raises(AccessRefused):
        await bank.stripe.payments_between(new_id(), now - timedelta(days=1), now, None)
    bank.merchant.script("payment_intents.retrieve", Failing(status))
    with pytest.raises(AccessRefused):
        await bank.stripe.payment_held(new_id(), "pi_1")


async def test_what_was_refunded_at_the_dashboard(bank: TwinBank) -> None:
    """EUR 54.12, of which 14.12 went back by hand, and then the rest; one that came back is
    held again, and what is disputed after that was not refunded.
    """
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    at.refund_by_hand(bank.merchant, reference, 1412)
    held = await bank.stripe.payment_held(order.tenant_id, reference)
    assert isinstance(held, TakenPayment)
    assert held.amount == 4000

    rest = at.refund_by_hand(bank.merchant, reference)
    held = await bank.stripe.payment_held(order.tenant_id, reference)
    assert held == AllRefunded()
    # Another tenant's is not told of.
    assert await bank.stripe.payment_held(new_id(), reference) == NotToGive()

    at.fail_refund(bank.merchant, rest)
    # Whether or not the charge says so as well.
    bank.merchant.get("charge", held_by(bank, reference))["amount_refunded"] = 5412
    held = await bank.stripe.payment_held(order.tenant_id, reference)
    assert isinstance(held, TakenPayment)
    assert held.amount == 4000
    bank.merchant.get("charge", held_by(bank, reference))["amount_refunded"] = 1412
    at.refund_by_hand(bank.merchant, reference)
    at.dispute(bank.merchant, reference, 5412)
    held = await bank.stripe.payment_held(order.tenant_id, reference)
    assert held == NotToGive()


async def test_a_payment_that_stripe_has_forgotten(bank: TwinBank) -> None:
    """Test data was deleted there: nothing is held, and whoever compares goes on."""
    assert await bank.stripe.payment_held(new_id(), "pi_1") == NotToGive()
    bank.merchant.script("payment_intents.retrieve", Failing(500))
    with pytest.raises(StripeError):
        await bank.stripe.payment_held(new_id(), "pi_1")


def held_by(bank: TwinBank, reference: str) -> str:
    """The charge of a payment."""
    return str(bank.merchant.get("payment_intent", reference)["latest_charge"])


def call_twin(bank: TwinBank, params: Json) -> Json:
    """What another program does with the same account."""
    with bank.merchant.lock:
        return intents.create(bank.merchant, params, "")
