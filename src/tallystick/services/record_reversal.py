"""Record money that a provider took back of a payment, or gave back after all."""

import asyncio
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog

from tallystick.db import balances, invoice_changes, invoice_facts, invoices, reversals
from tallystick.db.engine import Tx, retrying
from tallystick.db.reversals import NamedPayment
from tallystick.domain.errors import Conflict, NotFound, TallystickError
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.reversal import ReportedReversal, ReversalStep, take_in
from tallystick.services.context import SANDBOX, App, Context
from tallystick.services.each_alone import each_alone
from tallystick.services.events import record
from tallystick.services.ids import new_id
from tallystick.services.pay_slots import slots_of_paid
from tallystick.services.ports import PaymentProvider
from tallystick.services.tenant_context import tenant_context

AT_ONCE = 4

log = structlog.get_logger(__name__)


async def record_reversal(
    ctx: Context, reported: ReportedReversal, provider: str = SANDBOX
) -> None:
    """Record what a provider says of money that it took back; twice is the same as once.

    What was taken is due again, told in `payment.reversed`, and collected by nobody until a
    person asks for it. What came back pays the invoice, told in `payment.reinstated` and, when
    nothing is due any more, in `invoice.paid`; what the invoice does not owe goes to the
    customer's balance. Taken again, it comes from there as far as that has it. What is taken
    beyond the payment is the seller's loss. `provider` is a name of the account that tells;
    the payment may have been asked for by another one of its names.

    Raises:
        NotFound: No payment is known by this reference, or none yet.
        Conflict: The payment is not settled, or the report is of another reversal.
        Busy: Money came back while the invoice is being paid.
    """
    await retrying(ctx.app.database, lambda tx: _record(ctx.within(tx), tx, provider, reported))


async def record_reversals(app: App, real_now: datetime) -> int:
    """Record every reversal that a provider tells of, and return how many went well.

    A long verb. What cannot be recorded, or not yet, is told again.
    """
    recorded = 0
    for provider in app.providers.values():
        async with asyncio.timeout(app.call_limit_seconds):
            told = await provider.reversals_to_record()

        async def take_up(
            one: tuple[UUID, ReportedReversal], provider: PaymentProvider = provider
        ) -> None:
            nonlocal recorded
            tenant_id, reported = one
            async with app.database.connection() as tx:
                ctx = await tenant_context(app, tx, tenant_id, real_now, actor="worker")
            try:
                await record_reversal(ctx, reported, provider.name)
            except TallystickError as refusal:
                log.warning("reversal.not_recorded", id=reported.id, reason=refusal.message)
                return
            async with asyncio.timeout(app.call_limit_seconds):
                await provider.acknowledge_reversal(tenant_id, reported)
            recorded += 1

        await each_alone(told, take_up, at_once=AT_ONCE, work="record_reversals")
    return recorded


async def _record(ctx: Context, tx: Tx, provider: str, reported: ReportedReversal) -> None:
    tenant_id = ctx.tenant.id
    names = ctx.tenant.names_of_account(provider)
    named = await reversals.find_payment(tx, tenant_id, names, reported.reference)
    if named is None:
        raise NotFound("There is no such payment.")
    await invoice_changes.lock(tx, tenant_id, named.invoice_id)
    payment = await reversals.settled_payment(tx, tenant_id, named.id)
    if payment is None:
        raise Conflict(f"Only a settled payment can be taken back: this one is {named.status}.")
    if payment.spare:
        has, held = await balances.lock(tx, tenant_id, named.customer_id, named.currency)
        payment = replace(payment, available=has - held)
    known = await reversals.find(tx, tenant_id, named.provider, reported.id)
    step = take_in(payment, known, reported)
    if known is not None and step.kind is known.kind and not (step.taken or step.returned):
        return
    paid = False
    if step.due_again:
        paid = await reversals.owe_again(
            tx, tenant_id, named.invoice_id, step.due_again, ctx.now
        )
    await reversals.keep(tx, tenant_id, new_id(), named, reported, step, ctx.now)
    if step.more_lost:
        await reversals.lose(tx, tenant_id, named.invoice_id, step.more_lost, ctx.now)
    if step.spare:
        await reversals.pass_to_balance(tx, tenant_id, named.invoice_id, step.spare, ctx.now)
        await balances.move(
            tx,
            tenant_id,
            entry_id=new_id(),
            invoice_id=named.invoice_id,
            customer_id=named.customer_id,
            currency=named.currency,
            amount=step.spare,
            reason="REVERSAL",
            at=ctx.now,
        )
    await _tell(ctx, named, step, paid=paid)


async def _tell(ctx: Context, named: NamedPayment, step: ReversalStep, *, paid: bool) -> None:
    if step.taken > step.returned:
        await _tell_of_payment(ctx, "payment.reversed", named)
    elif step.returned > step.taken:
        await _tell_of_payment(ctx, "payment.reinstated", named)
    if paid:
        body = await invoice_facts.event_body(ctx.transaction, ctx.tenant.id, named.invoice_id)
        await record(ctx, "invoice.paid", named.invoice_id, body)
        await slots_of_paid(ctx, ctx.transaction, named.invoice_id)


async def _tell_of_payment(ctx: Context, event_type: str, named: NamedPayment) -> None:
    entry = await invoices.load(ctx.transaction, ctx.tenant.id, named.invoice_id)
    assert entry is not None, "a payment has its invoice"
    payment = next(one for one in entry.transactions if one.id == named.id)
    await record(
        ctx,
        event_type,
        payment.id,
        {
            "transaction_id": encode(Prefix.TRANSACTION, payment.id),
            "invoice_id": encode(Prefix.INVOICE, named.invoice_id),
            "customer_id": encode(Prefix.CUSTOMER, named.customer_id),
            "payment_type": payment.payment_type,
            "status": payment.shown_status,
            "amount": payment.amount,
            "amount_refunded": payment.refunded,
            "amount_reversed": payment.reversed,
            "amount_lost": payment.lost,
            "currency": payment.currency,
            "provider_transaction_id": payment.reference,
            "reversal_kind": payment.reversal_kind,
            "processed_at": payment.processed_at,
        },
    )
