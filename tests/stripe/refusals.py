"""Errors in Stripe's shapes: https://docs.stripe.com/api/errors and /error-codes."""

import copy
from typing import Any

Json = dict[str, Any]


class Refused(Exception):
    """An answer that is an error.

    `kept` says whether it is kept under the request's idempotency key: Stripe keeps every
    result of a call whose execution began, errors included, and none of a call that failed
    validation, was limited, or met another under the same key.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kept: bool = True,
        **more: object,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        fields = {"type": kind, "code": code, "message": message, "param": param, **more}
        self.body: Json = {
            "error": {name: value for name, value in fields.items() if value is not None}
        }


def invalid(
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    kept: bool = True,
    about: Json | None = None,
) -> Refused:
    """400 invalid_request_error; `about` is the intent that it tells of."""
    refusal = Refused(400, "invalid_request_error", message, code=code, param=param, kept=kept)
    if about is not None:
        refusal.body["error"][about["object"]] = copy.deepcopy(about)
    return refusal


def missing(kind: str, object_id: str, *, param: str = "id", status: int = 404) -> Refused:
    """What a request names is not there: 404, or 400 where a parameter names it."""
    return Refused(
        status,
        "invalid_request_error",
        f"No such {kind}: '{object_id}'",
        code="resource_missing",
        param=param,
    )


def card_error(
    message: str,
    *,
    code: str,
    decline_code: str | None = None,
    param: str | None = None,
    charge: str | None = None,
    payment_method: Json | None = None,
) -> Refused:
    """402 card_error."""
    return Refused(
        402,
        "card_error",
        message,
        code=code,
        param=param,
        decline_code=decline_code,
        charge=charge,
        payment_method=copy.deepcopy(payment_method),
    )


def unauthorized(key: str) -> Refused:
    """401, as for a key that was rolled."""
    shown = f"{key[:8]}***{key[-4:]}" if key else "none"
    return Refused(
        401, "invalid_request_error", f"Invalid API Key provided: {shown}", kept=False
    )


def key_reused(message: str) -> Refused:
    """400, the key came before with another request."""
    return Refused(400, "idempotency_error", message, kept=False)


def key_in_use(key: str) -> Refused:
    """409, the first request under this key is still being worked on."""
    return Refused(
        409,
        "idempotency_error",
        f"There is currently another in-progress request using this Idempotent Key ({key}).",
        code="idempotency_key_in_use",
        kept=False,
    )


def limited() -> Refused:
    """429, too many requests."""
    return Refused(
        429,
        "invalid_request_error",
        "Request rate limit exceeded.",
        code="rate_limit",
        kept=False,
    )


def broken(status: int) -> Refused:
    """5xx api_error: whether anything was done is not said."""
    return Refused(status, "api_error", "An unknown error occurred.")
