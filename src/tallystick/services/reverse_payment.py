"""Let the test bank take money back of a payment, and record what it reports of it."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from tallystick.db import invoices, transactions
from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.errors import Conflict, NotFound
from tallystick.domain.reversal import ReportedReversal
from tallystick.services.context import SANDBOX, Context
from tallystick.services.provider_call import answer_in_time
from tallystick.services.record_reversal import record_reversal

Play = Callable[[UUID, str], Awaitable[ReportedReversal]]
"""Plays the provider's part for the payment of a tenant and a reference; tells what it did."""


async def reverse_payment(ctx: Context, payment_id: UUID, play: Play) -> InvoiceEntry:
    """Let the provider take a payment back, record it, and return its invoice.

    A long verb. What the provider did and nobody recorded is told to the worker.

    Raises:
        NotFound: There is no such payment.
        Conflict: It is not settled, came another way, or has not so much left.
        Busy: The invoice is being paid; what came back is recorded afterwards.
    """
    async with ctx.app.database.connection() as tx:
        payment = await transactions.find(tx, ctx.tenant.id, payment_id)
    if payment is None:
        raise NotFound("There is no such payment.")
    if payment.provider != SANDBOX:
        raise Conflict("This payment did not come through the test bank.")
    provider = ctx.app.providers[SANDBOX]
    if payment.status != "SETTLED":
        raise Conflict(
            f"Only a settled payment can be taken back: this one is {payment.status}."
        )
    reported = await play(ctx.tenant.id, payment.reference)
    await record_reversal(ctx, reported)
    await answer_in_time(ctx, provider.acknowledge_reversal(ctx.tenant.id, reported))
    async with ctx.app.database.connection() as tx:
        entry = await invoices.load(tx, ctx.tenant.id, payment.invoice_id)
    assert entry is not None, "a payment has its invoice"
    return entry
