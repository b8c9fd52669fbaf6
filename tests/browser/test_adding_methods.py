"""A customer adds a payment method in the portal: with the test bank, and with Stripe."""

from collections.abc import Iterator
from typing import Literal
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tallystick.db.server import EmbeddedServer
from tests.browser.accessibility import violations
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.shop import Pages, Shop
from tests.browser.stripe_counter import ALWAYS_CHALLENGED, IBAN, frame_of, type_card
from tests.browser.stripe_shop import connected_shop, served_with_stripe
from tests.database import fresh_database
from tests.portals import link_of
from tests.stripe.account import Account
from tests.stripe.fixtures import merchant, twin, wires
from tests.stripe.twin import Twin

__all__ = ["merchant", "twin", "wires"]

SAVED = "The payment method is saved and will be charged from now on."


@pytest.fixture(scope="module")
def stripe_pages(server: EmbeddedServer, template: str, twin: Twin) -> Iterator[Pages]:
    """The pages, served with the twin."""
    with fresh_database(server, template) as dsn, served_with_stripe(dsn, twin) as pages:
        yield pages


@pytest.fixture
def stripe_shop(stripe_pages: Pages, merchant: Account) -> Shop:
    """A merchant that is connected to an account of its own."""
    return connected_shop(stripe_pages, merchant)


async def _customer(shop: Shop) -> UUID:
    return await shop.world.customer()


def enter(shop: Shop, page: Page) -> str:
    """Come with a link; the portal's address."""
    customer = shop.run(_customer(shop))
    page.goto(shop.run(link_of(shop.world, customer)))
    return page.url


def test_without_a_script(shop: Shop, plain_page: Page) -> None:
    """With the test bank all of it works without JavaScript, 3-D Secure too."""
    page = plain_page
    enter(shop, page)
    page.get_by_role("link", name="Add a payment method").click()
    page.get_by_label("Card number").fill("4000002500003155")
    page.get_by_label("Expiry date").fill("12/40")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Approve").click()

    expect(page.get_by_text(SAVED)).to_be_visible()
    page.get_by_role("link", name="Remove Visa ending in 3155").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No payment method is saved.")).to_be_visible()


def test_a_card_at_stripe(stripe_shop: Shop, merchant: Account, page: Page) -> None:
    """Stripe's fields make the token; 3-D Secure leads to the bank and back; nothing moves."""
    enter(stripe_shop, page)
    page.get_by_role("link", name="Add a payment method").click()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#payment_token-error")).to_have_text(
        "Please check your payment details."
    )
    type_card(page, ALWAYS_CHALLENGED)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Complete authentication").click()

    expect(page.get_by_text(SAVED)).to_be_visible()
    expect(page.get_by_text("Visa ending in 3184", exact=True).first).to_be_visible()
    assert merchant.moved() == []


def test_a_debit_at_stripe(stripe_shop: Shop, merchant: Account, page: Page) -> None:
    """An account is added under a mandate that names Stripe."""
    enter(stripe_shop, page)
    page.get_by_role("link", name="Add a payment method").click()
    page.get_by_text("SEPA direct debit", exact=True).click()
    expect(page.get_by_text("Acme Cloud SAS and Stripe, its payment service")).to_be_visible()
    frame_of(page, "DIRECT_DEBIT").get_by_label("IBAN").fill(IBAN)
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text(SAVED)).to_be_visible()
    assert merchant.moved() == []
    assert len(merchant.objects["mandate"]) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_for_everyone(
    chromium: Browser, shop: Shop, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    """No rule of accessibility is broken, and nothing is wider than the screen."""
    context = chromium.new_context(viewport=size, color_scheme=scheme, locale="en-US")
    page = context.new_page()
    enter(shop, page)
    page.get_by_role("link", name="Add a payment method").click()
    # A click does not wait for the page that it leads to.
    expect(page.get_by_label("Card number")).to_be_visible()

    def check() -> None:
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]

    check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    check()
    page.get_by_label("Card number").fill("4242424242424242")
    page.get_by_label("Expiry date").fill("12/40")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(SAVED)).to_be_visible()
    check()
    page.get_by_role("link", name="Remove Visa ending in 4242").click()
    expect(page.get_by_role("button", name="Remove")).to_be_visible()
    check()
    context.close()
