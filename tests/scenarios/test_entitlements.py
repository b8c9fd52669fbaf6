"""What customers may do while their subscriptions live: trials, renewals, changes, ends."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tallystick.db.subscriptions import load
from tallystick.domain.entitlement import MeteredValue
from tallystick.domain.offer_request import AddOnEntry
from tallystick.domain.purchase import Activation
from tallystick.domain.reset_period import (
    BillingCycle,
    Calendar,
    CalendarUnit,
    FixedWindow,
    Never,
    ResetPeriod,
    SlidingWindow,
)
from tests.cases.golden import plan_fixture, row_id, rows
from tests.scenarios.gating import ON, Gate, counted, metered, text
from tests.scenarios.plan_changes import Shop
from tests.scenarios.test_usage_billed import use
from tests.shops import with_places
from tests.subscribing import Merchant
from tests.world import World

TODAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR, DAY, WEEK, MONTH, _ = CalendarUnit


@pytest.fixture
def gate(world: World) -> Gate:
    """A shop that asks what its customers may do."""
    return Gate(merchant=Merchant(world=world))


@pytest.mark.parametrize("row", rows("TRI-09"), ids=row_id)
async def test_effective_plan_of_a_trial(gate: Gate, row: dict[str, Any]) -> None:
    """TRI-09: the trialing plan's entitlements during the trial, the plan's own after it."""
    shop = Shop(merchant=gate.merchant)
    trialing = await gate.world.plan(name="Enterprise", is_free=True)
    fixture = plan_fixture(row["plan"])
    named = (fixture["trial"] or {}).get("trialing_plan")
    plan = await shop.sold(row["plan"], **({"trialing_plan_id": trialing.id} if named else {}))
    feature = await gate.text("plan")
    await gate.by_plan(trialing, feature, text("Enterprise"))
    await gate.by_plan(plan, feature, text(fixture["name"]))
    customer = await gate.world.customer()

    made = await gate.merchant.subscribe(
        customer, plan, TODAY, trial_duration_days=row["trial_days"]
    )
    if row["when"] == "after trial":
        await gate.merchant.travel(date(2026, 3, 17))

    assert (await gate.of(customer))["plan"].value == text(row["effective_plan"])
    assert await gate.by(made.subscription.id) == await gate.of(customer)


async def test_a_trial_up_to_its_last_moment(gate: Gate) -> None:
    """What only the trialing plan grants is there until the end, and no moment longer."""
    trialing = await gate.world.plan(name="Enterprise", is_free=True)
    plan = await gate.world.plan(trial_days=7, trial_is_free=True, trialing_plan_id=trialing.id)
    await gate.by_plan(trialing, await gate.boolean(), ON)
    customer = await gate.world.customer()
    await gate.merchant.subscribe(customer, plan, TODAY)

    await gate.merchant.travel(datetime(2026, 3, 16, 23, 59, 59, tzinfo=UTC))
    assert (await gate.of(customer))["sso"].value == ON
    await gate.merchant.travel(date(2026, 3, 17))
    assert await gate.of(customer) == {}


@pytest.mark.parametrize(
    ("reset", "used", "left", "resets_at"),
    [
        # Events of 5 March, of 10 March 11:30, and of this very noon: 100, 20 and 3 calls.
        (BillingCycle(), 123, 877, datetime(2026, 4, 1, tzinfo=UTC)),
        (
            Calendar(unit=DAY, interval=1),
            23,
            977,
            datetime(2026, 3, 11, tzinfo=UTC),
        ),
        (
            Calendar(unit=HOUR, interval=1),
            3,
            997,
            datetime(2026, 3, 10, 13, tzinfo=UTC),
        ),
        (
            FixedWindow(unit=WEEK, interval=1),
            23,
            977,
            datetime(2026, 3, 15, 9, tzinfo=UTC),
        ),
        (SlidingWindow(unit=DAY, interval=6), 123, 877, None),
        (SlidingWindow(unit=HOUR, interval=1), 23, 977, None),
        (Never(), 123, 877, None),
        (None, 123, 877, None),
    ],
)
async def test_usage_in_its_window(
    gate: Gate, reset: ResetPeriod | None, used: int, left: int, resets_at: datetime | None
) -> None:
    """1000 calls: what was used in the window of each kind, this moment included."""
    await gate.merchant.stand_at(datetime(2026, 3, 1, 9, tzinfo=UTC))
    plan = await gate.world.plan()
    await gate.by_plan(plan, await gate.calls(), metered(1000, reset))
    customer = await gate.world.customer()
    await use(gate.world, customer, 5000, "2026-02-28T23:00")
    await gate.merchant.subscribe(customer, plan, date(2026, 3, 1))
    for calls, at in ((100, "2026-03-05T10:00"), (20, "2026-03-10T11:30")):
        await use(gate.world, customer, calls, at)
    await gate.merchant.travel(NOON)
    await use(gate.world, customer, 3, "2026-03-10T12:00")

    found = (await gate.of(customer))["calls"]

    assert counted(found) == (used, left)
    assert found.usage is not None
    assert found.usage.resets_at == resets_at
    assert found.value == MeteredValue(limit=Decimal(1000), reset_period=reset or Never())


async def test_days_are_the_tenants(gate: Gate) -> None:
    """In Kathmandu the day of noon in UTC began at 18:15 of the day before."""
    ctx = gate.world.ctx
    await gate.world.execute("update tenants set time_zone = 'Asia/Kathmandu'")
    gate.world.ctx = replace(ctx, tenant=replace(ctx.tenant, time_zone="Asia/Kathmandu"))
    plan = await gate.world.plan()
    daily = metered(100, Calendar(unit=DAY, interval=1))
    await gate.by_plan(plan, await gate.calls(), daily)
    customer = await gate.world.customer()
    await gate.merchant.subscribe(customer, plan, TODAY)
    await use(gate.world, customer, 10, "2026-03-09T18:14")
    await use(gate.world, customer, 1, "2026-03-09T18:15")

    found = (await gate.of(customer))["calls"]

    assert found.usage is not None
    assert found.usage.consumed == 1
    assert found.usage.resets_at == datetime(2026, 3, 10, 18, 15, tzinfo=UTC)


async def test_a_limit_is_reached_and_begins_anew(gate: Gate) -> None:
    """Used up, the feature is off; with the renewal all of it is there again."""
    plan = await gate.world.plan()
    await gate.by_plan(plan, await gate.calls(), metered(100, BillingCycle()))
    customer = await gate.world.customer()
    await gate.merchant.subscribe(customer, plan, TODAY)

    states = []
    for calls in (99, 1, 50):
        await use(gate.world, customer, calls, "2026-03-10T12:00")
        value = (await gate.of(customer))["calls"].value
        assert isinstance(value, MeteredValue)
        states.append((await gate.used(customer), value.enabled))
    await gate.merchant.travel(date(2026, 4, 10))

    assert states == [((99, 1), True), ((100, 0), False), ((150, 0), False)]
    assert await gate.used(customer) == (0, 100)


async def test_add_ons_raise_the_limit(gate: Gate) -> None:
    """1000 of the plan, and three packs of 500; one subscription has its own limit."""
    plan, pack, calls = await gate.world.plan(), await gate.add_on(), await gate.calls()
    await gate.by_plan(plan, calls, metered(1000, BillingCycle()))
    await gate.by_add_on(pack, calls, metered(500))
    without, customer = await gate.world.customer(), await gate.world.customer("Initech")
    await gate.merchant.subscribe(without, plan, TODAY)
    packs = AddOnEntry(add_on_id=pack, quantity=3)
    made = await gate.merchant.subscribe(customer, plan, TODAY, add_ons=(packs,))

    assert await gate.used(without) == (0, 1000)
    assert await gate.used(customer) == (0, 2500)
    await gate.to(made.subscription.id, calls, metered(7))
    assert await gate.used(customer) == (0, 7)
    async with gate.world.database.connection() as tx:
        details = await load(tx, gate.world.tenant_id, made.subscription.id)
    assert details is not None
    assert [one.value for one in details.entitlements] == [metered(7)]


async def test_subscriptions_of_one_customer_add_up(gate: Gate) -> None:
    """Twice 100 calls, counted in the period of the older one; each shows its own."""
    gate.merchant.world = await with_places(gate.world, 2)
    plan = await gate.world.plan()
    await gate.by_plan(plan, await gate.calls(), metered(100, BillingCycle()))
    customer = await gate.world.customer()
    await gate.merchant.subscribe(customer, plan, TODAY)
    await gate.merchant.travel(date(2026, 3, 20))
    second = await gate.merchant.subscribe(customer, plan, date(2026, 3, 20))
    await use(gate.world, customer, 30, "2026-03-12T12:00")

    both, own = await gate.of(customer), await gate.by(second.subscription.id)

    assert counted(both["calls"]) == (30, 170)
    assert both["calls"].usage is not None
    assert both["calls"].usage.resets_at == datetime(2026, 4, 10, tzinfo=UTC)
    assert counted(own["calls"]) == (0, 100)


async def test_a_change_of_the_plan(gate: Gate) -> None:
    """The new plan's from that moment on, and the old one's no more."""
    shop = Shop(merchant=gate.merchant)
    small, large = await gate.world.plan(name="Small"), await gate.world.plan(name="Large")
    await gate.by_plan(small, await gate.boolean("basic"), ON)
    await gate.by_plan(large, await gate.boolean("sso"), ON)
    customer = await gate.world.customer()
    made = await gate.merchant.subscribe(customer, small, TODAY)
    assert list(await gate.of(customer)) == ["basic"]

    await shop.change(made.subscription.id, large)

    assert list(await gate.of(customer)) == ["sso"]


async def test_what_is_over_grants_nothing(gate: Gate) -> None:
    """A cancellation takes everything on its day, the subscription's own grants as well."""
    plan, feature = await gate.world.plan(), await gate.boolean()
    customer = await gate.world.customer()
    made = await gate.merchant.subscribe(customer, plan, TODAY)
    await gate.to(made.subscription.id, feature, ON)
    await gate.merchant.cancel(made.subscription.id, date(2026, 3, 20))

    await gate.merchant.travel(date(2026, 3, 19))
    assert list(await gate.of(customer)) == ["sso"]
    await gate.merchant.travel(date(2026, 3, 20))
    assert await gate.of(customer) == {}
    assert await gate.by(made.subscription.id) == {}


async def test_what_has_not_begun_grants_nothing(gate: Gate) -> None:
    """Pending until its start, or until somebody activates it."""
    plan = await gate.world.plan()
    await gate.by_plan(plan, await gate.boolean(), ON)
    later, manual = await gate.world.customer(), await gate.world.customer("Initech")
    await gate.merchant.subscribe(later, plan, date(2026, 3, 12))
    await gate.merchant.subscribe(manual, plan, TODAY, Activation.MANUAL)

    assert (await gate.of(later), await gate.of(manual)) == ({}, {})
    await gate.merchant.travel(date(2026, 3, 12))
    assert list(await gate.of(later)) == ["sso"]
    assert await gate.of(manual) == {}
