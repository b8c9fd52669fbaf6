"""Delivering webhooks: events are passed on, what is due is taken up, sent, and noted.

No job of the queue, which would wait behind a slow receiver, and no turn of the schedule, which
would end with the slowest: a part of the worker that begins attempts as long as there is room
for them. An attempt is written down before it is sent, and nothing is held meanwhile; a worker
that dies is found out by its lease.

Nobody's receiver is in another's way. An endpoint has its own limit at once, a tenant a quarter
of a worker, and what is free is shared among those that wait.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from tallystick.db import due_deliveries
from tallystick.db.engine import DatabaseUnavailable
from tallystick.jobs.pause import pause
from tallystick.services.claim_deliveries import Outgoing, claim_deliveries
from tallystick.services.context import App
from tallystick.services.record_delivery import record_delivery
from tallystick.services.relay_events import relay_events
from tallystick.webhooks.sender import Sender
from tallystick.webhooks.signing import signed_headers

AT_ONCE = 200
AT_ONCE_OF_TENANT = 50
ENDPOINTS_LOOKED_AT = 100
TOGETHER_SECONDS = 0.02
"""What ends within so short a time makes room together."""
RECONNECT_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Deliveries:
    """What one worker has under way.

    Args:
        app: What is wired once per process.
        sender: What sends.
        seconds: How often to look for what has become due.
    """

    def __init__(self, app: App, sender: Sender, seconds: float) -> None:
        self._app = app
        self._sender = sender
        self._seconds = seconds
        self._under_way: Counter[UUID] = Counter()
        self._ended = asyncio.Event()
        self._relay_at = 0.0

    async def keep_going(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set, then finish what was begun.

        A database that goes away is waited for.
        """
        async with asyncio.TaskGroup() as sending:
            stopping = sending.create_task(self._wake_at(stop))
            while not stop.is_set():
                try:
                    await self.once(sending)
                except DatabaseUnavailable as reason:
                    log.warning("webhooks.wait_for_database", reason=str(reason))
                    await pause(stop, RECONNECT_SECONDS)
                    continue
                await pause(self._ended, self._seconds)
                if self._ended.is_set():
                    await pause(stop, TOGETHER_SECONDS)
                self._ended.clear()
            stopping.cancel()

    async def once(self, sending: asyncio.TaskGroup) -> int:
        """Pass events on and begin what there is room for; return how many were begun.

        Events are passed on no more often than it is looked for what is due, however often an
        attempt that ends makes room for another.
        """
        if self._under_way.total() >= AT_ONCE:
            return 0
        async with self._app.database.connection() as tx:
            now = await due_deliveries.real_time(tx)
        began = time.monotonic()
        if began >= self._relay_at:
            self._relay_at = began + self._seconds
            await relay_events(self._app, now)
        full = [one for one, many in self._under_way.items() if many >= AT_ONCE_OF_TENANT]
        async with self._app.database.connection() as tx:
            due = await due_deliveries.endpoints_due(tx, now, ENDPOINTS_LOOKED_AT, full)
        begun = 0
        for place, (tenant_id, endpoint_id) in enumerate(due):
            room = self._room(tenant_id, waiting=len(due) - place)
            if room > 0:
                at = now + timedelta(seconds=time.monotonic() - began)
                taken = await claim_deliveries(self._app, tenant_id, endpoint_id, at, room)
                self._send(sending, taken)
                begun += len(taken)
        return begun

    def _room(self, tenant_id: UUID, waiting: int) -> int:
        """How many may be begun for an endpoint while so many wait, itself among them."""
        free = AT_ONCE - self._under_way.total()
        of_tenant = AT_ONCE_OF_TENANT - self._under_way[tenant_id]
        return min(free and max(free // waiting, 1), of_tenant)

    def _send(self, sending: asyncio.TaskGroup, taken: Sequence[Outgoing]) -> None:
        for one in taken:
            self._under_way[one.tenant_id] += 1
            sending.create_task(self._deliver(one))

    async def _deliver(self, one: Outgoing) -> None:
        try:
            await deliver(self._app, self._sender, one)
        except DatabaseUnavailable as reason:
            log.warning("webhook.lost_database", reason=str(reason))
        except Exception:
            # Its lease ends, and it is tried again.
            log.exception("webhook.failed")
        finally:
            self._under_way[one.tenant_id] -= 1
            self._ended.set()

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._ended.set()


async def deliver(app: App, sender: Sender, one: Outgoing) -> None:
    """Send an attempt that was taken up, and note what it came to."""
    began = time.monotonic()
    outcome = await sender.post(
        one.url,
        [*signed_headers(one.message_id, one.body, one.secrets, one.begun_at), *one.headers],
        one.body,
        allows_private=one.allows_private,
    )
    await record_delivery(
        app,
        one.tenant_id,
        one.endpoint_id,
        delivery_id=one.delivery_id,
        attempt=one.attempt,
        outcome=outcome,
        now=one.begun_at + timedelta(seconds=time.monotonic() - began),
    )
