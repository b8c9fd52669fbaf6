"""The API's reference in a browser: readable on a phone, and nothing on it needs a script."""

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.shop import Pages


@pytest.mark.parametrize("screen", [PHONE, DESKTOP])
def test_the_reference_fits(pages: Pages, plain_page: Page, screen: ViewportSize) -> None:
    """Nothing is wider than the screen, and the contents are at hand."""
    page = plain_page
    page.set_viewport_size(screen)
    page.goto(f"{pages.app.public_url}/api-docs")
    contents = page.get_by_label("Contents")
    if contents.is_visible():
        contents.get_by_text("All operations").click()
        expect(contents.get_by_role("link", name="Create a customer")).to_be_visible()
    page.get_by_role("link", name="Create a customer").locator("visible=true").first.click()

    section = page.locator("section:target")
    expect(section.get_by_role("heading", name="Create a customer")).to_be_visible()
    command = section.locator("pre").first
    expect(command).to_be_hidden()
    section.get_by_text("The shortest").click()
    expect(command).to_contain_text("/api/v1/customers")
    assert page.evaluate("document.documentElement.scrollWidth") == screen["width"]
