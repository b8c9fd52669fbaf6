"""What the rows of a file are, once they are read, and who reads them.

Reading is the business of the door that knows the words of requests: a row is a request in
another form. The worker is handed that reading, because doors do not know each other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from tallystick.db.batch_chunks import DueChunk
from tallystick.domain.customer_record import CustomerFields
from tallystick.domain.errors import Fault, Unread
from tallystick.domain.usage_events import IncomingEvent
from tallystick.services.create_subscription import SubscriptionRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCustomer:
    """A customer to be; `unread` is what of the row could not be read."""

    fields: CustomerFields
    invoicing_entity_id: UUID | None
    unread: Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscription:
    """A subscription to be, with what only a file may say of it.

    `plan_name` or `plan_version_id` stand for the plan where the request's is none of ours.
    `slots` are numbers by the component's name or id; the name '' is the only one with slots.
    """

    request: SubscriptionRequest
    plan_name: str | None
    plan_version_id: UUID | None
    slots: tuple[tuple[str, int], ...]


Wanted: TypeAlias = NewCustomer | NewSubscription | IncomingEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """A row that is not blank: what it wants, or why that cannot be read.

    `number` counts as a spreadsheet does, `index` from 0 and only rows that are not blank.
    """

    index: int
    number: int
    identifier: str | None
    record: str
    wanted: Wanted | tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadChunk:
    """The next rows of a chunk that are not dealt with yet.

    `column_of` is the name that the file has for a field of the request, `columns` are all of
    its names in their order.
    """

    rows: Sequence[ImportRow]
    columns: Sequence[str]
    column_of: Callable[[str], str]


ReadRows: TypeAlias = Callable[[DueChunk, int], ReadChunk]
"""Reads what is left of a chunk, so many rows at most."""
