"""What the official SDK can ask for, read from its own source."""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Union, get_args, get_origin

import meteroid.api
from meteroid import models
from meteroid.api.common import ApiBaseSync
from meteroid.serialization import Discriminator, _type_hints

NOT_OURS = frozenset({"connect", "oauth", "oauth_apps"})
"""Modules of the SDK whose resources Tallystick does not have: accounts of a marketplace."""

XML = frozenset({"invoices.download_xml", "credit_notes.download_xml"})
"""Electronic invoices, which are not made."""


@dataclass(frozen=True)
class Operation:
    """One method of the SDK: where it asks, what it sends and what it decodes.

    The path has `{}` for each id in it. `answer` is None where it decodes no model.
    """

    name: str
    method: str
    path: str
    query: frozenset[str]
    request: type | None
    answer: type | None


@cache
def sdk_operations() -> tuple[Operation, ...]:
    """Every operation that Tallystick answers, of every resource, by name."""
    found: list[Operation] = []
    for module in iter_modules(meteroid.api.__path__):
        if module.name.startswith("_") or module.name in NOT_OURS:
            continue
        for kind in vars(import_module(f"meteroid.api.{module.name}")).values():
            if inspect.isclass(kind) and _is_resource(kind, module.name):
                found += _of_resource(module.name, kind)
    return tuple(sorted(found, key=lambda operation: operation.name))


def _is_resource(kind: type, module: str) -> bool:
    return (
        kind.__module__ == f"meteroid.api.{module}"
        and issubclass(kind, ApiBaseSync)
        and "RawResponse" not in kind.__name__
    )


def _of_resource(module: str, kind: type) -> Iterator[Operation]:
    for name, method in vars(kind).items():
        if name.startswith("_") or not inspect.isfunction(method):
            continue
        if f"{module}.{name}" in XML:
            continue
        calls = [
            node
            for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(method))))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        ]
        yield _operation(f"{module}.{name}", calls)


def _operation(name: str, calls: list[ast.Call]) -> Operation:
    [asked] = [call for call in calls if _called(call) == "ApiRequest"]
    said = {keyword.arg: keyword.value for keyword in asked.keywords}
    sent = said.get("json_body")
    query = said.get("query_params")
    return Operation(
        name=name,
        method=ast.literal_eval(said["method"]),
        path=_shape(said["path"]),
        query=frozenset() if query is None else _keys(query),
        request=None if sent is None else _model(sent),
        answer=_decoded(calls),
    )


def _called(call: ast.Call) -> str:
    assert isinstance(call.func, ast.Name)
    return call.func.id


def _shape(path: ast.expr) -> str:
    if isinstance(path, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in path.values
        )
    return template(ast.literal_eval(path))


def template(path: str) -> str:
    """The path with `{}` for each named part."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def _keys(query: ast.expr) -> frozenset[str]:
    [written] = [node for node in ast.walk(query) if isinstance(node, ast.Dict)]
    return frozenset(ast.literal_eval(key) for key in written.keys if key is not None)


def _model(sent: ast.expr) -> type | None:
    if not isinstance(sent, ast.Call) or len(sent.args) != 2:
        return None
    kind = sent.args[1]
    return _named(kind.id) if isinstance(kind, ast.Name) else None


def _decoded(calls: list[ast.Call]) -> type | None:
    for call in calls:
        if _called(call) == "decode_response" and isinstance(call.args[1], ast.Name):
            return _named(call.args[1].id)
    return None


def _named(name: str) -> type | None:
    kind = getattr(models, name, None)
    return kind if isinstance(kind, type) else None


def fields_of(model: type) -> Iterator[tuple[str, Any]]:
    """The JSON fields of a model with their types; flattened models' own fields among them."""
    hints = _type_hints(model)
    flattened = getattr(model, "_FLATTENED", ())
    for field in dataclasses.fields(model):
        if field.name in flattened:
            for inner, _ in models_in(hints[field.name]):
                yield from fields_of(inner)
        else:
            key: str = model._json_key(field.name)  # type: ignore[attr-defined]
            yield key, hints[field.name]


def models_in(
    kind: Any,  # noqa: ANN401 - any annotation of the SDK
) -> Iterator[tuple[type, tuple[str, str] | None]]:
    """The models that a value of this type may be, each with what tells it from the others."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        if kind.__name__ != "UnknownVariant":
            yield kind, None
        return
    tags = next(
        (part for part in getattr(kind, "__metadata__", ()) if isinstance(part, Discriminator)),
        None,
    )
    if tags is not None and tags.mapping:
        for tag, model in tags.mapping.items():
            yield model, (tags.property, tag)
        return
    for part in get_args(kind):
        yield from models_in(part)


def is_list(kind: Any) -> bool:  # noqa: ANN401 - any annotation of the SDK
    """Whether a value of this type is a list, or may be left out and is one else."""
    if get_origin(kind) is list:
        return True
    parts = [part for part in get_args(kind) if part is not type(None)]
    return get_origin(kind) in {Union, type(int | str)} and any(map(is_list, parts))
