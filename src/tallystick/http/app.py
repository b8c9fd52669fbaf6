"""The web application: every router, the edge around them, and their document."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from uuid import UUID

from fastapi import APIRouter, FastAPI
from starlette.responses import FileResponse, HTMLResponse, Response

from tallystick.db import invoicing_entities
from tallystick.http import api_page, openapi
from tallystick.http.checkout.router import router as checkout_router
from tallystick.http.door import Gate
from tallystick.http.edge import BODY_BYTES_MAX, Edge
from tallystick.http.errors import add_error_handlers
from tallystick.http.inbound.router import router as inbound_router
from tallystick.http.keyring import Keyring
from tallystick.http.pages.router import router as pages_router
from tallystick.http.pay.router import router as pay_router
from tallystick.http.portal.router import router as portal_router
from tallystick.http.sandbox.challenge_page import router as challenge_router
from tallystick.http.v1 import ROUTERS, batch_jobs
from tallystick.providers.sandbox import Sandbox
from tallystick.services.context import App

API_PATH = "/api/v1"


def create_app(
    app: App,
    *,
    requests_per_second: float = 0,
    page_posts_per_minute: int = 0,
    body_bytes_max: int = BODY_BYTES_MAX,
    import_bytes_max: int = batch_jobs.IMPORT_BYTES_MAX,
) -> FastAPI:
    """Assemble the application.

    Args:
        app: What is wired once per process.
        requests_per_second: How much one API key may ask of all processes; 0 for no limit.
        page_posts_per_minute: How many forms of checkout pages one address may send to this
            process, and how many may be sent to one link; 0 for no limit.
        body_bytes_max: The largest body that is read.
        import_bytes_max: The largest file that is taken to be imported.
    """
    keyring = Keyring(app.database, requests_per_second=requests_per_second)

    @asynccontextmanager
    async def serving(_: FastAPI) -> AsyncIterator[None]:
        async with keyring.listening():
            yield

    web = FastAPI(
        title="Tallystick",
        lifespan=serving,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    web.state.gate = Gate(app, keyring)
    api = api_router()
    web.include_router(api)
    web.include_router(pages_router(app))
    web.include_router(checkout_router(app, posts_per_minute=page_posts_per_minute))
    web.include_router(portal_router(app, posts_per_minute=page_posts_per_minute))
    web.include_router(pay_router(app, posts_per_minute=page_posts_per_minute))
    web.include_router(inbound_router(app))
    sandbox = app.providers.get("sandbox")
    if isinstance(sandbox, Sandbox):
        web.include_router(challenge_router(sandbox, _merchant_names(app)))
    web.include_router(_about(api, app))
    add_error_handlers(web)
    web.add_middleware(
        Edge, body_bytes_max=body_bytes_max, others={batch_jobs.PATH: import_bytes_max}
    )
    return web


@cache
def api_router() -> APIRouter:
    """Every resource of the REST API, below `/api/v1`: one router for all applications."""
    api = APIRouter(prefix=API_PATH, generate_unique_id_function=openapi.operation_id)
    for router in ROUTERS:
        api.include_router(router)
    return api


def _about(api: APIRouter, app: App) -> APIRouter:
    """Whether the program is well, and what its API is like."""
    routes = APIRouter(include_in_schema=False)
    made: dict[str, bytes] = {}

    def describe() -> None:
        found = openapi.document(api, app.public_url)
        made["page"] = api_page.render(found).encode()
        made["document"] = json.dumps(found).encode()

    async def described(what: str) -> bytes:
        """Made when somebody first asks, beside the requests that are being answered."""
        if what not in made:
            await asyncio.to_thread(describe)
        return made[what]

    @routes.get("/health")
    async def health() -> Response:
        async with app.database.connection() as connection:
            await connection.execute("select 1")
        return Response(b'{"status":"ok"}', media_type="application/json")

    @routes.get("/api-docs/openapi.json")
    async def document() -> Response:
        return Response(await described("document"), media_type="application/json")

    @routes.get("/api-docs")
    async def page() -> Response:
        return HTMLResponse(await described("page"), headers=api_page.HEADERS)

    @routes.get("/api-docs/style.css")
    async def style() -> Response:
        return FileResponse(api_page.STYLE, headers={"Cache-Control": "max-age=300"})

    return routes


def _merchant_names(app: App) -> Callable[[UUID], Awaitable[str]]:
    """Tells the name that a tenant sells under."""

    async def name(tenant_id: UUID) -> str:
        async with app.database.connection() as connection:
            return await invoicing_entities.default_name(connection, tenant_id)

    return name
