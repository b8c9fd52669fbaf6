"""A merchant at the API: the SDK as client, the raw wire beside it, and a look behind it."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import httpx
import uvicorn
from meteroid import Meteroid
from meteroid import models as m

from tallystick.db.engine import Database, Tx
from tallystick.http.app import create_app
from tallystick.providers.sandbox import Sandbox
from tallystick.services.context import App
from tallystick.services.create_tenant import NewTenant, create_tenant

Result = TypeVar("Result")

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TABLES = (
    "product_families",
    "products",
    "prices",
    "metrics",
    "plans",
    "plan_versions",
    "plan_components",
    "add_ons",
    "coupons",
    "coupon_plans",
    "events",
)


@dataclass(kw_only=True)
class Served:
    """The application on a port of its own, in a thread of its own."""

    url: str
    app: App
    loop: asyncio.AbstractEventLoop

    def run(self, work: Callable[[Tx], Awaitable[Result]]) -> Result:
        """Do something in a transaction of the application's database."""

        async def inside() -> Result:
            async with self.app.transaction() as tx:
                return await work(tx)

        return asyncio.run_coroutine_threadsafe(inside(), self.loop).result(timeout=30)

    def found(self, name: str) -> NewTenant:
        """A new test tenant whose clock stands at noon."""
        return self.run(
            lambda tx: create_tenant(
                self.app,
                tx,
                name=name,
                currency="EUR",
                clock=NOON,
                live=False,
                real_now=NOON,
            )
        )


@contextmanager
def served(dsn: str) -> Iterator[Served]:
    """Serve the application on a database until the block ends."""
    ready: list[Served] = []
    started, ended = threading.Event(), threading.Event()
    server = uvicorn.Server(uvicorn.Config("", port=0, ws="none", log_config=None))

    async def main() -> None:
        database = await Database.open(dsn)
        sandbox = Sandbox(database, public_url="http://127.0.0.1:8484", debit_seconds=5)
        app = App(
            database=database,
            providers={"sandbox": sandbox},
            public_url="http://127.0.0.1:8484",
            call_limit_seconds=20,
            plan_versions={},
        )
        server.config.app = create_app(app)
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        ready.append(Served(url=f"http://127.0.0.1:{port}", app=app, loop=loop))
        started.set()
        await serving
        await database.close()

    def thread() -> None:
        try:
            asyncio.run(main())
        finally:
            started.set()
            ended.set()

    threading.Thread(target=thread, daemon=True).start()
    started.wait(timeout=30)
    assert ready, "the application started"
    try:
        yield ready[0]
    finally:
        server.should_exit = True
        ended.wait(timeout=30)


@dataclass(kw_only=True)
class Shop:
    """One tenant: `sdk` is the official client, `raw` sends whatever is asked."""

    server: Served
    tenant: NewTenant
    sdk: Meteroid
    raw: httpx.Client
    families: dict[str, m.ProductFamily] = field(default_factory=dict)

    @property
    def tenant_id(self) -> UUID:
        """The tenant."""
        return self.tenant.tenant_id

    def family(self, name: str = "Cloud") -> str:
        """The id of a family of this name, made when it is first asked for."""
        if name not in self.families:
            self.families[name] = self.sdk.product_families.create(name=name)
        return self.families[name].id

    def metric(self, code: str = "api_calls") -> str:
        """The id of a new metric that counts."""
        made = self.sdk.metrics.create(
            aggregation_type="COUNT", code=code, name=code, product_family_id=self.family()
        )
        return made.id

    def product(self, name: str = "Support", fee: m.ProductFeeStructure | None = None) -> str:
        """The id of a new product; a fixed fee unless said otherwise."""
        made = self.sdk.products.create(
            fee_structure=fee or m.RateFeeStructure(),
            name=name,
            product_family_id=self.family(),
        )
        return made.id

    def price(self, product_id: str, pricing: object | None = None, **fields: str) -> str:
        """The id of a new price, EUR 10 a month unless said otherwise."""
        body = {
            "cadence": "MONTHLY",
            "currency": "EUR",
            "pricing": pricing or {"type": "RATE", "rate": "10"},
            **fields,
        }
        answer = self.raw.post(f"/products/{product_id}/prices", json=body)
        assert answer.status_code == 201, answer.text
        price_id: str = answer.json()["id"]
        return price_id

    def plan(self, name: str = "Pro", **fields: Any) -> m.Plan:  # noqa: ANN401
        """A new published plan at EUR 49 a month, unless said otherwise."""
        given: dict[str, Any] = {
            "components": [
                m.PriceComponentInput(
                    name="Fee", fee=m.RatePlanFee(rates=[term("MONTHLY", "49.00")])
                )
            ],
            "currency": "EUR",
            "name": name,
            "plan_type": "STANDARD",
            "product_family_id": self.family(),
            "status": "ACTIVE",
            **fields,
        }
        return self.sdk.plans.create(**given)

    def refused(self, method: str, path: str, body: object = None) -> tuple[int, list[Any]]:
        """The status of a refusal, and its faults as (field, code)."""
        answer = self.raw.request(method, path, json=body)
        assert answer.status_code >= 400, answer.text
        sent = answer.json()
        assert set(sent) == {"code", "message", "errors", "request_id"}
        return answer.status_code, [(one["field"], one["code"]) for one in sent["errors"]]

    def counts(self) -> dict[str, int]:
        """How many rows each table of the catalog holds for this tenant."""

        async def count(tx: Tx) -> dict[str, int]:
            return {
                table: await tx.fetchval(
                    f"select count(*) from {table} where tenant_id = $1", self.tenant_id
                )
                for table in TABLES
            }

        return self.server.run(count)

    def events(self, event_type: str) -> list[dict[str, Any]]:
        """The bodies of the events of a type, as they would be delivered, oldest first."""

        async def read(tx: Tx) -> list[dict[str, Any]]:
            rows = await tx.fetch(
                "select data from events where tenant_id = $1 and type = $2 order by position",
                self.tenant_id,
                event_type,
            )
            return [json.loads(row["data"]) for row in rows]

        return [
            {"id": "evt_1", "type": event_type, "timestamp": "2026-03-10T12:00:00Z", **body}
            for body in self.server.run(read)
        ]


@contextmanager
def open_shop(server: Served, name: str = "Acme Cloud") -> Iterator[Shop]:
    """A new tenant with its clients."""
    tenant = server.found(name)
    headers = {"Authorization": f"Bearer {tenant.api_key}"}
    with (
        Meteroid(api_key=tenant.api_key, base_url=server.url, max_retries=0) as sdk,
        httpx.Client(base_url=f"{server.url}/api/v1", headers=headers) as raw,
    ):
        yield Shop(server=server, tenant=tenant, sdk=sdk, raw=raw)


def term(cadence: str, price: str) -> m.TermRate:
    """A rate of a plan's fee."""
    return m.TermRate(term=m.BillingPeriodEnum(cadence), price=Decimal(price))
