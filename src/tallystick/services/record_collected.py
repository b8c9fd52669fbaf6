"""Record the money of a try to collect: when it comes, and when it comes after all."""

from tallystick.db import collections, invoice_facts, refunds, transactions
from tallystick.db.engine import Tx
from tallystick.domain.attempt import AttemptState
from tallystick.domain.collection import Collection
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.refund import RefundOrder, RefundState
from tallystick.services.charge_trial_end import revive_trial_end
from tallystick.services.context import Context
from tallystick.services.events import record
from tallystick.services.ids import new_id
from tallystick.services.pay_slots import slots_of_paid


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
        await slots_of_paid(ctx, tx, collection.invoice)


async def record_collected_late(ctx: Context, tx: Tx, provider: str, reference: str) -> bool:
    """A debit that a failed try had asked for has come all the same: it pays its invoice.

    Where its invoice does not owe the money any more, it goes back: the sweeper of refunds
    asks the provider. False where there is no such try.
    """
    known = await collections.under(tx, ctx.tenant.id, provider, reference, AttemptState.FAILED)
    if known is None:
        return False
    collection = await collections.lock(tx, ctx.tenant.id, known)
    if await revive_trial_end(ctx, tx, collection) or await collections.revive(
        tx, ctx.tenant.id, collection.id
    ):
        await record_collected(ctx, tx, collection)
    elif collection.state is AttemptState.FAILED:
        await refunds.insert(tx, ctx.tenant.id, _sent_back(ctx, collection, reference), 0)
    return True


async def tell_sent_back(ctx: Context, refund: RefundOrder) -> None:
    """Money that nobody owed is on its way back."""
    await record(
        ctx,
        "payment.orphan_refunded",
        refund.id,
        {
            "transaction_id": encode(Prefix.TRANSACTION, refund.id),
            "customer_id": encode(Prefix.CUSTOMER, refund.customer_id),
            "payment_type": "REFUND",
            "status": "SETTLED",
            "amount": refund.amount,
            "amount_refunded": 0,
            "amount_reversed": 0,
            "currency": refund.currency,
            "provider_transaction_id": refund.reference,
        },
    )


def _sent_back(ctx: Context, collection: Collection, reference: str) -> RefundOrder:
    return RefundOrder(
        id=new_id(),
        customer_id=collection.customer_id,
        credit_note_id=None,
        payment_id=None,
        collection_id=collection.id,
        provider=collection.provider,
        reference=reference,
        amount=collection.amount,
        currency=collection.currency,
        state=RefundState.LIVE,
        failure=None,
        claimed_at=ctx.now,
    )
