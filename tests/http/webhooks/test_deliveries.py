"""Deliveries through the SDK: listed, page by page, and asked for again."""

from datetime import datetime

import pytest
from meteroid import models as m
from meteroid.errors import ConflictError

from tallystick.db import due_deliveries
from tallystick.domain.webhook_delivery import Answered, Outcome, Unreached
from tallystick.services.claim_deliveries import claim_deliveries
from tallystick.services.context import App
from tallystick.services.record_delivery import record_delivery
from tallystick.services.relay_events import relay_events
from tallystick.services.sequence_events import sequence_events
from tests.http.purchase.market import Market
from tests.http.webhooks.conftest import behind

URL = "https://hooks.example/"
OK = Answered(status=200, excerpt="ok")


def pass_on(market: Market, *outcomes: Outcome) -> None:
    """Deliver what happened: the first attempts come to these outcomes, the rest waits."""

    async def work(app: App) -> None:
        await sequence_events(app)
        async with app.database.connection() as tx:
            now: datetime = await due_deliveries.real_time(tx)
        await relay_events(app, now)
        async with app.database.connection() as tx:
            due = await due_deliveries.endpoints_due(tx, now, 100)
        for tenant_id, endpoint_id in due:
            if tenant_id != market.tenant.tenant_id:
                continue
            taken = await claim_deliveries(app, tenant_id, endpoint_id, now, len(outcomes))
            for one, outcome in zip(taken, outcomes, strict=True):
                await record_delivery(
                    app,
                    tenant_id,
                    endpoint_id,
                    delivery_id=one.delivery_id,
                    attempt=one.attempt,
                    outcome=outcome,
                    now=now,
                )

    behind(market, work)


def test_what_is_listed(market: Market) -> None:
    """Newest first, with state, attempts and the beginning of each answer."""
    sdk = market.sdk.webhook_endpoints.endpoints
    name = sdk.create(url=URL, event_types=["customer.created"]).webhook_endpoint.id
    for _ in range(4):
        market.customer()
    pass_on(market, OK, Answered(status=500, excerpt="down"), Unreached(error="no connection"))

    found = list(sdk.list_deliveries(name, per_page=3))
    by_status = {str(one.status): one for one in found}
    assert len(found) == 4
    assert {one.event_type for one in found} == {"customer.created"}
    assert {one.endpoint_id for one in found} == {name}
    assert all(one.id.startswith("whd_") for one in found)
    assert all(one.message_id.startswith("evt_") for one in found)
    done = by_status["SUCCEEDED"]
    assert (done.attempt_count, done.last_response_status, done.last_error) == (1, 200, None)
    assert (done.manual, done.next_attempt_at) == (False, None)
    assert done.completed_at is not None
    failed = sorted(str(one.last_error) for one in found if one.last_error)
    assert failed == ["answered 500", "no connection"]
    [unsent] = [one for one in found if one.attempt_count == 0]
    assert (unsent.status, unsent.completed_at) == ("PENDING", None)

    raw = market.raw.get(f"/webhooks/endpoints/{name}/deliveries?status=SUCCEEDED").json()
    [shown] = raw["data"]
    assert raw["pagination_meta"]["total_items"] == 1
    [attempt] = shown["attempts"]
    assert (attempt["number"], attempt["duration_ms"]) == (1, 0)
    assert (attempt["response_status"], attempt["response_excerpt"]) == (200, "ok")
    assert attempt["error"] is None
    assert market.sdk.webhook_endpoints.endpoints.retrieve(name).consecutive_failures == 2


def test_pages_and_filters(market: Market) -> None:
    """Pages are true past the end; a list may be of one state."""
    sdk = market.sdk.webhook_endpoints.endpoints
    name = sdk.create(url=URL, event_types=["customer.created"]).webhook_endpoint.id
    for _ in range(3):
        market.customer()
    pass_on(market, OK, OK)

    def page(query: str) -> tuple[int, dict[str, int]]:
        answer = market.raw.get(f"/webhooks/endpoints/{name}/deliveries?{query}")
        assert answer.status_code == 200, answer.text
        body = answer.json()
        return len(body["data"]), body["pagination_meta"]

    count, meta = page("per_page=2&page=1")
    assert (count, meta["total_items"], meta["total_pages"]) == (1, 3, 2)
    assert page("per_page=2&page=7")[0] == 0
    assert page("status=FAILED") == (
        0,
        {"page": 0, "per_page": 25, "total_items": 0, "total_pages": 0},
    )
    pending = m.WebhookDeliveryStatus("PENDING")
    assert len(list(sdk.list_deliveries(name, status=pending, per_page=1))) == 1
    refused = market.raw.get(f"/webhooks/endpoints/{name}/deliveries?status=LATE")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "status")


def test_sent_again(market: Market) -> None:
    """The same event to the same endpoint, marked as asked for; a key makes one of two."""
    sdk = market.sdk.webhook_endpoints
    name = sdk.endpoints.create(url=URL, event_types=["customer.created"]).webhook_endpoint.id
    market.customer()
    pass_on(market, OK)
    [first] = sdk.endpoints.list_deliveries(name)

    again = sdk.resend_webhook_delivery(first.id)
    assert (again.manual, again.status, again.attempt_count) == (True, "PENDING", 0)
    assert (again.message_id, again.endpoint_id) == (first.message_id, name)
    assert again.id != first.id
    path, key = f"/webhooks/deliveries/{first.id}/resend", {"Idempotency-Key": "k"}
    one, two = market.raw.post(path, headers=key), market.raw.post(path, headers=key)
    assert (one.status_code, two.content) == (200, one.content)
    assert len(list(sdk.endpoints.list_deliveries(name))) == 3
    sdk.endpoints.update(name, disabled=True)
    with pytest.raises(ConflictError, match="endpoint is disabled"):
        sdk.resend_webhook_delivery(first.id)
    assert len(list(sdk.endpoints.list_deliveries(name))) == 3
