"""The part of the tour that sets up what is sold: every operation of the catalog."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from meteroid import models as m

from tests.http.purchase.terms import fixed, percent, rate, slots_of, term
from tests.http.sdk.guide import Guide

MONTH = m.BillingPeriodEnum("MONTHLY")


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """What the rest of the tour sells."""

    family: str
    metric: str
    plan: m.Plan
    simple: m.Plan
    add_on: m.AddOn
    seats: m.AddOn
    coupon: m.Coupon
    feature: m.Feature
    limit: m.Feature
    setting: m.Feature


async def set_up(guide: Guide) -> Catalog:
    """Make a catalog, changing, archiving and bringing back one of everything on the way."""
    sdk = guide.sdk
    family = await sdk.product_families.create(name="Cloud")
    assert (await sdk.product_families.retrieve(family.id)).id == family.id
    assert [one.id async for one in sdk.product_families.list(search="clo")] == [family.id]
    metric = await _metrics(guide, family.id)
    product = await _products(guide, family.id)
    features = await _features(guide, product, metric)
    add_on, seats = await _add_ons(guide, family.id, features)
    plan, simple = await _plans(guide, family.id, metric, add_on, features)
    await sdk.products.entitlements.create(
        product, entitlements=[_spec(features[0], m.BooleanEntitlementValue(enabled=True))]
    )
    assert (await sdk.products.entitlements.list(product)).data
    return Catalog(
        family=family.id,
        metric=metric,
        plan=plan,
        simple=simple,
        add_on=add_on,
        seats=seats,
        coupon=await _coupons(guide, plan.id),
        feature=features[0],
        limit=features[1],
        setting=features[2],
    )


async def _metrics(guide: Guide, family: str) -> str:
    sdk = guide.sdk
    made = await sdk.metrics.create(
        aggregation_type="SUM",
        aggregation_key="calls",
        code="calls",
        name="Calls",
        description="What is called",
        product_family_id=family,
        usage_group_key="region",
        filters=[
            m.MetricFilter(
                op=m.MetricFilterOperator("IN"), property="region", values=["eu", "us"]
            )
        ],
        unit_conversion=m.UnitConversion(factor=2, rounding=m.UnitConversionRoundingEnum("UP")),
        segmentation_matrix=m.MetricDimension(key="region", values=["eu", "us"]),
    )
    await sdk.metrics.update(made.id, name="API calls", description="Calls of the API")
    await sdk.metrics.archive(made.id)
    assert (await sdk.metrics.retrieve(made.id)).archived_at is not None
    await sdk.metrics.unarchive(made.id)
    plain = await sdk.metrics.create(
        aggregation_type="SUM",
        aggregation_key="calls",
        code="plain_calls",
        name="Plain calls",
        product_family_id=family,
        usage_group_key="region",
    )
    assert {one.id async for one in sdk.metrics.list(search="calls")} == {made.id, plain.id}
    return str(plain.id)


async def _products(guide: Guide, family: str) -> str:
    sdk = guide.sdk
    made = await sdk.products.create(
        fee_structure=m.RateFeeStructure(),
        name="Support",
        description="People who help",
        product_family_id=family,
        catalog=True,
    )
    await sdk.products.update(made.id, name="Priority support")
    await sdk.products.archive(made.id)
    assert (await sdk.products.retrieve(made.id)).archived_at is not None
    await sdk.products.unarchive(made.id)
    assert [one.id async for one in sdk.products.list(search="priority")] == [made.id]
    return str(made.id)


async def _features(guide: Guide, product: str, metric: str) -> list[m.Feature]:
    sdk = guide.sdk
    on = await sdk.features.create(
        code="sso",
        name="Single sign-on",
        description="By SAML",
        feature_type=m.BooleanFeatureType(),
        product_id=product,
        entitlement=m.BooleanEntitlementValue(enabled=False),
    )
    limit = await sdk.features.create(
        code="calls", name="Calls", feature_type=m.MeteredFeatureType(metric_id=metric)
    )
    setting = await sdk.features.create(
        code="tier",
        name="Tier",
        feature_type=m.ConfigFeatureType(
            value_type=m.ConfigValueType("SELECT"), options=["gold", "silver"]
        ),
    )
    await sdk.features.update(on.id, description="By SAML or OpenID")
    await sdk.features.archive(on.id)
    assert (await sdk.features.retrieve("sso")).status == "ARCHIVED"
    await sdk.features.unarchive(on.id)
    assert {one.code async for one in sdk.features.list()} == {"sso", "calls", "tier"}
    return [await sdk.features.retrieve(on.id), limit, setting]


def _spec(feature: m.Feature, value: m.EntitlementValue) -> m.EntitlementSpecRequest:
    return m.EntitlementSpecRequest(feature_id=feature.id, value=value)


def _specs(features: list[m.Feature], limit: str) -> list[m.EntitlementSpecRequest]:
    """One entitlement of each kind."""
    return [
        _spec(features[0], m.BooleanEntitlementValue(enabled=True)),
        _spec(
            features[1],
            m.MeteredEntitlementValue(
                enabled=True,
                limit=Decimal(limit),
                reset_period=m.CalendarResetPeriod(interval=1, unit=m.CalendarUnit("MONTH")),
            ),
        ),
        _spec(features[2], m.ConfigEntitlementValue(value=m.TextConfigValue(value="gold"))),
    ]


async def _add_ons(
    guide: Guide, family: str, features: list[m.Feature]
) -> tuple[m.AddOn, m.AddOn]:
    sdk = guide.sdk
    found = []
    for name, fee, pricing in (
        ("Onboarding", m.RateFeeStructure(), {"type": "RATE", "rate": "60.00"}),
        (
            "Workspaces",
            slots_of("workspace"),
            {"type": "SLOT", "unit_rate": "4.00", "min_slots": 1, "max_slots": 20},
        ),
    ):
        product = await sdk.products.create(
            fee_structure=fee, name=name, product_family_id=family
        )
        price = await guide.post(
            f"/products/{product.id}/prices",
            {"cadence": "MONTHLY", "currency": "EUR", "pricing": pricing},
        )
        found.append(
            await sdk.add_ons.create(
                name=name,
                description=f"{name} for everybody",
                product_id=product.id,
                price_id=price["id"],
                max_instances_per_subscription=5,
                self_serviceable=True,
            )
        )
    first, second = found
    await sdk.add_ons.update(first.id, description="By hand")
    await sdk.add_ons.archive(first.id)
    assert (await sdk.add_ons.retrieve(first.id)).archived_at is not None
    await sdk.add_ons.unarchive(first.id)
    await sdk.add_ons.entitlements.create(first.id, entitlements=_specs(features, "50"))
    assert (await sdk.add_ons.entitlements.list(first.id)).data
    assert len([one async for one in sdk.add_ons.list(currency="EUR")]) == 2
    return await sdk.add_ons.retrieve(first.id), second


def _components(metric: str) -> list[m.PriceComponentInput]:
    """One component of every kind of fee."""
    return [
        m.PriceComponentInput(
            name="Platform",
            fee=m.RatePlanFee(rates=[term("MONTHLY", "49.00"), term("ANNUAL", "490.00")]),
        ),
        m.PriceComponentInput(
            name="Seats",
            fee=m.SlotPlanFee(
                rates=[term("MONTHLY", "9.50")],
                slot_unit_name="seat",
                minimum_count=2,
                quota=50,
            ),
        ),
        m.PriceComponentInput(
            name="Storage",
            fee=m.CapacityPlanFee(
                cadence=MONTH,
                metric_id=metric,
                thresholds=[
                    m.CapacityThreshold(
                        included_amount=10,
                        per_unit_overage=Decimal("0.50"),
                        price=Decimal("5.00"),
                    )
                ],
            ),
        ),
        *_rarer_components(metric),
    ]


def _rarer_components(metric: str) -> list[m.PriceComponentInput]:
    return [
        m.PriceComponentInput(
            name="Calls",
            fee=m.UsagePlanFee(
                cadence=MONTH,
                metric_id=metric,
                pricing=m.TieredPlanPricing(
                    tiers=[
                        m.TierRow(first_unit=0, rate=Decimal("0.10")),
                        m.TierRow(
                            first_unit=100,
                            rate=Decimal("0.05"),
                            flat_fee=Decimal("1.00"),
                            flat_cap=Decimal("90.00"),
                        ),
                    ]
                ),
            ),
        ),
        m.PriceComponentInput(
            name="Backups",
            fee=m.ExtraRecurringPlanFee(
                billing_type=m.BillingType("ADVANCE"),
                cadence=MONTH,
                quantity=2,
                unit_price=Decimal("3.00"),
            ),
        ),
        m.PriceComponentInput(
            name="Set-up", fee=m.OneTimePlanFee(quantity=1, unit_price=Decimal("99.00"))
        ),
    ]


async def _plans(
    guide: Guide, family: str, metric: str, add_on: m.AddOn, features: list[m.Feature]
) -> tuple[m.Plan, m.Plan]:
    sdk = guide.sdk
    given: dict[str, Any] = {
        "components": _components(metric),
        "currency": "EUR",
        "name": "Business",
        "description": "For those who mean it",
        "add_ons": [m.PlanAddOnInput(add_on_id=add_on.id, max_instances=3)],
        "billing": m.BillingConfig(net_terms=14, period_start_day=1, billing_cycles=24),
        "entitlements": _specs(features, "1000"),
        "trial": None,
    }
    plan = await sdk.plans.create(
        **given,
        plan_type="STANDARD",
        product_family_id=family,
        self_service_rank=1,
        status="DRAFT",
    )
    await sdk.plans.versions.update_minimum(
        plan.version_id, amount=Decimal("20.00"), scope=m.AllComponentsScope()
    )
    await sdk.plans.versions.delete_minimum(plan.version_id)
    await sdk.plans.publish(plan.id)
    await sdk.plans.update(plan.id, description="For everybody who means it")
    scope = m.AllComponentsScope()
    await sdk.plans.replace(
        plan.id,
        **given,
        minimum_commitment=m.MinimumCommitmentInput(amount="150.00", scope=scope),
        status="DRAFT",
    )
    plan = await sdk.plans.publish(plan.id)
    await sdk.plans.archive(plan.id)
    assert (await sdk.plans.retrieve(plan.id)).status == "ARCHIVED"
    await sdk.plans.unarchive(plan.id)
    assert [one.version async for one in sdk.plans.versions.list(plan.id)]
    simple = await sdk.plans.create(
        components=[rate("Fee", "10.00")],
        currency="EUR",
        name="Simple",
        plan_type="STANDARD",
        product_family_id=family,
        status="ACTIVE",
        trial=m.TrialConfig(duration_days=7, is_free=True, trialing_plan_id=plan.id),
    )
    made = await sdk.plans.create_plan_version_entitlement(
        simple.version_id, entitlements=_specs(features, "10")
    )
    one = made.data[0]
    await sdk.entitlements.update(one.id, value=m.BooleanEntitlementValue(enabled=False))
    assert (await sdk.entitlements.retrieve(one.id)).id == one.id
    await sdk.entitlements.delete(one.id)
    assert (await sdk.plans.list_plan_version_entitlements(simple.version_id)).data
    assert len([found async for found in sdk.plans.list()]) == 2
    return await sdk.plans.retrieve(plan.id), simple


async def _coupons(guide: Guide, plan_id: str) -> m.Coupon:
    sdk = guide.sdk
    made = await sdk.coupons.create(
        code="LAUNCH20",
        discount=percent("20"),
        description="For the launch",
        expires_at=datetime(2099, 1, 1, tzinfo=UTC),
        plan_ids=[plan_id],
        recurring_value=3,
        redemption_limit=100,
        reusable=True,
    )
    await sdk.coupons.create(code="TENOFF", discount=fixed("10.00"))
    await sdk.coupons.update(made.id, description="For the launch of it")
    await sdk.coupons.disable(made.id)
    assert (await sdk.coupons.retrieve(made.id)).disabled
    await sdk.coupons.enable(made.id)
    await sdk.coupons.archive(made.id)
    assert (await sdk.coupons.retrieve(made.id)).archived_at is not None
    await sdk.coupons.unarchive(made.id)
    assert [one.code async for one in sdk.coupons.list(search="launch")] == ["LAUNCH20"]
    found: m.Coupon = await sdk.coupons.retrieve(made.id)
    return found
