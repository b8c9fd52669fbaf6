"""The button: from what was sent to the verb that buys, and to the next page."""

from dataclasses import dataclass, replace
from typing import assert_never

from starlette.responses import Response

from tallystick.domain.errors import Fault
from tallystick.domain.payment import Method, MethodKind, MethodRefused
from tallystick.domain.quote import AttemptKind, Quote
from tallystick.domain.session import SessionState
from tallystick.http.checkout.alerts import changed_alert, held_alert, terms_alert
from tallystick.http.checkout.changes import changes
from tallystick.http.checkout.finish import agreed_text, consent_text
from tallystick.http.checkout.form import Typed
from tallystick.http.checkout.keeping import keep
from tallystick.http.checkout.states import show
from tallystick.http.checkout.visit import Visit
from tallystick.http.pages.buyer_origin import acceptance_from
from tallystick.http.pages.mandate import CONSENT_VERSION, debit_of, mandate_text
from tallystick.http.pages.panel import missing_token, payment_fields
from tallystick.http.pages.submitted import Submitted
from tallystick.services.checkout_view import CheckoutView
from tallystick.services.claim import ATTEMPTS_PER_SESSION_MAX
from tallystick.services.collect_method import collect_method
from tallystick.services.confirm_checkout import confirm_checkout, paid_from
from tallystick.services.confirm_result import (
    AlreadyHeld,
    Challenge,
    Completed,
    ConfirmResult,
    Consent,
    Ended,
    InFlight,
    PaymentFailed,
    QuoteChanged,
    Refused,
)
from tallystick.services.end_session import expire_session
from tallystick.services.show_checkout import show_checkout
from tallystick.services.try_limits import too_many_tries

_BAD = 400
_CHANGED = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """The session with what was sent kept on it, and the faults of that."""

    view: CheckoutView
    typed: Typed


async def confirm(visit: Visit, submitted: Submitted) -> Response:
    """Buy what the form shows, or show the page again with what stood in the way."""
    sent = await _keep(visit, submitted)
    view, typed = sent.view, sent.typed
    if view.status is not SessionState.CREATED or view.quote is None:
        if view.status is SessionState.EXPIRED:
            await expire_session(visit.context, visit.session_id)
        return await _marked(visit, visit.go(visit.links.page))
    method: Method | None = None
    faults = typed.faults
    if view.session.attempt_count >= ATTEMPTS_PER_SESSION_MAX:
        faults = (*faults, Fault("form", "too_many_attempts", "ask for a new link"))
    elif view.quote.kind is not AttemptKind.NONE and typed.method is not None:
        try:
            await _may_try(visit, view)
            method = await _method(visit, submitted, view, typed.method)
        except MethodRefused as refused:
            faults = (*faults, *refused.faults)
    if faults:
        return show(visit, view, replace(typed, faults=faults), status=_BAD)
    shown = visit.signer.believed(submitted.get("shown"), submitted.get("shown_signature"))
    has_read = _has_read(visit, submitted, view, view.quote, typed.method)
    result = await confirm_checkout(
        visit.context,
        visit.session_id,
        shown=shown if has_read else "",
        buyer=submitted.buyer,
        code=submitted.code,
        method=method,
        consent=_consent(visit, view, view.quote, typed.method),
        return_url=visit.return_url,
        browser=visit.browser,
        payer=visit.payer,
    )
    if isinstance(result, QuoteChanged):
        result = replace(result, shown=shown)
    if isinstance(result, Challenge):
        return await _marked(visit, visit.to_bank(result.url, view))
    return await _marked(visit, await answer(visit, result, typed))


async def _may_try(visit: Visit, view: CheckoutView) -> None:
    """Hand no card to the provider while too many have failed.

    Raises:
        MethodRefused: Too many have.
    """
    ctx = visit.context
    async with ctx.app.database.connection() as tx:
        fault = await too_many_tries(ctx, tx, view.session.customer_id, visit.payer)
    if fault is not None:
        raise MethodRefused((fault,))


async def _method(
    visit: Visit, submitted: Submitted, view: CheckoutView, kind: MethodKind
) -> Method:
    """What the panel held, made a method; raises `MethodRefused`."""
    fields = payment_fields(submitted, kind, view.panel)
    missing = missing_token(fields)
    if missing:
        raise MethodRefused(missing)
    entity_id = view.offer.invoicing_entity_id
    return await collect_method(visit.context, entity_id, visit.session_id, kind, fields)


async def _marked(visit: Visit, response: Response) -> Response:
    """Mark this browser if it pays, or has paid: by this request, or by one before it."""
    attempt_id = await paid_from(visit.context, visit.session_id, visit.browser)
    return response if attempt_id is None else visit.mark_paid(response, attempt_id)


async def _keep(visit: Visit, submitted: Submitted) -> _Sent:
    """Keep what was typed, unless it is kept already, and read the quote for it."""
    buyer, code = submitted.buyer, submitted.code
    view = await show_checkout(visit.context, visit.session_id, paid_with=None)
    faults: tuple[Fault, ...] = ()
    if (buyer, code) != (view.buyer, view.page_code):
        faults = await keep(visit, submitted)
        view = await show_checkout(visit.context, visit.session_id, paid_with=None)
    typed = Typed(buyer=buyer, code=code, method=submitted.method, faults=faults)
    return _Sent(view=view, typed=typed)


def _has_read(
    visit: Visit,
    submitted: Submitted,
    view: CheckoutView,
    quote: Quote,
    method: MethodKind | None,
) -> bool:
    """Whether the wording that would be kept as agreed to is the one that the page showed."""
    say = visit.sheet(view).say
    consent = consent_text(quote, view.offer, view.seller, say) or ""
    texts = {"consent_signature": consent}
    if quote.kind is not AttemptKind.NONE and method is MethodKind.DIRECT_DEBIT:
        debit = debit_of(view.panel, view.seller, quote.currency)
        if debit is None:
            return False
        texts["mandate_signature"] = mandate_text(debit, view.seller, say)
    return all(
        visit.signer.is_agreed(text, submitted.get(name)) for name, text in texts.items()
    )


def _consent(
    visit: Visit, view: CheckoutView, quote: Quote, method: MethodKind | None
) -> Consent | None:
    """What the buyer agreed to by pressing the button below the text."""
    say = visit.sheet(view).say
    kind = None if quote.kind is AttemptKind.NONE else method
    debit = debit_of(view.panel, view.seller, quote.currency)
    text = agreed_text(quote, view.offer, view.seller, kind, debit, say)
    if text is None:
        return None
    return Consent(
        text_version=CONSENT_VERSION,
        language=say.words.language,
        text=text,
        given_at=visit.context.now,
        acceptance=acceptance_from(visit.context, visit.request, view.panel),
    )


async def answer(visit: Visit, result: ConfirmResult, typed: Typed | None = None) -> Response:
    """What a browser sees after a verb that pays. `typed` is what its form held.

    Only `confirm` marks the browser as the one that paid: whoever else has the link may ask how
    it stands.
    """
    match result:
        case Completed():
            view = await _view(visit)
            return visit.go(visit.onward(view) or visit.links.page)
        case Challenge() | InFlight() | PaymentFailed() | Ended():
            return visit.go(visit.links.page)
        case QuoteChanged(shown=shown, quote=quote):
            view = await _view(visit)
            say = visit.sheet(view).say
            changed = changes(shown, quote, view.offer, say)
            is_told = bool(changed) or not shown
            alert = changed_alert(changed, say) if is_told else terms_alert(say)
            return show(visit, view, typed, (alert,), _CHANGED)
        case AlreadyHeld():
            view = await _view(visit)
            alert = held_alert(view.offer.plan_name, visit.sheet(view).say)
            return show(visit, view, typed, (alert,), _CHANGED)
        case Refused(faults=faults):
            view = await _view(visit)
            stands = typed or Typed(buyer=view.buyer, code=view.page_code)
            return show(visit, view, replace(stands, faults=faults), status=_BAD)
    assert_never(result)


async def _view(visit: Visit) -> CheckoutView:
    return await show_checkout(visit.context, visit.session_id, paid_with=visit.paid_with)
