"""What Stripe hears of a buyer who pays in its fields, and what it says; at the twin."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tallystick.db.server import EmbeddedServer
from tests.browser.shop import Pages, Shop
from tests.browser.stripe_counter import AtTwin, frame_of
from tests.browser.stripe_shop import connected_shop, served_with_stripe
from tests.browser.test_buying import expect_title, press_pay
from tests.database import fresh_database
from tests.stripe.account import Account
from tests.stripe.fixtures import merchant, twin, wires
from tests.stripe.twin import Twin

__all__ = ["merchant", "twin", "wires"]


@pytest.fixture(scope="module")
def stripe_pages(server: EmbeddedServer, template: str, twin: Twin) -> Iterator[Pages]:
    """The pages, served with the twin."""
    with fresh_database(server, template) as dsn, served_with_stripe(dsn, twin) as pages:
        yield pages


@pytest.fixture
def stripe_shop(stripe_pages: Pages, merchant: Account) -> Shop:
    """A merchant that is connected to an account of its own."""
    return connected_shop(stripe_pages, merchant)


@pytest.fixture
def counter(stripe_shop: Shop, merchant: Account) -> AtTwin:
    """The same, as its buyers see it."""
    return AtTwin(shop=stripe_shop, merchant=merchant)


def test_a_card_pays(counter: AtTwin, merchant: Account, page: Page) -> None:
    """The card is charged and saved; Stripe hears the details that the form has."""
    page.goto(counter.shop.link())
    page.get_by_label("City").fill("Paris")
    counter.type_card(page)
    press_pay(page)

    expect_title(page)
    expect(page.get_by_text("Visa ending in 4242")).to_be_visible()
    [method] = merchant.objects["payment_method"].values()
    assert merchant.moved() == [4900]
    assert method["billing_details"]["email"] == "ap@globex.example"
    assert method["billing_details"]["address"]["city"] == "Paris"
    assert method["customer"] is not None


def test_a_decline_then_another_card(counter: AtTwin, merchant: Account, page: Page) -> None:
    """A decline says why; another card, which is another token, pays."""
    page.goto(counter.shop.link())
    counter.type_card(page, "4000000000009995")
    press_pay(page)
    expect(page.get_by_text("There is not enough money on this account.")).to_be_visible()
    counter.type_card(page)
    press_pay(page)

    expect_title(page)
    assert merchant.moved() == [4900]


def test_a_debit(counter: AtTwin, merchant: Account, page: Page) -> None:
    """An IBAN signs the mandate that the page shows, which names Stripe."""
    page.goto(counter.shop.link())
    page.get_by_text("SEPA direct debit", exact=True).click()
    expect(page.get_by_text("Acme Cloud SAS and Stripe, its payment service")).to_be_visible()
    counter.type_iban(page)
    press_pay(page)

    expect_title(page)
    expect(page.get_by_text("On its way")).to_be_visible()
    [mandate] = merchant.objects["mandate"].values()
    assert mandate["customer_acceptance"]["type"] == "online"


def test_what_is_wrong_is_told(counter: AtTwin, merchant: Account, page: Page) -> None:
    """An incomplete card is told in the frame and at the panel, and nothing is sent."""
    page.goto(counter.shop.link())
    frame_of(page).get_by_label("Card number").fill("4242")
    press_pay(page)

    expect(page.locator("#payment_token-error")).to_have_text(
        "Please check your payment details."
    )
    expect(frame_of(page).get_by_role("alert")).to_contain_text("card number is incomplete")
    assert merchant.objects["payment_method"] == {}


def test_a_card_that_is_only_saved(counter: AtTwin, merchant: Account, page: Page) -> None:
    """A trial takes nothing: the method is set up, and the panel told so from the start."""
    plan = counter.shop.run(counter.shop.world.plan())
    page.goto(counter.shop.link(plan, trial_duration_days=14))
    counter.type_card(page)
    page.get_by_role("button", name="Start free trial").click()

    expect_title(page, "Your free trial of Pro has started")
    assert merchant.moved() == []
    assert len(merchant.objects["setup_intent"]) == 1
