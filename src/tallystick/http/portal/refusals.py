"""What a customer sees when a request cannot be answered: a page, no error body."""

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import HTMLResponse

from tallystick.domain.errors import Unauthorized
from tallystick.http.errors import unexpected
from tallystick.http.pages.assets import Files
from tallystick.http.pages.chosen_language import locale_of
from tallystick.http.pages.headers import page_headers
from tallystick.http.pages.refusals import AWAY, DEFECT, PAUSE_SECONDS, meaning, route_of_pages
from tallystick.http.portal.pages import bare_page
from tallystick.http.portal.words import teller_for

_CLOSED = 401


def portal_route(files: Files) -> type[APIRoute]:
    """The class of the portal's routes: whatever they raise becomes a page."""
    return route_of_pages(lambda error, request: _page_of(error, request, files))


def _page_of(error: Exception, request: Request, files: Files) -> HTMLResponse:
    if isinstance(error, Unauthorized):
        key, status = "closed", _CLOSED
    else:
        key, status = meaning(error)
    if status >= DEFECT and not isinstance(error, AWAY):
        unexpected(request.scope, error)
    headers = page_headers()
    if key in {"busy", "often"}:
        headers["Retry-After"] = str(getattr(error, "retry_after_seconds", PAUSE_SECONDS))
    say = teller_for(locale_of(request))
    page = bare_page(f"portal_{key}", say, files, goes_home=key != "closed")
    return HTMLResponse(page, status, headers)
