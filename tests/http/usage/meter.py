"""A merchant whose customers use something: metrics, customers and events through the SDK."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from meteroid import models as m

from tallystick.db.engine import Tx
from tests.http.catalog.shop import Shop, open_shop
from tests.http.conftest import NOON, Served

FIRST, LAST = date(2026, 3, 1), date(2026, 4, 1)
"""The month of the shop's noon."""


@dataclass(kw_only=True)
class Meter:
    """`shop` is the merchant; `customer` has the alias `globex`."""

    shop: Shop
    customer: str

    def metric(self, aggregation: str = "COUNT", **fields: Any) -> m.Metric:  # noqa: ANN401
        """A new metric, of the code `calls` and the property `units` unless said otherwise."""
        given: dict[str, Any] = {
            "aggregation_key": None if aggregation == "COUNT" else "units",
            "code": "calls",
            "name": "Calls",
            **fields,
        }
        return self.shop.sdk.metrics.create(
            aggregation_type=m.BillingMetricAggregateEnum(aggregation),
            product_family_id=self.shop.family(),
            **given,
        )

    def event(self, event_id: str = "e1", **fields: Any) -> m.Event:  # noqa: ANN401
        """An event of `globex`, at noon unless said otherwise."""
        given: dict[str, Any] = {"code": "calls", "customer_id": "globex", **fields}
        return m.Event(event_id=event_id, **given)

    def units(self, *quantities: str, at: datetime = NOON, **properties: str) -> None:
        """Ingest events of so many units each, one second after the other."""
        self.shop.sdk.events.ingest(
            allow_backfilling=True,
            events=[
                self.event(
                    f"{at.isoformat()}-{sorted(properties.items())}-{n}",
                    properties={"units": quantity, **properties},
                    timestamp=at + timedelta(seconds=n),
                )
                for n, quantity in enumerate(quantities)
            ],
        )

    def used(self, metric: m.Metric, start: date = FIRST, end: date = LAST) -> Decimal:
        """What `globex` has used of a metric."""
        return self.usage(metric, start, end).total_value

    def usage(self, metric: m.Metric, start: date = FIRST, end: date = LAST) -> m.MetricUsage:
        """The usage of `globex` of a metric."""
        answer = self.shop.sdk.usage.retrieve_customer(
            "globex", start_date=start, end_date=end, metric_id=metric.id
        )
        (one,) = answer.usage
        return one

    def stored(self) -> list[dict[str, Any]]:
        """Every event as it is kept, by its id."""

        async def read(tx: Tx) -> list[dict[str, Any]]:
            rows = await tx.fetch(
                "select * from usage_events where tenant_id = $1 order by event_id",
                self.shop.tenant_id,
            )
            return [dict(row) | {"properties": json.loads(row["properties"])} for row in rows]

        return self.shop._behind(read)

    def post(self, **body: object) -> tuple[int, list[tuple[str, str]]]:
        """Ingest whatever is given; the status, and the faults as (field, code)."""
        answer = self.shop.raw.post("/events/ingest", json=body)
        faults = answer.json().get("errors", [])
        return answer.status_code, [(one["field"], one["code"]) for one in faults]


@contextmanager
def open_meter(api: Served, dsn: str, name: str = "Acme Cloud") -> Iterator[Meter]:
    """A new tenant with a customer."""
    with open_shop(api, dsn, name) as shop:
        customer = shop.sdk.customers.create(name="Globex", currency="EUR", alias="globex")
        yield Meter(shop=shop, customer=customer.id)
