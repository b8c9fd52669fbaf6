"""The demo's buyer: opens the link, fills in the page's form, pays, looks at the outcome."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

from tallystick.cli.demo_api import SECONDS_MAX, Api, DemoFailed
from tallystick.cli.demo_forms import Form, forms_of

CARD = {
    "card_number": "4242 4242 4242 4242",
    "card_expiry": "12 / 40",
    "card_cvc": "123",
    "card_name": "Dana Globex",
}
FORM_ID = "checkout"
BUTTON_ID = "pay"

TRIES_MAX = 3
"""A quote that changed meanwhile (midnight came) is read again and confirmed anew."""

SEE_OTHER = 303
QUOTE_CHANGED = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What came of a checkout, each part as the REST API answers it."""

    session: dict[str, Any]
    subscription: dict[str, Any]
    invoices: list[dict[str, Any]]


async def buy(checkout_url: str) -> str:
    """Pay with the test card through the page's own form.

    Returns:
        Where the page sends the buyer afterwards.

    Raises:
        DemoFailed: The page did not take it, and what it said.
    """
    async with httpx.AsyncClient(
        timeout=SECONDS_MAX, trust_env=False, headers={"Accept-Language": "en"}
    ) as browser:
        page = await browser.get(checkout_url)
        if not page.is_success:
            raise DemoFailed(f"The checkout page was answered with {page.status_code}.")
        for _ in range(TRIES_MAX):
            form = _filled(page.text)
            action, fields = form.sent_by(BUTTON_ID)
            page = await browser.post(
                urljoin(str(page.url), action),
                content=urlencode(fields),
                headers={
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Origin": _origin(checkout_url),
                },
            )
            if page.status_code == SEE_OTHER:
                return urljoin(str(page.url), page.headers["location"])
            if page.status_code != QUOTE_CHANGED:
                break
    raise DemoFailed(f"The page did not take the payment: it answered {page.status_code}.")


def _filled(page: str) -> Form:
    form = next((form for form in forms_of(page) if form.id == FORM_ID), None)
    if form is None:
        raise DemoFailed("The checkout page has no form to pay with.")
    if form.has("method"):
        form.fill("method", "CARD")
    for name, value in CARD.items():
        if form.has(name):
            form.fill(name, value)
    if missing := form.missing():
        raise DemoFailed(f"The checkout page wants more: {', '.join(missing)}.")
    return form


async def outcome(api: Api, session_id: str) -> Purchase:
    """Read what a completed session led to.

    Raises:
        DemoFailed: It is not completed, or is no subscription with one paid invoice.
    """
    session = (await api.get(f"/checkout-sessions/{session_id}"))["session"]
    if session["status"] != "COMPLETED":
        raise DemoFailed(f"The session is {session['status']} and not COMPLETED.")
    subscription = await api.get(f"/subscriptions/{session['subscription_id']}")
    listed = await api.get("/invoices", subscription_id=session["subscription_id"])
    invoices = [await api.get(f"/invoices/{one['id']}") for one in listed["data"]]
    shapes = [(one["invoice_type"], one["status"], one["payment_status"]) for one in invoices]
    if shapes != [("RECURRING", "FINALIZED", "PAID")]:
        raise DemoFailed(f"There should be one paid invoice, and there is: {shapes}.")
    return Purchase(session=session, subscription=subscription, invoices=invoices)


def charged_amount(purchase: Purchase) -> int:
    """What the bank must have taken: the invoice's total less the balance that it used."""
    invoice = purchase.invoices[0]
    return int(invoice["total"]) - int(invoice["applied_credits"])


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
