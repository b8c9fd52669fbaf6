"""Deliveries of events: what an attempt can come to, when the next one is, who is to blame.

All of it is real time. Three days are the measure of everything: for so long a delivery is
tried, an endpoint may fail, and what a disabled endpoint has missed is kept for it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from tallystick.domain.webhook_endpoint import DisabledReason, Health

RETRY_PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=20),
)
"""The pause after each failed attempt; the tenth attempt, 71 h 35 min on, is the last."""

TRIED_FOR = timedelta(days=3)
"""A delivery that is older and fails is given up, however often it was tried."""

FAILS_FOR = timedelta(days=3)
FAILURES_MIN = 5
"""An endpoint that has failed for so long, and so often, is disabled."""

UNREACHED_MAX = 5
"""So many attempts in a row that reached nobody, and the endpoint is given a rest."""
FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=15)

GONE = 410
OK_MIN, OK_MAX = 200, 299
REDIRECT_MIN, REDIRECT_MAX = 300, 399


class DeliveryStatus(StrEnum):
    """What has become of a delivery, in the reference's words."""

    PENDING = "PENDING"
    IN_FLIGHT = "IN_FLIGHT"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The receiver answered; `excerpt` is the beginning of what it said."""

    status: int
    excerpt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreached:
    """Nobody answered in time; `error` says why, for the merchant to read."""

    error: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Nobody knows: whoever sent it ended before the answer was noted. It may have arrived."""


Outcome = Answered | Unreached | Lost


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEntry:
    """One attempt as it is listed; `ended_at` is None while it is under way, or lost."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    response_status: int | None
    error: str | None
    response_excerpt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEntry:
    """One event for one endpoint, as it is listed.

    `next_attempt_at` is None while an earlier event of the same object is not done.
    """

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    sequence: int
    manual: bool
    status: DeliveryStatus
    attempt_count: int
    next_attempt_at: datetime | None
    last_response_status: int | None
    last_error: str | None
    created_at: datetime
    completed_at: datetime | None
    attempts: tuple[AttemptEntry, ...]


def is_success(outcome: Outcome) -> bool:
    """Whether the receiver has taken the event: any status of 200 to 299."""
    return isinstance(outcome, Answered) and OK_MIN <= outcome.status <= OK_MAX


def error_of(outcome: Outcome) -> str | None:
    """What went wrong, in a sentence without its full stop; None when nothing did."""
    match outcome:
        case Answered(status=status) if REDIRECT_MIN <= status <= REDIRECT_MAX:
            return f"answered {status}; redirects are not followed"
        case Answered(status=status):
            return None if is_success(outcome) else f"answered {status}"
        case Unreached(error=error):
            return error
        case Lost():
            return "the worker ended before the answer was noted"


def next_attempt(attempts: int, created_at: datetime, now: datetime) -> datetime | None:
    """When a delivery is tried again after its `attempts`-th failure; None: it is given up."""
    if attempts > len(RETRY_PAUSES):
        return None
    again = now + RETRY_PAUSES[attempts - 1]
    return again if again <= created_at + TRIED_FOR else None


def health_after(health: Health, outcome: Outcome, now: datetime) -> Health:
    """How an endpoint does after an attempt. What was lost is not its fault."""
    if isinstance(outcome, Lost):
        return health
    if is_success(outcome):
        return Health(last_success_at=now, last_failure_at=health.last_failure_at)
    unreached = health.unreached + 1 if isinstance(outcome, Unreached) else 0
    return replace(
        health,
        consecutive_failures=health.consecutive_failures + 1,
        unreached=unreached,
        failing_since=health.failing_since or now,
        last_failure_at=now,
        paused_until=_rest(unreached, now),
    )


def disabled_by(health: Health, outcome: Outcome, now: datetime) -> DisabledReason | None:
    """Why an endpoint is disabled after an attempt, `health` counting it; None: it is not."""
    if isinstance(outcome, Answered) and outcome.status == GONE:
        return DisabledReason.GONE
    since = health.failing_since
    if since is None or health.consecutive_failures < FAILURES_MIN:
        return None
    return DisabledReason.AUTO_FAILURES if now - since >= FAILS_FOR else None


def room_of(health: Health, max_in_flight: int, in_flight: int) -> int:
    """How many deliveries may be begun: one at a time to who was not reached lately."""
    most = 1 if health.unreached >= UNREACHED_MAX else max_in_flight
    return max(most - in_flight, 0)


def _rest(unreached: int, now: datetime) -> datetime | None:
    if unreached < UNREACHED_MAX:
        return None
    doublings = min(unreached - UNREACHED_MAX, 10)
    return now + min(FIRST_REST * (1 << doublings), LONGEST_REST)
