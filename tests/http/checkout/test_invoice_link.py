"""The invoice of a purchase, for the browser that paid."""

import io

import pytest
from pypdf import PdfReader

from tallystick.http.app import create_app
from tallystick.http.checkout.visit import PAID_COOKIE
from tallystick.locales.choice import LANGUAGES
from tests.http.checkout.buyer import CARD, Buyer, browser
from tests.http.checkout.conftest import Visit
from tests.world import World

WORDS = {
    "en": "Download the invoice (PDF)",
    "de": "Rechnung herunterladen (PDF)",
    "fr": "T\u00e9l\u00e9charger la facture (PDF)",
    "es": "Descargar la factura (PDF)",
}


async def paid(visit: Visit, language: str = "en") -> Buyer:
    """A browser that has bought EUR 49."""
    buyer = await visit(headers={"accept-language": language})
    await buyer.send((await buyer.open()).form, CARD)
    return buyer


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_confirmation_leads_to_the_invoice(visit: Visit, language: str) -> None:
    """In the buyer's language; the link is the invoice's PDF."""
    buyer = await paid(visit, language)
    page = await buyer.open()

    assert WORDS[language] in page.text
    assert f'href="{buyer.link}/invoice.pdf"' in page.response.text
    answer = await buyer.client.get(f"{buyer.link}/invoice.pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == 'attachment; filename="INV-1.pdf"'
    text = PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    assert "INV-1" in text
    assert "49,00" in text


async def test_another_browser_gets_no_invoice(visit: Visit, world: World) -> None:
    """With the same link, and without the mark of having paid."""
    buyer = await paid(visit)
    stranger = Buyer(browser(create_app(world.app)), buyer.link)

    refused = await stranger.client.get(f"{buyer.link}/invoice.pdf")
    buyer.client.cookies.delete(PAID_COOKIE)
    unmarked = await buyer.client.get(f"{buyer.link}/invoice.pdf")

    for answer in (refused, unmarked):
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
        assert "INV-1" not in answer.text
    await stranger.client.aclose()


async def test_before_it_is_paid_there_is_none(visit: Visit) -> None:
    """Nor is there a link where nothing was billed: a free trial."""
    buyer = await visit()
    assert (await buyer.client.get(f"{buyer.link}/invoice.pdf")).status_code == 404
    trial = await visit(trial_duration_days=14)
    bought = await trial.send((await trial.open()).form, CARD)

    assert "free trial of Pro has started" in bought.text
    assert WORDS["en"] not in bought.text
    assert (await trial.client.get(f"{trial.link}/invoice.pdf")).status_code == 404
