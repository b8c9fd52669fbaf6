"""Collecting an invoice from a saved payment method, without the buyer.

One try owns everything that recording it needs, like an attempt at the checkout: it is claimed,
asked of the provider under its own keys, and recorded once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from tallystick.domain.attempt import AttemptState
from tallystick.domain.payment import Acceptance, FailureReason, Method, MethodKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One try to collect what an invoice owes; `amount` in minor units.

    `claimed_at` is business time and dates everything that comes of it. `activates` is the
    subscription that waits for the money to go on after its trial, the first one where several
    are charged as one; only such a try holds part of the balance. `invoice_id` is None where
    the draft of a failed try is gone. A try `by_buyer` was made on the invoice's own page: its
    method is not kept, `return_url` is where its challenge, at `challenge_url`, leads back to,
    and `acceptance` where its mandate was signed.
    """

    id: UUID
    invoice_id: UUID | None
    customer_id: UUID
    payment_method_id: UUID | None
    transaction_id: UUID
    provider: str
    reference: str | None
    method: Method
    amount: int
    currency: str
    state: AttemptState
    failure: FailureReason | None
    claimed_at: datetime
    activates: UUID | None = None
    balance_held: int = 0
    by_buyer: bool = False
    return_url: str | None = None
    challenge_url: str | None = None
    acceptance: Acceptance | None = None

    @property
    def invoice(self) -> UUID:
        """The invoice that it is to pay; every try has one until it has failed."""
        assert self.invoice_id is not None, "only a failed try may have lost its draft"
        return self.invoice_id

    @property
    def completes_when_accepted(self) -> bool:
        """Whether a promise of money is enough for now: that of a debit, and no other."""
        return self.method.kind is MethodKind.DIRECT_DEBIT


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedMethod:
    """A payment method on file. `is_own` marks the one that the subscription's own checkout
    saved.
    """

    id: UUID
    method: Method
    is_own: bool
    created_at: datetime


def method_to_charge(saved: Sequence[SavedMethod], now: date | datetime) -> SavedMethod | None:
    """The subscription's own method, else the customer's newest, that can still be charged.

    Where all have expired it is such a one: charging it fails, and says why.
    """
    usable = [one for one in saved if not has_expired(one.method, now)]
    return max(
        usable or saved, key=lambda one: (one.is_own, one.created_at, one.id), default=None
    )


def next_try(
    failed_at: datetime, failures: int, dunning_days: Sequence[int]
) -> datetime | None:
    """When to try again after so many failures; None when no try is left."""
    if failures > len(dunning_days):
        return None
    return failed_at + timedelta(days=dunning_days[failures - 1])


def has_expired(method: Method, now: date | datetime) -> bool:
    """Whether a card's last month (`MM/YYYY`) is over."""
    if method.card_expiry is None:
        return False
    month, _, year = method.card_expiry.partition("/")
    return (int(year), int(month)) < (now.year, now.month)
