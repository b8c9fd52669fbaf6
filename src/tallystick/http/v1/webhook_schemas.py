"""Webhook endpoints and deliveries on the wire."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from tallystick.domain.errors import Fault, InvalidInput
from tallystick.domain.webhook_delivery import AttemptEntry, DeliveryEntry, DeliveryStatus
from tallystick.domain.webhook_endpoint import (
    DisabledReason,
    EndpointFields,
    WebhookEndpoint,
    WebhookHeader,
    needs_setup,
)
from tallystick.http.v1.paging import NEWEST_FIRST, Order, OrderBy, PageQuery, PaginationMeta
from tallystick.http.v1.scalars import (
    LIST_MAX,
    AnswerModel,
    EventId,
    Flag,
    Instant,
    Name,
    RequestModel,
    Text,
    WebhookDeliveryId,
    WebhookEndpointId,
    WholeNumber,
)
from tallystick.services.create_webhook_endpoint import CreatedEndpoint
from tallystick.services.webhook_secret import shown

HEADERS_MAX = 20

Url = Annotated[
    str,
    Text(2048),
    Field(
        description="An absolute https address. Redirects are not followed, and the addresses "
        "that its host leads to must be public each time it is connected to."
    ),
]
Types = Annotated[
    list[Name],
    Field(max_length=LIST_MAX, description="Types of events; an empty list means every type."),
]
Rate = Annotated[
    WholeNumber,
    Field(ge=1, le=1000, description="Deliveries begun per second, at most; null: no limit."),
]
Description = Annotated[
    str, Text(1000, blank=True), Field(description="For people; empty text clears it.")
]


class WebhookHeaderIn(RequestModel):
    """A header to send with every delivery.

    A sensitive one is never shown again. Sent without a value, it keeps the one that it has,
    or waits for one: until then the endpoint is disabled.
    """

    name: Annotated[Name, Field(description="The name of the header, in any case of letters.")]
    sensitive: Annotated[
        Flag | None, Field(description="Whether its value is never shown again.")
    ] = None
    value: Annotated[
        Annotated[str, Text(2000, blank=True)] | None,
        Field(description="Printable ASCII; may be left out of a sensitive header."),
    ] = None


Headers = Annotated[
    list[WebhookHeaderIn],
    Field(max_length=HEADERS_MAX, description="Headers to send with every delivery."),
]


class CreateWebhookEndpointRequest(RequestModel):
    """An endpoint to be: where events go, and which."""

    url: Url
    description: Description | None = None
    event_types: Types | None = None
    headers: Headers | None = None
    rate_limit_per_sec: Rate | None = None


class UpdateWebhookEndpointRequest(RequestModel):
    """What is to change: what is left out stays, null clears.

    `url` cannot be cleared; null for `disabled` leaves it as it is.
    """

    url: Url | None = None
    description: Description | None = None
    event_types: Types | None = None
    headers: Headers | None = None
    rate_limit_per_sec: Rate | None = None
    disabled: Annotated[
        Flag | None,
        Field(
            description="True: nothing is sent. False: it is sent again, failures are "
            "forgotten, and what was missed in the last three days follows."
        ),
    ] = None


class WebhookHeaderOut(AnswerModel):
    """A header of the merchant's own; the value of a sensitive one is not shown."""

    name: str
    sensitive: bool
    set: Annotated[bool, Field(description="Whether it has a value.")]
    value: str | None


class WebhookEndpointOut(AnswerModel):
    """Where events are sent to."""

    id: WebhookEndpointId
    url: str
    description: str | None
    event_types: Annotated[list[str], Field(description="An empty list means every type.")]
    headers: list[WebhookHeaderOut]
    rate_limit_per_sec: Annotated[
        int | None, Field(description="Deliveries begun per second, at most.")
    ]
    max_in_flight: Annotated[
        int, Field(description="How many deliveries may be under way at once.")
    ]
    disabled: bool
    disabled_reason: Annotated[
        DisabledReason | None,
        Field(
            description="MANUAL: by request, or because a header waits for its value. "
            "AUTO_FAILURES: it failed for three days. GONE: it answered 410."
        ),
    ]
    needs_setup: Annotated[
        bool, Field(description="Whether a sensitive header still waits for its value.")
    ]
    consecutive_failures: Annotated[
        int, Field(description="Failed attempts since the last success.")
    ]
    failing_since: Annotated[
        Instant | None, Field(description="The first of them, in real time.")
    ]
    last_success_at: Annotated[Instant | None, Field(description="In real time.")]
    last_failure_at: Annotated[Instant | None, Field(description="In real time.")]
    paused_until: Annotated[
        Instant | None,
        Field(
            description="It was not reached several times in a row: nothing is sent before "
            "this moment of real time, then one delivery at a time until it answers."
        ),
    ]
    created_at: Instant
    updated_at: Instant


class CreatedWebhookEndpoint(WebhookEndpointOut):
    """A new endpoint, with the secret that signs what it gets."""

    secret: Annotated[str, Field(description="`whsec_` and base64, for Standard Webhooks.")]


class WebhookEndpointList(AnswerModel):
    """Every endpoint, newest first; there are 50 at most."""

    data: list[WebhookEndpointOut]


class WebhookEndpointSecret(AnswerModel):
    """The current secret of an endpoint."""

    secret: Annotated[str, Field(description="`whsec_` and base64, for Standard Webhooks.")]


class WebhookAttemptOut(AnswerModel):
    """One attempt to deliver, in real time."""

    number: Annotated[int, Field(description="From 1.")]
    started_at: Instant
    duration_ms: Annotated[
        int | None, Field(description="Null while it is under way, or was lost.")
    ]
    response_status: int | None
    error: Annotated[str | None, Field(description="What went wrong; null when nothing did.")]
    response_excerpt: Annotated[
        str | None, Field(description="The first 500 characters of the answer.")
    ]


class WebhookDeliveryOut(AnswerModel):
    """One event for one endpoint; every instant is real time."""

    id: WebhookDeliveryId
    endpoint_id: WebhookEndpointId
    message_id: Annotated[EventId, Field(description="The event: `webhook-id`.")]
    event_type: str
    sequence: Annotated[int, Field(description="The event's number.")]
    manual: Annotated[bool, Field(description="Whether somebody asked for it to be resent.")]
    status: DeliveryStatus
    attempt_count: int
    next_attempt_at: Annotated[
        Instant | None,
        Field(description="Null while an earlier event of the same object is not done."),
    ]
    last_response_status: int | None
    last_error: str | None
    created_at: Instant
    completed_at: Instant | None
    attempts: list[WebhookAttemptOut]


class WebhookDeliveryList(AnswerModel):
    """One page of deliveries."""

    data: list[WebhookDeliveryOut]
    pagination_meta: PaginationMeta


class DeliveryQuery(PageQuery):
    """Filters and order of the list."""

    order_by: Annotated[Order, OrderBy("created_at")] = NEWEST_FIRST
    status: DeliveryStatus | None = None


def to_fields(body: CreateWebhookEndpointRequest) -> EndpointFields:
    """What is said about a new endpoint."""
    return EndpointFields(
        url=body.url,
        description=body.description or None,
        event_types=_types(body.event_types),
        headers=_headers(body.headers),
        rate_limit_per_sec=body.rate_limit_per_sec,
    )


def said_about(body: UpdateWebhookEndpointRequest) -> Mapping[str, Any]:
    """The fields of `EndpointFields` that are to change.

    Raises:
        InvalidInput: The address is to be cleared.
    """
    if "url" in body.model_fields_set and body.url is None:
        fault = Fault("url", "required", "cannot be cleared; leave it out to keep it")
        raise InvalidInput(f"url: {fault.message}", (fault,))
    wanted: dict[str, Any] = {
        "url": body.url,
        "description": body.description or None,
        "event_types": _types(body.event_types),
        "headers": _headers(body.headers),
        "rate_limit_per_sec": body.rate_limit_per_sec,
    }
    return {name: wanted[name] for name in wanted.keys() & body.model_fields_set}


def show_endpoint(endpoint: WebhookEndpoint) -> WebhookEndpointOut:
    """An endpoint as it is answered."""
    return WebhookEndpointOut(**_shown(endpoint))


def show_created(created: CreatedEndpoint) -> CreatedWebhookEndpoint:
    """A new endpoint as it is answered, once."""
    secret = shown(created.secret)
    return CreatedWebhookEndpoint(**_shown(created.endpoint), secret=secret)


def show_secret(secret: bytes) -> WebhookEndpointSecret:
    """A secret as it is answered."""
    return WebhookEndpointSecret(secret=shown(secret))


def show_delivery(entry: DeliveryEntry) -> WebhookDeliveryOut:
    """A delivery as it is answered."""
    return WebhookDeliveryOut(
        id=entry.id,
        endpoint_id=entry.endpoint_id,
        message_id=entry.event_id,
        event_type=entry.event_type,
        sequence=entry.sequence,
        manual=entry.manual,
        status=entry.status,
        attempt_count=entry.attempt_count,
        next_attempt_at=entry.next_attempt_at,
        last_response_status=entry.last_response_status,
        last_error=entry.last_error,
        created_at=entry.created_at,
        completed_at=entry.completed_at,
        attempts=[_attempt(one) for one in entry.attempts],
    )


def _types(given: list[str] | None) -> tuple[str, ...]:
    """Each type once, in the order in which they were given."""
    return tuple(dict.fromkeys(given or ()))


def _headers(given: list[WebhookHeaderIn] | None) -> tuple[WebhookHeader, ...]:
    return tuple(
        WebhookHeader(name=one.name, value=one.value, sensitive=bool(one.sensitive))
        for one in given or ()
    )


def _shown(endpoint: WebhookEndpoint) -> dict[str, Any]:
    health = endpoint.health
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": list(endpoint.event_types),
        "headers": [
            WebhookHeaderOut(
                name=one.name,
                sensitive=one.sensitive,
                set=one.value is not None,
                value=None if one.sensitive else one.value,
            )
            for one in endpoint.headers
        ],
        "rate_limit_per_sec": endpoint.rate_limit_per_sec,
        "max_in_flight": endpoint.max_in_flight,
        "disabled": endpoint.disabled_reason is not None,
        "disabled_reason": endpoint.disabled_reason,
        "needs_setup": needs_setup(endpoint.headers),
        "consecutive_failures": health.consecutive_failures,
        "failing_since": health.failing_since,
        "last_success_at": health.last_success_at,
        "last_failure_at": health.last_failure_at,
        "paused_until": health.paused_until,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
    }


def _attempt(entry: AttemptEntry) -> WebhookAttemptOut:
    return WebhookAttemptOut(
        number=entry.number,
        started_at=entry.started_at,
        duration_ms=_milliseconds(entry.started_at, entry.ended_at),
        response_status=entry.response_status,
        error=entry.error,
        response_excerpt=entry.response_excerpt,
    )


def _milliseconds(began: datetime, ended: datetime | None) -> int | None:
    return None if ended is None else (ended - began) // timedelta(milliseconds=1)
