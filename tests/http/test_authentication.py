"""Who may enter: whole keys, of one tenant, until they are revoked, so often a second."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from tallystick.db import api_keys, tenants
from tallystick.domain.errors import RateLimited
from tallystick.http import key_pace
from tallystick.http.keyring import Keyring
from tallystick.services.api_keys import create_api_key, revoke_api_key
from tallystick.services.context import Context
from tallystick.services.tenant_context import tenant_context
from tests.http.conftest import NOON, Shop, client_of, opened


async def operator(shop: Shop) -> Context:
    """The context of somebody at the command line."""
    async with shop.app.database.connection() as connection:
        return await tenant_context(
            shop.app, connection, shop.tenant.tenant_id, NOON, "operator"
        )


async def status(client: httpx.AsyncClient) -> int:
    """What the key is answered."""
    return (await client.get("/customers")).status_code


async def soon(claim: Callable[[], Awaitable[bool]]) -> bool:
    """Whether something becomes true within two seconds."""
    for _ in range(100):
        if await claim():
            return True
        await asyncio.sleep(0.02)
    return False


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer tsk_test_nobody", "Bearer \xe9"],
)
async def test_without_a_valid_key(shop: Shop, header: str | None) -> None:
    """Nobody enters without a key, with another scheme, or with a key that was never made."""
    headers = {} if header is None else {b"Authorization": header.encode("latin-1")}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(shop.web)) as stranger:
        answer = await stranger.get("http://testserver/api/v1/customers", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_every_character_of_a_key_counts(shop: Shop) -> None:
    """A key that differs from a valid, cached one in its last character is unknown."""
    key = shop.tenant.api_key
    assert await status(shop.client) == 200

    for wrong in (
        key[:-1],
        key + "A",
        key[:-1] + ("A" if key[-1] != "A" else "B"),
        key.upper(),
    ):
        assert await status(client_of(shop.web, wrong)) == 401


async def test_the_key_comes_before_the_body(shop: Shop) -> None:
    """A stranger learns nothing about what a body should be."""
    answer = await client_of(shop.web, "tsk_test_x").post("/customers", content=b"{")

    assert answer.status_code == 401


async def test_only_the_hash_is_kept(shop: Shop) -> None:
    """No column holds the key or a part of it that would do; a list shows its last four."""
    async with shop.app.database.connection() as connection:
        rows = await connection.fetch("select to_jsonb(k)::text as row from api_keys k")
        keys = await api_keys.of_tenant(connection, shop.tenant.tenant_id)

    assert all(shop.tenant.api_key[:-4] not in row["row"] for row in rows)
    assert [key.hint for key in keys] == [shop.tenant.api_key[-4:]]


async def test_a_revoked_key_ends_at_once(shop: Shop) -> None:
    """Another process revokes a key that this one has cached: it ends within moments."""
    ctx = await operator(shop)
    async with shop.app.transaction() as tx:
        key = await create_api_key(ctx.within(tx), "second")
    client = client_of(shop.web, key.secret)
    assert await status(client) == 200

    async with shop.app.transaction() as tx:
        await revoke_api_key(ctx.within(tx), key.id)

    async def ended() -> bool:
        return await status(client) == 401

    assert await soon(ended)
    assert await status(shop.client) == 200


async def test_nothing_is_cached_while_deaf(shop: Shop) -> None:
    """When the connection that tells of revocations is lost, the cache is dropped at once."""

    async def hears() -> bool:
        return bool(shop.web.state.gate.keyring._hears)

    assert await soon(hears)
    assert await status(shop.client) == 200
    async with shop.app.transaction() as tx:
        # Behind the product's back: without the trigger nobody is told.
        await tx.execute("alter table api_keys disable trigger key_change")
        await tx.execute(
            "update api_keys set revoked_at = now() where tenant_id = $1", shop.tenant.tenant_id
        )
        await tx.execute("alter table api_keys enable trigger key_change")
    assert await status(shop.client) == 200

    async with shop.app.database.connection() as connection:
        await connection.execute(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and query ilike 'listen%'
            """
        )

    async def ended() -> bool:
        return await status(shop.client) == 401

    assert await soon(ended)


async def test_a_tenant_that_changes(shop: Shop) -> None:
    """What is cached of a tenant follows its changes: here, its clock begins to stand."""
    async with shop.app.transaction() as tx:
        await tx.execute("update tenants set clock = null")
        await tenants.update(tx, shop.tenant.tenant_id, {})

    async def runs() -> bool:
        made = await shop.client.post("/customers", json={"name": "a", "currency": "EUR"})
        return bool(made.json()["created_at"] != "2026-03-10T12:00:00.000Z")

    assert await soon(runs)
    async with shop.app.transaction() as tx:
        await tx.execute("update tenants set clock = $1", NOON)
        await tenants.update(tx, shop.tenant.tenant_id, {})

    async def stands() -> bool:
        return not await runs()

    assert await soon(stands)


async def test_too_many_requests(database_dsn: str) -> None:
    """A key that asks too often is told when to come back; other keys are not affected."""
    async with opened(database_dsn, requests_per_second=5) as shop:
        other = await shop.another()
        answers = [await shop.client.get("/customers") for _ in range(20)]
        refused = [answer for answer in answers if answer.status_code == 429]

        assert answers[0].status_code == 200
        assert refused
        assert refused[0].json()["code"] == "TOO_MANY_REQUESTS"
        assert int(refused[0].headers["retry-after"]) >= 1
        assert await status(other.client) == 200


async def test_a_key_is_counted_though_nothing_is_remembered(shop: Shop) -> None:
    """While revocations cannot be heard, a key is looked up each time, and still counted."""
    moment = 100.0
    keyring = Keyring(shop.app.database, requests_per_second=1, clock=lambda: moment)
    header = f"Bearer {shop.tenant.api_key}"
    for _ in range(2):
        await keyring.caller(header)

    with pytest.raises(RateLimited):
        await keyring.caller(header)
    moment += 1
    await keyring.caller(header)
    with pytest.raises(RateLimited):
        await keyring.caller(header)


async def test_the_counts_are_bounded(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more keys than are counted at once, the one unused for longest starts anew."""
    monkeypatch.setattr(key_pace, "KEYS_MAX", 2)
    keyring = Keyring(shop.app.database, requests_per_second=0.5, clock=lambda: 100.0)
    first, *others = [shop, await shop.another(), await shop.another()]
    await keyring.caller(f"Bearer {first.tenant.api_key}")
    for other in others:
        await keyring.caller(f"Bearer {other.tenant.api_key}")

    await keyring.caller(f"Bearer {first.tenant.api_key}")
    with pytest.raises(RateLimited):
        await keyring.caller(f"Bearer {others[1].tenant.api_key}")
