"""Collect an invoice from a saved method: claim, charge, record, without the buyer.

A long verb. Nothing is asked of the provider while a transaction is open, every call carries
the key of its first try, and no answer is never a failure: the sweeper asks again.
"""

from uuid import UUID

from tallystick.db import collections, trial_charges
from tallystick.db.engine import Tx, retrying
from tallystick.domain.attempt import AttemptState
from tallystick.domain.collection import Collection
from tallystick.services.charge_trial_end import claim_trial_end
from tallystick.services.claim import lease_seconds
from tallystick.services.context import Context
from tallystick.services.each_alone import each_alone
from tallystick.services.ids import new_id
from tallystick.services.method_on_file import method_on_file
from tallystick.services.settle_drafts import too_little
from tallystick.services.sweep import AT_ONCE
from tallystick.services.try_to_collect import carry_on, charge

BATCH = 200


async def collect_due(ctx: Context) -> int:
    """Try to collect every invoice that is due for it at the tenant's now.

    Returns how many were tried; where there is nothing to charge, nothing is.
    """
    tried = 0

    async def collect(invoice_id: UUID) -> None:
        nonlocal tried
        tried += await collect_invoice(ctx, invoice_id)

    while True:
        async with ctx.app.database.connection() as tx:
            due = await collections.due(tx, ctx.tenant.id, ctx.now, ctx.today, BATCH)
        done = await each_alone(due, collect, at_once=AT_ONCE, work="collect")
        if len(due) < BATCH or not done:
            return tried


async def collect_invoice(
    ctx: Context, invoice_id: UUID, try_id: UUID | None = None, payer: bytes | None = None
) -> bool:
    """Charge what an invoice owes to the method on file, and tell whether it was tried.

    `try_id` is the id that the try gets, a new one by default, and `payer` marks the address of
    a customer who asks for it. Without a method that can be
    charged, or with too little left to charge, the invoice waits for its buyer.
    """
    claimed = await retrying(
        ctx.app.database, lambda tx: _claim(ctx, tx, invoice_id, try_id, payer)
    )
    if not isinstance(claimed, Collection):
        return claimed
    await carry_on(ctx, claimed, await charge(ctx, claimed))
    return True


async def _claim(
    ctx: Context, tx: Tx, invoice_id: UUID, try_id: UUID | None, payer: bytes | None
) -> Collection | bool:
    """Lock the invoice and write the try, or note that there is nothing to charge.

    True says that it was dealt with without being charged.
    """
    if await trial_charges.is_charged_first(tx, ctx.tenant.id, invoice_id):
        return await claim_trial_end(ctx, tx, invoice_id)
    owing = await collections.lock_owing(tx, ctx.tenant.id, invoice_id, ctx.now)
    if owing is None:
        return False
    provider = ctx.app.provider_of(ctx.tenant, owing.invoicing_entity_id)
    chosen = await method_on_file(ctx, tx, provider, owing.customer_id, owing.own_method_id)
    await collections.stop(tx, ctx.tenant.id, invoice_id)
    if chosen is None or too_little(provider, owing.amount_due, owing.currency):
        return False
    made = Collection(
        id=try_id or new_id(),
        invoice_id=owing.id,
        customer_id=owing.customer_id,
        payment_method_id=chosen.id,
        transaction_id=new_id(),
        provider=chosen.method.provider,
        reference=None,
        method=chosen.method,
        amount=owing.amount_due,
        currency=owing.currency,
        state=AttemptState.LIVE,
        failure=None,
        claimed_at=ctx.now,
    )
    await collections.insert(tx, ctx.tenant.id, made, lease_seconds(ctx.app), payer=payer)
    return made
