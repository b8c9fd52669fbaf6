"""How fast an API key may ask of all processes together, without a question to the database.

Each process counts for itself, in memory. Of a key that asks often it tells the others once a
second what it has counted, hears what they have, and takes its part of the limit: as much as
the others leave, and where all of them together ask for more than the limit, in proportion.
So the limit can be exceeded for about a second, when a key becomes loud on several processes
at once; and a key that is far below it costs nothing.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from math import ceil
from uuid import UUID

import structlog

from tallystick.db import key_paces
from tallystick.db.engine import Database, DatabaseUnavailable
from tallystick.db.key_paces import CountedPace
from tallystick.domain.errors import RateLimited
from tallystick.services.ids import new_id

KEYS_MAX = 10_000
BURST_SECONDS = 2
"""A key may make the requests of so many seconds at once."""
SHARE_SECONDS = 1.0
LOUD = 0.1
"""From this part of the limit on a key is told of: below it, ten processes stay within it."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Bucket:
    """How many requests a key may still make here, as of a moment.

    `asked` counts all since the last exchange, those that were refused included; `rate` is this
    process's part of the limit.
    """

    tenant_id: UUID
    tokens: float
    filled_at: float
    rate: float
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """What a caller is told: `limit` requests in two seconds, and how many are left here.

    After `reset` seconds without requests all of them are there again.
    """

    limit: int
    remaining: int
    reset: int

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The pace as headers of an answer."""
        return [
            (b"ratelimit-limit", b"%d" % self.limit),
            (b"ratelimit-remaining", b"%d" % self.remaining),
            (b"ratelimit-reset", b"%d" % self.reset),
        ]


class KeyPace:
    """Counts what API keys ask for.

    Args:
        database: Where processes hear of each other.
        requests_per_second: How many requests one key may make, twice as many in a burst; 0 for
            no limit.
        clock: Tells real time in seconds, never backwards.
    """

    def __init__(
        self,
        database: Database,
        *,
        requests_per_second: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._limit = requests_per_second
        self._clock = clock
        self._buckets: OrderedDict[UUID, _Bucket] = OrderedDict()
        self._shared_at = clock()
        self._process_id = new_id()

    def take(self, tenant_id: UUID, key_id: UUID) -> tuple[Pace | None, RateLimited | None]:
        """Count a request: what its caller is told, and why it is refused, if it is."""
        limit = self._limit
        if not limit:
            return None, None
        moment = self._clock()
        bucket = self._buckets.get(key_id)
        if bucket is None:
            bucket = _Bucket(tenant_id, BURST_SECONDS * limit, moment, limit)
            self._buckets[key_id] = bucket
            if len(self._buckets) > KEYS_MAX:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key_id)
        rate = bucket.rate
        burst = max(BURST_SECONDS * rate, 1.0)
        tokens = min(burst, bucket.tokens + (moment - bucket.filled_at) * rate)
        bucket.filled_at = moment
        bucket.asked += 1
        refused = tokens < 1
        if not refused:
            tokens -= 1
        bucket.tokens = tokens
        whole = max(int(BURST_SECONDS * limit), 1)
        pace = Pace(whole, min(int(tokens), whole), ceil((burst - tokens) / rate))
        if not refused:
            return pace, None
        message = f"This API key may make {limit:g} requests a second; it made more."
        return pace, RateLimited(message, max(1, ceil((1 - tokens) / rate)))

    @asynccontextmanager
    async def sharing(self) -> AsyncIterator[None]:
        """Keep the limit together with other processes while the block runs."""
        if not self._limit:
            yield
            return
        task = asyncio.create_task(self._share_again_and_again())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def share(self) -> None:
        """Tell what was counted, hear what others have, and take this process's part.

        Raises:
            DatabaseUnavailable: Nothing could be heard; each process counts for itself.
        """
        moment = self._clock()
        seconds = max(moment - self._shared_at, 0.001)
        self._shared_at = moment
        counted: dict[UUID, CountedPace] = {}
        for key_id, bucket in self._buckets.items():
            asked, bucket.asked = bucket.asked, 0
            bucket.rate = self._limit
            if asked / seconds >= LOUD * self._limit:
                counted[key_id] = CountedPace(
                    tenant_id=bucket.tenant_id, key_id=key_id, pace=asked / seconds
                )
        if not counted:
            return
        in_order = sorted(counted.values(), key=lambda one: (one.tenant_id, one.key_id))
        async with self._database.connection() as connection:
            others = await key_paces.exchange(connection, self._process_id, in_order)
        for key_id, pace in others.items():
            found = self._buckets.get(key_id)
            if found is not None:
                found.rate = self._part(counted[key_id].pace, pace)

    def _part(self, own: float, others: float) -> float:
        """This process's part of the limit, for what is asked of it and of all others."""
        if own + others <= self._limit:
            return self._limit - others
        return self._limit * own / (own + others)

    async def _share_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(SHARE_SECONDS)
            try:
                await self.share()
            except DatabaseUnavailable as reason:
                log.warning("key_pace.counts_alone", reason=str(reason))
            except Exception:
                # Counting goes on, whatever this is: a limit must not end what it limits.
                log.exception("key_pace.failed")
