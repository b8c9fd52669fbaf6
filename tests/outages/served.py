"""A shop that is served by real processes, on an embedded PostgreSQL of its own."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from tallystick.cli.bench.many_subscriptions import copy_first
from tallystick.db.engine import Database, DatabaseUnavailable
from tallystick.db.server import EmbeddedServer
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.webhook_endpoint import EndpointFields
from tallystick.services.api_keys import create_api_key
from tallystick.services.create_webhook_endpoint import create_webhook_endpoint
from tests.cli.test_serve import Serving, ServingAtOnce
from tests.outages.clients import Clients
from tests.subscribing import Merchant
from tests.world import World, open_world

QUICK = {
    "TALLYSTICK_SWEEP_SECONDS": "0.5",
    "TALLYSTICK_BILL_SECONDS": "0.3",
    "TALLYSTICK_PROVIDER_CALL_SECONDS": "2",
    "TALLYSTICK_PRIVATE_WEBHOOKS": "true",
    "TALLYSTICK_PAGE_POSTS_PER_MINUTE": "0",
}
"""What is under way when everything dies is taken up soon."""
START = date(2026, 3, 10)


@dataclass(kw_only=True)
class Served:
    """A served shop: where buyers buy, and beside it a tenant whose subscriptions renew."""

    server: EmbeddedServer
    serving: Serving
    shop: World
    renewing: World
    clients: Clients
    subscriptions: int
    months: int = 0

    async def a_month_passes(self) -> None:
        """Every subscription of the second tenant is due for its next month."""
        self.months += 1
        now = datetime(2026, 3 + self.months, 12, 12, tzinfo=UTC)
        await self.insist(
            lambda: self.renewing.execute(
                "update tenants set clock = $2 where id = $1", self.renewing.tenant_id, now
            )
        )

    async def renewed(self) -> int:
        """How many renewals are final."""
        row = await self.renewing.one(
            "select count(*) from invoices where tenant_id = $1 and status = 'FINALIZED'"
            " and invoice_date > $2",
            self.renewing.tenant_id,
            START,
        )
        found: int = row["count"]
        return found

    async def unnumbered(self) -> int:
        """How many events have no number yet."""
        row = await self.shop.one("select count(*) from events where sequence is null")
        found: int = row["count"]
        return found

    async def insist(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something to the database once it is there."""
        async with asyncio.timeout(60):
            while True:
                with suppress(DatabaseUnavailable):
                    return await work()
                await asyncio.sleep(0.05)


@asynccontextmanager
async def served(
    data_dir: Path, hooks: str | None = None, *, subscriptions: int = 30, **settings: str
) -> AsyncIterator[Served]:
    """Serve a shop in a data directory; events of its buyers are sent to `hooks`."""
    server = EmbeddedServer(data_dir)
    said = data_dir.with_name("said")
    words = ("--data-dir", str(data_dir))
    serving = ServingAtOnce(said, *words, DATABASE_URL="", **(QUICK | settings))
    try:
        url = await asyncio.to_thread(lambda: serving.url)
        database = await Database.open(server.dsn, max_size=5)
        shop, renewing = await open_world(database), await open_world(database)
        plan = await shop.plan()
        async with database.transaction() as tx:
            key = await create_api_key(shop.ctx.within(tx), "load")
            if hooks is not None:
                wanted = EndpointFields(url=hooks, event_types=("checkout_session.completed",))
                app = replace(shop.app, private_webhooks=True)
                await create_webhook_endpoint(replace(shop.ctx, app=app, tx=tx), wanted)
        await _subscribed(renewing, subscriptions)
        clients = Clients(
            url=url, key=key.secret, plan_version=encode(Prefix.PLAN_VERSION, plan.version_id)
        )
        yield Served(
            server=server,
            serving=serving,
            shop=shop,
            renewing=renewing,
            clients=clients,
            subscriptions=subscriptions,
        )
        await database.close()
    finally:
        if serving.process.poll() is None:
            serving.process.kill()
        serving.process.wait()
        server.stop(immediately=True)


@asynccontextmanager
async def own_folder() -> AsyncIterator[Path]:
    """A folder that the database's user may enter, for one server."""
    folder = Path(tempfile.mkdtemp(prefix="tallystick-out-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _subscribed(world: World, count: int) -> None:
    merchant = Merchant(world=world)
    made = await merchant.subscribe(
        await world.customer(), await world.plan(), START, charge_automatically=False
    )
    await copy_first(world.app, world.tenant_id, made.subscription.id, count - 1)


def backends(server: EmbeddedServer) -> list[int]:
    """The processes of a server, its postmaster first."""
    pid = server.status().pid
    assert pid is not None, "it runs"
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(int(one) for one in children)]


def kill_all(server: EmbeddedServer, signal_: int) -> None:
    """Kill a server with everything that belongs to it."""
    for pid in backends(server):
        with suppress(ProcessLookupError):
            os.kill(pid, signal_)
