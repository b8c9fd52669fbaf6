"""A payment attempt: what was claimed, where it stands, and what to do with an answer.

The attempt owns everything that recording the purchase needs. After the claim nobody prices,
validates, or reads catalog, coupons, customer or clock again.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, assert_never
from uuid import UUID

from tallystick.domain.buyer import BuyerDetails
from tallystick.domain.offer import Offer
from tallystick.domain.parties import Customer, InvoicingEntity
from tallystick.domain.payment import (
    Acceptance,
    AlreadySucceeded,
    Cancelled,
    CancelOutcome,
    Declined,
    FailureReason,
    Method,
    MethodKind,
    NeedsAction,
    Pending,
    Standing,
    Succeeded,
    Unconfirmed,
    Unknown,
)
from tallystick.domain.quote import AttemptKind, Quote


class AttemptState(StrEnum):
    """Whether an attempt still lives, and how it ended."""

    LIVE = "LIVE"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class AttemptStep(StrEnum):
    """How far a live attempt has come."""

    CLAIMED = "CLAIMED"
    OPENED = "OPENED"
    CHALLENGED = "CHALLENGED"
    PENDING = "PENDING"
    RECORDED = "RECORDED"


class LateMoney(StrEnum):
    """What became of money that came after its attempt had ended without it."""

    RECORDED = "RECORDED"
    REFUNDING = "REFUNDING"
    REFUNDED = "REFUNDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """What is owed to the buyer if the attempt succeeds, complete and verbatim."""

    offer: Offer
    quote: Quote
    buyer: BuyerDetails
    customer: Customer
    entity: InvoicingEntity
    return_url: str
    redemption_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A payment attempt as stored.

    The ids of what it will make are fixed at the claim, so that recording twice makes them
    once. `claimed_at` is business time and dates everything; `business_date` the tenant's day
    then. `is_overdue` says that it was claimed longer ago, in real time, than a challenge
    lives. `acceptance` is from where the buyer agreed to mandate or later charges.
    """

    id: UUID
    session_id: UUID
    customer_id: UUID
    kind: AttemptKind
    state: AttemptState
    step: AttemptStep
    provider: str | None
    reference: str | None
    challenge_url: str | None
    obligation: Obligation
    method: Method | None
    amount: int
    currency: str
    balance_held: int
    business_date: date
    subscription_id: UUID
    invoice_id: UUID | None
    transaction_id: UUID | None
    payment_method_id: UUID | None
    failure: FailureReason | None
    challenge_is_over: bool
    claimed_at: datetime
    late_money: LateMoney | None = None
    is_overdue: bool = False
    acceptance: Acceptance | None = None

    @property
    def completes_when_accepted(self) -> bool:
        """Whether a promise of money is enough to buy: that of a debit, and no other."""
        return self.method is not None and self.method.kind is MethodKind.DIRECT_DEBIT


@dataclass(frozen=True, slots=True)
class RecordSuccess:
    """Write the purchase; `pending` when the money is only promised (an accepted debit)."""

    pending: bool = False


@dataclass(frozen=True, slots=True)
class RecordFailure:
    """End the attempt without money."""

    reason: FailureReason


@dataclass(frozen=True, slots=True)
class AwaitChallenge:
    """The buyer authenticates at `url`; come back when that time is over."""

    url: str


@dataclass(frozen=True, slots=True)
class AwaitSettlement:
    """A card payment that is not decided yet keeps the session waiting."""


@dataclass(frozen=True, slots=True)
class AskToCancel:
    """Nothing has happened and nothing should any more: cancel at the provider, then decide."""


@dataclass(frozen=True, slots=True)
class AskAgainLater:
    """No answer yet; the sweeper asks again."""


NextStep = (
    RecordSuccess
    | RecordFailure
    | AwaitChallenge
    | AwaitSettlement
    | AskToCancel
    | AskAgainLater
)


class Awaited(Protocol):
    """What waits for a provider's answer: an attempt at the checkout, a try to collect."""

    @property
    def completes_when_accepted(self) -> bool:
        """Whether a promise of money is enough."""
        ...


def after_standing(
    attempt: Awaited,
    standing: Standing,
    *,
    give_up: bool,
    reason: FailureReason = FailureReason.INTERRUPTED,
) -> NextStep:
    """What an answer of the provider means for a live attempt.

    `give_up` says that nobody works on it any more, so that an intent which still waits is to
    be cancelled rather than left: its call's time is over, the session ends, or the buyer wants
    another method; `reason` says which, for an attempt that ends by it. Only a debit completes
    on Pending; a card that is pending may still be cancelled.
    """
    match standing:
        case Succeeded():
            return RecordSuccess()
        case Declined(reason=declined):
            return RecordFailure(declined)
        case Cancelled():
            return RecordFailure(reason)
        case Pending():
            settled = _after_pending(attempt)
            return AskToCancel() if give_up and settled == AwaitSettlement() else settled
        case NeedsAction(url=url):
            return AskToCancel() if give_up else AwaitChallenge(url)
        case Unconfirmed() | Unknown():
            return AskToCancel() if give_up else AskAgainLater()
    assert_never(standing)


def after_cancel(attempt: Awaited, outcome: CancelOutcome, reason: FailureReason) -> NextStep:
    """What the answer to a cancel means: the end, or that the money was taken after all."""
    match outcome:
        case Cancelled():
            return RecordFailure(reason)
        case AlreadySucceeded(pending=True):
            return _after_pending(attempt)
        case AlreadySucceeded():
            return RecordSuccess()
        case Unknown():
            return AskAgainLater()
    assert_never(outcome)


def _after_pending(attempt: Awaited) -> NextStep:
    if attempt.completes_when_accepted:
        return RecordSuccess(pending=True)
    return AwaitSettlement()
