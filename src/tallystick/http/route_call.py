"""Calling a route: its parameters are read from the request, and every fault is told at once.

FastAPI knows the routes and describes them; it does not read their parameters. Doing that here
costs half as much, and keeps one reading of bodies for all doors.
"""

import inspect
from collections.abc import Callable, Collection, Mapping
from types import NoneType
from typing import Any, get_args, get_origin
from urllib.parse import parse_qsl

from fastapi import params
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from starlette.requests import Request

from tallystick.domain.errors import (
    ALL_READ,
    Fault,
    InvalidInput,
    NotFound,
    Unread,
    sentence,
)
from tallystick.http.faults import path_text
from tallystick.http.json_body import parse_json
from tallystick.http.reader import Reader


class _NoQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")


_NO_QUERY = Reader(_NoQuery, "query")
"""Of a route that has none: whatever is sent is unknown."""

_REQUIRED = Fault("body", "required", "is required")


class UnsupportedMediaType(Exception):
    """The request's body is of a type that this door does not read; it reads `wanted`."""

    def __init__(self, wanted: str = "application/json", named: str = "JSON") -> None:
        """Keep the type that is read, and what people call it."""
        super().__init__(wanted)
        self.wanted = wanted
        self.named = named


class RouteCall:
    """What a route takes: its path's parts, one model of its query, one body.

    Args:
        endpoint: The route's function. A parameter of the path has its name; one that is
            annotated with `Query()` is the query; one for an `Unread` gets what of the body
            could not be read; `provided` comes from elsewhere; what is left is the body, which
            may be left out where its default is None.
        path_names: The names in the route's path.
        provided: The parameters that the caller fills in.
    """

    def __init__(
        self, endpoint: Callable[..., object], path_names: set[str], provided: Collection[str]
    ) -> None:
        self._path: dict[str, TypeAdapter[Any]] = {}
        self._query: tuple[str, Reader, frozenset[str]] = ("", _NO_QUERY, frozenset())
        self._body: tuple[str, Reader] | None = None
        self._needs_body = True
        self._unread = ""
        signature = inspect.signature(endpoint, eval_str=True)
        for name, parameter in signature.parameters.items():
            kind = parameter.annotation
            if name in provided:
                continue
            if name in path_names:
                self._path[name] = TypeAdapter(kind)
            elif Unread in get_args(kind):
                self._unread = name
            elif any(isinstance(part, params.Query) for part in get_args(kind)):
                model = get_args(kind)[0]
                self._query = (name, Reader(model, "query"), _lists(model))
            else:
                assert self._body is None, f"{endpoint} takes two bodies"
                self._needs_body = parameter.default is parameter.empty
                told = kind if self._needs_body else _without_none(kind)
                self._body = (name, Reader(told, "body"))

    def read(self, request: Request, body: bytes) -> dict[str, Any]:
        """The arguments that the request gives to the route.

        Raises:
            NotFound: A part of the path cannot be what it should.
            UnsupportedMediaType: The body is not declared as JSON.
            InvalidInput: Query or body do not fit; every fault of both. Not where the route
                takes an `Unread` and what is left of the body can be read.
        """
        found: dict[str, Any] = {}
        for name, kind in self._path.items():
            try:
                found[name] = kind.validate_python(request.path_params[name])
            except ValidationError:
                raise NotFound(
                    "There is nothing at this address: its id is not well-formed"
                ) from None
        faults: list[Fault] = []
        name, reader, lists = self._query
        sent = _sent_query(request.scope["query_string"], lists, faults)
        query, wrong = reader.read(sent)
        faults.extend(wrong.faults)
        if name:
            found[name] = query
        unread = self._read_body(request, body, found)
        faults.extend(unread.faults)
        is_partial = self._unread and query is not None and None not in found.values()
        if faults and not is_partial:
            raise InvalidInput(sentence(faults), tuple(faults))
        if self._unread:
            found[self._unread] = unread
        return found

    def _read_body(self, request: Request, body: bytes, found: dict[str, Any]) -> Unread:
        value = _parsed(request, body)
        if self._body is None:
            if value not in (None, {}):
                raise InvalidInput("This request takes no body.")
            return ALL_READ
        name, reader = self._body
        if not body:
            found[name] = None
            return Unread((_REQUIRED,)) if self._needs_body else ALL_READ
        found[name], unread = (reader.read_apart if self._unread else reader.read)(value)
        return unread


def _without_none(kind: Any) -> Any:  # noqa: ANN401 - a type, or a union with None
    """The type of an optional body that was sent."""
    (told,) = [part for part in get_args(kind) if part is not NoneType]
    return told


def _parsed(request: Request, body: bytes) -> object:
    if not body:
        return None
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = declared == "application/json" or (
        declared.startswith("application/") and declared.endswith("+json")
    )
    if not is_json:
        raise UnsupportedMediaType
    return parse_json(body)


def _sent_query(
    text: bytes, lists: frozenset[str], faults: list[Fault]
) -> Mapping[str, object]:
    """The query; only what is a list may be repeated."""
    sent: dict[str, Any] = {}
    for name, value in parse_qsl(text.decode("latin-1"), keep_blank_values=True):
        if name in lists:
            sent.setdefault(name, []).append(value)
        elif name in sent:
            faults.append(Fault(path_text((name,)), "repeated", "must be given once"))
        else:
            sent[name] = value
    return sent


def _lists(model: type[BaseModel]) -> frozenset[str]:
    """The names of a model's fields that hold lists."""
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if any(
            get_origin(kind) is list for kind in (field.annotation, *get_args(field.annotation))
        )
    )
