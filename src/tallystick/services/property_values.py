"""Values of custom properties: what becomes of those that a request says."""

import json
from uuid import UUID

from tallystick.db import credit_note_writes, credit_notes, custom_properties, invoice_changes
from tallystick.db import invoices as stored_invoices
from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.credit_note_entry import CreditNoteEntry
from tallystick.domain.custom_properties import PropertyEntity, Values, merged, set_anew
from tallystick.domain.errors import Fault, NotFound, fail_if
from tallystick.services.context import Context
from tallystick.services.credit_note_events import loaded

Checked = tuple[dict[str, object], list[Fault]]
"""The values to store, and what is wrong with them."""


async def values_set_anew(
    ctx: Context, entity: PropertyEntity, said: Values, stored: Values | None = None
) -> Checked:
    """The values of an object of which all are said; without `stored`, of a new one."""
    known = await custom_properties.unarchived(ctx.transaction, ctx.tenant.id, entity)
    return set_anew(known, stored or {}, said)


async def values_merged(
    ctx: Context, entity: PropertyEntity, stored: Values, said: Values
) -> Checked:
    """The values of an object with those that are said; null takes one away."""
    known = await custom_properties.unarchived(ctx.transaction, ctx.tenant.id, entity)
    return merged(known, stored, said)


async def edit_invoice_properties(ctx: Context, invoice_id: UUID, said: Values) -> InvoiceEntry:
    """Merge properties into those of an invoice, whatever its status.

    Raises:
        NotFound: There is no such invoice.
        InvalidInput: A value does not fit its definition; every fault together.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    await invoice_changes.lock(tx, tenant_id, invoice_id)
    invoice = await stored_invoices.load(tx, tenant_id, invoice_id)
    if invoice is None:
        raise NotFound("There is no such invoice.")
    values, faults = await values_merged(
        ctx, PropertyEntity.INVOICE, invoice.custom_properties, said
    )
    fail_if(faults)
    await invoice_changes.save_properties(tx, tenant_id, invoice_id, as_text(values), ctx.now)
    entry = await stored_invoices.load(tx, tenant_id, invoice_id)
    assert entry is not None, "it is locked"
    return entry


async def edit_note_properties(ctx: Context, note_id: UUID, said: Values) -> CreditNoteEntry:
    """Merge properties into those of a credit note, whatever its status.

    Raises:
        NotFound: There is no such note.
        InvalidInput: A value does not fit its definition; every fault together.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    await credit_note_writes.lock(tx, tenant_id, note_id)
    note = await credit_notes.load(tx, tenant_id, note_id)
    if note is None:
        raise NotFound("There is no such credit note.")
    values, faults = await values_merged(
        ctx, PropertyEntity.CREDIT_NOTE, note.custom_properties, said
    )
    fail_if(faults)
    await credit_note_writes.save_properties(tx, tenant_id, note_id, as_text(values), ctx.now)
    return await loaded(ctx, note_id)


def as_text(values: Values) -> str:
    """Values as they are stored."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
