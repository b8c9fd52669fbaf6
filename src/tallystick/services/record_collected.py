"""Record the money of a try to collect: when it comes, and when it comes after all."""

from tallystick.db import collections, invoice_facts, transactions
from tallystick.db.engine import Tx
from tallystick.domain.collection import Collection
from tallystick.services.charge_trial_end import revive_trial_end
from tallystick.services.context import Context
from tallystick.services.events import record


async def record_collected(ctx: Context, tx: Tx, collection: Collection) -> None:
    """Write the payment of a locked try that has succeeded, and credit it to its invoice."""
    await collections.insert_transaction(tx, ctx.tenant.id, collection, pending=False)
    paid = await transactions.credit(
        tx,
        ctx.tenant.id,
        collection.invoice,
        collection.amount,
        collection.claimed_at,
        now=ctx.now,
    )
    if paid:
        body = await invoice_facts.event_body(tx, ctx.tenant.id, collection.invoice)
        await record(ctx.within(tx), "invoice.paid", collection.invoice, body)


async def record_collected_late(ctx: Context, tx: Tx, reference: str) -> bool:
    """A debit that a failed try had asked for has come all the same: it pays its invoice.

    False where there is no such try, or where its invoice does not owe the money any more; then
    it stays with the bank's ledger, and the audit names it as money without an owner.
    """
    provider = ctx.app.provider_of(ctx.tenant)
    known = await collections.failed_under(tx, ctx.tenant.id, provider.name, reference)
    if known is None:
        return False
    collection = await collections.lock(tx, ctx.tenant.id, known)
    if not await revive_trial_end(ctx, tx, collection) and not await collections.revive(
        tx, ctx.tenant.id, collection.id
    ):
        return False
    await record_collected(ctx, tx, collection)
    return True
