"""One key is one request: run once, answered alike, and never mixed up with another."""

import asyncio

import pytest

from tallystick.db import engine, idempotency
from tallystick.db.idempotency import KeySlot
from tests.http.conftest import Shop, opened

GLOBEX = {"name": "Globex", "currency": "EUR"}


def key(text: str) -> dict[str, str]:
    """The header."""
    return {"Idempotency-Key": text}


async def count(shop: Shop) -> int:
    """How many customers there are."""
    total: int = (await shop.client.get("/customers")).json()["pagination_meta"]["total_items"]
    return total


async def test_a_repeat_gets_the_same_answer(shop: Shop) -> None:
    """The same key and body make one customer; the repeat's answer says that it is one."""
    first = await shop.client.post("/customers", json=GLOBEX, headers=key("k"))
    again = await shop.client.post("/customers", json=GLOBEX, headers=key("k"))

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["content-type"] == "application/json"
    assert await count(shop) == 1


async def test_another_body_under_the_key(shop: Shop) -> None:
    """A key that was used for another body is refused, and nothing is made."""
    await shop.client.post("/customers", json=GLOBEX, headers=key("k"))
    other = await shop.client.post(
        "/customers", json=GLOBEX | {"name": "Initech"}, headers=key("k")
    )

    assert (other.status_code, other.json()["code"]) == (409, "CONFLICT")
    assert "retry-after" not in other.headers
    assert await count(shop) == 1


async def test_keys_are_of_one_operation_and_one_tenant(shop: Shop) -> None:
    """The same key on another path, or by another tenant, is another key."""
    made = await shop.client.post("/customers", json=GLOBEX, headers=key("k"))
    path = f"/customers/{made.json()['id']}/balance-entries"
    entry = await shop.client.post(
        path, json={"currency": "EUR", "amount": 100}, headers=key("k")
    )
    other = await shop.another()
    elsewhere = await other.client.post("/customers", json=GLOBEX, headers=key("k"))

    assert (entry.status_code, elsewhere.status_code) == (201, 201)
    assert elsewhere.json()["id"] != made.json()["id"]


async def test_repeats_at_the_same_time(shop: Shop) -> None:
    """Ten requests at once under one key make one customer, and all get the same answer."""
    answers = await asyncio.gather(
        *(shop.client.post("/customers", json=GLOBEX, headers=key("k")) for _ in range(10))
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 9
    assert await count(shop) == 1


async def test_a_repeat_does_not_wait_for_ever(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repeat of a request that still runs waits a while, and is told to come back."""
    monkeypatch.setitem(engine.SESSION, "lock_timeout", "200ms")
    slot = KeySlot(operation="POST /api/v1/customers", key="k")
    async with opened(shop.app.database.dsn) as impatient, shop.app.transaction() as tx:
        # The first request, under way in another process.
        await idempotency.claim(tx, impatient.tenant.tenant_id, slot, b"h" * 32)
        answer = await impatient.client.post("/customers", json=GLOBEX, headers=key("k"))

    assert answer.status_code == 409
    assert int(answer.headers["retry-after"]) >= 1


def test_how_long_a_repeat_waits() -> None:
    """It waits ten seconds at most: the time that any statement waits for a lock."""
    assert engine.SESSION["lock_timeout"] == "10s"


async def test_malformed_requests_are_not_kept(shop: Shop) -> None:
    """A 400 is not kept: the mended request may use the key again."""
    wrong = await shop.client.post(
        "/customers", json=GLOBEX | {"customer_type": "INDIVIDUAL"}, headers=key("k")
    )
    mended = await shop.client.post("/customers", json=GLOBEX, headers=key("k"))

    assert (wrong.status_code, mended.status_code) == (400, 201)


async def test_refusals_that_stay_are_kept(shop: Shop) -> None:
    """404 and 409 are kept, although what they were about is there or gone by now."""
    entry = {"currency": "EUR", "amount": 100}
    path = "/customers/globex/balance-entries"
    missing = await shop.client.post(path, json=entry, headers=key("k"))
    await shop.client.post("/customers", json=GLOBEX | {"alias": "globex"})
    still = await shop.client.post(path, json=entry, headers=key("k"))
    fresh = await shop.client.post(path, json=entry)
    taken = GLOBEX | {"alias": "globex"}
    conflict = await shop.client.post("/customers", json=taken, headers=key("c"))
    await shop.client.patch("/customers/globex", json={"alias": None})
    again = await shop.client.post("/customers", json=taken, headers=key("c"))

    assert (missing.status_code, still.status_code, fresh.status_code) == (404, 404, 201)
    assert still.headers["idempotent-replayed"] == "true"
    assert (conflict.status_code, again.status_code) == (409, 409)
    assert again.content == conflict.content


@pytest.mark.parametrize("wrong", ["", " ", "x" * 256, "smörgås", "a\tb"])
async def test_keys_that_are_none(shop: Shop, wrong: str) -> None:
    """A key has 1 to 255 printable ASCII characters."""
    headers = {b"Idempotency-Key": wrong.encode()}
    answer = await shop.client.post("/customers", json=GLOBEX, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_the_longest_key(shop: Shop) -> None:
    """255 characters, blanks inside included, are a key."""
    longest = "a" + " ~" * 127
    first = await shop.client.post("/customers", json=GLOBEX, headers=key(longest))
    again = await shop.client.post("/customers", json=GLOBEX, headers=key(longest))

    assert first.content == again.content


async def test_a_key_is_forgotten_after_a_day(shop: Shop) -> None:
    """After 24 hours of real time the key is free, whatever the tenant's clock says."""
    first = await shop.client.post("/customers", json=GLOBEX, headers=key("k"))
    async with shop.app.database.connection() as connection:
        await connection.execute(
            "update idempotency_keys set created_at = now() - interval '24 hours 1 second'"
        )
    second = await shop.client.post("/customers", json=GLOBEX, headers=key("k"))
    again = await shop.client.post("/customers", json=GLOBEX, headers=key("k"))

    assert first.json()["id"] != second.json()["id"] == again.json()["id"]
