"""Endpoints of webhooks: where events go, which ones, and with what in their headers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import UUID

from tallystick.domain.errors import Fault
from tallystick.domain.event_types import EVENT_TYPES
from tallystick.domain.public_address import names_something_private
from tallystick.domain.web_origin import origin

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
_URL = re.compile(r"[\x21-\x7e]+")

OURS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)
"""Headers that a delivery has by itself; so are all that begin with `webhook-` or `svix-`."""


class DisabledReason(StrEnum):
    """Why nothing is sent to an endpoint, in the reference's words.

    MANUAL: somebody said so, or a sensitive header waits for its value. AUTO_FAILURES: it has
    failed for days. GONE: it answered 410.
    """

    MANUAL = "MANUAL"
    AUTO_FAILURES = "AUTO_FAILURES"
    GONE = "GONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookHeader:
    """A header of the merchant's own, sent with every delivery.

    `value` is None for a sensitive one that waits for it.
    """

    name: str
    value: str | None
    sensitive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How an endpoint has done since its last success, in real time."""

    consecutive_failures: int = 0
    unreached: int = 0
    failing_since: datetime | None = None
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    paused_until: datetime | None = None


def roused(health: Health) -> Health:
    """How an endpoint does that is to be tried at once; that it has failed is not forgotten."""
    return replace(health, unreached=0, paused_until=None)


def untried(health: Health) -> Health:
    """How an endpoint does that begins anew: it has failed nobody yet."""
    return Health(
        last_success_at=health.last_success_at, last_failure_at=health.last_failure_at
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointFields:
    """What is said about an endpoint: no `event_types` are all of them."""

    url: str
    description: str | None = None
    event_types: tuple[str, ...] = ()
    headers: tuple[WebhookHeader, ...] = ()
    rate_limit_per_sec: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint(EndpointFields):
    """An endpoint; `disabled_reason` is None while it is enabled."""

    id: UUID
    max_in_flight: int
    disabled_reason: DisabledReason | None
    health: Health
    created_at: datetime
    updated_at: datetime


def needs_setup(headers: Sequence[WebhookHeader]) -> bool:
    """Whether a header still waits for its value."""
    return any(header.value is None for header in headers)


def merged_headers(
    before: Sequence[WebhookHeader], given: Sequence[WebhookHeader]
) -> tuple[WebhookHeader, ...]:
    """The headers that replace those of before: a sensitive one without a value keeps its own.

    What was sensitive and is to be so no more needs its value again, for it would be shown.
    """
    kept = {header.name.lower(): header.value for header in before}
    return tuple(
        WebhookHeader(name=one.name, value=kept.get(one.name.lower()), sensitive=True)
        if one.sensitive and one.value is None
        else one
        for one in given
    )


def moved_faults(
    before: EndpointFields, after: EndpointFields, given: Sequence[WebhookHeader]
) -> list[Fault]:
    """Sensitive values that would follow to another host, where whoever has it reads them.

    Args:
        before: The endpoint as it was.
        after: The endpoint as it would be.
        given: The headers that are said now; a value among them is meant for the new host.
    """
    if origin(before.url) == origin(after.url):
        return []
    said = {header.name.lower() for header in given if header.value is not None}
    kept = [
        header.name
        for header in after.headers
        if header.sensitive and header.value is not None and header.name.lower() not in said
    ]
    if not kept:
        return []
    message = f"must give the value of {', '.join(kept)} again, for another host is to get it"
    return [Fault("headers", "required", message)]


def endpoint_faults(wanted: EndpointFields, *, allows_private: bool) -> list[Fault]:
    """Everything that is wrong with an endpoint.

    Args:
        wanted: What is said about it.
        allows_private: Whether it may be private and without encryption, for development.
    """
    faults = _url_faults(wanted.url, allows_private=allows_private)
    for index, name in enumerate(wanted.event_types):
        if name not in EVENT_TYPES:
            faults.append(Fault(f"event_types[{index}]", "unknown_value", _unknown(name)))
    seen: set[str] = set()
    for index, header in enumerate(wanted.headers):
        faults += _header_faults(header, f"headers[{index}]", seen)
        seen.add(header.name.lower())
    return faults


def _url_faults(url: str, *, allows_private: bool) -> list[Fault]:
    found = origin(url)
    if found is None or "#" in url or not _URL.fullmatch(url):
        message = (
            "must be an absolute address that starts with https://, in ASCII, without "
            "credentials and without a fragment"
        )
        return [Fault("url", "malformed", message)]
    if allows_private:
        return []
    if not found.startswith("https://"):
        message = (
            "must start with https://; a test tenant may send without encryption where "
            "TALLYSTICK_PRIVATE_WEBHOOKS is true"
        )
        return [Fault("url", "not_encrypted", message)]
    if names_something_private(urlsplit(found).hostname or ""):
        message = (
            "must not be a private address; a test tenant may send to one where "
            "TALLYSTICK_PRIVATE_WEBHOOKS is true, and `tallystick listen` forwards to one"
        )
        return [Fault("url", "private_address", message)]
    return []


def _unknown(name: str) -> str:
    near = get_close_matches(name, EVENT_TYPES, n=1)
    if near:
        return f"is not a type of event; did you mean `{near[0]}`?"
    return "is not a type of event, such as `invoice.paid`"


def _header_faults(header: WebhookHeader, path: str, seen: set[str]) -> list[Fault]:
    faults = []
    name = header.name.lower()
    if not _TOKEN.fullmatch(header.name):
        message = "must be the name of a header: up to 100 letters, digits and hyphens"
        faults.append(Fault(f"{path}.name", "malformed", message))
    elif name in OURS or name.startswith(("webhook-", "svix-")):
        faults.append(Fault(f"{path}.name", "reserved", "is set by every delivery itself"))
    elif name in seen:
        faults.append(Fault(f"{path}.name", "repeated", "must be given once"))
    if header.value is None and not header.sensitive:
        message = "is required; only a sensitive header may be given its value later"
        faults.append(Fault(f"{path}.value", "required", message))
    if header.value is not None and not _VALUE.fullmatch(header.value):
        message = "must be printable ASCII without blanks at its ends"
        faults.append(Fault(f"{path}.value", "malformed", message))
    return faults
