"""Activate a subscription that waits for it, or show what that would bill."""

from dataclasses import dataclass, replace
from uuid import UUID

from tallystick.db import invoices, subscription_changes
from tallystick.db.engine import undone
from tallystick.domain.activation import activated
from tallystick.domain.billing_entries import InvoiceEntry, SubscriptionDetails
from tallystick.domain.errors import Conflict
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.services.context import Context
from tallystick.services.events import record_many
from tallystick.services.subscription_events import subscription_event
from tallystick.services.take_at_once import details_of, locked, take_at_once


@dataclass(frozen=True, slots=True, kw_only=True)
class Activated:
    """A subscription that was activated, or would be, and what it is billed at once."""

    details: SubscriptionDetails
    invoice: InvoiceEntry | None


async def activate_subscription(
    ctx: Context, subscription_id: UUID, *, preview: bool
) -> Activated:
    """Activate a subscription; it is billed from today, or from its start if that is later.

    A preview is the same, undone.

    Raises:
        NotFound: There is no such subscription.
        Conflict: It does not wait for its activation, or would end before it is billed.
    """
    if not preview:
        return await _activate(ctx, subscription_id)
    async with undone(ctx.transaction):
        found = await _activate(ctx, subscription_id)
    unnumbered = None if found.invoice is None else replace(found.invoice, number=None)
    return replace(found, invoice=unnumbered)


async def _activate(ctx: Context, subscription_id: UUID) -> Activated:
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    due = await locked(ctx, subscription_id)
    before = due.contract
    if before.status is not SubscriptionStatus.PENDING_ACTIVATION:
        raise Conflict(
            f"Only a subscription that is PENDING_ACTIVATION can be activated; this one is "
            f"{before.status.value}"
        )
    if before.awaits_checkout:
        raise Conflict("This subscription is activated by its checkout, see `checkout_url`")
    if not before.awaits_activation:
        raise Conflict(f"This subscription begins by itself on {before.start.isoformat()}")
    contract = activated(before, ctx.today)
    await subscription_changes.save_activation(tx, tenant_id, contract, ctx.now)
    invoice: InvoiceEntry | None = None
    if contract.start <= ctx.today:
        due = replace(due, contract=contract)
        taken = await take_at_once(ctx, tx, due)
        if taken.draft is not None:
            invoice = await invoices.load(tx, tenant_id, taken.draft.invoice.id)
    else:
        await record_many(ctx, [subscription_event("subscription.updated", due, contract)])
    return Activated(details=await details_of(ctx, subscription_id), invoice=invoice)
