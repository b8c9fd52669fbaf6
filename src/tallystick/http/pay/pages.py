"""The pages of an invoice, put together from a view and rendered: here templates are named."""

from dataclasses import dataclass

from tallystick.domain.errors import Fault
from tallystick.domain.invoice import PaymentStatus
from tallystick.domain.offer import OnlinePayment
from tallystick.domain.payment import MethodKind
from tallystick.domain.payment_panel import MountedPanel
from tallystick.http.pages.alerts import Alert, failure_alert, faults_alert
from tallystick.http.pages.drawing import templates_of
from tallystick.http.pages.fields import Labels
from tallystick.http.pages.form_faults import FormFault, form_faults
from tallystick.http.pages.frame import merchant_frame
from tallystick.http.pages.invoice_body import make_invoice_body
from tallystick.http.pages.mandate import Mandate, debit_of, make_mandate
from tallystick.http.pages.panel import (
    Charged,
    Panel,
    buyer_details,
    make_panel,
    mounted,
    panel_scripts,
)
from tallystick.http.pages.teller import Teller
from tallystick.http.pages.waiting import look_again_after, waiting_message
from tallystick.http.pay.visit import Visit
from tallystick.services.pay_on_page import InvoiceView


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is shown again of a form that was sent: how one wants to pay, and what was wrong."""

    method: MethodKind | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What the payment panel's template reads."""

    panel: Panel


def shown_amount(view: InvoiceView) -> str:
    """What the page shows to be charged, as it is signed."""
    return f"{view.entry.amount_due} {view.entry.currency}"


def pays_here(view: InvoiceView) -> bool:
    """Whether the page has a button: something can be charged, and is paid that way."""
    return view.can_be_charged and isinstance(view.payment, OnlinePayment)


def pay_page(
    visit: Visit, view: InvoiceView, chosen: Chosen, alerts: tuple[Alert, ...] = ()
) -> str:
    """An invoice with what is due of it, and the panel to pay it with."""
    say, entry = visit.say(view), view.entry
    invoice = make_invoice_body(entry, view.explanation, visit.context.today, say)
    form, faults = _form(view, chosen, say)
    told = list(alerts)
    if faults:
        told.append(faults_alert(faults, say))
    if not told and view.can_be_charged and view.last_failure is not None:
        told.append(failure_alert(view.last_failure, say))
    mandate = mandate_of(view, say)
    scripts = panel_of(view)
    text = shown_amount(view)
    due = say.formats.money(entry.amount_due, entry.currency)
    return _render(
        visit,
        view,
        "pay_invoice.html",
        title=invoice.title,
        invoice=invoice,
        alerts=told,
        swap=False,
        form=form if _has_panel(view) else None,
        details_of_buyer=_details(view),
        panel_scripts=[] if scripts is None else panel_scripts(scripts, visit.files.shared),
        button=say.words("finish.pay", amount=due) if pays_here(view) else None,
        standing=_standing(view, say),
        mandate=mandate,
        shown={"text": text, "signature": visit.signer.shown(text)},
        agreed={"mandate": visit.signer.agreed("" if mandate is None else mandate.text)},
    )


def mandate_of(view: InvoiceView, say: Teller) -> Mandate | None:
    """The mandate of a debit that pays the invoice; None where none can."""
    debit = debit_of(view.panel, view.seller, view.entry.currency)
    if debit is None:
        return None
    return make_mandate(debit, view.seller, view.mandate_reference, say)


def panel_of(view: InvoiceView) -> MountedPanel | None:
    """The provider's own panel, where the page shows it."""
    return mounted(view.payment, view.panel) if pays_here(view) else None


def waiting_page(visit: Visit, view: InvoiceView, *, leads_on: bool = False) -> str:
    """A payment is under way: at the bank, or with no answer yet.

    A page that `leads_on` goes to the bank by itself.
    """
    challenge = None if view.live is None else view.live.challenge_url
    message = waiting_message(challenge, visit.links, visit.say(view))
    return _render(
        visit,
        view,
        "message.html",
        title=message.title,
        message=message,
        leads_to=challenge if leads_on else None,
        polls=challenge is None,
        look=1,
        seconds=look_again_after(1),
    )


def _form(
    view: InvoiceView, chosen: Chosen, say: Teller
) -> tuple[_Form, tuple[FormFault, ...]]:
    """The payment panel by itself, and what is wrong with what was sent."""
    entry = view.entry
    errors = {one.field: say.words.fault(one) for one in reversed(chosen.faults)}
    charged = Charged(asks=True, amount=entry.amount_due, currency=entry.currency, saves=False)
    panel = make_panel(
        charged, view.payment, view.seller, view.panel, chosen.method, Labels(say, errors)
    )
    return _Form(panel=panel), form_faults(errors, say)


def _details(view: InvoiceView) -> tuple[tuple[str, str], ...]:
    """What the invoice says of its buyer, which a provider's panel need not ask again."""
    buyer = view.entry.customer
    return tuple(
        (name, value)
        for name, value in buyer_details(buyer.name, buyer.email, buyer.billing_address)
        if value
    )


def _has_panel(view: InvoiceView) -> bool:
    """Bank details and the like are told while something is due; a way to pay here where it
    can be charged.
    """
    is_online = isinstance(view.payment, OnlinePayment)
    owes = view.entry.status.is_owed and view.entry.amount_due > 0
    return pays_here(view) if is_online else owes


def _standing(view: InvoiceView, say: Teller) -> str | None:
    """Why there is nothing to pay here, in a sentence; None where there is."""
    entry, seller = view.entry, view.seller.legal_name
    if not entry.status.is_owed:
        return say.words("pay.void")
    if entry.payment_status is PaymentStatus.PROCESSING:
        return say.words("invoice.processing")
    if entry.amount_due == 0:
        return say.words("done.paid")
    return None if _has_panel(view) else say.words("invoice.no_method", seller=seller)


def _render(
    visit: Visit, view: InvoiceView, template: str, *, title: str, **values: object
) -> str:
    say = visit.say(view)
    frame = merchant_frame(title, view.seller, None, visit.files.shared, visit.links.page, say)
    return (
        templates_of(__package__)
        .get_template(template)
        .render(
            t=say.words,
            frame=frame,
            own_stylesheet=visit.files.portal.url("portal.css"),
            links=visit.links,
            csrf=visit.csrf,
            **values,
        )
    )
