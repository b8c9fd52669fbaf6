"""What a value may be on the wire, and what comes back of it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, cast

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from tallystick.http.json_body import parse_json
from tallystick.http.v1.free_form import Metadata, NotYet
from tallystick.http.v1.scalars import (
    Amount,
    AnswerModel,
    Country,
    Currency,
    CustomerId,
    CustomerIdOrAlias,
    Day,
    DecimalText,
    Email,
    Flag,
    Instant,
    Locale,
    Name,
    NonNegativeDecimal,
    TaxFraction,
    Text,
    WholeNumber,
)
from tallystick.http.v1.web_urls import WebUrl
from tallystick.services.ids import new_id

AnyDecimal = Annotated[Decimal, DecimalText()]


def read(kind: object, sent: str) -> Any:  # noqa: ANN401 - whatever the kind is inside
    """Read a value as it stands in a body."""
    adapter: TypeAdapter[Any] = TypeAdapter(cast("type[Any]", kind))
    return adapter.validate_python(parse_json(sent.encode()))


def refused(kind: object, sent: str) -> str:
    """Read a value that is refused, and return its code."""
    with pytest.raises(ValidationError) as found:
        read(kind, sent)
    return str(found.value.errors()[0]["type"])


@pytest.mark.parametrize(
    ("sent", "inside"),
    [
        ('"12.50"', "12.50"),
        ("12.50", "12.50"),
        ("12", "12"),
        ("-0.000000000001", "-0.000000000001"),
        # More digits than binary floating point has: not one of them is lost.
        ("123456789012345.123456789012", "123456789012345.123456789012"),
        ("0.1", "0.1"),
    ],
)
def test_decimals_are_exact(sent: str, inside: str) -> None:
    """A decimal is what was written, digit by digit, as text or as a JSON number."""
    assert format(read(AnyDecimal, sent), "f") == inside


@pytest.mark.parametrize(
    "sent",
    [
        '"1e3"',
        "1e3",
        "1E-2",
        '"NaN"',
        '"Infinity"',
        '"1234567890123456"',
        '"0.1234567890123"',
        '"1."',
        '".5"',
        '"+1"',
        '" 1"',
        '"1,5"',
        '"\u0661"',
        '""',
        "true",
        "null",
        "[]",
    ],
)
def test_what_is_no_decimal(sent: str) -> None:
    """No exponent, no infinity, at most 15 digits before the point and 12 after it."""
    refused(AnyDecimal, sent)


def test_bounds_of_decimals() -> None:
    """Prices are not negative; a tax rate is a fraction below one."""
    assert read(NonNegativeDecimal, '"0"') == 0
    assert refused(NonNegativeDecimal, '"-0.01"') == "out_of_range"
    assert read(TaxFraction, '"0.999"') == Decimal("0.999")
    assert refused(TaxFraction, '"1"') == "out_of_range"


def test_decimals_go_out_as_text() -> None:
    """A decimal keeps its zeros and never gets an exponent."""
    adapter = TypeAdapter(AnyDecimal)

    assert adapter.dump_json(Decimal("10.00")) == b'"10.00"'
    assert adapter.dump_json(Decimal("1E+3")) == b'"1000"'
    assert adapter.dump_json(Decimal("0.000000000001")) == b'"0.000000000001"'


@pytest.mark.parametrize("sent", ["true", '"1"', "1.0", "1.5", "null", "9007199254740992"])
def test_what_is_no_amount(sent: str) -> None:
    """An amount is a whole number that every JSON reader holds exactly."""
    refused(Amount, sent)


@pytest.mark.parametrize("sent", ["0", "1", '"true"', "null"])
def test_what_is_no_flag(sent: str) -> None:
    """A flag is true or false."""
    refused(Flag, sent)


@pytest.mark.parametrize("sent", ["true", '"3"', "3.5"])
def test_what_is_no_whole_number(sent: str) -> None:
    """A whole number is one."""
    refused(WholeNumber, sent)


@pytest.mark.parametrize("sent", ['"a\\u0000b"', '"\\ud800"', '""', '"  "', "7"])
def test_what_is_no_name(sent: str) -> None:
    """Text that cannot be stored or sent, and blank text, is no name."""
    refused(Name, sent)


def test_texts_have_an_end() -> None:
    """Text is limited in characters, whatever they are; emoji written in pairs are one each."""
    kind = Annotated[str, Text(3)]

    assert read(kind, '"äöü"') == "äöü"
    assert read(kind, '"\\ud83d\\ude00"') == "\U0001f600"
    assert refused(kind, '"abcd"') == "too_long"


@pytest.mark.parametrize(
    "sent",
    [
        '"2026-02-29"',
        '"2026-2-1"',
        '"1969-12-31"',
        '"2201-01-01"',
        '"2026-01-01T00:00:00Z"',
        "20260101",
        '""',
    ],
)
def test_what_is_no_day(sent: str) -> None:
    """A day is YYYY-MM-DD, exists, and lies within 1970 to 2200."""
    refused(Day, sent)


@pytest.mark.parametrize(
    "sent",
    [
        '"2026-01-01T00:00:00"',
        '"2026-01-01"',
        '"2026-01-01T25:00:00Z"',
        '"1969-12-31T23:59:59Z"',
        '"9999-12-31T23:59:59-23:59"',
        "1767225600",
    ],
)
def test_what_is_no_instant(sent: str) -> None:
    """An instant has a zone and lies within 1970 to 2200."""
    refused(Instant, sent)


def test_days_and_instants() -> None:
    """A day is a date; an instant is in UTC, and goes out with milliseconds and Z."""
    moment = read(Instant, '"2026-01-01T01:30:00.5+01:00"')

    assert read(Day, '"2024-02-29"') == date(2024, 2, 29)
    assert moment == datetime(2026, 1, 1, 0, 30, 0, 500_000, tzinfo=UTC)
    assert TypeAdapter(Instant).dump_json(moment) == b'"2026-01-01T00:30:00.500Z"'


def test_ids() -> None:
    """An id of its kind or a bare UUID comes in; the id goes out. Another kind is refused."""
    value = new_id()
    text = TypeAdapter(CustomerId).dump_json(value).decode()

    assert text.startswith('"cus_')
    assert read(CustomerId, text) == value
    assert read(CustomerId, f'"{value}"') == value
    assert refused(CustomerId, text.replace("cus_", "sub_")) == "malformed_id"
    assert refused(CustomerId, '"cus_zzzzzzzzzzzzzzzzzzzzzz"') == "malformed_id"


def test_ids_or_aliases() -> None:
    """What is not a well-formed id of the kind is an alias, a bare UUID included."""
    value = new_id()
    text = TypeAdapter(CustomerId).dump_json(value).decode()

    assert read(CustomerIdOrAlias, text) == value
    assert read(CustomerIdOrAlias, f'"{value}"') == str(value)
    assert read(CustomerIdOrAlias, '"cus_of-ours"') == "cus_of-ours"
    assert refused(CustomerIdOrAlias, '""') == "too_short"


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Currency, ["EUR", "JPY", "KWD"], ["eur", "EURO", "HRK", "CNH", "XAU", ""]),
        (Country, ["FR", "GR", "GB"], ["fr", "UK", "EL", "EU", "XK", "FRA"]),
        (Email, ["a@b.co", "a+b@c.d.example"], ["a", "a@b", "a b@c.de", "a@b..de", "@b.de"]),
        (
            WebUrl,
            ["https://a.example", "http://127.0.0.1:80/x?y=1#z", "HTTPS://a"],
            [
                "ftp://a",
                "//a",
                "/a",
                "javascript:alert(1)",
                "https://",
                "https://u@a",
                "http:/a",
                "https://[",
                "https://a;b.com/",
                "https://EX.com./",
                "https://a:abc",
                "https://a:99999",
                "https://ex\N{ACCOUNT OF}.com/",
                "https://a/\x85",
            ],
        ),
        (Locale, ["fr", "de-AT", "pt_BR", "zh-Hant-TW"], ["french", "d", "fr-", "1"]),
    ],
)
def test_codes_and_shapes(kind: object, good: list[str], bad: list[str]) -> None:
    """Currencies, countries, addresses and languages have their shapes and lists."""
    assert [read(kind, f'"{text}"') for text in good] == good
    for text in bad:
        refused(kind, f'"{text}"')


def test_metadata() -> None:
    """Any object comes back as it was, up to 16 KiB and a depth that nobody needs."""
    sent = '{"a": [1, 2.5, null, true, {"b": "ü"}], "big": 12345678901234567890, "e": 1e3}'

    assert read(Metadata, sent) == {
        "a": [1, 2.5, None, True, {"b": "ü"}],
        "big": 12345678901234567890,
        "e": 1000.0,
    }
    assert refused(Metadata, '{"a": "' + "x" * 16384 + '"}') == "too_long"
    assert refused(Metadata, '{"a": ' + "[" * 50 + "]" * 50 + "}") == "too_deep"
    assert refused(Metadata, '{"a": "\\u0000"}') == "invalid_text"
    assert refused(Metadata, '{"\\u0000": 1}') == "invalid_text"
    assert refused(Metadata, '{"a": 1e400}') == "out_of_range"
    assert refused(Metadata, "[]") == "wrong_type"


@pytest.mark.parametrize("sent", ["null", "{}", "[]", '""'])
def test_fields_that_do_nothing_yet(sent: str) -> None:
    """They may be sent while they say nothing."""
    assert read(NotYet, sent) is None
    assert refused(NotYet, '{"a": 1}') == "not_supported_yet"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("per_page=0", "per_page"),
        ("per_page=101", "per_page"),
        ("page=-1", "page"),
        ("page=99999999999999999999", "page"),
        ("page=1.5", "page"),
        ("order_by=password.asc", "order_by"),
        ("order_by=name", "order_by"),
        ("archived=perhaps", "archived"),
        ("serach=x", "serach"),
        ("search=%00", "search"),
        ("page=1&page=2", "page"),
    ],
)
async def test_queries_are_checked(client: httpx.AsyncClient, query: str, field: str) -> None:
    """A query is refused like a body: unknown names, too."""
    answer = await client.get(f"/customers?{query}")

    assert answer.status_code == 400
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("path", ["%00", "a%00b", "%ff", "x" * 300, "%F0%9F%98%80", "..%2f"])
async def test_paths_are_safe(client: httpx.AsyncClient, path: str) -> None:
    """No path can be more than not found, with a key or without."""
    shown = await client.get(f"/customers/{path}")
    posted = await client.post(
        f"/customers/{path}/balance-entries",
        json={"currency": "EUR", "amount": 1},
        headers={"Idempotency-Key": "k"},
    )

    assert (shown.status_code, posted.status_code) == (404, 404)


def test_answers_are_built_unchecked() -> None:
    """Answers hold what we know; ids, decimals and instants still get their wire form."""

    class Widget(AnswerModel):
        id: CustomerId
        at: Instant

    now = datetime(2026, 1, 1, tzinfo=UTC)
    make: Callable[..., Widget] = Widget.model_construct
    assert (
        b'"at":"2026-01-01T00:00:00.000Z"'
        in make(id=new_id(), at=now).model_dump_json().encode()
    )


async def test_lists_and_texts_end(client: httpx.AsyncClient) -> None:
    """A list or a text that is too long is refused with its path and what is accepted."""
    answers = [
        await client.post(
            "/customers",
            json={
                "name": "x" * 256,
                "currency": "EUR",
                "invoicing_emails": ["a@globex.example"] * 21,
                "billing_address": {"city": "y" * 256},
            },
        ),
        await client.post(
            "/checkout-sessions",
            json={
                "customer_id": "a",
                "plan_version_id": "plv_1",
                "coupon_ids": ["cou_1"] * 101,
                "invoice_memo": "z" * 10_001,
            },
        ),
        await client.post(
            "/events/ingest",
            json={"events": [{"event_id": "e", "code": "c", "customer_id": "a"}] * 1001},
        ),
    ]

    assert [answer.status_code for answer in answers] == [400] * 3
    assert [
        {
            one["field"]: one["message"]
            for one in answer.json()["errors"]
            if one["code"] == "too_long"
        }
        for answer in answers
    ] == [
        {
            "name": "must have at most 255 characters",
            "invoicing_emails": "must have at most 20 entries",
            "billing_address.city": "must have at most 255 characters",
        },
        {
            "coupon_ids": "must have at most 100 entries",
            "invoice_memo": "must have at most 10000 characters",
        },
        {"events": "must have at most 1000 entries"},
    ]
