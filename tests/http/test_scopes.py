"""What a key may do: read, write, or both; and when it was last used."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi.routing import iter_route_contexts

from tallystick.db import api_keys
from tallystick.db.api_keys import KeyRow
from tallystick.domain.scopes import KeyScope
from tallystick.http.app import api_router
from tallystick.http.door import Route, StreamRoute
from tallystick.services.api_keys import NewKey, create_api_key
from tallystick.services.tenant_context import tenant_context
from tests.http.conftest import NOON, Shop, client_of

OPERATIONS = sorted(
    (method, route.path or "")
    for route in iter_route_contexts(api_router().routes)
    if isinstance(route.original_route, Route | StreamRoute)
    for method in route.methods or ()
)
OPENING = {
    ("POST", "/api/v1/customers/{id_or_alias}/portal-token"),
    ("POST", "/api/v1/webhooks/endpoints"),
    ("PATCH", "/api/v1/webhooks/endpoints/{endpoint_id}"),
    ("POST", "/api/v1/webhooks/endpoints/{endpoint_id}/rotate-secret"),
}
"""Writes with whose outcome somebody reads."""


def test_every_route_is_asked() -> None:
    """There are as many operations as the document has, and those that open are among them."""
    document = json.loads(Path("docs/openapi.json").read_text())
    described = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert set(OPERATIONS) == {one for one in described if one[1].startswith("/api/v1/")}
    assert set(OPERATIONS) >= OPENING


async def new_key(shop: Shop, *scopes: KeyScope) -> NewKey:
    """A key of the shop that may do so much."""
    async with shop.app.transaction() as tx:
        ctx = await tenant_context(shop.app, tx, shop.tenant.tenant_id, NOON, "operator")
        return await create_api_key(ctx.within(tx), "narrow", frozenset(scopes))


async def row_of(shop: Shop, key: NewKey) -> KeyRow:
    """A key as it is listed."""
    async with shop.app.database.connection() as connection:
        keys = await api_keys.of_tenant(connection, shop.tenant.tenant_id)
    return next(row for row in keys if row.id == key.id)


async def ask(client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    """Ask a route about things that nobody has."""
    filled = path.replace("{", "").replace("}", "")
    return await client.request(method, f"http://testserver{filled}")


async def state_of(shop: Shop) -> list[Any]:
    """Everything that requests could have written, by counts."""
    async with shop.app.database.connection() as connection:
        return [
            await connection.fetchval(f"select count(*) from {table}")
            for table in ("customers", "events", "idempotency_keys", "products", "plans")
        ]


async def test_a_key_that_reads_changes_nothing(shop: Shop) -> None:
    """Every GET is let in; everything else is told which scope it needs, and does nothing."""
    client = client_of(shop.web, (await new_key(shop, KeyScope.READ)).secret)
    before = await state_of(shop)
    for method, path in OPERATIONS:
        answer = await ask(client, method, path)
        assert (answer.status_code == 403) == (method != "GET"), (method, path)
    made = await client.post(
        "/customers",
        json={"name": "Globex", "currency": "EUR"},
        headers={"Idempotency-Key": "create-globex"},
    )

    assert (made.status_code, made.json()["code"]) == (403, "FORBIDDEN")
    assert made.json()["message"] == (
        "This API key may not write. Use one that may: "
        "`tallystick key create --scope write` makes it."
    )
    assert (await client.head("/customers")).status_code == 200
    assert await state_of(shop) == before


async def test_a_key_that_writes_sees_nothing(shop: Shop) -> None:
    """No GET is let in; what reports usage cannot look at customers, nor open a way to."""
    client = client_of(shop.web, (await new_key(shop, KeyScope.WRITE)).secret)
    for method, path in OPERATIONS:
        answer = await ask(client, method, path)
        is_refused = method == "GET" or (method, path) in OPENING
        assert (answer.status_code == 403) == is_refused, (method, path)
    made = await client.post("/customers", json={"name": "Globex", "currency": "EUR"})

    assert made.status_code == 201
    assert (await client.head("/customers")).status_code == 403
    token = await client.post(f"/customers/{made.json()['id']}/portal-token")
    assert token.json()["message"] == (
        "This API key may not read. Use one that may: "
        "`tallystick key create --scope read --scope write` makes it."
    )


async def test_a_key_that_reads_and_writes_opens_ways_to_read(shop: Shop) -> None:
    """A portal token and an endpoint need both scopes, and get by with them."""
    client = client_of(shop.web, (await new_key(shop, *KeyScope)).secret)
    made = await client.post("/customers", json={"name": "Globex", "currency": "EUR"})
    token = await client.post(f"/customers/{made.json()['id']}/portal-token")
    url = {"url": "https://hooks.example.com/"}
    endpoint = await client.post("/webhooks/endpoints", json=url)

    assert (token.status_code, endpoint.status_code) == (200, 201)


async def test_a_key_may_do_both_unless_told_otherwise(shop: Shop) -> None:
    """The first key of a tenant reads and writes."""
    assert (await shop.client.get("/customers")).status_code == 200
    made = await shop.client.post("/customers", json={"name": "Globex", "currency": "EUR"})
    assert made.status_code == 201


async def test_a_refused_scope_uses_up_no_idempotency_key(shop: Shop) -> None:
    """A refusal for its scope keeps no idempotency key: with the right key it goes through."""
    narrow = client_of(shop.web, (await new_key(shop, KeyScope.READ)).secret)
    named = {"Idempotency-Key": "create-globex"}
    body = {"name": "Globex", "currency": "EUR"}
    refused = await narrow.post("/customers", json=body, headers=named)
    made = await shop.client.post("/customers", json=body, headers=named)

    assert (refused.status_code, made.status_code) == (403, 201)


async def test_the_last_use_is_noted_to_the_minute(shop: Shop) -> None:
    """An unused key has none; a used one has that of its first request in this minute."""
    key = await new_key(shop, *KeyScope)
    assert (await row_of(shop, key)).last_used_at is None

    client = client_of(shop.web, key.secret)
    await client.get("/customers")
    first = (await row_of(shop, key)).last_used_at
    await client.get("/customers")

    assert first is not None
    assert abs(datetime.now(UTC) - first) < timedelta(minutes=1)  # noqa: TID251 - real time
    assert (await row_of(shop, key)).last_used_at == first


async def test_a_use_is_noted_again_after_a_minute(shop: Shop) -> None:
    """A process that looks the key up again notes that it is still in use, and tells nobody."""
    key = await new_key(shop, *KeyScope)
    async with shop.app.transaction() as tx:
        await tx.execute(
            "update api_keys set last_used_at = now() - interval '2 minutes' where id = $1",
            key.id,
        )
    keyring = shop.web.state.gate.keyring
    generation = keyring._generation
    await client_of(shop.web, key.secret).get("/customers")
    noted = (await row_of(shop, key)).last_used_at

    assert noted is not None
    assert abs(datetime.now(UTC) - noted) < timedelta(minutes=1)  # noqa: TID251 - real time
    assert keyring._generation == generation


async def test_nobody_waits_to_note_a_use(shop: Shop) -> None:
    """While another process holds the key's row, requests are answered all the same."""
    key = await new_key(shop, *KeyScope)
    async with shop.app.transaction() as tx:
        await tx.execute("select 1 from api_keys where id = $1 for update", key.id)
        answer = await client_of(shop.web, key.secret).get("/customers")

    assert answer.status_code == 200
    assert (await row_of(shop, key)).last_used_at is None
