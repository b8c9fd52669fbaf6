"""Money that a provider took and our books do not know: what it is, and what becomes of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID


class OrphanPolicy(StrEnum):
    """What a tenant wants done with money that nobody here knew of."""

    ATTACH_OR_REFUND = "ATTACH_OR_REFUND"
    REPORT = "REPORT"


class OrphanState(StrEnum):
    """What became of it. RETURNED: the try that it belongs to gives it back."""

    FOUND = "FOUND"
    ATTACHED = "ATTACHED"
    RETURNED = "RETURNED"
    REFUNDING = "REFUNDING"
    REFUNDED = "REFUNDED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenPayment:
    """A payment as its provider lists it: `amount` is what it still holds of it, minor units.

    `taken_at` is real time. `customer_id` is None where the provider cannot tell.
    """

    reference: str
    customer_id: UUID | None
    amount: int
    currency: str
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class AllRefunded:
    """Nothing is held of a payment any more: all of it went back by refunds, whoever made
    them.
    """


@dataclass(frozen=True, slots=True)
class NotToGive:
    """Nothing of a payment can be given back, and nobody can say that it went back: it is
    disputed, was taken back by its bank, was never taken, or its provider has forgotten it.
    """


Holding: TypeAlias = TakenPayment | AllRefunded | NotToGive
"""What a provider holds of a payment now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenPage:
    """A page of what a provider took; `mark` leads to the next, None where there is none."""

    payments: tuple[TakenPayment, ...]
    mark: str | None


class AccessRefused(Exception):
    """A provider does not let the keys of an account look; the message says what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A payment that nobody here knew of, as it was found; or whose refund came back.

    `belongs` says that a try which ended without money is known by its reference; `tries`
    counts its refunds, each of which has a key of its own.
    """

    id: UUID
    provider: str
    payment: TakenPayment
    state: OrphanState
    belongs: bool
    tries: int = 1

    @property
    def key(self) -> str:
        """The idempotency key of its refund, however often that one is asked for."""
        return refund_key(self.id, self.tries)


def refund_key(of: UUID, tries: int = 1) -> str:
    """The idempotency key of a refund of something; another one than before where it is tried
    once more because it came back.
    """
    return f"{of}:refund" if tries == 1 else f"{of}:refund:{tries}"
