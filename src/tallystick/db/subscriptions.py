"""Subscriptions as they are read; they are written by `subscription_writes`."""

from collections.abc import Sequence
from uuid import UUID

from tallystick.db import slot_entries
from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.entitlements import attached_to
from tallystick.db.list_counts import length_of
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.db.plan_slices import pick_by_plan
from tallystick.domain.billing_entries import SubscriptionDetails, SubscriptionEntry
from tallystick.domain.entitlement import HolderKind

ORDERS = {
    "customer_name": "subscription.customer_sort_name",
    "plan_name": "lower(plan.name)",
    "mrr_cents": "subscription.mrr",
    "billing_start_date": "subscription.billing_start_date",
    "end_date": "subscription.end_date",
    "status": "subscription.status",
    "created_at": "subscription.created_at",
}

_ENTRY_JSON = """
    json_build_object('id', subscription.id, 'customer_id', subscription.customer_id,
        'customer_name', customer.name, 'customer_alias', customer.alias,
        'plan_id', subscription.plan_id, 'plan_name', plan.name,
        'plan_description', plan.description,
        'plan_version_id', subscription.plan_version_id, 'plan_version', version.version,
        'status', subscription.status, 'currency', subscription.currency,
        'tax_inclusive', subscription.tax_inclusive, 'cadence', subscription.cadence,
        'start_date', subscription.start_date,
        'billing_start_date', subscription.billing_start_date,
        'billing_day_anchor', subscription.billing_day_anchor,
        'trial_duration', subscription.trial_duration, 'trial_end', subscription.trial_end,
        'end_date', subscription.end_date,
        'current_period_start', subscription.current_period_start,
        'current_period_end', subscription.current_period_end,
        'net_terms', subscription.net_terms,
        'auto_advance_invoices', subscription.auto_advance_invoices,
        'charge_automatically', subscription.charge_automatically,
        'payment', subscription.payment_methods_config,
        'payment_method_id', subscription.payment_method_id,
        'invoice_memo', subscription.invoice_memo,
        'purchase_order', subscription.purchase_order,
        'invoice_threshold', subscription.invoice_threshold::text,
        'metadata', subscription.metadata,
        'custom_properties', subscription.custom_properties, 'mrr', subscription.mrr,
        'checkout_session_id', subscription.checkout_session_id,
        'open_session_id', (
            select own.id from checkout_sessions own
            where own.tenant_id = subscription.tenant_id
              and own.id = subscription.checkout_session_id
              and own.checkout_type = 'SUBSCRIPTION_ACTIVATION'
              and own.state in ('CREATED', 'AWAITING_PAYMENT')),
        'activated_at', subscription.activated_at, 'created_at', subscription.created_at,
        'cancelled_on', subscription.cancelled_on,
        'cancellation_reason', subscription.cancellation_reason,
        'billing_error', subscription.billing_error,
        'scheduled', (select planned.change from scheduled_changes planned
            where planned.tenant_id = subscription.tenant_id
              and planned.subscription_id = subscription.id))
"""

_JOINS = {
    "customer": """
        join customers customer on customer.tenant_id = subscription.tenant_id
            and customer.id = subscription.customer_id
    """,
    "plan": """
        join plans plan
            on plan.tenant_id = subscription.tenant_id and plan.id = subscription.plan_id
    """,
    "version": """
        join plan_versions version on version.tenant_id = subscription.tenant_id
            and version.id = subscription.plan_version_id
    """,
}
_TABLES = " ".join(["subscriptions subscription", *_JOINS.values()])

_ITEMS = f"""
    select json_agg({slot_entries.counted("item", "subscription.current_period_start")}
        order by item.position) from subscription_items item
    where item.tenant_id = subscription.tenant_id and item.subscription_id = subscription.id
        and item.item ->> 'ends_on' is null
"""

_COUPONS = """
    select json_agg(json_build_object('id', used.id, 'terms', used.terms,
        'applied_count', used.applied_count, 'applied_amount', used.applied_amount,
        'last_applied_at', used.last_applied_at, 'redeemed_at', used.created_at,
        'description', coupon.description, 'disabled', coupon.disabled,
        'expires_at', coupon.expires_at, 'redemption_limit', coupon.redemption_limit)
        order by used.created_at, used.coupon_id)
    from coupon_redemptions used
    join coupons coupon on coupon.tenant_id = used.tenant_id and coupon.id = used.coupon_id
    where used.tenant_id = subscription.tenant_id
        and used.subscription_id = subscription.id and used.state = 'REDEEMED'
"""

_DETAILS_JSON = f"""
    json_build_object('subscription', {_ENTRY_JSON}, 'items', coalesce(({_ITEMS}), '[]'),
        'coupons', coalesce(({_COUPONS}), '[]'), 'minimum', subscription.minimum,
        'entitlements', {attached_to(HolderKind.SUBSCRIPTION, "subscription")})
"""

_entries: Codec[tuple[SubscriptionEntry, ...]] = Codec(tuple[SubscriptionEntry, ...])
_details: Codec[SubscriptionDetails] = Codec(SubscriptionDetails)


async def load(tx: Tx, tenant_id: UUID, subscription_id: UUID) -> SubscriptionDetails | None:
    """The subscription with its items and coupons, or None where this tenant has none."""
    text = await tx.fetchval(
        f"""
        select {_DETAILS_JSON} from {_TABLES}
        where subscription.tenant_id = $1 and subscription.id = $2
        """,
        tenant_id,
        subscription_id,
    )
    return _details.load_optional(text)


async def page(
    tx: Tx,
    tenant_id: UUID,
    window: Window,
    *,
    customer: UUID | str | None = None,
    plan_id: UUID | None = None,
    statuses: Sequence[str] = (),
) -> Page[SubscriptionEntry]:
    """The window's subscriptions; `customer` is an id, or the alias of an unarchived one.

    No statuses mean all of them.
    """
    states = list(statuses) or None
    matching = Matching(tenant_id, "subscription")
    if isinstance(customer, UUID):
        matching.only("subscription.customer_id = {}", customer)
    else:
        matching.only("customer.alias = {} and customer.archived_at is null", customer)
    matching.only("subscription.plan_id = {}", plan_id)
    matching.only("subscription.status = any({})", states)
    length = picked = None
    if customer is None:
        length = length_of(tenant_id, "subscriptions", states, plan_id)
        if window.order == "plan_name":
            picked = await pick_by_plan(tx, tenant_id, window, plan_id=plan_id, statuses=states)
    return await fetch_page(
        tx,
        _entries,
        item=_ENTRY_JSON,
        tables="subscriptions subscription",
        joins=_JOINS,
        matching=matching,
        orders=ORDERS,
        window=window,
        length=length,
        picked=picked,
    )
