"""API keys that this process has verified.

A cache answers only for keys it has verified, whole, for a minute at most, and only while this
process hears of revocations: it is emptied when the connection that tells of them is lost. How
often a key has asked is counted apart from it (`key_pace.py`).
"""

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from tallystick.db import api_keys, tenants
from tallystick.db.engine import Database
from tallystick.domain.errors import Forbidden, Unauthorized
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.scopes import KeyScope
from tallystick.http.key_pace import KeyPace, Pace
from tallystick.services.api_keys import VerifiedKey, hash_of, verify_api_key
from tallystick.services.context import Tenant

CACHE_SECONDS_MAX = 60.0
KEYS_MAX = 10_000


@dataclass(slots=True)
class _Entry:
    key: VerifiedKey
    actor: str
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: the tenant, the key as the actor of what happens, and what it may do."""

    tenant: Tenant
    actor: str
    scopes: frozenset[KeyScope]
    now: datetime

    def check(self, method: str) -> None:
        """Refuse what the key may not do.

        Raises:
            Forbidden: It has not the scope that a request of this method needs.
        """
        needed = KeyScope.READ if method == "GET" else KeyScope.WRITE
        if needed not in self.scopes:
            raise Forbidden(
                f"This API key may not {needed.value}. Use one that may: "
                f"`tallystick key create --scope {needed.value}` makes it."
            )


class Keyring:
    """Turns `Authorization` headers into callers.

    Args:
        database: Where keys are.
        requests_per_second: How many requests one key may make of all processes together,
            twice as many in a burst; 0 for no limit.
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
        self.pace = KeyPace(database, requests_per_second=requests_per_second, clock=clock)
        self._clock = clock
        self._entries: dict[bytes, _Entry] = {}
        self._hears = False
        self._generation = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear of revoked keys and changed tenants while the block runs; cache only then.

        And of how often keys ask of other processes.
        """
        task = asyncio.create_task(
            api_keys.watch(self._database, self._on_change, self._on_lost)
        )
        try:
            async with self.pace.sharing():
                yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def caller(
        self, authorization: str | None, tell: Callable[[Pace], None] | None = None
    ) -> Caller:
        """Who asks with this header; `tell` hears how fast it may, also where it is refused.

        Raises:
            Unauthorized: There is no key in it, or none that is valid.
            RateLimited: The key has asked too often.
            DatabaseUnavailable: The key is not cached and cannot be looked up.
        """
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise Unauthorized("Send an API key in the header `Authorization: Bearer <key>`.")
        entry = await self._entry(hash_of(secret.strip()))
        pace, refused = self.pace.take(entry.key.tenant.id, entry.key.id)
        if pace is not None and tell is not None:
            tell(pace)
        if refused is not None:
            raise refused
        now = datetime.now(UTC)  # noqa: TID251 - the door: here the request's `now` is fixed
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        tenant = entry.key.tenant
        if tenant.clock is not None:
            # A frozen clock can be moved at any time, by any process.
            async with self._database.connection() as connection:
                now = await tenants.clock(connection, tenant.id) or now
        return Caller(tenant=tenant, actor=entry.actor, scopes=entry.key.scopes, now=now)

    async def _entry(self, digest: bytes) -> _Entry:
        moment = self._clock()
        entry = self._entries.get(digest)
        if (
            entry is not None
            and moment < entry.until
            and hmac.compare_digest(entry.key.hash, digest)
        ):
            return entry
        generation = self._generation
        async with self._database.connection() as connection:
            key = await verify_api_key(connection, digest)
        if key is None:
            self._entries.pop(digest, None)
            raise Unauthorized("This API key is unknown or was revoked.")
        fresh = _Entry(
            key=key,
            actor=encode(Prefix.API_KEY, key.id),
            until=moment + CACHE_SECONDS_MAX,
        )
        # A key that was revoked between the look and now must not be remembered.
        if self._hears and generation == self._generation:
            if len(self._entries) >= KEYS_MAX:
                self._entries.clear()
            self._entries[digest] = fresh
        return fresh

    def _on_change(self, what: str) -> None:
        self._hears = True
        self._generation += 1
        if what.startswith("tenant:"):
            tenant_id = what.removeprefix("tenant:")
            self._entries = {
                digest: entry
                for digest, entry in self._entries.items()
                if str(entry.key.tenant.id) != tenant_id
            }
        elif what:
            self._entries.pop(bytes.fromhex(what), None)

    def _on_lost(self) -> None:
        self._hears = False
        self._generation += 1
        self._entries.clear()
