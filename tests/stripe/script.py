"""What becomes of a call, as a test writes it: closed, deterministic, in the order given.

    account.script("payment_intents.confirm", Unanswered())    # done, and the answer is lost
    account.script("refunds.create", Failing(503), Through())

A call that nothing is written for, or comes beyond the end, goes through.
"""

from collections import defaultdict, deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Through:
    """It arrives, and so does its answer."""


@dataclass(frozen=True, slots=True)
class Unheard:
    """It never arrives: the connection breaks before."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """It arrives and is done; the connection breaks before the answer."""


@dataclass(frozen=True, slots=True)
class Late:
    """The connection breaks, and the call arrives when the test lets it: `arrive_late`."""


@dataclass(frozen=True, slots=True)
class Delayed:
    """It arrives after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Slow:
    """It arrives at once and takes so many seconds, its key being in use meanwhile."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Repeated:
    """It arrives twice; the second answer is the one that comes back."""


@dataclass(frozen=True, slots=True)
class Failing:
    """It is answered with this 5xx; `done` says whether it was done all the same."""

    status: int = 500
    done: bool = False


@dataclass(frozen=True, slots=True)
class Limited:
    """It is answered with 429, and was not looked at."""


@dataclass(frozen=True, slots=True)
class Hanging:
    """No answer and no end, until the client gives up; `done` as above."""

    done: bool = False


@dataclass(frozen=True, slots=True)
class NewsFirst:
    """It is done, what happened is delivered to every endpoint, then it is answered."""


Step = (
    Through
    | Unheard
    | Unanswered
    | Late
    | Delayed
    | Slow
    | Repeated
    | Failing
    | Limited
    | Hanging
    | NewsFirst
)


class Script:
    """The steps of each kind of call that are still to come."""

    def __init__(self) -> None:
        self._steps: dict[str, deque[Step]] = defaultdict(deque)
        self.otherwise: Step = Through()

    def write(self, call: str, *steps: Step) -> None:
        """What becomes of the next calls of one kind."""
        self._steps[call].extend(steps)

    def next_step(self, call: str) -> Step:
        """What becomes of this one."""
        return self._steps[call].popleft() if self._steps[call] else self.otherwise
