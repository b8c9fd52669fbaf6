"""The same purchases without JavaScript."""

from decimal import Decimal

from playwright.sync_api import Page, expect

from tallystick.domain.coupons import Percentage
from tests.browser.shop import Shop

BOUGHT = "You are subscribed to Pro"


def type_card(page: Page, number: str = "4242424242424242") -> None:
    """Fill in a card."""
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry date").fill("12/40")
    page.get_by_label("Security code").fill("123")


def test_a_card_pays(shop: Shop, plain_page: Page) -> None:
    """Without JavaScript a card pays."""
    page = plain_page
    page.goto(shop.link())
    type_card(page)
    page.get_by_label("Security code").press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text(BOUGHT)
    assert shop.charges == [4900]


def test_country_and_code_change_the_total(shop: Shop, plain_page: Page) -> None:
    """Without JavaScript a button brings the total up to date, and what was typed stays."""
    page = plain_page
    shop.tax_by_eu_vat()
    shop.run(shop.world.coupon("LAUNCH20", Percentage(percentage=Decimal(20))))
    page.goto(shop.link())
    page.get_by_label("Country or region").select_option("DE")
    page.get_by_label("City").fill("Berlin")
    page.get_by_role("button", name="Update total").click()

    expect(page.get_by_role("button", name="Pay €58.31")).to_be_visible()

    page.get_by_label("Promotion code").fill("LAUNCH20")
    page.get_by_role("button", name="Apply").click()

    expect(page.get_by_role("button", name="Pay €46.65")).to_be_visible()
    expect(page.get_by_label("City")).to_have_value("Berlin")

    type_card(page)
    page.get_by_role("button", name="Pay €46.65").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(BOUGHT)
    assert shop.charges == [4665]


def test_faults_take_the_focus(shop: Shop, plain_page: Page) -> None:
    """Without JavaScript faults stand above the form, in focus, and at the fields."""
    page = plain_page
    page.goto(shop.link())
    type_card(page, "4242424242424241")
    page.get_by_role("button", name="Pay €49.00").click()

    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert").get_by_role("link", name="Card number")).to_be_visible()
    expect(page.get_by_text("This is not a valid card number.")).to_have_count(2)


def test_3d_secure(shop: Shop, plain_page: Page) -> None:
    """Without JavaScript the way to the bank and back works too."""
    page = plain_page
    page.goto(shop.link())
    type_card(page, "4000002500003155")
    page.get_by_role("button", name="Pay €49.00").click()
    page.get_by_role("button", name="Approve").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(BOUGHT)
    assert shop.charges == [4900]


def test_waiting(shop: Shop, plain_page: Page) -> None:
    """Without JavaScript a page that waits loads itself again."""
    page = plain_page
    page.goto(shop.link())
    type_card(page, "4000000000009979")
    page.get_by_role("button", name="Pay €49.00").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(BOUGHT)
    assert shop.charges == [4900]
