"""What a process writes while somebody buys, listens and fails holds no secret of anybody."""

import asyncio
import re
from collections.abc import Callable
from html import unescape

import httpx
import pytest

from tallystick.db.engine import Database
from tallystick.services.api_keys import create_api_key
from tests.cli.test_serve import Serving, serve
from tests.http.checkout.buyer import link_of
from tests.world import World, open_world

__all__ = ["serve"]

DECLINED, LOST = "4000000000000002", "4000000000009979"
CVC = "73519"
WRONG_KEY = "tsk_test_never-made-0123456789"


async def press(browser: httpx.AsyncClient, link: str, number: str) -> None:
    """Open a link, type a card, and press the button; too long a security code among it."""
    page = (await browser.get(link)).text
    tags = re.findall(r'<input[^>]*type="hidden"[^>]*>', page)
    fields = [dict(re.findall(r'(\w+)="([^"]*)"', tag)) for tag in tags]
    hidden = {field["name"]: unescape(field.get("value", "")) for field in fields}
    typed = {"email": "ada@globex.example", "name": "Ada", "card_number": number}
    for code in (CVC, CVC[:3]):
        card = {"method": "CARD", "card_expiry": "12/40", "card_cvc": code}
        answer = await browser.post(f"{link}/confirm", data=hidden | typed | card)
        assert answer.status_code < 500, answer.text


async def use(url: str, world: World) -> dict[str, str]:
    """Do what has secrets in it, well and badly; return the secrets by what they are."""
    async with world.database.transaction() as tx:
        key = (await create_api_key(world.ctx.within(tx), "test")).secret
    customer = await world.customer()
    link = link_of(world, await world.session(customer, await world.plan()))
    async with httpx.AsyncClient(base_url=url, timeout=60) as anybody:
        api = {"Authorization": f"Bearer {key}"}
        hook = await anybody.post(
            "/api/v1/webhooks/endpoints",
            headers=api,
            json={
                "url": "http://127.0.0.1:9/nobody-listens",
                "description": "all",
                "headers": [{"name": "X-Api-Key", "value": "header-of-a-webhook"}],
            },
        )
        assert hook.status_code == 201, hook.text
        named = (await anybody.get("/api/v1/customers", headers=api)).json()["data"][0]["id"]
        portal = (
            await anybody.post(f"/api/v1/customers/{named}/portal-token", headers=api)
        ).json()
        for number in (DECLINED, LOST):
            await press(anybody, link, number)
        await anybody.get("/portal", params={"token": portal["token"]})
        for wrong in (f"Bearer {WRONG_KEY}", WRONG_KEY):
            told = await anybody.get("/api/v1/customers", headers={"Authorization": wrong})
            assert told.status_code == 401
    return {
        "API key": key.removeprefix("tsk_test_"),
        "wrong API key": WRONG_KEY.removeprefix("tsk_test_"),
        "webhook secret": hook.json()["secret"].removeprefix("whsec_"),
        "webhook header": "header-of-a-webhook",
        "link": link.rsplit("/", 1)[1],
        "portal token": portal["token"],
        "declined card": DECLINED,
        "card without an answer": LOST,
        "security code": CVC,
    }


@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_no_secret_is_written(
    serve: Callable[..., Serving], db: Database, log_format: str
) -> None:
    """Keys, links, cards, tokens and webhook secrets stay out of every line, at every level."""
    serving = serve(
        TALLYSTICK_LOG_FORMAT=log_format,
        TALLYSTICK_LOG_LEVEL="debug",
        TALLYSTICK_PRIVATE_WEBHOOKS="true",
        TALLYSTICK_PROVIDER_CALL_SECONDS="2",
    )
    url = await asyncio.to_thread(lambda: serving.url)
    world = await open_world(db)
    secrets = await use(url, world)
    tried = await world.fetch("select state, failure ->> 'reason' as why from payment_attempts")
    # A transaction that fails in the middle, with everything in its variables.
    async with db.transaction() as tx:
        await tx.execute("alter table customers rename to customers_gone")
    async with httpx.AsyncClient(base_url=url) as anybody:
        broken = await anybody.post(
            "/api/v1/customers",
            headers={"Authorization": f"Bearer tsk_test_{secrets['API key']}"},
            json={"name": "Globex", "currency": "EUR"},
        )
    serving.end()
    said = serving.said.read_text()

    assert [(one["state"], one["why"]) for one in tried][:1] == [("FAILED", "DECLINED")]
    assert broken.status_code == 500
    assert "customers" in said
    assert [what for what, secret in secrets.items() if secret in said] == []
