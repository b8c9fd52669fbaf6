"""The routes of our own files.

GET  /assets/checkout/{name}                 what every page needs
GET  /assets/portal/{name}                   what the portal and the page of an invoice add
"""

from fastapi import APIRouter
from starlette.responses import Response

from tallystick.http.pages.assets import Assets, load_files
from tallystick.http.pages.headers import asset_headers
from tallystick.http.pages.refusals import page_route
from tallystick.services.context import App


def router(app: App) -> APIRouter:
    """The routes, below `/assets`."""
    files = load_files(app.public_url, app.panel_modules)
    routes = APIRouter(
        prefix="/assets", include_in_schema=False, route_class=page_route(files.shared)
    )

    @routes.get("/checkout/{name}")
    async def shared(name: str) -> Response:
        return _answer(files.shared, name)

    @routes.get("/portal/{name}")
    async def portal(name: str) -> Response:
        return _answer(files.portal, name)

    return routes


def _answer(assets: Assets, name: str) -> Response:
    found = assets.find(name)
    if found is None:
        return Response(status_code=404)
    return Response(
        found.content,
        media_type=found.media_type,
        headers=asset_headers(is_current=found.is_current),
    )
