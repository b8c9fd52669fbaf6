"""Refusals say what is wrong in one sentence, field by field."""

import pytest

from tallystick.domain.errors import (
    ALL_READ,
    Busy,
    Conflict,
    Fault,
    InvalidInput,
    RateLimited,
    TallystickError,
    Unread,
    fail_if,
)

NAME = Fault("name", "missing", "must be given")
PRICE = Fault("price", "negative", "must not be negative")


def test_all_faults_are_reported_together() -> None:
    """Every fault is kept, and the sentence names the first one and how many follow."""
    with pytest.raises(InvalidInput) as caught:
        fail_if([NAME, PRICE])
    assert caught.value.faults == (NAME, PRICE)
    assert str(caught.value) == caught.value.message == "name: must be given (and 1 more)"


def test_no_fault_is_no_refusal() -> None:
    """A request without faults passes."""
    fail_if([])


def test_one_fault_is_told_alone() -> None:
    """A single fault's sentence does not speak of others."""
    with pytest.raises(InvalidInput, match=r"^name: must be given$"):
        fail_if([NAME])


@pytest.mark.parametrize("kind", [Busy, RateLimited])
def test_waiting_has_a_length(kind: type[Busy | RateLimited]) -> None:
    """What may be repeated later says after how many seconds."""
    error = kind("wait", 7)
    assert error.retry_after_seconds == 7
    assert isinstance(error, TallystickError)
    assert not error.faults


def test_busy_is_a_conflict() -> None:
    """Who handles conflicts handles those that pass."""
    assert issubclass(Busy, Conflict)


def test_what_was_set_aside_is_not_at_fault_as_well() -> None:
    """Faults of a field that could not be read, of parts of it, and of what rests on it."""
    unread = Unread(faults=(NAME,), fields=frozenset({"name", "items"}))
    found = [
        Fault(field, "wrong", "is wrong")
        for field in ("name", "name.first", "items[0].price", "items", "price", "prices[0].of")
    ]
    assert unread.joined(found) == [NAME, *found[4:]]
    rests_on = {"price": ("name",), "prices": ("else",)}
    assert unread.joined(found, rests_on) == [NAME, found[5]]
    assert ALL_READ.joined(found) == found
