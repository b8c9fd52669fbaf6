"""Pay an invoice from the saved payment method, because somebody asks for it now."""

from uuid import UUID

from tallystick.db import collections, invoice_changes, invoices, saved_methods
from tallystick.db.engine import Tx, retrying
from tallystick.domain.attempt import AttemptState
from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.collection import Collection, method_to_charge
from tallystick.domain.errors import Busy, Conflict, Fault, NotFound
from tallystick.domain.invoice import InvoiceStatus, PaymentStatus
from tallystick.services.collect_invoice import collect_invoice
from tallystick.services.context import Context

BUSY_SECONDS = 15
"""When to ask again while a payment's outcome is not known."""


async def pay_invoice(ctx: Context, invoice_id: UUID, try_id: UUID) -> InvoiceEntry:
    """Charge what an invoice owes to the saved method: the subscription's own, else the newest.

    A long verb. `try_id` is the id that the try gets, the same for every repeat of one request,
    so that a repeat tells how the first one ended.

    Raises:
        NotFound: There is no such invoice.
        Conflict: Nothing is to be paid on it, no saved method can be charged, or the charge
            was declined.
        Busy: A payment for it is under way, or its outcome is not known yet.
    """
    made = await _find(ctx, try_id)
    if made is None:
        await retrying(ctx.app.database, lambda tx: _prepare(ctx, tx, invoice_id))
        await collect_invoice(ctx, invoice_id, try_id)
        made = await _find(ctx, try_id)
    if made is None or made.state is AttemptState.LIVE:
        raise Busy("A payment for this invoice is under way; ask again.", BUSY_SECONDS)
    if made.failure is not None:
        reason = made.failure.value
        fault = Fault("payment_method", reason.lower(), "could not be charged")
        raise Conflict(f"The saved payment method could not be charged: {reason}.", (fault,))
    async with ctx.app.database.connection() as tx:
        entry = await invoices.load(tx, ctx.tenant.id, invoice_id)
    assert entry is not None, "what was paid exists"
    return entry


async def _find(ctx: Context, try_id: UUID) -> Collection | None:
    async with ctx.app.database.connection() as tx:
        return await collections.load(tx, ctx.tenant.id, try_id)


async def _prepare(ctx: Context, tx: Tx, invoice_id: UUID) -> None:
    """Make the invoice due for a try, where one can be made; a refusal changes nothing."""
    invoice = await invoice_changes.lock(tx, ctx.tenant.id, invoice_id)
    if invoice is None:
        raise NotFound("There is no such invoice.")
    if invoice.status is not InvoiceStatus.FINALIZED or not invoice.amount_due:
        raise Conflict(
            "Only a finalized invoice with something due can be paid: this one is "
            f"{invoice.status.value} and {invoice.payment_status.value}."
        )
    if invoice.is_collected or invoice.payment_status is PaymentStatus.PROCESSING:
        raise Busy("A payment for this invoice is under way; ask again.", BUSY_SECONDS)
    await collections.ask_now(tx, ctx.tenant.id, invoice_id, ctx.now)
    owing = await collections.lock_owing(tx, ctx.tenant.id, invoice_id, ctx.now)
    assert owing is not None, "a locked invoice with something due"
    provider = ctx.app.provider_of(ctx.tenant)
    saved = await saved_methods.of_customer(
        tx, ctx.tenant.id, owing.customer_id, provider.name, owing.own_method_id
    )
    if method_to_charge(saved, ctx.now) is None:
        raise Conflict("The customer has no saved payment method that can be charged.")
    if not provider.chargeable(owing.amount_due, owing.currency):
        raise Conflict("What is due is less than the payment provider can charge.")
