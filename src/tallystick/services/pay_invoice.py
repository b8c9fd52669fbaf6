"""Pay an invoice from the saved payment method, because somebody asks for it now."""

from uuid import UUID

from tallystick.db import collections, invoices
from tallystick.db.engine import Tx, retrying
from tallystick.domain.attempt import AttemptState
from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.collection import Collection
from tallystick.domain.errors import Conflict, Fault
from tallystick.services.change_invoice import lock_open, payment_under_way
from tallystick.services.collect_invoice import collect_invoice
from tallystick.services.context import Context
from tallystick.services.end_dunning import bring_back
from tallystick.services.method_on_file import method_on_file
from tallystick.services.try_limits import too_many_tries


async def pay_invoice(
    ctx: Context,
    invoice_id: UUID,
    try_id: UUID,
    *,
    by_customer: bool = False,
    payer: bytes | None = None,
) -> InvoiceEntry:
    """Charge what an invoice owes to the saved method: the subscription's own, else the newest.

    A long verb. `try_id` is the id that the try gets, the same for every repeat of one request,
    so that a repeat tells how the first one ended. What a customer asks for is a try like one
    at a checkout, from the address that `payer` marks (see `try_limits`).

    Raises:
        NotFound: There is no such invoice.
        Conflict: Nothing is to be paid on it, no saved method can be charged, the charge was
            declined, or too many tries of the customer have failed.
        Busy: A payment for it is under way, or its outcome is not known yet.
    """
    made = await _find(ctx, try_id)
    if made is None:
        await retrying(
            ctx.app.database,
            lambda tx: _prepare(ctx, tx, invoice_id, payer, by_customer=by_customer),
        )
        await collect_invoice(ctx, invoice_id, try_id, payer)
        made = await _find(ctx, try_id)
    if made is None or made.state is AttemptState.LIVE:
        raise payment_under_way()
    if made.failure is not None:
        reason = made.failure.value
        fault = Fault("payment_method", reason.lower(), "could not be charged")
        raise Conflict(f"The saved payment method could not be charged: {reason}.", (fault,))
    await bring_back(ctx, invoice_id)
    async with ctx.app.database.connection() as tx:
        entry = await invoices.load(tx, ctx.tenant.id, invoice_id)
    assert entry is not None, "what was paid exists"
    return entry


async def _find(ctx: Context, try_id: UUID) -> Collection | None:
    async with ctx.app.database.connection() as tx:
        return await collections.load(tx, ctx.tenant.id, try_id)


async def _prepare(
    ctx: Context, tx: Tx, invoice_id: UUID, payer: bytes | None, *, by_customer: bool
) -> None:
    """Make the invoice due for a try, where one can be made; a refusal changes nothing."""
    invoice = await lock_open(ctx.within(tx), invoice_id, "paid")
    if not invoice.amount_due:
        raise Conflict(f"Nothing is due on this invoice: it is {invoice.payment_status.value}.")
    if by_customer:
        fault = await too_many_tries(ctx, tx, invoice.customer_id, payer)
        if fault is not None:
            raise Conflict("Too many tries to pay have failed; try again later.", (fault,))
    await collections.ask_at(tx, ctx.tenant.id, invoice_id, ctx.now)
    owing = await collections.lock_owing(tx, ctx.tenant.id, invoice_id, ctx.now)
    assert owing is not None, "a locked invoice with something due"
    provider = ctx.app.provider_of(ctx.tenant, owing.invoicing_entity_id)
    chosen = await method_on_file(ctx, tx, provider, owing.customer_id, owing.own_method_id)
    if provider is None or chosen is None:
        raise Conflict("The customer has no saved payment method that can be charged.")
    if not provider.chargeable(owing.amount_due, owing.currency):
        raise Conflict("What is due is less than the payment provider can charge.")
