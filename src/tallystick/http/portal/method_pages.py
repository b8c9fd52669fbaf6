"""The pages of payment methods, rendered: here their templates are named."""

from collections.abc import Mapping

from tallystick.domain.collection import SavedMethod
from tallystick.domain.payment import MethodKind
from tallystick.domain.payment_panel import MountedPanel
from tallystick.http.pages.panel import panel_scripts
from tallystick.http.portal.adding import AddingForm
from tallystick.http.portal.pages import Notice, render
from tallystick.http.portal.told import method_row
from tallystick.http.portal.visit import Visit
from tallystick.services.checkout_view import SellerCard


def adding_page(
    visit: Visit,
    seller: SellerCard,
    form: AddingForm,
    attempt: str,
    notice: Notice | None,
    panel: MountedPanel | None,
    agreed: Mapping[MethodKind, str],
) -> str:
    """The form of a new method; `attempt` marks the try that it makes."""
    return render(
        visit,
        "add_method.html",
        seller,
        path="/methods/add",
        title=visit.say.words("methods.add"),
        notice=notice,
        form=form,
        attempt=attempt,
        alerts=form.alerts,
        agreed={kind.value: mark for kind, mark in agreed.items()},
        panel_scripts=[] if panel is None else panel_scripts(panel, visit.files.shared),
    )


def waiting_page(visit: Visit, seller: SellerCard, look: str, bank: str | None) -> str:
    """A page that leads to the bank by itself, or asks to look again."""
    words = visit.say.words
    return render(
        visit,
        "method_waits.html",
        seller,
        path="",
        title=words("wait.title" if bank is None else "challenge.title"),
        text=words("methods.waits" if bank is None else "challenge.text"),
        go=visit.root + look if bank is None else bank,
        label=words("wait.again" if bank is None else "challenge.go"),
        leads_to=bank,
    )


def removing_page(
    visit: Visit, seller: SellerCard, name: str, method: SavedMethod, notice: Notice | None
) -> str:
    """What taking a method away means, and the button."""
    say = visit.say
    row = method_row(method, visit.portal.context.today, say)
    return render(
        visit,
        "remove_method.html",
        seller,
        path=f"/methods/{name}/remove",
        title=say.words("methods.remove_title", method=row.label),
        notice=notice,
        name=name,
    )
