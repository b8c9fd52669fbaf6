"""The portal's payment methods: one is added, chosen, taken away.

A challenge that is not ours is reached over a page of ours, as at the checkout.
"""

from collections.abc import Awaitable, Callable
from typing import assert_never
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tallystick.domain.errors import Conflict, Fault
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.payment import MethodKind, MethodRefused
from tallystick.domain.payment_panel import MountedPanel, PaymentPanel
from tallystick.domain.web_origin import origin
from tallystick.http.pages.buyer_origin import acceptance_from
from tallystick.http.pages.mandate import CONSENT_VERSION
from tallystick.http.pages.panel import missing_token, payment_fields
from tallystick.http.pages.submitted import Submitted
from tallystick.http.portal.adding import agreed_to, make_adding_form
from tallystick.http.portal.method_pages import adding_page, removing_page, waiting_page
from tallystick.http.portal.names import id_of
from tallystick.http.portal.pages import Notice
from tallystick.http.portal.visit import Visit, in_language
from tallystick.locales.choice import LANGUAGES
from tallystick.services.add_own_method import (
    Added,
    AddedResult,
    Challenged,
    Refused,
    Unanswered,
    add_own_method,
    continue_adding,
    show_adding,
)
from tallystick.services.confirm_result import Consent
from tallystick.services.ids import new_id
from tallystick.services.own_methods import (
    own_method,
    remove_own_method,
    use_own_method,
)
from tallystick.services.show_portal import seller_of

_BAD = 400
_REFUSED = 409
_PATH = "/portal/methods/{name}"

Opener = Callable[[Request], Awaitable[Visit]]


def add_methods(routes: APIRouter, looking: Opener, doing: Opener, asking: Opener) -> None:
    """The routes of payment methods; `asking` lets in who makes us ask the provider."""
    _add_adding(routes, looking, doing, asking)

    @routes.get(_PATH + "/remove")
    async def ask(request: Request, name: str, lang: str = "") -> Response:
        visit = await looking(request)
        if lang in LANGUAGES:
            return in_language(visit.files, request, lang)
        if not visit.portal.may_manage:
            return visit.go("")
        return await _removing(visit, id_of(Prefix.PAYMENT_METHOD, name))

    @routes.post(_PATH + "/remove")
    async def remove(request: Request, name: str) -> Response:
        visit = await doing(request)
        await visit.form()
        method_id = id_of(Prefix.PAYMENT_METHOD, name)
        try:
            await remove_own_method(visit.portal, method_id)
        except Conflict:
            notice = Notice(tone="bad", text=visit.say.words("methods.last"))
            return await _removing(visit, method_id, notice)
        return visit.go("?done=method_removed")

    @routes.post(_PATH + "/use")
    async def use(request: Request, name: str) -> Response:
        visit = await doing(request)
        await visit.form()
        await use_own_method(visit.portal, id_of(Prefix.PAYMENT_METHOD, name))
        return visit.go("?done=method_used")

    @routes.get(_PATH + "/use")
    async def used_before(request: Request, name: str) -> Response:
        visit = await looking(request)
        id_of(Prefix.PAYMENT_METHOD, name)
        return visit.go("")


def _add_adding(routes: APIRouter, looking: Opener, doing: Opener, asking: Opener) -> None:
    @routes.get("/portal/methods/add")
    async def show(request: Request, lang: str = "") -> Response:
        visit = await looking(request)
        if lang in LANGUAGES:
            return in_language(visit.files, request, lang)
        if not visit.portal.may_manage:
            return visit.go("")
        return await _show(visit)

    @routes.post("/portal/methods/add")
    async def add(request: Request) -> Response:
        visit = await doing(request)
        return await _add(visit, await visit.form())

    @routes.get(_PATH + "/return")
    async def back_from_bank(request: Request, name: str) -> Response:
        visit = await asking(request)
        setup_id = id_of(Prefix.PAYMENT_METHOD, name)
        result = await continue_adding(visit.portal, setup_id)
        return await _answer(visit, setup_id, result, is_back=True)

    @routes.get(_PATH + "/bank")
    async def way_to_bank(request: Request, name: str) -> Response:
        visit = await asking(request)
        setup_id = id_of(Prefix.PAYMENT_METHOD, name)
        result = await continue_adding(visit.portal, setup_id)
        if isinstance(result, Challenged):
            return await _waiting(visit, setup_id, result.url)
        return await _answer(visit, setup_id, result, is_back=True)


async def _show(
    visit: Visit,
    faults: tuple[Fault, ...] = (),
    chosen: MethodKind | None = None,
    notice: Notice | None = None,
    status: int = 200,
) -> Response:
    """The form for a new method, under an id of its own."""
    setup_id = new_id()
    adding = await show_adding(visit.portal, setup_id)
    form = make_adding_form(adding, visit.portal.customer, chosen, faults, visit.say)
    panel = adding.panel if isinstance(adding.panel, MountedPanel) else None
    agreed = {kind: visit.agreed(agreed_to(adding, kind, visit.say)) for kind in adding.kinds}
    page = adding_page(
        visit,
        adding.seller,
        form,
        visit.try_named(visit.portal.customer.id, setup_id),
        notice,
        panel,
        agreed,
    )
    return visit.html(page, adding.seller.logo_url, status, panel)


async def _add(visit: Visit, submitted: Submitted) -> Response:
    setup_id = visit.try_of(visit.portal.customer.id, submitted.get("try"))
    adding = await show_adding(visit.portal, setup_id)
    kind = submitted.method
    if kind is None or kind not in adding.kinds:
        return await _show(visit, (Fault("method", "not_offered", "choose one"),), status=_BAD)
    text = agreed_to(adding, kind, visit.say)
    if submitted.get(f"agreed_{kind.value}") != visit.agreed(text):
        again = (Fault("consent", "required", "read what is agreed to"),)
        return await _show(visit, again, kind, status=_BAD)
    fields = payment_fields(submitted, kind, adding.panel)
    missing = missing_token(fields)
    if missing:
        return await _show(visit, missing, kind, status=_BAD)
    consent = _consent(visit, adding.panel, text)
    url = visit.portal.context.app.public_url + f"/portal/methods/{_name(setup_id)}/return"
    try:
        result = await add_own_method(
            visit.portal, setup_id, kind, fields, consent, url, visit.payer
        )
    except MethodRefused as refused:
        return await _show(visit, refused.faults, kind, status=_BAD)
    return await _answer(visit, setup_id, result)


def _consent(visit: Visit, panel: PaymentPanel, text: str) -> Consent:
    """What is agreed to; where it came from, for a provider that has to be told."""
    ctx = visit.portal.context
    return Consent(
        text_version=CONSENT_VERSION,
        language=visit.say.words.language,
        text=text,
        given_at=ctx.now,
        acceptance=acceptance_from(ctx, visit.request, panel),
    )


async def _answer(
    visit: Visit, setup_id: UUID, result: AddedResult, *, is_back: bool = False
) -> Response:
    """Where a setup leads. `is_back`: from the bank, which is not gone to again by itself."""
    words = visit.say.words
    match result:
        case Added():
            return visit.go("?done=method_added")
        case Refused(reason=reason):
            notice = Notice(tone="bad", text=words.of(reason))
            return await _show(visit, notice=notice, status=_REFUSED)
        case Challenged(url=url):
            if is_back:
                notice = Notice(tone="warn", text=words("failure.AUTHENTICATION_ABANDONED"))
                return await _show(visit, notice=notice)
            is_ours = origin(url) == origin(visit.portal.context.app.public_url)
            return visit.leave_to(url) if is_ours else visit.go(_place(setup_id, "bank"))
        case Unanswered():
            return await _waiting(visit, setup_id, None)
    assert_never(result)


async def _waiting(visit: Visit, setup_id: UUID, bank: str | None) -> Response:
    """The provider has not said yet, or the way leads to the `bank`."""
    ctx = visit.portal.context
    async with ctx.app.database.connection() as tx:
        seller = await seller_of(ctx, tx, visit.portal.customer.invoicing_entity_id)
    page = waiting_page(visit, seller, _place(setup_id, "return"), bank)
    return visit.html(page, seller.logo_url)


async def _removing(visit: Visit, method_id: UUID, notice: Notice | None = None) -> Response:
    ctx = visit.portal.context
    async with ctx.app.database.connection() as tx:
        method = await own_method(visit.portal, tx, method_id)
        seller = await seller_of(ctx, tx, visit.portal.customer.invoicing_entity_id)
    page = removing_page(visit, seller, _name(method_id), method, notice)
    return visit.html(page, seller.logo_url, 200 if notice is None else _REFUSED)


def _name(method_id: UUID) -> str:
    return encode(Prefix.PAYMENT_METHOD, method_id)


def _place(setup_id: UUID, page: str) -> str:
    return f"/methods/{_name(setup_id)}/{page}"
