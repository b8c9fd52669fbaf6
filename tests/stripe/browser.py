"""What a buyer's browser gets from the twin: `stripe.js`, its frames, and the challenge.

The script has what pages of deferred intents use, and throws what Stripe.js throws for what it
does not know; `paymentMethodTypes` is known until the release "dahlia", which is in the
address of the script, and `allowedPaymentMethodTypes` in every one:

    const stripe = Stripe("pk_test_...");
    const elements = stripe.elements({mode: "payment", amount: 5412, currency: "eur",
        paymentMethodCreation: "manual", allowedPaymentMethodTypes: ["card", "sepa_debit"]});
    elements.create("payment", {...}).mount(node);      // a frame from the script's origin
    elements.update({amount: 4900});
    const {error} = await elements.submit();
    const {paymentMethod, error} = await stripe.createPaymentMethod({elements, params: {...}});

The frame (title "Secure payment input frame") comes from the script's origin, as at Stripe; the
script itself asks the API for its session, and the frame creates the method there. So a page's
`script-src`, `frame-src` and `connect-src` are all needed. Fields in the frame, by label: "Card
number", "Expiration date (MM / YY)", "Security code", and for a debit "IBAN", or "Sort code"
("BSB") and "Account number"; a Bacs debit asks for the address too, and for a tick. With more
kinds than one, tabs choose ("Card", "SEPA Direct Debit"...). In Playwright:

    frame = page.frame_locator("iframe[title='Secure payment input frame']")
    frame.get_by_label("Card number").fill("4242 4242 4242 4242")

On the challenge's page, buttons "Complete authentication" and "Fail authentication" answer.
"""

import html
import json
from pathlib import Path
from urllib.parse import urlencode

from tests.stripe.refusals import Json
from tests.stripe.wire import Answer

SCRIPTS = Path(__file__).parent / "js"

HTML = {"content-type": "text/html; charset=utf-8"}
JAVASCRIPT = {"content-type": "text/javascript; charset=utf-8"}


def shared(status: int, body: Json) -> Answer:
    """JSON that every page may read."""
    headers = {"content-type": "application/json", "access-control-allow-origin": "*"}
    return Answer(status, json.dumps(body).encode(), headers)


def allowed() -> Answer:
    """The answer to a browser that asks whether it may send a request."""
    headers = {
        "access-control-allow-origin": "*",
        "access-control-allow-headers": "authorization, content-type",
        "access-control-allow-methods": "GET, POST",
    }
    return Answer(204, b"", headers)


def served(path: str, *, api_base: str) -> Answer:
    """The script and its frame's parts."""
    if path.endswith("/stripe.js"):
        return _script("twin.js", api_base)
    if path == "/frames/payment.html":
        words = (
            "<!doctype html><html lang=en><meta charset=utf-8><title>Payment</title>"
            "<body><script src=/frames/payment.js></script>"
        )
        return Answer(200, words.encode(), HTML)
    if path == "/frames/payment.js":
        return _script("frame.js", api_base)
    return Answer(404, b"", HTML)


def _script(name: str, api_base: str) -> Answer:
    text = (SCRIPTS / name).read_text(encoding="utf-8")
    head = f"const API_BASE = {json.dumps(api_base)};\n"
    return Answer(200, f"(() => {{\n{head}{text}\n}})();\n".encode(), JAVASCRIPT)


def challenge(intent: Json) -> Answer:
    """The bank's page: a form with both answers."""
    what = html.escape(f"{intent.get('amount', 0)} {intent.get('currency', '')}".strip())
    page = (
        "<!doctype html><html lang=en><meta charset=utf-8><title>3D Secure</title>"
        f"<h1>3D Secure</h1><p>{what}</p><form method=post>"
        "<button name=answer value=approve>Complete authentication</button> "
        "<button name=answer value=refuse>Fail authentication</button></form>"
    )
    return Answer(200, page.encode(), HTML)


def sent_back(return_url: str, intent: Json) -> Answer:
    """Back to the shop, as Stripe says what became of it."""
    kind = intent["object"]
    done = intent["status"] in {"succeeded", "processing"}
    said = {
        kind: intent["id"],
        f"{kind}_client_secret": intent["client_secret"],
        "redirect_status": "succeeded" if done else "failed",
    }
    joint = "&" if "?" in return_url else "?"
    return Answer(303, b"", {"location": f"{return_url}{joint}{urlencode(said)}"})


def completed(script: str) -> Answer:
    """Localstripe's script as it is, in a function: its `class Element` would hide the
    browser's own, which breaks htmx. What it lacks comes after it.
    """
    more = (SCRIPTS / "localstripe.js").read_text(encoding="utf-8")
    base = "const BASE = new URL(document.currentScript.src).origin;\n"
    text = f"(function () {{\n{script}\n}})();\n(() => {{\n{base}{more}\n}})();\n"
    return Answer(200, text.encode(), JAVASCRIPT)
