"""A real Chromium, and pages for it to open."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, sync_playwright

from tallystick.db.engine import Database
from tallystick.db.server import EmbeddedServer
from tallystick.providers.sandbox import Sandbox
from tests.browser.script_host import script_host
from tests.browser.shop import Pages, Shop, open_shop, served
from tests.database import fresh_database
from tests.mounted_bank import MountedBank

BROWSER_VARIABLE = "TALLYSTICK_TEST_BROWSER"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
REFUSED = ("the server responded with a status", "Response Status Error Code 4")
UNANSWERED = ("htmx:afterRequest", "htmx:sendAbort", "htmx:sendError", "net::ERR_FAILED")
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests: an installed one, else Playwright's own."""
    program = os.environ.get(BROWSER_VARIABLE) or next(
        filter(None, map(shutil.which, PROGRAMS)), None
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pages(server: EmbeddedServer, template: str) -> Iterator[Pages]:
    """The pages, served for all tests."""
    with fresh_database(server, template) as dsn, served(dsn) as running:
        yield running


@pytest.fixture
def shop(pages: Pages) -> Shop:
    """A merchant of this test alone."""
    return open_shop(pages)


@pytest.fixture(scope="session")
def mounted_pages(server: EmbeddedServer, template: str) -> Iterator[Pages]:
    """The pages, served with a bank whose own script draws the payment panel.

    Its challenges have another origin than the pages, as a real bank's do.
    """
    with fresh_database(server, template) as dsn, script_host() as origin:

        def bank(database: Database, url: str) -> Sandbox:
            return MountedBank(database, origin, url.replace("127.0.0.1", "localhost"))

        with served(dsn, bank) as running:
            yield running


@pytest.fixture
def mounted_shop(mounted_pages: Pages) -> Shop:
    """A merchant of this test alone, whose provider draws the panel."""
    return open_shop(mounted_pages)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of a fresh desktop browser; whatever its console complains of fails the test."""
    yield from _page(chromium, javascript=True)


@pytest.fixture
def plain_page(chromium: Browser) -> Iterator[Page]:
    """A page of a fresh browser without JavaScript."""
    yield from _page(chromium, javascript=False)


def _page(chromium: Browser, *, javascript: bool) -> Iterator[Page]:
    context = chromium.new_context(
        viewport=DESKTOP, locale="en-US", java_script_enabled=javascript
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # Browser and htmx report as an error an answer of 4xx, and an update that another one
        # replaces or that gets no answer; tests look at those.
        is_told = any(words in message.text for words in (*REFUSED, *UNANSWERED))
        if message.type == "error" and not is_told:
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()

    assert complaints == []
