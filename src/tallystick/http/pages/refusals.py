"""What a buyer sees when a request of theirs cannot be answered: a page, no error body."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from typing_extensions import override

from tallystick.db.engine import DatabaseUnavailable
from tallystick.db.refusals import Contention, LockTimeout, StatementTimeout
from tallystick.domain.errors import (
    Busy,
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    TallystickError,
)
from tallystick.http.errors import BodyTooLarge, status_of, unexpected
from tallystick.http.pages.assets import Assets
from tallystick.http.pages.chosen_language import locale_of
from tallystick.http.pages.headers import page_headers
from tallystick.http.pages.message import bare_page, in_words

AWAY = (DatabaseUnavailable, StatementTimeout, LockTimeout, *Contention)
"""The database cannot be asked right now."""
DEFECT = 500
PAUSE_SECONDS = 2

_UNAVAILABLE = 503
_BAD = 400
_TOO_LARGE = 413


def page_route(assets: Assets) -> type[APIRoute]:
    """The class of routes that answer with pages: whatever they raise becomes one."""
    return route_of_pages(lambda error, request: _page_of(error, request, assets))


def route_of_pages(page_of: Callable[[Exception, Request], Response]) -> type[APIRoute]:
    """A class of routes that answer whatever they raise with a page of this kind."""

    class PageRoute(APIRoute):
        @override
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            inner = super().get_route_handler()

            async def handle(request: Request) -> Response:
                try:
                    return await inner(request)
                except ClientDisconnect:
                    # Nobody is left to see a page; the edge knows.
                    raise
                except Exception as error:  # noqa: BLE001 - people get a page in any case
                    return page_of(error, request)

            return handle

    return PageRoute


def _page_of(error: Exception, request: Request, assets: Assets) -> Response:
    key, status = meaning(error)
    if status >= DEFECT and not isinstance(error, AWAY):
        unexpected(request.scope, error)
    locale = locale_of(request)
    headers = page_headers()
    if key in {"busy", "often"}:
        headers["Retry-After"] = str(getattr(error, "retry_after_seconds", PAUSE_SECONDS))
    is_update = request.headers.get("hx-request") == "true"
    if is_update and key == "often":
        # What was typed stays: our script says the sentence below the form.
        return PlainTextResponse(in_words(key, locale), status, headers)
    if is_update:
        # htmx swaps no error; what is open is loaded again and says where it stands.
        headers["HX-Refresh"] = "true"
    icon = "search" if key == "unknown" else "alert"
    return HTMLResponse(bare_page(key, icon, locale, assets), status, headers)


def meaning(error: Exception) -> tuple[str, int]:
    """The section of the catalogue that says what happened, and the status code."""
    match error:
        case NotFound():
            return "unknown", status_of(error)
        case Forbidden():
            return "stale", status_of(error)
        case RateLimited():
            return "often", status_of(error)
        case Busy():
            return "busy", status_of(error)
        case InvalidInput():
            return "refused", status_of(error)
        case RequestValidationError():
            return "refused", _BAD
        case BodyTooLarge():
            return "refused", _TOO_LARGE
        case TallystickError():
            return "broken", status_of(error)
        case _ if isinstance(error, AWAY):
            return "busy", _UNAVAILABLE
        case _:
            return "broken", DEFECT
