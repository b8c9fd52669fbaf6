"""A customer pays an invoice on its own page, in the panel of whoever is to charge it."""

from collections.abc import Iterator
from datetime import date

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tallystick.db.server import EmbeddedServer
from tallystick.services.collect_invoice import collect_due
from tallystick.services.link import payment_url
from tests.browser.accessibility import violations
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.shop import Pages, Shop
from tests.browser.stripe_counter import CHALLENGED as STRIPE_CHALLENGED
from tests.browser.stripe_counter import type_card as type_at_stripe
from tests.browser.stripe_shop import connected_shop, served_with_stripe
from tests.browser.test_mounted_panel import CHALLENGED, IBAN, VISA, calls, panel_error
from tests.browser.test_mounted_panel import type_card as type_mounted
from tests.database import fresh_database
from tests.stripe.account import Account
from tests.stripe.fixtures import merchant, twin, wires
from tests.stripe.twin import Twin
from tests.subscribing import Merchant

__all__ = ["merchant", "twin", "wires"]


@pytest.fixture(scope="module")
def stripe_pages(server: EmbeddedServer, template: str, twin: Twin) -> Iterator[Pages]:
    """The pages, served with the twin."""
    with fresh_database(server, template) as dsn, served_with_stripe(dsn, twin) as pages:
        yield pages


def invoice_link(shop: Shop) -> str:
    """The page of an invoice of EUR 49 that waits for its customer."""
    world = shop.world

    async def billed() -> str:
        selling = Merchant(world=world)
        await selling.subscribe(await world.customer(), await world.plan(), date(2026, 3, 10))
        await collect_due(world.ctx)
        query = "select id from invoices where tenant_id = $1"
        row = await world.one(query, world.tenant_id)
        tenant = world.ctx.tenant
        url = shop.pages.app.public_url
        return payment_url(url, tenant.link_secret, tenant.id, row["id"])

    return shop.run(billed())


def press_pay(page: Page) -> None:
    """Press the one button."""
    page.get_by_role("button", name="Pay \N{EURO SIGN}49.00").click()


def expect_paid(page: Page) -> None:
    """The page says so, and has nothing to pay with any more."""
    expect(page.get_by_role("status")).to_contain_text("the invoice is paid")
    expect(page.locator("#payment")).to_have_count(0)


def test_a_card_is_typed_into_the_page(shop: Shop, page: Page) -> None:
    """Where the test bank charges, the page draws the fields itself."""
    page.goto(invoice_link(shop))
    page.get_by_label("Card number").fill(VISA)
    page.get_by_label("Expiry date").fill("12 / 40")
    page.get_by_label("Security code").fill("123")
    press_pay(page)

    expect_paid(page)
    assert shop.charges == [4900]


def test_a_card_in_the_providers_fields(mounted_shop: Shop, page: Page) -> None:
    """The script is told amount and currency, and that nothing is kept; its token pays."""
    page.goto(invoice_link(mounted_shop))
    type_mounted(page)
    [(_, options)] = calls(page, "elements")
    assert (options["mode"], options["amount"], options["currency"]) == ("payment", 4900, "eur")
    assert not options.get("setupFutureUsage")
    with page.expect_request("**/confirm") as sent:
        press_pay(page)

    expect_paid(page)
    posted = sent.value.post_data_json or {}
    assert posted["payment_token"] == f"pm_{VISA}"
    assert "card_number" not in posted
    assert mounted_shop.charges == [4900]


def test_what_is_wrong_is_told_at_the_panel(mounted_shop: Shop, page: Page) -> None:
    """A token that is refused, a decline, no answer; then a card pays."""
    page.goto(invoice_link(mounted_shop))
    type_mounted(page, "1111")
    press_pay(page)
    expect(page.locator("#payment_token-error")).not_to_be_empty()
    type_mounted(page, "4000000000000002")
    press_pay(page)
    expect(page.get_by_text("Your bank declined the payment.")).to_be_visible()
    type_mounted(page, "0000")
    press_pay(page)
    panel_error(page).to_contain_text("The payment service cannot be reached.")
    assert mounted_shop.charges == []
    page.reload()
    type_mounted(page)
    press_pay(page)

    expect_paid(page)
    assert mounted_shop.charges == [4900]


def test_a_bank_that_is_elsewhere_asks(mounted_shop: Shop, page: Page) -> None:
    """The way leads over a page of ours, which no policy of forms stops, and back."""
    page.goto(invoice_link(mounted_shop))
    type_mounted(page, CHALLENGED)
    press_pay(page)
    page.get_by_role("button", name="Approve").click()

    expect_paid(page)
    assert mounted_shop.charges == [4900]


def test_a_debit_names_who_debits(mounted_shop: Shop, page: Page) -> None:
    """The mandate names the provider beside the seller, and the money is on its way."""
    page.goto(invoice_link(mounted_shop))
    page.get_by_text("SEPA direct debit", exact=True).click()
    expect(page.get_by_text("Acme Cloud SAS and Acme Pay")).to_be_visible()
    frame = page.frame_locator("#payment_token [data-kind=DIRECT_DEBIT] iframe")
    frame.locator("input").first.fill(IBAN)
    press_pay(page)

    expect(page.get_by_role("status")).to_contain_text("on its way")


@pytest.mark.parametrize("number", ["4242424242424242", STRIPE_CHALLENGED])
def test_a_card_at_stripe(
    stripe_pages: Pages, merchant: Account, page: Page, number: str
) -> None:
    """Through Stripe's adapter, with and without a challenge: EUR 49, once, and not kept."""
    page.goto(invoice_link(connected_shop(stripe_pages, merchant)))
    type_at_stripe(page, number)
    press_pay(page)
    if number == STRIPE_CHALLENGED:
        page.get_by_role("button", name="Complete authentication").click()

    expect_paid(page)
    assert merchant.moved() == [4900]
    [intent] = merchant.objects["payment_intent"].values()
    assert intent["setup_future_usage"] is None


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_everybody_can_use_it(
    mounted_shop: Shop, chromium: Browser, size: ViewportSize
) -> None:
    """No violation that axe finds, and nothing wider than the window."""
    with chromium.new_context(viewport=size) as context:
        page = context.new_page()
        page.goto(invoice_link(mounted_shop))
        type_mounted(page)
        assert violations(page) == []
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"]
