"""Refund what was paid, under a credit note: claim, ask the provider, record.

A long verb. The note is a draft while the money is on its way: it counts against the invoice,
and has no number. The provider is asked with no transaction open, under the refund's own key
however often; no answer is never a failure, and is taken up by the sweeper.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from tallystick.db import (
    balances,
    credit_note_writes,
    credit_notes,
    creditable_invoices,
    number_counters,
    refunds,
)
from tallystick.db.engine import Tx, retrying
from tallystick.db.leases import Leased
from tallystick.domain.credit_note import (
    MANUAL,
    PaidAmount,
    Refund,
    number_text,
)
from tallystick.domain.credit_note_entry import CreditNoteEntry
from tallystick.domain.errors import Conflict, NotFound
from tallystick.domain.payment import Refunded, RefundRefused
from tallystick.domain.refund import RefundOrder, RefundState
from tallystick.services.claim import lease_seconds
from tallystick.services.context import App, Context
from tallystick.services.credit_note_events import loaded, tell
from tallystick.services.ids import new_id
from tallystick.services.issue_credit_note import (
    CreditRequest,
    plan_credit_note,
    write_note,
)
from tallystick.services.provider_call import answer_in_time
from tallystick.services.record_collected import tell_sent_back
from tallystick.services.sweep import sweep
from tallystick.services.tenant_context import tenant_context


async def refund_invoice(
    ctx: Context, request: CreditRequest, note_id: UUID
) -> CreditNoteEntry:
    """Issue a refund note under an id that every repeat of the request has.

    A note that is still a draft waits for the provider's answer.

    Raises:
        NotFound: There is no such invoice.
        InvalidInput: A line, a quantity or an amount that the invoice does not have.
        Conflict: The invoice's state, or how it was paid, forbids it; or the provider refuses.
        Busy: A payment for it is under way.
    """
    order = await retrying(
        ctx.app.database, lambda tx: _claim(ctx.within(tx), request, note_id)
    )
    await _carry_on(ctx, order)
    async with ctx.app.database.connection() as tx:
        entry = await credit_notes.load(tx, ctx.tenant.id, note_id)
    assert entry is not None, "notes are kept"
    if entry.failure is not None:
        raise Conflict(f"The payment provider refuses this refund: {entry.failure}")
    return entry


async def payment_to_refund(
    ctx: Context, tx: Tx, payment_id: UUID, amount: int | None
) -> CreditRequest:
    """The request that refunds a payment, or an amount of it.

    Raises:
        NotFound: There is no such payment.
    """
    invoice_id = await creditable_invoices.invoice_of_payment(tx, ctx.tenant.id, payment_id)
    if invoice_id is None:
        raise NotFound("There is no such payment.")
    return CreditRequest(
        invoice_id=invoice_id, kind=Refund(payment_id=payment_id), scope=PaidAmount(amount)
    )


async def sweep_refunds(app: App, real_now: datetime) -> int:
    """Ask again about the refunds that nobody has recorded in time, of every tenant."""

    async def take_up(one: Leased) -> None:
        async with app.database.connection() as tx:
            ctx = await tenant_context(app, tx, one.tenant_id, real_now, actor="worker")
            known = await refunds.load(tx, one.tenant_id, one.id)
        assert known is not None, "refunds are not deleted"
        await _carry_on(ctx, known)

    return await sweep(app, refunds.lease_due, take_up, work="sweep_refunds")


async def _claim(ctx: Context, request: CreditRequest, note_id: UUID) -> RefundOrder:
    """Write the note and its refund, or find what an earlier try of the request wrote."""
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    await creditable_invoices.lock(tx, tenant_id, request.invoice_id)
    known = await refunds.of_note(tx, tenant_id, note_id)
    if known is not None:
        return known
    invoice, note = await plan_credit_note(ctx, request)
    assert note.payment is not None, "a refund is of a payment"
    assert isinstance(request.kind, Refund), "what is asked for here"
    payment, offline = note.payment, request.kind.offline
    order = RefundOrder(
        id=new_id(),
        customer_id=invoice.customer_id,
        credit_note_id=note_id,
        payment_id=payment.id,
        collection_id=None,
        provider=MANUAL if offline else payment.provider,
        reference=payment.reference,
        amount=note.from_payments,
        currency=note.currency,
        state=RefundState.LIVE,
        failure=None,
        claimed_at=ctx.now,
    )
    await write_note(ctx, invoice, note, request, note_id, final=False)
    await refunds.insert(tx, tenant_id, order, lease_seconds(ctx.app))
    await tell(
        ctx, await loaded(ctx, note_id), ("credit_note.created",), ("refund.issued", order)
    )
    if not offline:
        return order
    await _record(ctx, tx, order, None)
    return replace(order, state=RefundState.SUCCEEDED)


async def _carry_on(ctx: Context, order: RefundOrder) -> None:
    """Ask the provider, and record what it answers; silence is left to the sweeper."""
    if order.state is not RefundState.LIVE:
        return
    provider = ctx.app.provider_named(ctx.tenant, order.provider)
    answer = await answer_in_time(
        ctx, provider.refund(ctx.tenant.id, order.reference, order.amount, order.key)
    )
    match answer:
        case Refunded():
            await retrying(ctx.app.database, lambda tx: _record(ctx, tx, order, None))
        case RefundRefused(message=message):
            await retrying(ctx.app.database, lambda tx: _record(ctx, tx, order, message))
        case _:
            return


async def _record(ctx: Context, tx: Tx, known: RefundOrder, refused: str | None) -> None:
    """The money went back, or will not; twice is the same as once."""
    inner, tenant_id = ctx.within(tx), ctx.tenant.id
    if known.credit_note_id is not None:
        invoice_id = await credit_note_writes.invoice_of(tx, tenant_id, known.credit_note_id)
        assert invoice_id is not None, "a note has its invoice"
        await creditable_invoices.lock(tx, tenant_id, invoice_id)
    order = await refunds.lock(tx, tenant_id, known.id)
    if order.state is not RefundState.LIVE:
        return
    state = RefundState.SUCCEEDED if refused is None else RefundState.FAILED
    await refunds.finish(tx, tenant_id, order.id, state, refused)
    order = replace(order, state=state, failure=refused)
    if order.credit_note_id is None:
        if refused is None:
            await tell_sent_back(inner, order)
        return
    if refused is None:
        await _finalize(inner, order, order.credit_note_id)
    else:
        await credit_note_writes.void(tx, tenant_id, order.credit_note_id, ctx.now)
        entry = await loaded(inner, order.credit_note_id)
        await tell(inner, entry, ("credit_note.voided",), ("refund.failed", order))


async def _finalize(ctx: Context, order: RefundOrder, note_id: UUID) -> None:
    """The money went back: its share of the balance does, too, and the note is numbered."""
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    note = await credit_note_writes.lock(tx, tenant_id, note_id)
    assert note is not None, "notes are kept"
    await refunds.insert_transaction(
        tx,
        tenant_id,
        order,
        mode="OFFLINE" if order.provider == MANUAL else "ONLINE",
        at=ctx.now,
    )
    if note.credited:
        await balances.move(
            tx,
            tenant_id,
            entry_id=new_id(),
            note_id=note_id,
            invoice_id=note.invoice_id,
            customer_id=note.customer_id,
            currency=note.currency,
            amount=note.credited,
            reason="REFUND",
            at=ctx.now,
        )
    number = await number_counters.next_credit_note(tx, tenant_id, note.invoicing_entity_id)
    await credit_note_writes.finalize(
        tx, tenant_id, note_id, number, number_text(number), ctx.now
    )
    entry = await loaded(ctx, note_id)
    await tell(ctx, entry, ("credit_note.finalized",), ("refund.settled", order))
