"""Archive a customer of whom nothing goes on, or bring one back."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from tallystick.db import checkout_sessions, customers
from tallystick.db.checkout_sessions import SessionRecord
from tallystick.db.refusals import UniqueViolation
from tallystick.domain.customer_record import CustomerRecord
from tallystick.domain.errors import Busy, Conflict
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.session import SessionState
from tallystick.services.context import Context
from tallystick.services.create_customer import alias_taken
from tallystick.services.edit_customer import customer_not_found
from tallystick.services.leave_session import leave_session

BUSY_SECONDS = 15
"""When to ask again while a payment's outcome is not known."""


async def archive_customer(ctx: Context, id_or_alias: UUID | str) -> None:
    """Archive a customer: it is listed apart, its alias is free, and nothing new is sold to it.

    Nothing of it is deleted, and what it owes is still collected. Its open checkouts are
    cancelled. One that is archived already stays as it is.

    Raises:
        NotFound: The tenant has no such customer.
        Conflict: A subscription of its goes on, or is to begin.
        Busy: It is paying at a checkout right now.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    before = await customers.load(tx, tenant_id, id_or_alias, lock=True)
    if before is None:
        raise customer_not_found()
    if before.archived_at is not None:
        return
    live = await customers.live_subscription(tx, tenant_id, before.id)
    if live is not None:
        name = encode(Prefix.SUBSCRIPTION, live)
        raise Conflict(f"This customer has a live subscription: end {name} first.")
    for session_id in await customers.open_sessions(tx, tenant_id, before.id):
        record = await checkout_sessions.lock(tx, tenant_id, session_id)
        assert record is not None, "its customer is locked"
        if record.session.state is SessionState.AWAITING_PAYMENT:
            message = "This customer is paying at a checkout right now. Try again shortly."
            raise Busy(message, BUSY_SECONDS)
        await leave_session(ctx, tx, record, _end_of(record, ctx.now))
    archived = replace(before, archived_at=ctx.now, updated_at=ctx.now)
    await customers.save(tx, tenant_id, archived)


def _end_of(record: SessionRecord, now: datetime) -> SessionState:
    """An open session is cancelled; one whose time is over has expired."""
    status = record.session.status(now)
    return status if status is SessionState.EXPIRED else SessionState.CANCELLED


async def unarchive_customer(ctx: Context, id_or_alias: UUID | str) -> None:
    """Bring an archived customer back; an alias means the one archived last under it.

    One that is not archived stays as it is.

    Raises:
        NotFound: The tenant has no such customer.
        Conflict: Another customer has its alias by now.
    """
    before = await _archived(ctx, id_or_alias)
    if before.archived_at is None:
        return
    back = replace(before, archived_at=None, updated_at=ctx.now)
    try:
        await customers.save(ctx.transaction, ctx.tenant.id, back)
    except UniqueViolation as refusal:
        raise alias_taken(refusal, back.alias) from None


async def _archived(ctx: Context, id_or_alias: UUID | str) -> CustomerRecord:
    """The customer, locked; of an alias the unarchived one, else the one archived last."""
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    found = await customers.load(tx, tenant_id, id_or_alias, lock=True)
    if found is None and isinstance(id_or_alias, str):
        archived_id = await customers.archived_as(tx, tenant_id, id_or_alias)
        if archived_id is not None:
            found = await customers.load(tx, tenant_id, archived_id, lock=True)
    if found is None:
        raise customer_not_found()
    return found
