"""Parameters as Stripe reads them: nested names in a form, and nothing that it does not know.

What each call takes is read from the types of the official SDK, which are generated from
Stripe's own OpenAPI document: names, nesting, whole numbers, enumerations, what is required.
"""

import re
import sys
from functools import cache
from itertools import pairwise
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)
from urllib.parse import parse_qsl

from stripe import RequestOptions

from tests.stripe.refusals import Json, invalid

Leaf = str
Tree = dict[str, Any]

_PART = re.compile(r"\[([^\[\]]*)\]")
_NOT_SENT = frozenset(RequestOptions.__annotations__)


def tree_of(form: str) -> Tree:
    """`card[number]=4242&types[]=card&types[1]=link` as nested dicts; lists become dicts."""
    tree: Tree = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        first, *_ = name.split("[")
        path = [first, *_PART.findall(name)]
        here = tree
        for part, following in pairwise(path):
            place = here.setdefault(part or str(len(here)), {})
            if not isinstance(place, dict):
                raise invalid(f"Invalid {following}", param=name, kept=False)
            here = place
        here[path[-1] or str(len(here))] = value
    return tree


def validated(params: type, tree: Tree) -> Json:
    """The parameters of a call, converted; refused as Stripe does.

    Raises:
        Refused: One is unknown, missing, or not of its type.
    """
    assert is_typeddict(params), "parameters are a TypedDict of the SDK"
    return _object(params, tree, "")


def is_typeddict(hint: object) -> bool:
    """Whether it is one of the SDK's, which are made by another library than Python's own."""
    return isinstance(hint, type) and hasattr(hint, "__total__")


def _named(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


@cache
def _raw(params: type) -> dict[str, Any]:
    """Each parameter, and its type as it is written; a keyword of Python ends with `_`."""
    return {
        name.rstrip("_"): hint
        for name, hint in params.__annotations__.items()
        if name not in _NOT_SENT
    }


@cache
def _hint(params: type, name: str) -> Any:  # noqa: ANN401
    """The type of one parameter. Only what is sent is read: a call knows hundreds of types."""
    written = {"it": _raw(params)[name]}
    holder = type("Holder", (), {"__annotations__": written, "__module__": params.__module__})
    hint = get_type_hints(holder, vars(sys.modules[params.__module__]), include_extras=True)[
        "it"
    ]
    return get_args(hint)[0] if get_origin(hint) is NotRequired else hint


def _object(params: type, tree: Tree, path: str) -> Json:
    known = _raw(params)
    for name in tree:
        if name not in known:
            param = _named(path, name)
            message = f"Received unknown parameter: {param}"
            raise invalid(message, code="parameter_unknown", param=param, kept=False)
    for name, written in known.items():
        if get_origin(written) is not NotRequired and name not in tree:
            param = _named(path, name)
            message = f"Missing required param: {param}."
            raise invalid(message, code="parameter_missing", param=param, kept=False)
    return {
        name: _value(_hint(params, name), value, _named(path, name))
        for name, value in tree.items()
    }


def _value(hint: Any, value: Any, path: str) -> Any:  # noqa: ANN401
    origin = get_origin(hint)
    options = get_args(hint) if origin in {Union, UnionType} else (hint,)
    if value == "" and any("" in get_args(option) for option in options):
        return None
    if bool in options and value in {"true", "false"}:
        return value == "true"
    named = [word for option in options for word in _words(option)]
    if named and isinstance(value, str):
        if value not in named:
            shown = ", ".join(named[:-1]) + f", or {named[-1]}" if named[1:] else named[0]
            raise invalid(f"Invalid {path}: must be one of {shown}", param=path, kept=False)
        return value
    for option in options:
        if is_typeddict(option) and isinstance(value, dict):
            return _object(option, value, path)
        if get_origin(option) is list and isinstance(value, dict):
            (item,) = get_args(option)
            return [_value(item, one, f"{path}[{at}]") for at, one in value.items()]
        if get_origin(option) is dict and isinstance(value, dict):
            return {str(name): str(one) for name, one in value.items()}
        if isinstance(option, type) and isinstance(value, str):
            converted = _converted(option, value, path)
            if converted is not None:
                return converted
    raise invalid(f"Invalid {path}", param=path, kept=False)


def _words(option: object) -> list[str]:
    """What an enumeration allows but emptiness."""
    return [word for word in get_args(option) if word] if get_origin(option) is Literal else []


def _converted(option: type, value: str, path: str) -> object:
    if option is bool:
        if value not in {"true", "false"}:
            raise invalid(f"Invalid boolean: {value}", param=path, kept=False)
        return value == "true"
    if option is int:
        if not re.fullmatch(r"-?\d{1,18}", value):
            message = f"Invalid integer: {value}"
            raise invalid(message, code="parameter_invalid_integer", param=path, kept=False)
        return int(value)
    if option is NoneType or issubclass(option, dict):
        return None
    return value
