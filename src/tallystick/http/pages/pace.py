"""How fast pages may be asked to do something, and how often a code may be guessed.

In this process's memory and on its real time: what is counted is lost at a restart, and each
process counts for itself. Memory is bounded: the keys that were unused for longest go first.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from tallystick.domain.errors import RateLimited
from tallystick.http.pages.buyer_origin import subscriber

KEYS_MAX = 10_000
GUESSES_MAX = 10
"""Promotion codes that may be tried with one link in a row; one more each minute."""

_GUESS_SECONDS = 60.0
_MINUTE = 60.0

Clock = Callable[[], float]


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float
    last: str = ""


class Buckets:
    """A token bucket per key, full at first.

    Args:
        size: How many may be taken at once.
        seconds: After how many seconds another one may be taken.
        clock: Tells real time in seconds, never backwards.
    """

    def __init__(self, size: int, seconds: float, clock: Clock) -> None:
        self._size = size
        self._seconds = seconds
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._buckets)

    def take(self, key: str, what: str = "") -> bool:
        """Take a token; nothing is taken for what it was last taken for. Whether one was.

        Raises:
            RateLimited: there is none.
        """
        bucket = self._filled(key)
        if what and bucket.last == what:
            return False
        if bucket.tokens < 1:
            wait = ceil((1 - bucket.tokens) * self._seconds)
            raise RateLimited("This was asked too often.", wait)
        bucket.tokens -= 1
        bucket.last = what
        return True

    def give_back(self, key: str) -> None:
        """Put back a token that was taken."""
        bucket = self._filled(key)
        bucket.tokens = min(self._size, bucket.tokens + 1)

    def _filled(self, key: str) -> _Bucket:
        """The bucket with what has run into it since it was last looked at."""
        now = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(self._size, now))
        self._buckets.move_to_end(key)
        if len(self._buckets) > KEYS_MAX:
            self._buckets.popitem(last=False)
        gained = (now - bucket.filled_at) / self._seconds
        bucket.tokens = min(self._size, bucket.tokens + gained)
        bucket.filled_at = now
        return bucket


class Pace:
    """The limits of a door's pages.

    Args:
        posts_per_minute: How many forms one address may send, and how many may be sent to one
            link, as many of them at once, and how often the provider is asked for pages that
            wait; 0 for no limit. Codes are limited in any case.
        clock: Tells real time in seconds, never backwards.
    """

    def __init__(self, posts_per_minute: int, clock: Clock = time.monotonic) -> None:
        self._has_limit = posts_per_minute > 0
        size = max(1, posts_per_minute)
        self._addresses = Buckets(size, _MINUTE / size, clock)
        self._links = Buckets(size, _MINUTE / size, clock)
        self._waiting_addresses = Buckets(size, _MINUTE / size, clock)
        self._waiting_links = Buckets(size, _MINUTE / size, clock)
        self._guesses = Buckets(GUESSES_MAX, _GUESS_SECONDS, clock)

    def sent_from(self, address: str) -> None:
        """A form arrives from an address.

        Raises:
            RateLimited: too many came from there.
        """
        if self._has_limit:
            self._addresses.take(subscriber(address))

    def sent_to(self, subject: str) -> None:
        """A form arrives for a session, an invoice or a customer.

        Raises:
            RateLimited: too many came for it.
        """
        if self._has_limit:
            self._links.take(subject)

    def may_ask(self, address: str | None, subject: str) -> bool:
        """Whether the provider is asked once more how a payment stands.

        Counted apart from what is sent, as often: a page that waits can still be left.
        """
        if not self._has_limit:
            return True
        try:
            if address is not None:
                self._waiting_addresses.take(subscriber(address))
            self._waiting_links.take(subject)
        except RateLimited:
            return False
        return True

    def guess(self, subject: str, code: str) -> bool:
        """A code is about to be tried; the same one again is no new guess. Whether it is one.

        Raises:
            RateLimited: too many that were wrong have been tried.
        """
        return self._guesses.take(subject, code)

    def was_right(self, subject: str) -> None:
        """The code that was guessed can be redeemed: it does not count."""
        self._guesses.give_back(subject)
