"""One request of one browser at an invoice's page: what it reads, how it is answered."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tallystick.domain.errors import Forbidden
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.payment_panel import MountedPanel
from tallystick.domain.web_origin import origin
from tallystick.http.pages.assets import Files
from tallystick.http.pages.buyer_origin import payer_from
from tallystick.http.pages.chosen_language import locale_of
from tallystick.http.pages.frame import Links
from tallystick.http.pages.headers import page_headers
from tallystick.http.pages.pace import Pace
from tallystick.http.pages.submitted import Submitted, read_form
from tallystick.http.pages.teller import Teller, teller_for
from tallystick.http.pages.tokens import FORM_COOKIE, Signer
from tallystick.services.context import App, Context
from tallystick.services.pay_on_page import InvoiceView, open_invoice

Link = tuple[str, str, str]
"""What an address names: tenant, invoice, signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A browser that came with a link that opens. `csrf` is the token of its forms."""

    request: Request
    context: Context
    invoice_id: UUID
    signer: Signer
    links: Links
    files: Files
    csrf: str
    pace: Pace

    @property
    def name(self) -> str:
        """The invoice as it is known outside."""
        return encode(Prefix.INVOICE, self.invoice_id)

    @property
    def return_url(self) -> str:
        """Where a challenge sends the buyer back to."""
        public = self.context.app.public_url
        return public + self.links.back_from_bank.removeprefix(self.files.shared.root)

    @property
    def may_ask(self) -> bool:
        """Whether the provider is asked for this request how the payment stands."""
        client = self.request.client
        return self.pace.may_ask(client and client.host, self.name)

    @property
    def payer(self) -> bytes | None:
        """A mark of the network address that this request comes from."""
        return payer_from(self.context, self.request)

    def say(self, view: InvoiceView) -> Teller:
        """The teller in the customer's language."""
        return teller_for(locale_of(self.request, view.locales))

    async def form(self) -> Submitted:
        """The form that was sent, once it is known to come from our page in this browser.

        Raises:
            Forbidden: It does not.
        """
        submitted = await read_form(self.request)
        cookie = self.request.cookies.get(FORM_COOKIE, "")
        if not cookie or not self.signer.same_form(cookie, submitted.get("csrf")):
            raise Forbidden("This form was not sent from our page, or cookies are off.")
        return submitted

    def html(
        self,
        content: str,
        view: InvoiceView,
        status: int = 200,
        panel: MountedPanel | None = None,
    ) -> Response:
        """A page, with the headers that it needs, and those of its `panel`."""
        leads_to = (self.context.app.public_url,)
        headers = page_headers(leads_to, view.seller.logo_url, panel)
        response = HTMLResponse(content, status, headers)
        response.set_cookie(
            FORM_COOKIE,
            self.csrf,
            path=self.links.page,
            secure=self.context.app.public_url.startswith("https:"),
            httponly=True,
            samesite="lax",
        )
        return response

    def go(self, url: str) -> Response:
        """Send the browser on, whether it asked for a page or for a fragment."""
        if self.request.headers.get("hx-request") == "true":
            return Response(headers={**page_headers(), "HX-Redirect": url})
        return RedirectResponse(url, 303, page_headers())

    def to_bank(self, url: str) -> Response:
        """Send the browser to a challenge: a real bank's over a page of ours, as at the
        checkout.
        """
        is_ours = origin(url) == origin(self.context.app.public_url)
        return self.go(url if is_ours else self.links.bank)


async def arrive(
    app: App, files: Files, pace: Pace, request: Request, link: Link, real_now: datetime
) -> Visit:
    """Open the link that a browser came with.

    Raises:
        NotFound: It opens nothing.
    """
    opened = await open_invoice(app, link, real_now)
    name = encode(Prefix.INVOICE, opened.invoice_id)
    signer = Signer(opened.context.tenant.link_secret, name)
    cookie = request.cookies.get(FORM_COOKIE, "")
    return Visit(
        request=request,
        context=opened.context,
        invoice_id=opened.invoice_id,
        signer=signer,
        links=links_of(files.shared.root, link),
        files=files,
        csrf=cookie if signer.is_form_token(cookie) else signer.form_token(),
        pace=pace,
    )


def links_of(root: str, link: Link) -> Links:
    """The addresses of an invoice's page below `root`."""
    page = "/".join((f"{root}/pay", *link))
    return Links.below(page, quote=page)
