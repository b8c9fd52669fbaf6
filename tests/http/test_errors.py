"""Every refusal has one shape, whichever door refused."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from tallystick.http.edge import Edge
from tests.http.conftest import Shop, client_of

JSON = {"Content-Type": "application/json"}


def shape_of(answer: httpx.Response) -> dict[str, str]:
    """Check the shape of a refusal; return its faults as field -> message."""
    body = answer.json()
    assert set(body) == {"code", "message", "errors", "request_id"}
    assert body["request_id"] == answer.headers["request-id"]
    assert body["message"]
    return {fault["field"]: fault["message"] for fault in body["errors"]}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "NOT_FOUND"),
        ("GET", "/customers/nobody", 404, "NOT_FOUND"),
        ("GET", "/invoicing-entities/nonsense", 404, "NOT_FOUND"),
        ("GET", "/invoicing-entities/cus_1", 404, "NOT_FOUND"),
        ("DELETE", "/customers", 405, "BAD_REQUEST"),
        ("POST", "/customers", 400, "BAD_REQUEST"),
        ("GET", "/customers?page=-1", 400, "BAD_REQUEST"),
    ],
)
async def test_one_shape(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    """A refusal has its status, its code, a sentence and the request's id."""
    answer = await client.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    shape_of(answer)


async def test_allow_names_every_method(client: httpx.AsyncClient) -> None:
    """A method that is not there is answered with all those that are."""
    answer = await client.post("/customers/somebody")

    assert answer.headers["allow"] == "DELETE, GET, HEAD, PATCH, PUT"


async def test_what_is_not_found_is_named(client: httpx.AsyncClient) -> None:
    """A sentence about something unknown names it as the caller did, and ends with a stop."""
    told = [
        (await client.get(path)).json()["message"]
        for path in ("/customers/nobody", "/plans/plan_1", f"/products/{UUID(int=1)}")
    ]
    coupon = await client.post(
        "/checkout-sessions", json={"customer_id": "no one", "plan_version_id": "plv_1"}
    )

    assert told == [
        "There is no such customer: nobody.",
        "There is no such plan or version of it: plan_1.",
        f"There is no such product: {UUID(int=1)}.",
    ]
    assert [fault["message"] for fault in coupon.json()["errors"]] == [
        "must be a customer's id or alias, and `no one` is neither",
        "must be a plan version, and `plv_1` is none",
    ]
    assert coupon.json()["message"].endswith("(and 1 more).")


async def test_null_where_something_is_needed(client: httpx.AsyncClient) -> None:
    """Null for a required field is told like nothing; elsewhere it is told as null."""
    omitted = await client.post("/checkout-sessions", json={"plan_version_id": "plv_1"})
    null = await client.post(
        "/checkout-sessions", json={"plan_version_id": "plv_1", "customer_id": None}
    )
    entity = (await client.get("/invoicing-entities")).json()["data"][0]["id"]
    kept = await client.patch(f"/invoicing-entities/{entity}", json={"legal_name": None})

    assert shape_of(omitted) == shape_of(null) == {"customer_id": "is required"}
    assert shape_of(kept) == {"legal_name": "must not be null"}


@pytest.mark.parametrize(("path", "method"), [("/plans", "POST"), ("/plans/plan_1", "PUT")])
async def test_choices_are_named_as_they_are_sent(
    client: httpx.AsyncClient, path: str, method: str
) -> None:
    """Also where only some of an enumeration can be chosen."""
    answer = await client.request(method, path, json={"status": "ARCHIVED"})

    assert shape_of(answer)["status"] == "must be 'DRAFT' or 'ACTIVE'"


@pytest.mark.parametrize("value", ["1", "1.5", '"x"', "[]", "true"])
async def test_a_union_that_is_no_object(client: httpx.AsyncClient, value: str) -> None:
    """Where one of several objects is wanted, whatever is none is told to be none."""
    body = (
        f'{{"customer_id": "a", "plan_version_id": "plv_1", "payment_methods_config": {value}}}'
    )
    answer = await client.post("/checkout-sessions", content=body, headers=JSON)

    assert shape_of(answer)["payment_methods_config"] == "must be an object"


@pytest.mark.parametrize(
    "body",
    ['{"name": "A", "currency": "EUR", "name": "B"}', '{"billing_address": {"a": 1, "a": 1}}'],
)
async def test_a_name_that_stands_twice(client: httpx.AsyncClient, body: str) -> None:
    """A field that is given twice in one object is refused: readers would disagree."""
    answer = await client.post("/customers", content=body, headers=JSON)

    assert answer.status_code == 400
    assert "twice" in shape_of(answer)["body"]


async def test_all_faults_together(client: httpx.AsyncClient) -> None:
    """Every fault of a body is told at once, each with its path as the caller wrote it."""
    answer = await client.post(
        "/customers",
        json={
            "currency": "EURO",
            "nmae": "Globex",
            "billing_address": {"country": "France", "zip": "75001"},
            "custom_taxes": [{"name": "VAT", "rate": "20", "tax_code": ""}, 7],
        },
    )

    faults = shape_of(answer)
    assert answer.status_code == 400
    assert set(faults) == {
        "currency",
        "nmae",
        "billing_address.country",
        "billing_address.zip",
        "name",
        "custom_taxes[0].rate",
        "custom_taxes[1]",
    }
    assert faults["nmae"] == "is not a known field; did you mean `name`?"
    assert faults["billing_address.zip"] == "is not a known field; did you mean `zip_code`?"
    assert faults["custom_taxes[0].rate"] == "must be below 1"


async def test_tags_of_unions_are_not_in_paths(client: httpx.AsyncClient) -> None:
    """A path holds what the caller wrote and no tag; names are known inside unions, too."""
    answer = await client.post(
        "/checkout-sessions",
        json={
            "customer_id": "globex",
            "plan_version_id": "plv_1",
            "coupon_cod": "SAVE",
            "components": {
                "extra_components": [
                    {
                        "name": "Calls",
                        "product_ref": {"type": "EXISTING", "id": "prd_1"},
                        "price_entry": {
                            "type": "NEW",
                            "cadence": "MONTHLY",
                            "currency": "euro",
                            "pricing": {
                                "type": "USAGE",
                                "model": {"type": "PER_UNIT", "rate": "-1", "rat": 1},
                            },
                        },
                    }
                ]
            },
            "payment_methods_config": {"type": "cash"},
        },
    )

    faults = shape_of(answer)
    price = "components.extra_components[0].price_entry"
    assert answer.status_code == 400
    assert set(faults) == {
        "customer_id",
        "plan_version_id",
        "coupon_cod",
        f"{price}.currency",
        f"{price}.pricing.model.rate",
        f"{price}.pricing.model.rat",
        "payment_methods_config.type",
    }
    assert faults["coupon_cod"] == "is not a known field; did you mean `coupon_code`?"
    assert "`rate`" in faults[f"{price}.pricing.model.rat"]
    assert "`bank_transfer`" in faults["payment_methods_config.type"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"currency": ', "not valid JSON"),
        (b'{"currency": NaN}', "NaN is not a number"),
        (b"\xff\xfe", "not valid UTF-8 at byte 0"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"currency": ' + b"9" * 5000 + b"}", "a number that is too long"),
    ],
)
async def test_bodies_that_are_not_json(
    client: httpx.AsyncClient, body: bytes, sentence: str
) -> None:
    """A body that cannot be read is told why."""
    answer = await client.post("/customers", content=body, headers=JSON)

    shape_of(answer)
    assert answer.status_code == 400
    assert sentence in answer.json()["message"]


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null"])
async def test_bodies_that_are_no_objects(client: httpx.AsyncClient, body: bytes) -> None:
    """JSON that is not an object is refused as the body, not as a field."""
    answer = await client.post("/customers", content=body, headers=JSON)

    assert answer.status_code == 400
    assert set(shape_of(answer)) == {"body"}


@pytest.mark.parametrize("declared", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_bodies_of_another_type(client: httpx.AsyncClient, declared: str | None) -> None:
    """A body must be declared as JSON."""
    headers = {} if declared is None else {"Content-Type": declared}
    answer = await client.post("/customers", content=b"{}", headers=headers)

    shape_of(answer)
    assert answer.status_code == 415


@pytest.mark.parametrize("declared", ["application/json; charset=utf-8", "application/x+json"])
async def test_ways_to_say_json(client: httpx.AsyncClient, declared: str) -> None:
    """JSON may be declared with its character set, or as a kind of JSON."""
    body = b'{"name": "Globex", "currency": "EUR"}'
    answer = await client.post("/customers", content=body, headers={"Content-Type": declared})

    assert answer.status_code == 201


async def test_bodies_over_the_limit(client: httpx.AsyncClient) -> None:
    """A body over a mebibyte is refused, whether its length was declared or not."""

    async def without_length() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    declared = await client.post("/customers", content=b" " * 2**20 + b" ", headers=JSON)
    counted = await client.post("/customers", content=without_length(), headers=JSON)

    for answer in (declared, counted):
        shape_of(answer)
        assert answer.status_code == 413


@pytest.mark.parametrize("name", [b"\\ud800", b"\\u0000", b"x" * 500])
async def test_names_cannot_break_the_answer(client: httpx.AsyncClient, name: bytes) -> None:
    """A field's name that is no valid Unicode, or very long, is refused like any other."""
    body = b'{"name": "a", "currency": "EUR", "' + name + b'": 1}'
    answer = await client.post("/customers", content=body, headers=JSON)

    assert answer.status_code == 400
    assert len(answer.content) < 1000
    shape_of(answer)


async def test_every_answer_has_an_id(client: httpx.AsyncClient) -> None:
    """Each request has an id of its own."""
    first, second = await client.get("/customers"), await client.get("/customers")

    assert first.headers["request-id"].startswith("req_")
    assert first.headers["request-id"] != second.headers["request-id"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/api", 404),
        ("GET", "/api/v1/nothing/at/all", 404),
        ("GET", "/nothing%00here", 404),
        ("DELETE", "/api/v1/customers", 405),
        ("PUT", "/health", 405),
        ("TRACE", "/api/v1/customers", 405),
        ("BREW", "/api/v1/customers", 405),
    ],
)
async def test_where_there_is_nothing(shop: Shop, method: str, path: str, status: int) -> None:
    """An unknown path and an unknown method are refused in the one shape, each with an id."""
    answer = await shop.client.request(method, f"http://testserver{path}")

    assert answer.status_code == status
    shape_of(answer)
    assert answer.headers["request-id"].startswith("req_")
    assert ("allow" in answer.headers) is (status == 405)


async def test_every_refusal_has_an_id(shop: Shop) -> None:
    """401, 413 and 415, too; a file may be larger than other bodies, up to its own limit."""
    large = b" " * (2**20 + 1)
    csv = {"Content-Type": "text/csv"}
    answers = [
        await client_of(shop.web, "tsk_test_nobody").get("/customers"),
        await shop.client.post("/customers", content=large, headers=JSON),
        await shop.client.post("/customers", content=b"a=1"),
        await shop.client.post("/batch-jobs?type=EVENT_CSV_IMPORT", json={}),
        await shop.client.post(
            "/batch-jobs?type=EVENT_CSV_IMPORT", content=b"x" * 2**27, headers=csv
        ),
        await shop.client.post("/batch-jobs?type=EVENT_CSV_IMPORT", content=large, headers=csv),
    ]

    assert [answer.status_code for answer in answers] == [401, 413, 415, 415, 413, 400]
    for answer in answers:
        shape_of(answer)


async def test_a_defect_tells_nothing(shop: Shop) -> None:
    """An unexpected exception is answered with the request's id and nothing of its inside."""

    async def broken() -> None:
        raise RuntimeError("the secret is out")

    web = FastAPI()
    web.add_api_route("/broken", broken)
    web.add_middleware(Edge)
    answer = await client_of(web, shop.tenant.api_key).get("http://testserver/broken")

    shape_of(answer)
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_SERVER_ERROR")
    assert "secret" not in answer.text


async def test_who_hangs_up_is_no_defect(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """A caller that leaves in the middle of its body is not logged as a defect of ours."""
    key = f"Bearer {shop.tenant.api_key}".encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/customers",
        "raw_path": b"/api/v1/customers",
        "query_string": b"",
        "headers": [(b"authorization", key), (b"content-length", b"99")],
    }
    sent: list[object] = []

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    await shop.web(scope, receive, send)

    assert sent == []
    assert "http.defect" not in capsys.readouterr().err


async def test_without_a_database(shop: Shop) -> None:
    """While the database is away, requests are told when to come back."""
    await shop.app.database.close()
    answer = await shop.client.get("/customers")

    shape_of(answer)
    assert (answer.status_code, answer.json()["code"]) == (503, "INTERNAL_SERVER_ERROR")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("path", ["/health", "/api-docs", "/api/v1/customers"])
async def test_head_is_get_without_its_body(shop: Shop, path: str) -> None:
    """HEAD is answered with the status and the headers of GET, and without a body."""
    read, looked = [
        await shop.client.request(method, f"http://testserver{path}")
        for method in ("GET", "HEAD")
    ]

    assert looked.status_code == read.status_code == 200
    assert looked.content == b""
    assert looked.headers["content-length"] == str(len(read.content))
    assert looked.headers["content-type"] == read.headers["content-type"]
    assert looked.headers["request-id"].startswith("req_")
