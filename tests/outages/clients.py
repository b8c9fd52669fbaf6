"""Merchants and buyers who use a served shop while its database goes away and comes back.

They know the product over HTTP alone. Whatever they ask is asked again where they are told
that the database is away, under the same key; what they were told otherwise is written down,
and must be found again afterwards.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

from tallystick.cli.demo_forms import forms_of
from tests.http.conftest import TRUSTED

PATIENCE_SECONDS = 90.0
PAUSE_SECONDS = 0.1
UNAVAILABLE = 503
SEE_OTHER = 303
SERVED = 500
"""From here on an answer is no success and no refusal of the request."""
VISA = "4242424242424242"
ERROR_SHAPE = {"code", "message", "errors", "request_id"}

Json = dict[str, Any]


@dataclass(kw_only=True)
class Clients:
    """Everybody who speaks to one served shop, and what they were told.

    Attributes:
        url: Where it is served.
        key: The merchant's API key.
        plan_version: What is sold, as the API names it.
        created: The answers to sessions that were created, by session.
        bought: Sessions whose buyers were told that they have bought.
        unclear: Answers that nobody should get, with what was asked.
        told: How many answers there were of each status; 0 for a connection that broke.
        moments: When each answer came, and its status.
    """

    url: str
    key: str
    plan_version: str
    created: dict[str, Json] = field(default_factory=dict)
    keys: dict[str, tuple[str, Json]] = field(default_factory=dict)
    bought: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)
    told: Counter[int] = field(default_factory=Counter)
    moments: list[tuple[float, int]] = field(default_factory=list)
    numbers: count = field(default_factory=lambda: count(1))  # type: ignore[type-arg]

    async def buy_until(self, stop: asyncio.Event, http: httpx.AsyncClient) -> None:
        """Buy again and again, each time as a new customer."""
        while not stop.is_set():
            number = next(self.numbers)
            customer = await self.create(http, "/customers", customer_body(number))
            body = {"customer_id": customer["id"], "plan_version_id": self.plan_version}
            made = (await self.create(http, "/checkout-sessions", body))["session"]
            self.created[made["id"]] = made
            await self.press(http, made)

    async def create(self, http: httpx.AsyncClient, path: str, body: Json) -> Json:
        """Create something under a key, however often that must be asked for."""
        key = f"{path}-{next(self.numbers)}"
        answer = await self.ask(http, "POST", path, json=body, key=key)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        made: Json = answer.json()
        self.keys[key] = (path, {"body": body, "answer": made})
        return made

    async def press(self, http: httpx.AsyncClient, session: Json) -> None:
        """Open the link and press the button, until the session is bought."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                page = await self.ask(http, "GET", session["checkout_url"])
                form = next((one for one in forms_of(page.text) if one.id == "checkout"), None)
                if form is not None:
                    await self._pay(http, str(page.url), form)
                else:
                    # It waits, or has bought; a page that waits asks.
                    await self.ask(http, "GET", session["checkout_url"] + "/return")
                found = await self.ask(http, "GET", f"/checkout-sessions/{session['id']}")
                assert found.is_success, f"{found.status_code} {found.text}"
                if found.json()["session"]["status"] == "COMPLETED":
                    self.bought.append(session["id"])
                    return
                await asyncio.sleep(PAUSE_SECONDS)

    async def _pay(self, http: httpx.AsyncClient, place: str, form: Any) -> None:  # noqa: ANN401
        form.fill("method", "CARD")
        form.fill("card_number", VISA)
        form.fill("card_expiry", "12/40")
        form.fill("card_cvc", "123")
        action, fields = form.sent_by("pay")
        await self.once(http, "POST", urljoin(place, action), form=fields)

    async def ask(
        self,
        http: httpx.AsyncClient,
        method: str,
        path: str,
        *,
        json: Json | None = None,
        key: str | None = None,
    ) -> httpx.Response:
        """Ask until there is another answer than that the database is away."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                answer = await self.once(http, method, path, json=json, key=key)
                if answer is not None and not is_busy(answer):
                    return answer
                await asyncio.sleep(PAUSE_SECONDS)

    async def once(
        self,
        http: httpx.AsyncClient,
        method: str,
        path: str,
        *,
        json: Json | None = None,
        form: list[tuple[str, str]] | None = None,
        key: str | None = None,
    ) -> httpx.Response | None:
        """Ask once, and look whether the answer is one that may be given."""
        is_page = "://" in path
        headers: dict[str, str] = {}
        if is_page:
            parts = urlsplit(path)
            headers["Origin"] = f"{parts.scheme}://{parts.netloc}"
        else:
            headers["Authorization"] = f"Bearer {self.key}"
        if key is not None:
            headers["Idempotency-Key"] = key
        content = None
        if form is not None:
            content = urlencode(form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        where = path if is_page else f"{self.url}/api/v1{path}"
        try:
            answer = await http.request(
                method, where, json=json, content=content, headers=headers
            )
        except httpx.TransportError as broken:
            self.told[0] += 1
            self.moments.append((time.monotonic(), 0))
            self.unclear.append(f"{method} {path}: {broken!r}")
            return None
        self.told[answer.status_code] += 1
        self.moments.append((time.monotonic(), answer.status_code))
        self._look_at(answer, method, path, is_page=is_page)
        return answer

    def _look_at(
        self, answer: httpx.Response, method: str, path: str, *, is_page: bool
    ) -> None:
        """A refusal says when to come back, in the one shape or as a page."""
        if answer.status_code < SERVED and not is_busy(answer):
            return
        is_clear = answer.headers.get("retry-after", "").isdigit()
        if is_page:
            is_clear = is_clear and answer.headers["content-type"].startswith("text/html")
        else:
            is_clear = is_clear and set(answer.json()) == ERROR_SHAPE
        if not is_clear or answer.status_code not in {409, UNAVAILABLE}:
            self.unclear.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")

    def seconds_away(self, since: float) -> float | None:
        """From a moment until the first success after a refusal that followed it."""
        refused = [at for at, status in self.moments if at > since and status == UNAVAILABLE]
        if not refused:
            return None
        again = [at for at, status in self.moments if at > refused[0] and 0 < status < SERVED]
        return again[0] - since if again else None


def is_busy(answer: httpx.Response) -> bool:
    """Whether an answer says to ask again."""
    is_away = answer.status_code == UNAVAILABLE
    return is_away or (answer.status_code == 409 and "retry-after" in answer.headers)


def customer_body(number: int) -> Json:
    """A new customer."""
    return {
        "name": f"Buyer {number}",
        "currency": "EUR",
        "billing_email": "ap@globex.example",
        "billing_address": {"country": "FR"},
    }


def browser() -> httpx.AsyncClient:
    """A client of its own: cookies of one buyer are not sent by another."""
    return httpx.AsyncClient(verify=TRUSTED, trust_env=False, timeout=60)


async def found_again(clients: Clients) -> list[str]:
    """Whatever was acknowledged and is not there as it was told; each repeated key, too."""
    lost: list[str] = []
    async with browser() as http:
        for session_id, told in clients.created.items():
            answer = await clients.ask(http, "GET", f"/checkout-sessions/{session_id}")
            now = answer.json().get("session", {})
            fixed = ("id", "customer_id", "plan_version_id", "created_at", "expires_at")
            if [now.get(one) for one in fixed] != [told.get(one) for one in fixed]:
                lost.append(f"{told}, and now {answer.text}")
            elif session_id in clients.bought and now["status"] != "COMPLETED":
                lost.append(f"{session_id} is {now['status']}")
        for key, (path, kept) in clients.keys.items():
            again = await clients.ask(http, "POST", path, json=kept["body"], key=key)
            if again.json() != kept["answer"]:
                lost.append(f"{path} under {key}")
    return lost


def shown(told: Mapping[int, int]) -> str:
    """Answers by status, for people."""
    return ", ".join(f"{status}: {many}" for status, many in sorted(told.items()))
