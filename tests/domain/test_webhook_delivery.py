"""When a delivery is tried again, when it is given up, and when its endpoint is to blame."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.webhook_delivery import (
    FAILS_FOR,
    LONGEST_REST,
    RETRY_PAUSES,
    TRIED_FOR,
    Answered,
    Lost,
    Outcome,
    Unreached,
    disabled_by,
    error_of,
    health_after,
    is_success,
    next_attempt,
    room_of,
)
from tallystick.domain.webhook_endpoint import DisabledReason, Health

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DOWN = Answered(status=500, excerpt="")
DEAD = Unreached(error="no connection")


def test_the_schedule() -> None:
    """Ten attempts, the last of them 71 hours, 35 minutes and 5 seconds after the first."""
    at, attempts = NOW, 1
    while (again := next_attempt(attempts, NOW, at)) is not None:
        at, attempts = again, attempts + 1

    assert attempts == 10
    assert at - NOW == timedelta(hours=71, minutes=35, seconds=5)


@given(
    attempts=st.integers(1, 30),
    age=st.timedeltas(timedelta(), timedelta(days=30)),
)
def test_nothing_is_tried_after_three_days(attempts: int, age: timedelta) -> None:
    """However late a delivery began, a failure after its third day is its last."""
    again = next_attempt(attempts, NOW, NOW + age)

    assert again is None or NOW + age < again <= NOW + TRIED_FOR
    assert (again is None) == (
        attempts > len(RETRY_PAUSES) or age + RETRY_PAUSES[attempts - 1] > TRIED_FOR
    )


@pytest.mark.parametrize(
    ("outcome", "taken", "error"),
    [
        (Answered(status=200, excerpt=""), True, None),
        (Answered(status=204, excerpt=""), True, None),
        (Answered(status=299, excerpt=""), True, None),
        (Answered(status=301, excerpt=""), False, "answered 301; redirects are not followed"),
        (Answered(status=400, excerpt="no"), False, "answered 400"),
        (Answered(status=199, excerpt=""), False, "answered 199"),
        (DEAD, False, "no connection"),
        (Lost(), False, "the worker ended before the answer was noted"),
    ],
)
def test_what_an_answer_means(outcome: Outcome, taken: bool, error: str | None) -> None:
    """200 to 299 is a yes, everything else is a no that says why."""
    assert (is_success(outcome), error_of(outcome)) == (taken, error)


def test_an_endpoint_is_disabled_after_three_days_of_failures() -> None:
    """Not before, not for few of them, and not when anything was taken meanwhile."""
    health = Health()
    for hours in (0, 1, 5, 20, 71):
        health = health_after(health, DOWN, NOW + timedelta(hours=hours))
        assert disabled_by(health, DOWN, NOW + timedelta(hours=hours)) is None
    assert (health.consecutive_failures, health.failing_since) == (5, NOW)

    assert disabled_by(health, DOWN, NOW + FAILS_FOR) is DisabledReason.AUTO_FAILURES
    few = Health(consecutive_failures=4, failing_since=NOW)
    assert disabled_by(few, DOWN, NOW + timedelta(days=9)) is None
    taken = health_after(health, Answered(status=200, excerpt=""), NOW + timedelta(hours=71))
    assert (taken.consecutive_failures, taken.failing_since, taken.unreached) == (0, None, 0)
    assert taken.last_failure_at == NOW + timedelta(hours=71)


def test_gone_is_gone() -> None:
    """410 disables at the first time."""
    gone = Answered(status=410, excerpt="")

    assert disabled_by(health_after(Health(), gone, NOW), gone, NOW) is DisabledReason.GONE


def test_who_is_not_reached_is_given_a_rest() -> None:
    """From the fifth time in a row, for twice as long each time, up to a quarter of an hour."""
    health, rests = Health(), []
    for _ in range(12):
        health = health_after(health, DEAD, NOW)
        until = health.paused_until
        rests.append(0 if until is None else int((until - NOW).total_seconds()))

    assert rests == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    assert timedelta(seconds=rests[-1]) == LONGEST_REST
    assert [room_of(health, 5, busy) for busy in (0, 1, 2)] == [1, 0, 0]
    answers = health_after(health, DOWN, NOW)
    assert (answers.unreached, answers.paused_until) == (0, None)
    assert [room_of(answers, 5, busy) for busy in (0, 4, 5, 6)] == [5, 1, 0, 0]


def test_what_was_lost_is_nobodys_fault() -> None:
    """A worker that died says nothing about the receiver."""
    failing = Health(consecutive_failures=7, failing_since=NOW - timedelta(days=1))

    assert health_after(failing, Lost(), NOW) == failing
