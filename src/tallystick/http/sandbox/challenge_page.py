"""Two routes and two files: the page on which the test bank's 3-D Secure is answered.

The page has no session, so there is no standing power that a foreign site could borrow; the one
cookie that it reads is the language of the checkout page. What lets somebody answer is the
address itself, 192 random bits that only the buyer was sent to. An address can leak (a log, a
shared screen) without its page having been read, so a form must also bring back a token of the
intent that stands nowhere but in the page.

The answer to the form is a redirect to the page itself, and the page, once answered, sends the
buyer on with a refresh of zero seconds. A redirect straight to the merchant's pages would tie
every later redirect to this page's `form-action`, which cannot know where they lead.
"""

import re
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from jinja2 import FileSystemLoader

from tallystick.domain.ids import MalformedId, Prefix, decode, encode
from tallystick.domain.money import major
from tallystick.domain.payment import (
    Cancelled,
    Declined,
    NeedsAction,
    Pending,
    Standing,
    Succeeded,
    Unconfirmed,
    Unknown,
)
from tallystick.http.errors import unexpected
from tallystick.http.pages.chosen_language import locale_of
from tallystick.http.pages.drawing import environment
from tallystick.http.pages.refusals import (
    AWAY,
    DEFECT,
    PAUSE_SECONDS,
    meaning,
    route_of_pages,
)
from tallystick.http.pages.teller import Teller, teller_for
from tallystick.providers.sandbox import Challenge, Sandbox
from tallystick.providers.sandbox_calls import NoSuchIntent

MerchantName = Callable[[UUID], Awaitable[str]]
"""Tells the name of the merchant that a tenant is, as buyers know it."""

_FOLDER = Path(__file__).parent
_REFERENCE = re.compile(r"sbx_(pay|set)_[A-Za-z0-9_-]{32}")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_STYLE_SECONDS = 300

_pages = environment(FileSystemLoader(_FOLDER / "templates"))


def router(sandbox: Sandbox, merchant_name: MerchantName) -> APIRouter:
    """The challenge page's routes, all below `/sandbox`."""
    routes = APIRouter(
        prefix="/sandbox", include_in_schema=False, route_class=route_of_pages(_refused)
    )

    _add_files(routes)

    @routes.get("/challenge/{reference}")
    async def show(request: Request, reference: str, tenant: str = "") -> Response:
        say = _teller(request)
        found = await _find(sandbox, reference, tenant)
        if found is None:
            return _page("missing.html", say, 404)
        tenant_id, challenge = found
        brand = challenge.card_brand.capitalize()
        return _page(
            "challenge.html",
            say,
            amount=_amount(challenge, say),
            card=say.words("method.card_ending", brand=brand, last4=challenge.card_last4),
            challenge=challenge,
            merchant=await merchant_name(tenant_id),
            result=say.words(f"bank.{_result(challenge.standing)}"),
        )

    @routes.post("/challenge/{reference}")
    async def answer(
        request: Request,
        reference: str,
        tenant: str = "",
        form_token: Annotated[str, Form()] = "",
        answer: Annotated[str, Form()] = "",
    ) -> Response:
        say = _teller(request)
        found = await _find(sandbox, reference, tenant)
        if found is None:
            return _page("missing.html", say, 404)
        tenant_id, challenge = found
        expected = challenge.form_token.encode()
        if not secrets.compare_digest(form_token.encode(errors="replace"), expected):
            return _page("foreign.html", say, 403)
        if answer not in {"approve", "refuse"}:
            return _page("foreign.html", say, 400)
        await sandbox.answer_challenge(tenant_id, reference, approve=answer == "approve")
        # Relative, so that it holds under whatever path the pages are served.
        same_page = f"{reference}?tenant={encode(Prefix.TENANT, tenant_id)}"
        return RedirectResponse(same_page, 303, headers=_HEADERS)

    return routes


def _add_files(routes: APIRouter) -> None:
    @routes.get("/challenge.css")
    async def style() -> Response:
        return FileResponse(
            _FOLDER / "challenge.css",
            headers={"Cache-Control": f"max-age={_STYLE_SECONDS}"},
        )

    @routes.get("/challenge.svg")
    async def icon() -> Response:
        return FileResponse(
            _FOLDER / "challenge.svg",
            headers={"Cache-Control": f"max-age={_STYLE_SECONDS}"},
        )


async def _find(sandbox: Sandbox, reference: str, tenant: str) -> tuple[UUID, Challenge] | None:
    """The challenge behind an address, None when the address is not one of ours."""
    if _REFERENCE.fullmatch(reference) is None:
        return None
    try:
        tenant_id = decode(Prefix.TENANT, tenant)
        return tenant_id, await sandbox.challenge(tenant_id, reference)
    except (MalformedId, NoSuchIntent):
        return None


def _teller(request: Request) -> Teller:
    """The buyer's language: chosen on the checkout page, else their browser's."""
    return teller_for(locale_of(request), __package__)


def _amount(challenge: Challenge, say: Teller) -> str | None:
    """The amount as a bank writes it: the currency's code, and all of its decimals."""
    if challenge.amount is None:
        return None
    currency = challenge.currency
    number = say.formats.decimal(major(challenge.amount, currency), currency)
    return say.words("bank.money", currency=currency, number=number)


def _result(standing: Standing) -> str:
    """The word for how it stands once there is nothing to answer any more."""
    match standing:
        case Succeeded():
            return "approved"
        case Declined():
            return "refused"
        case Cancelled():
            return "cancelled"
        case NeedsAction() | Pending() | Unconfirmed() | Unknown():
            return "waiting"


def _refused(error: Exception, request: Request) -> Response:
    """What a buyer sees when the bank cannot answer: a page of the bank's, no error body."""
    key, status = meaning(error)
    if status >= DEFECT and not isinstance(error, AWAY):
        unexpected(request.scope, error)
    say = _teller(request)
    if key == "refused":
        return _page("foreign.html", say, status)
    page = _page("away.html", say, status)
    if key == "busy":
        page.headers["Retry-After"] = str(PAUSE_SECONDS)
    return page


def _page(name: str, say: Teller, status: int = 200, **values: object) -> Response:
    content = _pages.get_template(name).render(t=say.words, **values)
    return HTMLResponse(content, status, _HEADERS)
