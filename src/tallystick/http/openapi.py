"""The OpenAPI document: FastAPI's, corrected to what the doors really do.

Every operation can answer the one error shape and none answers 422; every POST takes an
`Idempotency-Key`, every answer has a `Request-Id`.
"""

import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from tallystick.http.errors import ErrorBody, FaultBody
from tallystick.http.examples import show_examples
from tallystick.http.meanings import describe, fields_of
from tallystick.http.refusals import ANSWER_HEADERS, refusal_of, refusals
from tallystick.http.v1.paging import Order, OrderBy

DESCRIPTION = """\
A key of a tenant opens the API: `Authorization: Bearer tsk_test_...`, from `tallystick key
create`.

Ids are prefixed texts; amounts are whole numbers of the currency's minor unit; unit prices and
rates are decimals sent as text. Dates are `YYYY-MM-DD`, instants RFC 3339 in UTC. Unknown
fields are refused, and all faults of a request are reported together, each with its path.

Lists take `page` (from 0) and `per_page` (1 to 100), and say in `pagination_meta` how much
there is. A POST sent again with the same `Idempotency-Key` and body is answered as it was at
first (`Idempotent-Replayed: true`).

A key may make so many requests a second; `RateLimit-*` on every answer says how many are left,
and 429 with `Retry-After` when to come back.
"""

_METHODS = ("get", "post", "put", "patch", "delete")

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same body is one request, however often it is sent.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def document(api: APIRouter, server_url: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the REST API, as it is served.

    Args:
        api: The router that has all of it.
        server_url: Where it is reached.
    """
    found = get_openapi(
        title="Tallystick",
        version=version("tallystick"),
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=api.routes,
        servers=[{"url": server_url}],
    )
    _add_schemas(found)
    for path, operations in found["paths"].items():
        for method in _METHODS:
            if method in operations:
                _correct(operations[method], method, path)
    _mend_defaults(found)
    describe(found)
    show_examples(found)
    return found


def operation_id(route: APIRoute) -> str:
    """The name of an operation in the document: its resource, then what is done."""
    resource = str(route.tags[0]).lower().replace(" ", "_") if route.tags else "tallystick"
    return f"{resource}.{route.name}"


def _add_schemas(found: dict[str, Any]) -> None:
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for gone in ("HTTPValidationError", "ValidationError"):
        schemas.pop(gone, None)
    _, errors = models_json_schema(
        [(ErrorBody, "serialization"), (FaultBody, "serialization")],
        ref_template="#/components/schemas/{model}",
    )
    schemas.update(errors["$defs"])
    components["securitySchemes"] = {
        "api_key": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key: `tallystick key create` makes one.",
        }
    }
    components["responses"] = refusals()
    found["security"] = [{"api_key": []}]


def _mend_defaults(found: dict[str, Any]) -> None:
    """Name defaults as they could be sent: the framework shows them as they are inside."""
    fields = [field for _, _, field in fields_of(found)]
    for operations in found["paths"].values():
        for operation in operations.values():
            fields.extend(one["schema"] for one in operation.get("parameters", ()))
    for field in fields:
        match field.get("default"):
            case {"column": str(column), "descending": bool(descending)}:
                field["default"] = OrderBy().text(Order(column, descending=descending))
            case str(default) if not _could_be_sent(default, field):
                # It stands for "left out", with a value that nobody can send.
                del field["default"]
            case _:
                pass


def _could_be_sent(text: str, field: Mapping[str, Any]) -> bool:
    return (
        text in field.get("enum", [text])
        and len(text) >= field.get("minLength", 0)
        and re.search(field.get("pattern", ""), text) is not None
    )


def _correct(operation: dict[str, Any], method: str, path: str) -> None:
    summary, _, more = operation.get("description", "").partition("\n\n")
    operation["summary"] = " ".join(summary.split()).removesuffix(".")
    operation["description"] = more
    responses = operation["responses"]
    responses.pop("422", None)
    statuses = ["400", "401", "403", "429", "500", "503"]
    named = [one["name"] for one in operation.get("parameters", ())]
    if "{" in path or method != "get" or any(name.endswith("_id") for name in named):
        # A body or a query, too, can name what is not there.
        statuses.append("404")
    if method != "get":
        statuses.extend(["409", "413", "415"])
    for status in sorted(statuses):
        responses.setdefault(status, refusal_of(status))
    for response in responses.values():
        if "$ref" not in response:
            response["description"] = "Done."
            response["headers"] = dict(ANSWER_HEADERS)
    if method == "post":
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
