"""The rule of movements of recurring revenue once more, to hold what is written against."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise

from tallystick.domain.mrr import Movement


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
