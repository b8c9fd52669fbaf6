"""One request of one browser: who it may be, what it reads, how it is answered."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tallystick.domain.errors import Forbidden
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.payment_panel import MountedPanel
from tallystick.domain.web_origin import origin
from tallystick.http.checkout.page import Sheet
from tallystick.http.checkout.success import with_session
from tallystick.http.checkout.words import teller_for
from tallystick.http.pages.assets import Assets
from tallystick.http.pages.buyer_origin import payer_from
from tallystick.http.pages.chosen_language import locale_of, set_language
from tallystick.http.pages.frame import Links
from tallystick.http.pages.headers import page_headers
from tallystick.http.pages.pace import Pace
from tallystick.http.pages.submitted import Submitted
from tallystick.http.pages.tokens import FORM_COOKIE, PAID_FOR, Signer
from tallystick.services.checkout_view import CheckoutView
from tallystick.services.context import App, Context
from tallystick.services.open_link import open_link

PAID_COOKIE = "tallystick_paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A browser that came with a link that opens. `csrf` is the token of its forms."""

    request: Request
    context: Context
    session_id: UUID
    session_name: str
    signer: Signer
    links: Links
    assets: Assets
    csrf: str
    pace: Pace
    real_now: datetime

    @property
    def browser(self) -> str:
        """A mark of this browser: the same for all its tabs and requests."""
        return hashlib.sha256(self.csrf.encode()).hexdigest()

    @property
    def paid_with(self) -> UUID | None:
        """The attempt with which this browser has paid for this session in the last 24 hours.

        Whether it was the one that bought is for the session to say.
        """
        mark = self.request.cookies.get(PAID_COOKIE, "")
        return self.signer.paid_with(mark, self.real_now)

    @property
    def cookie_path(self) -> str:
        """Where the session's cookies are sent: to its own pages only."""
        return f"{self.assets.root}/checkout/{self.session_name}"

    @property
    def wants_fragments(self) -> bool:
        """Whether htmx asks, which swaps parts of the page that is open."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def return_url(self) -> str:
        """Where a challenge sends the buyer back to."""
        public = self.context.app.public_url
        return public + self.links.back_from_bank.removeprefix(self.assets.root)

    @property
    def payer(self) -> bytes | None:
        """A mark of the network address that this request comes from."""
        return payer_from(self.context, self.request)

    @property
    def may_ask(self) -> bool:
        """Whether the provider is asked for this request how the payment stands."""
        client = self.request.client
        return self.pace.may_ask(client and client.host, self.session_name)

    def check_form(self, submitted: Submitted) -> None:
        """Refuse a form that was not filled in on our page in this browser.

        Raises:
            Forbidden: its token is not the cookie's.
        """
        cookie = self.request.cookies.get(FORM_COOKIE, "")
        if not cookie or not self.signer.same_form(cookie, submitted.get("csrf")):
            raise Forbidden("This form was not sent from our page, or cookies are off.")

    def sheet(self, view: CheckoutView) -> Sheet:
        """What the page is drawn on, in the buyer's language."""
        return Sheet(
            say=teller_for(locale_of(self.request, view.locales)),
            links=self.links,
            assets=self.assets,
            signer=self.signer,
            csrf=self.csrf,
        )

    def html(
        self,
        content: str,
        view: CheckoutView,
        status: int = 200,
        panel: MountedPanel | None = None,
    ) -> Response:
        """A page, with the headers that this session's page needs, and those of its `panel`."""
        leads_to = (self.context.app.public_url, view.session.success_url)
        headers = page_headers(leads_to, view.seller.logo_url, panel)
        response = HTMLResponse(content, status, headers)
        self._set(response, FORM_COOKIE, self.csrf)
        return response

    def go(self, url: str) -> Response:
        """Send the browser on, whether it asked for a page or for a fragment."""
        if self.wants_fragments:
            return Response(headers={**page_headers(), "HX-Redirect": url})
        return RedirectResponse(url, 303, page_headers())

    def to_bank(self, url: str, view: CheckoutView) -> Response:
        """Send the browser to a challenge, where the test bank goes on in the same language.

        A form may lead to the test bank, which is ours. A real bank's challenge passes hosts
        that nobody knows before, so a page of ours leads there: that is no form any more.
        """
        is_ours = origin(url) == origin(self.context.app.public_url)
        response = self.go(url if is_ours else self.links.bank)
        set_language(response, self.assets, self.sheet(view).say.words.language)
        return response

    def onward(self, view: CheckoutView) -> str | None:
        """The merchant's own page after success, where it named one."""
        url = view.session.success_url
        return None if url is None else with_session(url, self.session_name)

    def mark_paid(self, response: Response, attempt_id: UUID) -> Response:
        """Mark this browser as the one that pays with this attempt."""
        mark = self.signer.paid(attempt_id, self.real_now)
        self._set(response, PAID_COOKIE, mark, int(PAID_FOR.total_seconds()))
        return response

    def _set(
        self, response: Response, name: str, value: str, seconds: int | None = None
    ) -> None:
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path=self.cookie_path,
            secure=self.context.app.public_url.startswith("https:"),
            httponly=True,
            samesite="lax",
        )


async def arrive(
    app: App,
    assets: Assets,
    pace: Pace,
    request: Request,
    link: tuple[str, str],
    real_now: datetime,
) -> Visit:
    """Open the link (session and signature) that a browser came with.

    Raises:
        NotFound: it opens nothing.
    """
    opened = await open_link(app, *link, real_now)
    name = encode(Prefix.CHECKOUT_SESSION, opened.session_id)
    signer = Signer(opened.context.tenant.link_secret, name)
    cookie = request.cookies.get(FORM_COOKIE, "")
    return Visit(
        request=request,
        context=opened.context,
        session_id=opened.session_id,
        session_name=name,
        signer=signer,
        links=links_of(assets.root, name, link[1]),
        assets=assets,
        csrf=cookie if signer.is_form_token(cookie) else signer.form_token(),
        pace=pace,
        real_now=real_now,
    )


def links_of(root: str, session_name: str, signature: str) -> Links:
    """The addresses of a session's page below `root`."""
    page = f"{root}/checkout/{session_name}/{signature}"
    return Links.below(page, quote=f"{page}/quote")
