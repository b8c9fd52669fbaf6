"""Documents through the synchronous client."""

import io

from pypdf import PdfReader

from tests.http.purchase.market import Market


def test_the_client_that_waits(market: Market) -> None:
    """It downloads an invoice, raw or as bytes, and refreshes none that is final."""
    sold = market.bought()

    content = market.sdk.invoices.download(sold.invoice.id)
    raw = market.sdk.invoices.with_raw_response.download(sold.invoice.id)

    page = PdfReader(io.BytesIO(content)).pages[0].extract_text()
    assert sold.invoice.invoice_number in page
    assert raw.headers["content-type"] == "application/pdf"
    refused = market.raw.post(f"/invoices/{sold.invoice.id}/refresh")
    assert refused.status_code == 409
