"""Movements of recurring revenue: how a subscription's monthly value came to be what it is.

The value is that of the contract: it counts from the day on which the subscription begins or is
made, through its free trial, until it ends or its trial expires. Coupons and usage are no part
of it (reference rules of money and time, section 7).
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class MovementKind(StrEnum):
    """Why the monthly value of a subscription has moved."""

    NEW_BUSINESS = "NEW_BUSINESS"
    EXPANSION = "EXPANSION"
    CONTRACTION = "CONTRACTION"
    CHURN = "CHURN"
    REACTIVATION = "REACTIVATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One change of a monthly value, in minor units of `currency`; `position` counts from 1.

    `day` is the tenant's day on which it took effect, `created_at` when it was written.
    """

    position: int
    day: date
    currency: str
    before: int
    after: int
    created_at: datetime

    def __post_init__(self) -> None:
        """A movement moves something, and the first one begins at nothing."""
        assert self.before != self.after, "a movement moves something"
        assert min(self.before, self.after) >= 0, "a value is never negative"
        assert self.position > 1 or self.before == 0, "the first one begins at nothing"

    @property
    def amount(self) -> int:
        """By how much the value has moved; it may be negative."""
        return self.after - self.before

    @property
    def kind(self) -> MovementKind:
        """What the movement is called."""
        if self.position == 1:
            return MovementKind.NEW_BUSINESS
        if self.before == 0:
            return MovementKind.REACTIVATION
        if self.after == 0:
            return MovementKind.CHURN
        return MovementKind.EXPANSION if self.amount > 0 else MovementKind.CONTRACTION
