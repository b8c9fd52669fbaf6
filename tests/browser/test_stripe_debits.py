"""Accounts in the United Kingdom and in Australia are debited through Stripe, at the twin."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from tallystick.db.server import EmbeddedServer
from tests.browser.accessibility import violations
from tests.browser.shop import Pages, Shop
from tests.browser.stripe_counter import frame_of
from tests.browser.stripe_shop import connected_shop, served_with_stripe
from tests.browser.test_buying import expect_title, press_pay
from tests.database import fresh_database
from tests.portals import link_of
from tests.stripe import twin as at
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
def shop(stripe_pages: Pages, merchant: Account) -> Shop:
    """A merchant whose account takes cards and debits of every scheme that there is here."""
    merchant.types = ("card", "sepa_debit", "bacs_debit", "au_becs_debit")
    return connected_shop(stripe_pages, merchant)


def customer_in(shop: Shop, currency: str) -> UUID:
    """A customer who is billed in a currency."""
    return shop.run(shop.world.customer(currency=currency))


def link_in(shop: Shop, currency: str) -> str:
    """The link to a plan of 49 a month in a currency."""
    plan = shop.run(shop.world.plan(currency=currency))
    return shop.link(plan, customer_id=customer_in(shop, currency))


def test_a_bacs_debit(shop: Shop, merchant: Account, page: Page) -> None:
    """Sort code, account and address; the page shows instruction and guarantee; days later it
    is paid.
    """
    page.goto(link_in(shop, "GBP"))
    page.get_by_text("Bacs Direct Debit", exact=True).click()
    expect(page.get_by_role("heading", name="Direct Debit Instruction (Bacs)")).to_be_visible()
    expect(page.get_by_text("Acme Cloud SAS has partnered with Stripe")).to_be_visible()
    guarantee = page.get_by_role("link", name="Direct Debit Guarantee")
    expect(guarantee).to_have_attribute(
        "href", "https://stripe.com/legal/bacs-direct-debit-guarantee"
    )
    frame = frame_of(page, "DIRECT_DEBIT")
    frame.get_by_label("Sort code").fill("10-88-00")
    frame.get_by_label("Account number").fill("00012345")
    frame.get_by_label("Address line 1").fill("1 High Street")
    frame.get_by_label("Town or city").fill("Leeds")
    frame.get_by_label("Postal code").fill("LS1 1AA")
    press_pay(page, "£49.00")
    expect(frame.get_by_role("alert")).to_contain_text("you may authorise debits alone")
    assert merchant.objects["payment_method"] == {}
    frame.get_by_label("I understand that Stripe").check()
    assert violations(page) == []
    press_pay(page, "£49.00")

    expect_title(page)
    expect(page.get_by_text("On its way")).to_be_visible()
    expect(page.get_by_text("Bank account ending in 2345")).to_be_visible()
    [intent] = merchant.objects["payment_intent"].values()
    assert (intent["currency"], intent["payment_method_types"]) == ("gbp", ["bacs_debit"])
    at.settle(merchant, intent["id"])
    assert merchant.moved() == [4900]


def test_a_becs_debit(shop: Shop, merchant: Account, page: Page) -> None:
    """BSB and account, under a request that names Stripe's Australian company."""
    page.goto(link_in(shop, "AUD"))
    page.get_by_text("BECS Direct Debit", exact=True).click()
    expect(page.get_by_text("Direct Debit User ID number 507156")).to_be_visible()
    expect(page.get_by_role("link", name="service agreement")).to_be_visible()
    frame = frame_of(page, "DIRECT_DEBIT")
    frame.get_by_label("BSB").fill("000-000")
    frame.get_by_label("Account number").fill("000123456")
    press_pay(page, "A$49.00")

    expect_title(page)
    expect(page.get_by_text("Bank account ending in 3456")).to_be_visible()
    [intent] = merchant.objects["payment_intent"].values()
    assert (intent["currency"], intent["payment_method_types"]) == ("aud", ["au_becs_debit"])
    [mandate] = merchant.objects["mandate"].values()
    assert mandate["customer_acceptance"]["type"] == "online"


def test_a_becs_debit_is_added_in_the_portal(shop: Shop, merchant: Account, page: Page) -> None:
    """The same request, and nothing moves."""
    page.goto(shop.run(link_of(shop.world, customer_in(shop, "AUD"))))
    page.get_by_role("link", name="Add a payment method").click()
    page.get_by_text("BECS Direct Debit", exact=True).click()
    expect(page.get_by_role("heading", name="Direct Debit Request (BECS)")).to_be_visible()
    frame = frame_of(page, "DIRECT_DEBIT")
    frame.get_by_label("BSB").fill("000-000")
    frame.get_by_label("Account number").fill("000123456")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("The payment method is saved")).to_be_visible()
    assert merchant.moved() == []


def test_dollars_of_america_are_paid_by_card(shop: Shop, page: Page) -> None:
    """No debit is offered in a currency that none is collected in."""
    page.goto(link_in(shop, "USD"))

    expect(frame_of(page).get_by_label("Card number")).to_be_visible()
    expect(page.get_by_text("debit", exact=False)).to_have_count(0)
