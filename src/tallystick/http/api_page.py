"""The API's reference as a page: made from the OpenAPI document, without scripts."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_FOLDER = Path(__file__).parent / "api_docs"
STYLE = _FOLDER / "style.css"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}
_METHODS = ("get", "post", "put", "patch", "delete")
_REFERENCE = "#/components/schemas/"

_pages = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_CODE = re.compile(r"(`[^`]+`)")


def prose(text: str) -> Markup:
    """Text of the document, what stands in backquotes set as code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part[1:-1]) if part[0] == "`" else part
        for part in _CODE.split(text)
        if part
    )


_pages.filters["prose"] = prose


def render(document: Mapping[str, Any]) -> str:
    """The page that shows an OpenAPI document."""
    schemas = document["components"]["schemas"]
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                shown = _operation(method, path, operations[method], schemas)
                groups.setdefault(operations[method]["tags"][0], []).append(shown)
    return _pages.get_template("page.html").render(
        info=document["info"],
        groups=groups,
        objects={
            name: {"about": schema.get("description", ""), "fields": [*_fields(schema)]}
            for name, schema in sorted(schemas.items())
        },
    )


def _operation(
    method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]
) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    status, answer = next(
        (status, response)
        for status, response in operation["responses"].items()
        if status.startswith("2")
    )
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "about": operation["description"],
        "parameters": [
            {
                "name": parameter["name"],
                "where": parameter["in"],
                "type": type_text(parameter["schema"]),
                "about": parameter.get("description", ""),
            }
            for parameter in operation.get("parameters", [])
        ],
        "body": _object_name(body.get("schema", {}), schemas),
        "status": status,
        "answer": _object_name(
            answer.get("content", {}).get("application/json", {}).get("schema", {}), schemas
        ),
    }


def _object_name(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    name: str = schema.get("$ref", "").removeprefix(_REFERENCE)
    return name if name in schemas else ""


def _fields(schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield {
            "name": name,
            "type": type_text(field),
            "required": name in required,
            "about": field.get("description", ""),
            "objects": sorted(set(_references(field))),
        }


def type_text(schema: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REFERENCE)
    for alternatives in ("anyOf", "oneOf"):
        if alternatives in schema:
            return " or ".join(type_text(one) for one in schema[alternatives])
    if "const" in schema:
        return f'"{schema["const"]}"'
    few = 12
    if len(schema.get("enum", ())) in range(1, few):
        return ", ".join(f'"{value}"' for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {type_text(schema.get('items', {}))}"
    kind = schema.get("format") or schema.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _references(schema: object) -> Iterator[str]:
    match schema:
        case {"$ref": str(reference)}:
            yield reference.removeprefix(_REFERENCE)
        case Mapping():
            for part in schema.values():
                yield from _references(part)
        case list():
            for part in schema:
                yield from _references(part)
        case _:
            return
