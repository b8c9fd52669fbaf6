"""Completing checkouts: each a link created, its page loaded, its form sent, by one buyer."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from tallystick.cli.bench.http_client import Answer, Client
from tallystick.cli.bench.measured import BenchFailed, Load, load_of
from tallystick.cli.bench.overheard import PATH
from tallystick.cli.bench.stage import Stage
from tallystick.cli.demo_checkout import BUTTON_ID, CARD, FORM_ID
from tallystick.cli.demo_forms import forms_of

OK = 200
SEE_OTHER = 303


@dataclass(slots=True)
class Steps:
    """Latencies in milliseconds of each step."""

    created: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    confirmed: list[float] = field(default_factory=list)


async def complete(stage: Stage, bodies: list[bytes], buyers: int) -> dict[str, Load]:
    """Create and complete a checkout for each body, so many at once; loads by step.

    Raises:
        BenchFailed: A checkout was not completed.
    """
    steps = Steps()
    waiting = iter(bodies)

    async def buy_one_after_another() -> None:
        for body in waiting:
            async with await Client.open(stage.url) as client:
                await _buy(stage, client, body, steps)

    began = time.monotonic()
    await asyncio.gather(*(buy_one_after_another() for _ in range(buyers)))
    seconds = time.monotonic() - began
    return {
        "create": load_of(steps.created, seconds),
        "page": load_of(steps.shown, seconds),
        "confirm": load_of(steps.confirmed, seconds),
    }


async def _buy(stage: Stage, client: Client, body: bytes, steps: Steps) -> None:
    answer = await _timed(client, steps.created, OK, "POST", PATH, dict(stage.headers), body)
    link = urlsplit(json.loads(answer.body)["session"]["checkout_url"]).path
    page = await _timed(client, steps.shown, OK, "GET", link, {"accept-language": "en"})
    form = next(form for form in forms_of(page.body.decode()) if form.id == FORM_ID)
    if form.has("method"):
        form.fill("method", "CARD")
    for name, value in CARD.items():
        if form.has(name):
            form.fill(name, value)
    action, fields = form.sent_by(BUTTON_ID)
    await _timed(
        client,
        steps.confirmed,
        SEE_OTHER,
        "POST",
        action if action.startswith("/") else f"{link}/{action}",
        {"content-type": "application/x-www-form-urlencoded", "accept-language": "en"},
        urlencode(fields).encode(),
    )


async def _timed(
    client: Client,
    latencies: list[float],
    expected: int,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes = b"",
) -> Answer:
    began = time.monotonic()
    answer = await client.ask(method, path, headers, body)
    latencies.append((time.monotonic() - began) * 1e3)
    if answer.status != expected:
        raise BenchFailed(
            f"{method} {path} was answered with {answer.status}: "
            f"{answer.body[:1000].decode(errors='replace')}"
        )
    return answer
