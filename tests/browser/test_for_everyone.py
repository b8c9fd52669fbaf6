"""The pages for every eye, hand and screen: axe-core, keyboard, sizes, light and dark."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tallystick.domain.coupons import Percentage
from tests.browser.accessibility import violations
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.shop import Shop

Story = Callable[[Shop, Page], None]


def ordering(shop: Shop, page: Page) -> None:
    """The form, with a discount, and every explanation open."""
    shop.run(shop.world.coupon("LAUNCH20", Percentage(percentage=Decimal(20))))
    page.goto(shop.link(coupon_code="LAUNCH20", invoice_memo="Thanks", purchase_order="PO-1"))
    for summary in page.locator("summary").all():
        summary.click()


def a_trial(shop: Shop, page: Page) -> None:
    """The form of a trial, by direct debit."""
    page.goto(shop.link(trial_duration_days=14))
    page.get_by_text("SEPA direct debit", exact=True).click()


def faults(shop: Shop, page: Page) -> None:
    """The form with faults."""
    page.goto(shop.link())
    page.get_by_label("Card number").fill("4242424242424241")
    page.get_by_label("Expiry date").fill("12/20")
    page.get_by_label("Security code").fill("1")
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("alert")).to_be_visible()


def a_change(shop: Shop, page: Page) -> None:
    """Old and new figures side by side."""
    customer_id = shop.run(shop.world.customer())
    page.goto(shop.link(customer_id=customer_id))
    shop.run(shop.world.balance(customer_id, 1000))
    _pay(page, "4242424242424242")
    expect(page.get_by_role("alert")).to_be_visible()


def a_challenge(shop: Shop, page: Page) -> None:
    """The page between us and the bank."""
    link = shop.link()
    page.goto(link)
    _pay(page, "4000002500003155")
    page.wait_for_url("**/sandbox/**")
    page.goto(link)


def waiting(shop: Shop, page: Page) -> None:
    """The page that waits for an answer."""
    page.goto(shop.link())
    _pay(page, "4000000000009987")
    expect(page.get_by_role("heading", level=1)).to_have_text("Waiting for the answer")


def a_confirmation(shop: Shop, page: Page) -> None:
    """The confirmation with the invoice."""
    page.goto(shop.link())
    _pay(page, "4242424242424242")
    expect(page.get_by_text("INV-")).to_be_visible()


def an_expired_link(shop: Shop, page: Page) -> None:
    """An ending."""
    link = shop.link(expires_in_hours=1)
    later = shop.world.ctx.now + timedelta(hours=2)
    shop.change("update tenants set clock = $2 where id = $1", later)
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("This checkout has expired")


def an_unknown_link(shop: Shop, page: Page) -> None:
    """A link that opens nothing."""
    page.goto(f"{shop.link()}x")


SCREENS: list[tuple[Literal["light", "dark"], ViewportSize]] = [
    ("light", DESKTOP),
    ("dark", PHONE),
]

STORIES: list[Story] = [
    ordering,
    a_trial,
    faults,
    a_change,
    a_challenge,
    waiting,
    a_confirmation,
    an_expired_link,
    an_unknown_link,
]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_axe_finds_nothing(shop: Shop, page: Page, story: Story) -> None:
    """No page breaks a rule of WCAG 2.2 AA that a program can check, on any screen."""
    story(shop, page)
    for scheme, size in SCREENS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)

        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("language", ["fr", "de", "es"])
def test_every_language_fits_a_phone(shop: Shop, page: Page, language: str) -> None:
    """The longer words of other languages fit, and the page says which language it is."""
    page.set_viewport_size(PHONE)
    page.goto(f"{shop.link(trial_duration_days=14)}?lang={language}")

    assert page.locator("html").get_attribute("lang") == language
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_keyboard_is_enough(shop: Shop, page: Page) -> None:
    """Everything can be reached and done with the keyboard, the focus always in sight."""
    page.goto(shop.link())
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to payment")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("Card number").focus()
    page.keyboard.type("4242424242424242")
    page.keyboard.press("Tab")
    page.keyboard.type("1240")
    page.keyboard.press("Tab")
    page.keyboard.type("123")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("You are subscribed to Pro")
    assert shop.charges == [4900]


def test_fields_tell_what_they_are_for(shop: Shop, page: Page) -> None:
    """Browsers and password managers know what to fill in, and phones which keys to show."""
    page.goto(shop.link())
    found = {
        label: page.get_by_label(label, exact=True).get_attribute("autocomplete")
        for label in (
            "Email",
            "Country or region",
            "Card number",
            "Expiry date",
            "Security code",
        )
    }

    assert found == {
        "Email": "email",
        "Country or region": "billing country",
        "Card number": "cc-number",
        "Expiry date": "cc-exp",
        "Security code": "cc-csc",
    }
    assert page.get_by_label("Card number").get_attribute("inputmode") == "numeric"


def test_a_phone_buys(shop: Shop, chromium: Browser) -> None:
    """On a phone, by touch, the purchase works as well."""
    context = chromium.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(shop.link())
    page.get_by_label("Card number").fill("4242424242424242")
    page.get_by_label("Expiry date").fill("12/40")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Pay €49.00").tap()

    expect(page.get_by_role("heading", level=1)).to_have_text("You are subscribed to Pro")
    context.close()
    assert shop.charges == [4900]


def _pay(page: Page, number: str) -> None:
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry date").fill("12/40")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Pay €49.00").click()
