"""The pages, each put together from a view and rendered: here templates are named."""

from dataclasses import dataclass

from tallystick.domain.quote import Quote
from tallystick.http.checkout.finish import finish
from tallystick.http.checkout.form import Form, Typed, make_form
from tallystick.http.checkout.receipt import make_receipt
from tallystick.http.checkout.summary import summarize
from tallystick.http.pages.alerts import Alert, failure_alert, faults_alert
from tallystick.http.pages.assets import Assets
from tallystick.http.pages.drawing import templates_of
from tallystick.http.pages.frame import Frame, Links, merchant_frame
from tallystick.http.pages.mandate import Mandate, debit_of, make_mandate
from tallystick.http.pages.message import Action, Message
from tallystick.http.pages.panel import buyer_details, mounted, panel_scripts
from tallystick.http.pages.submitted import Submitted
from tallystick.http.pages.teller import Teller
from tallystick.http.pages.tokens import Signer
from tallystick.http.pages.waiting import look_again_after
from tallystick.services.checkout_view import CheckoutView, CompletedCard

_FIELDS = "csrf,intent,shape,email,name,country,line1,line2,zip_code,city,state,vat_number"
FIELDS_OF_UPDATE = f"{_FIELDS},applied"
"""What an update of the total sends: everything but the payment fields, and of the code not
what is being typed but the one that is applied.
"""
FIELDS_WITH_CODE = f"{_FIELDS},code"
"""What is sent to apply a code or to remove it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What every page of a session is drawn on: its language, its addresses, its signatures."""

    say: Teller
    links: Links
    assets: Assets
    signer: Signer
    csrf: str


def _render(template: str, **values: object) -> str:
    return templates_of(__package__).get_template(template).render(**values)


def checkout_page(
    view: CheckoutView, quote: Quote, sheet: Sheet, typed: Typed, alerts: tuple[Alert, ...] = ()
) -> str:
    """The page on which the buyer pays. `alerts` come before those that the view calls for."""
    say = sheet.say
    parts = _form_parts(view, quote, sheet, typed)
    form = parts["form"]
    assert isinstance(form, Form), "the parts hold the form"
    shown = list(alerts)
    if form.faults and not typed.is_kept:
        shown.append(faults_alert(form.faults, say))
    if not shown and view.last_failure is not None:
        shown.append(failure_alert(view.last_failure, say))
    heading = say.words(_heading(quote), plan=view.offer.plan_name)
    frame = _frame(heading, view, sheet)
    panel = mounted(view.offer.payment, view.panel)
    return _render(
        "checkout.html",
        **parts,
        panel_scripts=[] if panel is None else panel_scripts(panel, sheet.assets),
        frame=frame,
        heading=heading,
        alerts=shown,
        swap=False,
    )


def _heading(quote: Quote) -> str:
    if quote.adjusts:
        return "page.change"
    return "page.try" if quote.dates.in_free_trial else "page.subscribe"


def quote_fragments(
    view: CheckoutView, quote: Quote, sheet: Sheet, typed: Typed, submitted: Submitted
) -> str:
    """What an update changes on an open page.

    `submitted` says what the page's payment panel asks for, which stays while that does, and
    whether a code was applied or removed: one that is being typed stays, too.
    """
    say = sheet.say
    parts = _form_parts(view, quote, sheet, typed)
    form = parts["form"]
    assert isinstance(form, Form), "the parts hold the form"
    due = say.formats.money(quote.amount_due, quote.currency)
    return _render(
        "fragments.html",
        **parts,
        frame=_frame("", view, sheet),
        panel_changed=form.panel.shape != submitted.get("shape"),
        code_changed=submitted.sets_code,
        announcement=say.words("form.announcement", amount=due),
        swap=True,
    )


def _form_parts(
    view: CheckoutView, quote: Quote, sheet: Sheet, typed: Typed
) -> dict[str, object]:
    say, seller = sheet.say, view.seller
    signer = sheet.signer
    end = finish(quote, view.offer, seller, typed.buyer.address.country, say)
    mandate = _mandate(view, quote, say)
    return {
        "t": say.words,
        "fields_of_update": FIELDS_OF_UPDATE,
        "fields_with_code": FIELDS_WITH_CODE,
        "applied": view.page_code or "",
        # Coupons do not apply to the invoice of a change.
        "takes_codes": not quote.adjusts,
        "details_of_buyer": _details(typed),
        "links": sheet.links,
        "csrf": sheet.csrf,
        "summary": summarize(quote, view.offer, say),
        "form": make_form(quote, view.offer, seller, view.panel, typed, say),
        "finish": end,
        "mandate": mandate,
        "shown": {"text": quote.canonical, "signature": signer.shown(quote.canonical)},
        "agreed": {
            "consent": signer.agreed(end.consent or ""),
            "mandate": signer.agreed("" if mandate is None else mandate.text),
        },
    }


def _mandate(view: CheckoutView, quote: Quote, say: Teller) -> Mandate | None:
    """The mandate of the debit that the page offers, if it can offer any."""
    debit = debit_of(view.panel, view.seller, quote.currency)
    if debit is None:
        return None
    return make_mandate(debit, view.seller, view.mandate_reference, say)


def _details(typed: Typed) -> tuple[tuple[str, str], ...]:
    """What the form asks of the buyer, which a provider's panel then need not ask again."""
    buyer = typed.buyer
    details = buyer_details(buyer.name, buyer.email, buyer.address)
    return tuple((name, value or "") for name, value in details)


def receipt_page(
    view: CheckoutView, card: CompletedCard, sheet: Sheet, onward: str | None
) -> str:
    """The confirmation for the browser that paid; `onward` leads to the merchant."""
    say = sheet.say
    receipt = make_receipt(card, view.offer, view.seller, view.buyer.email, say)
    actions = (
        ()
        if onward is None
        else (
            Action(
                label=say.words("page.continue", seller=view.seller.legal_name),
                url=onward,
                primary=True,
            ),
        )
    )
    return _render(
        "receipt.html",
        t=say.words,
        frame=_frame(receipt.title, view, sheet),
        receipt=receipt,
        links=sheet.links,
        actions=actions,
    )


def message_page(
    view: CheckoutView,
    message: Message,
    sheet: Sheet,
    *,
    polls: bool = False,
    leads_to: str | None = None,
) -> str:
    """A page of one card within the merchant's surroundings.

    It goes on by itself: `polls` asks how it stands, `leads_to` is where it goes at once.
    """
    return _render(
        "message.html",
        t=sheet.say.words,
        frame=_frame(message.title, view, sheet),
        message=message,
        csrf=sheet.csrf,
        links=sheet.links,
        polls=polls,
        leads_to=leads_to,
        look=1,
        seconds=look_again_after(1),
    )


def _frame(title: str, view: CheckoutView, sheet: Sheet) -> Frame:
    return merchant_frame(
        title, view.seller, view.session.cancel_url, sheet.assets, sheet.links.page, sheet.say
    )
