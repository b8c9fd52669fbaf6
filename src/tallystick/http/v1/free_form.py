"""Free-form JSON objects, and fields of the reference that do nothing here yet."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic.json_schema import JsonSchemaValue
from typing_extensions import override

from tallystick.http.v1.scalar import Scalar, problem
from tallystick.http.v1.scalars import Text

DEPTH_MAX = 20

_ANY_TEXT = Text(1024 * 1024, blank=True)


@dataclass(frozen=True)
class JsonObject(Scalar):
    """Any JSON object that can be stored and given back, up to a size in bytes."""

    bytes_max: int

    @override
    def parse(self, value: Any) -> dict[str, object]:
        if not isinstance(value, Mapping):
            raise problem("wrong_type", "must be an object")
        plain = {_name(name): _plain(part, DEPTH_MAX) for name, part in value.items()}
        text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
        if len(text.encode()) > self.bytes_max:
            raise problem("too_long", f"must have at most {self.bytes_max} bytes as JSON")
        return plain

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": "object", "additionalProperties": True}


@dataclass(frozen=True)
class JsonAnything(Scalar):
    """Any JSON value that can be stored and given back, up to a size in bytes."""

    bytes_max: int

    @override
    def parse(self, value: Any) -> object:
        plain = _plain(value, DEPTH_MAX)
        text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
        if len(text.encode()) > self.bytes_max:
            raise problem("too_long", f"must have at most {self.bytes_max} bytes as JSON")
        return plain

    @override
    def schema(self) -> JsonSchemaValue:
        return {}


Metadata = Annotated[dict[str, object], JsonObject(16 * 1024)]
"""Any JSON object up to 16 KiB."""


class _NotYet(Scalar):
    @override
    def parse(self, value: Any) -> None:
        if value not in (None, {}, [], ""):
            raise problem("not_supported_yet", "is not supported yet; leave it out")

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": "null", "description": "Not supported yet: leave it out."}


NOT_YET = _NotYet()
NotYet = Annotated[None, NOT_YET]
"""A field refused by name unless it is null or empty; a test holds the list of them."""


def _plain(value: object, depth: int) -> object:
    """The value with ordinary numbers, once every text and number in it can be stored."""
    match value:
        case str():
            return _ANY_TEXT.parse(value)
        case bool() | None:
            return value
        case int():
            return value
        case Decimal() | float():
            number = float(value)
            if not math.isfinite(number):
                raise problem("out_of_range", "holds a number that is too large")
            return number
        case _ if depth == 0:
            raise problem("too_deep", f"must not be nested more than {DEPTH_MAX} deep")
        case Mapping():
            return {_name(name): _plain(part, depth - 1) for name, part in value.items()}
        case list():
            return [_plain(part, depth - 1) for part in value]
        case _:
            raise problem("wrong_type", "holds what JSON does not know")


def _name(name: object) -> str:
    return _ANY_TEXT.parse(name)
