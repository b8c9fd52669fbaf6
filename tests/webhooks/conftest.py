"""A shop whose events are delivered to receivers on this machine."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tallystick.db import due_deliveries, events, webhook_deliveries, webhook_endpoints
from tallystick.db.engine import Database
from tallystick.db.paging import Window
from tallystick.domain.webhook_delivery import DeliveryEntry
from tallystick.domain.webhook_endpoint import DisabledReason, EndpointFields, WebhookEndpoint
from tallystick.jobs.deliver import deliver
from tallystick.services.claim_deliveries import Outgoing, claim_deliveries
from tallystick.services.context import App, Context
from tallystick.services.create_webhook_endpoint import CreatedEndpoint, create_webhook_endpoint
from tallystick.services.ids import new_id
from tallystick.services.relay_events import relay_events
from tallystick.services.sequence_events import sequence_events
from tallystick.webhooks.sender import Sender, open_sender
from tests.world import World, open_world

ALL = Window(limit=100, offset=0, order="created_at", descending=False)


@dataclass
class Post:
    """A shop with endpoints; `now` is real time, which the test moves on."""

    world: World
    sender: Sender
    now: datetime

    @property
    def app(self) -> App:
        """What is wired."""
        return self.world.app

    @property
    def tenant_id(self) -> UUID:
        """The shop's tenant."""
        return self.world.tenant_id

    def later(self, **time: float) -> None:
        """Let real time pass."""
        self.now += timedelta(**time)

    async def within(self, verb: Any) -> Any:  # noqa: ANN401 - any verb
        """Run a plain verb of the tenant."""
        async with self.app.transaction() as tx:
            return await verb(self.ctx.within(tx))

    @property
    def ctx(self) -> Context:
        """The tenant's context."""
        return self.world.ctx

    async def endpoint(self, url: str, **fields: Any) -> CreatedEndpoint:  # noqa: ANN401
        """A new endpoint."""
        wanted = EndpointFields(url=url, **fields)
        made: CreatedEndpoint = await self.within(
            lambda ctx: create_webhook_endpoint(ctx, wanted)
        )
        return made

    async def happens(self, *names: str, to: UUID | None = None) -> UUID:
        """Write events about one thing, and number them; return the thing."""
        about = to or new_id()
        for name in names:
            async with self.app.transaction() as tx:
                await events.append(
                    tx, self.tenant_id, new_id(), name, about, {"n": 1}, self.ctx.now
                )
        await sequence_events(self.app)
        return about

    async def take(self, limit: int = 100) -> list[Outgoing]:
        """Pass events on, and take up all that is due for every endpoint."""
        await relay_events(self.app, self.now)
        async with self.app.database.connection() as tx:
            due = await due_deliveries.endpoints_due(tx, self.now, 100)
        taken = []
        for tenant_id, endpoint_id in due:
            taken += await claim_deliveries(self.app, tenant_id, endpoint_id, self.now, limit)
        return taken

    async def send(self, *taken: Outgoing) -> None:
        """Send what was taken up, one after the other."""
        for one in taken:
            await deliver(self.app, self.sender, one)

    async def work(self) -> int:
        """Deliver what is due until nothing is; return how many attempts that took."""
        total = 0
        while taken := await self.take():
            await self.send(*taken)
            # What was noted meanwhile may make something due, a little later than it began.
            self.later(seconds=1)
            total += len(taken)
        return total

    async def deliveries(self, endpoint_id: UUID) -> list[DeliveryEntry]:
        """Every delivery of an endpoint, oldest event first."""
        async with self.app.database.connection() as tx:
            page = await webhook_deliveries.page(
                tx, self.tenant_id, ALL, endpoint_id=endpoint_id
            )
        return sorted(page.items, key=lambda one: (one.sequence, one.manual))

    async def statuses(self, endpoint_id: UUID) -> list[str]:
        """What has become of each delivery, oldest event first."""
        return [one.status.value for one in await self.deliveries(endpoint_id)]

    async def shown(self, endpoint_id: UUID) -> WebhookEndpoint:
        """An endpoint as it is now."""
        async with self.app.database.connection() as tx:
            found = await webhook_endpoints.load(tx, self.tenant_id, endpoint_id)
        assert found is not None
        return found

    async def disabled_reason(self, endpoint_id: UUID) -> DisabledReason | None:
        """Why an endpoint is disabled."""
        return (await self.shown(endpoint_id)).disabled_reason


@pytest.fixture
async def post(db: Database) -> AsyncIterator[Post]:
    """A shop that may send to this machine."""
    world = await open_world(db)
    world.app = replace(world.app, private_webhooks=True)
    world.ctx = replace(world.ctx, app=world.app)
    async with open_sender(5) as sender:
        # Not before what the database notes by its own clock.
        yield Post(world, sender, datetime.now(UTC) + timedelta(seconds=1))  # noqa: TID251
