"""Movements of recurring revenue: how a subscription's monthly value came to be what it is.

The value is that of the contract: it counts from the day on which the subscription begins or is
made, through its free trial, until it ends or its trial expires. Coupons and usage are no part
of it (reference rules of money and time, section 7).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise


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


def movement(
    last: Movement | None, value: int, *, day: date, currency: str, at: datetime
) -> Movement | None:
    """The movement from where the last one has ended to a new value; None where it stays.

    It takes effect on `day`, but never before the one that it follows.
    """
    before = 0 if last is None else last.after
    if value == before:
        return None
    return Movement(
        position=1 if last is None else last.position + 1,
        day=day if last is None else max(day, last.day),
        currency=currency,
        before=before,
        after=value,
        created_at=at,
    )


def value_of(movements: Sequence[Movement]) -> int:
    """The monthly value that movements lead to: their sum.

    Each begins where the one before has ended.
    """
    for one, following in pairwise(movements):
        assert one.after == following.before, "a movement begins where the last has ended"
        assert one.position + 1 == following.position, "none is left out"
    return sum(one.amount for one in movements)
