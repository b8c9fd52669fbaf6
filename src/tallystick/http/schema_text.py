"""A JSON schema in words, for people who read the API's reference."""

from collections.abc import Iterator, Mapping
from typing import Any

_REFERENCE = "#/components/schemas/"
_CODES_MAX = 12
"""A longer list of codes is not spelled out."""


def type_text(schema: Mapping[str, Any]) -> str:
    """A schema's type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REFERENCE)
    for alternatives in ("anyOf", "oneOf"):
        if alternatives in schema:
            return " or ".join(type_text(one) for one in schema[alternatives])
    if "const" in schema:
        return f'"{schema["const"]}"'
    if len(schema.get("enum", ())) in range(1, _CODES_MAX):
        return ", ".join(f'"{value}"' for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {type_text(schema.get('items', {}))}"
    kind = schema.get("format") or schema.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def limits_text(schema: Mapping[str, Any]) -> str:
    """How much a value may be, and what it is when it is left out; empty for no limits."""
    told = [*_limits(schema)]
    if schema.get("default") is not None:
        told.append(f"default {_as_sent(schema['default'])}")
    return ", ".join(told)


def _limits(schema: Mapping[str, Any]) -> Iterator[str]:
    for one in schema.get("anyOf", [schema]):
        yield from _between(one.get("minimum"), one.get("maximum"))
        if "maxLength" in one:
            yield f"at most {one['maxLength']:,} characters"
        if "maxItems" in one:
            yield f"at most {one['maxItems']:,} entries"


def _between(lowest: float | None, highest: float | None) -> Iterator[str]:
    if lowest is not None and highest is not None:
        yield f"{_number(lowest)} to {_number(highest)}"
    elif lowest is not None:
        yield f"{_number(lowest)} or more"
    elif highest is not None:
        yield f"at most {_number(highest)}"


def _number(limit: float) -> str:
    """A limit without the fraction that the framework gives to some whole ones."""
    return f"{int(limit):,}" if limit == int(limit) else f"{limit:,}"


def _as_sent(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def references(schema: object) -> Iterator[str]:
    """The objects that a schema names, by their names."""
    match schema:
        case {"$ref": str(reference)}:
            yield reference.removeprefix(_REFERENCE)
        case Mapping():
            for part in schema.values():
                yield from references(part)
        case list():
            for part in schema:
                yield from references(part)
        case _:
            return
