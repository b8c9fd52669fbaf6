"""When customers are reminded: of an invoice that they are to pay themselves, and of a card.

Invoices that are charged by themselves are told of by their failures; these here wait for the
customer. Days are the tenant's.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum


class ReminderKind(StrEnum):
    """What a reminder says."""

    DUE_SOON = "DUE_SOON"
    OVERDUE = "OVERDUE"
    FINAL_NOTICE = "FINAL_NOTICE"


def reminder_offsets(days_before: int, days_after: Sequence[int]) -> tuple[int, ...]:
    """The day of each reminder, counted from the due day, in their order."""
    return (-days_before, *days_after)


def reminder_told(
    position: int, due: date, final_on: date, days_before: int, days_after: Sequence[int]
) -> ReminderKind | None:
    """What the reminder at a position says; None where it says nothing.

    One whose day had come when the invoice became final says nothing: the invoice itself has
    just said it. The last one after the due day is the final notice. Without days before, and
    with 0, there is none before.
    """
    offset = reminder_offsets(days_before, days_after)[position]
    if due + timedelta(days=offset) <= final_on:
        return None
    if position == 0:
        return ReminderKind.DUE_SOON if days_before else None
    is_last = position == len(days_after)
    return ReminderKind.FINAL_NOTICE if is_last else ReminderKind.OVERDUE
