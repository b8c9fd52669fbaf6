"""Customers and their usage events, without anything else of a shop."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

from tallystick.bootstrap import wired
from tallystick.db import usage_events
from tallystick.db.engine import Database
from tallystick.domain.metrics import Aggregation, Metric, MetricDefinition
from tallystick.domain.usage_events import UsageEvent
from tallystick.services.create_tenant import create_tenant
from tallystick.services.ids import new_id
from tallystick.settings import Settings

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def metric_of(
    aggregation: Aggregation,
    definition: MetricDefinition | None = None,
    *,
    code: str = "calls",
    key: str | None = "units",
) -> Metric:
    """A metric, as billing would have read it."""
    return Metric(
        id=new_id(),
        product_family_id=new_id(),
        code=code,
        name="Calls",
        aggregation=aggregation,
        definition=definition or MetricDefinition(),
        created_at=NOW,
        aggregation_key=None if aggregation is Aggregation.COUNT else key,
    )


@dataclass(kw_only=True)
class Metered:
    """A tenant whose customers use something."""

    db: Database
    tenant_id: UUID
    numbers: "count[int]" = field(default_factory=count)

    async def customer(self) -> UUID:
        """A new customer."""
        customer_id = new_id()
        async with self.db.transaction() as tx:
            await tx.execute(
                """
                insert into customers (tenant_id, id, invoicing_entity_id, name, currency,
                    created_at, updated_at)
                select tenant_id, $2, id, 'Globex', 'EUR', $3, $3 from invoicing_entities
                where tenant_id = $1
                """,
                self.tenant_id,
                customer_id,
                NOW,
            )
        return customer_id

    async def used(
        self,
        customer_id: UUID,
        *properties: Mapping[str, str],
        at: datetime = NOW,
        code: str = "calls",
    ) -> None:
        """Events of these properties, all at one moment, in the order of their ids."""
        events = [
            UsageEvent(
                customer_id=customer_id,
                event_id=f"e{next(self.numbers):09}",
                code=code,
                happened_at=at,
                properties=one,
            )
            for one in properties
        ]
        async with self.db.transaction() as tx:
            await usage_events.insert(tx, self.tenant_id, events, NOW)


async def open_metered(db: Database) -> Metered:
    """A new tenant."""
    async with wired(Settings(), db.dsn) as app, app.transaction() as tx:
        made = await create_tenant(
            app, tx, name="Acme", currency="EUR", clock=NOW, live=False, real_now=NOW
        )
    return Metered(db=db, tenant_id=made.tenant_id)
