"""PDF documents as answers."""

from typing import Any

from starlette.responses import Response

from tallystick.documents.pdf import Pdf
from tallystick.http.refusals import refusal_of

MEDIA_TYPE = "application/pdf"

DOCUMENT_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The document.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    },
    409: dict(refusal_of("409")),
}
"""What a download answers, for the API's document."""


class PdfResponse(Response):
    """An answer that is a PDF."""

    media_type: str | None = MEDIA_TYPE


def pdf_answer(pdf: Pdf) -> Response:
    """A PDF to be kept as a file; it is nobody's but the caller's, and changes."""
    return PdfResponse(
        pdf.content,
        headers={
            "Content-Disposition": f'attachment; filename="{pdf.name}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
