"""The seller's logo: drawn where it is a picture on the public network, else left out."""

import base64
import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import httpx
import pytest
from pypdf import PdfReader

from tallystick.documents import logo as logos
from tallystick.documents import pdf as making
from tallystick.documents.logo import Logos, NoLogo, Picture, fetched, picture_of
from tallystick.documents.pdf import invoice_pdf
from tallystick.documents.typeset import compiled
from tests.documents.papers import ENTITY, NOON, document, monthly
from tests.documents.reading import paper_of
from tests.documents.stories import stories

URL = "https://acme.example/logo.png"


def png(width: int = 4, height: int = 2) -> bytes:
    """A green picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data))
            + kind
            + data
            + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"".join(b"\0" + b"\x0f\x6e\x5c" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def jpeg_head(width: int, height: int) -> bytes:
    """The beginning of a JPEG: a segment that is passed over, then its size."""
    size = b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", height, width) + b"\0" * 12
    return b"\xff\xd8\xff\xe0\x00\x04AB" + size


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Callable[[httpx.Response], list[httpx.Request]]:
    """A public host that answers as it is told; the requests that it got are returned."""

    def answering(answer: httpx.Response) -> list[httpx.Request]:
        asked: list[httpx.Request] = []

        def handle(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            return answer

        async def address(_: str) -> str:
            return "93.184.216.34"

        client = partial(httpx.AsyncClient, transport=httpx.MockTransport(handle))
        monkeypatch.setattr(httpx, "AsyncClient", client)
        monkeypatch.setattr(logos, "_public_address", address)
        return asked

    return answering


def test_pictures_are_known_by_their_beginning() -> None:
    """A PNG, and a JPEG with its size in a later segment."""
    small, photo = picture_of(png()), picture_of(jpeg_head(640, 160))

    assert (small.kind, small.width, small.height) == ("image/png", 4, 2)
    assert (photo.kind, photo.width, photo.height) == ("image/jpeg", 640, 160)
    assert base64.b64encode(png()).decode() in small.svg


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + b"\0" * 40,
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0",
        png()[:16] + struct.pack(">II", 60_000, 60_000) + png()[24:],
        jpeg_head(0, 10),
        b"\xff\xd8\xff\xe0\xff\xff",
        b"\xff\xd8\xff\xe0\x00\x00" + b"\xff" * 50,
    ],
)
def test_what_is_no_picture_for_us(content: bytes) -> None:
    """Drawings, other kinds, broken ones, and those that would fill the memory."""
    with pytest.raises(NoLogo):
        picture_of(content)


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.example/logo.png",
        "https://acme.example:8443/logo.png",
        "https://me:secret@acme.example/logo.png",
        "https://127.0.0.1/logo.png",
        "https://10.0.0.1/logo.png",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/logo.png",
        "https://[::1]/logo.png",
        "https://0/logo.png",
        "https://2130706433/logo.png",
        "https://acme.example:port/logo.png",
        "https://[::1/logo.png",
        f"https://{'a' * 70}.example/logo.png",
        "https://ac me.example/logo.png",
        "https:///logo.png",
    ],
)
async def test_addresses_that_nobody_asks(url: str) -> None:
    """Without encryption, another port, a password, our own network: nothing is sent."""
    with pytest.raises(NoLogo):
        await fetched(url)


async def test_a_logo_is_asked_for_once(
    public: Callable[[httpx.Response], list[httpx.Request]],
) -> None:
    """At the address that was looked at, by its name; the second document asks nobody."""
    asked = public(httpx.Response(200, content=png()))
    kept = Logos(fetch=fetched)

    first, second = await kept.of(URL), await kept.of(URL)

    (request,) = asked
    assert first is not None
    assert first.content == png()
    assert second is first
    assert str(request.url) == "https://93.184.216.34/logo.png"
    assert request.headers["host"] == "acme.example"
    assert request.extensions["sni_hostname"] == "acme.example"
    assert await kept.of(None) is None


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(302, headers={"Location": "https://127.0.0.1/"}),
        httpx.Response(404, content=png()),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, content=png() + b"\0" * 300_000),
    ],
)
async def test_answers_that_are_no_logo(
    public: Callable[[httpx.Response], list[httpx.Request]], answer: httpx.Response
) -> None:
    """A redirect is not followed; it is asked once, and then left out for an hour."""
    asked = public(answer)
    kept = Logos(fetch=fetched)

    assert await kept.of(URL) is None
    assert await kept.of(URL) is None
    assert len(asked) == 1


async def test_no_document_waits_for_its_logo(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that says nothing is given up."""

    async def silent(_: str) -> Picture:
        raise TimeoutError

    monkeypatch.setattr(making, "LOGOS", Logos(fetch=silent))
    made = document([monthly("Pro", "49")], entity=replace(ENTITY, logo_url=URL))

    content = (await invoice_pdf(made)).content

    assert b"/Subtype/Image" not in content
    assert content.startswith(b"%PDF")


async def test_a_logo_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once on the first page, in an archivable document."""

    async def there(_: str) -> Picture:
        return picture_of(png(40, 10))

    monkeypatch.setattr(making, "LOGOS", Logos(fetch=there))
    made = document([monthly("Pro", "49")], entity=replace(ENTITY, logo_url=URL))

    first, again = await invoice_pdf(made), await invoice_pdf(made)

    found = PdfReader(io.BytesIO(first.content))
    assert "Acme Cloud SAS" in found.pages[0].extract_text()
    assert b"/Subtype/Image" in first.content
    assert "/StructTreeRoot" in found.root_object
    assert first == again


def test_a_broken_picture_is_left_out() -> None:
    """It begins as one and is none: the document is made without it."""
    broken = Picture(kind="image/png", width=4, height=2, content=png()[:40])
    paper = replace(paper_of(stories()["simple"], "en-GB"), logo=broken.svg)
    worse = replace(paper, logo="<svg")

    for one in (paper, worse):
        page = PdfReader(io.BytesIO(compiled(one, NOON))).pages[0]
        assert "€52.92" in page.extract_text()
