"""The same over sockets: clients of several processes that serve, and real workers beside."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from urllib.parse import urljoin
from uuid import UUID

import httpx
import pytest

from tallystick.cli.demo_forms import forms_of
from tallystick.domain.ids import Prefix, encode
from tallystick.services.api_keys import create_api_key
from tests.cli.test_serve import ServingAtOnce
from tests.outages.clients import VISA, Clients, browser
from tests.outages.served import QUICK
from tests.races.racing import Race
from tests.soundness import assert_sound
from tests.world import SoldPlan, World

PRICE = 4900

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc"),
]


@pytest.fixture
async def clients(shop: World, database_dsn: str, tmp_path: Path) -> AsyncIterator[Clients]:
    """Clients of three processes: two that answer, and one with a worker in it."""
    started = [
        ServingAtOnce(tmp_path / f"said-{n}", *words, DATABASE_URL=database_dsn, **QUICK)
        for n, words in enumerate((("--workers", "2", "--no-worker"), ()))
    ]
    try:
        url = await asyncio.to_thread(lambda: started[0].url)
        async with shop.database.transaction() as tx:
            key = await create_api_key(shop.ctx.within(tx), "load")
        yield Clients(url=url, key=key.secret, plan_version="")
        assert all("http.defect" not in one.said.read_text() for one in started)
    finally:
        for serving in started:
            serving.process.kill()
            serving.process.wait()


async def pressed(clients: Clients, link: str) -> int:
    """Open a link in a browser of its own and press the button; how that was answered."""
    async with browser() as http:
        page = await clients.ask(http, "GET", link)
        form = next((one for one in forms_of(page.text) if one.id == "checkout"), None)
        if form is None:
            return 0
        form.fill("method", "CARD")
        form.fill("card_number", VISA)
        form.fill("card_expiry", "12/40")
        form.fill("card_cvc", "123")
        action, fields = form.sent_by("pay")
        answer = await clients.once(http, "POST", urljoin(str(page.url), action), form=fields)
        return 0 if answer is None else answer.status_code


async def created(
    clients: Clients, http: httpx.AsyncClient, customer: UUID, plan: SoldPlan, key: str
) -> dict[str, str]:
    """Create a session under a key."""
    body = {
        "customer_id": encode(Prefix.CUSTOMER, customer),
        "plan_version_id": encode(Prefix.PLAN_VERSION, plan.version_id),
    }
    answer = await clients.ask(http, "POST", "/checkout-sessions", json=body, key=key)
    made: dict[str, str] = answer.json()["session"]
    return made


async def cancelled(clients: Clients, http: httpx.AsyncClient, session: str) -> int:
    """Cancel a session as its merchant."""
    answer = await clients.ask(http, "POST", f"/checkout-sessions/{session}/cancel")
    return answer.status_code


async def test_one_key_one_button(race: Race, shop: World, clients: Clients) -> None:
    """Clients over HTTP: one key makes one session, all its buttons one charge, or a cancel."""
    for number in race.rounds():
        plan = await shop.plan(name=f"P{number}")
        customer = await shop.customer(f"C{number}")
        async with browser() as http:
            make = partial(created, clients, http, customer, plan, f"key-{number}")
            sessions = await race.run([make] * race.racers)
            assert len({str(one) for one in sessions}) == 1
            session = sessions[0]
            assert isinstance(session, dict)
            press = partial(pressed, clients, session["checkout_url"])
            cancel = partial(cancelled, clients, http, session["id"])
            few = max(race.racers // 4, 1)
            heard = await race.run([press] * (race.racers - few) + [cancel] * few)
            statuses = Counter(one for one in heard if isinstance(one, int))
            assert set(statuses) <= {0, 200, 303, 409, 410, 503}
            for _ in range(600):
                row = await shop.one(
                    "select state from checkout_sessions where customer_id = $1", customer
                )
                if row["state"] in {"COMPLETED", "CANCELLED"}:
                    break
                await pressed(clients, session["checkout_url"])
                await asyncio.sleep(0.1)
    sold = await shop.one("select count(*) from checkout_sessions where state = 'COMPLETED'")
    assert await shop.charges() == [PRICE] * sold["count"]
    rows = await shop.one("select count(*) from checkout_sessions")
    assert rows["count"] == race.times
    assert clients.unclear == []
    await assert_sound(shop)
