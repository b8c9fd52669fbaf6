"""Requests that work, for the API's document: as data, one file for each operation.

A file is named after its operation (`customers.post_customer.json`). It holds examples of the
body as OpenAPI writes them, each with a summary and a value, and values of parameters. Where an
id belongs, files name what it is of: `{plv:Starter}` is shown as an id that looks like a plan
version's, the same wherever the document names that thing.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from tallystick.domain.ids import Prefix, encode

_FOLDER = Path(__file__).parent / "api_docs" / "examples"
_NAMED = re.compile(r"\{([a-z_]+:[^{}]+)\}")
_UUID_7 = 0x7000_8000_0000_0000_0000
_UUID_7_FREE = 0x0FFF_3FFF_FFFF_FFFF_FFFF
"""Version and variant stand between the bits that are free."""


@cache
def of_operations() -> Mapping[str, Mapping[str, Any]]:
    """What the files hold, by operation."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in _files()}


@cache
def example_id(name: str) -> str:
    """The id that the document shows for a thing, `plv:Starter` for one.

    Ids of lines are bare: `line:Fee` has no prefix.
    """
    kind, _, _ = name.partition(":")
    drawn = int.from_bytes(hashlib.sha256(name.encode()).digest()[:10])
    # The first 48 bits are the moment in which the thing was made; all were made in one.
    shown = UUID(int=0x0198_C4A5_7B3E << 80 | _UUID_7 | drawn & _UUID_7_FREE)
    return str(shown) if kind == "line" else encode(Prefix(kind), shown)


def names_in(value: object) -> Iterator[str]:
    """The things that a file's value names."""
    yield from _NAMED.findall(json.dumps(value, ensure_ascii=False))


def shown(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A file's value as the document shows it."""
    return with_ids(value, example_id)


def with_ids(value: Any, id_of: Callable[[str], str]) -> Any:  # noqa: ANN401 - any JSON
    """A file's value with the ids of the things that it names."""
    match value:
        case str():
            return _NAMED.sub(lambda found: id_of(found[1]), value)
        case Mapping():
            return {name: with_ids(part, id_of) for name, part in value.items()}
        case list():
            return [with_ids(part, id_of) for part in value]
        case _:
            return value


def show_examples(found: Mapping[str, Any]) -> None:
    """Give every operation of a document that has examples its examples."""
    for operations in found["paths"].values():
        for operation in operations.values():
            given = shown(of_operations().get(operation["operationId"], {}))
            for one in operation.get("parameters", ()):
                _show_parameter(one, given.get("parameters", {}))
            if "examples" in given:
                body = operation["requestBody"]["content"]["application/json"]
                body["examples"] = given["examples"]


def _show_parameter(parameter: dict[str, Any], given: Mapping[str, str]) -> None:
    name = parameter["name"]
    if name in given:
        parameter["example"] = given[name]
    elif parameter["in"] == "path":
        by_itself = parameter["schema"].get("examples", ["globex"])
        parameter["example"] = by_itself[0]


def _files() -> list[Path]:
    return sorted(_FOLDER.glob("*.json"))
