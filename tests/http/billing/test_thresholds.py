"""A threshold over the wire: events in, an invoice out, when the clock moves."""

from datetime import UTC, datetime
from decimal import Decimal

import httpx
from meteroid import AsyncMeteroid
from meteroid import models as m

from tallystick.domain.ids import Prefix, encode
from tests.scenarios.test_usage_billed import CALLS, metered_plan
from tests.world import World


async def test_events_that_reach_it_issue_an_invoice(
    sdk: AsyncMeteroid, api: httpx.AsyncClient, world: World
) -> None:
    """600 calls at EUR 0.10, a threshold of EUR 50: EUR 60 are billed and charged."""
    customer = await world.customer()
    session = await world.session(
        customer, await metered_plan(world), invoice_threshold=Decimal("50.00")
    )
    await world.confirm(session)
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    named = encode(Prefix.CUSTOMER, customer)
    for n in range(3):
        await sdk.events.ingest(
            events=[
                m.Event(
                    event_id=f"e{n}",
                    code=CALLS,
                    customer_id=named,
                    properties={"n": "200"},
                    timestamp=noon,
                )
            ]
        )

    moved = await api.post("/api/v1/test-clock/advance", json={"to": "2026-03-10T12:00:01Z"})

    happened = moved.json()["happened"]
    assert (happened["threshold_invoices"], happened["invoices_charged"]) == (1, 1)
    issued = [one async for one in sdk.invoices.list() if one.invoice_type == "USAGE_THRESHOLD"]
    (one,) = issued
    assert (one.status, one.payment_status, one.subtotal) == ("FINALIZED", "PAID", 6000)
    (line,) = one.line_items
    assert (line.name, line.quantity, line.amount_total) == ("Calls", Decimal(600), 6000)
    assert await world.charges() == [2000, 6000]
