"""Reconcile: compare what the providers took with our books, and mend what is missing there.

A long verb. Money that a provider took and nobody here knows of is told of once, and then by
the tenant's policy attached to the try that it belongs to, or given back under a key of its
own. A refund that we did not ask for is another matter: see `record_reversal`.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from tallystick.db import orphans
from tallystick.db.engine import Tx, retrying
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.orphan import Orphan, OrphanPolicy, OrphanState, TakenPayment
from tallystick.domain.payment import Refunded, RefundRefused, Unknown
from tallystick.services.context import App, Context
from tallystick.services.each_alone import each_alone
from tallystick.services.events import EventValue, record
from tallystick.services.ids import new_id
from tallystick.services.ports import PaymentProvider
from tallystick.services.provider_call import answer_in_time
from tallystick.services.settle_debit import record_late
from tallystick.services.tenant_context import tenant_context

AT_ONCE = 4
LOOKS_BACK = timedelta(days=3)
"""How far the worker looks back; the command line looks as far as it is told to."""
GRACE = timedelta(minutes=15)
"""Younger money is not looked at, in real time: it may just be being recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOrphan:
    """Money that nobody knew of, and what became of it; None where nothing was done."""

    tenant_id: UUID
    provider: str
    payment: TakenPayment
    state: OrphanState | None


async def reconcile_recent(app: App, real_now: datetime) -> int:
    """The same for the last days, as a worker does it again and again."""
    found = await reconcile(app, real_now, real_now - LOOKS_BACK)
    return len(found)


async def find_orphans(app: App, real_now: datetime, since: datetime) -> list[FoundOrphan]:
    """Money taken since an instant of real time that our books do not know; nothing is done."""
    return [
        FoundOrphan(tenant_id=tenant_id, provider=provider.name, payment=one, state=None)
        for provider, tenant_id, one in await _unknown(app, real_now, since)
    ]


async def reconcile(app: App, real_now: datetime, since: datetime) -> list[FoundOrphan]:
    """Find money taken since an instant of real time that our books do not know, and do with
    it what its tenant wants.
    """
    done: list[FoundOrphan] = []

    async def take_up(one: tuple[PaymentProvider, UUID, TakenPayment]) -> None:
        provider, tenant_id, payment = one
        async with app.database.connection() as tx:
            ctx = await tenant_context(app, tx, tenant_id, real_now, actor="worker")
        state = await _take_up(ctx, provider, payment)
        done.append(
            FoundOrphan(
                tenant_id=tenant_id, provider=provider.name, payment=payment, state=state
            )
        )

    found = await _unknown(app, real_now, since)
    await each_alone(found, take_up, at_once=AT_ONCE, work="reconcile")
    return done


async def _unknown(
    app: App, real_now: datetime, since: datetime
) -> list[tuple[PaymentProvider, UUID, TakenPayment]]:
    """What the providers list and our books do not know, oldest first."""
    found: list[tuple[PaymentProvider, UUID, TakenPayment]] = []
    for provider in app.providers.values():
        async with asyncio.timeout(app.call_limit_seconds):
            listed = await provider.payments_since(since)
        by_tenant: dict[UUID, list[TakenPayment]] = defaultdict(list)
        for tenant_id, payment in listed:
            if payment.taken_at <= real_now - GRACE:
                by_tenant[tenant_id].append(payment)
        for tenant_id, payments in by_tenant.items():
            async with app.database.connection() as tx:
                unknown = await orphans.unknown(
                    tx, tenant_id, provider.name, [one.reference for one in payments]
                )
            found += [
                (provider, tenant_id, one) for one in payments if one.reference in unknown
            ]
    return sorted(found, key=lambda one: (one[2].taken_at, one[2].reference))


async def _take_up(
    ctx: Context, provider: PaymentProvider, payment: TakenPayment
) -> OrphanState:
    orphan = await retrying(
        ctx.app.database, lambda tx: _decide(ctx, tx, provider.name, payment)
    )
    if orphan.state is not OrphanState.REFUNDING:
        return orphan.state
    return await _give_back(ctx, provider, orphan)


async def _decide(ctx: Context, tx: Tx, provider: str, payment: TakenPayment) -> Orphan:
    """Tell of it once; attach it where it belongs, else it is to go back."""
    inner, tenant_id = ctx.within(tx), ctx.tenant.id
    is_new = await orphans.keep(tx, tenant_id, new_id(), provider, payment, ctx.now)
    orphan = await orphans.lock(tx, tenant_id, provider, payment.reference)
    if is_new:
        await _tell(inner, "payment.orphan_found", orphan, "SETTLED")
    if orphan.state is not OrphanState.FOUND or ctx.tenant.orphan_policy == OrphanPolicy.REPORT:
        return orphan
    state = OrphanState.REFUNDING
    if orphan.belongs:
        await record_late(ctx, tx, provider, payment.reference)
        paid = await orphans.is_paid_by(tx, tenant_id, provider, payment.reference)
        state = OrphanState.RETURNED
        if paid is not None:
            state = OrphanState.ATTACHED
            invoice = encode(Prefix.INVOICE, paid)
            await _tell(inner, "payment.orphan_attached", orphan, "SETTLED", invoice)
    await orphans.move(tx, tenant_id, orphan.id, OrphanState.FOUND, state)
    return await orphans.lock(tx, tenant_id, provider, payment.reference)


async def _give_back(ctx: Context, provider: PaymentProvider, orphan: Orphan) -> OrphanState:
    """Ask the provider, under the same key however often, and record its answer once."""
    payment = orphan.payment
    answer = await answer_in_time(
        ctx, provider.refund(ctx.tenant.id, payment.reference, payment.amount, orphan.key)
    )
    match answer or Unknown():
        case Refunded():
            state, failure = OrphanState.REFUNDED, None
        case RefundRefused(message=message):
            state, failure = OrphanState.REFUSED, message
        case Unknown():
            return OrphanState.REFUNDING
        case never:
            assert_never(never)
    async with ctx.app.transaction() as tx:
        moved = await orphans.move(
            tx, ctx.tenant.id, orphan.id, OrphanState.REFUNDING, state, failure
        )
        if moved and state is OrphanState.REFUNDED:
            told = "payment.orphan_refunded"
            await _tell(ctx.within(tx), told, orphan, "SETTLED", refund=True)
    return state


async def _tell(
    ctx: Context,
    event_type: str,
    orphan: Orphan,
    status: str,
    invoice: str | None = None,
    *,
    refund: bool = False,
) -> None:
    payment = orphan.payment
    customer = payment.customer_id
    body: dict[str, EventValue] = {
        "transaction_id": encode(Prefix.TRANSACTION, orphan.id),
        "invoice_id": invoice,
        "customer_id": None if customer is None else encode(Prefix.CUSTOMER, customer),
        "payment_type": "REFUND" if refund else "PAYMENT",
        "status": status,
        "amount": payment.amount,
        "amount_refunded": 0,
        "amount_reversed": 0,
        "currency": payment.currency,
        "provider_transaction_id": payment.reference,
    }
    await record(ctx, event_type, orphan.id, body)
