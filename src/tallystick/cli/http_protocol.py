"""HTTP/1.1 on a connection: uvicorn's, with our own answer to what it cannot read.

What the parser refuses never reaches the application. It gets the one error shape and a
`Request-Id` all the same, and so do heads that are too large.
"""

import http

import structlog
from starlette.responses import Response
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tallystick.http.edge import new_request_id
from tallystick.http.errors import error_response

HEAD_BYTES_MAX = 64 * 1024
"""The first line of a request and its headers together."""

_BAD_REQUEST = 400
_HEAD_TOO_LARGE = 431

log = structlog.get_logger(__name__)


class Protocol(HttpToolsProtocol):
    """A connection that tells what it refuses as every other door does."""

    _in_head = False
    _began_now = False
    _head_bytes = 0
    _is_too_large = False

    @override
    def data_received(self, data: bytes) -> None:
        self._began_now = False
        super().data_received(data)
        # A head that does not end is counted as it comes, from the second piece on: the first
        # may begin with what is left of another request.
        if self._in_head and not self._began_now and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse_head()

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._began_now, self._head_bytes = True, True, 0

    @override
    def on_headers_complete(self) -> None:
        self._in_head = False
        length = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if length > HEAD_BYTES_MAX:
            self._is_too_large = True
            # Raised inside the parser, which ends and calls `send_400_response`.
            raise ValueError("the head is too large")
        super().on_headers_complete()

    @override
    def send_400_response(self, msg: str) -> None:
        if self._is_too_large:
            self._refuse_head()
        else:
            self._refuse(_BAD_REQUEST, "This is not a request of HTTP/1.1 that can be read.")

    @override
    def _unsupported_upgrade_warning(self) -> None:
        """Nothing: a request that would rather be another protocol's is answered as it is."""

    def _refuse_head(self) -> None:
        self._refuse(
            _HEAD_TOO_LARGE,
            f"The request's address and headers are larger than {HEAD_BYTES_MAX} bytes, "
            "the most that is read.",
        )

    def _refuse(self, status: int, message: str) -> None:
        # There is none before the first request.
        begun = getattr(self.cycle, "response_started", False)
        if not begun or self.cycle.response_complete:
            request_id = new_request_id()
            log.info("http.unreadable", status=status, request_id=request_id)
            headers = {"Connection": "close", "Request-Id": request_id}
            answer = error_response(status, message, request_id, headers=headers)
            self.transport.write(_written(answer))
        self.transport.close()


def _written(answer: Response) -> bytes:
    """An answer as it stands on the wire."""
    phrase = http.HTTPStatus(answer.status_code).phrase
    lines = [f"HTTP/1.1 {answer.status_code} {phrase}".encode()]
    lines.extend(name + b": " + value for name, value in answer.raw_headers)
    return b"\r\n".join([*lines, b"", bytes(answer.body)])
