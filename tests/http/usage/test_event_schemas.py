"""Ordinary events are read quickly, and exactly as the schema would read them."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from tallystick.domain.ids import Prefix, encode
from tallystick.domain.usage_events import IncomingEvent
from tallystick.http.json_body import Exponent
from tallystick.http.v1.event_schemas import _quickly, _read
from tallystick.services.ids import new_id

texts = st.text(max_size=5) | st.sampled_from(
    ["e1", "calls", "", " ", "x" * 255, "x" * 256, "x" * 513, "a\0", "\ud800", "ü", "a\nb"]
)
values = st.one_of(
    texts, st.none(), st.booleans(), st.integers(), st.decimals(allow_nan=False), st.just([])
)
names = texts | st.builds(lambda: encode(Prefix.CUSTOMER, new_id())) | st.just("cus_1")
times = values | st.sampled_from(
    [
        "2026-03-10T12:00:00Z",
        "2026-03-10T12:00:00.123+01:00",
        "2026-03-10",
        "1969-01-01T00:00:00Z",
    ]
)
events = st.fixed_dictionaries(
    {"event_id": texts, "code": texts | values, "customer_id": names | values},
    optional={
        "properties": st.dictionaries(texts, values, max_size=3) | values,
        "timestamp": times,
        "unknown": values,
    },
)


def _read_carefully(event: object) -> IncomingEvent | None:
    try:
        return _read(event, 0)
    except PydanticCustomError:
        return None


@given(events)
@example(
    {"event_id": "e", "code": "c", "customer_id": "g", "properties": {"a": Exponent("1e3")}}
)
@example(
    {"event_id": "e", "code": "c", "customer_id": "g", "properties": {"a": Decimal("1.0")}}
)
def test_quick_is_the_same_as_careful(event: dict[str, Any]) -> None:
    """What is read quickly has no fault, and is what the schema makes of it."""
    found = _quickly(event, {})
    if found is not None:
        assert found.faults == ()
        assert found == _read_carefully(event)


@pytest.mark.parametrize(
    "event",
    [
        {"event_id": "e", "code": "c", "customer_id": "globex"},
        {"event_id": "e", "code": "c", "customer_id": "globex", "properties": None},
        {
            "event_id": "e",
            "code": "c",
            "customer_id": "globex",
            "properties": {"units": "1"},
            "timestamp": "2026-03-10T12:00:00Z",
        },
    ],
)
def test_what_the_sdk_sends_is_read_quickly(event: dict[str, Any]) -> None:
    """An ordinary event takes the short way, and the customer's id is read once."""
    customers: dict[str, Any] = {}
    assert _quickly(event, customers) == _read_carefully(event)
    assert customers == {"globex": "globex"}
