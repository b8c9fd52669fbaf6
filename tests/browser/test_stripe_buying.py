"""A buyer pays through Stripe's adapter: its own script and frames, at the twin."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tallystick.db.server import EmbeddedServer
from tests.browser.shop import Pages, Shop
from tests.browser.stripe_shop import connected_shop, served_with_stripe
from tests.browser.test_buying import expect_title, press_pay
from tests.database import fresh_database
from tests.stripe.account import Account
from tests.stripe.fixtures import merchant, twin, wires
from tests.stripe.twin import Twin

__all__ = ["merchant", "twin", "wires"]

CHALLENGED = "4000002760003184"


@pytest.fixture(scope="module")
def stripe_pages(server: EmbeddedServer, template: str, twin: Twin) -> Iterator[Pages]:
    """The pages, served with the twin."""
    with fresh_database(server, template) as dsn, served_with_stripe(dsn, twin) as pages:
        yield pages


@pytest.fixture
def stripe_shop(stripe_pages: Pages, merchant: Account) -> Shop:
    """A merchant that is connected to an account of its own."""
    return connected_shop(stripe_pages, merchant)


def fields(page: Page, kind: str = "CARD") -> FrameLocator:
    """Stripe's frame for a kind of method."""
    return page.frame_locator(f"#payment_token [data-kind={kind}] iframe")


def type_card(page: Page, number: str = "4242424242424242") -> None:
    """Type a card into Stripe's frame."""
    fields(page).get_by_label("Card number").fill(number)
    fields(page).get_by_label("Expiration date").fill("12 / 40")
    fields(page).get_by_label("Security code").fill("123")


def test_a_card_pays(stripe_shop: Shop, merchant: Account, page: Page) -> None:
    """The card is charged and saved; Stripe hears the details that the form has."""
    page.goto(stripe_shop.link())
    page.get_by_label("City").fill("Paris")
    type_card(page)
    press_pay(page)

    expect_title(page)
    expect(page.get_by_text("Visa ending in 4242")).to_be_visible()
    [method] = merchant.objects["payment_method"].values()
    assert merchant.moved() == [4900]
    assert method["billing_details"]["email"] == "ap@globex.example"
    assert method["billing_details"]["address"]["city"] == "Paris"
    assert method["customer"] is not None


def test_a_decline_then_another_card(stripe_shop: Shop, merchant: Account, page: Page) -> None:
    """A decline says why; another card, which is another token, pays."""
    page.goto(stripe_shop.link())
    type_card(page, "4000000000009995")
    press_pay(page)
    expect(page.get_by_text("There is not enough money on this account.")).to_be_visible()
    type_card(page)
    press_pay(page)

    expect_title(page)
    assert merchant.moved() == [4900]


def test_3d_secure(stripe_shop: Shop, merchant: Account, page: Page) -> None:
    """The bank asks on its own page; refused, the buyer tries again; approved, it pays."""
    page.goto(stripe_shop.link())
    type_card(page, CHALLENGED)
    press_pay(page)
    page.get_by_role("button", name="Fail authentication").click()
    expect(page.get_by_text("could not confirm that it is you")).to_be_visible()
    assert merchant.moved() == []

    type_card(page, CHALLENGED)
    press_pay(page)
    page.get_by_role("button", name="Complete authentication").click()

    expect_title(page)
    assert merchant.moved() == [4900]


def test_another_method_instead_of_3d_secure(
    stripe_shop: Shop, merchant: Account, page: Page
) -> None:
    """Who goes back from the bank pays with another card; the first one takes nothing."""
    link = stripe_shop.link()
    page.goto(link)
    type_card(page, CHALLENGED)
    press_pay(page)
    page.wait_for_url("**/authenticate/**")
    page.goto(link)
    page.get_by_role("button", name="Use another payment method").click()
    type_card(page)
    press_pay(page)

    expect_title(page)
    assert merchant.moved() == [4900]


def test_a_debit(stripe_shop: Shop, merchant: Account, page: Page) -> None:
    """An IBAN signs the mandate that the page shows, which names Stripe."""
    page.goto(stripe_shop.link())
    page.get_by_text("SEPA direct debit", exact=True).click()
    expect(page.get_by_text("Acme Cloud SAS and Stripe, its payment service")).to_be_visible()
    fields(page, "DIRECT_DEBIT").get_by_label("IBAN").fill("DE89370400440532013000")
    press_pay(page)

    expect_title(page)
    expect(page.get_by_text("On its way")).to_be_visible()
    [mandate] = merchant.objects["mandate"].values()
    assert mandate["customer_acceptance"]["type"] == "online"


def test_what_is_wrong_is_told(stripe_shop: Shop, merchant: Account, page: Page) -> None:
    """An incomplete card is told in the frame and at the panel, and nothing is sent."""
    page.goto(stripe_shop.link())
    fields(page).get_by_label("Card number").fill("4242")
    press_pay(page)

    expect(page.locator("#payment_token-error")).to_have_text(
        "Please check your payment details."
    )
    expect(fields(page).get_by_role("alert")).to_contain_text("card number is incomplete")
    assert merchant.objects["payment_method"] == {}


def test_a_card_that_is_only_saved(stripe_shop: Shop, merchant: Account, page: Page) -> None:
    """A trial takes nothing: the method is set up, and the panel told so from the start."""
    plan = stripe_shop.run(stripe_shop.world.plan())
    page.goto(stripe_shop.link(plan, trial_duration_days=14))
    type_card(page)
    page.get_by_role("button", name="Start free trial").click()

    expect_title(page, "Your free trial of Pro has started")
    assert merchant.moved() == []
    assert len(merchant.objects["setup_intent"]) == 1
