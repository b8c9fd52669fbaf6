"""Settle a debit: the bank's final word on a payment that was accepted at the checkout."""

import structlog

from tallystick.db import attempts, invoice_facts, transactions
from tallystick.db.engine import Tx, retrying
from tallystick.domain.payment import (
    Cancelled,
    Declined,
    FailureReason,
    Standing,
    Succeeded,
)
from tallystick.services.context import SANDBOX, Context
from tallystick.services.events import record
from tallystick.services.failed_payment import FailedPayment, tell_failure
from tallystick.services.pay_slots import slots_of_paid
from tallystick.services.record_collected import record_collected_late
from tallystick.services.record_purchase import record_purchase

log = structlog.get_logger(__name__)


async def settle_debit(
    ctx: Context, reference: str, outcome: Standing, provider: str = SANDBOX
) -> None:
    """Record what became of an accepted debit; any other answer than an end changes nothing.

    Settled: the invoice is PAID and says so in `invoice.paid`. Failed: the invoice is ERRORED
    with its amount due, and the subscription stays. Settled for an attempt that had ended
    without money: recorded after all, or on its way back. Twice is the same as once.
    """
    await retrying(ctx.app.database, lambda tx: _settle(ctx, tx, provider, reference, outcome))


async def _settle(
    ctx: Context, tx: Tx, provider: str, reference: str, outcome: Standing
) -> None:
    payment = await transactions.lock_pending(tx, ctx.tenant.id, provider, reference)
    if payment is None:
        if isinstance(outcome, Succeeded):
            await record_late(ctx, tx, provider, reference)
        return
    inner = ctx.within(tx)
    if isinstance(outcome, Succeeded):
        if await transactions.settle(tx, ctx.tenant.id, payment, ctx.now):
            body = await invoice_facts.event_body(tx, ctx.tenant.id, payment.invoice_id)
            await record(inner, "invoice.paid", payment.invoice_id, body)
            await slots_of_paid(ctx, tx, payment.invoice_id)
    elif isinstance(outcome, Declined | Cancelled):
        reason = outcome.reason if isinstance(outcome, Declined) else FailureReason.DEBIT_FAILED
        await transactions.fail(tx, ctx.tenant.id, payment, reason, ctx.now)
        await tell_failure(
            inner,
            FailedPayment(
                transaction_id=payment.id,
                invoice_id=payment.invoice_id,
                customer_id=payment.customer_id,
                amount=payment.amount,
                currency=payment.currency,
                reason=reason,
            ),
        )


async def record_late(ctx: Context, tx: Tx, provider: str, reference: str) -> None:
    """A debit that had ended without money, at the checkout or later, has come all the same."""
    attempt_id = await attempts.failed_payment(tx, ctx.tenant.id, provider, reference)
    if attempt_id is not None:
        await record_purchase(ctx, tx, attempt_id)
    elif not await record_collected_late(ctx, tx, provider, reference):
        log.warning("debit.without_owner", provider=provider, reference=reference)
