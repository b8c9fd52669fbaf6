"""Stripe's adapter keeps the port's promises, on the twin, where everything can happen."""

from dataclasses import replace
from uuid import UUID

import pytest

from tallystick.domain.payment import (
    Cancelled,
    Declined,
    FailureReason,
    MethodKind,
    MethodRefused,
    NeedsAction,
    PaymentOrder,
    Pending,
    Refunded,
    Succeeded,
    Unknown,
)
from tallystick.providers.stripe import Stripe
from tallystick.providers.stripe_client import API_VERSION
from tallystick.services.ids import new_id
from tests.providers.contract import (
    Case,
    ProviderContract,
    a_setup,
    an_order,
    opened,
    opened_setup,
)
from tests.providers.contract_keeping import KeepingContract, KeepingNetworkContract
from tests.providers.contract_money import MoneyContract
from tests.providers.contract_network import NetworkContract
from tests.providers.stripe_banks import TwinBank, order_by, paid
from tests.stripe import twin as at
from tests.stripe.twin import Twin


@pytest.fixture
def bank(twin_bank: TwinBank) -> TwinBank:
    """Stripe's adapter, and a merchant of its own at the twin."""
    return twin_bank


class TestStripeKeepsTheContract(
    ProviderContract, MoneyContract, NetworkContract, KeepingContract, KeepingNetworkContract
):
    """Every claim about providers holds for Stripe."""


async def saved(bank: TwinBank, order: PaymentOrder) -> PaymentOrder:
    """The order of a later charge with the method of this one, while nobody is at a page."""
    setup = a_setup(order)
    reference = await opened_setup(bank.stripe, setup)
    outcome = await bank.stripe.confirm(setup, reference)
    if isinstance(outcome, NeedsAction):
        at.approve(bank.merchant, reference)
    assert await bank.stripe.look(setup.tenant_id, reference) == Succeeded()
    return replace(order, attempt_id=new_id(), off_session=True, acceptance=None)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("pm_card_visa_chargeDeclined", FailureReason.DECLINED),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", FailureReason.INSUFFICIENT_FUNDS),
        ("pm_card_visa_chargeDeclinedLostCard", FailureReason.DECLINED),
        ("pm_card_chargeDeclinedExpiredCard", FailureReason.CARD_EXPIRED),
        ("pm_card_chargeDeclinedIncorrectCvc", FailureReason.DECLINED),
        ("pm_card_chargeDeclinedProcessingError", FailureReason.PROCESSING_ERROR),
        ("pm_card_chargeCustomerFail", FailureReason.DECLINED),
    ],
)
async def test_a_decline_has_a_reason_and_is_the_end(
    bank: TwinBank, token: str, reason: FailureReason
) -> None:
    """The reason stays the same, and at Stripe nobody can confirm the intent any more."""
    order = await order_by(bank, token)
    reference = await opened(bank.stripe, order)

    assert await bank.stripe.confirm(order, reference) == Declined(reason)
    assert await bank.stripe.look(order.tenant_id, reference) == Declined(reason)

    assert bank.merchant.get("payment_intent", reference)["status"] == "canceled"
    assert bank.merchant.moved() == []


async def test_an_approved_challenge_can_still_be_declined(bank: TwinBank) -> None:
    """The buyer authenticates, and the account has no money."""
    token = "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"
    order = await order_by(bank, token)
    reference = await opened(bank.stripe, order)
    assert isinstance(await bank.stripe.confirm(order, reference), NeedsAction)

    at.approve(bank.merchant, reference)

    assert await bank.stripe.look(order.tenant_id, reference) == Declined(
        FailureReason.INSUFFICIENT_FUNDS
    )
    assert bank.merchant.moved() == []


async def test_a_saved_card_pays_off_session(bank: TwinBank) -> None:
    """One that asks until it was set up does not ask again; its method is the customer's."""
    order = await order_by(bank, "pm_card_authenticationRequiredOnSetup")

    await paid(bank, await saved(bank, order))

    assert bank.merchant.moved() == [5412]
    method = bank.merchant.get("payment_method", order.method.token)
    assert method["customer"] == order.customer_reference


async def test_a_card_saved_with_a_payment_pays_off_session(bank: TwinBank) -> None:
    """`save` makes the payment's own method ready for later."""
    order = replace(await order_by(bank, "pm_card_visa"), save=True)
    await paid(bank, order)

    await paid(bank, replace(order, attempt_id=new_id(), save=False, off_session=True))

    assert bank.merchant.moved() == [5412, 5412]


async def test_a_challenge_off_session_is_a_decline(bank: TwinBank) -> None:
    """A card that asks always cannot ask anybody: nothing is taken, and nobody waits."""
    later = await saved(bank, await order_by(bank, "pm_card_authenticationRequired"))
    reference = await opened(bank.stripe, later)

    assert await bank.stripe.confirm(later, reference) == Declined(
        FailureReason.AUTHENTICATION_FAILED
    )
    assert bank.merchant.moved() == []


async def test_a_mandate_says_who_agreed_to_it(bank: TwinBank) -> None:
    """Address and browser of the buyer; off session the first mandate is used again."""
    order = replace(await an_order(bank, Case.GOOD_DEBIT), save=True)
    reference = await opened(bank.stripe, order)
    assert await bank.stripe.confirm(order, reference) == Pending()
    later = replace(order, attempt_id=new_id(), off_session=True, acceptance=None, save=False)
    again = await opened(bank.stripe, later)
    assert await bank.stripe.confirm(later, again) == Pending()

    (mandate,) = bank.merchant.objects["mandate"].values()
    assert mandate["customer_acceptance"] == {
        "type": "online",
        "online": {"ip_address": "203.0.113.5", "user_agent": "Mozilla/5.0"},
    }
    for one in (reference, again):
        at.settle(bank.merchant, one)
    assert bank.merchant.moved() == [5412, 5412]


async def test_an_account_that_was_set_up_pays_off_session(bank: TwinBank) -> None:
    """A setup signs the mandate, and moves no money."""
    later = await saved(bank, await an_order(bank, Case.GOOD_DEBIT))
    assert bank.merchant.moved() == []

    reference = await opened(bank.stripe, later)
    assert await bank.stripe.confirm(later, reference) == Pending()


async def test_a_debit_in_another_currency_is_declined(bank: TwinBank) -> None:
    """A SEPA debit is in euros: nothing is opened, and nothing is taken."""
    order = replace(await an_order(bank, Case.GOOD_DEBIT), currency="USD")

    assert await bank.stripe.open(order) == Declined(FailureReason.PROCESSING_ERROR)
    assert bank.merchant.objects["payment_intent"] == {}


@pytest.mark.parametrize(
    "code", ["insufficient_funds", "debit_not_authorized", "account_closed"]
)
async def test_a_debit_fails_for_whatever_reason(bank: TwinBank, code: str) -> None:
    """Days later its bank says no: it has failed, and its intent is over."""
    order = await an_order(bank, Case.GOOD_DEBIT)
    reference = await opened(bank.stripe, order)
    await bank.stripe.confirm(order, reference)

    at.bounce(bank.merchant, reference, code)

    failed = Declined(FailureReason.DEBIT_FAILED)
    assert await bank.stripe.look(order.tenant_id, reference) == failed
    assert bank.merchant.get("payment_intent", reference)["status"] == "canceled"


@pytest.mark.parametrize(
    ("kind", "token"),
    [
        (MethodKind.CARD, "pm_nobody_knows"),
        (MethodKind.CARD, "pi_1"),
        (MethodKind.CARD, "pm_card_visa/../../v1/refunds"),
        (MethodKind.DIRECT_DEBIT, "pm_card_visa"),
    ],
)
async def test_what_is_no_token_of_the_chosen_kind_is_refused(
    bank: TwinBank, kind: MethodKind, token: str
) -> None:
    """Unknown ones, other things, paths, and cards where a debit was chosen."""
    with pytest.raises(MethodRefused) as refusal:
        await bank.stripe.collect(new_id(), new_id(), kind, {"payment_token": token})

    assert [fault.field for fault in refusal.value.faults] == ["payment_token"]


async def test_a_token_that_is_a_customers_is_refused(bank: TwinBank) -> None:
    """Whoever knows the id of a saved card cannot pay with it."""
    order = replace(await order_by(bank, "pm_card_visa"), save=True)
    await paid(bank, order)

    with pytest.raises(MethodRefused):
        await bank.stripe.collect(
            order.tenant_id, new_id(), MethodKind.CARD, {"payment_token": order.method.token}
        )


async def test_a_saved_method_is_looked_at(bank: TwinBank) -> None:
    """It is as Stripe keeps it, until it is detached there."""
    order = replace(await order_by(bank, "pm_card_visa"), save=True)
    await paid(bank, order)
    assert await bank.stripe.look_at_method(order.tenant_id, order.method.token) == order.method

    with bank.merchant.lock:
        bank.merchant.get("payment_method", order.method.token)["customer"] = None

    assert await bank.stripe.look_at_method(order.tenant_id, order.method.token) is None


@pytest.mark.parametrize("approve", [True, False])
async def test_a_setup_is_challenged(bank: TwinBank, approve: bool) -> None:
    """Only approval saves the method; a refusal is the end of the setup."""
    setup = a_setup(await order_by(bank, "pm_card_authenticationRequired"))
    reference = await opened_setup(bank.stripe, setup)
    assert isinstance(await bank.stripe.confirm(setup, reference), NeedsAction)

    await bank.answer(setup.tenant_id, reference, approve=approve)

    assert await bank.stripe.look(setup.tenant_id, reference) == (
        Succeeded() if approve else Declined(FailureReason.AUTHENTICATION_FAILED)
    )
    kept = bank.merchant.get("payment_method", setup.method.token)["customer"]
    assert kept == (setup.customer_reference if approve else None)


async def test_a_setup_is_declined_or_cancelled(bank: TwinBank) -> None:
    """A declined card is not saved, and a cancelled setup saves nothing later."""
    declined = a_setup(await order_by(bank, "pm_card_visa_chargeDeclined"))
    reference = await opened_setup(bank.stripe, declined)
    assert await bank.stripe.confirm(declined, reference) == Declined(FailureReason.DECLINED)
    setup = a_setup(await order_by(bank, "pm_card_visa"))
    reference = await opened_setup(bank.stripe, setup)

    assert await bank.stripe.cancel(setup, reference) == Cancelled()
    assert await bank.stripe.confirm(setup, reference) == Declined(FailureReason.INTERRUPTED)
    assert {one["customer"] for one in bank.merchant.objects["payment_method"].values()} == {
        None
    }


async def test_another_account_knows_nothing(bank: TwinBank, twin: Twin) -> None:
    """References mean nothing under other keys, and nothing is concluded from that."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    other = TwinBank(twin, twin.merchant())

    assert await other.stripe.look(order.tenant_id, reference) == Unknown()
    assert await other.stripe.cancel(order, reference) == Unknown()
    refund = await other.stripe.refund(order.tenant_id, reference, 100, "k")
    assert not isinstance(refund, Refunded)
    await other.stripe.close()


async def test_every_call_has_its_version_and_every_change_its_key(bank: TwinBank) -> None:
    """What is asked is pinned; what changes something can be repeated."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    await bank.stripe.cancel(order, reference)
    await bank.stripe.refund(order.tenant_id, reference, 100, "key")
    await paid(bank, await saved(bank, await order_by(bank, "pm_card_visa")))

    assert {call.version for call in bank.merchant.calls} == {API_VERSION}
    changes = ("create", "confirm", "cancel")
    keys = [one.key for one in bank.merchant.calls if one.name.split(".")[-1] in changes]
    assert len(set(keys)) == len(keys)
    # The SDK would make up a key of its own: it would be another one with each try.
    told = {(one.name, one.key) for one in bank.merchant.calls}
    assert told >= {
        ("payment_intents.create", f"{order.attempt_id}:open"),
        ("payment_intents.confirm", f"{order.attempt_id}:confirm"),
        ("payment_intents.cancel", f"{order.attempt_id}:cancel"),
        ("refunds.create", f"{reference}:key"),
    }


async def test_every_payment_says_whose_it_is(bank: TwinBank) -> None:
    """Ids of ours, and words for the merchant, stand at Stripe."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)

    intent = bank.merchant.get("payment_intent", reference)
    assert intent["metadata"] == {
        "tallystick_tenant": str(order.tenant_id),
        "tallystick_customer": str(order.customer_id),
        "tallystick_attempt": str(order.attempt_id),
    }
    assert str(order.attempt_id) in intent["description"]
    assert UUID(intent["metadata"]["tallystick_tenant"]) == order.tenant_id


def test_the_page_allows_who_stands_in_for_stripe(bank: TwinBank, twin: Twin) -> None:
    """Script and frames from one origin, the API from another; Stripe's own else."""
    panel = bank.stripe.panel()
    assert panel.script_url == twin.script_url
    assert panel.script_sources == panel.frame_sources == (twin.script_origin,)
    assert panel.connect_sources == (twin.api_base,)

    real = Stripe(bank.stripe._keys).panel()
    assert "https://js.stripe.com" in real.script_sources
    assert "https://hooks.stripe.com" in real.frame_sources
    assert real.connect_sources == ("https://api.stripe.com",)
