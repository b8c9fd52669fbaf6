"""Bill a change of a running subscription in the transaction of the change."""

from collections.abc import Awaitable, Callable

from tallystick.db import draft_writes, invoices
from tallystick.db.draft_writes import NewDraft
from tallystick.db.engine import Tx
from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.contract import Contract
from tallystick.domain.renewal import Draft
from tallystick.services.context import Context
from tallystick.services.events import record_many
from tallystick.services.finalize_due import finalize_at_once
from tallystick.services.ids import new_id
from tallystick.services.purchase_events import invoice_event
from tallystick.services.take_steps import start_of


async def bill_change(
    ctx: Context,
    tx: Tx,
    draft: Draft,
    contract: Contract,
    before_final: Callable[[], Awaitable[None]] | None = None,
) -> InvoiceEntry | None:
    """Write the invoice of a change, final at once unless a person is to finalize it.

    `before_final` writes what refers to it, and must be there when it is paid.
    """
    invoice = draft.invoice
    starts = start_of(invoice.invoice_date, ctx.tenant.time_zone)
    new = NewDraft(
        draft=draft,
        line_ids=[new_id() for _ in invoice.lines],
        finalize_at=starts if contract.auto_advance_invoices else None,
    )
    await draft_writes.insert(tx, ctx.tenant.id, [new], ctx.now)
    await record_many(ctx, [("invoice.created", invoice.id, invoice_event(invoice, None))])
    if before_final is not None:
        await before_final()
    await finalize_at_once(ctx, tx, [invoice.id])
    return await invoices.load(tx, ctx.tenant.id, invoice.id)
