"""What an answer of the provider means: nobody ends an attempt on a guess."""

from dataclasses import replace

import pytest

from tallystick.domain.attempt import (
    AskAgainLater,
    AskToCancel,
    Attempt,
    AwaitChallenge,
    AwaitSettlement,
    NextStep,
    RecordFailure,
    RecordSuccess,
    after_cancel,
    after_standing,
)
from tallystick.domain.errors import Fault
from tallystick.domain.payment import (
    AlreadySucceeded,
    Cancelled,
    CancelOutcome,
    Declined,
    FailureReason,
    Method,
    MethodRefused,
    NeedsAction,
    PaymentOrder,
    Pending,
    Standing,
    Succeeded,
    Unconfirmed,
    Unknown,
)
from tests.domain.offers import offer, rate
from tests.domain.purchases import CARD, DEBIT, attempt
from tests.domain.samples import named

URL = "https://bank.example/challenge"
DECLINED = FailureReason.INSUFFICIENT_FUNDS


def _attempt(method: Method | None = CARD) -> Attempt:
    return replace(attempt(offer(rate("35"))), method=method)


@pytest.mark.parametrize("give_up", [True, False])
@pytest.mark.parametrize(
    ("standing", "step"),
    [
        (Succeeded(), RecordSuccess()),
        (Declined(DECLINED), RecordFailure(DECLINED)),
        (Cancelled(), RecordFailure(FailureReason.INTERRUPTED)),
    ],
)
def test_a_word_of_the_provider_decides(
    standing: Standing, step: NextStep, give_up: bool
) -> None:
    """Success, decline and cancellation are ends, given up or not."""
    assert after_standing(_attempt(), standing, give_up=give_up) == step


def test_only_a_debit_completes_on_pending() -> None:
    """An accepted debit is recorded, unsettled; a card or nothing known waits."""
    for give_up in (True, False):
        step = after_standing(_attempt(DEBIT), Pending(), give_up=give_up)
        assert step == RecordSuccess(pending=True)
    assert after_standing(_attempt(None), Pending(), give_up=False) == AwaitSettlement()


def test_a_pending_card_is_cancelled_when_nobody_waits_for_it() -> None:
    """Given up, a card that is pending is cancelled at the provider instead of waited for."""
    assert after_standing(_attempt(), Pending(), give_up=False) == AwaitSettlement()
    assert after_standing(_attempt(), Pending(), give_up=True) == AskToCancel()


@pytest.mark.parametrize("standing", [Unconfirmed(), Unknown()])
def test_no_answer_ends_nothing(standing: Standing) -> None:
    """Ask again, or cancel first when nobody works on it any more."""
    assert after_standing(_attempt(), standing, give_up=False) == AskAgainLater()
    assert after_standing(_attempt(), standing, give_up=True) == AskToCancel()


def test_a_challenge_waits_for_the_buyer() -> None:
    """Until nobody waits any more."""
    assert after_standing(_attempt(), NeedsAction(URL), give_up=False) == AwaitChallenge(URL)
    assert after_standing(_attempt(), NeedsAction(URL), give_up=True) == AskToCancel()


@pytest.mark.parametrize(
    ("outcome", "step"),
    [
        (Cancelled(), RecordFailure(FailureReason.CANCELLED_BY_BUYER)),
        (AlreadySucceeded(), RecordSuccess()),
        (AlreadySucceeded(pending=True), RecordSuccess(pending=True)),
        (Unknown(), AskAgainLater()),
    ],
)
def test_a_cancel_ends_it_or_finds_the_money(outcome: CancelOutcome, step: NextStep) -> None:
    """Too late to cancel is a purchase; no answer is asked again."""
    assert after_cancel(_attempt(DEBIT), outcome, FailureReason.CANCELLED_BY_BUYER) == step


def test_a_pending_card_that_cannot_be_cancelled_waits() -> None:
    """Only a debit completes on a promise, whichever call has told of it."""
    outcome = AlreadySucceeded(pending=True)
    assert after_cancel(_attempt(), outcome, FailureReason.SESSION_ENDED) == AwaitSettlement()


def test_what_was_cancelled_keeps_the_reason_it_was_given_up_for() -> None:
    """A cancellation whose answer was lost is found by looking, and ends as it was meant to."""
    reason = FailureReason.CANCELLED_BY_BUYER
    found = after_standing(_attempt(), Cancelled(), give_up=True, reason=reason)
    assert found == RecordFailure(reason)


def test_every_call_has_its_own_key() -> None:
    """The same for every try of one call, another for another call."""
    order = PaymentOrder(
        tenant_id=named("tenant"),
        attempt_id=named("attempt"),
        customer_id=named("customer"),
        amount=3500,
        currency="EUR",
        method=CARD,
        save=True,
        return_url="https://pay.example/return",
    )
    assert order.key("open") == f"{named('attempt')}:open"
    assert order.key("confirm") != order.key("open")


def test_a_refused_method_names_the_fields() -> None:
    """One sentence per field of the payment panel."""
    faults = (
        Fault("card_number", "invalid", "check the number"),
        Fault("card_expiry", "expired", "is past"),
    )
    refused = MethodRefused(faults)
    assert refused.faults == faults
    assert str(refused) == "check the number; is past"
