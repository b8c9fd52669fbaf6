"""Recording what happened, for merchants to be told."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from tallystick.db import custom_properties, events
from tallystick.db.events import WiredEvent
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.link import payment_url

EventValue = (
    str
    | int
    | bool
    | StrEnum
    | Decimal
    | datetime
    | date
    | list["EventValue"]
    | Mapping[str, "EventValue"]
    | None
)
"""What a field of an event may hold; ids are prefixed texts already."""

_PROPERTIES = "custom_properties"

Told = tuple[str, UUID, Mapping[str, EventValue]]
"""An event: its type, what it happened to, and its body."""


async def record(
    ctx: Context, event_type: str, object_id: UUID, data: Mapping[str, EventValue]
) -> None:
    """Write an event in the context's transaction, dated by its `now`.

    `data` is the body that the reference's `<Noun>Event` of this type decodes, without `id`,
    `type` and `timestamp`. Instants, dates and decimals are turned into the wire's texts. What
    is told of an invoice has its custom properties, whatever `data` says of them.
    """
    if _is_of_invoice(event_type):
        await record_many(ctx, [(event_type, object_id, data)])
        return
    body = {name: as_wire(value) for name, value in data.items()}
    await events.append(
        ctx.transaction, ctx.tenant.id, new_id(), event_type, object_id, body, ctx.now
    )


async def record_many(ctx: Context, told: Sequence[Told]) -> None:
    """Write events as `record` does, many at once."""
    billed = {object_id for event_type, object_id, _ in told if _is_of_invoice(event_type)}
    kept: Mapping[UUID, Mapping[str, object]] = {}
    if billed:
        kept = await custom_properties.of_invoices(ctx.transaction, ctx.tenant.id, billed)
    await events.append_many(
        ctx.transaction,
        ctx.tenant.id,
        [
            WiredEvent(
                id=new_id(),
                type=event_type,
                object_id=object_id,
                data={name: as_wire(value) for name, value in data.items()}
                | (
                    {_PROPERTIES: kept[object_id], **_page(ctx, object_id, data)}
                    if _is_of_invoice(event_type)
                    else {}
                ),
            )
            for event_type, object_id, data in told
        ],
        ctx.now,
    )


def _page(
    ctx: Context, invoice_id: UUID, data: Mapping[str, EventValue]
) -> Mapping[str, object]:
    """Where an invoice that is owed, or was, can be seen and paid."""
    if data.get("status") not in {"FINALIZED", "UNCOLLECTIBLE"}:
        return {}
    tenant = ctx.tenant
    return {
        "payment_url": payment_url(
            ctx.app.public_url, tenant.link_secret, tenant.id, invoice_id
        )
    }


def _is_of_invoice(event_type: str) -> bool:
    return event_type.startswith("invoice.")


def as_wire(value: EventValue) -> object:
    """A value as it stands on the wire: decimals and dates as text, instants with `Z`."""
    match value:
        case datetime():
            return instant_text(value)
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case Mapping():
            return {name: as_wire(part) for name, part in value.items()}
        case list():
            return [as_wire(part) for part in value]
        case _:
            return value


def instant_text(value: datetime) -> str:
    """An instant as RFC 3339 with milliseconds and `Z`."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
