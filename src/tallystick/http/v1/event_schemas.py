"""Usage events on the wire.

An event that does not fit is a fault of that event alone, because a caller may ask for the
others to be taken: so a call's events are read as a whole here, and each keeps its faults.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, TypeGuard
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.json_schema import JsonSchemaValue
from typing_extensions import override

from tallystick.domain.usage_events import EVENTS_MAX, IncomingEvent
from tallystick.http.faults import faults_of
from tallystick.http.json_body import Exponent
from tallystick.http.schema_paths import SchemaPaths
from tallystick.http.v1.scalar import Scalar, problem
from tallystick.http.v1.scalars import (
    AnswerModel,
    CustomerIdOrAlias,
    Flag,
    Instant,
    Name,
    RequestModel,
    Text,
)

PROPERTIES_MAX = 100

Code = Annotated[str, Text(512)]


@dataclass(frozen=True)
class PropertyText(Text):
    """A property's value: text, or a number, which is kept as it was written."""

    @override
    def parse(self, value: Any) -> str:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return super().parse(
                format(value, "f") if isinstance(value, Decimal) else str(value)
            )
        if isinstance(value, Exponent):
            raise problem("wrong_type", "must be text, or a number without exponent")
        return super().parse(value)

    @override
    def schema(self) -> JsonSchemaValue:
        return super().schema() | {"type": ["string", "number"]}


class EventIn(RequestModel):
    """Something a customer used: `code` names the metric, `properties` what is counted.

    `event_id` is the sender's own: sent again for the same customer, it changes nothing.
    Without a `timestamp` it happened when it came.
    """

    code: Code
    customer_id: CustomerIdOrAlias
    event_id: Name
    properties: (
        Annotated[
            dict[Name, Annotated[str, PropertyText(1024, blank=True)]],
            Field(max_length=PROPERTIES_MAX),
        ]
        | None
    ) = None
    timestamp: Instant | None = None


_ONE: TypeAdapter[EventIn] = TypeAdapter(EventIn)
_PATHS = {"event": SchemaPaths(EventIn)}
_EVENT_ID: TypeAdapter[str] = TypeAdapter(Name)
_CUSTOMER: TypeAdapter[UUID | str] = TypeAdapter(CustomerIdOrAlias)
_TIMESTAMP: TypeAdapter[datetime | None] = TypeAdapter(Instant | None)
_FIELDS = EventIn.model_fields.keys()
_PLAIN_CHARS_MAX = 255
"""The shortest of the limits of an event's texts."""


class _Events(Scalar):
    """A call's events, each with its own faults."""

    @override
    def parse(self, value: Any) -> tuple[IncomingEvent, ...]:
        if not isinstance(value, list):
            raise problem("wrong_type", "must be a list")
        if not value:
            raise problem("too_short", "must have at least 1 entry")
        if len(value) > EVENTS_MAX:
            raise problem("too_long", f"must have at most {EVENTS_MAX} entries")
        customers: dict[str, UUID | str] = {}
        return tuple(
            _quickly(one, customers) or _read(one, index) for index, one in enumerate(value)
        )

    @override
    def schema(self) -> JsonSchemaValue:
        return {
            "type": "array",
            "minItems": 1,
            "maxItems": EVENTS_MAX,
            "items": EventIn.model_json_schema(),
        }


def _quickly(value: Any, customers: dict[str, UUID | str]) -> IncomingEvent | None:  # noqa: ANN401
    """An ordinary event, read at a fifth of the cost; None for what needs a closer look.

    What is read here would be read by the schema in the same way: it says what is right and
    what is wrong, and this only what is plainly right. `customers` keeps the ids that were
    read before, because the events of a call are of few customers.
    """
    if type(value) is not dict or not value.keys() <= _FIELDS:
        return None
    event_id, code, named = (value.get(name) for name in ("event_id", "code", "customer_id"))
    properties = value.get("properties")
    if properties is None:
        properties = {}
    if (
        not (_is_plain(event_id) and _is_plain(code) and _is_plain(named))
        or type(properties) is not dict
        or len(properties) > PROPERTIES_MAX
        or not all(_is_plain(key) and _is_plain(text) for key, text in properties.items())
    ):
        return None
    try:
        timestamp = _TIMESTAMP.validate_python(value.get("timestamp"))
    except ValidationError:
        return None
    customer = customers.get(named)
    if customer is None:
        customer = customers[named] = _CUSTOMER.validate_python(named)
    return IncomingEvent(
        event_id=event_id,
        code=code,
        customer=customer,
        timestamp=timestamp,
        properties=properties,
    )


def _is_plain(value: object) -> TypeGuard[str]:
    """Whether a value is text of which nothing could be refused: printable ASCII, not blank."""
    return (
        type(value) is str
        and 0 < len(value) <= _PLAIN_CHARS_MAX
        and value.isascii()
        and value.isprintable()
        and not value.isspace()
    )


def _read(value: object, index: int) -> IncomingEvent:
    try:
        return _incoming(_ONE.validate_python(value))
    except ValidationError as invalid:
        problems = invalid.errors(include_url=False, include_input=False)
    try:
        event_id = _EVENT_ID.validate_python(
            value.get("event_id") if isinstance(value, Mapping) else None
        )
    except ValidationError:
        message = f"[{index}] must be an event with an `event_id` of 1 to 255 characters"
        raise problem("malformed", message) from None
    placed = [{**one, "loc": ("event", *one["loc"])} for one in problems]
    return IncomingEvent(event_id=event_id, properties={}, faults=faults_of(placed, _PATHS))


def read_event(value: Mapping[str, Any], customers: dict[str, UUID | str]) -> IncomingEvent:
    """An event by itself, with its faults; `customers` keeps the ids that were read before."""
    quick = _quickly(value, customers)
    if quick is not None:
        return quick
    try:
        return _incoming(_ONE.validate_python(value))
    except ValidationError as invalid:
        problems = invalid.errors(include_url=False, include_input=False)
    placed = [{**one, "loc": ("event", *one["loc"])} for one in problems]
    named = str(value.get("event_id", ""))[:_PLAIN_CHARS_MAX]
    return IncomingEvent(event_id=named, properties={}, faults=faults_of(placed, _PATHS))


def _incoming(event: EventIn) -> IncomingEvent:
    return IncomingEvent(
        event_id=event.event_id,
        code=event.code,
        customer=event.customer_id,
        timestamp=event.timestamp,
        properties=event.properties or {},
    )


class IngestEventsRequest(RequestModel):
    """1 to 1000 events; all of them are taken or none, unless partial failures are allowed.

    An event may lie 24 hours back and 1 hour ahead; `allow_backfilling` lifts the first.
    """

    events: Annotated[tuple[IncomingEvent, ...], _Events()]
    allow_backfilling: Flag | None = None
    allow_partial_failures: Flag | None = None


class IngestFailureOut(AnswerModel):
    """An event that was not taken, and why."""

    event_id: str
    reason: str


class IngestEventsOut(AnswerModel):
    """What became of the events: `failures` is left out where there are none.

    `ingested` counts those that were new, `duplicates` those that had been sent before.
    """

    failures: list[IngestFailureOut] | None = None
    ingested: int
    duplicates: int
