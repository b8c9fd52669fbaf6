"""Record: write what the attempt owns, verbatim, dated by its claim, whenever it runs.

Record cannot refuse. Everything that could make it refuse was decided or taken by the claim;
a constraint that says no here is a defect. Recording twice is the same as once. The same
function runs whether the news comes from the call, the return page, or the sweeper.
"""

from dataclasses import replace
from uuid import UUID

from tallystick.db import (
    attempts,
    balance_holds,
    balances,
    checkout_sessions,
    coupon_redemptions,
    invoice_writes,
    places,
    prices,
    products,
    subscription_writes,
    transactions,
)
from tallystick.db.engine import Tx
from tallystick.domain.attempt import Attempt, AttemptState
from tallystick.domain.invoice import Invoice
from tallystick.domain.purchase import Subscription, invoice_of, subscription_of
from tallystick.domain.quote import AttemptKind
from tallystick.domain.session import SessionState
from tallystick.services.activation import record_activation
from tallystick.services.changing_plan import record_plan_change
from tallystick.services.confirm_result import Completed, ConfirmResult
from tallystick.services.context import Context
from tallystick.services.events import Told
from tallystick.services.ids import new_id
from tallystick.services.keep_method import keep_method
from tallystick.services.late_money import take_again
from tallystick.services.locked_attempt import LockedAttempt, lock_attempt
from tallystick.services.method_events import method_chosen
from tallystick.services.purchase_events import PurchaseFacts, record_purchase_events
from tallystick.services.supersede_trials import supersede_expired_trials


async def record_purchase(
    ctx: Context, tx: Tx, attempt_id: UUID, *, pending: bool = False
) -> ConfirmResult:
    """Write subscription, invoice and payment of an attempt that succeeded.

    `pending` says that a debit was accepted and will settle later. Money that arrives for an
    attempt that had ended without it is recorded after all when everything can be taken
    again, and otherwise goes back to the buyer.

    Raises:
        NotFound: there is no such attempt.
    """
    locked = await lock_attempt(ctx, tx, attempt_id)
    attempt = locked.attempt
    if attempt.state is AttemptState.SUCCEEDED:
        return Completed()
    if attempt.state is AttemptState.FAILED:
        refused = await take_again(ctx, tx, locked.record.session, attempt, pending=pending)
        if refused is not None:
            return refused
    await _write(ctx, tx, locked, pending=pending)
    return Completed()


async def _write(ctx: Context, tx: Tx, locked: LockedAttempt, *, pending: bool) -> None:
    attempt, record = locked.attempt, locked.record
    tenant_id, offer = ctx.tenant.id, attempt.obligation.offer
    made, invoice = subscription_of(attempt), invoice_of(attempt, pending=pending)
    if attempt.payment_method_id is not None:
        assert attempt.method is not None, "a saved method was given"
        await keep_method(
            ctx,
            tx,
            attempt.customer_id,
            attempt.payment_method_id,
            attempt.method,
            attempt.claimed_at,
        )
    await subscription_writes.keep_buyer(
        tx, tenant_id, attempt.customer_id, attempt.obligation.buyer, attempt.claimed_at
    )
    told = await _write_subscription(ctx, tx, locked, made)
    await _tell_chosen(ctx, tx, locked)
    await supersede_expired_trials(
        ctx, tx, attempt.customer_id, offer.plan_id, attempt.claimed_at
    )
    await coupon_redemptions.redeem(tx, tenant_id, attempt)
    await _leave_place_if_over(tx, tenant_id, made)
    await attempts.finish(tx, tenant_id, attempt.id, AttemptState.SUCCEEDED, None)
    await checkout_sessions.complete(tx, tenant_id, attempt.session_id, made.id, ctx.now)
    number = await _write_invoice(ctx, tx, attempt, invoice, pending=pending)
    session = replace(
        record.session,
        state=SessionState.COMPLETED,
        subscription_id=made.id,
        last_payment_error=None,
    )
    await record_purchase_events(
        ctx,
        tx,
        PurchaseFacts(
            attempt=attempt,
            subscription=made,
            invoice=invoice,
            invoice_number=number,
            session=replace(record, session=session),
            told=told,
        ),
    )


async def _tell_chosen(ctx: Context, tx: Tx, locked: LockedAttempt) -> None:
    """A subscription that was there before is charged to what it was paid with now."""
    attempt, there = locked.attempt, locked.record.session.subscription_there
    if there is None or attempt.payment_method_id is None or attempt.method is None:
        return
    await method_chosen(
        ctx.within(tx), attempt.customer_id, attempt.payment_method_id, attempt.method, [there]
    )


async def _write_subscription(
    ctx: Context, tx: Tx, locked: LockedAttempt, made: Subscription
) -> Told | None:
    """Make the subscription, or activate or change the one that was there; what to tell of it.

    None: it was created.
    """
    attempt, offer = locked.attempt, locked.attempt.obligation.offer
    activating = locked.record.session.activating
    if activating is not None:
        return await record_activation(ctx, tx, activating, made, attempt.id)
    if locked.record.session.changing is not None:
        return await record_plan_change(ctx, tx, locked.record.session, attempt)
    tenant_id = ctx.tenant.id
    await products.insert_many(tx, tenant_id, offer.new_products, attempt.claimed_at)
    await prices.insert_many(tx, tenant_id, offer.new_prices, attempt.claimed_at)
    await subscription_writes.insert(tx, tenant_id, made, locked.record.metadata)
    await places.hand_over(tx, tenant_id, attempt.id, made.id)
    return None


async def _leave_place_if_over(tx: Tx, tenant_id: UUID, made: Subscription) -> None:
    """A contract that lies wholly in the past is complete when bought and holds no place."""
    if not made.status.is_live:
        await places.give_back(tx, tenant_id, made.id)


async def _write_invoice(
    ctx: Context, tx: Tx, attempt: Attempt, invoice: Invoice | None, *, pending: bool
) -> str | None:
    """The invoice with its balance entry and payment; the number's counter is locked last."""
    if invoice is None:
        return None
    tenant_id = ctx.tenant.id
    await balance_holds.spend(
        tx,
        tenant_id,
        attempt.customer_id,
        attempt.currency,
        attempt.balance_held,
        entry_id=new_id(),
        invoice_id=invoice.id,
        now=attempt.claimed_at,
    )
    if invoice.total < 0:
        await balances.move(
            tx,
            tenant_id,
            entry_id=new_id(),
            invoice_id=invoice.id,
            customer_id=attempt.customer_id,
            currency=attempt.currency,
            amount=-invoice.total,
            reason="INVOICE",
            at=attempt.claimed_at,
        )
    number = await invoice_writes.insert(
        tx,
        tenant_id,
        invoice,
        [new_id() for _ in invoice.lines],
        attempt.obligation.entity.number_pattern,
    )
    if attempt.kind is AttemptKind.PAYMENT:
        await transactions.insert_payment(tx, tenant_id, attempt, pending=pending)
    return number
