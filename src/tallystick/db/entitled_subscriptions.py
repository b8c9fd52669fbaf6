"""Subscriptions as entitlements see them."""

from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.domain.live_subscription import SoldVersion, SubscriptionFacts

_SOLD_VERSION = """
    json_build_object('id', version.id, 'product_ids', (
        select coalesce(json_agg(distinct component.product_id), '[]')
        from plan_components component where component.tenant_id = version.tenant_id
          and component.plan_version_id = version.id))
"""

_FACTS_JSON = f"""
    json_build_object('id', subscription.id, 'customer_id', subscription.customer_id,
        'status', subscription.status, 'plan_version_id', subscription.plan_version_id,
        'trialing', (
            select {_SOLD_VERSION} from plan_versions version
            where version.tenant_id = subscription.tenant_id
              and version.plan_id = subscription.trialing_plan_id
              and version.published_at is not null
            order by version.version desc limit 1),
        'items', (
            select coalesce(json_agg(json_build_object('product_id', item.product_id,
                'add_on_id', item.add_on_id, 'component_id', item.component_id,
                'instances', item.instances, 'starts_on', item.item ->> 'starts_on',
                'ends_on', item.item ->> 'ends_on') order by item.position), '[]')
            from subscription_items item where item.tenant_id = subscription.tenant_id
              and item.subscription_id = subscription.id),
        'start_date', subscription.start_date, 'trial_end', subscription.trial_end,
        'end_date', subscription.end_date, 'cancelled_on', subscription.cancelled_on,
        'current_period_start', subscription.current_period_start,
        'current_period_end', subscription.current_period_end,
        'billing_start_date', subscription.billing_start_date,
        'billing_day_anchor', subscription.billing_day_anchor,
        'counted_from', subscription.counted_from, 'cadence', subscription.cadence,
        'activated_at', subscription.activated_at)
"""

_facts: Codec[SubscriptionFacts] = Codec(SubscriptionFacts)
_many_facts: Codec[tuple[SubscriptionFacts, ...]] = Codec(tuple[SubscriptionFacts, ...])
_version: Codec[SoldVersion] = Codec(SoldVersion)


async def load(tx: Tx, tenant_id: UUID, subscription_id: UUID) -> SubscriptionFacts | None:
    """A subscription, in whatever state, or None where this tenant has none of that id."""
    text = await tx.fetchval(
        f"""
        select {_FACTS_JSON} from subscriptions subscription
        where subscription.tenant_id = $1 and subscription.id = $2
        """,
        tenant_id,
        subscription_id,
    )
    return _facts.load_optional(text)


async def of_customer(
    tx: Tx, tenant_id: UUID, customer_id: UUID
) -> tuple[SubscriptionFacts, ...]:
    """The active subscriptions of a customer and those in a trial, the oldest first."""
    text = await tx.fetchval(
        f"""
        select coalesce(json_agg({_FACTS_JSON} order by subscription.start_date,
            subscription.created_at, subscription.id), '[]')
        from subscriptions subscription
        where subscription.tenant_id = $1 and subscription.customer_id = $2
          and subscription.status in ('ACTIVE', 'TRIAL_ACTIVE')
        """,
        tenant_id,
        customer_id,
    )
    return _many_facts.load(text)


async def version(tx: Tx, tenant_id: UUID, version_id: UUID) -> SoldVersion | None:
    """A version of a plan with its products, published or not, or None."""
    text = await tx.fetchval(
        f"""
        select {_SOLD_VERSION} from plan_versions version
        where version.tenant_id = $1 and version.id = $2
        """,
        tenant_id,
        version_id,
    )
    return _version.load_optional(text)
