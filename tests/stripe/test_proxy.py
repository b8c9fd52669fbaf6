"""The proxy gives localstripe what Stripe has: keys, faults on command, and one loopback."""

import asyncio
import socket
from urllib.parse import urlsplit

import httpx

from tests.stripe.proxy import Proxy
from tests.stripe.script import Delayed, Failing, Limited, Slow, Unheard
from tests.stripe.wire import NO_TLS

PATH = "/v1/payment_intents"


async def ask(
    local: Proxy, key: str | None = None, *, amount: int = 5412, **more: str
) -> httpx.Response:
    """Charge a card of its own in one call."""
    headers = {"authorization": f"Bearer {local.secret_key}"}
    if key is not None:
        headers["idempotency-key"] = key
    form = {"amount": str(amount), "currency": "eur", "payment_method": "pm_card_visa",
            "confirm": "true", **more}  # fmt: skip
    async with httpx.AsyncClient(base_url=local.api_base, verify=NO_TLS) as client:
        return await client.post(PATH, data=form, headers=headers)


async def test_the_first_answer_is_kept_under_its_key(local: Proxy) -> None:
    """Two calls under one key are one charge; without a key they are two."""
    first, second = await ask(local, "k"), await ask(local, "k")
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    assert await local.moved() == [(5412, "eur")]

    await ask(local)
    await ask(local)
    assert len(await local.moved()) == 3


async def test_a_key_with_other_parameters_is_refused(local: Proxy) -> None:
    """Also while the first call is under way, when the same parameters are a conflict."""
    local.script("payment_intents.create", Slow(0.2))
    first = asyncio.create_task(ask(local, "k"))
    await asyncio.sleep(0.05)

    assert (await ask(local, "k")).status_code == 409
    other = await ask(local, "k", amount=5413)
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
    assert (await first).status_code == 200
    assert await local.moved() == [(5412, "eur")]


async def test_what_is_refused_is_stripped_and_written_down(local: Proxy) -> None:
    """Localstripe never sees it, whether it has refused it before or not."""
    for key in ("a", "b"):
        answer = await ask(local, key, description="Plan", receipt_email="jane@example.com")
        assert answer.status_code == 200
    assert local.stripped == {
        ("payment_intents.create", "description"),
        ("payment_intents.create", "receipt_email"),
    }


async def test_calls_come_to_what_the_script_says(local: Proxy) -> None:
    """Limited, failed before and after, and late."""
    local.script("payment_intents.create", Limited(), Failing(503), Failing(500, done=True))
    assert [(await ask(local)).status_code for _ in range(3)] == [429, 503, 500]
    assert await local.moved() == [(5412, "eur")]

    local.script("payment_intents.create", Delayed(0.05), Unheard())
    assert (await ask(local)).status_code == 200
    try:
        await ask(local)
    except httpx.HTTPError as broken:
        heard: object = broken
    else:
        heard = None
    assert heard is not None
    assert len(await local.moved()) == 2


async def test_nothing_is_left_of_the_test_before(local: Proxy) -> None:
    """No charge, no key, no script."""
    await ask(local, "k")
    local.script("payment_intents.create", Limited())

    await local.forget()

    assert await local.moved() == []
    assert (await ask(local, "k")).status_code == 200


def test_localstripe_listens_on_loopback_only(local_server: Proxy) -> None:
    """Another address of this machine has nobody on its port."""
    port = urlsplit(local_server.upstream).port
    assert port is not None
    outside = socket.socket()
    # Bound elsewhere on the same port: were it taken on every address, this would fail.
    outside.bind(("127.0.0.2", port))
    outside.close()
