"""Refunds that were given and did not reach their account: the money is with us again."""

from dataclasses import replace
from typing import assert_never
from uuid import UUID

import structlog

from tallystick.db import given_refunds, orphans, refunds
from tallystick.db.engine import Tx, retrying
from tallystick.db.given_refunds import GivenFor, GivenRefund
from tallystick.domain.errors import Busy, Conflict, NotFound
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.orphan import AllRefunded, NotToGive, Orphan, OrphanState, TakenPayment
from tallystick.domain.refund import RefundState
from tallystick.services.context import Context
from tallystick.services.credit_note_events import loaded, tell
from tallystick.services.events import EventValue, record
from tallystick.services.ids import new_id
from tallystick.services.ports import PaymentProvider
from tallystick.services.provider_call import answer_in_time
from tallystick.services.reconcile import give_back_orphan

ASK_AGAIN_SECONDS = 60

log = structlog.get_logger(__name__)


async def record_came_back(ctx: Context, given: GivenRefund, why: str) -> None:
    """A refund did not reach its account; told once in `refund.failed`, however often heard.

    What was written of a note's refund stays: the money is still the customer's, and a person
    decides how she gets it. Money that nobody had owed is an orphan again, which the doctor
    names until it is given back or attached.
    """
    await retrying(ctx.app.database, lambda tx: _record(ctx.within(tx), tx, given, why))


async def give_back_again(ctx: Context, orphan_id: UUID) -> OrphanState:
    """Give money back whose refund was refused, or came back: under another key, once.

    A long verb. It is what the provider still holds of it: a part may have been refunded by
    hand. Where there was no answer to the refund, the same amount is asked for again under the
    same key.

    Raises:
        NotFound: Nothing was found under this id.
        Conflict: It is attached, given back, or not decided about; or nothing of it is held.
        Busy: The provider does not say what it holds; nothing was begun.
    """

    async def load(tx: Tx) -> Orphan:
        named = await orphans.named(tx, ctx.tenant.id, orphan_id)
        if named is None:
            raise NotFound("There is no such payment that nobody knew of.")
        return await orphans.lock(tx, ctx.tenant.id, *named)

    orphan = await retrying(ctx.app.database, load)
    provider = ctx.app.provider_named(ctx.tenant, orphan.provider)
    if orphan.state is OrphanState.REFUSED:
        refused, amount = orphan, await _held(ctx, provider, orphan)

        async def claim(tx: Tx) -> Orphan:
            await orphans.refund_anew(tx, ctx.tenant.id, orphan_id, amount, tries=refused.tries)
            return await load(tx)

        orphan = await retrying(ctx.app.database, claim)
    if orphan.state is not OrphanState.REFUNDING:
        raise Conflict(
            "Only what could not be given back is given back again: this payment is"
            f" {orphan.state.value}."
        )
    return await give_back_orphan(ctx, provider, orphan)


async def _held(ctx: Context, provider: PaymentProvider, orphan: Orphan) -> int:
    """What can be given back of it now, and never more than was found or came back."""
    payment = orphan.payment
    match await answer_in_time(ctx, provider.payment_held(ctx.tenant.id, payment.reference)):
        case TakenPayment(amount=amount):
            return min(amount, payment.amount)
        case AllRefunded():
            raise Conflict(
                "Nothing of this payment is held any more: all of it was refunded."
                " `tallystick reconcile` notes that, and so does the worker."
            )
        case NotToGive():
            raise Conflict(
                "Nothing of this payment can be given back: it is disputed, was taken back by"
                " its bank, or its provider knows it no more."
            )
        case None:
            raise Busy(
                "The provider does not say what it holds of this payment; ask again",
                ASK_AGAIN_SECONDS,
            )
        case never:
            assert_never(never)


async def _record(ctx: Context, tx: Tx, given: GivenRefund, why: str) -> None:
    if given.given_for is GivenFor.NOTE:
        await _of_note(ctx, tx, given, why)
    elif await _is_orphan_again(ctx, tx, given, why):
        log.warning("refunds.came_back", key=given.key, reason=why)
        await record(ctx, "refund.failed", given.id, _body(given, why))


async def _is_orphan_again(ctx: Context, tx: Tx, given: GivenRefund, why: str) -> bool:
    """Note that money which nobody had owed is here again; False where that is known."""
    tenant_id = ctx.tenant.id
    if given.given_for is GivenFor.ORPHAN:
        was, state = OrphanState.REFUNDED, OrphanState.REFUSED
        return await orphans.move(tx, tenant_id, given.id, was, state, why, tries=given.tries)
    if given.given_for is GivenFor.COLLECTION and not await refunds.came_back(
        tx, tenant_id, given.id, why
    ):
        return False
    return await given_refunds.keep_as_orphan(tx, tenant_id, new_id(), given, why, ctx.now)


async def _of_note(ctx: Context, tx: Tx, given: GivenRefund, why: str) -> None:
    if not await refunds.came_back(tx, ctx.tenant.id, given.id, why):
        return
    log.warning("refunds.came_back", key=given.key, reason=why)
    order = await refunds.load(tx, ctx.tenant.id, given.id)
    assert order is not None, "refunds are not deleted"
    assert order.credit_note_id is not None, "it is a note's"
    failed = replace(order, state=RefundState.FAILED, failure=why)
    entry = await loaded(ctx, order.credit_note_id)
    await tell(ctx, entry, (), ("refund.failed", failed))


def _body(given: GivenRefund, why: str) -> dict[str, EventValue]:
    customer = given.customer_id
    return {
        "transaction_id": encode(Prefix.TRANSACTION, given.id),
        "customer_id": None if customer is None else encode(Prefix.CUSTOMER, customer),
        "payment_type": "REFUND",
        "status": "FAILED",
        "amount": given.amount,
        "amount_refunded": 0,
        "amount_reversed": 0,
        "currency": given.currency,
        "error": why,
        "provider_transaction_id": given.reference,
    }
