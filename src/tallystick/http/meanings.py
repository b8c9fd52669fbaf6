"""What the fields and parameters of the API mean, for its document.

Most fields mean the same wherever they stand (`customer_id`, `net_terms`), and are described
once; a schema describes what is its own, here or at the field. The texts lie beside the page
that shows them, so that whoever writes for readers finds them in one place.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "api_docs" / "meanings"


@cache
def of_any() -> Mapping[str, str]:
    """Texts by name of field, for every schema that has no other."""
    return _read("any.toml")


@cache
def of_schemas() -> Mapping[str, Mapping[str, str]]:
    """Texts by schema and name of field."""
    return _read("schemas.toml")


@cache
def of_parameters() -> Mapping[str, str]:
    """Texts by name of a parameter of a path or a query."""
    return _read("parameters.toml")


def describe(found: Mapping[str, Any]) -> None:
    """Give every field and parameter of a document that has no text its text."""
    for schema, name, field in fields_of(found):
        own = of_schemas().get(schema, {}).get(name)
        text = own or field.get("description") or of_any().get(name)
        if text is not None:
            field["description"] = text
    for operations in found["paths"].values():
        for operation in operations.values():
            for one in operation.get("parameters", ()):
                text = one.get("description") or of_parameters().get(one["name"])
                if text is not None:
                    one["description"] = text


def fields_of(found: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every field of every schema of a document: schema, name and what is said of it."""
    for schema, said in found["components"]["schemas"].items():
        for name, field in said.get("properties", {}).items():
            yield schema, name, field


def _read(name: str) -> Mapping[str, Any]:
    return tomllib.loads((_FOLDER / name).read_text(encoding="utf-8"))
