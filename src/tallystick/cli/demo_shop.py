"""The demo's merchant: a price list that sells, and the page that buyers come back to.

It stands for the site of somebody who uses Tallystick, and knows Tallystick over REST only.
"""

from collections.abc import Awaitable, Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from tallystick.cli.demo_api import Api, Refused
from tallystick.cli.demo_screen import money

PATH = "/demo"
STYLE = Path(__file__).with_name("demo_shop.css")

SEE_OTHER = 303
NOT_READY = 503

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Offer = Callable[[str], Awaitable[str]]
"""From a plan's name to the link of a new checkout session."""


class Shop:
    """What the shop sells, once the demo has set it up."""

    def __init__(self) -> None:
        self.api: Api | None = None
        self.plans: Mapping[str, Mapping[str, Any]] = {}
        self.offer: Offer | None = None

    def open(self, api: Api, plans: Mapping[str, Mapping[str, Any]], offer: Offer) -> None:
        """Begin to sell."""
        self.api, self.plans, self.offer = api, plans, offer

    def pages(self) -> APIRouter:
        """The shop's own pages."""
        routes = APIRouter(include_in_schema=False)

        @routes.get(PATH)
        async def price_list() -> Response:
            return _page("Plans and prices", _price_list(self.plans))

        @routes.post(PATH + "/buy/{plan}")
        async def buy(plan: str) -> Response:
            if self.offer is None or plan not in self.plans:
                return _page("Not for sale", "<p>There is no such plan.</p>", NOT_READY)
            try:
                return RedirectResponse(await self.offer(plan), SEE_OTHER)
            except Refused as refused:
                return _page("That did not work", f"<pre>{escape(str(refused))}</pre>", 409)

        @routes.get(PATH + "/welcome")
        async def welcome(request: Request) -> Response:
            session_id = request.query_params.get("checkout_session_id", "")
            if self.api is None or not session_id.startswith("che_"):
                return RedirectResponse(PATH, SEE_OTHER)
            try:
                return _page("Thank you", await _outcome(self.api, session_id))
            except Refused as refused:
                return _page("Unknown", f"<pre>{escape(str(refused))}</pre>", refused.status)

        @routes.get(PATH + "/style.css")
        async def style() -> Response:
            return FileResponse(STYLE, headers={"Cache-Control": "max-age=300"})

        return routes


def _price_list(plans: Mapping[str, Mapping[str, Any]]) -> str:
    cards = "".join(
        f"<li><h2>{escape(name)}</h2><p>{escape(plan['description'] or '')}</p>"
        f"{_prices(plan)}"
        f'<form method="post" action="{PATH}/buy/{escape(name)}">'
        f"<button>Choose {escape(name)}</button></form></li>"
        for name, plan in plans.items()
    )
    return f'<ul class="plans">{cards}</ul>'


def _prices(plan: Mapping[str, Any]) -> str:
    parts = "".join(
        f"<li>{escape(part['name'])}: {escape(_price(part['fee'], plan['currency']))}</li>"
        for part in plan["price_components"]
    )
    trial = plan["trial"]
    days = f"<li>{trial['duration_days']} days free</li>" if trial else ""
    return f"<ul>{parts}{days}</ul>"


def _price(fee: Mapping[str, Any], currency: str) -> str:
    match fee["type"]:
        case "RATE" | "SLOT":
            unit = f" a {fee['slot_unit_name']}" if fee["type"] == "SLOT" else ""
            return " or ".join(
                f"{currency} {rate['price']}{unit}, {rate['term'].lower()}"
                for rate in fee["rates"]
            )
        case "CAPACITY":
            return ", ".join(
                f"{one['included_amount']:,} for {currency} {one['price']}"
                for one in fee["thresholds"]
            )
        case "USAGE":
            return "by use"
        case _:
            return f"{currency} {fee['unit_price']}, once"


async def _outcome(api: Api, session_id: str) -> str:
    """What the merchant's server learns about a purchase, from the id in the address."""
    session = (await api.get(f"/checkout-sessions/{session_id}"))["session"]
    rows = [("Checkout session", session["id"]), ("Status", session["status"])]
    if session["subscription_id"]:
        subscription = await api.get(f"/subscriptions/{session['subscription_id']}")
        rows += [
            ("Subscription", f"{subscription['id']} ({subscription['status']})"),
            ("Current period", _period(subscription)),
        ]
        found = await api.get("/invoices", subscription_id=subscription["id"])
        rows += [
            (
                f"Invoice {invoice['invoice_number']}",
                f"{money(invoice['total'], invoice['currency'])} ({invoice['payment_status']})",
            )
            for invoice in found["data"]
        ]
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    return (
        "<p>This page is the merchant's: here your own product would welcome its buyer. "
        "It asked the REST API about the id that came with the address, and heard:</p>"
        f'<dl>{facts}</dl><p><a href="{PATH}">Back to the plans</a></p>'
    )


def _period(subscription: Mapping[str, Any]) -> str:
    return f"{subscription['current_period_start']} to {subscription['current_period_end']}"


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} - Acme Cloud</title>"
        f'<link rel="stylesheet" href="{PATH}/style.css"></head>'
        f"<body><header>Acme Cloud</header><main><h1>{escape(title)}</h1>{body}</main>"
        "</body></html>",
        status,
        headers=HEADERS,
    )
