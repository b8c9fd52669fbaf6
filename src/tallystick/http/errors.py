"""Errors on the wire: the only place that knows status codes.

Every door answers a refusal with one shape, whatever refused: our own tree, a body that does
not fit, the framework, the database, a defect.

    {"code": "BAD_REQUEST", "message": "...", "errors": [{"field", "code", "message"}],
     "request_id": "req_..."}
"""

import json
from collections.abc import Mapping
from typing import Literal

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from tallystick.db.engine import DatabaseUnavailable
from tallystick.db.refusals import Contention, LockTimeout, StatementTimeout
from tallystick.domain.errors import (
    Busy,
    Conflict,
    Fault,
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    TallystickError,
    Unauthorized,
    sentence,
)
from tallystick.http.faults import faults_of
from tallystick.http.near_path import near_path
from tallystick.http.route_call import UnsupportedMediaType

RETRY_SECONDS = 1
"""What a caller is told to wait when nothing better is known."""

DEFECT = 500

ErrorCode = Literal[
    "BAD_REQUEST",
    "NOT_FOUND",
    "CONFLICT",
    "FORBIDDEN",
    "UNAUTHORIZED",
    "TOO_MANY_REQUESTS",
    "INTERNAL_SERVER_ERROR",
]

_CODE_OF_STATUS: Mapping[int, ErrorCode] = {
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    429: "TOO_MANY_REQUESTS",
}

_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")

log = structlog.get_logger(__name__)


class FaultBody(BaseModel):
    """One field at fault: its path as the caller wrote it, a stable code, a sentence."""

    field: str
    code: str
    message: str


class ErrorBody(BaseModel):
    """The answer to every request that was refused or failed."""

    code: ErrorCode
    message: str
    errors: list[FaultBody]
    request_id: str


class BodyTooLarge(Exception):
    """The request's body is over the limit; `limit` is in bytes."""

    def __init__(self, limit: int) -> None:
        """Keep the limit that the answer names."""
        super().__init__(limit)
        self.limit = limit


def status_of(error: TallystickError) -> int:
    """The status code of an error of our own tree."""
    match error:
        case InvalidInput():
            return 400
        case Unauthorized():
            return 401
        case Forbidden():
            return 403
        case NotFound():
            return 404
        case Conflict():
            return 409
        case RateLimited():
            return 429
        case _:
            return DEFECT


def is_kept(error: TallystickError) -> bool:
    """Whether an idempotency key keeps this refusal: 404, and 409 that a pause cannot mend."""
    return isinstance(error, (NotFound, Conflict)) and not isinstance(error, Busy)


def refusal(error: TallystickError, request_id: str) -> Response:
    """The answer to a request that an error of our own tree ended."""
    headers = {}
    if isinstance(error, (Busy, RateLimited)):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    message = error.message if error.message.endswith((".", "!", "?")) else f"{error.message}."
    return error_response(
        status_of(error), message, request_id, faults=error.faults, headers=headers
    )


def error_response(
    status: int,
    message: str,
    request_id: str,
    *,
    faults: tuple[Fault, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer in the error shape."""
    default: ErrorCode = "INTERNAL_SERVER_ERROR" if status >= DEFECT else "BAD_REQUEST"
    body = {
        "code": _CODE_OF_STATUS.get(status, default),
        "message": message,
        "errors": [
            {"field": fault.field, "code": fault.code, "message": fault.message}
            for fault in faults
        ],
        "request_id": request_id,
    }
    # ASCII, because a field's name may hold what UTF-8 cannot.
    content = json.dumps(body, separators=(",", ":")).encode()
    return Response(
        content, status, dict(headers) if headers else None, media_type="application/json"
    )


def request_id_of(scope: Scope) -> str:
    """The id given to this request at the edge; it stands on its answer and in the log."""
    found = scope.get("tallystick.request_id")
    return found if isinstance(found, str) else "req_unknown"


def unexpected(scope: Scope, error: Exception) -> Response:
    """The answer to our own defect: logged with the request's id, and nothing of it told."""
    request_id = request_id_of(scope)
    log.error(
        "http.defect",
        request_id=request_id,
        method=scope.get("method"),
        path=scope.get("path"),
        exc_info=error,
    )
    return error_response(
        500,
        "Something went wrong on our side. Nothing needs to be changed in the request; "
        f"name {request_id} when you ask about it.",
        request_id,
    )


def add_error_handlers(app: FastAPI) -> None:
    """Answer everything that is raised inside the application in the one shape."""
    app.add_exception_handler(TallystickError, _ours)
    app.add_exception_handler(RequestValidationError, _unfit)
    app.add_exception_handler(ValidationError, _defect)
    app.add_exception_handler(HTTPException, _of_framework)
    app.add_exception_handler(BodyTooLarge, _too_large)
    app.add_exception_handler(UnsupportedMediaType, _unsupported)
    app.add_exception_handler(DatabaseUnavailable, _database_away)
    app.add_exception_handler(StatementTimeout, _database_away)
    for contention in (LockTimeout, *Contention):
        app.add_exception_handler(contention, _busy)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, TallystickError)
    if status_of(error) >= DEFECT:
        return unexpected(request.scope, error)
    return refusal(error, request_id_of(request.scope))


async def _unfit(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = faults_of(error.errors())
    invalid = InvalidInput(sentence(faults), faults)
    return refusal(invalid, request_id_of(request.scope))


async def _defect(request: Request, error: Exception) -> Response:
    return unexpected(request.scope, error)


async def _of_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    request_id = request_id_of(request.scope)
    match error.status_code:
        case 404:
            near = near_path(request.app, request.scope["path"])
            meant = "" if near is None else f"; did you mean {near}?"
            message = f"There is nothing at {request.url.path}{meant or '.'}"
        case 405:
            allowed = _allowed(request)
            return error_response(
                405,
                f"{request.method} is not possible here; {allowed} is.",
                request_id,
                headers={"Allow": allowed},
            )
        case _:
            message = str(error.detail)
    return error_response(error.status_code, message, request_id, headers=error.headers)


def _allowed(request: Request) -> str:
    """Every method that some route has at this path, not just the first route's."""
    app: FastAPI = request.app
    found = {
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in app.router.routes
        )
    }
    # Where GET is possible, HEAD is, too.
    return ", ".join(sorted(found | {"HEAD"} if "GET" in found else found))


async def _too_large(request: Request, error: Exception) -> Response:
    assert isinstance(error, BodyTooLarge)
    return too_large(request.scope, error.limit)


def too_large(scope: Scope, limit: int) -> Response:
    """The answer to a body over the limit, which is in bytes."""
    message = f"The request's body is larger than {limit} bytes, the most that is read."
    return error_response(413, message, request_id_of(scope), headers={"Connection": "close"})


async def _unsupported(request: Request, error: Exception) -> Response:
    assert isinstance(error, UnsupportedMediaType)
    return error_response(
        415,
        f"The body must be {error.named}, with the header `Content-Type: {error.wanted}`.",
        request_id_of(request.scope),
        headers={"Accept": error.wanted},
    )


async def _database_away(request: Request, error: Exception) -> Response:
    request_id = request_id_of(request.scope)
    log.warning("http.database_away", request_id=request_id, reason=str(error))
    return error_response(
        503,
        "The database cannot be reached at the moment. Try again shortly.",
        request_id,
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


async def _busy(request: Request, _: Exception) -> Response:
    message = "Another request is changing the same objects. Try again shortly."
    return refusal(Busy(message, RETRY_SECONDS), request_id_of(request.scope))
