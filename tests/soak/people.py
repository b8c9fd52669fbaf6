"""Who uses the installation: buyers, merchants, and somebody who moves the clock."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any
from urllib.parse import urlencode, urljoin

import httpx
from meteroid import AsyncMeteroid
from meteroid.models import Address

from tallystick.cli.demo_forms import Form, forms_of
from tests.scenarios.test_usage_billed import CALLS
from tests.soak.told import Anywhere, Told, insist, insist_raw

GOOD = "4242424242424242"
CARDS = (*[GOOD] * 9, *["4000000000000002"] * 2, "4000000000009979")
"""Good ones; some that are declined, and one whose answer is lost, at each renewal, too."""
IBANS = (*["DE89370400440532013000"] * 3, "DE62370400440532013001")
"""Accounts whose debits are accepted: they settle some seconds later, and one of them fails."""
BY_DEBIT = 0.3
PRESSES_MAX = 40
SEATS = "Seats"
"""The component that has slots."""
HOURS_OPEN = 720
"""Of a session: the clock moves by days."""


@dataclass(kw_only=True)
class People:
    """Everybody, the ways they have to the installation, and what they were told."""

    told: Told
    random: Random
    ports: list[int]
    key: str
    plans: list[str]
    coupon: str
    numbers: Any = field(default_factory=lambda: count(1))

    @asynccontextmanager
    async def sdk(self) -> AsyncIterator[AsyncMeteroid]:
        """The official client of a merchant's server, with connections of its own."""
        async with (
            httpx.AsyncClient(transport=Anywhere(self.ports, self.random)) as http,
            AsyncMeteroid(
                api_key=self.key,
                base_url=f"http://127.0.0.1:{self.ports[0]}",
                http_client=http,
                max_retries=0,
            ) as sdk,
        ):
            yield sdk

    def raw(self) -> httpx.AsyncClient:
        """A merchant's client for what the SDK does not have."""
        return httpx.AsyncClient(
            transport=Anywhere(self.ports, self.random),
            base_url=f"http://127.0.0.1:{self.ports[0]}/api/v1",
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=90,
        )

    def once(self) -> dict[str, str]:
        """The header under which one request is done once."""
        return {"Idempotency-Key": f"soak-{next(self.numbers)}"}

    async def buys(self, stop: asyncio.Event) -> None:
        """One buyer after the other: a customer, a session, the page, the button."""
        async with self.sdk() as sdk:
            while not stop.is_set():
                await self._one_purchase(sdk)

    async def _one_purchase(self, sdk: AsyncMeteroid) -> None:
        key = self.once()
        customer = await insist(
            self.told,
            "customer",
            lambda: sdk.customers.create(
                name="Buyer",
                currency="EUR",
                billing_address=Address(country="FR"),
                extra_headers=key,
            ),
        )
        if customer is None:
            return
        self.told.customers.append(customer.id)
        key2, plan = self.once(), self.random.choice(self.plans)
        coupons = [self.coupon] if self.random.random() < 0.3 else None
        made = await insist(
            self.told,
            "session",
            lambda: sdk.checkout_sessions.create(
                customer_id=customer.id,
                plan_version_id=plan,
                coupon_ids=coupons,
                expires_in_hours=HOURS_OPEN,
                extra_headers=key2,
            ),
        )
        if made is None:
            return
        session = made.session
        self.told.sessions[session.id] = {"customer": customer.id, "plan": plan}
        # Some look and go, some are cancelled by their merchant while they pay.
        if self.random.random() < 0.1:
            return
        if self.random.random() < 0.15:
            key3 = self.once()
            await asyncio.gather(
                self._press(sdk, session),
                insist(
                    self.told,
                    "session cancelled",
                    lambda: sdk.checkout_sessions.cancel(session.id, extra_headers=key3),
                ),
            )
            return
        await self._press(sdk, session)

    async def _press(self, sdk: AsyncMeteroid, session: Any) -> None:  # noqa: ANN401
        """Press the button until the session has an end."""
        transport = Anywhere(self.ports, self.random)
        async with httpx.AsyncClient(transport=transport, timeout=90) as browser:
            for _ in range(PRESSES_MAX):
                page = await insist_raw(
                    self.told, "page", lambda: browser.get(session.checkout_url)
                )
                if page is None:
                    return
                form = next((one for one in forms_of(page.text) if one.id == "checkout"), None)
                if form is not None:
                    await self._pay(browser, str(page.url), session.id, form)
                elif page.status_code < 400:
                    back = session.checkout_url + "/return"
                    await insist_raw(self.told, "back", lambda: browser.get(back))  # noqa: B023
                found = await insist(
                    self.told,
                    "session read",
                    lambda: sdk.checkout_sessions.retrieve(session.id),
                )
                status = "" if found is None else str(found.session.status.value)
                if status == "COMPLETED" and found is not None:
                    self.told.bought[session.id] = str(found.session.subscription_id)
                    self.told.note("purchase", "done")
                    return
                if status in {"CANCELLED", "EXPIRED"}:
                    self.told.note("purchase", status.lower())
                    return
                await asyncio.sleep(0.1)
        self.told.note("purchase", "given up")

    async def _pay(
        self, browser: httpx.AsyncClient, place: str, session_id: str, form: Form
    ) -> None:
        """Press the button once: whoever gets no answer looks at the page again."""
        if form.has("method") and self.random.random() < BY_DEBIT:
            form.fill("method", "DIRECT_DEBIT")
            form.fill("iban", self.random.choice(IBANS))
            form.fill("account_holder", "Dana Buyer")
        elif form.has("method"):
            form.fill("method", "CARD")
            form.fill("card_number", self.random.choice(CARDS))
            form.fill("card_expiry", "12/60")
            form.fill("card_cvc", "123")
        self.told.shown.setdefault(session_id, []).append(
            json.loads(form.value("shown"))["due"]
        )
        action, fields = form.sent_by("pay")
        try:
            answer = await browser.post(
                urljoin(place, action),
                content=urlencode(fields),
                headers={
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Origin": place,
                },
            )
        except httpx.TransportError:
            self.told.note("button", "no answer")
            return
        self.told.note("button", str(answer.status_code))
        if answer.status_code == 500:
            self.told.unclear.append(f"button: {answer.text[:500]}")

    async def manages(self, stop: asyncio.Event) -> None:
        """A merchant who changes, cancels, bills, refunds and looks at what was bought."""
        verbs = (
            self._reports_usage,
            self._reports_usage,
            self._changes_plan,
            self._changes_slots,
            self._changes_slots,
            self._cancels,
            self._pays,
            self._refunds,
            self._reads,
        )
        async with self.sdk() as sdk, self.raw() as raw:
            while not stop.is_set():
                bought = list(self.told.bought.values())
                if bought:
                    await self.random.choice(verbs)(sdk, raw, self.random.choice(bought))
                await asyncio.sleep(self.random.uniform(0, 0.3))

    async def _post(
        self, raw: httpx.AsyncClient, what: str, path: str, body: object = None
    ) -> httpx.Response | None:
        key = self.once()
        return await insist_raw(self.told, what, lambda: raw.post(path, json=body, headers=key))

    async def _reports_usage(self, _: object, raw: httpx.AsyncClient, __: str) -> None:
        now = await self._now(raw)
        if now is None:
            return
        ids = [f"use-{next(self.numbers)}" for _ in range(20)]
        events = [
            {
                "event_id": name,
                "code": CALLS,
                "customer_id": self.random.choice(self.told.customers),
                "timestamp": now.isoformat(),
                "properties": {"n": str(self.random.randrange(1, 500))},
            }
            for name in ids
        ]
        body = {"events": events, "allow_backfilling": True}
        answer = await self._post(raw, "usage", "/events/ingest", body)
        if answer is not None and answer.is_success:
            self.told.usage += ids

    async def _changes_plan(self, _: object, raw: httpx.AsyncClient, one: str) -> None:
        at = self.random.choice(["NOW", "PERIOD_END"])
        body = {"plan_version_id": self.random.choice(self.plans), "at": at}
        await self._post(raw, "plan change", f"/subscriptions/{one}/change-plan", body)

    async def _changes_slots(self, _: object, raw: httpx.AsyncClient, one: str) -> None:
        answer = await insist_raw(self.told, "read", lambda: raw.get(f"/subscriptions/{one}"))
        if answer is None or not answer.is_success:
            return
        for part in answer.json()["components"]:
            if part["name"] == SEATS:
                delta = self.random.choice([1, 2, 3, -1])
                body = {
                    "component_id": part["id"],
                    "delta": delta,
                    "mode": self.random.choice(["OPTIMISTIC", "ON_INVOICE_PAID"]),
                }
                path = f"/subscriptions/{one}/slots"
                changed = await self._post(raw, "slots changed", path, body)
                if changed is not None and changed.is_success:
                    self.told.slots.setdefault(one, []).append(delta)

    async def _cancels(self, sdk: AsyncMeteroid, _: object, one: str) -> None:
        if self.random.random() < 0.5:
            return
        key = self.once()
        await insist(
            self.told,
            "cancellation",
            lambda: sdk.subscriptions.cancel(one, extra_headers=key),
        )

    async def _invoices(self, sdk: AsyncMeteroid, one: str) -> list[Any]:
        page = await insist(
            self.told, "invoices read", lambda: sdk.invoices.list(subscription_id=one)
        )
        return [] if page is None else list(page.data)

    async def _pays(self, sdk: AsyncMeteroid, raw: httpx.AsyncClient, one: str) -> None:
        for invoice in (await self._invoices(sdk, one))[:1]:
            await self._post(raw, "invoice paid", f"/invoices/{invoice.id}/pay")

    async def _refunds(self, sdk: AsyncMeteroid, raw: httpx.AsyncClient, one: str) -> None:
        for invoice in (await self._invoices(sdk, one))[:1]:
            amount = self.random.randrange(1, 1500)
            body = {"invoice_id": invoice.id, "credit_type": "REFUND", "amount": amount}
            answer = await self._post(raw, "refund", "/credit-notes", body)
            if answer is not None and answer.is_success:
                self.told.refunded[answer.json()["id"]] = amount

    async def _reads(self, sdk: AsyncMeteroid, raw: httpx.AsyncClient, one: str) -> None:
        await insist(self.told, "read", lambda: sdk.subscriptions.retrieve(one))
        for invoice in (await self._invoices(sdk, one))[:1]:
            path = f"/invoices/{invoice.id}/explain"
            await insist_raw(self.told, "explanation", lambda: raw.get(path))  # noqa: B023

    async def travels(self, stop: asyncio.Event, every_seconds: float) -> None:
        """Move the tenant's clock on by some days, again and again."""
        async with self.raw() as raw:
            while not stop.is_set():
                await asyncio.sleep(self.random.uniform(0.5, 1.5) * every_seconds)
                await self.moves_on(raw, timedelta(days=self.random.randrange(1, 9)))

    async def moves_on(self, raw: httpx.AsyncClient, by: timedelta) -> None:
        """Move the clock on, once."""
        now = await self._now(raw)
        if now is not None:
            body = {"to": (now + by).isoformat()}
            await self._post(raw, "clock moved", "/test-clock/advance", body)

    async def _now(self, raw: httpx.AsyncClient) -> datetime | None:
        answer = await insist_raw(self.told, "clock read", lambda: raw.get("/test-clock"))
        return None if answer is None else datetime.fromisoformat(answer.json()["now"])
