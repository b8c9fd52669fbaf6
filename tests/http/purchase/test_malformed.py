"""Requests that no careful program sends: each is refused with a path, none is a defect."""

import json
from dataclasses import fields
from typing import Any

import httpx
import pytest
from meteroid import models as m

from tests.http.purchase.market import Json, Market
from tests.http.purchase.requests import extra, price, refused

JSON = {"Content-Type": "application/json"}


def send(
    market: Market, content: bytes, headers: dict[str, str] | None = None
) -> httpx.Response:
    """Send bytes as a body."""
    return market.raw.post("/checkout-sessions", content=content, headers=headers or JSON)


def text_with(market: Market, field: str, literal: str) -> bytes:
    """A request in which one field has a value that is written literally."""
    body = json.dumps({**market.body(), field: "@"})
    return body.replace('"@"', literal).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    ("field", "near", "place"),
    [
        ("trial_duration_day", "trial_duration_days", ()),
        ("cupon_code", "coupon_code", ()),
        ("coupon_codes", "coupon_code", ()),
        ("trialDurationDays", "trial_duration_days", ()),
        ("paramterized_components", "parameterized_components", ("components",)),
        ("price_entri", "price_entry", ("components", "extra_components", 0)),
        ("nam", "name", ("components", "extra_components", 0, "product_ref")),
        ("cadance", "cadence", ("components", "extra_components", 0, "price_entry")),
        ("rates", "rate", ("components", "extra_components", 0, "price_entry", "pricing")),
        ("add_on", "add_on_id", ("add_ons", 0)),
        ("nane", "name", ("add_ons", 0, "customization")),
        ("currenci", "currency", ("add_ons", 0, "customization", "price_entry")),
        ("conifg", "config", ("payment_methods_config",)),
        ("carde", "card", ("payment_methods_config", "config")),
        ("enable", "enabled", ("payment_methods_config", "config", "card")),
    ],
)
def test_an_unknown_field(
    market: Market, field: str, near: str, place: tuple[str | int, ...]
) -> None:
    """An unknown field is refused at every depth, and the nearest known name is told."""
    body = market.body(
        components=extra(),
        add_ons=[
            {
                "add_on_id": market.add_ons["Priority support"].id,
                "customization": {"type": "PRICE_OVERRIDE", "price_entry": price()},
            }
        ],
        payment_methods_config={"type": "online", "config": {"card": {"enabled": True}}},
    )
    body = json.loads(json.dumps(body))
    at: Any = body
    for step in place:
        at = at[step]
    at[field] = 1
    answer = market.raw.post("/checkout-sessions", json=body)
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)

    assert answer.status_code == 400
    (fault,) = answer.json()["errors"]
    assert fault["field"] == f"{path}.{field}".removeprefix(".")
    assert fault["code"] == "unknown_field"
    assert f"`{near}`" in fault["message"]


def test_null_is_as_good_as_nothing(market: Market) -> None:
    """A request whose optional fields are all null is the request without them."""
    customer = market.customer()
    plain = market.body(customer_id=customer.id)
    document = httpx.get(f"{market.url}/api-docs/openapi.json", timeout=60).json()
    known = document["components"]["schemas"]["CreateCheckoutSession"]["properties"]
    nulls = dict.fromkeys(known) | plain
    sessions = [
        market.raw.post("/checkout-sessions", json=body).json()["session"]
        for body in (plain, nulls, {**plain, "components": {}, "add_ons": [], "coupon_ids": []})
    ]
    for session in sessions:
        for own in ("id", "checkout_url"):
            del session[own]

    assert set(known) == {one.name for one in fields(m.CreateCheckoutSessionRequest)}
    assert sessions[1] == sessions[0]
    assert {**sessions[2], "components": None} == sessions[0]


def test_nulls_inside(market: Market) -> None:
    """Nulls inside nested objects are as good as nothing, too."""
    support = market.add_ons["Priority support"].id
    body = market.body(
        add_ons=[
            {"add_on_id": support, "quantity": None, "customization": None},
            {
                "add_on_id": market.add_ons["Workspaces"].id,
                "customization": {
                    "type": "PARAMETERIZATION",
                    "initial_slot_count": None,
                    "billing_period": None,
                    "committed_capacity": None,
                },
            },
        ],
        components={
            "parameterized_components": None,
            "overridden_components": None,
            "extra_components": None,
            "remove_components": None,
        },
        payment_methods_config={"type": "online", "config": {"card": None}},
    )
    session = market.raw.post("/checkout-sessions", json=body).json()["session"]

    assert session["amount_due"] == 4900 + 6000 + 400


@pytest.mark.parametrize(
    "field", ["billing_day_anchor", "net_terms", "trial_duration_days", "expires_in_hours"]
)
@pytest.mark.parametrize(
    "literal",
    ["1.5", "1e3", '"1"', "true", "[]", "{}", "9" * 400, "9" * 5000, str(2**63), "-1e999"],
)
def test_a_number_that_is_none(market: Market, field: str, literal: str) -> None:
    """Numbers that would wrap, crash or be read as others are refused."""
    answer = send(market, text_with(market, field, literal))

    assert answer.status_code == 400, answer.text
    assert [e["field"] for e in answer.json()["errors"]] in ([field], ["body"])


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "01", "+1", "1.", ".5"])
def test_what_json_does_not_know(market: Market, literal: str) -> None:
    """NaN, infinities and half numbers are no JSON."""
    answer = send(market, text_with(market, "invoice_threshold", literal))

    assert answer.status_code == 400
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [
        ("body", "invalid_json")
    ]


@pytest.mark.parametrize(
    "literal",
    [
        '"1e3"',
        "1e3",
        "1E-2",
        '"NaN"',
        '"Infinity"',
        '""',
        '" 1"',
        '"1_000"',
        '"1,5"',
        '"0x10"',
        '"\u0661"',
        '"1234567890123456"',
        '"0.1234567890123"',
        "true",
        "[]",
        "9" * 400,
    ],
)
def test_a_decimal_that_is_none(market: Market, literal: str) -> None:
    """Decimals have no exponent, at most 15 digits before the point and 12 behind it."""
    answer = send(market, text_with(market, "invoice_threshold", literal))

    assert answer.status_code == 400, answer.text
    assert [e["field"] for e in answer.json()["errors"]] == ["invoice_threshold"]


@pytest.mark.parametrize(
    "literal",
    ['"123456789012345.123456789012"', "0.1", '"00012.50"', "12", '"000000000000001"'],
)
def test_a_decimal_that_is_one(market: Market, literal: str) -> None:
    """The longest decimal, numbers and leading zeros are read exactly."""
    answer = send(market, text_with(market, "invoice_threshold", literal))

    assert answer.status_code == 200, answer.text
    told = answer.json()["session"]["invoice_threshold"]
    assert told.lstrip("0").rstrip("0").rstrip(".") == (
        literal.strip('"').lstrip("0").rstrip("0").rstrip(".")
        if "." in literal
        else literal.strip('"').lstrip("0")
    )


@pytest.mark.parametrize("field", ["billing_start_date", "end_date"])
@pytest.mark.parametrize(
    "value",
    [
        "2026-02-30",
        "0000-01-01",
        "0001-01-01",
        "9999-12-31",
        "10000-01-01",
        "2026-3-1",
        "20260310",
        "2026-W11-2",
        "2026-03-10T12:00:00",
        "2026-03-10T12:00:00Z",
        "10.03.2026",
        " 2026-03-10",
        "",
        1773144000,
        True,
        {},
    ],
)
def test_a_date_that_is_none(market: Market, field: str, value: object) -> None:
    """Dates are YYYY-MM-DD and exist."""
    found = refused(market, {**market.body(), field: value})

    assert [name for name, _ in found] == [field]


@pytest.mark.parametrize("value", ["a\0b", "\ud800", "\udfff!"])
@pytest.mark.parametrize(
    "field",
    [
        "invoice_memo",
        "purchase_order",
        "coupon_code",
        "success_url",
        "cancel_url",
        "customer_id",
        "plan_version_id",
        "billing_start_date",
    ],
)
def test_text_that_cannot_be_kept(market: Market, field: str, value: str) -> None:
    """NUL and lone surrogates are refused in every text, never stored and never a defect."""
    body = json.dumps({**market.body(), field: value}).encode()
    answer = send(market, body)

    assert answer.status_code == 400, answer.text
    assert field in [e["field"] for e in answer.json()["errors"]]


@pytest.mark.parametrize(
    "metadata",
    [
        {"a\0": 1},
        {"a": "b\0"},
        {"a": ["\ud800"]},
        {"\udc00": 1},
        {"a": {"b": {"c": "\ud83d"}}},
    ],
)
def test_metadata_that_cannot_be_kept(market: Market, metadata: Json) -> None:
    """The same is true of names and values inside metadata."""
    answer = send(market, json.dumps({**market.body(), "metadata": metadata}).encode())

    assert answer.status_code == 400, answer.text
    assert [e["field"] for e in answer.json()["errors"]] == ["metadata"]


@pytest.mark.parametrize("literal", ["1e400", "-1e400", "[" * 25 + "]" * 25])
def test_metadata_that_is_too_much(market: Market, literal: str) -> None:
    """Numbers beyond any double and deep nesting are refused in metadata."""
    answer = send(market, text_with(market, "metadata", f'{{"a": {literal}}}'))

    assert answer.status_code == 400, answer.text
    assert [e["field"] for e in answer.json()["errors"]] == ["metadata"]


def test_metadata_with_large_numbers(market: Market) -> None:
    """Whole numbers of any length come back digit by digit."""
    number = int("9" * 300)
    answer = send(market, text_with(market, "metadata", f'{{"a": {number}}}'))
    session = answer.json()["session"]

    assert session["metadata"] == {"a": number}
    assert market.session(session["id"])["metadata"] == {"a": number}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b"1",
        b'"text"',
        b"{",
        b"{}{}",
        b'{"customer_id": "a", }',
        b"\xff\xfe",
        b'{"customer_id": "\xff"}',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_a_body_that_is_none(market: Market, content: bytes) -> None:
    """An empty, broken, deep or foreign body is refused with a sentence."""
    before = market.stored()
    answer = send(market, content)

    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "BAD_REQUEST"
    assert answer.json()["errors"]
    assert market.stored() == before


@pytest.mark.parametrize(
    "declared", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_body_of_another_type(market: Market, declared: str) -> None:
    """A body that is not declared as JSON is refused as such."""
    content = json.dumps(market.body()).encode()
    answer = send(market, content, {"Content-Type": declared})

    assert (answer.status_code, answer.json()["code"]) == (415, "BAD_REQUEST")


def test_a_body_that_is_too_large(market: Market) -> None:
    """A body over the limit is not read."""
    answer = send(market, b" " * (2 * 1024 * 1024))

    assert (answer.status_code, answer.json()["code"]) == (413, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ({"add_ons": [{"add_on_id": "add_1"}] * 101}, "add_ons"),
        ({"coupon_ids": ["cou_1"] * 101}, "coupon_ids"),
        (
            {"components": {"remove_components": ["price_1"] * 101}},
            "components.remove_components",
        ),
        (
            {"components": {"extra_components": [{}] * 101}},
            "components.extra_components",
        ),
    ],
)
def test_a_list_that_is_too_long(market: Market, sent: Json, path: str) -> None:
    """No list of a request has more than 100 entries."""
    found = refused(market, {**market.body(), **sent})

    assert (path, "too_long") in found
