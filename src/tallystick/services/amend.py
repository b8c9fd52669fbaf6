"""Amend a running subscription now: what joins, changes and leaves, billed and credited."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from tallystick.db import billed_lines, checkout_facts, prices, products
from tallystick.db.due_contracts import DueContract
from tallystick.db.engine import undone
from tallystick.domain.amended_items import Amendment
from tallystick.domain.amendment import Amended, Past, amended_now, may_be_amended
from tallystick.domain.amendment_request import AmendmentRequest
from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.contract import Contract
from tallystick.domain.credit_note import CreditNoteStatus
from tallystick.domain.credit_note_entry import CreditNoteEntry
from tallystick.domain.errors import Conflict
from tallystick.domain.renewal import RenewalFacts, adjustment_of, taxes_on
from tallystick.services.amendment_wanted import SubscriptionAmended, wanted_amendment
from tallystick.services.bill_change import bill_change
from tallystick.services.context import Context
from tallystick.services.credit_removed import credit_removed
from tallystick.services.events import record_many
from tallystick.services.ids import new_id
from tallystick.services.plan_wanted import to_change
from tallystick.services.subscription_events import subscription_event
from tallystick.services.take_at_once import details_of, locked
from tallystick.services.take_steps import renewal_facts
from tallystick.services.write_amendment import write_amendment


async def amend(
    ctx: Context, subscription_id: UUID, request: AmendmentRequest, *, preview: bool
) -> SubscriptionAmended:
    """Amend a subscription today. A preview is the same, undone.

    A cancellation that is scheduled stays.

    Raises:
        NotFound: There is no such subscription.
        Conflict: It has not begun, waits for a checkout or has ended, or a change of it is
            scheduled.
        Busy: It, or what is to be credited of it, is being paid for.
        InvalidInput: Every fault of the request, together.
    """
    if not preview:
        return await _amend(ctx, subscription_id, request)
    async with undone(ctx.transaction):
        found = await _amend(ctx, subscription_id, request)
    return replace(
        found,
        invoice=None if found.invoice is None else replace(found.invoice, number=None),
        credit_notes=tuple(_not_issued(one) for one in found.credit_notes),
    )


async def _amend(
    ctx: Context, subscription_id: UUID, request: AmendmentRequest
) -> SubscriptionAmended:
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    due = await to_change(ctx, subscription_id)
    before = due.contract
    may_be_amended(before)
    nothing_scheduled(before)
    amendment = await wanted_amendment(ctx, before, request, day=ctx.today, at_period_end=False)
    facts = await _facts(ctx, due, amendment)
    item_ids = [item.id for item in before.items]
    past = Past(
        billed=await billed_lines.last_billed(
            tx, tenant_id, subscription_id, item_ids, ctx.today
        ),
        lines=await billed_lines.around(tx, tenant_id, subscription_id, item_ids, ctx.today),
        decision_of=taxes_on(ctx.today, facts),
    )
    made = amended_now(before, amendment, ctx.today, past)
    await products.insert_many(tx, tenant_id, amendment.new_products, ctx.now)
    await prices.insert_many(tx, tenant_id, amendment.new_prices, ctx.now)
    after = made.step.contract
    await write_amendment(
        ctx,
        after,
        touched=(*made.ended, *made.renamed),
        joined=made.joined,
        day=ctx.today,
    )
    notes = await credit_removed(ctx, before.customer_id, made.credits)
    invoice = await _bill(ctx, made, facts)
    due = await locked(ctx, subscription_id)
    told = subscription_event("subscription.updated", due, due.contract, change_type="amended")
    await record_many(ctx, [told])
    return SubscriptionAmended(
        details=await details_of(ctx, subscription_id),
        invoice=invoice,
        credit_notes=tuple(notes),
    )


def nothing_scheduled(contract: Contract) -> None:
    """Raise `Conflict` where a change of a contract is scheduled."""
    change = contract.scheduled
    if change is not None:
        day = change.effective_on.isoformat()
        raise Conflict(f"A change of this subscription is scheduled for {day}; drop it first")


async def _facts(ctx: Context, due: DueContract, amendment: Amendment) -> RenewalFacts:
    items: Sequence[UUID] = [
        *(item.product_id for item in due.contract.items),
        *(item.product_id for item in amendment.added),
    ]
    taxes = await checkout_facts.load_product_taxes(ctx.transaction, ctx.tenant.id, items)
    return renewal_facts(due, taxes)


async def _bill(ctx: Context, made: Amended, facts: RenewalFacts) -> InvoiceEntry | None:
    draft = adjustment_of(made.step, facts, invoice_id=new_id(), now=ctx.now)
    if draft is None:
        return None
    return await bill_change(ctx, ctx.transaction, draft, made.step.contract)


def _not_issued(note: CreditNoteEntry) -> CreditNoteEntry:
    return replace(note, number=None, status=CreditNoteStatus.DRAFT, finalized_at=None)
