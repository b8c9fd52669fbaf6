"""The life of a checkout session, as pure decisions.

    CREATED -> AWAITING_PAYMENT -> COMPLETED
       ^              |
       +--- failed ---+          CREATED or AWAITING_PAYMENT -> EXPIRED | CANCELLED

Terminal states never change. A session ends only after its attempt has: an ending that is
asked for while an attempt lives is first noted (`ending`), and takes effect when the attempt
ends without money.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tallystick.domain.activating import Activating
from tallystick.domain.buyer import BuyerDetails
from tallystick.domain.coupons import CouponTerms
from tallystick.domain.offer import Offer
from tallystick.domain.payment import FailureReason


@dataclass(frozen=True, slots=True)
class Changing:
    """The subscription whose plan a session changes, and components with slots of their own."""

    id: UUID
    chosen_slots: frozenset[UUID]


class SessionState(StrEnum):
    """Where a session stands; also its status on the wire."""

    CREATED = "CREATED"
    AWAITING_PAYMENT = "AWAITING_PAYMENT"
    COMPLETED = "COMPLETED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"

    @property
    def is_terminal(self) -> bool:
        """Whether it will never change again."""
        return self in _TERMINAL


_TERMINAL = frozenset({SessionState.COMPLETED, SessionState.EXPIRED, SessionState.CANCELLED})


class CheckoutType(StrEnum):
    """What a session is for; a plain purchase is SELF_SERVE."""

    SELF_SERVE = "SELF_SERVE"
    SUBSCRIPTION_ACTIVATION = "SUBSCRIPTION_ACTIVATION"
    PLAN_CHANGE = "PLAN_CHANGE"


class Ending(StrEnum):
    """How a session with a live attempt is to end once the attempt has ended without money."""

    CANCEL = "CANCEL"
    EXPIRE = "EXPIRE"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentError:
    """Why the last attempt failed; shown to the buyer and returned to the merchant."""

    reason: FailureReason
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """What a session was last quoted at: when it was made, when the buyer changed something,
    and when it was confirmed. Amounts in minor units.
    """

    quote_id: str
    amount_total: int
    amount_due: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A checkout session with what was promised in it.

    `activating` is the subscription that its checkout activates, `changing` the one whose plan
    it changes to the one that is offered; neither where it makes one.
    """

    id: UUID
    customer_id: UUID
    plan_id: UUID
    plan_version_id: UUID
    state: SessionState
    ending: Ending | None
    offer: Offer
    buyer: BuyerDetails | None
    page_coupon: CouponTerms | None
    success_url: str | None
    cancel_url: str | None
    expires_at: datetime | None
    completed_at: datetime | None
    subscription_id: UUID | None
    quoted: Quoted
    last_payment_error: PaymentError | None
    attempt_count: int
    created_at: datetime
    updated_at: datetime
    activating: Activating | None = None
    changing: Changing | None = None

    @property
    def subscription_there(self) -> UUID | None:
        """The subscription that was there before the session, if one was."""
        if self.activating is not None:
            return self.activating.id
        return None if self.changing is None else self.changing.id

    def status(self, now: datetime) -> SessionState:
        """The state as reported at `now`.

        Past its expiry with no payment in flight it reads EXPIRED from that moment on, whatever
        the sweeper has done so far.
        """
        if self.state is SessionState.CREATED and self.is_past(now):
            return SessionState.EXPIRED
        return self.state

    def is_past(self, now: datetime) -> bool:
        """Whether its time is up."""
        return self.expires_at is not None and self.expires_at <= now


def after_failure(session: Session, now: datetime) -> SessionState:
    """The state a session goes to when its attempt ended without money."""
    if session.ending is Ending.CANCEL:
        return SessionState.CANCELLED
    if session.ending is Ending.EXPIRE or session.is_past(now):
        return SessionState.EXPIRED
    return SessionState.CREATED
