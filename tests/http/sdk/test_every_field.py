"""The API's document has every operation, query parameter and field that the SDK has."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tallystick.http.app import api_router
from tallystick.http.openapi import document
from tests.http.sdk.never import NEVER
from tests.http.sdk.operations import (
    Operation,
    fields_of,
    is_list,
    models_in,
    sdk_operations,
    template,
)

Schema = dict[str, Any]

REFUSED = frozenset(
    {
        # Accounts that a platform connects for its merchants: Tallystick has none.
        "customers.create request: connected_account_id",
        # Electronic invoices are not sent, so there is no state to look for.
        "invoices.list query: einvoicing_status",
    }
)
"""Fields of the SDK that are refused by name when they hold anything; may only shrink."""

OPERATIONS = {operation.name: operation for operation in sdk_operations()}


@cache
def written() -> Schema:
    """The document of the API."""
    return document(api_router(), "http://testserver")


@cache
def described() -> dict[tuple[str, str], Schema]:
    """The operations of the document by method and shape of the path."""
    return {
        (method, template(path)): {"path": path} | operation
        for path, methods in written()["paths"].items()
        for method, operation in methods.items()
    }


def resolved(schema: Schema) -> Iterator[Schema]:
    """The schemas without references that a value may follow."""
    if "$ref" in schema:
        *_, kind, name = schema["$ref"].split("/")
        yield from resolved(written()["components"][kind][name])
    elif any(union in schema for union in ("anyOf", "oneOf", "allOf")):
        for union in ("anyOf", "oneOf", "allOf"):
            for part in schema.get(union, ()):
                yield from resolved(part)
    else:
        yield schema


def objects(schema: Schema, tag: tuple[str, str] | None) -> list[Schema]:
    """The object schemas among those, of a union only those with the tag."""
    found = [one for one in resolved(schema) if "properties" in one]
    if tag is None:
        return found
    name, value = tag
    return [
        one
        for one in found
        if value in _values(next(iter(resolved(one["properties"].get(name, {}))), {}))
    ]


def _values(schema: Schema) -> list[str]:
    return [*schema.get("enum", ()), schema.get("const", "")]


def missing(
    kind: Any,  # noqa: ANN401 - any annotation of the SDK
    schema: Schema,
    where: str,
    above: tuple[tuple[type, int], ...] = (),
) -> Iterator[str]:
    """The paths of the fields of the SDK's type that the schema has no place for."""
    parts = [schema]
    if is_list(kind):
        parts = [one["items"] for one in resolved(schema) if "items" in one]
        if not parts:
            yield f"{where}[]"
    for model, tag in models_in(kind):
        found = [one for part in parts for one in objects(part, tag)]
        if not found:
            if any("additionalProperties" in one for part in parts for one in resolved(part)):
                continue  # a map with keys of its user's choice
            yield f"{where}<{tag[1] if tag else model.__name__}>"
            continue
        if (model, id(found[0])) in above:
            continue
        for name, inner in fields_of(model):
            here = f"{where}.{name}" if where else name
            places = [one["properties"][name] for one in found if name in one["properties"]]
            if not places or all(_only_null(place) for place in places):
                yield here
            else:
                deeper = (*above, (model, id(found[0])))
                yield from missing(inner, places[0], here, deeper)


def _only_null(schema: Schema) -> bool:
    return all(one.get("type") == "null" for one in resolved(schema))


def operation_of(asked: Operation) -> Schema:
    """The document's operation for one of the SDK."""
    return described()[asked.method, asked.path]


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_document_has_the_operation(name: str) -> None:
    """What the SDK can ask for is an operation of the document."""
    asked = OPERATIONS[name]

    assert (asked.method, asked.path) in described()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_query_parameter_is_taken(name: str) -> None:
    """Each query parameter that the SDK can send is one of the operation's."""
    asked = OPERATIONS[name]
    taken = {
        one["name"]
        for one in operation_of(asked).get("parameters", ())
        if one["in"] == "query" and not _only_null(one["schema"])
    }

    refused = {one.split(": ")[1] for one in REFUSED if one.startswith(f"{name} query:")}
    assert asked.query - taken == refused


@pytest.mark.parametrize("name", [name for name, one in OPERATIONS.items() if one.request])
def test_every_field_of_a_request_is_taken(name: str) -> None:
    """Each field of the SDK's request, however deep, has a place in the operation's body."""
    asked = OPERATIONS[name]
    body = operation_of(asked)["requestBody"]["content"]["application/json"]["schema"]

    refused = {one.split(": ")[1] for one in REFUSED if one.startswith(f"{name} request:")}
    assert set(missing(asked.request, body, "")) == refused


@pytest.mark.parametrize("name", [name for name, one in OPERATIONS.items() if one.answer])
def test_every_field_of_an_answer_is_filled(name: str) -> None:
    """Each field that the SDK decodes, however deep, is one of the operation's answer."""
    asked = OPERATIONS[name]
    [done] = [one for status, one in operation_of(asked)["responses"].items() if status < "300"]
    answer = done["content"]["application/json"]["schema"]

    never = {one.partition(".")[2] for one in NEVER}
    found = {one.rpartition(".")[2] for one in missing(asked.answer, answer, "")}
    assert found <= never
