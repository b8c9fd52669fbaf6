"""Both clients of the SDK can ask for everything, and every field of its answers is filled."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.http.conftest import TRUSTED, Served
from tests.http.sdk.guide import Exchange, Log, fits
from tests.http.sdk.never import NEVER
from tests.http.sdk.operations import Operation, fields_of, models_in, sdk_operations

SECRETS = ("/webhooks/endpoints", "/rotate-secret", "/portal-token")
"""Where answers end that carry a secret, which is shown once."""


def operation_of(exchange: Exchange) -> Operation | None:
    """The operation of the SDK that a request was, if it was one: the most exact."""
    found = [
        one
        for one in sdk_operations()
        if one.method == exchange.method and fits(exchange.path, one.path)
    ]
    return min(found, key=lambda one: one.path.count("{}"), default=None)


def called(log: Log) -> set[str]:
    """The operations that were asked for, and answered with success."""
    return {
        operation.name
        for one in log.exchanges
        if one.status < 300 and (operation := operation_of(one)) is not None
    }


def test_the_synchronous_client_asks_for_everything(asked: Log) -> None:
    """Each operation was asked for and succeeded."""
    assert called(asked) == {one.name for one in sdk_operations()}


def test_the_asynchronous_client_asks_for_everything(asked_at_once: Log) -> None:
    """Each operation was asked for and succeeded."""
    assert called(asked_at_once) == {one.name for one in sdk_operations()}


def test_every_field_was_filled(asked: Log) -> None:
    """Every field of every answer that the SDK decodes held something at least once."""
    filled: set[str] = set()
    for one in asked.exchanges:
        operation = operation_of(one)
        if operation is not None and operation.answer is not None and one.status < 300:
            filled |= set(_filled(operation.answer, one.body))
    every = set()
    for operation in sdk_operations():
        if operation.answer is not None:
            every |= set(_every(operation.answer, set()))

    assert sorted(every - filled) == sorted(NEVER)


def _filled(kind: Any, value: Any) -> Iterator[str]:  # noqa: ANN401 - any type, any JSON
    """The fields of models that hold something in a value."""
    if isinstance(value, list):
        for part in value:
            yield from _filled(kind, part)
        return
    if not isinstance(value, dict):
        return
    for model, tag in models_in(kind):
        if tag is not None and value.get(tag[0]) != tag[1]:
            continue
        for name, inner in fields_of(model):
            if value.get(name) not in (None, [], {}, ""):
                yield f"{model.__name__}.{name}"
                yield from _filled(inner, value[name])


def _every(kind: Any, seen: set[type]) -> Iterator[str]:  # noqa: ANN401 - any type
    """The fields of all models that a value of a type may hold."""
    for model, _ in models_in(kind):
        if model in seen:
            continue
        seen.add(model)
        for name, inner in fields_of(model):
            yield f"{model.__name__}.{name}"
            yield from _every(inner, seen)


def test_every_post_is_one_request(asked: Log, api: Served) -> None:
    """Sent again under its key a POST is answered alike; with another body it is refused."""
    headers = {"Authorization": f"Bearer {asked.api_key}"}
    posts = [one for one in asked.exchanges if one.method == "post" and one.status < 300]
    with httpx.Client(base_url=api.url, headers=headers, verify=TRUSTED, timeout=60) as client:
        for one in posts:
            again = _send(client, one, one.sent)
            if one.path.endswith(SECRETS):
                assert again.status_code == 409, one.path
            else:
                assert (again.status_code, again.content) == (one.status, one.answer), one.path
                assert again.headers["idempotent-replayed"] == "true"
            other = _send(client, one, (one.sent or b"{") + (b" " if one.sent else b"}"))
            assert other.status_code == 409, (one.path, other.text)
    assert len({one.path.rpartition("/")[2] for one in posts}) > 20


def _send(client: httpx.Client, one: Exchange, content: bytes) -> httpx.Response:
    path = one.path + (f"?{one.query}" if one.query else "")
    headers = {"idempotency-key": one.key}
    if one.content_type:
        headers["content-type"] = one.content_type
    elif content:
        headers["content-type"] = "application/json"
    return client.post(path, content=content, headers=headers)


@pytest.mark.parametrize("field", sorted(NEVER))
def test_what_is_never_filled_says_why(field: str) -> None:
    """A field that no answer fills has its reason."""
    assert NEVER[field]
