"""The page's routes: GET shows, POST does, a redirect follows.

GET  /checkout/{session}/{signature}                 the page, whatever state it is in
POST                              .../quote           what was typed changes the total
POST                              .../confirm         buy
GET                               .../return          back from the bank
GET                               .../bank            on the way to the bank's challenge
POST                              .../another-method  leave the bank, pay in another way
GET                               .../status          a waiting page asks
GET                               .../invoice.pdf     what was bought, for the browser that paid
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tallystick.db import document_facts
from tallystick.documents.pdf import invoice_pdf
from tallystick.domain.errors import NotFound
from tallystick.domain.session import SessionState
from tallystick.http.checkout.confirming import answer, confirm
from tallystick.http.checkout.form import Typed
from tallystick.http.checkout.keeping import keep
from tallystick.http.checkout.page import quote_fragments
from tallystick.http.checkout.states import show, show_way_to_bank
from tallystick.http.checkout.visit import Visit, arrive, links_of
from tallystick.http.pages.assets import Assets, load_files
from tallystick.http.pages.chosen_language import keep_language
from tallystick.http.pages.headers import page_headers
from tallystick.http.pages.pace import Pace
from tallystick.http.pages.refusals import page_route
from tallystick.http.pages.submitted import Submitted, read_form
from tallystick.http.pages.waiting import waiting_fragment
from tallystick.http.pdf import pdf_answer
from tallystick.locales.choice import LANGUAGES
from tallystick.services.confirm_result import ConfirmResult, InFlight
from tallystick.services.context import App
from tallystick.services.continue_checkout import continue_checkout, use_another_method
from tallystick.services.show_checkout import show_checkout

_BAD = 400
_PAGE = "/checkout/{session}/{signature}"


Opener = Callable[[Request, str, str], Awaitable[Visit]]


def router(app: App, *, posts_per_minute: int) -> APIRouter:
    """The routes of the page; for `posts_per_minute` see `Pace`."""
    assets = load_files(app.public_url, app.panel_modules).shared
    pace = Pace(posts_per_minute)
    routes = APIRouter(include_in_schema=False, route_class=page_route(assets))

    async def visit_of(request: Request, session: str, signature: str) -> Visit:
        now = datetime.now(UTC)  # noqa: TID251 - the door: here the request's `now` is fixed
        return await arrive(app, assets, pace, request, (session, signature), now)

    async def paced(request: Request, session: str, signature: str) -> Visit:
        if request.client is not None:
            pace.sent_from(request.client.host)
        visit = await visit_of(request, session, signature)
        pace.sent_to(visit.session_name)
        return visit

    _add_reading(routes, assets, visit_of)
    _add_doing(routes, paced)

    @routes.get("/checkout")
    @routes.get("/checkout/{_:path}")
    async def part_of_a_link(_: str = "") -> Response:
        raise NotFound("There is no such checkout")

    return routes


def _add_reading(routes: APIRouter, assets: Assets, visit_of: Opener) -> None:
    """What a browser looks at."""

    @routes.get(_PAGE)
    async def page(request: Request, session: str, signature: str, lang: str = "") -> Response:
        if lang in LANGUAGES:
            return keep_language(assets, links_of(assets.root, session, signature).page, lang)
        visit = await visit_of(request, session, signature)
        view = await show_checkout(visit.context, visit.session_id, paid_with=visit.paid_with)
        return show(visit, view)

    @routes.get(_PAGE + "/return")
    async def back_from_bank(request: Request, session: str, signature: str) -> Response:
        visit = await visit_of(request, session, signature)
        result = await _how_it_stands(visit)
        return await answer(visit, result)

    @routes.get(_PAGE + "/bank")
    async def way_to_bank(request: Request, session: str, signature: str) -> Response:
        visit = await visit_of(request, session, signature)
        view = await show_checkout(visit.context, visit.session_id, paid_with=None)
        return show_way_to_bank(visit, view)

    @routes.get(_PAGE + "/quote")
    @routes.get(_PAGE + "/confirm")
    @routes.get(_PAGE + "/another-method")
    async def sent_before(request: Request, session: str, signature: str) -> Response:
        # A form's answer was loaded again: what it did is done, the page shows how it stands.
        visit = await visit_of(request, session, signature)
        return visit.go(visit.links.page)

    @routes.get(_PAGE + "/invoice.pdf")
    async def invoice(request: Request, session: str, signature: str) -> Response:
        visit = await visit_of(request, session, signature)
        return await _invoice(visit)

    @routes.get(_PAGE + "/status")
    async def status(request: Request, session: str, signature: str, look: int = 1) -> Response:
        visit = await visit_of(request, session, signature)
        result = await _how_it_stands(visit)
        if isinstance(result, InFlight):
            return HTMLResponse(waiting_fragment(visit.links, look), headers=page_headers())
        return await answer(visit, result)


async def _invoice(visit: Visit) -> Response:
    """The invoice of a completed checkout, under the same rule as its confirmation.

    Raises:
        NotFound: There is none, or this browser did not pay.
    """
    ctx = visit.context
    view = await show_checkout(ctx, visit.session_id, paid_with=visit.paid_with)
    card = None if view.completed is None else view.completed.invoice
    if card is None or card.number is None:
        raise NotFound("There is no such invoice")
    async with ctx.app.database.connection() as tx:
        found = await document_facts.of_invoice(
            tx, ctx.tenant.id, card.id, ctx.tenant.time_zone
        )
    assert found is not None, "what was paid has its invoice"
    return pdf_answer(await invoice_pdf(found))


async def _how_it_stands(visit: Visit) -> ConfirmResult:
    """What has become of the payment; the provider is asked as often as its pace allows."""
    return await continue_checkout(visit.context, visit.session_id, asks=visit.may_ask)


def _add_doing(routes: APIRouter, visit_of: Opener) -> None:
    """What a browser sends: each form carries the token of its page."""

    @routes.post(_PAGE + "/quote")
    async def quote(request: Request, session: str, signature: str) -> Response:
        visit = await visit_of(request, session, signature)
        return await _requote(visit, await _form_of(request, visit))

    @routes.post(_PAGE + "/confirm")
    async def buy(request: Request, session: str, signature: str) -> Response:
        visit = await visit_of(request, session, signature)
        return await confirm(visit, await _form_of(request, visit))

    @routes.post(_PAGE + "/another-method")
    async def another_method(request: Request, session: str, signature: str) -> Response:
        visit = await visit_of(request, session, signature)
        await _form_of(request, visit)
        result = await use_another_method(visit.context, visit.session_id)
        return await answer(visit, result)


async def _requote(visit: Visit, submitted: Submitted) -> Response:
    """Keep what was typed and show what it makes of the total.

    What is still missing is not said here: the buyer is typing.
    """
    faults = tuple(fault for fault in await keep(visit, submitted) if fault.code != "required")
    view = await show_checkout(visit.context, visit.session_id, paid_with=visit.paid_with)
    if view.status is not SessionState.CREATED or view.quote is None:
        return visit.go(visit.links.page)
    typed = Typed(
        buyer=submitted.buyer, code=submitted.code, method=submitted.method, faults=faults
    )
    if visit.wants_fragments:
        sheet = visit.sheet(view)
        return visit.html(quote_fragments(view, view.quote, sheet, typed, submitted), view)
    if faults:
        return show(visit, view, typed, status=_BAD)
    return visit.go(visit.links.page)


async def _form_of(request: Request, visit: Visit) -> Submitted:
    """The form that was sent, once it is known to come from our page."""
    submitted = await read_form(request)
    visit.check_form(submitted)
    return submitted
