"""The language of a page: the one that was chosen in a footer is kept in a cookie."""

from collections.abc import Sequence

from babel import Locale
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tallystick.http.pages.assets import Assets
from tallystick.http.pages.headers import page_headers
from tallystick.http.pages.languages import choose
from tallystick.locales.choice import LANGUAGES

LANGUAGE_COOKIE = "tallystick_language"

_LANGUAGE_SECONDS = 365 * 24 * 3600


def locale_of(request: Request, preferred: Sequence[str] = ()) -> Locale:
    """The locale of whoever asks; `preferred` are those of the customer's record."""
    cookie = request.cookies.get(LANGUAGE_COOKIE)
    chosen = cookie if cookie in LANGUAGES else None
    return choose(chosen, preferred, request.headers.get("accept-language", ""))


def keep_language(assets: Assets, path: str, language: str) -> Response:
    """Keep a language that was chosen in the footer, and show the page again without it."""
    response = RedirectResponse(path, 303, page_headers())
    set_language(response, assets, language, _LANGUAGE_SECONDS)
    return response


def set_language(
    response: Response, assets: Assets, language: str, seconds: int | None = None
) -> None:
    """Keep a language for so long, or until the browser is closed."""
    response.set_cookie(
        LANGUAGE_COOKIE,
        language,
        max_age=seconds,
        # The test bank's page speaks it, too.
        path=assets.root or "/",
        secure=assets.over_https,
        httponly=True,
        samesite="lax",
    )
