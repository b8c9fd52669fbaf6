"""Changing plans over the wire: now, at the period's end, and what is scheduled."""

from datetime import date
from typing import Any

import httpx
import pytest
from meteroid import AsyncMeteroid

from tallystick.domain.ids import Prefix, encode
from tallystick.services.ids import new_id
from tests.scenarios.plan_changes import Shop, begin
from tests.subscribing import Merchant
from tests.world import World


@pytest.fixture
def shop(world: World) -> Shop:
    """A shop whose plans share their products."""
    return Shop(merchant=Merchant(world=world))


async def upgrade(shop: Shop, **more: object) -> tuple[str, dict[str, Any]]:
    """A subscription to Starter since January 1, on its way to Pro on the 16th: its path, and
    the body of the change.
    """
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    await shop.merchant.travel(date(2024, 1, 16))
    path = f"/api/v1/subscriptions/{encode(Prefix.SUBSCRIPTION, made)}"
    version = encode(Prefix.PLAN_VERSION, pro.version_id)
    return path, {"plan_version_id": version, "at": "NOW", **more}


async def test_now(api: httpx.AsyncClient, sdk: AsyncMeteroid, shop: Shop) -> None:
    """16 of 31 days: -14.97 -5.16 +51.10 +12.90 is 43.87, as the SDK reads it."""
    path, body = await upgrade(shop)

    told = (await api.post(f"{path}/change-plan", json=body)).json()

    invoice = await sdk.invoices.retrieve(told["invoice"]["id"])
    assert (invoice.invoice_type, invoice.invoice_number, invoice.total) == (
        "ADJUSTMENT",
        "INV-2",
        4387,
    )
    assert [(one.name, one.amount_total) for one in invoice.line_items] == [
        ("Platform Fee (credit)", -1497),
        ("Seats (credit)", -516),
        ("Platform Fee (prorated)", 5110),
        ("Seats (prorated)", 1290),
    ]
    read = await sdk.subscriptions.retrieve(path.rsplit("/", 1)[1])
    assert (read.plan_name, read.mrr_cents, read.current_period_end) == (
        "PRO",
        12400,
        date(2024, 2, 1),
    )
    assert (told["matched"], told["added"], told["removed"]) == (2, 0, 0)


async def test_a_repeat_changes_once(api: httpx.AsyncClient, shop: Shop) -> None:
    """The same key: the same answer, and one adjustment."""
    path, body = await upgrade(shop)
    headers = {"Idempotency-Key": "change"}

    first = await api.post(f"{path}/change-plan", json=body, headers=headers)
    again = await api.post(f"{path}/change-plan", json=body, headers=headers)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert [one["total"] for one in await shop.merchant.invoices()] == [3900, 4387]


async def test_at_the_end_of_the_period(api: httpx.AsyncClient, shop: Shop) -> None:
    """A preview has the renewal's invoice and stores nothing; then it is shown, and dropped."""
    path, body = await upgrade(shop, at="PERIOD_END")

    seen = (await api.post(f"{path}/change-plan", json=body | {"preview": True})).json()
    before = (await api.get(path)).json()
    told = (await api.post(f"{path}/change-plan", json=body)).json()
    shown = (await api.get(path)).json()
    dropped = await api.delete(f"{path}/scheduled-change")
    again = await api.delete(f"{path}/scheduled-change")

    assert (seen["invoice"]["total"], seen["invoice"]["invoice_number"]) == (12400, "draft")
    assert seen["invoice"]["invoice_date"] == "2024-02-01"
    assert before["scheduled_change"] is None
    planned = {
        "type": "PLAN",
        "effective_on": "2024-02-01",
        "plan_name": "PRO",
        "plan_version_id": body["plan_version_id"],
        "plan_version": 1,
    }
    assert told["subscription"]["scheduled_change"].items() >= planned.items()
    assert told["invoice"] is None
    assert shown["scheduled_change"] == told["subscription"]["scheduled_change"]
    assert (shown["plan_name"], shown["mrr_cents"]) == ("STARTER", 3900)
    assert dropped.json()["subscription"]["scheduled_change"] is None
    assert again.status_code == 409


async def test_what_cannot_be_asked(api: httpx.AsyncClient, shop: Shop) -> None:
    """Another time, an unknown version, and a version that it has: by the fields' names."""
    path, body = await upgrade(shop)

    wrong = await api.post(f"{path}/change-plan", json=body | {"at": "TOMORROW"})
    own = (await api.get(path)).json()["plan_version_id"]
    same = await api.post(f"{path}/change-plan", json=body | {"plan_version_id": own})
    missing = await api.post(
        f"{path}/change-plan",
        json=body | {"plan_version_id": encode(Prefix.PLAN_VERSION, new_id())},
    )

    assert [one["field"] for one in wrong.json()["errors"]] == ["at"]
    assert [one["code"] for one in same.json()["errors"]] == ["same_version"]
    assert missing.status_code == 404


async def test_unknown_subscriptions(api: httpx.AsyncClient) -> None:
    """404 for what this tenant does not have."""
    missing = encode(Prefix.SUBSCRIPTION, new_id())

    dropped = await api.delete(f"/api/v1/subscriptions/{missing}/scheduled-change")

    assert dropped.status_code == 404


async def test_by_the_customer(api: httpx.AsyncClient, sdk: AsyncMeteroid, shop: Shop) -> None:
    """A PLAN_CHANGE session as the SDK reads it; its page shows what is given back and due."""
    path, body = await upgrade(shop, checkout=True)

    told = (await api.post(f"{path}/change-plan", json=body)).json()

    assert (told["invoice"], told["subscription"]["plan_name"]) == (None, "STARTER")
    session = (await sdk.checkout_sessions.retrieve(told["session"]["id"])).session
    assert (session.checkout_type, session.status) == ("PLAN_CHANGE", "CREATED")
    assert session.subscription_id is None
    assert told["session"]["amount_due"] == 4387
    page = await api.get(told["session"]["checkout_url"])
    assert page.status_code == 200
    for text in ("Platform Fee (credit)", "Seats (prorated)", "43.87", "124.00"):
        assert text in page.text


async def test_a_checkout_is_for_now(api: httpx.AsyncClient, shop: Shop) -> None:
    """At the period's end there is nothing to pay yet; a preview opens no session."""
    path, body = await upgrade(shop, checkout=True)

    later = await api.post(f"{path}/change-plan", json=body | {"at": "PERIOD_END"})
    seen = (await api.post(f"{path}/change-plan", json=body | {"preview": True})).json()

    assert [one["field"] for one in later.json()["errors"]] == ["checkout"]
    assert (seen["session"], seen["invoice"]["total"]) == (None, 4387)
    assert (await api.get("/api/v1/checkout-sessions")).json()["sessions"] == []
