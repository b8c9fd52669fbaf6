"""Usage events come in as the SDK sends them."""

from datetime import timedelta
from typing import Any

import pytest
from meteroid import models as m
from meteroid.errors import BadRequestError

from tests.http.conftest import NOON
from tests.http.usage.meter import Meter

HOUR = timedelta(hours=1)


def _raw(**fields: object) -> dict[str, object]:
    return {"event_id": "e1", "code": "calls", "customer_id": "globex", **fields}


def test_events_are_kept_as_they_were_sent(meter: Meter) -> None:
    """By alias and by id, with and without a time: without, it is the moment of ingestion."""
    meter.metric()
    answer = meter.shop.sdk.events.ingest(
        events=[
            meter.event("a", properties={"zone": "eu"}, timestamp=NOON - HOUR),
            meter.event("b", customer_id=meter.customer),
        ]
    )

    assert answer.failures is None
    first, second = meter.stored()
    assert first["properties"] == {"zone": "eu"}
    assert (first["happened_at"], first["received_at"]) == (NOON - HOUR, NOON)
    assert (second["happened_at"], second["properties"]) == (NOON, {})
    assert first["customer_id"] == second["customer_id"]


def test_the_answer_counts_what_was_new(meter: Meter) -> None:
    """200, with no failures named where there are none; a second time nothing is new."""
    meter.metric()
    body = {"events": [_raw(event_id="a"), _raw(event_id="b"), _raw(event_id="a")]}
    answers = [meter.shop.raw.post("/events/ingest", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.json() for answer in answers] == [
        {"ingested": 2, "duplicates": 1},
        {"ingested": 0, "duplicates": 3},
    ]


def test_an_event_is_counted_once_for_its_customer(meter: Meter) -> None:
    """The first copy stays, whatever a later one says; another customer may use the same id."""
    meter.metric()
    meter.shop.sdk.customers.create(name="Initech", currency="EUR", alias="initech")
    meter.shop.sdk.events.ingest(
        events=[
            meter.event("e", properties={"copy": "first"}),
            meter.event("e", properties={"copy": "second"}),
            meter.event("e", properties={"copy": "theirs"}, customer_id="initech"),
        ]
    )
    meter.shop.sdk.events.ingest(events=[meter.event("e", properties={"copy": "third"})])

    assert sorted(row["properties"]["copy"] for row in meter.stored()) == ["first", "theirs"]


def test_numbers_are_kept_as_they_were_written(meter: Meter) -> None:
    """A property may be a JSON number: no digit of it is lost, none is added."""
    meter.metric("SUM")
    body = (
        '{"events": [{"event_id": "e", "code": "calls", "customer_id": "globex",'
        ' "properties": {"units": 123456789012345.100000000001, "whole": 7}}]}'
    )
    headers = {"content-type": "application/json"}
    answer = meter.shop.raw.post("/events/ingest", content=body, headers=headers)
    assert answer.status_code == 200
    (row,) = meter.stored()
    assert row["properties"] == {"units": "123456789012345.100000000001", "whole": "7"}


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"customer_id": "nobody"}, ("customer_id", "unknown")),
        ({"customer_id": "cus_1"}, ("customer_id", "unknown")),
        ({"code": "never_made"}, ("code", "unknown")),
        ({"timestamp": "2026-03-09T11:59:59Z"}, ("timestamp", "too_late")),
        ({"timestamp": "2026-03-10T13:00:00.001Z"}, ("timestamp", "in_future")),
        ({"timestamp": "2026-03-10T12:00:00"}, ("timestamp", "malformed")),
        ({"code": "calls" * 200}, ("code", "too_long")),
        ({"properties": {"a": None}}, ("properties.a", "wrong_type")),
        ({"properties": {"a": True}}, ("properties.a", "wrong_type")),
        ({"properties": {"a": "x" * 1025}}, ("properties.a", "too_long")),
        ({"properties": {str(n): "" for n in range(101)}}, ("properties", "too_long")),
        ({"propertys": {}}, ("propertys", "unknown_field")),
        ({"code": "bytes"}, ("properties.units", "required")),
        ({"code": "bytes", "properties": {"units": "1e3"}}, ("properties.units", "malformed")),
        ({"code": "bytes", "properties": {"units": "NaN"}}, ("properties.units", "malformed")),
        ({"code": "users", "properties": {"u": "1"}}, ("properties.units", "required")),
    ],
)
def test_what_could_not_be_counted_is_refused(
    meter: Meter, fields: dict[str, object], fault: tuple[str, str]
) -> None:
    """One such event refuses the call, by the event's place and field, and none is kept."""
    meter.metric()
    meter.metric("SUM", code="bytes")
    meter.metric("COUNT_DISTINCT", code="users")
    events = [_raw(event_id="good"), _raw(**fields)]
    field, code = fault

    assert meter.post(events=events) == (400, [(f"events[1].{field}", code)])
    assert meter.stored() == []


def test_the_others_are_kept_where_that_is_asked_for(meter: Meter) -> None:
    """Partial failures allowed: each bad event is reported with its reason, good ones count."""
    meter.metric()
    answer = meter.shop.sdk.events.ingest(
        allow_partial_failures=True,
        events=[
            meter.event("good"),
            meter.event("lost", customer_id="nobody", code="nothing"),
            meter.event("old", timestamp=NOON - 25 * HOUR),
            meter.event("long", code="x" * 513),
        ],
    )

    assert answer.failures == [
        m.IngestFailure(
            event_id="lost",
            reason="customer_id: must be a customer's id or alias; "
            "code: must be the code of a metric",
        ),
        m.IngestFailure(
            event_id="old",
            reason="timestamp: must not lie more than 24 hours back, "
            "unless `allow_backfilling` is true",
        ),
        m.IngestFailure(event_id="long", reason="code: must have at most 512 characters"),
    ]
    assert [row["event_id"] for row in meter.stored()] == ["good"]


def test_all_faults_are_told_at_once(meter: Meter) -> None:
    """By default the SDK raises, and every event's every fault is in the answer."""
    with pytest.raises(BadRequestError) as caught:
        meter.shop.sdk.events.ingest(
            events=[meter.event("a", customer_id="nobody"), meter.event("b")]
        )
    assert caught.value.status_code == 400
    assert meter.post(events=[_raw(customer_id="nobody"), _raw(event_id="b")]) == (
        400,
        [
            ("events[0].customer_id", "unknown"),
            ("events[0].code", "unknown"),
            ("events[1].code", "unknown"),
        ],
    )


def test_old_events_come_in_where_that_is_meant(meter: Meter) -> None:
    """Backfilling lifts the bound to the past and no other; at the bounds events are taken."""
    meter.metric()
    sdk = meter.shop.sdk
    sdk.events.ingest(
        allow_backfilling=True,
        events=[meter.event("old", timestamp=NOON - timedelta(days=1000))],
    )
    sdk.events.ingest(
        events=[
            meter.event("late", timestamp=NOON - 24 * HOUR),
            meter.event("early", timestamp=NOON + HOUR),
        ]
    )
    assert [row["event_id"] for row in meter.stored()] == ["early", "late", "old"]
    future = [_raw(timestamp="2026-03-10T14:00:00Z")]
    assert meter.post(events=future, allow_backfilling=True) == (
        400,
        [("events[0].timestamp", "in_future")],
    )


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, ("events", "required")),
        ({"events": []}, ("events", "too_short")),
        ({"events": {}}, ("events", "wrong_type")),
        ({"events": [{"event_id": "e"}] * 1001}, ("events", "too_long")),
        ({"events": ["e1"]}, ("events", "malformed")),
        ({"events": [{"code": "calls", "customer_id": "globex"}]}, ("events", "malformed")),
        ({"events": [_raw()], "allow_backfiling": True}, ("allow_backfiling", "unknown_field")),
        ({"events": [_raw()], "allow_backfilling": 1}, ("allow_backfilling", "wrong_type")),
    ],
)
def test_a_call_that_is_none(
    meter: Meter, body: dict[str, Any], fault: tuple[str, str]
) -> None:
    """1 to 1000 events, each with the id by which its fate is told, partial or not."""
    meter.metric()
    assert meter.post(**body) == (400, [fault])
    assert meter.post(**body, allow_partial_failures=True) == (400, [fault])


def test_a_thousand_events_at_once(meter: Meter) -> None:
    """As many as a call may hold are kept, to the last one."""
    meter.metric("SUM")
    events = [meter.event(f"e{n}", properties={"units": "1"}) for n in range(1000)]
    assert meter.shop.sdk.events.ingest(events=events).failures is None
    assert len(meter.stored()) == 1000


def test_what_a_filter_leaves_out_needs_no_value(meter: Meter) -> None:
    """An event that the metric does not count may lack what it aggregates."""
    kind = m.MetricFilter(op=m.MetricFilterOperator.EQUAL, property="kind", values=["paid"])
    meter.metric("SUM", filters=[kind])
    assert meter.post(events=[_raw(properties={"kind": "free"})]) == (200, [])
    assert meter.post(events=[_raw(event_id="e2", properties={"kind": "paid"})]) == (
        400,
        [("events[0].properties.units", "required")],
    )


def test_another_tenants_customers_and_metrics_are_unknown(
    meter: Meter, other_meter: Meter
) -> None:
    """Neither the id nor the code of another tenant's can be used, and nothing is kept."""
    meter.metric()
    other_meter.metric(code="theirs")
    assert meter.post(events=[_raw(customer_id=other_meter.customer, code="theirs")]) == (
        400,
        [("events[0].customer_id", "unknown"), ("events[0].code", "unknown")],
    )
    assert other_meter.stored() == []


def test_a_repeated_call_is_answered_as_at_first(meter: Meter) -> None:
    """Under an idempotency key the first answer comes again, and nothing runs twice."""
    meter.metric()
    headers = {"Idempotency-Key": "k"}
    answers = [
        meter.shop.raw.post("/events/ingest", json={"events": [_raw()]}, headers=headers)
        for _ in range(2)
    ]
    assert [answer.json() for answer in answers] == [{"ingested": 1, "duplicates": 0}] * 2
    assert answers[1].headers["idempotent-replayed"] == "true"
