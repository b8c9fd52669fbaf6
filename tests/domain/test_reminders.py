"""Which reminder says what, and which says nothing."""

from datetime import date

import pytest

from tallystick.domain.reminders import ReminderKind, reminder_offsets, reminder_told

DUE = date(2026, 3, 20)
ISSUED = date(2026, 3, 10)


def told(position: int, issued: date = ISSUED, before: int = 3) -> ReminderKind | None:
    """What a reminder of the usual days says: 3 before, 1, 7 and 14 after."""
    return reminder_told(position, DUE, issued, before, (1, 7, 14))


def test_the_usual_days() -> None:
    """Before it is due, twice after, and the last one is the final notice."""
    assert reminder_offsets(3, (1, 7, 14)) == (-3, 1, 7, 14)
    assert [told(position) for position in range(4)] == [
        ReminderKind.DUE_SOON,
        ReminderKind.OVERDUE,
        ReminderKind.OVERDUE,
        ReminderKind.FINAL_NOTICE,
    ]


@pytest.mark.parametrize(
    ("issued", "silent"),
    [(date(2026, 3, 16), 0), (date(2026, 3, 17), 1), (date(2026, 3, 27), 3)],
)
def test_what_the_invoice_has_just_said(issued: date, silent: int) -> None:
    """A reminder whose day had come when the invoice became final says nothing."""
    assert [told(n, issued) is None for n in range(4)].count(True) == silent


def test_none_before() -> None:
    """0 days before is none; without days after there is no other."""
    assert told(0, before=0) is None
    assert reminder_told(0, DUE, ISSUED, 3, ()) is ReminderKind.DUE_SOON
