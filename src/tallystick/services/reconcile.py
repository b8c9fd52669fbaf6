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

from tallystick.db import orphans, provider_connections
from tallystick.db.engine import Tx, retrying
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.orphan import Orphan, OrphanPolicy, OrphanState, TakenPayment
from tallystick.domain.payment import Refunded, RefundRefused, Unknown
from tallystick.domain.provider_connection import ProviderConnection
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
LIST_CALLS = 10
"""A list may take as long as so many calls: it has pages."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Whose money is listed: a provider by `names`; of one tenant, None for every tenant's.

    An account that was connected more than once has more than one name, of which `provider`
    has the one that is open.
    """

    provider: PaymentProvider
    names: tuple[str, ...]
    tenant_id: UUID | None


async def _unknown(
    app: App, real_now: datetime, since: datetime
) -> list[tuple[PaymentProvider, UUID, TakenPayment]]:
    """What the providers list and our books do not know, oldest first.

    A provider that does not answer is looked at another time.
    """
    found: list[tuple[PaymentProvider, UUID, TakenPayment]] = []

    async def compare(place: _Place) -> None:
        async with asyncio.timeout(app.call_limit_seconds * LIST_CALLS):
            listed = await place.provider.payments_since(since)
        by_tenant: dict[UUID, list[TakenPayment]] = defaultdict(list)
        for tenant_id, payment in listed:
            is_its = place.tenant_id in {None, tenant_id}
            if is_its and payment.taken_at <= real_now - GRACE:
                by_tenant[tenant_id].append(payment)
        for tenant_id, payments in by_tenant.items():
            async with app.database.connection() as tx:
                unknown = await orphans.unknown(
                    tx, tenant_id, place.names, [one.reference for one in payments]
                )
            found.extend(
                (place.provider, tenant_id, one) for one in payments if one.reference in unknown
            )

    places = await _places(app, real_now)
    await each_alone(places, compare, at_once=AT_ONCE, work="list_payments")
    return sorted(found, key=lambda one: (one[2].taken_at, one[2].reference))


async def _places(app: App, real_now: datetime) -> list[_Place]:
    """The providers of this program, and each account that a tenant is connected to, once."""
    places = [
        _Place(provider=one, names=(one.name,), tenant_id=None)
        for one in app.providers.values()
    ]
    seen: set[tuple[UUID, str, str, bool]] = set()
    async with app.database.connection() as tx:
        for one in await provider_connections.every_open(tx):
            ctx = await tenant_context(app, tx, one.tenant_id, real_now, actor="worker")
            known = {connection.id: connection for connection in ctx.tenant.connections}
            account = _account(known[one.id])
            if account not in seen:
                seen.add(account)
                names = tuple(c.name for c in known.values() if _account(c) == account)
                provider = app.connect(known[one.id])
                places.append(_Place(provider=provider, names=names, tenant_id=one.tenant_id))
    return places


def _account(connection: ProviderConnection) -> tuple[UUID, str, str, bool]:
    return (
        connection.tenant_id,
        connection.provider,
        connection.account,
        connection.is_live,
    )


async def _take_up(
    ctx: Context, provider: PaymentProvider, payment: TakenPayment
) -> OrphanState:
    names = [provider.name]
    connection = ctx.tenant.connection_named(provider.name)
    if connection is not None:
        account = _account(connection)
        names = [one.name for one in ctx.tenant.connections if _account(one) == account]

    async def decide(tx: Tx) -> Orphan:
        # By the name under which it was asked for, which may be that of a closed connection.
        known_as = await orphans.name_of(tx, ctx.tenant.id, names, payment.reference)
        return await _decide(ctx, tx, known_as or provider.name, payment)

    orphan = await retrying(ctx.app.database, decide)
    if orphan.state is not OrphanState.REFUNDING:
        return orphan.state
    return await give_back_orphan(ctx, provider, orphan)


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


async def give_back_orphan(
    ctx: Context, provider: PaymentProvider, orphan: Orphan
) -> OrphanState:
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
            tx,
            ctx.tenant.id,
            orphan.id,
            OrphanState.REFUNDING,
            state,
            failure,
            tries=orphan.tries,
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
