"""A merchant at the API: the SDK as client, the raw wire beside it, and a look behind it."""

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import httpx
from meteroid import Meteroid
from meteroid import models as m

from tallystick.bootstrap import wired
from tallystick.db.engine import Tx, connect
from tallystick.services.create_tenant import NewTenant
from tallystick.settings import Settings
from tests.database import in_own_loop
from tests.http.conftest import TRUSTED, Served, new_tenant

Result = TypeVar("Result")

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
    "features",
    "entitlements",
    "events",
)


@dataclass(kw_only=True)
class Shop:
    """One tenant: `sdk` is the official client, `raw` sends whatever is asked."""

    url: str
    dsn: str
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

    def feature(
        self,
        code: str = "sso",
        feature_type: m.FeatureType | None = None,
        **fields: Any,  # noqa: ANN401
    ) -> m.Feature:
        """A new feature that is there or not, unless said otherwise."""
        kind = feature_type or m.BooleanFeatureType()
        given = {"code": code, "name": code, "feature_type": kind, **fields}
        return self.sdk.features.create(**given)

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

        return self._behind(count)

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
            for body in self._behind(read)
        ]

    def _behind(self, work: Callable[[Tx], Awaitable[Result]]) -> Result:
        """Look into the database behind the API."""

        async def look() -> Result:
            connection = await connect(self.dsn)
            try:
                return await work(connection)
            finally:
                await connection.close()

        return in_own_loop(look())


@contextmanager
def open_shop(api: Served, dsn: str, name: str = "Acme Cloud") -> Iterator[Shop]:
    """A new tenant with its clients."""
    tenant = in_own_loop(_found(dsn, name))
    headers = {"Authorization": f"Bearer {tenant.api_key}"}
    with (
        httpx.Client(verify=TRUSTED, timeout=60) as http,
        Meteroid(
            api_key=tenant.api_key, base_url=api.url, max_retries=0, http_client=http
        ) as sdk,
        httpx.Client(base_url=f"{api.url}/api/v1", headers=headers, verify=TRUSTED) as raw,
    ):
        yield Shop(url=api.url, dsn=dsn, tenant=tenant, sdk=sdk, raw=raw)


async def _found(dsn: str, name: str) -> NewTenant:
    async with wired(Settings(), dsn) as app:
        return await new_tenant(app, name)


def term(cadence: str, price: str) -> m.TermRate:
    """A rate of a plan's fee."""
    return m.TermRate(term=m.BillingPeriodEnum(cadence), price=Decimal(price))
