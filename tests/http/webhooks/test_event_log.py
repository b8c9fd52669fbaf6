"""What happened, as it is read and as it is delivered: the SDK's models decode all of it."""

import json
from collections import defaultdict
from typing import Any

import pytest
from meteroid import models as m

from tallystick.domain.event_types import EVENT_TYPES, OWN_TYPES, REFERENCE_TYPES
from tallystick.services.sequence_events import sequence_events
from tests.http.purchase.market import Market
from tests.http.purchase.stock import stock
from tests.http.webhooks.conftest import behind
from tests.told import OWN_NOUNS, decoded

NOBODY_WRITES = {"quote", "invoice.accounting_pdf_generated"}
"""Nouns and types of the reference for which nothing happens here."""
AS_DAYS_GO_BY = {"payment_method"}
"""Nouns of which nothing happens on the first day; `test_reminders` tells of them."""


def events(market: Market, query: str = "") -> dict[str, Any]:
    """A part of the log."""
    answer = market.raw.get(f"/events{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def all_events(market: Market) -> list[dict[str, Any]]:
    """The whole log, by asking again after the last number."""
    behind(market, sequence_events)
    found: list[dict[str, Any]] = []
    while True:
        page = events(market, f"?limit=7&after={found[-1]['sequence'] if found else 0}")
        found += page["data"]
        assert page["has_more"] == (len(page["data"]) == 7 and page["has_more"])
        if not page["has_more"]:
            return found


def test_it_is_read_without_gap(market: Market) -> None:
    """Numbers from 1 on, whatever the page; nothing before it has its number."""
    for _ in range(9):
        market.customer()
    assert events(market) == {"data": [], "has_more": False}
    told = all_events(market)

    assert [one["sequence"] for one in told] == list(range(1, len(told) + 1))
    assert len({one["id"] for one in told}) == len(told)
    assert told[-1]["id"].startswith("evt_")
    assert told[-1]["timestamp"] == "2026-03-10T12:00:00.000Z"
    assert events(market, f"?after={len(told)}") == {"data": [], "has_more": False}
    assert events(market, "?after=2&limit=1")["data"] == [told[2]]


def test_only_some_types(market: Market) -> None:
    """Several types, in the order of their numbers; a rare one is found at once."""
    stock(market)
    market.customer()
    told = all_events(market)

    for types in (
        ["customer.created"],
        ["metric.created", "customer.created", "coupon.created"],
    ):
        wanted = [one for one in told if one["type"] in types]
        query = "&".join(f"type={one}" for one in types)
        assert events(market, f"?limit=100&{query}")["data"] == wanted
        first = events(market, f"?limit=1&{query}")
        assert (first["data"], first["has_more"]) == (wanted[:1], len(wanted) > 1)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?after=-1", "after"),
        ("?after=x", "after"),
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?type=invoice.payed", "type[0]"),
        ("?types=invoice.paid", "types"),
    ],
)
def test_refused(market: Market, query: str, field: str) -> None:
    """What cannot be asked for is refused with its name."""
    answer = market.raw.get(f"/events{query}")

    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_every_type_decodes(market: Market) -> None:
    """What is written decodes by the SDK's model of its type, and so would every type."""
    stock(market)
    sso = market.sdk.features.create(
        code="sso", name="SSO", feature_type=m.BooleanFeatureType()
    )
    path = f"/plan-versions/{market.plans['Starter'].version_id}/entitlements"
    granted = {"feature_id": sso.id, "value": {"type": "BOOLEAN", "enabled": True}}
    assert market.raw.post(path, json={"entitlements": [granted]}).status_code == 201
    bought = market.bought()
    payment = bought.invoice.transactions[0].id
    assert market.raw.post(f"/payments/{payment}/refund", json={"amount": 100}).is_success
    path = f"/test-provider/payments/{payment}/dispute"
    assert market.raw.post(path, json={"amount": 100}).is_success
    by_noun: dict[str, dict[str, Any]] = defaultdict(dict)
    for event in all_events(market):
        decoded(json.dumps(event))
        assert event["type"] in EVENT_TYPES
        by_noun[event["type"].partition(".")[0]] = event

    assert {str(one.value) for one in m.EventType} == set(REFERENCE_TYPES)
    for name in EVENT_TYPES:
        noun = name.partition(".")[0]
        if {noun, name} & (NOBODY_WRITES | AS_DAYS_GO_BY):
            continue
        assert by_noun[noun], f"nothing of {noun} happened"
        event = decoded(json.dumps(by_noun[noun] | {"type": name}))
        assert noun in OWN_NOUNS or (event.type, event.id) == (name, by_noun[noun]["id"])
    of_theirs = {"invoice", "payment", "plan"}
    assert {one.partition(".")[0] for one in OWN_TYPES} == OWN_NOUNS | of_theirs


def test_what_lacks_a_field_does_not_decode(market: Market) -> None:
    """The SDK would say so: each field of an invoice's event that it needs is needed."""
    market.plan("Starter")
    market.bought()
    [event] = [one for one in all_events(market) if one["type"] == "invoice.paid"]

    decoded(json.dumps(event))
    for name in ("total", "currency", "status", "created_at", "timestamp", "id"):
        with pytest.raises(Exception, match=name):
            decoded(json.dumps({key: event[key] for key in event if key != name}))
