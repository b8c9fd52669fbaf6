"""Which subscriptions grant entitlements, and by which version of which plan.

One that is pending, expired, suspended or over grants nothing. During a trial the published
version of the plan's `trialing_plan_id` counts instead of its own, where there is one
(reference rules of money and time, section 4); prices never do.
"""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from uuid import UUID

from tallystick.domain.metering import day_begins
from tallystick.domain.periods import Cadence, Period, boundary, index_containing
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.domain.resolve_entitlements import HeldAddOn, Subscribed
from tallystick.domain.usage_window import Anchors


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldVersion:
    """A version of a plan, and the products of its components."""

    id: UUID
    product_ids: frozenset[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class LivingItem:
    """A component or an add-on of a subscription and its own life, where it has one.

    `component_id` is the plan's component, None for an add-on and for what was added for this
    subscription alone.
    """

    product_id: UUID
    add_on_id: UUID | None
    component_id: UUID | None
    instances: int
    starts_on: date | None
    ends_on: date | None

    def is_there_on(self, day: date) -> bool:
        """Whether the subscription has it on a day."""
        return (self.starts_on is None or self.starts_on <= day) and (
            self.ends_on is None or day < self.ends_on
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionFacts:
    """A subscription as entitlements see it. Days are the tenant's.

    `trialing` is the published version of the plan whose entitlements count during the trial.
    `counted_from` is the day from which its periods count where their length has changed.
    """

    id: UUID
    customer_id: UUID
    status: SubscriptionStatus
    plan_version_id: UUID
    trialing: SoldVersion | None
    items: tuple[LivingItem, ...]
    start_date: date
    trial_end: date | None
    end_date: date | None
    cancelled_on: date | None
    current_period_start: date
    current_period_end: date | None
    billing_start_date: date
    billing_day_anchor: int
    counted_from: date | None
    cadence: Cadence
    activated_at: datetime | None


def subscribed(facts: SubscriptionFacts, today: date, zone: tzinfo) -> Subscribed | None:
    """The subscription as it grants entitlements on a day, None where it grants nothing."""
    if not _grants(facts, today):
        return None
    there = [item for item in facts.items if item.is_there_on(today)]
    components = [item for item in there if item.add_on_id is None]
    version_id = facts.plan_version_id
    products = {item.product_id for item in components}
    if facts.trialing is not None and in_trial(facts, today):
        version_id = facts.trialing.id
        extra = {item.product_id for item in components if item.component_id is None}
        products = extra | facts.trialing.product_ids
    return Subscribed(
        id=facts.id,
        plan_version_id=version_id,
        product_ids=frozenset(products),
        add_ons=tuple(
            HeldAddOn(
                add_on_id=item.add_on_id, product_id=item.product_id, quantity=item.instances
            )
            for item in there
            if item.add_on_id is not None
        ),
        anchors=Anchors(
            activated=facts.activated_at or day_begins(facts.start_date, zone),
            period=_period(facts, today),
        ),
    )


def in_trial(facts: SubscriptionFacts, today: date) -> bool:
    """Whether a day is one of the subscription's trial, free or paid."""
    return facts.status is SubscriptionStatus.TRIAL_ACTIVE and (
        facts.trial_end is None or today < facts.trial_end
    )


def _grants(facts: SubscriptionFacts, today: date) -> bool:
    if facts.status not in (SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIAL_ACTIVE):
        return False
    # Its day may have come before the worker has.
    return all(end is None or today < end for end in (facts.end_date, facts.cancelled_on))


def _period(facts: SubscriptionFacts, today: date) -> Period:
    """The billing period of a day; of a day that no step has reached yet, what it will be."""
    start, end = facts.current_period_start, facts.current_period_end
    if end is not None and today < end:
        return Period(start, end)
    first = facts.counted_from or facts.billing_start_date
    anchor, cadence = facts.billing_day_anchor, facts.cadence
    index = index_containing(first, anchor, cadence, today)
    begin = first if index == 0 else boundary(first, anchor, cadence, index - 1)
    return Period(begin, boundary(first, anchor, cadence, index))
