"""The API's document and its page say what the doors do."""

import json
import re
import shlex
from html import unescape

import httpx
import pytest
from jsonschema_rs import Draft202012Validator

from tallystick.http import meanings
from tallystick.http.api_page import prose
from tallystick.http.curl_line import curl_line
from tallystick.http.schema_text import limits_text
from tests.http.conftest import Shop

OUTSIDE = "http://testserver"


@pytest.fixture
async def stranger(shop: Shop) -> httpx.AsyncClient:
    """A client without a key."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(shop.web), base_url=OUTSIDE)


async def test_health(stranger: httpx.AsyncClient) -> None:
    """The program is well while its database answers."""
    answer = await stranger.get("/health")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_every_operation_can_be_refused(stranger: httpx.AsyncClient) -> None:
    """Each operation names the error shape for each status that the doors use, and no 422."""
    document = (await stranger.get("/api-docs/openapi.json")).json()
    operations = {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }

    assert document["openapi"] == "3.1.0"
    assert ("post", "/api/v1/checkout-sessions") in operations
    for (method, path), operation in operations.items():
        responses = operation["responses"]
        assert "422" not in responses
        assert {"400", "401", "403", "429", "500", "503"} <= responses.keys(), path
        assert responses["400"] == {"$ref": "#/components/responses/BadRequest"}
        if method == "post":
            assert "Idempotency-Key" in {one["name"] for one in operation["parameters"]}
    names = [operation["operationId"] for operation in operations.values()]
    assert len(names) == len(set(names))


async def test_what_may_be_missing_is_told(shop: Shop) -> None:
    """Whoever asks about one thing, in the address or after it, is told that there is none."""
    window = {"start_date": "2026-03-01", "end_date": "2026-04-01"}
    answer = await shop.client.get("/usage/summary", params={**window, "metric_id": "bm_1"})
    document = (await shop.client.get("http://testserver/api-docs/openapi.json")).json()

    assert answer.status_code == 404
    assert "404" in document["paths"]["/api/v1/usage/summary"]["get"]["responses"]
    assert "404" not in document["paths"]["/api/v1/test-clock"]["get"]["responses"]


async def test_requests_are_closed(stranger: httpx.AsyncClient) -> None:
    """The document says that unknown fields are refused."""
    schemas = (await stranger.get("/api-docs/openapi.json")).json()["components"]["schemas"]

    assert schemas["CustomerCreateRequest"]["additionalProperties"] is False
    assert schemas["CreateCheckoutSession"]["additionalProperties"] is False


async def test_every_field_is_described(stranger: httpx.AsyncClient) -> None:
    """The document says of every field and parameter what it means."""
    document = (await stranger.get("/api-docs/openapi.json")).json()
    parameters = {
        (path, one["name"]): one
        for path, operations in document["paths"].items()
        for operation in operations.values()
        for one in operation.get("parameters", ())
    }

    fields = {(schema, name): field for schema, name, field in meanings.fields_of(document)}
    assert [name for name, field in fields.items() if not field.get("description")] == []
    assert [name for name, one in parameters.items() if not one.get("description")] == []


async def test_no_text_is_left_over(stranger: httpx.AsyncClient) -> None:
    """Every text is of a field or a parameter that exists, and is shown there."""
    document = (await stranger.get("/api-docs/openapi.json")).json()
    shown = {
        (schema, name): field["description"]
        for schema, name, field in meanings.fields_of(document)
    }
    parameters = {
        one["name"]
        for operations in document["paths"].values()
        for operation in operations.values()
        for one in operation.get("parameters", ())
    }
    own = {
        (schema, name): text
        for schema, texts in meanings.of_schemas().items()
        for name, text in texts.items()
    }

    assert own.items() <= shown.items()
    assert {(name, text) for name, text in meanings.of_any().items()} <= {
        (name, text) for (_, name), text in shown.items()
    }
    assert meanings.of_parameters().keys() <= parameters


async def test_every_default_could_be_sent(stranger: httpx.AsyncClient) -> None:
    """A default is shown as a caller would send it; what may be left out for good has none."""
    document = (await stranger.get("/api-docs/openapi.json")).json()
    described = [
        *((schema, name, field) for schema, name, field in meanings.fields_of(document)),
        *(
            (path, one["name"], one["schema"])
            for path, operations in document["paths"].items()
            for operation in operations.values()
            for one in operation.get("parameters", ())
        ),
    ]
    components = {"components": document["components"]}
    unfit = [
        (where, name, field["default"])
        for where, name, field in described
        if "default" in field
        and not Draft202012Validator({**field, **components}).is_valid(field["default"])
    ]

    assert unfit == []
    orders = {name: field for where, name, field in described if where == "/api/v1/customers"}
    assert orders["order_by"]["default"] == "created_at.desc"


async def test_the_page(stranger: httpx.AsyncClient) -> None:
    """The page lists every operation, and loads nothing but its own style sheet."""
    page = await stranger.get("/api-docs")
    style = await stranger.get("/api-docs/style.css")

    assert page.headers["content-type"].startswith("text/html")
    assert "/api/v1/checkout-sessions" in page.text
    assert "<script" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert style.headers["content-type"].startswith("text/css")


async def test_the_page_shows_requests(stranger: httpx.AsyncClient) -> None:
    """Each operation has a command that can be copied; what must be asked for is in it."""
    page = (await stranger.get("/api-docs")).text
    document = (await stranger.get("/api-docs/openapi.json")).json()
    server = document["servers"][0]["url"]
    shown = re.findall(r"<pre[^>]*>(curl .*?)</pre>", page, re.DOTALL)
    lines = [unescape(line) for line in shown]

    assert len(lines) >= sum(len(one) for one in document["paths"].values())
    assert (
        f"curl {server}/api/v1/product_families \\\n"
        '  --header "Authorization: Bearer $API_KEY" \\\n'
        "  --header 'Content-Type: application/json' \\\n"
        '  --data \'{\n  "name": "Cloud services"\n}\''
    ) in lines
    window = "start_date=2026-03-01&end_date=2026-04-01"
    assert (
        f"curl '{server}/api/v1/usage/summary?{window}' \\\n"
        '  --header "Authorization: Bearer $API_KEY"'
    ) in lines


def test_a_quote_in_a_command() -> None:
    """A quote in a body does not end the shell's, and a method is named where it must be."""
    line = curl_line("patch", "http://x/y", {}, {"name": "O'Brien"})

    file = curl_line("post", "http://x/y", {"type": "A"}, file_type="text/csv")

    assert file.startswith("curl 'http://x/y?type=A' ")
    assert file.endswith("--header 'Content-Type: text/csv' \\\n  --data-binary \"@$FILE\"")
    assert line.startswith("curl --request PATCH http://x/y \\")
    assert json.loads(shlex.split(line.replace("\\\n", " "))[-1]) == {"name": "O'Brien"}


def test_limits_in_words() -> None:
    """How much a value may be, and what it is when it is left out."""
    assert limits_text({"minimum": 1, "maximum": 100, "default": 25}) == "1 to 100, default 25"
    assert limits_text({"minimum": -1e6, "maximum": 0.5}) == "-1,000,000 to 0.5"
    assert limits_text({"minimum": 0, "default": False}) == "0 or more, default false"
    assert limits_text({"anyOf": [{"maxItems": 20}, {"type": "null"}]}) == "at most 20 entries"
    assert limits_text({"maxLength": 10_000, "default": None}) == "at most 10,000 characters"


async def test_every_link_of_the_page_leads_somewhere(stranger: httpx.AsyncClient) -> None:
    """Each object, operation and error that the page links to stands on it."""
    page = (await stranger.get("/api-docs")).text
    ids = re.findall(r' id="([^"]+)"', page)

    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert len(ids) == len(set(ids))


async def test_code_is_set_as_code(stranger: httpx.AsyncClient) -> None:
    """What the document marks as code is set as code, and nothing else of it is markup."""
    page = await stranger.get("/api-docs")

    assert "`" not in page.text
    assert "<code>preferred_locales</code>" in page.text
    assert prose("a <b> `<i>`") == "a &lt;b&gt; <code>&lt;i&gt;</code>"
