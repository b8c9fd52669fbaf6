"""The test bank's challenge page, met as a browser without JavaScript meets it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from tallystick.db.engine import DatabaseUnavailable
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.payment import (
    Cancelled,
    Declined,
    FailureReason,
    NeedsAction,
    PaymentOrder,
    Succeeded,
)
from tallystick.http.sandbox.challenge_page import router
from tallystick.services.ids import new_id
from tests.providers.contract import RETURN_URL, Case, a_setup, an_order
from tests.providers.sandbox_bank import SandboxBank


@pytest.fixture
async def browser(bank: SandboxBank) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the sandbox's own pages; it follows no redirect by itself."""
    async with _visiting(bank) as it:
        yield it


@asynccontextmanager
async def _visiting(bank: SandboxBank) -> AsyncIterator[httpx.AsyncClient]:
    async def merchant_name(_: UUID) -> str:
        return "Acme <Cloud>"

    app = FastAPI()
    app.include_router(router(bank.sandbox, merchant_name))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://pay.example.com") as it:
        yield it


async def _challenged(
    bank: SandboxBank, *, setup: bool = False
) -> tuple[PaymentOrder, str, str]:
    """An order at its challenge, its reference, and the page's address."""
    order = await an_order(bank, Case.CHALLENGED_CARD, amount=541234)
    if setup:
        order = a_setup(order)
        reference = await bank.sandbox.save_method(order)
    else:
        reference = await bank.sandbox.open(order)
    outcome = await bank.sandbox.confirm(order, reference)
    assert isinstance(outcome, NeedsAction)
    return order, reference, outcome.url


def _form_token(page: httpx.Response) -> str:
    match = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert match is not None
    return match[1]


async def test_the_page_shows_what_is_confirmed(
    bank: SandboxBank, browser: httpx.AsyncClient
) -> None:
    """Merchant, amount and card are shown, marked as a test."""
    _, _, url = await _challenged(bank)

    page = await browser.get(url)

    assert page.status_code == 200
    for shown in ("TEST", "Acme &lt;Cloud&gt;", "EUR\u00a05,412.34", "Visa ending in 3155"):
        assert shown in page.text
    assert 'http-equiv="refresh"' not in page.text


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("fr-FR", ["Confirmez ce paiement", "5\u202f412,34\u00a0EUR", "Approuver"]),
        ("de-DE", ["Bestätigen Sie diese Zahlung", "5.412,34\u00a0EUR", "Freigeben"]),
        ("es-ES", ["Confirme este pago", "5.412,34\u00a0EUR", "Aprobar"]),
        ("it", ["Confirm this payment", "EUR\u00a05,412.34", "Approve"]),
    ],
)
async def test_the_page_speaks_the_buyers_language(
    bank: SandboxBank, browser: httpx.AsyncClient, language: str, shown: list[str]
) -> None:
    """The browser's language decides, unless another was chosen on the checkout page."""
    _, _, url = await _challenged(bank)
    page = await browser.get(url, headers={"Accept-Language": language})
    missing = await browser.get(f"{url}x", headers={"Accept-Language": language})
    cookie = {"Accept-Language": "it", "Cookie": f"tallystick_language={language[:2]}"}
    chosen = await browser.get(url, headers=cookie)

    assert f'<html lang="{language[:2] if language != "it" else "en"}">' in page.text
    assert [words for words in shown if words not in page.text] == []
    assert shown[0] in chosen.text
    assert ("Nothing to confirm" in missing.text) == (language == "it")


async def test_the_page_allows_nothing_foreign(
    bank: SandboxBank, browser: httpx.AsyncClient
) -> None:
    """No script, no frame, no cache, no referrer; styles from a file of its own."""
    _, _, url = await _challenged(bank)

    page = await browser.get(url)
    style = await browser.get(httpx.URL(url).join("../challenge.css"))
    icon = await browser.get(httpx.URL(url).join("../challenge.svg"))

    assert page.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"<script|<style|style=|set-cookie", page.text + str(page.headers))
    assert style.headers["content-type"].startswith("text/css")
    assert 'href="../challenge.svg"' in page.text
    assert icon.headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize(
    ("button", "standing", "word", "moved"),
    [
        ("approve", Succeeded(), "Approved", [541234]),
        ("refuse", Declined(FailureReason.AUTHENTICATION_FAILED), "Refused", []),
    ],
)
async def test_a_button_decides_and_leads_back(
    bank: SandboxBank,
    browser: httpx.AsyncClient,
    button: str,
    standing: Succeeded | Declined,
    word: str,
    moved: list[int],
) -> None:
    """The answer is taken once, and the buyer is sent back to the order's return address."""
    order, reference, url = await _challenged(bank)
    token = _form_token(await browser.get(url))

    for _ in range(2):
        answer = await browser.post(url, data={"form_token": token, "answer": button})
        assert answer.status_code == 303
        assert answer.next_request is not None
        assert str(answer.next_request.url) == url

    page = await browser.get(url)
    assert f"<h1>{word}</h1>" in page.text
    assert f'<meta http-equiv="refresh" content="0;url={RETURN_URL}">' in page.text
    assert f'href="{RETURN_URL}"' in page.text
    assert await bank.sandbox.look(order.tenant_id, reference) == standing
    assert await bank.moved(order.tenant_id) == moved


async def test_a_card_is_saved_without_an_amount(
    bank: SandboxBank, browser: httpx.AsyncClient
) -> None:
    """Saving a card says that nothing is taken."""
    order, reference, url = await _challenged(bank, setup=True)
    page = await browser.get(url)

    assert "Nothing is taken now" in page.text

    form = {"form_token": _form_token(page), "answer": "approve"}
    await browser.post(url, data=form)
    assert await bank.sandbox.look(order.tenant_id, reference) == Succeeded()
    assert await bank.moved(order.tenant_id) == []


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"answer": "approve"}, 403),
        ({"answer": "approve", "form_token": "guessed"}, 403),
        ({"answer": "approve", "form_token": "\u00e9"}, 403),
        ({"form_token": "THE TOKEN"}, 400),
        ({"form_token": "THE TOKEN", "answer": "steal"}, 400),
    ],
)
async def test_only_the_pages_own_form_is_heard(
    bank: SandboxBank, browser: httpx.AsyncClient, form: dict[str, str], status: int
) -> None:
    """An answer without the page's token, or without a button, changes nothing."""
    order, reference, url = await _challenged(bank)
    token = _form_token(await browser.get(url))
    sent = {name: token if value == "THE TOKEN" else value for name, value in form.items()}

    answer = await browser.post(url, data=sent)

    assert answer.status_code == status
    standing = await bank.sandbox.look(order.tenant_id, reference)
    assert standing == NeedsAction(url)
    assert await bank.moved(order.tenant_id) == []


async def test_a_cancelled_challenge_leads_back(
    bank: SandboxBank, browser: httpx.AsyncClient
) -> None:
    """Whoever comes to the page after the cancellation is sent back, and cannot pay."""
    order, reference, url = await _challenged(bank)
    token = _form_token(await browser.get(url))
    await bank.sandbox.cancel(order, reference)

    await browser.post(url, data={"form_token": token, "answer": "approve"})

    assert "Cancelled by the merchant" in (await browser.get(url)).text
    assert await bank.sandbox.look(order.tenant_id, reference) == Cancelled()
    assert await bank.moved(order.tenant_id) == []


async def test_unknown_addresses_have_a_page_of_their_own(
    bank: SandboxBank, browser: httpx.AsyncClient
) -> None:
    """No challenge is shown for another tenant, a made-up reference, or before it was asked."""
    order, reference, url = await _challenged(bank)
    fresh = await bank.sandbox.open(replace(order, attempt_id=new_id()))
    path = f"/sandbox/challenge/{reference}"
    tenant = encode(Prefix.TENANT, order.tenant_id)

    for address in (
        path,
        f"{path}?tenant=nonsense",
        f"{path}?tenant={encode(Prefix.TENANT, new_id())}",
        f"/sandbox/challenge/{fresh}?tenant={tenant}",
        f"/sandbox/challenge/sbx_pay_{'A' * 32}?tenant={tenant}",
        f"/sandbox/challenge/%00?tenant={tenant}",
    ):
        shown = await browser.get(address)
        answered = await browser.post(address, data={"answer": "approve"})
        assert (shown.status_code, answered.status_code) == (404, 404)
        assert "Nothing to confirm here" in shown.text

    assert (await browser.get(url)).status_code == 200


async def test_a_bank_that_cannot_answer_says_so_on_a_page(
    bank: SandboxBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its database is away: 503 with a page in the buyer's language, and when to come again."""
    _, _, url = await _challenged(bank)

    async def away(*_: object) -> None:
        raise DatabaseUnavailable("gone")

    monkeypatch.setattr(bank.sandbox, "challenge", away)
    async with _visiting(bank) as browser:
        shown = await browser.get(url, headers={"Accept-Language": "de"})
        sent = await browser.post(url, data={"answer": "approve"})

    assert (shown.status_code, sent.status_code) == (503, 503)
    assert shown.headers["retry-after"] == "2"
    assert shown.headers["content-type"].startswith("text/html")
    assert "Die Bank kann gerade nicht antworten" in shown.text
    assert "The bank cannot answer right now" in sent.text
    assert shown.headers["content-security-policy"].startswith("default-src 'none'")


async def test_a_defect_of_the_bank_is_a_page_too(
    bank: SandboxBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500, and nothing of what happened is told; a file where a word belongs is refused."""
    _, _, url = await _challenged(bank)
    async with _visiting(bank) as browser:
        refused = await browser.post(url, files={"answer": b"approve"})
        monkeypatch.setattr(bank.sandbox, "challenge", None)
        broken = await browser.get(url)

    assert (refused.status_code, broken.status_code) == (400, 500)
    assert "This answer was not accepted" in refused.text
    assert "NoneType" not in broken.text
    assert "The bank cannot answer right now" in broken.text
