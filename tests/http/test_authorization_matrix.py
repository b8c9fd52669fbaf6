"""Who may use which route: every route of the application is listed here, and tried.

A route that is not listed fails the first test. Every route of the API is refused without a
key and with a revoked one, and finds nothing of another tenant's.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from tallystick.bootstrap import wired
from tallystick.domain.ids import Prefix, encode
from tallystick.http.app import create_app
from tallystick.services.api_keys import NewKey, create_api_key, revoke_api_key
from tallystick.services.tenant_context import tenant_context
from tallystick.settings import Settings
from tests.database import in_own_loop
from tests.http.conftest import NOON, TRUSTED, Served
from tests.http.customer_routes import CUSTOMER_ROUTES, PORTAL_PAGES
from tests.http.entitlement_routes import ENTITLEMENT_ROUTES
from tests.http.invoice_routes import INVOICE_ROUTES
from tests.http.purchase.market import Json, Market, open_market
from tests.http.purchase.stock import credited, defined, granted, sent_file, stock
from tests.http.webhooks.conftest import relayed

MISSING = "00000000-0000-0000-0000-000000000001"

OPEN = {
    "GET /health",
    "GET /api-docs",
    "GET /api-docs/openapi.json",
    "GET /api-docs/style.css",
    # The buyer's pages open with the link's signature; the bank's with its intent.
    "GET /assets/checkout/{name}",
    "GET /checkout/{_:path}",
    "GET /checkout/{session}/{signature}",
    "POST /checkout/{session}/{signature}/quote",
    "GET /checkout/{session}/{signature}/quote",
    "POST /checkout/{session}/{signature}/confirm",
    "GET /checkout/{session}/{signature}/confirm",
    "GET /checkout/{session}/{signature}/return",
    "GET /checkout/{session}/{signature}/bank",
    "POST /checkout/{session}/{signature}/another-method",
    "GET /checkout/{session}/{signature}/another-method",
    "GET /checkout/{session}/{signature}/status",
    "GET /checkout/{session}/{signature}/invoice.pdf",
    "GET /checkout",
    *PORTAL_PAGES,
    # What Stripe sends counts by its signature.
    "POST /inbound/stripe/{connection}",
    "GET /sandbox/challenge.css",
    "GET /sandbox/challenge.svg",
    "GET /sandbox/challenge/{reference}",
    "POST /sandbox/challenge/{reference}",
}
"""Routes that take no API key."""

PRICE: Json = {
    "cadence": "MONTHLY",
    "currency": "EUR",
    "pricing": {"type": "RATE", "rate": "1"},
}
MINIMUM: Json = {"amount": "1", "scope": {"type": "all_components"}}
TAXES: Json = {"taxes": [], "vat_class": "STANDARD"}

CLOCK = "GET /api/v1/test-clock"

API: dict[str, Json | None] = {
    "POST /api/v1/checkout-sessions": {},
    "POST /api/v1/checkout-sessions/preview": {},
    "GET /api/v1/checkout-sessions": None,
    "GET /api/v1/checkout-sessions/{id}": None,
    "POST /api/v1/checkout-sessions/{id}/cancel": None,
    **CUSTOMER_ROUTES,
    "POST /api/v1/product_families": {},
    "GET /api/v1/product_families": None,
    "GET /api/v1/product_families/{id_or_alias}": None,
    "POST /api/v1/products": {},
    "GET /api/v1/products": None,
    "GET /api/v1/products/{product_id}": None,
    "PATCH /api/v1/products/{product_id}": {"name": "Stolen"},
    "POST /api/v1/products/{product_id}/archive": None,
    "POST /api/v1/products/{product_id}/unarchive": None,
    "GET /api/v1/products/{product_id}/prices": None,
    "POST /api/v1/products/{product_id}/prices": PRICE,
    "GET /api/v1/products/{product_id}/taxes": None,
    "PUT /api/v1/products/{product_id}/taxes": TAXES,
    "POST /api/v1/events/ingest": {},
    "POST /api/v1/metrics": {},
    "GET /api/v1/metrics": None,
    "GET /api/v1/metrics/{metric_id}": None,
    "PATCH /api/v1/metrics/{metric_id}": {"name": "Stolen"},
    "POST /api/v1/metrics/{metric_id}/archive": None,
    "POST /api/v1/metrics/{metric_id}/unarchive": None,
    "POST /api/v1/plans": {},
    "GET /api/v1/plans": None,
    "GET /api/v1/plans/{plan_id}": None,
    "GET /api/v1/plans/{plan_id}/versions": None,
    "PUT /api/v1/plans/{plan_id}": {"name": "Stolen", "currency": "EUR", "components": []},
    "PATCH /api/v1/plans/{plan_id}": {"name": "Stolen"},
    "POST /api/v1/plans/{plan_id}/archive": None,
    "POST /api/v1/plans/{plan_id}/unarchive": None,
    "POST /api/v1/plans/{plan_id}/publish": None,
    "PUT /api/v1/plans/versions/{plan_version_id}/minimum": MINIMUM,
    "DELETE /api/v1/plans/versions/{plan_version_id}/minimum": None,
    "POST /api/v1/addons": {},
    "GET /api/v1/addons": None,
    "GET /api/v1/addons/{add_on_id}": None,
    "PATCH /api/v1/addons/{add_on_id}": {"name": "Stolen"},
    "POST /api/v1/addons/{add_on_id}/archive": None,
    "POST /api/v1/addons/{add_on_id}/unarchive": None,
    **ENTITLEMENT_ROUTES,
    "POST /api/v1/coupons": {},
    "GET /api/v1/coupons": None,
    "GET /api/v1/coupons/{coupon_id}": None,
    "PATCH /api/v1/coupons/{coupon_id}": {"description": "Stolen"},
    "POST /api/v1/coupons/{coupon_id}/archive": None,
    "POST /api/v1/coupons/{coupon_id}/unarchive": None,
    "POST /api/v1/coupons/{coupon_id}/disable": None,
    "POST /api/v1/coupons/{coupon_id}/enable": None,
    "POST /api/v1/subscriptions": {},
    "GET /api/v1/subscriptions": None,
    "GET /api/v1/subscriptions/{subscription_id}": None,
    "GET /api/v1/subscriptions/{subscription_id}/mrr-movements": None,
    "GET /api/v1/subscriptions/{subscription_id}/summary": None,
    "GET /api/v1/usage/customer/{customer_id}": None,
    "GET /api/v1/usage/subscription/{subscription_id}": None,
    "GET /api/v1/usage/summary": None,
    "PATCH /api/v1/subscriptions/{subscription_id}": {"net_terms": 1},
    "POST /api/v1/subscriptions/{subscription_id}/cancel": None,
    "POST /api/v1/subscriptions/{subscription_id}/reactivate": None,
    "POST /api/v1/subscriptions/{subscription_id}/activate": None,
    "POST /api/v1/subscriptions/{subscription_id}/change-plan": {
        "plan_version_id": encode(Prefix.PLAN_VERSION, UUID(int=1)),
        "at": "NOW",
    },
    "DELETE /api/v1/subscriptions/{subscription_id}/scheduled-change": None,
    "POST /api/v1/subscriptions/{subscription_id}/amend": {
        "at": "NOW",
        "add_ons": {"remove": [encode(Prefix.SUBSCRIPTION_ADD_ON, UUID(int=1))]},
    },
    "POST /api/v1/subscriptions/{subscription_id}/slots": {
        "component_id": encode(Prefix.SUBSCRIPTION_COMPONENT, UUID(int=1)),
        "delta": 1,
    },
    **INVOICE_ROUTES,
    CLOCK: None,
    "POST /api/v1/test-clock/advance": {"to": "2026-03-11"},
}
"""Routes that take an API key, each with a body that would be good enough, if it takes one."""

SHOWN_BY = {
    "payments": "invoices",
    "test-provider": "invoices",
    "webhooks/deliveries": "webhooks/endpoints",
}
"""What shows a thing that has no address of its own to be read at."""

OF_ONE = sorted(route for route in API if "{" in route)
SUMS = {"GET /api/v1/usage/summary"}
"""Routes that list nothing: whose figures they sum up is tested beside them."""

OF_MANY = sorted(
    route
    for route in API.keys() - SUMS - {CLOCK}
    if route.startswith("GET") and "{" not in route
)

WINDOW = {"start_date": "2026-03-01", "end_date": "2026-04-01"}
"""What reports of usage must be asked for."""


@dataclass(frozen=True)
class Town:
    """Two tenants of one server; `theirs` has one of everything."""

    mine: Market
    theirs: Market
    ids: Json


@pytest.fixture(scope="module")
def town(api: Served, shared_dsn: str) -> Iterator[Town]:
    """Two tenants of one server."""
    with (
        open_market(api, shared_dsn) as mine,
        open_market(api, shared_dsn, "Rival Cloud") as theirs,
    ):
        stock(theirs)
        hook = theirs.sdk.webhook_endpoints.endpoints.create(url="https://hooks.example/")
        bought = theirs.bought()
        feature = granted(theirs)
        assert feature.entitlement is not None
        hook_id = hook.webhook_endpoint.id
        yield Town(
            mine,
            theirs,
            {
                "checkout-sessions": theirs.offer().id,
                "customers": bought.subscription.customer_id,
                "product_families": theirs.family,
                "products": theirs.products["Priority support"],
                "metrics": theirs.metric,
                "plans": theirs.plans["Draft"].id,
                "versions": theirs.plans["Draft"].version_id,
                "plan-versions": theirs.plans["Draft"].version_id,
                "features": feature.id,
                "entitlements": feature.entitlement.id,
                "addons": theirs.add_ons["Priority support"].id,
                "coupons": theirs.coupons["LAUNCH20"].id,
                "subscriptions": bought.subscription.id,
                "invoices": bought.invoice.id,
                "test-provider": bought.invoice.transactions[0].id,
                "payments": bought.invoice.transactions[0].id,
                "webhooks/endpoints": hook_id,
                "webhooks/deliveries": relayed(theirs, hook_id),
                "credit-notes": credited(theirs, bought.invoice.id),
                "custom-property-definitions": defined(theirs),
                "invoicing-entities": theirs.entity_path.rpartition("/")[2],
                "batch-jobs": sent_file(theirs),
            },
        )


def ask(client: httpx.Client, route: str, name: str = MISSING) -> httpx.Response:
    """Ask a route, about the thing of a name where it is about one."""
    method, _, path = route.partition(" ")
    before, _, after = path.removeprefix("/api/v1").partition("{")
    address = before + (name + after.partition("}")[2] if after else "")
    window = WINDOW if before.startswith("/usage/") else None
    return client.request(method, address, json=API[route], params=window)


def resource_of(route: str) -> str:
    """What a route is about, by the name of its list."""
    first, second = route.split("/")[3:5] if route.count("/") > 3 else (route.split("/")[3], "")
    if (first, second) == ("plans", "versions"):
        return second
    if first == "webhooks":
        return f"{first}/{second}"
    return f"{second}s" if first == "usage" else first


READ_WITH = {"versions": "plans", "plan-versions": "plans"}
"""What has no route of its own to be read by is read with what it belongs to."""


def test_every_route_is_listed(shared_dsn: str) -> None:
    """A new route must be said to be open, or to be behind a key."""

    async def routes() -> set[str]:
        async with wired(Settings(), shared_dsn) as app:
            return {
                f"{method} {route.path}"
                for route in iter_route_contexts(create_app(app).router.routes)
                for method in route.methods or ()
                if method != "HEAD"
            }

    assert in_own_loop(routes()) == OPEN | API.keys()


def client_of(town: Town, headers: dict[str, str]) -> httpx.Client:
    """A client of the town's server."""
    return httpx.Client(base_url=f"{town.mine.url}/api/v1", headers=headers, verify=TRUSTED)


@pytest.mark.parametrize("route", sorted(API))
def test_without_a_key(town: Town, route: str) -> None:
    """Without a key, and with one that was never made, every route answers 401."""
    for headers in ({}, {"Authorization": "Bearer tsk_test_nobody"}):
        with client_of(town, headers) as client:
            answer = ask(client, route)
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_with_a_revoked_key(town: Town) -> None:
    """A key that was revoked opens nothing, although it was used before."""
    made = in_own_loop(_second_key(town.mine))
    headers = {"Authorization": f"Bearer {made.secret}"}
    with client_of(town, headers) as client:
        assert ask(client, "GET /api/v1/customers").status_code == 200
        in_own_loop(_revoke(town.mine, made.id))
        _wait_for_revocation(client)
        answers = {route: ask(client, route).status_code for route in API}

    assert answers == dict.fromkeys(API, 401)
    assert ask(town.mine.raw, "GET /api/v1/customers").status_code == 200


@pytest.mark.parametrize("route", sorted(API))
def test_with_an_unknown_parameter(town: Town, route: str) -> None:
    """A parameter that a route does not have is refused everywhere, and nothing is done."""
    method, _, path = route.partition(" ")
    resource = resource_of(route)
    name = town.ids.get(resource if resource in READ_WITH else route.split("/")[3], MISSING)
    before, brace, after = path.removeprefix("/api/v1").partition("{")
    address = before + (name + after.partition("}")[2] if brace else "")
    answer = town.mine.raw.request(method, f"{address}?per_pag=1", json=API[route])

    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert ("per_pag", "unknown_field") in [
        (fault["field"], fault["code"]) for fault in answer.json()["errors"]
    ]


def test_with_two_keys(town: Town) -> None:
    """Two Authorization headers are refused: which of them counts nobody can tell."""
    key = town.mine.raw.headers["authorization"]
    with client_of(town, {}) as client:
        headers = [("Authorization", key), ("Authorization", key)]
        answer = client.get("/customers", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("route", OF_ONE)
def test_with_anothers_id(town: Town, route: str) -> None:
    """Another tenant's id is as unknown as one that nobody has, and nothing is changed."""
    resource = resource_of(route)
    shown = {**SHOWN_BY, **READ_WITH}.get(resource, resource)
    name = town.ids[resource]
    own = f"GET /api/v1/{shown}/{{"
    read = next(one for one in OF_ONE if one.startswith(own) and one.endswith("}"))
    before = ask(town.theirs.raw, read, town.ids[shown])
    answer = ask(town.mine.raw, route, name)
    unknown = ask(town.mine.raw, route)

    assert before.status_code == 200
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    told = answer.json()["message"]
    assert name in told
    assert told.replace(name, MISSING) == unknown.json()["message"]
    assert ask(town.theirs.raw, read, town.ids[shown]).json() == before.json()


@pytest.mark.parametrize("route", OF_MANY)
def test_lists_are_ones_own(town: Town, route: str) -> None:
    """No list holds anything of another tenant's."""
    found = ask(town.mine.raw, route)
    theirs = ask(town.theirs.raw, route).json()
    listed = theirs["sessions" if "sessions" in theirs else "data"]

    assert found.status_code == 200
    assert listed
    for one in listed:
        assert one["id"] not in found.text


def test_keys_of_tenants_at_once(town: Town) -> None:
    """Tenants that ask at the same time each get their own answers."""
    route = "GET /api/v1/invoicing-entities"
    shops = [town.mine, town.theirs] * 20
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda shop: ask(shop.raw, route).json()["data"], shops))

    for shop, (entity,) in zip(shops, answers, strict=True):
        assert shop.entity_path.endswith(entity["id"])


async def _second_key(market: Market) -> NewKey:
    async with wired(Settings(), market.dsn) as app, app.transaction() as tx:
        context = await tenant_context(app, tx, market.tenant.tenant_id, NOON, "operator")
        return await create_api_key(context.within(tx), "second")


async def _revoke(market: Market, key_id: UUID) -> None:
    async with wired(Settings(), market.dsn) as app, app.transaction() as tx:
        context = await tenant_context(app, tx, market.tenant.tenant_id, NOON, "operator")
        await revoke_api_key(context.within(tx), key_id)


def _wait_for_revocation(client: httpx.Client) -> None:
    """Processes hear of it from the database, a moment later."""
    for _ in range(200):
        if ask(client, "GET /api/v1/customers").status_code == 401:
            return
