"""The event log on the wire: each event as webhooks carry it."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import ConfigDict, Field
from pydantic.json_schema import JsonSchemaValue
from typing_extensions import override

from tallystick.db.event_log import LoggedEvent
from tallystick.domain.event_types import EVENT_TYPES
from tallystick.http.v1.scalar import Scalar, must_be_text, problem
from tallystick.http.v1.scalars import LIST_MAX, AnswerModel, EventId, Instant, RequestModel
from tallystick.services.event_body import event_body

LIMIT_DEFAULT = 25
LIMIT_MAX = 100
SEQUENCE_MAX = 2**63 - 1


@dataclass(frozen=True)
class EventTypeText(Scalar):
    """The type of an event: the reference's, or one of ours."""

    @override
    def parse(self, value: Any) -> str:
        text = must_be_text(value)
        if text not in EVENT_TYPES:
            near = get_close_matches(text[:100], EVENT_TYPES, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ", such as `invoice.paid`"
            raise problem("unknown_value", f"is not a type of event{hint}")
        return text

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "enum": sorted(EVENT_TYPES)}


class EventQuery(RequestModel):
    """Which part of the log is wanted."""

    after: Annotated[
        int,
        Field(ge=0, le=SEQUENCE_MAX, description="Only events with a greater `sequence`."),
    ] = 0
    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX, description="How many at most.")] = (
        LIMIT_DEFAULT
    )
    type: Annotated[
        list[Annotated[str, EventTypeText()]] | None,
        Field(max_length=LIST_MAX, description="Only these types; none means all."),
    ] = None


class EventOut(AnswerModel):
    """Something that happened. What it is about stands beside these fields."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: EventId
    type: str
    timestamp: Annotated[Instant, Field(description="When it happened, in business time.")]
    sequence: Annotated[int, Field(description="The tenant's events are numbered without gap.")]


class EventList(AnswerModel):
    """The next events, in the order of their numbers."""

    data: list[EventOut]
    has_more: Annotated[
        bool, Field(description="Whether there are more: ask again after the last `sequence`.")
    ]


def show_events(found: Sequence[LoggedEvent], limit: int) -> bytes:
    """Up to `limit` events as they are answered; one more says that there are more."""
    told = ", ".join(
        event_body(one.id, one.type, one.happened_at, one.sequence, one.data)
        for one in found[:limit]
    )
    has_more = "true" if len(found) > limit else "false"
    return f'{{"data": [{told}], "has_more": {has_more}}}'.encode()
