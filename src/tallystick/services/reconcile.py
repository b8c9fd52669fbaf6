"""Reconcile: compare what the providers took with our books, and mend what is missing there.

A long verb. Money that a provider took and nobody here knows of is told of once, and then by
the tenant's policy attached to the try that it belongs to, or given back under a key of its
own. A refund that we did not ask for is another matter: see `record_reversal`.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import assert_never
from uuid import UUID

from tallystick.db import orphans, reconciled_accounts
from tallystick.db.engine import retrying
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.orphan import (
    AccessRefused,
    AllRefunded,
    Holding,
    NotToGive,
    Orphan,
    OrphanPolicy,
    OrphanState,
    TakenPage,
    TakenPayment,
)
from tallystick.domain.payment import Refunded, RefundRefused, Unknown
from tallystick.domain.provider_connection import Account
from tallystick.domain.reconciliation import AFTER_CLOSING, GRACE
from tallystick.services.context import SANDBOX, App, Context
from tallystick.services.each_alone import each_alone
from tallystick.services.events import EventValue, record
from tallystick.services.ids import new_id
from tallystick.services.ports import PaymentProvider
from tallystick.services.provider_call import answer_in_time
from tallystick.services.secret_box import CannotOpen
from tallystick.services.settle_debit import record_late
from tallystick.services.tenant_context import tenant_context

AT_ONCE = 4
ORPHANS_PER_PAGE = 100
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOrphan:
    """Money that nobody knew of, and what became of it; None where nothing was done."""

    tenant_id: UUID
    provider: str
    payment: TakenPayment
    state: OrphanState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whose money is listed: an account of a tenant's, through its `provider`.

    An account that was connected more than once has more than one of `names`, of which
    `provider` has that of the connection that is open, else of the newest.
    """

    ctx: Context
    provider: PaymentProvider
    names: tuple[str, ...]


async def find_orphans(app: App, real_now: datetime, since: datetime) -> list[FoundOrphan]:
    """Money taken since an instant of real time that our books do not know; nothing is done."""
    return [
        FoundOrphan(
            tenant_id=place.ctx.tenant.id,
            provider=place.provider.name,
            payment=one,
            state=None,
        )
        for place, one in await _unknown(app, real_now, since)
    ]


async def reconcile(app: App, real_now: datetime, since: datetime) -> list[FoundOrphan]:
    """Find money taken since an instant of real time that our books do not know, and do with
    it what its tenant wants; and note what waited, whenever it was found, and was refunded in
    full by somebody else meanwhile.

    A worker does the same, and goes on from where it was: see `reconcile_accounts`.
    """
    done: list[FoundOrphan] = []

    async def attend(one: tuple[Place, TakenPayment]) -> None:
        place, payment = one
        state = await take_up(place, payment)
        done.append(
            FoundOrphan(
                tenant_id=place.ctx.tenant.id,
                provider=place.provider.name,
                payment=payment,
                state=state,
            )
        )

    found = await _unknown(app, real_now, since)
    await each_alone(found, attend, at_once=AT_ONCE, work="reconcile")

    async def look(account: Account) -> None:
        place = await place_of(app, account, real_now)
        done.extend(
            FoundOrphan(
                tenant_id=account.tenant_id,
                provider=orphan.provider,
                payment=orphan.payment,
                state=OrphanState.REFUNDED,
            )
            for orphan in await note_refunded(place)
        )

    async with app.database.connection() as tx:
        accounts = await reconciled_accounts.taking(tx, _BEGINNING, real_now - AFTER_CLOSING)
    await each_alone(accounts, look, at_once=AT_ONCE, work="note_refunded")
    return done


async def place_of(app: App, account: Account, real_now: datetime) -> Place:
    """The way to look at an account.

    Raises:
        AccessRefused: The settings lack the key that sealed its keys.
    """
    async with app.database.connection() as tx:
        ctx = await tenant_context(app, tx, account.tenant_id, real_now, actor="worker")
    if account.provider == SANDBOX:
        return Place(ctx=ctx, provider=app.providers[SANDBOX], names=(SANDBOX,))
    ways = [one for one in ctx.tenant.connections if one.leads_to == account]
    chosen = next((one for one in ways if one.is_open), ways[-1])
    try:
        provider = app.connect(chosen)
    except CannotOpen as missing:
        raise AccessRefused(str(missing)) from None
    return Place(ctx=ctx, provider=provider, names=tuple(one.name for one in ways))


async def listed(
    place: Place, since: datetime, until: datetime, after: str | None
) -> TakenPage:
    """A page of what came between two instants.

    Raises:
        AccessRefused: The account's keys may not look.
        TimeoutError: There was no answer in time.
    """
    tenant_id = place.ctx.tenant.id
    async with asyncio.timeout(place.ctx.app.call_limit_seconds):
        return await place.provider.payments_between(tenant_id, since, until, after)


async def unknown_of(place: Place, payments: Sequence[TakenPayment]) -> list[TakenPayment]:
    """Those that our books do not know, with what the provider holds of them now.

    Raises:
        TimeoutError: There was no answer in time.
    """
    return await held_of(place, await strangers(place, payments))


async def strangers(place: Place, payments: Sequence[TakenPayment]) -> list[TakenPayment]:
    """Those that our books do not know, each once."""
    by_reference = {one.reference: one for one in payments}
    async with place.ctx.app.database.connection() as tx:
        strange = await orphans.unknown(
            tx, place.ctx.tenant.id, place.names, list(by_reference)
        )
    return [one for reference, one in by_reference.items() if reference in strange]


async def held_of(place: Place, payments: Sequence[TakenPayment]) -> list[TakenPayment]:
    """What the provider holds of them now, without those of which it is nothing.

    Raises:
        TimeoutError: There was no answer in time.
    """
    found = []
    for told in payments:
        held = await _held(place, told.reference)
        if isinstance(held, TakenPayment):
            found.append(replace(held, taken_at=told.taken_at))
    return found


async def note(ctx: Context, place: Place, payment: TakenPayment) -> str:
    """Keep what was found, tell of it once, and return the name by which it is kept.

    A plain verb. It is the name under which it was asked for, which may be that of a closed
    connection.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    known_as = await orphans.name_of(tx, tenant_id, place.names, payment.reference)
    name = known_as or place.provider.name
    if await orphans.keep(tx, tenant_id, new_id(), name, payment, ctx.now):
        orphan = await orphans.lock(tx, tenant_id, name, payment.reference)
        await _tell(ctx, "payment.orphan_found", orphan, "SETTLED")
    return name


async def _unknown(
    app: App, real_now: datetime, since: datetime
) -> list[tuple[Place, TakenPayment]]:
    """What the providers list and our books do not know, oldest first.

    A provider that does not answer is looked at another time.
    """
    found: list[tuple[Place, TakenPayment]] = []
    until = real_now - GRACE

    async def compare(account: Account) -> None:
        place = await place_of(app, account, real_now)
        strange: dict[str, TakenPayment] = {}
        mark: str | None = None
        while True:
            page = await listed(place, since, until, mark)
            recent = [one for one in page.payments if one.taken_at <= until]
            strange |= {one.reference: one for one in await unknown_of(place, recent)}
            mark = page.mark
            if mark is None:
                break
        found.extend((place, one) for one in strange.values())

    async with app.database.connection() as tx:
        accounts = await reconciled_accounts.taking(tx, since, real_now - AFTER_CLOSING)
    if since < until:
        await each_alone(accounts, compare, at_once=AT_ONCE, work="list_payments")
    return sorted(found, key=lambda one: (one[1].taken_at, one[1].reference))


async def take_up(place: Place, payment: TakenPayment) -> OrphanState:
    """Do with what was found as its tenant wants, and return how it stands then.

    A long verb.
    """
    ctx, provider = place.ctx, place.provider
    orphan = await retrying(
        ctx.app.database, lambda tx: _decide(ctx.within(tx), place, payment)
    )
    if orphan.state is not OrphanState.REFUNDING:
        return orphan.state
    return await give_back_orphan(ctx, provider, orphan)


async def _decide(ctx: Context, place: Place, payment: TakenPayment) -> Orphan:
    """Tell of it once; attach it where it belongs, else it is to go back.

    While its provider was asked it may have been recorded: what the books know by now does not
    go back.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    provider = await note(ctx, place, payment)
    orphan = await orphans.lock(tx, tenant_id, provider, payment.reference)
    if orphan.state is not OrphanState.FOUND:
        return orphan
    # Read after `belongs`: what does not belong any more is known by now.
    strange = await orphans.unknown(tx, tenant_id, place.names, [payment.reference])
    if strange and ctx.tenant.orphan_policy == OrphanPolicy.REPORT:
        return orphan
    # A part of it may have gone back since it was found.
    await orphans.holds(tx, tenant_id, orphan.id, payment.amount)
    if orphan.belongs:
        await record_late(ctx, tx, provider, payment.reference)
    state = OrphanState.REFUNDING
    if orphan.belongs or not strange:
        paid = await orphans.is_paid_by(tx, tenant_id, provider, payment.reference)
        state = OrphanState.RETURNED
        if paid is not None:
            state = OrphanState.ATTACHED
            invoice = encode(Prefix.INVOICE, paid)
            await _tell(ctx, "payment.orphan_attached", orphan, "SETTLED", invoice)
    await orphans.move(tx, tenant_id, orphan.id, OrphanState.FOUND, state)
    return await orphans.lock(tx, tenant_id, provider, payment.reference)


async def note_refunded(place: Place) -> list[Orphan]:
    """Of what waits for a person, note what somebody else has refunded in full; return it.

    A long verb, whatever the tenant wants: it gives nothing back. What is disputed waits on,
    and so does what its provider does not answer about.
    """
    ctx, noted = place.ctx, list[Orphan]()

    async def look(orphan: Orphan) -> None:
        match await _held(place, orphan.payment.reference):
            case AllRefunded():
                if await retrying(
                    ctx.app.database, lambda tx: _refunded(ctx.within(tx), place, orphan)
                ):
                    noted.append(orphan)
            case TakenPayment() | NotToGive():
                return
            case never:
                assert_never(never)

    async for page in waiting(place, [OrphanState.FOUND, OrphanState.REFUSED]):
        await each_alone(page, look, at_once=AT_ONCE, work="note_refunded")
    return noted


async def waiting(place: Place, states: Sequence[OrphanState]) -> AsyncIterator[list[Orphan]]:
    """What was found in an account and stands so, page by page."""
    ctx = place.ctx
    after: UUID | None = None
    while True:
        async with ctx.app.database.connection() as tx:
            page = await orphans.waiting(
                tx, ctx.tenant.id, place.names, states, after, ORPHANS_PER_PAGE
            )
        yield page
        if len(page) < ORPHANS_PER_PAGE:
            return
        after = page[-1].id


async def _held(place: Place, reference: str) -> Holding:
    """What the provider holds of a payment; raises `TimeoutError`."""
    ctx = place.ctx
    async with asyncio.timeout(ctx.app.call_limit_seconds):
        return await place.provider.payment_held(ctx.tenant.id, reference)


async def _refunded(ctx: Context, place: Place, orphan: Orphan) -> bool:
    """It stands as before its provider was asked, and went back: told once."""
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    now = await orphans.lock(tx, tenant_id, orphan.provider, orphan.payment.reference)
    if now != orphan:
        return False
    if not await orphans.refunded_elsewhere(tx, tenant_id, place.names, orphan):
        return False
    await _tell(ctx, "payment.orphan_refunded", orphan, "SETTLED", refund=True)
    return True


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
