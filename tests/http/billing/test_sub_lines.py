"""A line of tiered usage over the wire, as the reference's own client reads it."""

from datetime import UTC, datetime
from decimal import Decimal

import httpx
from meteroid import AsyncMeteroid
from meteroid import models as m

from tallystick.domain.ids import Prefix, encode
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    Tier,
    Tiered,
    UsageFee,
    UsageModelType,
    UsagePricing,
)
from tests.scenarios.test_usage_billed import CALLS, metric
from tests.world import World

TIERS = (Tier(first_unit=0, rate=Decimal("0.10")), Tier(first_unit=100, rate=Decimal("0.05")))


async def test_tiers_stand_below_their_line(
    sdk: AsyncMeteroid, api: httpx.AsyncClient, world: World
) -> None:
    """150 calls: 100 at EUR 0.10 and 50 at EUR 0.05 are EUR 10.00 and EUR 2.50."""
    customer = await world.customer()
    fee = UsageFee(metric_id=await metric(world), model=UsageModelType.TIERED)
    pricing = UsagePricing(model=Tiered(tiers=TIERS))
    plan = await world.plan(("Calls", fee, [(Cadence.MONTHLY, pricing)]))
    await world.confirm(await world.session(customer, plan))
    await sdk.events.ingest(
        events=[
            m.Event(
                event_id="e1",
                code=CALLS,
                customer_id=encode(Prefix.CUSTOMER, customer),
                properties={"n": "150"},
                timestamp=datetime(2026, 3, 10, 12, tzinfo=UTC),
            )
        ]
    )

    await api.post("/api/v1/test-clock/advance", json={"to": "2026-04-12"})

    (invoice,) = [one async for one in sdk.invoices.list()]
    (line,) = invoice.line_items
    assert line.amount_total == 1250
    assert [
        (one.name, one.quantity, one.unit_price, one.total) for one in line.sub_line_items
    ] == [
        ("0-100 tier", Decimal(100), Decimal("0.10"), 1000),
        ("100+ tier", Decimal(50), Decimal("0.05"), 250),
    ]
