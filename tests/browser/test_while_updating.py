"""The buyer is faster than the network: what is typed and pressed during an update."""

from decimal import Decimal
from threading import Event

from playwright.sync_api import Page, Route, expect

from tallystick.domain.buyer import Address
from tallystick.domain.coupons import Percentage
from tests.browser.shop import Shop
from tests.browser.test_buying import expect_title, press_pay, type_card

HELD_MS = 90
"""How long a finger or a mouse button is down."""


def slow_down(page: Page, milliseconds: int) -> None:
    """Let every answer from now on take this long."""
    network = page.context.new_cdp_session(page)
    conditions = {"offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditions", conditions | {"latency": milliseconds})


def press_with_the_mouse(page: Page) -> None:
    """Press the button as a hand does: down, a moment, up."""
    button = page.locator("#pay")
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box is not None, "the button is in sight"
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.wait_for_timeout(HELD_MS)
    page.mouse.up()


def test_enter_pays_after_the_country_was_chosen(shop: Shop, page: Page) -> None:
    """By keyboard alone: the country is chosen, the card typed, and Enter pays."""
    shop.tax_by_eu_vat()
    customer_id = shop.run(shop.world.customer(billing_address=Address()))
    page.goto(shop.link(customer_id=customer_id))
    page.get_by_label("Country or region").focus()
    page.keyboard.type("Spain")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Pay €59.29")).to_be_visible()
    page.get_by_label("Card number").focus()
    for typed in ("4242424242424242", "1240", "123"):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect_title(page)
    assert shop.charges == [5929]


def test_a_press_right_after_an_edit_pays(shop: Shop, page: Page) -> None:
    """A press of the button that ends an edit of the postal code is not lost."""
    page.goto(shop.link())
    type_card(page)
    page.get_by_label("Postal code").fill("7500")
    page.get_by_label("City").fill("Paris")
    page.get_by_label("Postal code").press("End")
    page.keyboard.type("1")
    press_with_the_mouse(page)

    expect_title(page)
    assert shop.charges == [4900]


def test_a_press_waits_for_a_slow_update(shop: Shop, page: Page) -> None:
    """Pressed while the total is being updated, the button waits for it, and then pays once."""
    page.goto(shop.link())
    type_card(page)
    slow_down(page, 400)
    page.get_by_label("Postal code").fill("75001")
    press_with_the_mouse(page)
    press_with_the_mouse(page)

    expect_title(page)
    assert shop.charges == [4900]


def test_a_press_pays_when_the_update_fails(shop: Shop, page: Page) -> None:
    """An update that gets no answer does not keep the button from paying."""
    page.goto(shop.link())
    type_card(page)
    page.route("**/quote", lambda route: route.abort())
    page.get_by_label("Postal code").fill("75001")
    press_with_the_mouse(page)

    expect_title(page)
    assert shop.charges == [4900]


def test_a_press_keeps_the_card_when_asked_to_wait(shop: Shop, page: Page) -> None:
    """An update that is refused because of its pace stops the press, and says so."""
    page.goto(shop.link())
    type_card(page)
    words = "Please wait a moment."
    page.route("**/quote", lambda route: route.fulfill(status=429, body=words))
    page.get_by_label("Promotion code").fill("LAUNCH20")
    page.locator("#pay").click()

    expect(page.get_by_text(words)).to_be_visible()
    expect(page.get_by_role("button", name="Pay €49.00")).to_be_visible()
    expect(page.get_by_label("Card number")).to_have_value("4242 4242 4242 4242")
    assert shop.charges == []


def test_another_amount_is_told_before_it_is_paid(shop: Shop, page: Page) -> None:
    """When the edit changes the amount, the press says so and takes nothing; the card stays."""
    shop.tax_by_eu_vat()
    page.goto(shop.link())
    type_card(page)
    page.get_by_label("Country or region").select_option("DE")
    expect(page.get_by_role("button", name="Pay €58.31")).to_be_visible()
    page.get_by_label("VAT number").fill("DE136695976")
    press_with_the_mouse(page)

    expect(page.get_by_text("The amount has changed")).to_be_visible()
    expect(page.get_by_label("Card number")).to_have_value("4242 4242 4242 4242")
    assert shop.charges == []

    press_pay(page)

    expect_title(page)
    assert shop.charges == [4900]


def test_the_amount_that_was_pressed_is_the_one_that_is_paid(shop: Shop, page: Page) -> None:
    """An update that comes between press and release does not change what is agreed to."""
    shop.tax_by_eu_vat()
    page.goto(shop.link())
    type_card(page)
    answered = Event()

    def hold(route: Route) -> None:
        page.mouse.down()
        route.continue_()
        answered.set()

    button = page.locator("#pay")
    button.scroll_into_view_if_needed()
    button.hover()
    page.route("**/quote", hold)
    page.get_by_label("Country or region").select_option("DE")
    expect(button).to_contain_text("€58.31")
    assert answered.is_set()
    page.mouse.up()

    expect(page.get_by_text("The amount has changed")).to_be_visible()
    assert shop.charges == []


def test_a_press_without_a_country_leads_to_it(shop: Shop, page: Page) -> None:
    """Where tax needs the country, pressing the button before leads to its field."""
    shop.tax_by_eu_vat()
    customer_id = shop.run(shop.world.customer(billing_address=Address()))
    page.goto(shop.link(customer_id=customer_id))
    page.locator("#pay").click()

    expect(page.get_by_label("Country or region")).to_be_focused()
    expect(page.locator("#country-error")).not_to_be_empty()


def test_a_wrong_field_is_told_and_the_card_stays(shop: Shop, page: Page) -> None:
    """A press that ends an edit with a fault leads to the field; the card is not lost."""
    page.goto(shop.link())
    type_card(page)
    page.get_by_label("VAT number").fill("FR1")
    press_with_the_mouse(page)

    expect(page.get_by_label("VAT number")).to_be_focused()
    expect(page.locator("#vat_number-error")).not_to_be_empty()
    expect(page.get_by_label("Card number")).to_have_value("4242 4242 4242 4242")
    assert shop.charges == []


def test_a_code_survives_an_update(shop: Shop, page: Page) -> None:
    """A promotion code that is being typed stays when an answer about the address comes."""
    page.goto(shop.link())
    slow_down(page, 300)
    page.get_by_label("Postal code").fill("69001")
    page.get_by_label("Promotion code").focus()
    page.keyboard.type("LAUN")
    expect(page.get_by_role("status")).to_have_text("Total updated. Due today: €49.00")
    page.keyboard.type("CH20")

    expect(page.get_by_label("Promotion code")).to_have_value("LAUNCH20")
    expect(page.locator("#code-error")).to_be_empty()


def test_address_and_code_in_one_go(shop: Shop, page: Page) -> None:
    """Postal code, city and code typed one after the other, Apply applies the code."""
    shop.run(shop.world.coupon("LAUNCH20", Percentage(percentage=Decimal(20))))
    page.goto(shop.link())
    slow_down(page, 150)
    page.get_by_label("Postal code").fill("69001")
    page.get_by_label("City").fill("Lyon")
    page.get_by_label("Promotion code").fill("LAUNCH20")
    page.get_by_role("button", name="Apply").click()

    expect(page.get_by_role("button", name="Pay €39.20")).to_be_visible()
    expect(page.get_by_role("button", name="Remove LAUNCH20")).to_be_visible()

    page.get_by_label("Postal code").fill("69002")
    page.get_by_label("City").focus()
    expect(page.get_by_role("status")).to_have_text("Total updated. Due today: €39.20")
    expect(page.get_by_role("button", name="Pay €39.20")).to_be_visible()


def test_a_code_that_was_not_applied_is_not_forgotten(shop: Shop, page: Page) -> None:
    """A press with a code that was typed and not applied applies it, and asks for another."""
    shop.run(shop.world.coupon("LAUNCH20", Percentage(percentage=Decimal(20))))
    page.goto(shop.link())
    type_card(page)
    page.get_by_label("Promotion code").fill("LAUNCH20")
    page.locator("#pay").click()

    expect(page.get_by_text("The amount has changed")).to_be_visible()
    assert shop.charges == []

    press_pay(page, "€39.20")

    expect_title(page)
    assert shop.charges == [3920]
