"""The portal's pages, each put together from a view and rendered: here templates are named."""

from dataclasses import dataclass
from datetime import date, timedelta

from tallystick.domain.ids import Prefix, decode, encode
from tallystick.http.pages.alerts import faults_alert
from tallystick.http.pages.assets import Files
from tallystick.http.pages.drawing import templates_of
from tallystick.http.pages.frame import Frame, bare_frame, merchant_frame
from tallystick.http.pages.teller import Teller
from tallystick.http.portal.details import DetailsForm
from tallystick.http.portal.told import (
    InvoicePage,
    customer_lines,
    invoice_row,
    method_row,
    next_words,
    pages_of,
    subscription_card,
)
from tallystick.http.portal.visit import Visit
from tallystick.services.checkout_view import SellerCard
from tallystick.services.link import payment_url
from tallystick.services.portal_view import OwnSubscription, PortalView
from tallystick.services.show_portal import INVOICES_PER_PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What happened, above the page; `tone` is `good`, `warn` or `bad`."""

    tone: str
    text: str


def overview_page(visit: Visit, view: PortalView, page: int, notice: Notice | None) -> str:
    """Subscriptions, invoices, payment methods and billing details."""
    say = visit.say
    cards = [subscription_card(one, view.today, say) for one in view.subscriptions]
    over = [one.is_over for one in view.subscriptions]
    newer, older = pages_of(view, page, INVOICES_PER_PAGE)
    return render(
        visit,
        "overview.html",
        view.seller,
        title=say.words("portal.title"),
        notice=notice,
        customer=view.customer.name,
        live=[card for card, is_over in zip(cards, over, strict=True) if not is_over],
        ended=[card for card, is_over in zip(cards, over, strict=True) if is_over],
        invoices=[invoice_row(one, view.today, say) for one in view.invoices],
        newer=newer,
        older=older,
        methods=[method_row(one, view.today, say) for one in view.methods],
        can_add=view.can_add_method,
        charged={encode(Prefix.PAYMENT_METHOD, one) for one in view.charged},
        details=customer_lines(view.customer, say),
        emails=view.customer.invoicing_emails,
    )


def own_invoice_page(
    visit: Visit, seller: SellerCard, shown: InvoicePage, notice: Notice | None, attempt: str
) -> str:
    """One invoice; `attempt` marks the try that its form makes."""
    return render(
        visit,
        "portal_invoice.html",
        seller,
        path=f"/invoices/{shown.name}",
        title=shown.body.title,
        notice=notice,
        invoice=shown.body,
        own=shown,
        attempt=attempt,
        elsewhere=_own_page(visit, shown) if shown.owes and visit.portal.may_manage else None,
    )


def _own_page(visit: Visit, shown: InvoicePage) -> str:
    """Where the invoice can be paid with a method that is not on file."""
    ctx = visit.portal.context
    invoice_id = decode(Prefix.INVOICE, shown.name)
    return payment_url(ctx.app.public_url, ctx.tenant.link_secret, ctx.tenant.id, invoice_id)


def cancel_page(visit: Visit, seller: SellerCard, own: OwnSubscription) -> str:
    """What cancelling a subscription means, and the button."""
    say = visit.say
    name = encode(Prefix.SUBSCRIPTION, own.entry.id)
    return render(
        visit,
        "cancel.html",
        seller,
        path=f"/subscriptions/{name}/cancel",
        title=say.words("cancel.title", plan=own.entry.plan_name),
        name=name,
        text=cancel_words(own, visit.portal.context.today, say),
        coming=None if own.next is None else next_words(own, own.next, say),
    )


def cancel_words(own: OwnSubscription, today: date, say: Teller) -> str:
    """Until when a subscription would run if it were cancelled now."""
    ends = own.ends_if_cancelled
    assert ends is not None, "it can be cancelled"
    plan = own.entry.plan_name
    if ends <= today:
        return say.words("cancel.today", plan=plan)
    day = say.formats.day(ends - timedelta(days=1))
    return say.words("cancel.text", plan=plan, day=day)


def details_page(visit: Visit, seller: SellerCard, form: DetailsForm) -> str:
    """The form of billing details."""
    say = visit.say
    return render(
        visit,
        "details.html",
        seller,
        path="/details",
        title=say.words("details.title"),
        alerts=[faults_alert(form.faults, say)] if form.faults else [],
        form=form,
    )


def bare_page(key: str, say: Teller, files: Files, *, goes_home: bool) -> str:
    """A page that belongs to nobody: a portal that is closed, a request that was refused."""
    frame = bare_frame(say.words(f"{key}.title"), files.shared)
    return (
        templates_of(__package__)
        .get_template("portal_message.html")
        .render(
            t=say.words,
            frame=frame,
            own_stylesheet=files.portal.url("portal.css"),
            title=frame.title,
            text=say.words(f"{key}.text"),
            home=f"{files.shared.root}/portal" if goes_home else None,
        )
    )


def render(
    visit: Visit, template: str, seller: SellerCard, path: str = "", **values: object
) -> str:
    """A page within the merchant's surroundings; `path` is its own, below the portal."""
    say, files = visit.say, visit.files
    frame: Frame = merchant_frame(
        str(values["title"]), seller, None, files.shared, visit.root + path, say
    )
    given = {"notice": None, **values}
    return (
        templates_of(__package__)
        .get_template(template)
        .render(
            t=say.words,
            frame=frame,
            own_stylesheet=files.portal.url("portal.css"),
            root=visit.root,
            csrf=visit.csrf,
            may_manage=visit.portal.may_manage,
            seller=seller,
            **given,
        )
    )
