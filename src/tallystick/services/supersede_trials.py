"""A new purchase of a plan takes the place of the customer's expired trials of it."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from tallystick.db import draft_writes, places, subscription_writes, subscriptions
from tallystick.db.engine import Tx
from tallystick.domain.billing_entries import SubscriptionEntry
from tallystick.domain.ids import Prefix, encode
from tallystick.services.context import Context
from tallystick.services.end_activations import end_activations
from tallystick.services.events import EventValue, record


async def supersede_expired_trials(
    ctx: Context, tx: Tx, customer_id: UUID, plan_id: UUID, at: datetime
) -> None:
    """Make them SUPERSEDED at the time of the purchase, and tell the merchant of each.

    A draft that one of them was still to pay is dropped, and a checkout of its own ended.
    """
    superseded = await subscription_writes.supersede_expired_trials(
        tx, ctx.tenant.id, customer_id, plan_id, at
    )
    if superseded:
        await places.give_back(tx, ctx.tenant.id, *superseded)
        await draft_writes.drop_charged_first(tx, ctx.tenant.id, superseded)
        await end_activations(ctx, tx, superseded)
    for subscription_id in superseded:
        details = await subscriptions.load(tx, ctx.tenant.id, subscription_id)
        assert details is not None, "just changed"
        body = _event(details.subscription)
        await record(ctx.within(tx), "subscription.updated", subscription_id, body)


def _event(entry: SubscriptionEntry) -> Mapping[str, EventValue]:
    """The body of a `subscription.*` event about a subscription that exists."""
    return {
        "subscription_id": encode(Prefix.SUBSCRIPTION, entry.id),
        "customer_id": encode(Prefix.CUSTOMER, entry.customer_id),
        "customer_name": entry.customer_name,
        "customer_alias": entry.customer_alias,
        "status": entry.status.value,
        "plan_name": entry.plan_name,
        "version": entry.plan_version,
        "currency": entry.currency,
        "period": entry.cadence.value,
        "mrr_cents": entry.mrr,
        "net_terms": entry.net_terms,
        "billing_day_anchor": entry.billing_day_anchor,
        "start_date": entry.start_date,
        "billing_start_date": entry.billing_start_date,
        "end_date": entry.end_date,
        "trial_duration": entry.trial_duration,
        "auto_advance_invoices": entry.auto_advance_invoices,
        "charge_automatically": entry.charge_automatically,
        "invoice_memo": entry.invoice_memo,
        "purchase_order": entry.purchase_order,
        "invoice_threshold": entry.invoice_threshold,
        "created_at": entry.created_at,
        "activated_at": entry.activated_at,
        "metadata": entry.metadata,
        "custom_properties": entry.custom_properties,
    }
