"""A shop whose pages are served, in a thread beside the tests."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from tallystick.db.engine import Database
from tallystick.http.app import create_app
from tallystick.providers.panel_modules import panel_modules
from tallystick.providers.sandbox import Sandbox
from tallystick.services.context import App
from tallystick.services.link import checkout_url
from tests.world import SoldPlan, World, open_world

Result = TypeVar("Result")
Bank = Callable[[Database, str], Sandbox]
"""Makes a bank of a database and of the address of the pages."""


@dataclass(frozen=True, kw_only=True)
class Pages:
    """The pages on a port of their own."""

    app: App
    sandbox: Sandbox
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do something in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=30)


@dataclass(frozen=True, kw_only=True)
class Shop:
    """One merchant, whose buyers come with a browser."""

    pages: Pages
    world: World

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do something in the shop: `shop.run(shop.world.charges())`."""
        return self.pages.run(work)

    def link(self, plan: SoldPlan | None = None, **fields: Any) -> str:  # noqa: ANN401
        """The link of a new session; `customer_id` among the fields names an own customer."""
        plan = plan or self.run(self.world.plan())
        customer_id: UUID = fields.pop("customer_id", None) or self.run(self.world.customer())
        session_id = self.run(self.world.session(customer_id, plan, **fields))
        return self.link_of(session_id)

    def link_of(self, session_id: UUID) -> str:
        """The link of a session."""
        tenant = self.world.ctx.tenant
        return checkout_url(self.pages.app.public_url, tenant.link_secret, session_id)

    def open_account(self) -> None:
        """Give the merchant a bank account to transfer to."""
        self.change(
            "insert into bank_accounts (tenant_id, id, invoicing_entity_id, holder, iban) "
            "select tenant_id, gen_random_uuid(), id, 'Acme Cloud SAS', "
            "'FR7630006000011234567890189' from invoicing_entities where tenant_id = $1"
        )

    def tax_by_eu_vat(self) -> None:
        """Tax as the European Union does."""
        self.change("update invoicing_entities set tax_engine = 'EU_VAT' where tenant_id = $1")

    def change(self, query: str, *args: object) -> None:
        """Change something of this tenant, which is the statement's first parameter."""
        self.run(self.world.execute(query, self.world.tenant_id, *args))

    @property
    def charges(self) -> list[int]:
        """Every amount that the bank has taken."""
        return self.run(self.world.charges())

    @property
    def subscriptions(self) -> int:
        """How many subscriptions there are."""
        query = "select id from subscriptions where tenant_id = $1"
        return len(self.run(self.world.fetch(query, self.world.tenant_id)))


def _test_bank(database: Database, url: str) -> Sandbox:
    return Sandbox(database, public_url=url, debit_seconds=5)


def _as_it_is(app: App) -> App:
    return app


@contextmanager
def served(
    dsn: str, bank: Bank = _test_bank, wire: Callable[[App], App] = _as_it_is
) -> Iterator[Pages]:
    """Serve the pages on a database until the block ends.

    `bank` is behind them, and `wire` changes how the application is wired.
    """
    ready: list[Pages] = []
    started, ended = threading.Event(), threading.Event()
    server = uvicorn.Server(uvicorn.Config("", port=0, ws="none", log_config=None))

    async def main() -> None:
        socket = server.config.bind_socket()
        url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        database = await Database.open(dsn)
        sandbox = bank(database, url)
        app = App(
            database=database,
            providers={"sandbox": sandbox},
            public_url=url,
            call_limit_seconds=20,
            plan_versions={},
            panel_modules=panel_modules(),
        )
        app = wire(app)
        server.config.app = _with_merchant(create_app(app))
        ready.append(Pages(app=app, sandbox=sandbox, loop=asyncio.get_running_loop()))
        serving = asyncio.create_task(server.serve(sockets=[socket]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        started.set()
        await serving
        await database.close()

    def thread() -> None:
        try:
            asyncio.run(main())
        finally:
            started.set()
            ended.set()

    threading.Thread(target=thread, daemon=True).start()
    started.wait(timeout=30)
    assert ready, "the pages are served"
    try:
        yield ready[0]
    finally:
        server.should_exit = True
        ended.wait(timeout=30)


def open_shop(pages: Pages) -> Shop:
    """A merchant of its own."""
    world = pages.run(open_world(pages.app.database))
    world.app, world.sandbox = pages.app, pages.sandbox
    world.ctx = replace(world.ctx, app=pages.app)
    return Shop(pages=pages, world=world)


def _with_merchant(web: FastAPI) -> FastAPI:
    """The application, and in it a page that plays the merchant's own site."""

    async def merchant() -> HTMLResponse:
        return HTMLResponse("<!doctype html><html lang=en><title>Acme</title><h1>Acme</h1>")

    web.get("/merchant/{rest:path}")(merchant)
    return web
