"""The portal's routes: GET shows, POST does, a redirect follows.

GET  /portal?token=...                       the token goes into a cookie, out of the address
GET  /portal                                 the overview
GET  /portal/invoices/{id}                   an invoice, and how it came about
GET                      .../invoice.pdf     its document
POST                     .../pay             charge what is due to the saved method
GET  /portal/subscriptions/{id}/cancel       what cancelling means
POST                          .../cancel     cancel at the end of the period
POST                          .../keep       take that back
GET  /portal/methods/add                     the form of a new payment method
POST /portal/methods/add                     save it
GET  /portal/methods/{id}/bank               on the way to the bank's challenge
GET                     .../return           back from there
POST                    .../use              charge it from now on
GET                     .../remove           what removing it means
POST                    .../remove           charge it no more
GET  /portal/details                         how the customer is billed
POST /portal/details                         change it
POST /portal/leave                           sign out
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from tallystick.db import document_facts
from tallystick.documents.pdf import invoice_pdf
from tallystick.domain.errors import Busy, Conflict, Fault, NotFound, RateLimited
from tallystick.domain.ids import Prefix
from tallystick.domain.invoice import PaymentStatus
from tallystick.domain.payment import FailureReason
from tallystick.http.pages.assets import load_files
from tallystick.http.pages.pace import Pace
from tallystick.http.pdf import pdf_answer
from tallystick.http.portal.details import details_of, details_typed, make_details_form
from tallystick.http.portal.methods import add_methods
from tallystick.http.portal.names import id_of
from tallystick.http.portal.pages import (
    Notice,
    bare_page,
    cancel_page,
    details_page,
    overview_page,
    own_invoice_page,
)
from tallystick.http.portal.refusals import portal_route
from tallystick.http.portal.told import invoice_page
from tallystick.http.portal.visit import (
    Visit,
    arrive,
    in_language,
    leave,
    let_in,
)
from tallystick.locales.choice import LANGUAGES
from tallystick.services.checkout_view import SellerCard
from tallystick.services.context import App
from tallystick.services.manage_portal import (
    BillingDetails,
    cancel_own,
    edit_own_details,
    keep_own,
    pay_own,
)
from tallystick.services.portal_view import OwnInvoice
from tallystick.services.show_portal import (
    own_invoice,
    seller_of,
    show_own_invoice,
    show_own_subscription,
    show_portal,
)
from tallystick.services.try_limits import TOO_MANY

PAGE_MAX = 100_000

_REFUSED = 409
_ASK_AGAIN_SECONDS = 60
_BAD = 400
_DONE = frozenset(
    {"cancelled", "kept", "paid", "processing", "saved"}
    | {"method_added", "method_used", "method_removed"}
)
"""What a page may say was done."""

Opener = Callable[[Request], Awaitable[Visit]]


def router(app: App, *, posts_per_minute: int) -> APIRouter:
    """The routes of the portal; for `posts_per_minute` see `Pace`."""
    files = load_files(app.public_url, app.panel_modules)
    pace = Pace(posts_per_minute)
    routes = APIRouter(include_in_schema=False, route_class=portal_route(files))

    async def looking(request: Request) -> Visit:
        return await arrive(app, files, request, _now())

    async def doing(request: Request) -> Visit:
        if request.client is not None:
            pace.sent_from(request.client.host)
        visit = await looking(request)
        pace.sent_to(str(visit.portal.customer.id))
        return visit

    @routes.get("/portal")
    async def enter(
        request: Request,
        token: str = "",
        lang: str = "",
        done: str = "",
        page: Annotated[int, Query(ge=0, le=PAGE_MAX)] = 0,
    ) -> Response:
        if token:
            return await let_in(app, files, token, _now())
        if lang in LANGUAGES:
            return in_language(files, request, lang)
        visit = await looking(request)
        view = await show_portal(visit.portal, page)
        notice = _notice(visit, done)
        return visit.html(overview_page(visit, view, page, notice), view.seller.logo_url)

    _add_invoices(routes, looking, doing)
    _add_subscriptions(routes, looking, doing)
    _add_details(routes, looking, doing)
    add_methods(routes, looking, doing, partial(_asking, pace, looking))

    @routes.post("/portal/leave")
    async def sign_out(request: Request) -> Response:
        visit = await doing(request)
        await visit.form()
        return leave(files, bare_page("portal_left", visit.say, files, goes_home=False))

    @routes.get("/portal/{_:path}")
    async def elsewhere(_: str = "") -> Response:
        raise NotFound("There is no such page.")

    return routes


async def _asking(pace: Pace, looking: Opener, request: Request) -> Visit:
    """Let in who makes us ask the provider, as often as that may be asked.

    Raises:
        RateLimited: It was asked too often.
    """
    visit = await looking(request)
    client = request.client
    if not pace.may_ask(client and client.host, str(visit.portal.customer.id)):
        raise RateLimited("This was asked too often.", _ASK_AGAIN_SECONDS)
    return visit


def _add_invoices(routes: APIRouter, looking: Opener, doing: Opener) -> None:
    @routes.get("/portal/invoices/{name}")
    async def invoice(request: Request, name: str, lang: str = "", done: str = "") -> Response:
        visit = await looking(request)
        if lang in LANGUAGES:
            return in_language(visit.files, request, lang)
        own = await show_own_invoice(visit.portal, id_of(Prefix.INVOICE, name))
        is_paid = own.entry.payment_status is PaymentStatus.PAID
        # Whatever the address says: what is not paid is not called so.
        told = "" if done == "paid" and not is_paid else done
        return await _invoice(visit, own, _notice(visit, told))

    @routes.get("/portal/invoices/{name}/invoice.pdf")
    async def download(request: Request, name: str) -> Response:
        visit = await looking(request)
        return await _download(visit, id_of(Prefix.INVOICE, name))

    @routes.get("/portal/invoices/{name}/pay")
    async def paid_before(request: Request, name: str) -> Response:
        # A form's answer was loaded again: what it did is done, the page shows how it stands.
        visit = await looking(request)
        return visit.go(f"/invoices/{name}")

    @routes.post("/portal/invoices/{name}/pay")
    async def pay(request: Request, name: str) -> Response:
        visit = await doing(request)
        submitted = await visit.form()
        invoice_id = id_of(Prefix.INVOICE, name)
        try:
            try_id = visit.try_of(invoice_id, submitted.get("try"))
            await pay_own(visit.portal, invoice_id, try_id, visit.payer)
        except Busy:
            return visit.go(f"/invoices/{name}?done=processing")
        except Conflict as refused:
            own = await show_own_invoice(visit.portal, invoice_id)
            return await _invoice(visit, own, _declined(visit, refused), _REFUSED)
        own = await show_own_invoice(visit.portal, invoice_id)
        is_paid = own.entry.payment_status is PaymentStatus.PAID
        return visit.go(f"/invoices/{name}?done={'paid' if is_paid else 'processing'}")


def _add_subscriptions(routes: APIRouter, looking: Opener, doing: Opener) -> None:
    path = "/portal/subscriptions/{name}"

    @routes.get(path + "/cancel")
    async def ask(request: Request, name: str, lang: str = "") -> Response:
        visit = await looking(request)
        if lang in LANGUAGES:
            return in_language(visit.files, request, lang)
        own = await show_own_subscription(visit.portal, id_of(Prefix.SUBSCRIPTION, name))
        if own.ends_if_cancelled is None or not visit.portal.may_manage:
            return visit.go("")
        seller = await _seller(visit)
        return visit.html(cancel_page(visit, seller, own), seller.logo_url)

    @routes.post(path + "/cancel")
    async def cancel(request: Request, name: str) -> Response:
        visit = await doing(request)
        await visit.form()
        await cancel_own(visit.portal, id_of(Prefix.SUBSCRIPTION, name))
        return visit.go("?done=cancelled")

    @routes.get(path + "/keep")
    async def kept_before(request: Request, name: str) -> Response:
        visit = await looking(request)
        id_of(Prefix.SUBSCRIPTION, name)
        return visit.go("")

    @routes.post(path + "/keep")
    async def keep(request: Request, name: str) -> Response:
        visit = await doing(request)
        await visit.form()
        await keep_own(visit.portal, id_of(Prefix.SUBSCRIPTION, name))
        return visit.go("?done=kept")


def _add_details(routes: APIRouter, looking: Opener, doing: Opener) -> None:
    @routes.get("/portal/details")
    async def details(request: Request, lang: str = "") -> Response:
        visit = await looking(request)
        if lang in LANGUAGES:
            return in_language(visit.files, request, lang)
        if not visit.portal.may_manage:
            return visit.go("")
        return await _details(visit)

    @routes.post("/portal/details")
    async def change(request: Request) -> Response:
        visit = await doing(request)
        typed = details_typed(await visit.form())
        faults = await edit_own_details(visit.portal, typed)
        if not faults:
            return visit.go("?done=saved")
        return await _details(visit, typed, faults)


async def _details(
    visit: Visit, typed: BillingDetails | None = None, faults: tuple[Fault, ...] = ()
) -> Response:
    """The form: with what was typed and is wrong with it, else with what is kept."""
    form = make_details_form(typed or details_of(visit.portal.customer), faults, visit.say)
    seller = await _seller(visit)
    status = _BAD if faults else 200
    return visit.html(details_page(visit, seller, form), seller.logo_url, status)


async def _invoice(
    visit: Visit, own: OwnInvoice, notice: Notice | None, status: int = 200
) -> Response:
    seller = await _seller(visit)
    shown = invoice_page(
        own,
        visit.portal.context.today,
        visit.say,
        may_manage=visit.portal.may_manage,
        seller=seller.legal_name,
    )
    page = own_invoice_page(visit, seller, shown, notice, visit.new_try(own.entry.id))
    return visit.html(page, seller.logo_url, status)


async def _download(visit: Visit, invoice_id: UUID) -> Response:
    """The document of an invoice; raises `NotFound` for anybody else's, and drafts."""
    ctx = visit.portal.context
    async with ctx.app.database.connection() as tx:
        await own_invoice(visit.portal, tx, invoice_id)
        found = await document_facts.of_invoice(
            tx, ctx.tenant.id, invoice_id, ctx.tenant.time_zone
        )
    assert found is not None, "it was just read"
    return pdf_answer(await invoice_pdf(found))


async def _seller(visit: Visit) -> SellerCard:
    ctx = visit.portal.context
    async with ctx.app.database.connection() as tx:
        return await seller_of(ctx, tx, visit.portal.customer.invoicing_entity_id)


def _notice(visit: Visit, done: str) -> Notice | None:
    """What the page before says was done; nothing else is said."""
    if done not in _DONE:
        return None
    return Notice(tone="good", text=visit.say.words(f"done.{done}"))


def _declined(visit: Visit, refused: Conflict) -> Notice:
    """Why nothing was charged, in the words of the checkout page where it has any."""
    words = visit.say.words
    for fault in refused.faults:
        if fault.code.upper() in FailureReason.__members__:
            return Notice(tone="bad", text=words.of(FailureReason[fault.code.upper()]))
        if fault == TOO_MANY:
            return Notice(tone="bad", text=words.fault(fault))
    return Notice(tone="bad", text=words("invoice.not_paid"))


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the door: here the request's `now` is fixed
