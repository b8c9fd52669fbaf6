"""Webhook endpoints through the SDK: every field does what it says."""

import base64
from typing import Any

import httpx
import pytest
from meteroid import AsyncMeteroid
from meteroid import models as m
from meteroid.errors import BadRequestError, ConflictError, NotFoundError

from tallystick.services.context import App
from tests.http.conftest import NOON, TRUSTED
from tests.http.purchase.market import Market
from tests.http.webhooks.conftest import behind

URL = "https://hooks.example/billing?a=1"
PATH = "/webhooks/endpoints"


def faults(answer: httpx.Response, status: int = 400) -> list[tuple[str, str]]:
    """The fields at fault, with their codes."""
    assert answer.status_code == status, answer.text
    return [(one["field"], one["code"]) for one in answer.json()["errors"]]


def test_a_plain_one(market: Market) -> None:
    """An address is enough; the secret is 32 bytes, shown at once and again when asked for."""
    made = market.sdk.webhook_endpoints.endpoints.create(url=URL)
    endpoint = made.webhook_endpoint

    assert endpoint.id.startswith("whe_")
    assert (endpoint.url, endpoint.description) == (URL, None)
    assert (endpoint.event_types, endpoint.headers) == ([], [])
    assert (endpoint.disabled, endpoint.disabled_reason) == (False, None)
    assert (endpoint.needs_setup, endpoint.consecutive_failures) == (False, 0)
    assert (endpoint.rate_limit_per_sec, endpoint.max_in_flight) == (None, 5)
    assert (endpoint.created_at, endpoint.updated_at) == (NOON, NOON)
    assert (endpoint.last_success_at, endpoint.last_failure_at) == (None, None)
    assert endpoint.paused_until is None
    assert len(base64.b64decode(made.secret.removeprefix("whsec_"), validate=True)) == 32
    found = market.sdk.webhook_endpoints.endpoints.retrieve(endpoint.id)
    assert found == endpoint
    secret = market.sdk.webhook_endpoints.endpoints.retrieve_secret(endpoint.id)
    assert secret.secret == made.secret


def test_every_field(market: Market) -> None:
    """What is said is kept and returned; a sensitive value is never shown again."""
    endpoint = market.sdk.webhook_endpoints.endpoints.create(
        url=URL,
        description="Orders",
        event_types=["invoice.paid", "checkout_session.completed", "invoice.paid"],
        headers=[
            m.WebhookHeaderInput(name="X-Team", value="billing"),
            m.WebhookHeaderInput(name="Authorization", value="Bearer abc", sensitive=True),
        ],
        rate_limit_per_sec=7,
    ).webhook_endpoint

    assert endpoint.description == "Orders"
    assert endpoint.event_types == ["invoice.paid", "checkout_session.completed"]
    assert endpoint.rate_limit_per_sec == 7
    assert endpoint.headers == [
        m.WebhookHeader(name="X-Team", sensitive=False, set=True, value="billing"),
        m.WebhookHeader(name="Authorization", sensitive=True, set=True, value=None),
    ]
    assert "Bearer abc" not in market.raw.get(f"{PATH}/{endpoint.id}").text
    assert market.sdk.webhook_endpoints.endpoints.list().data == [endpoint]


def test_changes(market: Market) -> None:
    """What is left out stays, null clears, a list replaces."""
    sdk = market.sdk.webhook_endpoints.endpoints
    endpoint = sdk.create(
        url=URL,
        description="Orders",
        event_types=["invoice.paid"],
        headers=[m.WebhookHeaderInput(name="X-Team", value="billing")],
        rate_limit_per_sec=7,
    ).webhook_endpoint

    moved = sdk.update(endpoint.id, url="https://other.example/")
    assert (moved.url, moved.description) == ("https://other.example/", "Orders")
    assert (moved.event_types, moved.rate_limit_per_sec) == (["invoice.paid"], 7)
    assert moved.headers == endpoint.headers
    cleared = sdk.update(
        endpoint.id, description="", event_types=[], headers=[], rate_limit_per_sec=None
    )
    assert (cleared.description, cleared.event_types) == (None, [])
    assert (cleared.headers, cleared.rate_limit_per_sec) == ([], None)
    again = sdk.update(endpoint.id, event_types=["plan.created"], description="Plans")
    assert (again.event_types, again.description) == (["plan.created"], "Plans")
    nothing = sdk.update(endpoint.id, event_types=None, headers=None, description=None)
    assert (nothing.event_types, nothing.headers, nothing.description) == ([], [], None)


def test_on_and_off(market: Market) -> None:
    """Disabled by hand says so; enabled again it has no reason; null leaves it as it is."""
    sdk = market.sdk.webhook_endpoints.endpoints
    endpoint = sdk.create(url=URL).webhook_endpoint

    off = sdk.update(endpoint.id, disabled=True)
    assert (off.disabled, off.disabled_reason) == (True, "MANUAL")
    assert sdk.update(endpoint.id, disabled=None, description="x").disabled
    on = sdk.update(endpoint.id, disabled=False)
    assert (on.disabled, on.disabled_reason) == (False, None)


def test_a_header_that_waits_for_its_value(market: Market) -> None:
    """The endpoint is off until it is there, and a later change keeps it."""
    sdk = market.sdk.webhook_endpoints.endpoints
    key = m.WebhookHeaderInput(name="X-Key", sensitive=True)
    endpoint = sdk.create(url=URL, headers=[key]).webhook_endpoint
    assert (endpoint.needs_setup, endpoint.disabled) == (True, True)
    assert endpoint.headers == [
        m.WebhookHeader(name="X-Key", sensitive=True, set=False, value=None)
    ]

    with pytest.raises(ConflictError, match="needs the value of X-Key first"):
        sdk.update(endpoint.id, disabled=False)
    given = m.WebhookHeaderInput(name="X-Key", sensitive=True, value="s3cret")
    ready = sdk.update(endpoint.id, headers=[given], disabled=False)
    assert (ready.needs_setup, ready.disabled) == (False, False)
    kept = sdk.update(endpoint.id, headers=[m.WebhookHeaderInput(name="x-key", sensitive=True)])
    assert (kept.headers[0].set, kept.needs_setup) == (True, False)
    with pytest.raises(BadRequestError, match="only a sensitive header"):
        sdk.update(endpoint.id, headers=[m.WebhookHeaderInput(name="X-Key", sensitive=False)])
    waiting = sdk.update(
        endpoint.id, headers=[m.WebhookHeaderInput(name="X-Other", sensitive=True)]
    )
    assert (waiting.needs_setup, waiting.disabled) == (True, True)


def test_a_sensitive_value_does_not_follow_to_another_host(market: Market) -> None:
    """It must be given again for another host; at the same one it is kept."""
    sdk = market.sdk.webhook_endpoints.endpoints
    key = m.WebhookHeaderInput(name="X-Key", sensitive=True, value="s3cret")
    endpoint = sdk.create(url="https://hooks.example/a", headers=[key]).webhook_endpoint

    again = {"headers": [{"name": "x-key", "sensitive": True}]}
    for more in ({}, again):
        body = {"url": "https://thief.example/", **more}
        answer = market.raw.patch(f"{PATH}/{endpoint.id}", json=body)
        assert faults(answer) == [("headers", "required")]
    assert sdk.retrieve(endpoint.id).url == "https://hooks.example/a"
    assert sdk.update(endpoint.id, url="https://hooks.example/b").headers[0].set
    moved = sdk.update(endpoint.id, url="https://other.example/", headers=[key])
    assert (moved.url, moved.disabled) == ("https://other.example/", False)


def test_deleted(market: Market) -> None:
    """A deleted endpoint is not found by anything, and not listed."""
    sdk = market.sdk.webhook_endpoints.endpoints
    endpoint = sdk.create(url=URL).webhook_endpoint
    sdk.delete(endpoint.id)

    assert sdk.list().data == []
    for ask in (sdk.retrieve, sdk.retrieve_secret, sdk.rotate_secret, sdk.delete):
        with pytest.raises(NotFoundError):
            ask(endpoint.id)
    with pytest.raises(NotFoundError):
        list(sdk.list_deliveries(endpoint.id))


def test_headers_go_with_their_endpoint(market: Market) -> None:
    """Of a deleted endpoint, no value that was sent to it stays in the database."""
    sdk = market.sdk.webhook_endpoints.endpoints
    key = m.WebhookHeaderInput(name="X-Key", sensitive=True, value="s3cret")
    waiting = m.WebhookHeaderInput(name="X-Other", sensitive=True)
    sdk.delete(sdk.create(url=URL, headers=[key, waiting]).webhook_endpoint.id)

    async def kept(app: App) -> list[str]:
        async with app.database.connection() as tx:
            query = "select headers from webhook_endpoints where tenant_id = $1"
            rows = await tx.fetch(query, market.tenant.tenant_id)
            return [row["headers"] for row in rows]

    assert behind(market, kept) == ["[]"]


def test_a_new_secret(market: Market) -> None:
    """It is another one, and is shown from then on."""
    sdk = market.sdk.webhook_endpoints.endpoints
    made = sdk.create(url=URL)
    endpoint_id = made.webhook_endpoint.id
    new = sdk.rotate_secret(endpoint_id)

    assert new.secret != made.secret
    assert sdk.retrieve_secret(endpoint_id) == new


def test_a_secret_is_not_replayed(market: Market) -> None:
    """A repeat makes nothing anew and is told the id, and where the secret can be seen."""
    key = {"Idempotency-Key": "once"}
    first = market.raw.post(PATH, json={"url": URL}, headers=key)
    again = market.raw.post(PATH, json={"url": URL}, headers=key)
    name = first.json()["id"]

    assert (first.status_code, again.status_code) == (201, 409)
    assert again.headers["idempotent-replayed"] == "true"
    assert name in again.json()["message"]
    assert "whsec_" not in again.text
    assert len(market.sdk.webhook_endpoints.endpoints.list().data) == 1
    path = f"{PATH}/{name}/rotate-secret"
    rotated = market.raw.post(path, headers=key)
    repeated = market.raw.post(path, headers=key)
    assert (rotated.status_code, repeated.status_code) == (200, 409)
    assert "whsec_" not in repeated.text
    shown = market.sdk.webhook_endpoints.endpoints.retrieve_secret(name)
    assert shown.secret == rotated.json()["secret"]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({}, [("url", "required")]),
        ({"url": "hooks.example"}, [("url", "malformed")]),
        ({"url": "ftp://hooks.example/"}, [("url", "malformed")]),
        ({"url": "https://user:pass@hooks.example/"}, [("url", "malformed")]),
        ({"url": "https://hooks.example/#part"}, [("url", "malformed")]),
        ({"url": "https://h\u00f6oks.example/"}, [("url", "malformed")]),
        ({"url": "http://hooks.example/"}, [("url", "not_encrypted")]),
        ({"url": "https://localhost/"}, [("url", "private_address")]),
        ({"url": "https://127.1/"}, [("url", "malformed")]),
        ({"url": "https://169.254.169.254/latest"}, [("url", "private_address")]),
        ({"url": "https://[::ffff:10.0.0.1]/"}, [("url", "private_address")]),
        ({"url": "https://db.internal/"}, [("url", "private_address")]),
        ({"url": "https://a.example/" + "x" * 2048}, [("url", "too_long")]),
        ({"url": URL, "urls": []}, [("urls", "unknown_field")]),
        ({"url": URL, "rate_limit_per_sec": 0}, [("rate_limit_per_sec", "out_of_range")]),
        ({"url": URL, "rate_limit_per_sec": 1001}, [("rate_limit_per_sec", "out_of_range")]),
        ({"url": URL, "event_types": ["invoice.payed"]}, [("event_types[0]", "unknown_value")]),
        ({"url": URL, "headers": [{"name": "X"}]}, [("headers[0].value", "required")]),
        (
            {
                "url": "http://hooks.example/",
                "event_types": ["invoice.paid", "nothing"],
                "headers": [
                    {"name": "a b", "value": "1"},
                    {"name": "Webhook-Id", "value": "1"},
                    {"name": "Host", "value": "1"},
                    {"name": "X-A", "value": "a\r\nb"},
                    {"name": "x-a", "value": "1"},
                ],
            },
            [
                ("url", "not_encrypted"),
                ("event_types[1]", "unknown_value"),
                ("headers[0].name", "malformed"),
                ("headers[1].name", "reserved"),
                ("headers[2].name", "reserved"),
                ("headers[3].value", "malformed"),
                ("headers[4].name", "repeated"),
            ],
        ),
    ],
)
def test_refused(market: Market, body: dict[str, Any], wanted: list[tuple[str, str]]) -> None:
    """All faults at once, each with its path, and nothing is made."""
    assert faults(market.raw.post(PATH, json=body)) == wanted
    assert market.sdk.webhook_endpoints.endpoints.list().data == []


def test_a_refused_change_changes_nothing(market: Market) -> None:
    """Also what would have been good of it; and the nearest type is named."""
    made = market.sdk.webhook_endpoints.endpoints.create(url=URL).webhook_endpoint
    path = f"{PATH}/{made.id}"
    answer = market.raw.patch(
        path, json={"description": "x", "event_types": ["invoice.payed"], "disabled": True}
    )

    assert faults(answer) == [("event_types[0]", "unknown_value")]
    assert "did you mean `invoice.paid`?" in answer.text
    assert faults(market.raw.patch(path, json={"url": None})) == [("url", "required")]
    assert market.sdk.webhook_endpoints.endpoints.retrieve(made.id) == made


def test_there_are_not_too_many(market: Market) -> None:
    """Fifty endpoints are enough; the next one is refused until one is deleted."""
    made = [market.raw.post(PATH, json={"url": URL}) for _ in range(50)]
    assert {one.status_code for one in made} == {201}
    assert faults(market.raw.post(PATH, json={"url": URL}), 409) == []
    market.raw.delete(f"{PATH}/{made[0].json()['id']}")
    assert market.raw.post(PATH, json={"url": URL}).status_code == 201


async def test_the_async_client(market: Market) -> None:
    """Every operation, by the SDK's other half."""
    async with (
        httpx.AsyncClient(verify=TRUSTED, timeout=60) as http,
        AsyncMeteroid(
            api_key=market.tenant.api_key, base_url=market.url, http_client=http
        ) as client,
    ):
        sdk = client.webhook_endpoints.endpoints
        made = await sdk.create(url=URL, description="Orders")
        name = made.webhook_endpoint.id
        assert (await sdk.retrieve(name)) == made.webhook_endpoint
        assert (await sdk.list()).data == [made.webhook_endpoint]
        assert (await sdk.update(name, description=None)).description is None
        assert (await sdk.retrieve_secret(name)).secret == made.secret
        assert (await sdk.rotate_secret(name)).secret != made.secret
        assert [one async for one in sdk.list_deliveries(name)] == []
        with pytest.raises(NotFoundError):
            await client.webhook_endpoints.resend_webhook_delivery("whd_1")
        await sdk.delete(name)
        assert (await sdk.list()).data == []
