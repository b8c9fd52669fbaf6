"""The web application: every router, the edge around them, and their document."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI

from tallystick.http.door import Gate
from tallystick.http.edge import BODY_BYTES_MAX, Edge
from tallystick.http.errors import add_error_handlers
from tallystick.http.keyring import Keyring
from tallystick.http.v1 import ROUTERS
from tallystick.services.context import App

API_PATH = "/api/v1"


def create_app(
    app: App,
    *,
    requests_per_second: float = 0,
    body_bytes_max: int = BODY_BYTES_MAX,
    lifespan: Callable[[], AbstractAsyncContextManager[None]] | None = None,
) -> FastAPI:
    """Assemble the application.

    Args:
        app: What is wired once per process.
        requests_per_second: How much one API key may ask of this process; 0 for no limit.
        body_bytes_max: The largest body that is read.
        lifespan: What else runs while the application serves.
    """
    keyring = Keyring(app.database, requests_per_second=requests_per_second)

    @asynccontextmanager
    async def serving(_: FastAPI) -> AsyncIterator[None]:
        async with keyring.listening():
            if lifespan is None:
                yield
            else:
                async with lifespan():
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
    api = APIRouter(prefix=API_PATH)
    for router in ROUTERS:
        api.include_router(router)
    web.include_router(api)
    add_error_handlers(web)
    web.add_middleware(Edge, body_bytes_max=body_bytes_max)
    return web
