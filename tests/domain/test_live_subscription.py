"""Which subscriptions grant anything, and by which plan."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from tallystick.domain.live_subscription import (
    LivingItem,
    SoldVersion,
    SubscriptionFacts,
    subscribed,
)
from tallystick.domain.periods import Cadence, Period
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.domain.resolve_entitlements import HeldAddOn

PLATFORM, SUPPORT, PACK = (UUID(int=n) for n in (1, 2, 3))
VERSION, OTHER_VERSION = UUID(int=11), UUID(int=12)
ADD_ON = UUID(int=21)

FACTS = SubscriptionFacts(
    id=UUID(int=1),
    customer_id=UUID(int=2),
    status=SubscriptionStatus.ACTIVE,
    plan_version_id=VERSION,
    trialing=SoldVersion(id=OTHER_VERSION, product_ids=frozenset({SUPPORT})),
    items=(
        LivingItem(
            product_id=PLATFORM,
            add_on_id=None,
            component_id=UUID(int=61),
            instances=1,
            starts_on=None,
            ends_on=None,
        ),
    ),
    start_date=date(2026, 3, 1),
    trial_end=date(2026, 3, 15),
    end_date=None,
    cancelled_on=None,
    current_period_start=date(2026, 3, 1),
    current_period_end=date(2026, 4, 1),
    billing_start_date=date(2026, 3, 1),
    billing_day_anchor=1,
    counted_from=None,
    cadence=Cadence.MONTHLY,
    activated_at=None,
)
TODAY = date(2026, 3, 10)


@pytest.mark.parametrize("status", SubscriptionStatus)
def test_who_grants_anything(status: SubscriptionStatus) -> None:
    """Active subscriptions and those in a trial, and none else."""
    grants = status in (SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIAL_ACTIVE)

    assert (subscribed(replace(FACTS, status=status), TODAY, UTC) is not None) == grants


def test_what_is_over_grants_nothing() -> None:
    """On the day of its end or of its cancellation, also before the worker has come."""
    for ended in (replace(FACTS, end_date=TODAY), replace(FACTS, cancelled_on=TODAY)):
        assert subscribed(ended, TODAY, UTC) is None
        assert subscribed(ended, TODAY - timedelta(days=1), UTC) is not None


@pytest.mark.parametrize(
    ("status", "day", "version", "products"),
    [
        (
            SubscriptionStatus.TRIAL_ACTIVE,
            date(2026, 3, 14),
            OTHER_VERSION,
            frozenset({SUPPORT}),
        ),
        (SubscriptionStatus.TRIAL_ACTIVE, date(2026, 3, 15), VERSION, frozenset({PLATFORM})),
        (SubscriptionStatus.ACTIVE, date(2026, 3, 14), VERSION, frozenset({PLATFORM})),
    ],
)
def test_a_trial_of_another_plan(
    status: SubscriptionStatus, day: date, version: UUID, products: frozenset[UUID]
) -> None:
    """Up to the trial's last day; a plan without a published version counts as none."""
    facts = replace(FACTS, status=status)
    found = subscribed(facts, day, UTC)
    own = subscribed(replace(facts, trialing=None), day, UTC)

    assert found is not None
    assert own is not None
    assert (found.plan_version_id, found.product_ids) == (version, products)
    assert (own.plan_version_id, own.product_ids) == (VERSION, frozenset({PLATFORM}))


def test_items_grant_while_they_are_there() -> None:
    """An add-on from its first day on, a component up to its last."""
    add_on = replace(
        FACTS.items[0],
        product_id=PACK,
        add_on_id=ADD_ON,
        component_id=None,
        instances=3,
        starts_on=date(2026, 3, 11),
    )
    leaving = replace(FACTS.items[0], product_id=SUPPORT, ends_on=date(2026, 3, 11))
    facts = replace(FACTS, items=(*FACTS.items, add_on, leaving))

    today = subscribed(facts, TODAY, UTC)
    tomorrow = subscribed(facts, TODAY + timedelta(days=1), UTC)

    assert today is not None
    assert tomorrow is not None
    assert (today.product_ids, today.add_ons) == (frozenset({PLATFORM, SUPPORT}), ())
    assert tomorrow.product_ids == frozenset({PLATFORM})
    assert tomorrow.add_ons == (HeldAddOn(add_on_id=ADD_ON, product_id=PACK, quantity=3),)


@pytest.mark.parametrize(
    ("day", "begins", "ends"),
    [
        (date(2026, 3, 31), date(2026, 3, 1), date(2026, 4, 1)),
        (date(2026, 4, 1), date(2026, 4, 1), date(2026, 5, 1)),
        (date(2026, 5, 20), date(2026, 5, 1), date(2026, 6, 1)),
    ],
)
def test_a_period_that_no_step_has_reached(day: date, begins: date, ends: date) -> None:
    """The period of the day, not the one in which the subscription still stands."""
    found = subscribed(FACTS, day, UTC)

    assert found is not None
    assert found.anchors.period == Period(begins, ends)
    assert found.anchors.activated == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_period_without_an_end() -> None:
    """The first one, as far as the billing days say."""
    found = subscribed(replace(FACTS, current_period_end=None), TODAY, UTC)

    assert found is not None
    assert found.anchors.period == Period(date(2026, 3, 1), date(2026, 4, 1))


def test_periods_whose_length_has_changed() -> None:
    """They count from the day of the change: years from the 15th of April."""
    changed = replace(
        FACTS,
        cadence=Cadence.ANNUAL,
        billing_day_anchor=15,
        counted_from=date(2026, 4, 15),
    )
    found = subscribed(changed, date(2026, 5, 20), UTC)

    assert found is not None
    assert found.anchors.period == Period(date(2026, 4, 15), date(2027, 4, 15))


def test_what_was_added_for_one_subscription_stays_in_its_trial() -> None:
    """Beside the products of the trialing plan; the plan's own components do not."""
    extra = replace(FACTS.items[0], product_id=PACK, component_id=None)
    trial = replace(FACTS, status=SubscriptionStatus.TRIAL_ACTIVE, items=(*FACTS.items, extra))
    found = subscribed(trial, TODAY, UTC)

    assert found is not None
    assert found.product_ids == frozenset({SUPPORT, PACK})


def test_windows_hang_on_the_activation() -> None:
    """Where it is known, to the second."""
    activated = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)
    found = subscribed(replace(FACTS, activated_at=activated), TODAY, UTC)

    assert found is not None
    assert found.anchors.activated == activated
