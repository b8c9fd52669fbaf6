"""A renewal whose window had no usage: no lines, no invoice."""

from datetime import UTC, datetime

import httpx
from meteroid import AsyncMeteroid
from meteroid import models as m

from tallystick.domain.ids import Prefix, encode
from tests.scenarios.test_usage_billed import CALLS, usage_only
from tests.world import World


async def test_a_draft_that_bills_nothing_is_no_invoice_yet(
    sdk: AsyncMeteroid, api: httpx.AsyncClient, world: World
) -> None:
    """It waits for late usage: listed once some has come, and final then."""
    customer = await world.customer(alias="globex")
    await world.confirm(await world.session(customer, await usage_only(world)))

    await api.post("/api/v1/test-clock/advance", json={"to": "2026-04-10T06:00:00Z"})
    row = await world.one("select id from subscriptions")
    for asked in (
        {},
        {"customer_id": encode(Prefix.CUSTOMER, customer)},
        {"customer_id": "globex", "statuses": "DRAFT"},
        {"subscription_id": encode(Prefix.SUBSCRIPTION, row["id"])},
    ):
        listed = (await api.get("/api/v1/invoices", params=asked)).json()
        assert (listed["data"], listed["pagination_meta"]["total_items"]) == ([], 0)
    assert len(await world.fetch("select from invoices")) == 1

    await sdk.events.ingest(
        events=[
            m.Event(
                event_id="late",
                code=CALLS,
                customer_id=encode(Prefix.CUSTOMER, customer),
                properties={"n": "10"},
                timestamp=datetime(2026, 4, 9, 23, tzinfo=UTC),
            )
        ]
    )
    await api.post("/api/v1/test-clock/advance", json={"to": "2026-04-11"})

    (invoice,) = [one async for one in sdk.invoices.list()]
    assert (invoice.status, len(invoice.line_items)) == ("FINALIZED", 1)


async def test_a_draft_that_waits_for_a_person_is_listed(
    api: httpx.AsyncClient, world: World
) -> None:
    """Else nobody could finalize it with the usage that came late."""
    customer = await world.customer()
    session = await world.session(
        customer, await usage_only(world), auto_advance_invoices=False
    )
    await world.confirm(session)

    await api.post("/api/v1/test-clock/advance", json={"to": "2026-04-10"})
    (draft,) = (await api.get("/api/v1/invoices")).json()["data"]

    assert (draft["status"], draft["line_items"]) == ("DRAFT", [])
