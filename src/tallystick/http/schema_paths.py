"""Walking a schema along the place of a fault.

Pydantic's places hold more than the caller wrote: the tag of each union on the way. The schema
tells tags from fields, and knows which names an object has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

_Node = Mapping[str, Any]
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Located:
    """Where a fault is.

    Attributes:
        path: Names and indices as the caller wrote them.
        siblings: The names that the object around the last element has.
        is_field: Whether the last element is a field that the object around it has.
        is_required: Whether that field must be there.
        discriminator: The field that tells the union at this place apart, '' where none stands.
        tags: What that field may hold.
    """

    path: Place
    siblings: tuple[str, ...] = ()
    is_field: bool = False
    is_required: bool = False
    discriminator: str = ""
    tags: tuple[str, ...] = ()


class SchemaPaths:
    """The schema of one type, to be walked; made once per route."""

    def __init__(self, kind: Any) -> None:  # noqa: ANN401 - whatever pydantic takes for a type
        schema = TypeAdapter(kind).core_schema
        self._definitions: dict[str, _Node] = {}
        if schema["type"] == "definitions":
            self._definitions = {part["ref"]: part for part in schema["definitions"]}
            schema = schema["schema"]
        self._root: _Node = schema

    def locate(self, place: Place) -> Located:
        """Walk down from the root along a place that pydantic named."""
        node: _Node | None = self._root
        path: list[str | int] = []
        siblings: tuple[str, ...] = ()
        is_field = is_required = False
        for element in place:
            node = self._bare(node)
            kind = node["type"] if node else ""
            if node is not None and kind in {"tagged-union", "union"}:
                node = self._choice(node, element)
                continue
            if element != "[key]":
                path.append(element)
            siblings = ()
            is_field = is_required = False
            if node is not None and kind in {"model-fields", "typed-dict", "dataclass-args"}:
                fields = _fields(node)
                siblings = tuple(fields)
                node = fields.get(str(element))
                is_field = node is not None
                is_required = node is not None and node["type"] != "default"
            elif node is not None:
                node = node.get("items_schema") or node.get("values_schema")
        node = self._bare(node)
        if node is None or node["type"] != "tagged-union":
            return Located(tuple(path), siblings, is_field, is_required)
        return Located(
            tuple(path),
            siblings,
            is_field,
            is_required,
            str(node["discriminator"]),
            tuple(map(str, node["choices"])),
        )

    def _bare(self, node: _Node | None) -> _Node | None:
        """The node without what is wrapped around it: defaults, null, validators, models."""
        while node is not None:
            if node["type"] == "definition-ref":
                node = self._definitions[node["schema_ref"]]
            elif node["type"] == "json-or-python":
                node = node["python_schema"]
            elif node["type"] == "lax-or-strict":
                node = node["lax_schema"]
            elif "schema" in node and node["type"] not in {"list", "dict"}:
                node = node["schema"]
            else:
                return node
        return None

    def _choice(self, union: _Node, label: str | int) -> _Node | None:
        choices = union["choices"]
        if isinstance(choices, Mapping):
            found = choices.get(label)
            return choices.get(found) if isinstance(found, str) else found
        for choice in choices:
            node: _Node = choice[0] if isinstance(choice, tuple) else choice
            if label in _labels(node, self._bare(node)):
                return node
        return None


def _fields(node: _Node) -> dict[str, _Node]:
    """The fields of an object's node, under the names that callers write."""
    fields = node["fields"]
    pairs = (
        fields.items()
        if isinstance(fields, Mapping)
        else ((field["name"], field) for field in fields)
    )
    found: dict[str, _Node] = {}
    for name, field in pairs:
        alias = field.get("validation_alias")
        found[alias if isinstance(alias, str) else name] = field["schema"]
    return found


def _labels(outer: _Node, bare: _Node | None) -> set[str]:
    labels = {outer["type"]}
    for node in (outer, bare):
        if node is not None:
            labels.add(node["type"])
            kind = node.get("cls")
            if isinstance(kind, type):
                labels.add(kind.__name__)
    return labels
