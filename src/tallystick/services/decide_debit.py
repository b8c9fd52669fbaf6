"""Let the test bank decide an accepted debit now, instead of when its time comes."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from tallystick.db import invoices, transactions
from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.errors import Busy, Conflict, NotFound
from tallystick.services.context import SANDBOX, Context
from tallystick.services.provider_call import answer_in_time
from tallystick.services.settle_debit import settle_debit

BUSY_SECONDS = 5
"""When to ask again after a provider that gave no answer."""

Decide = Callable[[UUID, str], Awaitable[None]]
"""Plays the provider's part for the debit of a tenant and a reference."""


async def decide_debit(
    ctx: Context, payment_id: UUID, decide: Decide, *, resumed: bool
) -> InvoiceEntry:
    """Decide a pending payment, record what became of it, and return its invoice.

    A long verb. `resumed` says that an earlier request under the same key began it: what is
    decided by now is the success of both.

    Raises:
        NotFound: There is no such payment.
        Conflict: It is not pending, or came another way.
        Busy: The provider gave no answer.
    """
    async with ctx.app.database.connection() as tx:
        payment = await transactions.find(tx, ctx.tenant.id, payment_id)
    if payment is None:
        raise NotFound("There is no such payment.")
    if payment.status != "PENDING" and not resumed:
        raise Conflict(
            f"Only a pending debit can be decided: this payment is {payment.status}."
        )
    if payment.provider != SANDBOX:
        raise Conflict("This payment did not come through the test bank.")
    if payment.status == "PENDING":
        provider = ctx.app.providers[SANDBOX]
        await decide(ctx.tenant.id, payment.reference)
        standing = await answer_in_time(ctx, provider.look(ctx.tenant.id, payment.reference))
        if standing is None:
            raise Busy("The payment provider gave no answer; ask again.", BUSY_SECONDS)
        await settle_debit(ctx, payment.reference, standing)
        await answer_in_time(ctx, provider.acknowledge_debit(ctx.tenant.id, payment.reference))
    async with ctx.app.database.connection() as tx:
        entry = await invoices.load(tx, ctx.tenant.id, payment.invoice_id)
    assert entry is not None, "a payment has its invoice"
    return entry
