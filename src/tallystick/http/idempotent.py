"""`Idempotency-Key` on the wire: reading it, hashing the request, replaying its answer."""

import hashlib
import re

from starlette.responses import Response
from starlette.types import Scope

from tallystick.db.idempotency import Earlier
from tallystick.domain.errors import Busy, Conflict, Fault, InvalidInput

WAIT_SECONDS = 2
"""What a repeat is told to wait while its first request is still running."""
OPERATION_CHARS_MAX = 500

_KEY = re.compile(rb"[\x21-\x7e][\x20-\x7e]{0,254}")


def key_of(scope: Scope) -> str | None:
    """The caller's `Idempotency-Key`, None without one.

    Raises:
        InvalidInput: It is not 1 to 255 printable ASCII characters, or there are two.
    """
    found = [value for name, value in scope["headers"] if name == b"idempotency-key"]
    if not found:
        return None
    if len(found) > 1 or not _KEY.fullmatch(found[0]):
        message = "must be one header of 1 to 255 printable ASCII characters"
        fault = Fault("Idempotency-Key", "malformed", message)
        raise InvalidInput(f"Idempotency-Key {message}.", (fault,))
    key: str = found[0].decode("ascii")
    return key


def operation_of(scope: Scope) -> str:
    """Method and path, as the row of a key names them."""
    path: str = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    operation = f"{scope['method']} {path}"
    if len(operation) <= OPERATION_CHARS_MAX:
        return operation
    return f"{scope['method']} sha256:{hashlib.sha256(path.encode()).hexdigest()}"


def hash_of_request(scope: Scope, body: bytes) -> bytes:
    """What tells two requests apart: method, path, query and the body, byte by byte."""
    digest = hashlib.sha256(operation_of(scope).encode())
    digest.update(b"\n" + scope["query_string"] + b"\n" + body)
    return digest.digest()


def replay(earlier: Earlier | None, request_hash: bytes) -> Response:
    """The answer that an earlier request under the same key got.

    Raises:
        Conflict: That request was another one.
        Busy: It has not been answered yet.
    """
    if earlier is not None:
        check_same(earlier, request_hash)
    if earlier is None or earlier.status is None or earlier.answer is None:
        raise still_running()
    return Response(
        earlier.answer.encode(),
        earlier.status,
        {"Idempotent-Replayed": "true"},
        media_type="application/json" if earlier.answer else None,
    )


def check_same(earlier: Earlier, request_hash: bytes) -> None:
    """Refuse a key that was used for another request.

    Raises:
        Conflict: The earlier request's path or body differs.
    """
    if earlier.request_hash != request_hash:
        raise Conflict(
            "This Idempotency-Key was used for a different request. Use a new key for a new "
            "request, and the same body to repeat one."
        )


def still_running() -> Busy:
    """What a repeat is told while the first request under its key has no answer yet."""
    message = "The first request with this Idempotency-Key is still running. Try again shortly."
    return Busy(message, WAIT_SECONDS)
