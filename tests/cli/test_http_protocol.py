"""A connection read piece by piece: where the network cuts a request never matters."""

import asyncio
import re
from itertools import pairwise
from unittest.mock import Mock

import pytest
from starlette.types import Send
from uvicorn import Config
from uvicorn.server import ServerState

from tallystick.cli.http_protocol import HEAD_BYTES_MAX, Protocol

LARGE = 4 * HEAD_BYTES_MAX
HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % LARGE


async def _answer(_scope: object, _receive: object, send: Send) -> None:
    """An application that has nothing to say."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def _answers(*pieces: bytes) -> list[bytes]:
    """The statuses a connection answers with to what comes in these pieces."""
    config = Config(_answer, lifespan="off", log_config=None)
    config.load()
    protocol = Protocol(config=config, server_state=ServerState(), app_state={})
    transport = Mock(spec=asyncio.Transport)
    transport.get_extra_info.return_value = None
    transport.is_closing.return_value = False
    protocol.connection_made(transport)
    for piece in pieces:
        protocol.data_received(piece)
        await asyncio.gather(*protocol.tasks)
    protocol.connection_lost(None)
    said = b"".join(call.args[0] for call in transport.write.call_args_list)
    return re.findall(rb"HTTP/1.1 (\d{3})", said)


@pytest.mark.parametrize(
    "cuts",
    [(0,), (10,), (len(HEAD),), (len(HEAD) + 1,), (10, len(HEAD) + 5), (len(HEAD) + 99999,)],
)
async def test_a_large_body_is_no_large_head(cuts: tuple[int, ...]) -> None:
    """A body is read wherever the pieces end, its last piece as large as it likes."""
    request = HEAD + b"a" * LARGE
    ends = [0, *cuts, len(request)]

    said = await _answers(*(request[a:b] for a, b in pairwise(ends)))

    assert said == [b"204"]


async def test_a_head_without_an_end_is_refused_once() -> None:
    """However small its pieces, when they are more than a head may be."""
    head = b"GET / HTTP/1.1\r\nHost: a\r\nCookie: "

    said = await _answers(head, *[b"a" * 8192] * (HEAD_BYTES_MAX // 8192 + 1))

    assert said == [b"431"]


async def test_the_head_after_a_large_body_is_counted_alone() -> None:
    """A second request of a connection is judged by its own head."""
    second = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    said = await _answers(HEAD, b"a" * LARGE, second[:20], second[20:])

    assert said == [b"204", b"204"]
