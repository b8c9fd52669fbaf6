"""A merchant whose entity makes one invoice of the renewals of one customer and day."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from tests.subscribing import Merchant
from tests.world import SoldPlan, World

TODAY = date(2026, 3, 10)
RENEWED = datetime(2026, 4, 10, tzinfo=UTC)


@dataclass(kw_only=True)
class Consolidating(Merchant):
    """A merchant whose entity makes one invoice of one customer's renewals."""

    @staticmethod
    async def open(world: World, *, grace_hours: int = 12) -> "Consolidating":
        """Switch it on."""
        await world.execute(
            "update invoicing_entities set consolidate_recurring_invoices = true,"
            " grace_period_hours = $1",
            grace_hours,
        )
        return Consolidating(world=world)

    async def sells(
        self,
        customer: UUID,
        plans: Sequence[SoldPlan],
        start: date = TODAY,
        **fields: Any,  # noqa: ANN401 - of `OfferRequest`
    ) -> list[UUID]:
        """Subscribe a customer to each of these plans from a day on, paid by hand."""
        terms = {"charge_automatically": False, **fields}
        return [
            (await self.subscribe(customer, plan, start, **terms)).subscription.id
            for plan in plans
        ]

    async def of(self, day: date | datetime) -> tuple[list[Any], list[Any], list[Any]]:
        """A day's consolidated invoices, their members, and those that are neither."""
        on = day.date() if isinstance(day, datetime) else day
        made = [one for one in await self.invoices() if one["invoice_date"] == on]
        members = [one for one in made if one["consolidated_into_invoice_id"] is not None]
        whole = [one for one in made if one["subscription_id"] is None]
        return whole, members, [one for one in made if one not in members and one not in whole]

    async def told_of(self, invoice_id: UUID) -> list[tuple[str, dict[str, Any]]]:
        """The events of an invoice."""
        rows = await self.world.fetch(
            "select type, data from events where object_id = $1 order by id", invoice_id
        )
        return [(row["type"], json.loads(row["data"])) for row in rows]
