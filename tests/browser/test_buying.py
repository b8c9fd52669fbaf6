"""A buyer with a browser pays."""

from playwright.sync_api import Page, expect

from tests.browser.shop import Shop


def test_a_card_pays(shop: Shop, page: Page) -> None:
    """A card that is good buys the plan: one charge of what the page showed."""
    page.goto(shop.link())
    expect(page.get_by_role("button", name="Pay €49.00")).to_be_visible()
    page.get_by_label("Card number").fill("4242424242424242")
    page.get_by_label("Expiry date").fill("12/40")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Pay €49.00").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("You are subscribed to Pro")
    assert shop.charges == [4900]
