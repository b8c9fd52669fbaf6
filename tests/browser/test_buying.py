"""A buyer with a browser pays: every way to pay, and every way it can go."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tallystick.domain.buyer import Address
from tallystick.domain.coupons import Percentage
from tallystick.domain.offer import BankTransfer
from tests.browser.shop import Shop

CHALLENGED = "4000002500003155"
BOUGHT = "You are subscribed to Pro"


def type_card(page: Page, number: str = "4242424242424242") -> None:
    """Type a card as a person does, key by key."""
    page.get_by_label("Card number").press_sequentially(number)
    page.get_by_label("Expiry date").press_sequentially("1240")
    page.get_by_label("Security code").press_sequentially("123")


def press_pay(page: Page, amount: str = "€49.00") -> None:
    """Press the button, which names the amount."""
    page.get_by_role("button", name=f"Pay {amount}").click()


def expect_title(page: Page, title: str = BOUGHT) -> None:
    """Wait for a page of this title."""
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_a_card_pays(shop: Shop, page: Page) -> None:
    """A good card buys the plan: one charge, one subscription, and the invoice is shown."""
    page.goto(shop.link())
    type_card(page)

    expect(page.get_by_label("Card number")).to_have_value("4242 4242 4242 4242")
    expect(page.get_by_label("Expiry date")).to_have_value("12 / 40")

    press_pay(page)

    expect_title(page)
    expect(page.get_by_text("INV-")).to_be_visible()
    expect(page.get_by_text("Visa ending in 4242")).to_be_visible()
    assert shop.charges == [4900]
    assert shop.subscriptions == 1


def test_a_decline_then_another_card(shop: Shop, page: Page) -> None:
    """A decline says why and takes the focus; another card pays on the same page."""
    page.goto(shop.link())
    type_card(page, "4000000000000002")
    press_pay(page)
    alert = page.get_by_role("alert")

    expect(alert).to_contain_text("Your bank declined the payment. Nothing was charged.")
    expect(alert).to_be_focused()
    assert shop.charges == []

    type_card(page)
    press_pay(page)

    expect_title(page)
    assert shop.charges == [4900]


def test_3d_secure_approved(shop: Shop, page: Page) -> None:
    """A card that asks for 3-D Secure pays once the bank's page was approved."""
    page.goto(shop.link())
    type_card(page, CHALLENGED)
    press_pay(page)
    page.get_by_role("button", name="Approve").click()

    expect_title(page)
    assert shop.charges == [4900]


def test_3d_secure_refused(shop: Shop, page: Page) -> None:
    """Refused at the bank, nothing is charged, and the buyer may try again."""
    page.goto(shop.link())
    type_card(page, CHALLENGED)
    press_pay(page)
    page.get_by_role("button", name="Refuse").click()

    expect(page.get_by_role("alert")).to_contain_text("could not confirm that it is you")
    assert shop.charges == []

    type_card(page)
    press_pay(page)

    expect_title(page)
    assert shop.charges == [4900]


def test_3d_secure_left_for_another_card(shop: Shop, page: Page) -> None:
    """A buyer who turns back at the bank pays with another card; the first takes nothing."""
    link = shop.link()
    page.goto(link)
    type_card(page, CHALLENGED)
    press_pay(page)
    page.wait_for_url("**/sandbox/challenge/**")
    page.goto(link)

    expect_title(page, "Confirm with your bank")

    page.get_by_role("button", name="Use another payment method").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose how you would like to pay")
    type_card(page)
    press_pay(page)

    expect_title(page)
    assert shop.charges == [4900]


def test_an_iban_pays(shop: Shop, page: Page) -> None:
    """A direct debit shows its mandate and completes at once; the money is on its way."""
    page.goto(shop.link())
    expect(page.get_by_label("IBAN")).to_be_hidden()
    page.get_by_text("SEPA direct debit", exact=True).click()

    expect(page.get_by_label("Card number")).to_be_hidden()
    expect(page.get_by_text("FR72ZZZ123456")).to_be_visible()

    page.get_by_label("IBAN").press_sequentially("DE89370400440532013000")
    expect(page.get_by_label("IBAN")).to_have_value("DE89 3704 0044 0532 0130 00")
    page.get_by_label("Account holder").fill("Dana Globex")
    press_pay(page)

    expect_title(page)
    expect(page.get_by_text("On its way")).to_be_visible()


def test_a_code_changes_the_total_at_once(shop: Shop, page: Page) -> None:
    """A code typed on the page lowers the total without losing the card; it can be removed."""
    shop.run(shop.world.coupon("LAUNCH20", Percentage(percentage=Decimal(20))))
    page.goto(shop.link())
    type_card(page)
    page.get_by_label("Promotion code").fill("LAUNCH20")
    page.get_by_label("Promotion code").press("Enter")

    expect(page.get_by_role("button", name="Pay €39.20")).to_be_enabled()
    expect(page.locator("#headline")).to_have_text("€39.20")
    expect(page.get_by_role("status")).to_have_text("Total updated. Due today: €39.20")
    expect(page.get_by_label("Card number")).to_have_value("4242 4242 4242 4242")

    page.get_by_role("button", name="Remove LAUNCH20").click()
    expect(page.get_by_role("button", name="Pay €49.00")).to_be_enabled()
    page.get_by_label("Promotion code").fill("LAUNCH20")
    page.get_by_role("button", name="Apply").click()
    press_pay(page, "€39.20")

    expect_title(page)
    assert shop.charges == [3920]


def test_a_bad_code_says_why_at_once(shop: Shop, page: Page) -> None:
    """A code that cannot be redeemed is told beside its field, and marked there."""
    page.goto(shop.link())
    page.get_by_label("Promotion code").fill("NOPE")
    page.get_by_role("button", name="Apply").click()

    expect(page.locator("#code-error")).to_have_text("We do not know this code.")
    expect(page.get_by_label("Promotion code")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Promotion code")).to_have_value("NOPE")


def test_an_address_changes_the_tax(shop: Shop, page: Page) -> None:
    """Country and VAT number change the tax while the buyer types, and that is charged."""
    shop.tax_by_eu_vat()
    page.goto(shop.link())
    expect(page.get_by_role("button", name="Pay €58.80")).to_be_visible()
    page.get_by_label("Country or region").select_option("DE")

    expect(page.get_by_role("button", name="Pay €58.31")).to_be_enabled()
    expect(page.locator(".rows")).to_contain_text("VAT 19%")

    page.get_by_label("VAT number").fill("DE136695976")
    page.get_by_label("VAT number").blur()

    expect(page.get_by_role("button", name="Pay €49.00")).to_be_enabled()
    expect(page.get_by_text("VAT, reverse charge")).to_be_visible()

    type_card(page)
    press_pay(page)

    expect_title(page)
    assert shop.charges == [4900]


def test_a_country_is_asked_for_first(shop: Shop, page: Page) -> None:
    """Where tax needs the country the page says so until it is chosen."""
    shop.tax_by_eu_vat()
    customer_id = shop.run(shop.world.customer(billing_address=Address()))
    page.goto(shop.link(customer_id=customer_id))

    expect(page.get_by_text("Choose your country first")).to_be_visible()

    page.get_by_label("Country or region").select_option("ES")

    expect(page.get_by_role("button", name="Pay €59.29")).to_be_visible()
    expect(page.get_by_text("Choose your country first")).to_be_hidden()


def test_a_free_trial_charges_nothing_today(shop: Shop, page: Page) -> None:
    """A free trial says what comes, keeps the card and takes no money."""
    page.goto(shop.link(trial_duration_days=14))

    expect(page.locator("#headline")).to_have_text("14 days free")
    expect(page.get_by_text("then €49.00 on March 24, 2026")).to_be_visible()

    type_card(page)
    page.get_by_role("button", name="Start free trial").click()

    expect_title(page, "Your free trial of Pro has started")
    assert shop.charges == []
    assert shop.subscriptions == 1


def test_a_free_purchase_takes_no_money(shop: Shop, page: Page) -> None:
    """With everything discounted nothing is due; the card is kept for later."""
    free = Percentage(percentage=Decimal(100))
    shop.run(shop.world.coupon("FREE", free, recurring_value=1))
    page.goto(shop.link())
    page.get_by_label("Promotion code").fill("FREE")
    page.get_by_role("button", name="Apply").click()

    expect(page.locator("#headline")).to_have_text("€0.00")

    type_card(page)
    page.get_by_role("button", name="Order with obligation to pay").click()

    expect_title(page)
    assert shop.charges == []
    assert shop.subscriptions == 1


def test_a_bank_transfer_needs_no_card(shop: Shop, page: Page) -> None:
    """By bank transfer no method is asked for, and the invoice is to be paid."""
    shop.open_account()
    page.goto(shop.link(payment=BankTransfer()))

    expect(page.get_by_label("Card number")).to_have_count(0)

    page.get_by_role("button", name="Order with obligation to pay").click()

    expect_title(page)
    expect(page.get_by_text("To be paid by")).to_be_visible()
    assert shop.charges == []


def test_a_double_click_pays_once(shop: Shop, page: Page) -> None:
    """Two clicks are one purchase."""
    page.goto(shop.link())
    type_card(page)
    page.get_by_role("button", name="Pay €49.00").dblclick(no_wait_after=True)

    expect_title(page)
    assert shop.charges == [4900]
    assert shop.subscriptions == 1


def test_two_tabs_pay_once(shop: Shop, page: Page) -> None:
    """The second tab of a checkout that was paid in the first shows that it is done."""
    link = shop.link()
    page.goto(link)
    second = page.context.new_page()
    second.goto(link)
    for tab in (page, second):
        type_card(tab)
    press_pay(page)
    expect_title(page)
    press_pay(second)

    expect_title(second)
    assert shop.charges == [4900]
    assert shop.subscriptions == 1


@pytest.mark.parametrize("number", ["4242424242424242", CHALLENGED])
def test_success_leads_to_the_merchant(shop: Shop, page: Page, number: str) -> None:
    """After success, 3-D Secure or not, the buyer is on the merchant's page."""
    # Another origin than the pages': the same machine by its other name.
    success = (
        f"{shop.pages.app.public_url.replace('127.0.0.1', 'localhost')}/merchant/done?a=1#b"
    )
    page.goto(shop.link(success_url=success))
    type_card(page, number)
    press_pay(page)
    if number == CHALLENGED:
        page.get_by_role("button", name="Approve").click()

    page.wait_for_url("**/merchant/done?a=1&checkout_session_id=che_*#b")
    assert shop.charges == [4900]


def test_the_way_back(shop: Shop, page: Page) -> None:
    """The link back leads to the merchant's own page."""
    back = f"{shop.pages.app.public_url}/merchant/pricing"
    page.goto(shop.link(cancel_url=back))
    page.get_by_role("link", name="Back to Acme Cloud").click()

    page.wait_for_url(back)


def test_a_lost_answer_goes_on_by_itself(shop: Shop, page: Page) -> None:
    """A page that waits for the bank asks again and goes on once there is an answer."""
    page.goto(shop.link())
    type_card(page, "4000000000009979")
    press_pay(page)

    expect_title(page)
    assert shop.charges == [4900]


def test_what_is_missing_is_told_before_sending(shop: Shop, page: Page) -> None:
    """Empty fields are told beside them, without a round trip that would lose the card."""
    page.goto(shop.link())
    page.get_by_label("Card number").press_sequentially("4242424242424242")
    press_pay(page)

    expect(page.locator("#card_expiry-error")).to_have_text("Please fill this in.")
    expect(page.get_by_label("Expiry date")).to_be_focused()
    expect(page.get_by_label("Card number")).to_have_value("4242 4242 4242 4242")
    assert shop.charges == []


def test_too_much_at_once_is_told_and_nothing_is_lost(shop: Shop, page: Page) -> None:
    """An update that comes too often says so below the form; what was typed stays."""
    page.goto(shop.link())
    words = "Please wait a moment."
    page.route("**/quote", lambda route: route.fulfill(status=429, body=words))
    page.get_by_label("City").fill("Lyon")
    page.get_by_label("Postal code").fill("69001")
    page.get_by_label("City").focus()

    expect(page.get_by_text(words)).to_be_visible()
    expect(page.get_by_label("City")).to_have_value("Lyon")
