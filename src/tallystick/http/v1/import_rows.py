"""The rows of a file, read as the requests that they stand for.

There are no rules here: a row becomes the body of `POST /customers`, of `POST /subscriptions`,
or an event of `POST /events/ingest`, and is read by the model of that request.
"""

import csv
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from tallystick.db.batch_chunks import DueChunk
from tallystick.domain.batch_job import BatchJobType
from tallystick.domain.customer_record import CustomerFields
from tallystick.domain.errors import Fault, InvalidInput
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.spreadsheet_cell import bare
from tallystick.http.faults import short
from tallystick.http.reader import Reader
from tallystick.http.v1.csv_records import (
    BYTE_ORDER_MARK,
    Records,
    cells_of,
    refused_file,
)
from tallystick.http.v1.customer_schemas import CustomerCreateRequest, said_about
from tallystick.http.v1.event_schemas import EventIn, read_event
from tallystick.http.v1.import_columns import (
    Header,
    Layout,
    Open,
    as_number,
    columns_of,
    is_report_of_errors,
    put,
    read_header,
)
from tallystick.http.v1.pricing_schemas import Count
from tallystick.http.v1.scalars import Name, PlanId, PlanVersionId, RequestModel
from tallystick.http.v1.subscription_requests import (
    SubscriptionCreateRequest,
    to_subscription_request,
)
from tallystick.services.import_rows import (
    ImportRow,
    NewCustomer,
    NewSubscription,
    ReadChunk,
    Wanted,
)

IDENTIFIER_CHARS_MAX = 255

_NO_PLAN = encode(Prefix.PLAN, UUID(int=0))
"""In place of the id of a plan that is named otherwise."""


class PlanInRow(RequestModel):
    """What a row of subscriptions may say that the request cannot: a plan by another name."""

    plan_id: PlanId | None = None
    plan: Name | None = None
    plan_version_id: PlanVersionId | None = None
    slots: Annotated[
        dict[str, Count] | None,
        Field(description="First slots, by the component's name or id; '' is the only one."),
    ] = None


_PLAN_COLUMNS = {
    "plan": columns_of(PlanInRow)["plan"],
    "plan_version_id": columns_of(PlanInRow)["plan_version_id"],
    "slots": Open(as_number),
}

LAYOUTS: Mapping[BatchJobType, Layout] = {
    BatchJobType.CUSTOMER_CSV_IMPORT: Layout(
        columns=columns_of(CustomerCreateRequest),
        other_names={},
        required=[("currency",)],
        identifiers=["alias", "name", "billing_email", "last_name"],
    ),
    BatchJobType.SUBSCRIPTION_CSV_IMPORT: Layout(
        columns={**columns_of(SubscriptionCreateRequest), **_PLAN_COLUMNS},
        other_names={
            "customer": "customer_id_or_alias",
            "customer_id": "customer_id_or_alias",
            "customer_alias": "customer_id_or_alias",
            "slots": "slots.",
        },
        required=[
            ("customer_id_or_alias",),
            ("plan_id", "plan", "plan_version_id"),
            ("start_date",),
        ],
        identifiers=["customer_id_or_alias"],
    ),
    BatchJobType.EVENT_CSV_IMPORT: Layout(
        columns=columns_of(EventIn),
        other_names={
            "customer": "customer_id",
            "customer_alias": "customer_id",
            "property": "properties",
        },
        required=[("event_id",), ("customer_id",), ("code",)],
        identifiers=["event_id"],
    ),
}
"""What files of each kind may hold."""

_CUSTOMER = Reader(CustomerCreateRequest, "row")
_SUBSCRIPTION = Reader(SubscriptionCreateRequest, "row")
_PLAN = Reader(PlanInRow, "row")


def header_of(job_type: BatchJobType, line: str, separator: str) -> Header:
    """The columns of a file, from its line of names.

    Raises:
        InvalidInput: It cannot be the header of such a file; every fault together.
    """
    try:
        cells = cells_of(line, separator)
    except csv.Error:
        message = "begins with a line of names that is not well-formed CSV"
        raise refused_file("malformed", message) from None
    while cells and not cells[-1].strip():
        # Spreadsheets leave empty columns on the right.
        cells.pop()
    return read_header(cells, LAYOUTS[job_type])


def read_chunk(due: DueChunk, rows_max: int) -> ReadChunk:
    """The next rows of a chunk that are not dealt with yet, so many at most."""
    header = _known_header(due.job_type, due.header, due.separator)
    chunk = due.chunk
    records = Records(due.separator, chunk.first_row)
    rows = _Rows(due, header)
    index, begin = chunk.first_item, chunk.first_item + chunk.done
    found: list[ImportRow] = []
    for record in records.cut(chunk.content, is_last=True):
        if record.is_blank:
            continue
        if index == begin + rows_max:
            break
        if index >= begin:
            found.append(rows.read(index, record.number, record.text))
        index += 1
    return ReadChunk(rows=found, columns=header.names, column_of=header.column_of)


@lru_cache(maxsize=32)
def _known_header(job_type: BatchJobType, text: str, separator: str) -> Header:
    return header_of(job_type, line_of_names(text), separator)


def line_of_names(header: str) -> str:
    """The line of names at the end of what stands before the rows of a file."""
    *_, last = (one for one in Records().cut(header, is_last=True) if not one.is_blank)
    return last.text.removeprefix(BYTE_ORDER_MARK)


class _Rows:
    """Reads the rows of one chunk."""

    def __init__(self, due: DueChunk, header: Header) -> None:
        self._due = due
        self._layout = LAYOUTS[due.job_type]
        self._header = header
        self._paths = [
            None if field is None else (field, self._layout.path(field))
            for field in header.fields
        ]
        self._is_report = is_report_of_errors(header.names)
        self._customers: dict[str, UUID | str] = {}

    def read(self, index: int, number: int, record: str) -> ImportRow:
        """What a row wants, or why that cannot be read."""
        identifier: str | None = None
        wanted: Wanted | tuple[Fault, ...]
        try:
            said = self._said(record)
            identifier = self._identifier(said)
            wanted = self._wanted(said)
        except InvalidInput as refused:
            wanted = refused.faults
        except csv.Error as reason:
            wanted = (Fault("", "malformed", f"the row is not well-formed CSV: {reason}"),)
        return ImportRow(
            index=index, number=number, identifier=identifier, record=record, wanted=wanted
        )

    def _said(self, record: str) -> dict[str, str]:
        """The cells that are not empty, by their fields."""
        cells = cells_of(record, self._due.separator)
        if self._is_report:
            cells = [bare(cell) for cell in cells]
        names = len(self._paths)
        if any(cell.strip() for cell in cells[names:]):
            message = f"the row has {len(cells)} cells, and the header {names} names"
            raise InvalidInput(message, (Fault("", "too_long", message),))
        return {
            place[0]: cell.strip()
            for place, cell in zip(self._paths, cells, strict=False)
            if place is not None and cell.strip()
        }

    def _identifier(self, said: Mapping[str, str]) -> str | None:
        found = next((said[name] for name in self._layout.identifiers if name in said), None)
        return None if found is None else found[:IDENTIFIER_CHARS_MAX]

    def _wanted(self, said: Mapping[str, str]) -> Wanted:
        body: dict[str, Any] = {}
        for field, cell in said.items():
            put(body, self._layout.path(field), self._layout.value(field, cell))
        match self._due.job_type:
            case BatchJobType.CUSTOMER_CSV_IMPORT:
                return _customer(body)
            case BatchJobType.SUBSCRIPTION_CSV_IMPORT:
                return _subscription(body)
            case _:
                return read_event(body, self._customers)


def _customer(body: dict[str, Any]) -> NewCustomer:
    read, unread = _CUSTOMER.read_apart(body)
    if read is None:
        raise InvalidInput(unread.faults[0].message, unread.faults)
    return NewCustomer(
        fields=CustomerFields(
            **said_about(read), custom_properties=read.custom_properties or {}
        ),
        invoicing_entity_id=read.invoicing_entity_id,
        unread=unread,
    )


def _subscription(body: dict[str, Any]) -> NewSubscription:
    named = {
        name: body.pop(name) for name in ("plan", "plan_version_id", "slots") if name in body
    }
    plan, wrong_plan = _PLAN.read(named)
    faults = list(wrong_plan.faults)
    ways = [name for name in ("plan_id", "plan", "plan_version_id") if name in {*body, *named}]
    if len(ways) > 1:
        message = f"must name the plan once, not by {' and '.join(ways)}"
        faults.append(Fault(ways[0], "repeated", message))
    elif not ways:
        faults.append(Fault("plan_id", "required", "is required"))
    if "plan_version_id" in named and "version" in body:
        faults.append(Fault("version", "repeated", "is said by `plan_version_id` already"))
    # A subscription of a file begins by itself unless the file says otherwise.
    whole = {"plan_id": _NO_PLAN, "activation_condition": "ON_START", **body}
    read, unread = _SUBSCRIPTION.read(whole)
    faults += unread.faults
    if faults:
        raise InvalidInput(short(faults[0].message), tuple(faults))
    return NewSubscription(
        request=to_subscription_request(read),
        plan_name=plan.plan,
        plan_version_id=plan.plan_version_id,
        slots=tuple((plan.slots or {}).items()),
    )
