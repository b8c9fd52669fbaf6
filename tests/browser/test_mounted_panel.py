"""A buyer pays where the provider's own script draws the fields, in frames of its own."""

from decimal import Decimal
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, ViewportSize, expect

from tallystick.domain.coupons import Percentage
from tallystick.domain.offer import BankTransfer
from tests.browser.accessibility import violations
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.shop import Shop
from tests.browser.test_buying import expect_title, press_pay
from tests.browser.test_while_updating import press_with_the_mouse
from tests.mounted_bank import KEY

VISA = "4242424242424242"
CHALLENGED = "4000002500003155"
IBAN = "DE89370400440532013000"
HOLD = "() => { window.hold = new Promise(done => window.letGo = done) }"
"""Keeps the next token until `window.letGo()`."""


def fields(page: Page, kind: str = "CARD") -> FrameLocator:
    """The provider's fields for a kind of method."""
    return page.frame_locator(f"#payment_token [data-kind={kind}] iframe")


def type_card(page: Page, number: str = VISA) -> None:
    """Type a card into the provider's frame."""
    fields(page).get_by_label("Card number").fill(number)


def calls(page: Page, name: str) -> list[Any]:
    """What was asked of the provider's script by this name."""
    found: list[Any] = page.evaluate(f"window.calls.filter(one => one[0] === '{name}')")
    return [one[1:] for one in found]


def last_update(page: Page) -> Any:  # noqa: ANN401 - what the script was told
    """What the panel was told last; the button's words come with it."""
    page.wait_for_timeout(100)
    return calls(page, "update")[-1][0]


def panel_error(page: Page) -> Any:  # noqa: ANN401 - an expectation of Playwright's
    """What stands below the panel."""
    return expect(page.locator("#payment_token-error"))


def test_a_card_pays(mounted_shop: Shop, page: Page) -> None:
    """What is typed into the frame pays; the script is told what the page knows."""
    page.goto(mounted_shop.link())
    type_card(page)
    page.get_by_label("City").fill("Paris")
    [(key, options)] = calls(page, "elements")
    [[drawn]] = calls(page, "create")

    assert key == KEY
    assert options["appearance"]["variables"]["colorPrimary"] == "#2f4bd8"
    assert {name: value for name, value in options.items() if name != "appearance"} == {
        "mode": "payment",
        "amount": 4900,
        "currency": "eur",
        "setupFutureUsage": "off_session",
        "paymentMethodCreation": "manual",
        "allowedPaymentMethodTypes": ["card"],
        "locale": "en",
    }
    assert drawn["fields"]["billingDetails"] == {
        "name": "never",
        "email": "never",
        "address": "if_required",
    }

    with page.expect_request("**/confirm") as sent:
        press_pay(page)

    expect_title(page)
    posted = sent.value.post_data_json or {}
    assert mounted_shop.charges == [4900]
    assert posted["payment_token"] == f"pm_{VISA}"
    assert "card_number" not in posted


def test_the_billing_details_go_along(mounted_shop: Shop, page: Page) -> None:
    """Name, mail and address as they stand in the form, and nothing that is empty."""
    page.goto(mounted_shop.link())
    page.get_by_label("Full name or company").fill("Dana Globex")
    page.get_by_label("City").fill("Paris")
    type_card(page, "0000")
    press_pay(page)
    panel_error(page).to_contain_text("The payment service cannot be reached.")
    [[params]] = calls(page, "createPaymentMethod")

    assert params["billing_details"] == {
        "name": "Dana Globex",
        "email": "ap@globex.example",
        "address": {"city": "Paris", "country": "FR"},
    }


def test_a_decline_then_another_card(mounted_shop: Shop, page: Page) -> None:
    """After a decline the panel is there again, and makes another token."""
    page.goto(mounted_shop.link())
    type_card(page, "4000000000000002")
    press_pay(page)
    alert = page.get_by_role("alert").filter(has_text="Your bank declined the payment.")
    expect(alert).to_be_focused()
    type_card(page)
    press_pay(page)

    expect_title(page)
    assert mounted_shop.charges == [4900]


def test_a_token_that_is_refused(mounted_shop: Shop, page: Page) -> None:
    """A token that the provider does not take is told at the panel; the next one pays."""
    page.goto(mounted_shop.link())
    type_card(page, "1111")
    press_pay(page)
    page.get_by_role("link", name="Payment details").click()

    panel_error(page).to_contain_text("The payment service did not accept these details.")
    assert calls(page, "focus")

    type_card(page)
    press_pay(page)

    expect_title(page)
    assert mounted_shop.charges == [4900]


def test_what_is_missing_is_told(mounted_shop: Shop, page: Page) -> None:
    """Nothing typed, nothing sent: it is said at the panel, in focus, until something is."""
    page.goto(mounted_shop.link())
    expect(fields(page).get_by_label("Card number")).to_be_visible()
    press_pay(page)

    panel_error(page).to_have_text("Please check your payment details.")
    expect(page.locator("#payment_token iframe")).to_be_focused()
    expect(page.get_by_role("button", name="Pay €49.00")).to_be_visible()

    type_card(page)
    panel_error(page).to_be_empty()
    press_pay(page)

    expect_title(page)


def test_a_script_that_does_not_load(mounted_shop: Shop, page: Page) -> None:
    """Blocked, it is told when the button is pressed, and tried again with the next press."""
    page.route("**/script.js", lambda route: route.abort())
    page.goto(mounted_shop.link())
    page.wait_for_selector("#payment_token[data-status=failed]", state="attached")
    press_pay(page)
    panel_error(page).to_contain_text("The payment service cannot be reached.")
    page.unroute("**/script.js")
    press_pay(page)
    panel_error(page).to_have_text("Please check your payment details.")
    type_card(page)
    press_pay(page)

    expect_title(page)
    assert mounted_shop.charges == [4900]


def test_a_debit_names_who_debits(mounted_shop: Shop, page: Page) -> None:
    """The mandate names the provider; a card that was typed stays meanwhile."""
    page.goto(mounted_shop.link())
    type_card(page)
    page.get_by_text("SEPA direct debit", exact=True).click()

    expect(page.get_by_text("Acme Cloud SAS and Acme Pay, its payment service")).to_be_visible()
    expect(page.locator("[data-kind=CARD] iframe")).to_be_hidden()

    page.get_by_text("Card", exact=True).click()
    expect(fields(page).get_by_label("Card number")).to_have_value(VISA)
    page.get_by_text("SEPA direct debit", exact=True).click()
    fields(page, "DIRECT_DEBIT").get_by_label("IBAN").fill(IBAN)
    press_pay(page)

    expect_title(page)
    expect(page.get_by_text("Bank account ending in 3000")).to_be_visible()


def test_a_challenge_elsewhere(mounted_shop: Shop, page: Page) -> None:
    """A page of ours leads to the bank on its own host, and back it pays."""
    page.goto(mounted_shop.link())
    type_card(page, CHALLENGED)
    press_pay(page)
    page.wait_for_url("http://localhost:*/sandbox/challenge/**")
    page.get_by_role("button", name="Approve").click()

    expect_title(page)
    assert mounted_shop.charges == [4900]


def test_back_from_a_challenge_elsewhere(mounted_shop: Shop, page: Page) -> None:
    """Who goes back from the bank is not sent there again, and may pay with another card."""
    page.goto(mounted_shop.link())
    type_card(page, CHALLENGED)
    press_pay(page)
    page.wait_for_url("http://localhost:*/sandbox/challenge/**")
    page.go_back()

    expect_title(page, "Confirm with your bank")
    page.get_by_role("button", name="Use another payment method").click()
    type_card(page)
    press_pay(page)

    expect_title(page)
    assert mounted_shop.charges == [4900]


def test_pressed_twice(mounted_shop: Shop, page: Page) -> None:
    """Two presses, one token and one charge."""
    page.goto(mounted_shop.link())
    type_card(page)
    page.evaluate(HOLD)
    press_with_the_mouse(page)
    press_with_the_mouse(page)
    expect(page.get_by_role("button", name="One moment")).to_be_visible()

    assert len(calls(page, "createPaymentMethod")) == 1

    page.evaluate("window.letGo()")
    expect_title(page)
    assert mounted_shop.charges == [4900]


def test_a_code_tells_the_panel_the_total(mounted_shop: Shop, page: Page) -> None:
    """A new total is told to the panel, which keeps what was typed, and is what is paid."""
    shop = mounted_shop
    shop.run(shop.world.coupon("LAUNCH20", Percentage(percentage=Decimal(20))))
    page.goto(shop.link())
    type_card(page)
    page.get_by_label("Promotion code").fill("LAUNCH20")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("button", name="Pay €39.20")).to_be_visible()

    assert last_update(page)["amount"] == 3920
    expect(fields(page).get_by_label("Card number")).to_have_value(VISA)

    press_pay(page, "€39.20")
    expect_title(page)
    assert shop.charges == [3920]


def test_nothing_due_saves_the_card(mounted_shop: Shop, page: Page) -> None:
    """A code that takes everything off leaves the panel, which then only saves."""
    shop = mounted_shop
    shop.run(shop.world.coupon("GIFT", Percentage(percentage=Decimal(100))))
    page.goto(shop.link())
    type_card(page)
    page.get_by_label("Promotion code").fill("GIFT")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("button", name="Confirm order")).to_be_visible()

    assert last_update(page) == {
        "mode": "setup",
        "currency": "eur",
        "setupFutureUsage": "off_session",
    }

    page.get_by_role("button", name="Confirm order").click()

    expect_title(page)
    expect(page.get_by_text("Visa ending in 4242")).to_be_visible()
    assert shop.charges == []


def test_a_total_that_changes_meanwhile(mounted_shop: Shop, page: Page) -> None:
    """What was pressed is what is paid: another total since then is told, and nothing taken."""
    shop = mounted_shop
    shop.tax_by_eu_vat()
    page.goto(shop.link())
    type_card(page)
    page.evaluate(HOLD)
    press_pay(page, "€58.80")
    page.get_by_label("Country or region").select_option("DE")
    expect(page.get_by_role("status")).to_have_text("Total updated. Due today: €58.31")
    page.evaluate("window.letGo()")

    expect(page.get_by_text("The amount has changed")).to_be_visible()
    assert shop.charges == []

    press_pay(page, "€58.31")
    expect_title(page)
    assert shop.charges == [5831]


def test_in_the_language_of_the_page(mounted_shop: Shop, page: Page) -> None:
    """The script speaks as the page does."""
    page.goto(f"{mounted_shop.link()}?lang=de")
    expect(fields(page).get_by_label("Card number")).to_be_visible()
    [(_, options)] = calls(page, "elements")
    page.locator("#pay").click()

    assert options["locale"] == "de"
    panel_error(page).to_have_text("Bitte prüfen Sie Ihre Zahlungsdaten.")


def test_without_javascript(mounted_shop: Shop, plain_page: Page) -> None:
    """Without JavaScript the page says why no card can be typed; other offers can be had."""
    shop, page = mounted_shop, plain_page
    page.goto(shop.link())
    expect(page.locator("#payment noscript .note")).to_contain_text("those need JavaScript")
    page.get_by_role("button", name="Pay €49.00").click()
    expect(page.get_by_role("alert").first).to_contain_text("JavaScript must be switched on")

    shop.open_account()
    page.goto(shop.link(payment=BankTransfer(account_id=None)))
    page.get_by_role("button", name="Order with obligation to pay").click()
    expect_title(page)
    assert shop.charges == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_for_everyone(
    chromium: Browser,
    mounted_shop: Shop,
    size: ViewportSize,
    scheme: Literal["light", "dark"],
) -> None:
    """No rule of accessibility is broken, and nothing is wider than the screen."""
    context = chromium.new_context(viewport=size, color_scheme=scheme, locale="en-US")
    page = context.new_page()
    page.goto(mounted_shop.link())
    expect(fields(page).get_by_label("Card number")).to_be_visible()
    page.locator("#pay").click()
    panel_error(page).to_have_text("Please check your payment details.")

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    context.close()
