"""The routes of an invoice's page: GET shows, POST does, a redirect follows.

GET  /pay/{tenant}/{invoice}/{signature}                 the invoice, whatever state it is in
POST                                    .../confirm         pay what it shows
GET                                     .../return          back from the bank
GET                                     .../bank            on the way to the bank's challenge
POST                                    .../another-method  leave the bank, pay in another way
GET                                     .../status          a waiting page asks
GET                                     .../invoice.pdf     its document
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import assert_never

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tallystick.documents.pdf import invoice_pdf
from tallystick.domain.errors import Fault, NotFound
from tallystick.domain.offer import OnlinePayment
from tallystick.domain.payment import Method, MethodKind, MethodRefused
from tallystick.http.pages.alerts import Alert
from tallystick.http.pages.assets import Files, load_files
from tallystick.http.pages.buyer_origin import acceptance_from
from tallystick.http.pages.chosen_language import keep_language
from tallystick.http.pages.headers import page_headers
from tallystick.http.pages.mandate import CONSENT_VERSION
from tallystick.http.pages.pace import Pace
from tallystick.http.pages.panel import missing_token, payment_fields
from tallystick.http.pages.refusals import page_route
from tallystick.http.pages.submitted import Submitted
from tallystick.http.pages.waiting import waiting_fragment
from tallystick.http.pay.pages import (
    Chosen,
    mandate_of,
    panel_of,
    pay_page,
    pays_here,
    shown_amount,
    waiting_page,
)
from tallystick.http.pay.visit import Visit, arrive, links_of
from tallystick.http.pdf import pdf_answer
from tallystick.locales.choice import LANGUAGES
from tallystick.services.collect_method import collect_method
from tallystick.services.confirm_result import Challenge, Consent, InFlight, PaymentFailed
from tallystick.services.context import App
from tallystick.services.pay_on_page import (
    AmountChanged,
    InvoiceView,
    NotPayable,
    PagePayment,
    PageResult,
    Paid,
    TooManyTries,
    continue_on_page,
    invoice_document,
    leave_on_page,
    pay_on_page,
    show_invoice_page,
    too_many_on_page,
)

_PAGE = "/pay/{tenant}/{invoice}/{signature}"
_BAD = 400
_CHANGED = 409

Opener = Callable[[Request, str, str, str], Awaitable[Visit]]


def router(app: App, *, posts_per_minute: int) -> APIRouter:
    """The routes of the pages; for `posts_per_minute` see `Pace`."""
    files = load_files(app.public_url, app.panel_modules)
    pace = Pace(posts_per_minute)
    routes = APIRouter(include_in_schema=False, route_class=page_route(files.shared))

    async def looking(request: Request, tenant: str, invoice: str, signature: str) -> Visit:
        now = datetime.now(UTC)  # noqa: TID251 - the door: here the request's `now` is fixed
        return await arrive(app, files, pace, request, (tenant, invoice, signature), now)

    async def doing(request: Request, tenant: str, invoice: str, signature: str) -> Visit:
        if request.client is not None:
            pace.sent_from(request.client.host)
        visit = await looking(request, tenant, invoice, signature)
        pace.sent_to(visit.name)
        return visit

    _add_reading(routes, files, looking)
    _add_doing(routes, doing)

    @routes.get("/pay")
    @routes.get("/pay/{_:path}")
    async def part_of_a_link(_: str = "") -> Response:
        raise NotFound("There is no such invoice")

    return routes


def _add_reading(routes: APIRouter, files: Files, looking: Opener) -> None:
    @routes.get(_PAGE)
    async def page(
        request: Request, tenant: str, invoice: str, signature: str, lang: str = ""
    ) -> Response:
        if lang in LANGUAGES:
            page = links_of(files.shared.root, (tenant, invoice, signature)).page
            return keep_language(files.shared, page, lang)
        visit = await looking(request, tenant, invoice, signature)
        return await _show(visit)

    @routes.get(_PAGE + "/return")
    async def back(request: Request, tenant: str, invoice: str, signature: str) -> Response:
        visit = await looking(request, tenant, invoice, signature)
        result = await continue_on_page(visit.context, visit.invoice_id, asks=visit.may_ask)
        return await _answer(visit, result)

    @routes.get(_PAGE + "/bank")
    async def way_to_bank(
        request: Request, tenant: str, invoice: str, signature: str
    ) -> Response:
        visit = await looking(request, tenant, invoice, signature)
        view = await show_invoice_page(visit.context, visit.invoice_id)
        if view.live is None or view.live.challenge_url is None:
            return visit.go(visit.links.page)
        return visit.html(waiting_page(visit, view, leads_on=True), view)

    @routes.get(_PAGE + "/confirm")
    @routes.get(_PAGE + "/another-method")
    async def sent_before(
        request: Request, tenant: str, invoice: str, signature: str
    ) -> Response:
        # A form's answer was loaded again: what it did is done, the page shows how it stands.
        visit = await looking(request, tenant, invoice, signature)
        return visit.go(visit.links.page)

    @routes.get(_PAGE + "/status")
    async def status(
        request: Request, tenant: str, invoice: str, signature: str, look: int = 1
    ) -> Response:
        visit = await looking(request, tenant, invoice, signature)
        result = await continue_on_page(visit.context, visit.invoice_id, asks=visit.may_ask)
        if isinstance(result, InFlight):
            return HTMLResponse(waiting_fragment(visit.links, look), headers=page_headers())
        return await _answer(visit, result)

    @routes.get(_PAGE + "/invoice.pdf")
    async def document(request: Request, tenant: str, invoice: str, signature: str) -> Response:
        visit = await looking(request, tenant, invoice, signature)
        found = await invoice_document(visit.context, visit.invoice_id)
        return pdf_answer(await invoice_pdf(found))


def _add_doing(routes: APIRouter, doing: Opener) -> None:
    @routes.post(_PAGE + "/confirm")
    async def pay(request: Request, tenant: str, invoice: str, signature: str) -> Response:
        visit = await doing(request, tenant, invoice, signature)
        return await _pay(visit, await visit.form())

    @routes.post(_PAGE + "/another-method")
    async def another(request: Request, tenant: str, invoice: str, signature: str) -> Response:
        visit = await doing(request, tenant, invoice, signature)
        await visit.form()
        return await _answer(visit, await leave_on_page(visit.context, visit.invoice_id))


async def _show(
    visit: Visit,
    chosen: Chosen | None = None,
    alerts: tuple[Alert, ...] = (),
    status: int = 200,
) -> Response:
    """The page in the state of its invoice; what was chosen and is wrong with it."""
    view = await show_invoice_page(visit.context, visit.invoice_id)
    if view.live is not None:
        return visit.html(waiting_page(visit, view), view)
    page = pay_page(visit, view, chosen or Chosen(), alerts)
    return visit.html(page, view, status, panel_of(view))


async def _pay(visit: Visit, submitted: Submitted) -> Response:
    """Charge what the form shows, or show the page again with what stood in the way."""
    view = await show_invoice_page(visit.context, visit.invoice_id)
    shown = visit.signer.believed(submitted.get("shown"), submitted.get("shown_signature"))
    if not pays_here(view):
        return await _show(visit, status=_CHANGED)
    if shown != shown_amount(view):
        return await _answer(visit, AmountChanged())
    assert isinstance(view.payment, OnlinePayment), "it is paid here"
    kind = submitted.method
    consent = _consent(visit, view, submitted, kind)
    fault = _fault(view.payment, kind, consent)
    if fault is not None:
        return await _show(visit, Chosen(method=kind, faults=(fault,)), status=_BAD)
    assert kind is not None, "without one there is a fault"
    try:
        method = await _method(visit, submitted, view, kind)
    except MethodRefused as refused:
        return await _show(visit, Chosen(method=kind, faults=refused.faults), status=_BAD)
    payment = PagePayment(
        amount=view.entry.amount_due,
        method=method,
        consent=consent,
        return_url=visit.return_url,
        payer=visit.payer,
    )
    result = await pay_on_page(visit.context, visit.invoice_id, payment)
    return await _answer(visit, result, kind)


async def _method(
    visit: Visit, submitted: Submitted, view: InvoiceView, kind: MethodKind
) -> Method:
    """What the panel held, made a method; the provider sees none while too many have failed.

    Raises:
        MethodRefused: It is no method, or too many have failed.
    """
    ctx = visit.context
    async with ctx.app.database.connection() as tx:
        fault = await too_many_on_page(
            ctx, tx, visit.invoice_id, view.entry.customer_id, visit.payer
        )
    if fault is not None:
        raise MethodRefused((fault,))
    fields = payment_fields(submitted, kind, view.panel)
    missing = missing_token(fields)
    if missing:
        raise MethodRefused(missing)
    entity_id = view.entry.invoicing_entity_id
    return await collect_method(ctx, entity_id, visit.invoice_id, kind, fields)


def _fault(
    payment: OnlinePayment, kind: MethodKind | None, consent: Consent | None
) -> Fault | None:
    """What is wrong with the way to pay that was chosen, and with what was agreed to for it."""
    offered = {
        MethodKind.CARD: payment.card,
        MethodKind.DIRECT_DEBIT: payment.direct_debit,
    }
    if kind is None:
        return Fault("method", "required", "must be chosen")
    if not offered[kind]:
        return Fault("method", "not_offered", "is not offered")
    if kind is MethodKind.DIRECT_DEBIT and consent is None:
        return Fault("consent", "required", "must be agreed to")
    return None


def _consent(
    visit: Visit, view: InvoiceView, submitted: Submitted, kind: MethodKind | None
) -> Consent | None:
    """The mandate as it was shown and agreed to; None without one."""
    say = visit.say(view)
    mandate = mandate_of(view, say)
    if kind is not MethodKind.DIRECT_DEBIT or mandate is None:
        return None
    text = mandate.text
    if not visit.signer.is_agreed(text, submitted.get("mandate_signature")):
        return None
    return Consent(
        text_version=CONSENT_VERSION,
        language=say.words.language,
        text=text,
        given_at=visit.context.now,
        acceptance=acceptance_from(visit.context, visit.request, view.panel),
    )


async def _answer(visit: Visit, result: PageResult, kind: MethodKind | None = None) -> Response:
    """What a browser sees after a verb that pays."""
    match result:
        case Challenge(url=url) if kind is not None:
            return visit.to_bank(url)
        case Paid() | Challenge() | InFlight() | PaymentFailed():
            return visit.go(visit.links.page)
        case NotPayable():
            return await _show(visit, status=_CHANGED)
        case AmountChanged():
            view = await show_invoice_page(visit.context, visit.invoice_id)
            words = visit.say(view).words
            changed = Alert(
                tone="warn", title=words("alert.changed"), text=words("alert.changed_text")
            )
            return await _show(visit, alerts=(changed,), status=_CHANGED)
        case TooManyTries(fault=fault):
            return await _show(visit, Chosen(method=kind, faults=(fault,)), status=_BAD)
    assert_never(result)
