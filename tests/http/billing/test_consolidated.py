"""Consolidated invoices on the wire: switched on by the API, read by the official client."""

from datetime import UTC, date, datetime

import httpx
from meteroid import AsyncMeteroid

from tallystick.domain.ids import Prefix, encode
from tests.subscribing import Merchant
from tests.world import World

TODAY = date(2026, 3, 10)


async def test_a_member_names_its_invoice(
    api: httpx.AsyncClient, sdk: AsyncMeteroid, world: World
) -> None:
    """The client reads all of them; by hand a member is refused with the invoice's id."""
    entity = encode(Prefix.INVOICING_ENTITY, world.entity_id)
    patched = await api.patch(
        f"/api/v1/invoicing-entities/{entity}", json={"consolidate_recurring_invoices": True}
    )
    assert patched.json()["consolidate_recurring_invoices"] is True
    merchant, customer, plan = Merchant(world=world), await world.customer(), await world.plan()
    for _ in range(2):
        await merchant.subscribe(customer, plan, TODAY, charge_automatically=False)
    await merchant.travel(datetime(2026, 4, 10, 12, tzinfo=UTC))

    listed = [
        one async for one in sdk.invoices.list(customer_id=encode(Prefix.CUSTOMER, customer))
    ]

    renewed = [one for one in listed if one.invoice_date == date(2026, 4, 10)]
    (whole,) = (one for one in renewed if one.subscription_id is None)
    members = [one for one in renewed if one is not whole]
    assert (whole.invoice_number, whole.status, whole.total) == ("INV-3", "FINALIZED", 9800)
    assert [one.name for one in whole.line_items] == ["Fee", "Fee"]
    assert [(one.status, one.total) for one in members] == [("DRAFT", 4900)] * 2
    assert (await shown(api, whole.id))["consolidated_into_invoice_id"] is None
    for member in members:
        told = await shown(api, member.id)
        assert (told["consolidated_into_invoice_id"], told["invoice_number"]) == (
            whole.id,
            "draft",
        )
        for verb in ("finalize", "void"):
            refused = await api.post(f"/api/v1/invoices/{member.id}/{verb}")
            assert refused.status_code == 409
            assert whole.id in refused.json()["message"]
        assert await shown(api, member.id) == told


async def shown(api: httpx.AsyncClient, invoice_id: str) -> dict[str, object]:
    """An invoice as it is sent."""
    told: dict[str, object] = (await api.get(f"/api/v1/invoices/{invoice_id}")).json()
    return told
