"""The API's reference as a page: made from the OpenAPI document, without scripts."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader
from markupsafe import Markup

from tallystick.http.curl_line import curl_line
from tallystick.http.pages.drawing import environment
from tallystick.http.refusals import ANSWER_HEADERS
from tallystick.http.schema_text import limits_text, references, type_text

_FOLDER = Path(__file__).parent / "api_docs"
STYLE = _FOLDER / "style.css"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}
_METHODS = ("get", "post", "put", "patch", "delete")

_pages = environment(FileSystemLoader(_FOLDER))
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
    server = document["servers"][0]["url"]
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                shown = _operation(method, path, operation, schemas)
                shown["examples"] = [*_examples(server + path, method, operation)]
                groups.setdefault(operation["tags"][0], []).append(shown)
    return _pages.get_template("page.html").render(
        info=document["info"],
        groups=groups,
        refusals=_refusals(document),
        objects={
            name: {
                "about": schema.get("description", ""),
                "values": schema.get("enum", ()),
                "fields": [*_fields(schema)],
            }
            for name, schema in sorted(schemas.items())
        },
    )


def _operation(
    method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]
) -> dict[str, Any]:
    body = _json_of(operation.get("requestBody", {}))
    statuses = {
        status: [*_objects(_json_of(answer), schemas)]
        for status, answer in operation["responses"].items()
        if status.startswith("2")
    }
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
                "limits": limits_text(parameter["schema"]),
                "required": parameter.get("required", False),
                "about": parameter.get("description", ""),
                "objects": [],
            }
            for parameter in operation.get("parameters", [])
        ],
        "body": [*_objects(body, schemas)],
        "answers": statuses,
        "refusals": [one for one in operation["responses"] if one not in statuses],
    }


def _json_of(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is said of a JSON body, in a request or in an answer; empty if there is none."""
    found: Mapping[str, Any] = content.get("content", {}).get("application/json", {})
    return found


def _objects(body: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    """The objects that a body may be."""
    schema = body.get("schema", {})
    for one in schema.get("anyOf", schema.get("oneOf", [schema])):
        for name in [*references(one)][:1]:
            if name in schemas:
                yield name


def _examples(
    address: str, method: str, operation: Mapping[str, Any]
) -> Iterator[Mapping[str, str]]:
    """An operation's requests as command lines, each with what it is."""
    asked = {}
    for one in operation.get("parameters", ()):
        if one["in"] == "path":
            address = address.replace(f"{{{one['name']}}}", str(one["example"]))
        elif "example" in one:
            asked[one["name"]] = one["example"]
    body = operation.get("requestBody", {})
    files = [one for one in body.get("content", ()) if one != "application/json"]
    given = _json_of(body).get("examples", {})
    for one in given.values():
        line = curl_line(method, address, asked, one["value"])
        yield {"summary": one["summary"], "line": line}
    if not given:
        line = curl_line(method, address, asked, file_type="".join(files[:1]))
        yield {"summary": "Example", "line": line}


def _refusals(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What every status of a refusal means, with its headers that this does not tell."""
    known = document["components"]["responses"]
    named = {
        status: answer["$ref"].rpartition("/")[2]
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, answer in operation["responses"].items()
        if "$ref" in answer
    }
    return [
        {
            "status": status,
            "when": known[name]["description"],
            "headers": [
                one
                for one in known[name]["headers"]
                if one not in ANSWER_HEADERS and one not in known[name]["description"]
            ],
            "example": _json_of(known[name]).get("example"),
        }
        for status, name in sorted(named.items())
    ]


def _fields(schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield {
            "name": name,
            "where": "",
            "type": type_text(field),
            "limits": limits_text(field),
            "required": name in required,
            "about": field.get("description", ""),
            "objects": sorted(set(references(field))),
        }
