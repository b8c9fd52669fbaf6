"""How a subscription's monthly value came to be what it is, over the wire."""

from datetime import date

import httpx
import pytest

from tallystick.domain.ids import Prefix, encode
from tests.subscribing import Merchant
from tests.world import World

TODAY = date(2026, 3, 10)


@pytest.fixture
async def path(world: World) -> str:
    """A subscription of EUR 49 that lived from March 10 to April 10."""
    merchant = Merchant(world=world)
    made = await merchant.subscribe(await world.customer(), await world.plan(), TODAY)
    await merchant.cancel(made.subscription.id)
    await merchant.travel(date(2026, 4, 20))
    one = encode(Prefix.SUBSCRIPTION, made.subscription.id)
    return f"/api/v1/subscriptions/{one}/mrr-movements"


async def test_the_movements_of_a_life(api: httpx.AsyncClient, path: str) -> None:
    """New business and churn, oldest first; their sum is `mrr_cents`."""
    told = (await api.get(path)).json()

    new, churn = told["data"]
    assert new == {
        "movement_type": "NEW_BUSINESS",
        "date": "2026-03-10",
        "currency": "EUR",
        "amount_cents": 4900,
        "mrr_before_cents": 0,
        "mrr_after_cents": 4900,
        "created_at": "2026-03-10T12:00:00.000Z",
    }
    assert (churn["movement_type"], churn["date"]) == ("CHURN", "2026-04-10")
    assert (churn["amount_cents"], churn["mrr_after_cents"]) == (-4900, 0)
    subscription = (await api.get(path.removesuffix("/mrr-movements"))).json()
    assert subscription["mrr_cents"] == new["amount_cents"] + churn["amount_cents"] == 0


async def test_its_pages(api: httpx.AsyncClient, path: str) -> None:
    """One by one, newest first, and nothing past the end."""
    asked = f"{path}?per_page=1&order_by=date.desc"

    first, second, past = [(await api.get(f"{asked}&page={page}")).json() for page in range(3)]

    assert [one["movement_type"] for one in first["data"]] == ["CHURN"]
    assert [one["movement_type"] for one in second["data"]] == ["NEW_BUSINESS"]
    assert past["data"] == []
    assert past["pagination_meta"] == {
        "page": 2,
        "per_page": 1,
        "total_items": 2,
        "total_pages": 2,
    }


async def test_an_unknown_subscription_has_none(api: httpx.AsyncClient) -> None:
    """404, and 400 for what orders by nothing that there is."""
    missing = "/api/v1/subscriptions/00000000-0000-0000-0000-000000000001/mrr-movements"

    assert (await api.get(missing)).status_code == 404
    refused = await api.get(missing, params={"order_by": "amount.asc"})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "order_by"
