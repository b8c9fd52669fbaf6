"""The examples of the document work: each is sent as it stands, with ids of what exists."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from jsonschema_rs import Draft202012Validator

from tallystick.http import examples
from tallystick.http.app import api_router
from tallystick.http.openapi import document
from tests.http.conftest import Served
from tests.http.purchase.market import Market, open_market
from tests.http.standing import Standing, stock_for_examples


def body_of(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an operation says of its body; empty if it takes none."""
    content = operation.get("requestBody", {}).get("content", {})
    found: Mapping[str, Any] = content.get("application/json", {})
    return found


WITHOUT: frozenset[str] = frozenset()
"""Operations that take a body and have no example yet; the list may only shrink."""

MOVES_TIME = "test_clock.advance"

DOCUMENT = document(api_router(), "http://testserver")
OPERATIONS: Mapping[str, tuple[str, str, Any]] = {
    operation["operationId"]: (method, path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
EXAMPLES = [
    (name, which)
    for name, (_, _, operation) in OPERATIONS.items()
    for which in body_of(operation).get("examples", ())
]


@pytest.fixture(scope="module")
def market(api: Served, shared_dsn: str) -> Iterator[Market]:
    """A tenant that sells, and a customer who is known as `globex`."""
    with open_market(api, shared_dsn, places=100) as opened:
        stock_for_examples(opened)
        yield opened


@pytest.fixture
def another(api: Served, shared_dsn: str) -> Iterator[Market]:
    """A tenant whose clock may be moved."""
    with open_market(api, shared_dsn) as opened:
        yield opened


def test_every_body_has_an_example() -> None:
    """An operation that takes JSON shows some, or is listed; what is listed shows none."""
    missing = {
        name
        for name, (_, _, operation) in OPERATIONS.items()
        if body_of(operation) and not body_of(operation).get("examples")
    }

    assert missing == WITHOUT


def test_no_example_is_left_over() -> None:
    """Every file of examples is an operation's, and every value in it is of a parameter."""
    for name, given in examples.of_operations().items():
        _, _, operation = OPERATIONS[name]
        parameters = {one["name"] for one in operation.get("parameters", ())}
        assert given.keys() <= {"parameters", "examples"}
        assert given.get("parameters", {}).keys() <= parameters, name


def test_every_address_can_be_shown() -> None:
    """Each parameter that must be given has an example."""
    without = [
        (name, one["name"])
        for name, (_, _, operation) in OPERATIONS.items()
        for one in operation.get("parameters", ())
        if one.get("required") and "example" not in one
    ]

    assert without == []


@pytest.mark.parametrize(("name", "which"), EXAMPLES)
def test_an_example_fits(name: str, which: str) -> None:
    """An example as the document shows it is what the document asks for."""
    body = body_of(OPERATIONS[name][2])
    fitting = Draft202012Validator({**body["schema"], "components": DOCUMENT["components"]})

    assert [one.message for one in fitting.iter_errors(body["examples"][which]["value"])] == []


def test_an_id_of_an_example() -> None:
    """The same thing has the same id everywhere, one that its kind could have."""
    shown = examples.shown({"a": ["{plv:Starter}"], "b": "{plv:Starter}", "c": "{plv:Pro}"})

    assert shown["a"] == [shown["b"]]
    assert shown["b"] != shown["c"]
    assert shown["b"].startswith("plv_")
    assert examples.example_id("line:Fee").count("-") == 4


@pytest.mark.parametrize(("name", "which"), EXAMPLES)
def test_an_example_works(
    market: Market, request: pytest.FixtureRequest, name: str, which: str
) -> None:
    """An example of the document is accepted, once its ids are those of things that exist."""
    shop: Market = request.getfixturevalue("another") if name == MOVES_TIME else market
    answer = sent(shop, name, which)

    assert answer.is_success, answer.text


def sent(market: Market, name: str, which: str) -> httpx.Response:
    """Send an example of the document."""
    method, path, operation = OPERATIONS[name]
    for one in operation.get("parameters", ()):
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", one["example"])
    wanted = json.dumps([path, body_of(operation)["examples"][which]["value"]])
    standing = Standing(market)
    for thing in set(examples.names_in(examples.of_operations()[name])):
        if (shown := examples.example_id(thing)) in wanted:
            wanted = wanted.replace(shown, standing.id(thing))
    address, body = json.loads(wanted)
    return market.raw.request(method, address.removeprefix("/api/v1"), json=body)
