"""What is shown suits the screen, the country, and what loads."""

import base64

import pytest
from playwright.sync_api import Page, expect

from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RateFee
from tests.browser.conftest import PHONE
from tests.browser.shop import Shop
from tests.world import rate

LOGO = "https://cdn.acme.example/logo.png"
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


def long_order(shop: Shop) -> str:
    """The link of an order of seven lines."""
    parts = [(f"Part {n}", RateFee(), [(Cadence.MONTHLY, rate("7.00"))]) for n in range(1, 8)]
    return shop.link(shop.run(shop.world.plan(*parts)))


def test_a_phone_shows_many_lines_on_demand(shop: Shop, page: Page) -> None:
    """On a phone the form is not below seven lines: they are shown when they are asked for."""
    page.set_viewport_size(PHONE)
    page.goto(long_order(shop))
    line = page.locator(".line-name", has_text="Part 7")
    expect(line).to_be_hidden()
    expect(page.get_by_text("€49.00").first).to_be_visible()
    page.get_by_text("Show 7 items").click()

    expect(line).to_be_visible()
    expect(page.get_by_text("Hide the items")).to_be_visible()

    page.get_by_label("Country or region").select_option("DE")
    expect(page.get_by_role("status")).to_have_text("Total updated. Due today: €49.00")
    expect(line).to_be_visible()

    page.get_by_text("Hide the items").click()
    expect(line).to_be_hidden()


def test_without_javascript_the_lines_unfold_too(shop: Shop, plain_page: Page) -> None:
    """Showing the lines on a phone needs no script."""
    page = plain_page
    page.set_viewport_size(PHONE)
    page.goto(long_order(shop))
    page.get_by_text("Show 7 items").click()

    expect(page.locator(".line-name", has_text="Part 7")).to_be_visible()


def test_a_large_screen_shows_every_line(shop: Shop, page: Page) -> None:
    """Where there is room nothing is folded away, nor are few lines on a phone."""
    page.goto(long_order(shop))
    expect(page.locator(".line-name", has_text="Part 7")).to_be_visible()
    expect(page.get_by_text("Show 7 items")).to_be_hidden()

    page.set_viewport_size(PHONE)
    page.goto(shop.link())
    expect(page.locator(".line-name", has_text="Fee")).to_be_visible()


def test_a_state_is_asked_for_where_there_are_states(shop: Shop, page: Page) -> None:
    """The field shows in countries that write it, and wherever it holds something."""
    page.goto(shop.link())
    state = page.get_by_label("State or province")
    expect(state).to_be_hidden()
    page.get_by_label("Country or region").select_option("US")
    expect(state).to_be_visible()
    page.get_by_label("Country or region").select_option("DE")
    expect(state).to_be_hidden()

    page.get_by_label("Country or region").select_option("US")
    state.fill("NY")
    page.get_by_label("Country or region").select_option("DE")
    expect(state).to_be_visible()
    expect(state).to_have_value("NY")


@pytest.mark.parametrize("loads", [True, False])
def test_a_letter_stands_in_for_a_logo(shop: Shop, page: Page, *, loads: bool) -> None:
    """A logo that does not load leaves the merchant's first letter."""
    shop.change("update invoicing_entities set logo_url = $2 where tenant_id = $1", LOGO)
    page.route(
        LOGO,
        lambda route: (
            route.fulfill(body=DOT, content_type="image/png") if loads else route.abort()
        ),
    )
    page.goto(shop.link())
    logo, letter = page.locator("img.logo"), page.locator(".initial")

    expect(letter).to_have_text("A")
    expect(letter).to_be_visible(visible=not loads)
    expect(logo).to_be_visible(visible=loads)
