"""`tallystick listen`: watch what happens, and forward it to a program on one's own machine."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

import typer
from pydantic import Field
from rich.markup import escape

from tallystick.cli.operator import (
    TenantOption,
    chosen_tenant,
    context_of,
    operate_long,
    read_as,
    real_now,
)
from tallystick.cli.terminal import DataDir, err, out, settings_with
from tallystick.db import event_log
from tallystick.db.event_log import LoggedEvent
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.webhook_delivery import Answered, Outcome, error_of, is_success
from tallystick.domain.webhook_endpoint import EndpointFields, endpoint_faults
from tallystick.http.v1.event_log_schemas import SEQUENCE_MAX, EventTypeText
from tallystick.services.context import App
from tallystick.services.event_body import event_body
from tallystick.services.events import instant_text
from tallystick.services.webhook_secret import listening_secret, shown
from tallystick.webhooks.sender import Sender, open_sender
from tallystick.webhooks.signing import signed_headers

ANSWER_SECONDS_MAX = 30.0
"""A program that a person looks into may take its time."""
LOOK_SECONDS = 0.3
EVENTS_AT_ONCE = 100


def listen(
    *,
    forward_to: Annotated[
        str | None,
        typer.Option(
            "--forward-to",
            metavar="URL",
            help="Where to send each event; without it they are only shown.",
            show_default=False,
        ),
    ] = None,
    events: Annotated[
        str | None,
        typer.Option(
            "--events",
            metavar="TYPES",
            help="Only these types, with commas between: invoice.paid,customer.created.",
            show_default=False,
        ),
    ] = None,
    after: Annotated[
        int | None,
        typer.Option(
            "--after",
            min=0,
            max=SEQUENCE_MAX,
            metavar="NUMBER",
            help="Begin after the event of this number; 0 for all that ever happened.",
            show_default="the newest",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            "--count", min=1, help="End after so many events.", show_default="until Ctrl-C"
        ),
    ] = None,
    tenant: TenantOption = None,
    data_dir: DataDir = None,
) -> None:
    """Show each event of a tenant as it comes, and forward it to a program of yours.

    What is forwarded is what a webhook endpoint would get, signed with the secret that is
    printed first, which stays the same. Nothing is tried again, and nothing is noted. Events
    come about a second after they happened, while a worker runs (`serve` has one).
    """
    types = _types_in(events)
    _refuse_what_is_no_address(forward_to)

    async def work(app: App) -> None:
        async with open_sender(ANSWER_SECONDS_MAX) as sender:
            listener = _Listener(app, sender, forward_to, types)
            await listener.keep_going(tenant, after, count)

    with suppress(KeyboardInterrupt):
        operate_long(settings_with(data_dir=data_dir), work)


def _types_in(events: str | None) -> list[str]:
    wanted = [one.strip() for one in events.split(",")] if events else []
    types: list[str] = read_as(
        Annotated[list[Annotated[str, EventTypeText()]], Field(max_length=100)],
        wanted,
        "--events",
    )
    return types


def _refuse_what_is_no_address(forward_to: str | None) -> None:
    if forward_to is None:
        return
    for fault in endpoint_faults(EndpointFields(url=forward_to), allows_private=True):
        raise typer.BadParameter(f"{fault.message}.", param_hint="--forward-to")


class _Listener:
    """Reads the log of a tenant, and tells of each event."""

    def __init__(
        self, app: App, sender: Sender, forward_to: str | None, types: Sequence[str]
    ) -> None:
        self._app = app
        self._sender = sender
        self._forward_to = forward_to
        self._types = types
        self._secret = b""

    async def keep_going(
        self, tenant: str | None, after: int | None, count: int | None
    ) -> None:
        async with self._app.database.connection() as tx:
            ctx = await context_of(self._app, tx, await chosen_tenant(tx, tenant))
            position = await event_log.last(tx, ctx.tenant.id) if after is None else after
        self._secret = listening_secret(ctx.tenant)
        err.print(f"Listening to {escape(ctx.tenant.name)}. Ctrl-C ends it.")
        if self._forward_to is not None:
            out.print(f"Secret: {shown(self._secret)}", soft_wrap=True)
        left = count
        while left is None or left > 0:
            async with self._app.database.connection() as tx:
                many = EVENTS_AT_ONCE if left is None else min(left, EVENTS_AT_ONCE)
                found = await event_log.after(tx, ctx.tenant.id, position, many, self._types)
            for event in found:
                await self._tell(event)
                position = event.sequence
            left = None if left is None else left - len(found)
            if not found:
                await asyncio.sleep(LOOK_SECONDS)

    async def _tell(self, event: LoggedEvent) -> None:
        data = json.loads(event.data)
        told = (
            f"[dim]{instant_text(event.happened_at)}[/]  {event.sequence:>6}  "
            f"[bold]{event.type}[/]  {_subject(event, data)}"
        )
        if self._forward_to is not None:
            outcome = await self._forward(self._forward_to, event, real_now())
            told += f"  {_came_to(outcome)}"
        out.print(told, soft_wrap=True)

    async def _forward(self, url: str, event: LoggedEvent, now: datetime) -> Outcome:
        body = event_body(
            event.id, event.type, event.happened_at, event.sequence, event.data
        ).encode()
        message_id = encode(Prefix.EVENT, event.id)
        headers = signed_headers(message_id, body, [self._secret], now)
        return await self._sender.post(url, headers, body, allows_private=True)


def _subject(event: LoggedEvent, data: dict[str, Any]) -> str:
    """What an event is about: the id that is named after its noun, else its own."""
    noun = event.type.partition(".")[0]
    names = (f"{noun}_id", "add_on_id", "transaction_id")
    found = next((data[name] for name in names if data.get(name)), None)
    return escape(str(found or encode(Prefix.EVENT, event.id)))


def _came_to(outcome: Outcome) -> str:
    if is_success(outcome) and isinstance(outcome, Answered):
        return f"[green]{outcome.status}[/]"
    return f"[red]{escape(error_of(outcome) or '')}[/]"
