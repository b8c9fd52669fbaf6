"""A real server, really killed: SIGKILL in the middle of buyers pressing the button."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from urllib.parse import urlencode, urljoin, urlsplit
from uuid import UUID

import httpx
import pytest

from tallystick.cli.demo_forms import Form, forms_of
from tallystick.services.confirm_result import Completed
from tallystick.services.link import checkout_url
from tests.cli.test_serve import Serving, ServingAtOnce
from tests.real_time import sweep
from tests.shops import attempts, stored
from tests.soundness import assert_sound
from tests.world import World

ROUNDS = 12 if os.environ.get("TALLYSTICK_FAULTS_EVERY") == "1" else 2
ROUNDS_MAX = 20
"""A fast machine answers everybody before it is killed; so often it may be tried again."""
BUYERS = 8
BURST_SECONDS = 0.3
CARDS = ("4242424242424242", "4242424242424242", "4000000000000002", "4000000000009979")


@pytest.fixture
def serve(database_dsn: str, tmp_path: Path) -> Iterator[Callable[[], Serving]]:
    """Starts servers on the database of this test, without a worker."""
    started: list[Serving] = []

    def start() -> Serving:
        said = tmp_path / f"said-{len(started)}"
        started.append(ServingAtOnce(said, "--no-worker", DATABASE_URL=database_dsn))
        return started[-1]

    yield start
    for serving in started:
        if serving.process.poll() is None:
            serving.process.kill()
            serving.process.wait()


async def filled(browser: httpx.AsyncClient, link: str, card: str) -> tuple[str, Form]:
    """The page's form with a card typed into it, and where the page is."""
    page = await browser.get(link)
    form = next(form for form in forms_of(page.text) if form.id == "checkout")
    form.fill("method", "CARD")
    form.fill("card_number", card)
    form.fill("card_expiry", "12/40")
    form.fill("card_cvc", "123")
    return str(page.url), form


async def press(browser: httpx.AsyncClient, place: str, form: Form) -> int:
    """Press the button; 0 when the server died before it answered."""
    action, fields = form.sent_by("pay")
    parts = urlsplit(place)
    try:
        answer = await browser.post(
            urljoin(place, action),
            content=urlencode(fields),
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Origin": f"{parts.scheme}://{parts.netloc}",
            },
        )
    except httpx.TransportError:
        return 0
    return answer.status_code


async def somebody_pays(world: World, known: int) -> None:
    """Wait for the first claim of a burst."""
    async with asyncio.timeout(30):
        while len(await attempts(world)) == known:
            await asyncio.sleep(0.002)


async def burst(
    world: World, serving: Serving, sessions: list[UUID], random: Random
) -> list[int]:
    """Everybody presses the button, twice; the server is killed meanwhile."""
    secret, url, known = bytes(32), serving.url, len(await attempts(world))
    async with httpx.AsyncClient(trust_env=False, timeout=30) as browser:
        forms = [
            await filled(browser, checkout_url(url, secret, session), random.choice(CARDS))
            for session in sessions
            if (await stored(world, session))["state"] == "CREATED"
        ]
        pressed = [asyncio.ensure_future(press(browser, *form)) for form in forms * 2]
        await somebody_pays(world, known)
        await asyncio.sleep(random.uniform(0, BURST_SECONDS))
        serving.end(signal.SIGKILL)
        return await asyncio.gather(*pressed)


async def test_a_killed_server_leaves_one_purchase_or_none(
    world: World, serve: Callable[[], Serving]
) -> None:
    """Whoever was in the middle of paying has bought once, or can still buy."""
    random, plan = Random(7), await world.plan()
    sessions: list[UUID] = []
    answers: list[int] = []
    for number in range(ROUNDS_MAX):
        if number >= ROUNDS and 0 in answers:
            break
        for buyer in range(BUYERS):
            customer = await world.customer(f"Buyer {number}-{buyer}")
            sessions.append(await world.session(customer, plan))
        answers += await burst(world, serve(), sessions, random)
        assert len(await world.charges()) <= len(sessions)
        if number % 2:
            await sweep(world)

    await sweep(world)
    await assert_sound(world)
    assert 0 in answers, "no server was killed in the middle of anything"
    for session in sessions:
        if (await stored(world, session))["state"] == "CREATED":
            assert await world.confirm(session) == Completed()
    assert await world.charges() == [4900] * len(sessions)
    await assert_sound(world)
