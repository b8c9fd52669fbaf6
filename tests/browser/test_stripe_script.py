"""The scripts of Stripe's test servers do on a strict page what Stripe's own does."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tallystick.http import pages
from tests.stripe.account import Account
from tests.stripe.fixtures import local_server, merchant, twin, wires
from tests.stripe.proxy import Proxy
from tests.stripe.twin import Twin
from tests.stripe.wire import Answer, Request, Wires

__all__ = ["local_server", "merchant", "twin", "wires"]

HTMX = Path(pages.__file__).parent / "static" / "htmx.min.js"
FRAME = "iframe[title='Secure payment input frame']"
MODULE = """
const told = document.getElementById("told");
const say = (words) => (told.textContent = words);
const stripe = Stripe(document.body.dataset.key);
const elements = stripe.elements({
  mode: "payment", amount: 5412, currency: "eur", paymentMethodCreation: "manual",
  allowedPaymentMethodTypes: ["card", "sepa_debit"],
});
const element = elements.create("payment", {});
element.on("ready", () => say("ready"));
element.on("loaderror", ({error}) => say(`failed: ${error.message}`));
element.mount("#panel");
elements.update({amount: 4900});
document.getElementById("pay").addEventListener("click", async () => {
  const {error} = await elements.submit();
  if (error) return say(error.code);
  const params = {billing_details: {name: "Jane Roe", email: "jane@example.com"}};
  const made = await stripe.createPaymentMethod({elements, params});
  say(made.error ? made.error.code : made.paymentMethod.id);
});
"""

Shop = Callable[..., str]


@pytest.fixture
def shop(wires: Wires) -> Shop:
    """A page of a shop with a policy that allows only what it is told."""
    pages: dict[str, Answer] = {}

    async def serve(request: Request) -> Answer:
        return pages.get(request.path, Answer(404))

    origin = wires.serve(serve)

    def page(server: Twin | Proxy, key: str, *, frames: str, asked: str) -> str:
        script = server.script_url
        policy = (
            f"default-src 'none'; script-src 'self' {script}; frame-src {frames};"
            f" connect-src 'self' {asked}; style-src 'self'; img-src 'self'"
        )
        words = (
            "<!doctype html><html lang=en><title>Shop</title>"
            "<meta name=htmx-config content='{\"includeIndicatorStyles\": false}'>"
            f"<body data-key={key}>"
            "<div id=panel></div><button id=pay>Pay</button><p id=told></p>"
            "<button id=more hx-get=/part hx-target=#part>More</button><p id=part></p>"
            f"<script src=/htmx.js></script><script src={script}></script>"
            "<script src=/module.js></script>"
        )
        headers = {"content-type": "text/html", "content-security-policy": policy}
        pages["/"] = Answer(200, words.encode(), headers)
        pages["/favicon.ico"] = Answer(204)
        pages["/part"] = Answer(200, b"swapped", {"content-type": "text/html"})
        javascript = {"content-type": "text/javascript"}
        pages["/htmx.js"] = Answer(200, HTMX.read_bytes(), javascript)
        pages["/module.js"] = Answer(200, MODULE.encode(), javascript)
        return f"{origin}/"

    return page


@pytest.fixture
def blocked_page(chromium: Browser) -> Iterator[Page]:
    """A page whose console may complain of what its policy refuses."""
    context = chromium.new_context()
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def test_a_card_is_typed_into_the_twin_s_frame(
    page: Page, shop: Shop, twin: Twin, merchant: Account
) -> None:
    """The page's policy lets in script, frame and API; what comes out is a method's id."""
    page.goto(
        shop(twin, merchant.publishable_key, frames=twin.script_origin, asked=twin.api_base)
    )
    page.get_by_text("ready").wait_for()
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("incomplete_number").wait_for()

    frame = page.frame_locator(FRAME)
    frame.get_by_label("Card number").fill("4242 4242 4242 4242")
    frame.get_by_label("Expiration date (MM / YY)").fill("12 / 34")
    frame.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Pay").click()
    page.locator("#told", has_text="pm_").wait_for()

    (method,) = merchant.objects["payment_method"].values()
    assert page.locator("#told").inner_text() == method["id"]
    assert method["card"]["last4"] == "4242"
    assert method["billing_details"]["name"] == "Jane Roe"


def test_an_account_is_typed_into_the_twin_s_frame(
    page: Page, shop: Shop, twin: Twin, merchant: Account
) -> None:
    """The other tab takes an IBAN."""
    page.goto(
        shop(twin, merchant.publishable_key, frames=twin.script_origin, asked=twin.api_base)
    )
    frame = page.frame_locator(FRAME)
    frame.get_by_role("tab", name="SEPA Direct Debit").click()
    frame.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    frame.get_by_label("Full name").fill("Joan Roe")
    page.get_by_role("button", name="Pay").click()
    page.locator("#told", has_text="pm_").wait_for()

    (method,) = merchant.objects["payment_method"].values()
    assert (method["type"], method["sepa_debit"]["last4"]) == ("sepa_debit", "3000")


def test_a_policy_without_the_frames_origin_shows_no_field(
    blocked_page: Page, shop: Shop, twin: Twin, merchant: Account
) -> None:
    """The frame is another origin's: a page that does not allow it has no fields."""
    page = blocked_page
    page.goto(shop(twin, merchant.publishable_key, frames="'none'", asked=twin.api_base))
    page.locator(FRAME).wait_for()

    assert page.frame_locator(FRAME).get_by_label("Card number").count() == 0


def test_a_policy_without_the_api_says_so(
    blocked_page: Page, shop: Shop, twin: Twin, merchant: Account
) -> None:
    """The script asks the API from the page: blocked, it reports a load error."""
    page = blocked_page
    page.goto(shop(twin, merchant.publishable_key, frames=twin.script_origin, asked="'none'"))

    page.get_by_text("failed:").wait_for()


def test_a_card_is_typed_into_localstripe(
    page: Page, shop: Shop, local_server: Proxy, wires: Wires
) -> None:
    """Its fields stand in the page; its script leaves htmx alone."""
    wires.run(local_server.forget())
    origin = local_server.api_base
    page.goto(shop(local_server, local_server.publishable_key, frames="'none'", asked=origin))
    page.get_by_text("ready").wait_for()
    page.get_by_label("Card number").fill("4242424242424242")
    page.get_by_label("Expiration month").fill("12")
    page.get_by_label("Expiration year").fill("34")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Pay").click()
    page.locator("#told", has_text="pm_").wait_for()

    page.get_by_role("button", name="More").click()
    page.get_by_text("swapped").wait_for()


def test_a_challenge_is_answered_in_a_browser(
    page: Page, shop: Shop, twin: Twin, merchant: Account
) -> None:
    """The bank's page sends the buyer back to the shop, and says how it ended."""
    back = shop(twin, merchant.publishable_key, frames=twin.script_origin, asked=twin.api_base)
    form: dict[str, str | float | bool] = {
        "amount": "5412",
        "currency": "eur",
        "payment_method": "pm_card_authenticationRequired",
        "confirm": "true",
        "return_url": back,
    }
    answer = page.request.post(
        f"{twin.api_base}/v1/payment_intents",
        form=form,
        headers={"authorization": f"Bearer {merchant.secret_key}"},
    )
    action = json.loads(answer.text())["next_action"]["redirect_to_url"]

    page.goto(action["url"])
    assert merchant.moved() == []
    page.get_by_role("button", name="Complete authentication").click()
    page.wait_for_url(f"{back}?*redirect_status=succeeded")

    assert merchant.moved() == [5412]
