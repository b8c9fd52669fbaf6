"""The demo's story: a shop is set up, an offer is made, and perhaps it is bought at once."""

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from tallystick.cli.demo_api import CONFLICT, Api, DemoFailed, Refused
from tallystick.cli.demo_catalog import Catalog, set_up_catalog, set_up_customers, set_up_entity
from tallystick.cli.demo_checkout import buy, charged_amount, outcome
from tallystick.cli.demo_customers import GLOBEX, make_sibling, newest_sibling
from tallystick.cli.demo_request import PLAN, as_curl, full_request, plain_request
from tallystick.cli.demo_screen import Screen, money
from tallystick.cli.demo_shop import PATH as SHOP_PATH
from tallystick.cli.demo_shop import Shop
from tallystick.cli.demo_tenant import NAME, demo_tenant
from tallystick.db.sandbox_ledger import Movement
from tallystick.providers.sandbox import Sandbox
from tallystick.services.context import App

LOCK_FILE = "demo.lock"
SESSIONS_PATH = "/checkout-sessions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What the demo plays on: a server that runs, a screen, a place for its key."""

    app: App
    shop: Shop
    screen: Screen
    data_dir: Path
    server_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The tenant with its catalog; `today` is its own day."""

    stage: Stage
    api: Api
    tenant_id: UUID
    today: date
    catalog: Catalog

    @property
    def shop_url(self) -> str:
        """Where the merchant's own pages are."""
        return f"{self.stage.app.public_url}{SHOP_PATH}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request that was sent, and the session that it made."""

    request: dict[str, Any]
    session: dict[str, Any]


@asynccontextmanager
async def set_up(stage: Stage, now: datetime) -> AsyncIterator[Scene]:
    """Find or make the tenant and everything in it, and open the shop.

    Raises:
        DemoFailed: The API refused something.
    """
    screen = stage.screen
    async with _alone(stage.data_dir):
        with screen.step(f"Test tenant {NAME}") as step:
            tenant = await demo_tenant(stage.app, stage.data_dir, now)
            step.say("made" if tenant.is_new else "found again")
        api = Api(stage.server_url, tenant.key)
        try:
            with screen.step("Catalog and customers") as step:
                await set_up_entity(api)
                catalog = await set_up_catalog(api)
                await set_up_customers(api)
                step.say(f"{', '.join(catalog.plans)}; coupons {', '.join(catalog.coupons)}")
        except BaseException:
            await api.close()
            raise
    scene = Scene(
        stage=stage, api=api, tenant_id=tenant.id, today=tenant.today, catalog=catalog
    )
    stage.shop.open(api, catalog.plans, lambda plan: _sell(scene, plan))
    try:
        yield scene
    finally:
        await api.close()


async def send_request(scene: Scene) -> Sent:
    """Send the full request for a customer who does not hold the plan yet.

    Raises:
        DemoFailed: The API refused it.
    """
    screen = scene.stage.screen
    with screen.step(f"POST /api/v1{SESSIONS_PATH}") as step:
        sent, passed_over = await _offer(scene)
        step.say(f"for {sent.request['customer_id']}")
    for alias in passed_over:
        screen.note(f"{alias} holds the plan {PLAN} already, so another customer buys.")
    url = f"{scene.stage.server_url}/api/v1{SESSIONS_PATH}"
    screen.request(as_curl(url, scene.api.key, sent.request))
    screen.answer({"session": sent.session})
    screen.amounts(await scene.api.post(f"{SESSIONS_PATH}/preview", sent.request))
    return sent


def present(scene: Scene, sent: Sent) -> None:
    """Show the link and what to do with it."""
    scene.stage.screen.link(sent.session["checkout_url"], scene.shop_url)


async def pay(scene: Scene, sent: Sent) -> dict[str, Any]:
    """Buy through the page's own forms, and compare the invoice with the bank's ledger.

    Returns:
        `session`, `subscription` and `invoices` as the REST API answers them.

    Raises:
        DemoFailed: The purchase did not come about, or the bank took something else.
    """
    screen, session_id = scene.stage.screen, sent.session["id"]
    before = await _ledger(scene)
    with screen.step("Paid through the page's form") as step:
        step.say(f"then sent to {await buy(sent.session['checkout_url'])}")
    with screen.step("Subscription and invoice") as step:
        purchase = await outcome(scene.api, session_id)
        invoice = purchase.invoices[0]
        step.say(f"{purchase.subscription['id']}, {invoice['invoice_number']}")
    with screen.step("The bank's ledger agrees") as step:
        moved = [(one.kind, one.amount) for one in (await _ledger(scene))[len(before) :]]
        expected = [("CHARGE", charged_amount(purchase))]
        if moved != expected:
            raise DemoFailed(f"The bank should have moved {expected}, and moved {moved}.")
        step.say(f"{money(charged_amount(purchase), invoice['currency'])} charged once")
    return asdict(purchase)


async def _offer(scene: Scene) -> tuple[Sent, list[str]]:
    """Make the offer to Globex, else to the next customer like it that has no such plan."""
    first = str(GLOBEX["alias"])
    sibling = await newest_sibling(scene.api)
    passed_over: list[str] = []
    for customer in (first, sibling):
        if customer is None:
            continue
        try:
            return await _send(scene, customer), passed_over
        except Refused as refused:
            if refused.status != CONFLICT:
                raise
            passed_over.append(customer)
    return await _send(scene, await make_sibling(scene.api, sibling)), passed_over


async def _send(scene: Scene, customer: str) -> Sent:
    request = full_request(scene.catalog, customer, scene.today, scene.shop_url)
    answer = await scene.api.post(SESSIONS_PATH, request)
    return Sent(request=request, session=answer["session"])


async def _sell(scene: Scene, plan: str) -> str:
    """Start a checkout for somebody who chose a plan in the shop; return its link."""
    if plan == PLAN:
        sent, _ = await _offer(scene)
        return str(sent.session["checkout_url"])
    visitor = await make_sibling(scene.api, await newest_sibling(scene.api))
    request = plain_request(scene.catalog, plan, visitor, scene.shop_url)
    answer = await scene.api.post(SESSIONS_PATH, request)
    return str(answer["session"]["checkout_url"])


async def _ledger(scene: Scene) -> list[Movement]:
    bank = scene.stage.app.providers["sandbox"]
    assert isinstance(bank, Sandbox), "test tenants pay through the sandbox"
    return await bank.movements(scene.tenant_id)


@asynccontextmanager
async def _alone(data_dir: Path) -> AsyncIterator[None]:
    """Hold the demo's lock: of two at once, the second finds what the first has made."""
    with await asyncio.to_thread(_lock_file, data_dir) as file:
        await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
        yield


def _lock_file(data_dir: Path) -> IO[str]:
    data_dir.mkdir(parents=True, exist_ok=True)
    return (data_dir / LOCK_FILE).open("a")
