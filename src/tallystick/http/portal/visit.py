"""One request of one browser: whose portal it sees, in which language, how it is answered."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tallystick.domain.errors import Forbidden, Unauthorized
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.payment_panel import MountedPanel
from tallystick.http.pages.assets import Files
from tallystick.http.pages.buyer_origin import payer_from
from tallystick.http.pages.chosen_language import keep_language, locale_of
from tallystick.http.pages.headers import page_headers
from tallystick.http.pages.submitted import Submitted, read_form
from tallystick.http.pages.teller import Teller
from tallystick.http.portal.words import teller_for
from tallystick.services.context import App
from tallystick.services.ids import new_id
from tallystick.services.link import Purpose, sign, verify
from tallystick.services.portal_token import OpenedPortal, open_portal

COOKIE = "tallystick_portal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A browser that was let in. `token` is what let it in; its forms carry a mark of it."""

    request: Request
    portal: OpenedPortal
    token: str
    files: Files

    @property
    def root(self) -> str:
        """Where the portal's pages are."""
        return home(self.files)

    @property
    def csrf(self) -> str:
        """What a form must bring back: nobody else can read it, or make it."""
        return sign(self._secret, Purpose.PORTAL_FORM, self.token)

    @property
    def say(self) -> Teller:
        """The teller in the customer's language."""
        preferred = self.portal.customer.preferred_locales
        return teller_for(locale_of(self.request, preferred))

    @property
    def payer(self) -> bytes | None:
        """A mark of the network address that this request comes from."""
        return payer_from(self.portal.context, self.request)

    def new_try(self, invoice_id: UUID) -> str:
        """A new try to pay an invoice: sent twice, one form is one try."""
        return self.try_named(invoice_id, new_id())

    def try_named(self, subject: UUID, try_id: UUID) -> str:
        """The mark of a try under this id, for this subject alone."""
        return f"{try_id}.{self._try(subject, str(try_id))}"

    def agreed(self, text: str) -> str:
        """The signature of a text that a page asks the customer to agree to."""
        return sign(self._secret, Purpose.CONSENT, f"{self.token}\n{text}")

    def try_of(self, invoice_id: UUID, text: str) -> UUID:
        """The try that a form carries.

        Raises:
            Forbidden: We gave it to nobody, or for another invoice.
        """
        name, _, signature = text.partition(".")
        text_of = self._try_text(invoice_id, name)
        if not verify(self._secret, Purpose.PORTAL_TRY, text_of, signature):
            raise Forbidden("This form was not sent from our page.")
        return UUID(name)

    async def form(self) -> Submitted:
        """The form that was sent, once it is known to come from our page.

        Raises:
            Forbidden: It does not, or the token may only look.
        """
        submitted = await read_form(self.request)
        if not secrets.compare_digest(self.csrf.encode(), submitted.get("csrf").encode()):
            raise Forbidden("This form was not sent from our page.")
        return submitted

    def html(
        self,
        content: str,
        logo: str | None,
        status: int = 200,
        panel: MountedPanel | None = None,
    ) -> Response:
        """A page; `panel` is the provider's, where the page shows it."""
        return HTMLResponse(content, status, page_headers((), logo, panel))

    def go(self, path: str) -> Response:
        """Send the browser on to a page of the portal."""
        return RedirectResponse(self.root + path, 303, page_headers())

    def leave_to(self, url: str) -> Response:
        """Send the browser on to another page of ours."""
        return RedirectResponse(url, 303, page_headers())

    def _try(self, invoice_id: UUID, name: str) -> str:
        return sign(self._secret, Purpose.PORTAL_TRY, self._try_text(invoice_id, name))

    def _try_text(self, invoice_id: UUID, name: str) -> str:
        customer = encode(Prefix.CUSTOMER, self.portal.customer.id)
        return f"{customer}\n{encode(Prefix.INVOICE, invoice_id)}\n{name}"

    @property
    def _secret(self) -> bytes:
        return self.portal.context.tenant.link_secret


async def arrive(app: App, files: Files, request: Request, real_now: datetime) -> Visit:
    """Let in the browser whose cookie has a token that opens.

    Raises:
        Unauthorized: It has none, or its time is over.
    """
    token = request.cookies.get(COOKIE, "")
    if not token:
        raise Unauthorized("Nobody is signed in to the portal.")
    portal = await open_portal(app, token, real_now)
    return Visit(request=request, portal=portal, token=token, files=files)


async def let_in(app: App, files: Files, token: str, real_now: datetime) -> Response:
    """Take a token out of the address: it goes into a cookie, and the browser on.

    Raises:
        Unauthorized: It does not open, or its time is over.
    """
    portal = await open_portal(app, token, real_now)
    response = RedirectResponse(home(files), 303, page_headers())
    response.set_cookie(
        COOKIE,
        token,
        max_age=int((portal.expires_at - real_now).total_seconds()),
        path=home(files),
        secure=app.public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return response


def in_language(files: Files, request: Request, language: str) -> Response:
    """Keep a language that was chosen in the footer, and show the same page again."""
    return keep_language(files.shared, files.shared.root + request.url.path, language)


def leave(files: Files, message: str) -> Response:
    """Forget who this browser is."""
    response = HTMLResponse(message, headers=page_headers())
    response.delete_cookie(COOKIE, path=home(files), httponly=True, samesite="lax")
    return response


def home(files: Files) -> str:
    """The path of the overview."""
    return f"{files.shared.root}/portal"
