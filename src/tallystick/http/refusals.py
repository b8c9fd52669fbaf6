"""What the document says of refused requests: each status, when it comes, its headers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds to wait before the request is sent again.",
        "schema": {"type": "integer"},
    }
}

ANSWER_HEADERS: Mapping[str, Any] = {
    "Request-Id": {
        "description": "Names the request, in the log as here.",
        "schema": {"type": "string"},
    },
    "RateLimit-Limit": {
        "description": "Requests that this API key may make in two seconds.",
        "schema": {"type": "integer"},
    },
    "RateLimit-Remaining": {
        "description": "How many of them are left.",
        "schema": {"type": "integer"},
    },
    "RateLimit-Reset": {
        "description": "Seconds until all of them are there again.",
        "schema": {"type": "integer"},
    },
}
"""What every answer to an API key has; those of the limit only where there is one."""


@dataclass(frozen=True)
class Refusal:
    """A status that every door may answer with: its name in the document, and its meaning."""

    name: str
    when: str
    headers: Mapping[str, Any]


REFUSALS: Mapping[str, Refusal] = {
    "400": Refusal(
        "BadRequest",
        "Malformed or impossible: `errors` has every fault of the request, each with the path "
        "of its field. Mend it, and send it again under the same key.",
        {},
    ),
    "401": Refusal(
        "Unauthorized",
        "No API key, or one that is not valid.",
        {
            "WWW-Authenticate": {
                "description": "How a key is sent.",
                "schema": {"type": "string"},
            }
        },
    ),
    "403": Refusal(
        "Forbidden",
        "The key has not the scope for it: `read` for GET, `write` for everything else.",
        {},
    ),
    "404": Refusal(
        "NotFound", "There is no such thing; another tenant's things are none, either.", {}
    ),
    "409": Refusal(
        "Conflict",
        "Not in the state that things are in, or an `Idempotency-Key` that was used for "
        "another request. With `Retry-After`: something is under way; ask again.",
        _RETRY_AFTER,
    ),
    "413": Refusal("TooLarge", "The body is larger than what is read.", {}),
    "415": Refusal("NotJson", "The body is not JSON, or not said to be.", {}),
    "429": Refusal("TooManyRequests", "More requests than the key may send.", _RETRY_AFTER),
    "500": Refusal(
        "Defect",
        "A defect of ours. Send it again under the same key: it is done once at most.",
        {},
    ),
    "503": Refusal("Unavailable", "The database cannot be reached just now.", _RETRY_AFTER),
}
"""By status."""

_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "400": {
        "code": "BAD_REQUEST",
        "message": "billing_email: must be an email address (and 1 more).",
        "errors": [
            {
                "field": "billing_email",
                "code": "malformed",
                "message": "must be an email address",
            },
            {"field": "name", "code": "required", "message": "is required"},
        ],
        "request_id": "req_5f0c9a1be27d4c6e8f103b52",
    },
    "404": {
        "code": "NOT_FOUND",
        "message": "There is no such customer: globex.",
        "errors": [],
        "request_id": "req_5f0c9a1be27d4c6e8f103b52",
    },
}


def refusal_of(status: str) -> dict[str, str]:
    """What an operation says of a status with which it refuses."""
    return {"$ref": f"#/components/responses/{REFUSALS[status].name}"}


def refusals() -> dict[str, Any]:
    """Every refusal, by the name that operations know it by."""
    return {one.name: _shown(status, one) for status, one in REFUSALS.items()}


def _shown(status: str, one: Refusal) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/ErrorBody"}}
    if status in _EXAMPLES:
        content["example"] = _EXAMPLES[status]
    return {
        "description": one.when,
        "headers": {**ANSWER_HEADERS, **one.headers},
        "content": {"application/json": content},
    }
