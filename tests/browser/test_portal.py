"""The portal in a real browser: for every eye and screen, without any script."""

from datetime import date
from typing import Literal
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tallystick.domain.offer import ExternalPayment
from tests.browser.accessibility import violations
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.shop import Shop
from tests.portals import link_of
from tests.subscribing import Merchant

TODAY = date(2026, 3, 10)


async def _customer(shop: Shop) -> UUID:
    """Bought by card, and something else that is not paid yet."""
    world = shop.world
    customer = await world.customer()
    await world.confirm(await world.session(customer, await world.plan()))
    plan = await world.plan(name="A plan with a name that needs more than one line of a phone")
    await Merchant(world=world).subscribe(
        customer, plan, TODAY, payment=ExternalPayment(), charge_automatically=False
    )
    return customer


def enter(shop: Shop, page: Page) -> None:
    """Come with a link."""
    customer = shop.run(_customer(shop))
    page.goto(shop.run(link_of(shop.world, customer)))


def test_a_customer_pays_cancels_and_edits(shop: Shop, plain_page: Page) -> None:
    """All of it works with a keyboard's forms alone; the token is nowhere to be seen."""
    page = plain_page
    enter(shop, page)
    assert page.url.endswith("/portal")

    page.get_by_role("link", name="INV-2").click()
    page.get_by_role("button", name="Pay €49.00").click()
    expect(page.get_by_text("Thank you, the invoice is paid.")).to_be_visible()
    page.get_by_role("link", name="Back to your account").click()

    page.get_by_role("link", name="Cancel subscription Pro").click()
    page.get_by_role("button", name="Cancel subscription").click()
    expect(page.get_by_text("Runs until April 9, 2026.")).to_be_visible()
    page.get_by_role("button", name="Keep subscription Pro").click()
    expect(page.get_by_text("The subscription goes on.")).to_be_visible()

    page.get_by_role("link", name="Change").click()
    page.get_by_label("City").fill("Lyon")
    page.get_by_label("Invoices are sent to").fill("ap@globex.example")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Lyon")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    assert shop.charges == [4900, 4900]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_for_everyone(
    chromium: Browser, shop: Shop, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    """No rule of accessibility is broken, and nothing is wider than the screen."""
    context = chromium.new_context(viewport=size, color_scheme=scheme, locale="en-US")
    page = context.new_page()
    enter(shop, page)
    root = page.url
    page.get_by_role("link", name="INV-2").click()
    expect(page.get_by_role("button", name="Pay €49.00")).to_be_visible()
    invoice = page.url
    page.goto(root)
    page.get_by_role("link", name="Cancel subscription Pro").click()
    expect(page.get_by_role("button", name="Cancel subscription")).to_be_visible()
    cancel = page.url

    for address in (root, invoice, cancel, f"{root}/details", f"{root}/invoices/none"):
        page.goto(address)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.goto(f"{root}/details")
    page.get_by_label("VAT number").fill("FR12")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert violations(page) == []
    context.close()
