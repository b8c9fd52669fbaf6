"""A session as its state asks to be shown: the form, a wait, a challenge, or its end."""

from typing import assert_never

from starlette.responses import Response

from tallystick.domain.errors import Fault
from tallystick.domain.session import SessionState
from tallystick.http.checkout.form import Typed
from tallystick.http.checkout.page import Sheet, checkout_page, message_page, receipt_page
from tallystick.http.checkout.visit import Visit
from tallystick.http.pages.alerts import Alert
from tallystick.http.pages.message import Action, Message
from tallystick.http.pages.panel import mounted
from tallystick.http.pages.waiting import waiting_message
from tallystick.services.checkout_view import CheckoutView

_GONE = 410


def show(
    visit: Visit,
    view: CheckoutView,
    typed: Typed | None = None,
    alerts: tuple[Alert, ...] = (),
    status: int = 200,
) -> Response:
    """The page of a session in its state.

    `typed`, `alerts` and `status` concern the form: what was sent and what was wrong with it.
    """
    sheet = visit.sheet(view)
    match view.status:
        case SessionState.CREATED:
            assert view.quote is not None, "an open session has a quote"
            stands = typed or _kept(view)
            return visit.html(
                checkout_page(view, view.quote, sheet, stands, alerts),
                view,
                status,
                mounted(view.offer.payment, view.panel),
            )
        case SessionState.AWAITING_PAYMENT:
            return _under_way(visit, view, sheet)
        case SessionState.COMPLETED:
            return _completed(visit, view, sheet)
        case SessionState.EXPIRED | SessionState.CANCELLED:
            key = view.status.value.lower()
            message = _message(key, "clock" if key == "expired" else "cross", view, sheet)
            return visit.html(message_page(view, message, sheet), view, _GONE)
    assert_never(view.status)


def _kept(view: CheckoutView) -> Typed:
    """What the session keeps; a VAT number that is none is told on opening, too."""
    faults = (Fault("vat_number", "invalid", ""),) if view.vat_number_valid is False else ()
    return Typed(buyer=view.buyer, code=view.page_code, faults=faults, is_kept=True)


def show_way_to_bank(visit: Visit, view: CheckoutView) -> Response:
    """A page that leads to the bank's challenge by itself; the checkout where there is none."""
    challenge = None if view.attempt is None else view.attempt.challenge_url
    if view.status is not SessionState.AWAITING_PAYMENT or challenge is None:
        return visit.go(visit.links.page)
    sheet = visit.sheet(view)
    message = waiting_message(challenge, sheet.links, sheet.say)
    return visit.html(message_page(view, message, sheet, leads_to=challenge), view)


def _under_way(visit: Visit, view: CheckoutView, sheet: Sheet) -> Response:
    challenge = None if view.attempt is None else view.attempt.challenge_url
    message = waiting_message(challenge, sheet.links, sheet.say)
    return visit.html(message_page(view, message, sheet, polls=challenge is None), view)


def _completed(visit: Visit, view: CheckoutView, sheet: Sheet) -> Response:
    if view.completed is not None:
        content = receipt_page(view, view.completed, sheet, visit.onward(view))
        return visit.html(content, view)
    message = _message("completed", "check", view, sheet)
    return visit.html(message_page(view, message, sheet), view)


def _message(key: str, icon: str, view: CheckoutView, sheet: Sheet) -> Message:
    """An ending, with the way back where the merchant named one."""
    words, seller = sheet.say.words, view.seller.legal_name
    back = view.session.cancel_url
    actions = (
        () if back is None else (Action(label=words("page.back", seller=seller), url=back),)
    )
    return Message(
        tone="good" if icon == "check" else "",
        icon=icon,
        title=words(f"{key}.title"),
        text=words(f"{key}.text", seller=seller),
        actions=actions,
    )
