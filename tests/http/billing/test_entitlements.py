"""What customers may do, as the SDK asks for it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from meteroid import AsyncMeteroid
from meteroid import models as m
from meteroid.errors import BadRequestError, NotFoundError

from tallystick.domain.ids import Prefix, encode
from tests.http.billing.test_subscribing import subscribed
from tests.subscribing import Merchant
from tests.world import World

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MONTH = m.CalendarUnit.MONTH
ON = m.BooleanEntitlementValue(enabled=True)


async def calls(sdk: AsyncMeteroid, world: World, limit: str | None = "100") -> m.Feature:
    """A feature that sums calls, of which everybody has so many in each billing period."""
    metric = await sdk.metrics.create(
        aggregation_type=m.BillingMetricAggregateEnum("SUM"),
        aggregation_key="n",
        code="calls",
        name="Calls",
        product_family_id=encode(Prefix.PRODUCT_FAMILY, world.family_id),
    )
    return await sdk.features.create(
        code="calls",
        name="API calls",
        feature_type=m.MeteredFeatureType(metric_id=metric.id),
        entitlement=m.MeteredEntitlementValue(
            limit=None if limit is None else Decimal(limit),
            reset_period=m.BillingCycleResetPeriod(),
        ),
    )


async def use(sdk: AsyncMeteroid, customer: str, *units: str) -> None:
    """Report calls, as they happen."""
    await sdk.events.ingest(
        events=[
            m.Event(
                event_id=f"{customer}-{number}-{n}",
                code="calls",
                customer_id=customer,
                properties={"n": n},
            )
            for number, n in enumerate(units)
        ]
    )


async def test_a_gate_in_ten_lines(sdk: AsyncMeteroid, world: World) -> None:
    """One look says what a customer may do now; a limit that is reached switches it off."""
    feature = await calls(sdk, world)
    await sdk.features.create(
        code="sso", name="Sign-on", feature_type=m.BooleanFeatureType(), entitlement=ON
    )
    await sdk.features.create(
        code="region",
        name="Region",
        feature_type=m.ConfigFeatureType(value_type=m.ConfigValueType.TEXT),
        entitlement=m.ConfigEntitlementValue(value=m.TextConfigValue(value="eu")),
    )
    made = await subscribed(sdk, world, await world.plan())

    async def may(code: str) -> object:
        granted = await sdk.customers.list_entitlements(made.customer_id)
        for one in granted.data:
            if one.feature.code == code:
                match one.value:
                    case m.BooleanEffectiveEntitlementValue(enabled=enabled):
                        return enabled
                    case m.MeteredEffectiveEntitlementValue(spec=spec):
                        return spec.enabled
                    case m.ConfigEffectiveEntitlementValue(value=m.TextConfigValue(value=text)):
                        return text
                    case _:
                        pass
        return False

    assert [await may(code) for code in ("sso", "calls", "region", "other")] == [
        True,
        True,
        "eu",
        False,
    ]
    await use(sdk, made.customer_id, "60", "39.5")
    assert await may("calls")
    granted = await sdk.subscriptions.list_entitlements(made.id)
    (found,) = [one for one in granted.data if one.feature.code == "calls"]
    assert isinstance(feature.feature_type, m.MeteredFeatureType)
    assert found == m.EffectiveEntitlement(
        feature=m.FeatureRef(id=feature.id, code="calls", name="API calls"),
        value=m.MeteredEffectiveEntitlementValue(
            spec=m.MeteredEntitlementSpec(
                enabled=True,
                metric_id=feature.feature_type.metric_id,
                reset_period=m.BillingCycleResetPeriod(),
                limit=Decimal(100),
            ),
            usage=m.MeteredEntitlementUsage(
                consumed=Decimal("99.5"),
                remaining=Decimal("0.5"),
                reset_at=datetime(2026, 4, 10, tzinfo=UTC),
            ),
        ),
    )
    await use(sdk, made.customer_id, "60", "39.5", "0.5")
    assert not await may("calls")


async def test_by_alias_and_by_id(sdk: AsyncMeteroid, world: World) -> None:
    """The same for both; nothing without a subscription, and nobody for an unknown alias."""
    await calls(sdk, world)
    alone = await world.customer(alias="globex")
    by_alias = await sdk.customers.list_entitlements("globex")
    assert by_alias.data == []
    assert await sdk.customers.list_entitlements(encode(Prefix.CUSTOMER, alone)) == by_alias
    for name in ("nobody", encode(Prefix.CUSTOMER, world.tenant_id)):
        with pytest.raises(NotFoundError):
            await sdk.customers.list_entitlements(name)
    with pytest.raises(NotFoundError):
        await sdk.subscriptions.list_entitlements(encode(Prefix.SUBSCRIPTION, alone))


async def test_without_limit(sdk: AsyncMeteroid, world: World) -> None:
    """Nothing remains to be counted down, and it is never used up."""
    await calls(sdk, world, limit=None)
    made = await subscribed(sdk, world, await world.plan())
    await use(sdk, made.customer_id, "1000000")

    (found,) = (await sdk.customers.list_entitlements(made.customer_id)).data

    assert isinstance(found.value, m.MeteredEffectiveEntitlementValue)
    assert (found.value.spec.limit, found.value.usage.remaining) == (None, None)
    assert found.value.spec.enabled
    assert found.value.usage.consumed == 1_000_000


async def test_one_subscription_has_its_own(
    sdk: AsyncMeteroid, api: httpx.AsyncClient, world: World
) -> None:
    """Attached, shown on the subscription, changed and taken away by the SDK."""
    feature = await calls(sdk, world)
    made = await subscribed(sdk, world, await world.plan())
    assert made.entitlements == []
    path = f"/api/v1/subscriptions/{made.id}/entitlements"
    wanted = {"feature_id": feature.id, "value": {"type": "METERED", "limit": "5"}}

    answers = [await api.post(path, json={"entitlements": [wanted]}) for _ in range(2)]

    assert [one.status_code for one in answers] == [201, 201]
    (own,), again = (one.json()["data"] for one in answers)
    assert again == []
    shown = (await sdk.subscriptions.retrieve(made.id)).entitlements
    assert shown is not None
    assert [one.id for one in shown] == [own["id"]]

    async def limit() -> Decimal | None:
        (found,) = (await sdk.subscriptions.list_entitlements(made.id)).data
        assert isinstance(found.value, m.MeteredEffectiveEntitlementValue)
        assert found.value.spec.reset_period == m.BillingCycleResetPeriod()
        return found.value.spec.limit

    assert await limit() == 5
    value = m.MeteredEntitlementValue(limit=Decimal(8))
    await sdk.entitlements.update(own["id"], value=value)
    assert await limit() == 8
    await sdk.entitlements.delete(own["id"])
    assert await limit() == 100


async def test_one_that_is_over_takes_nothing_more(
    sdk: AsyncMeteroid, api: httpx.AsyncClient, world: World
) -> None:
    """409, and nothing is attached."""
    feature = await calls(sdk, world)
    made = await subscribed(sdk, world, await world.plan())
    await sdk.subscriptions.cancel(made.id, effective_date=date(2026, 3, 11))
    await Merchant(world=world).travel(date(2026, 3, 11))
    wanted = {"feature_id": feature.id, "value": {"type": "METERED"}}

    answer = await api.post(
        f"/api/v1/subscriptions/{made.id}/entitlements", json={"entitlements": [wanted]}
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")
    assert (await sdk.subscriptions.retrieve(made.id)).entitlements == []


async def test_every_operation_of_the_client(sdk: AsyncMeteroid, world: World) -> None:
    """Asynchronous, one after the other, on one feature."""
    product = encode(Prefix.PRODUCT, (await world.plan(name="Own")).products["Fee"])
    made = await sdk.features.create(
        code="sso",
        name="sso",
        feature_type=m.BooleanFeatureType(),
        product_id=product,
    )
    plan = await world.plan()
    version = encode(Prefix.PLAN_VERSION, plan.version_id)
    spec = m.EntitlementSpecRequest(feature_id=made.id, value=ON)

    of_product = await sdk.products.entitlements.create(product, entitlements=[spec])
    of_plan = await sdk.plans.create_plan_version_entitlement(version, entitlements=[spec])

    assert [len(one.data) for one in (of_product, of_plan)] == [1, 1]
    assert len((await sdk.products.entitlements.list(product)).data) == 1
    assert len((await sdk.plans.list_plan_version_entitlements(version)).data) == 1
    assert [one.code async for one in sdk.features.list(product_id=product)] == ["sso"]
    assert (await sdk.features.update("sso", name="Sign-on")).name == "Sign-on"
    await sdk.features.archive("sso")
    assert (await sdk.features.retrieve("sso")).status == "ARCHIVED"
    await sdk.features.unarchive("sso")
    off = m.BooleanEntitlementValue(enabled=False)
    changed = await sdk.entitlements.update(of_plan.data[0].id, value=off)
    assert (await sdk.entitlements.retrieve(changed.id)).value == off
    await sdk.entitlements.delete(changed.id)
    with pytest.raises(NotFoundError):
        await sdk.entitlements.retrieve(changed.id)
    with pytest.raises(BadRequestError):
        await sdk.plans.create_plan_version_entitlement(version, entitlements=[spec, spec])


async def test_what_was_granted_before_holds_again(sdk: AsyncMeteroid, world: World) -> None:
    """Calls of a moment ago count in a window of an hour, and not in that of the next."""
    feature = await calls(sdk, world)
    assert feature.entitlement is not None
    hourly = m.SlidingWindowResetPeriod(unit=m.CalendarUnit.HOUR, interval=1)
    await sdk.entitlements.update(
        feature.entitlement.id, value=m.MeteredEntitlementValue(reset_period=hourly)
    )
    made = await subscribed(sdk, world, await world.plan())
    await use(sdk, made.customer_id, "100")

    async def used() -> Decimal | None:
        (found,) = (await sdk.customers.list_entitlements(made.customer_id)).data
        assert isinstance(found.value, m.MeteredEffectiveEntitlementValue)
        assert found.value.usage.reset_at is None
        return found.value.usage.consumed

    assert await used() == 100
    await Merchant(world=world).travel(NOON + timedelta(hours=1))
    assert await used() == 0
