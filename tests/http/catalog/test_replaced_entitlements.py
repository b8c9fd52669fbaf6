"""What a version grants goes along when the plan is replaced."""

from typing import Any

from meteroid import models as m

from tests.http.catalog.shop import Shop, term


def priced(rate: str) -> list[m.PriceComponentInput]:
    """One component at a rate."""
    return [m.PriceComponentInput(name="Fee", fee=m.RatePlanFee(rates=[term("MONTHLY", rate)]))]


def switches(plan: m.Plan) -> dict[str, bool]:
    """What its version grants, by feature."""
    granted = plan.entitlements or []
    values = {one.feature_id: one.value for one in granted}
    assert all(isinstance(one, m.BooleanEntitlementValue) for one in values.values())
    return {
        name: one.enabled
        for name, one in values.items()
        if isinstance(one, m.BooleanEntitlementValue)
    }


def spec(feature: m.Feature, enabled: bool = True) -> m.EntitlementSpecRequest:
    """An entitlement to a switch."""
    return m.EntitlementSpecRequest(
        feature_id=feature.id, value=m.BooleanEntitlementValue(enabled=enabled)
    )


def test_a_replacement_keeps_changes_and_drops_entitlements(shop: Shop) -> None:
    """Left out they go along, given they are exactly those, an empty list drops them."""
    sso, audit = (
        shop.sdk.features.create(code=code, name=code, feature_type=m.BooleanFeatureType())
        for code in ("sso", "audit")
    )
    plan = shop.plan(components=priced("49.00"), entitlements=[spec(sso)])
    given: dict[str, Any] = {"currency": "EUR", "name": "Pro"}

    dearer = shop.sdk.plans.replace(plan.id, components=priced("59.00"), **given)
    assert dearer.version == 2
    assert switches(dearer) == {sso.id: True}

    both = [spec(sso, enabled=False), spec(audit)]
    same = shop.sdk.plans.replace(
        plan.id, components=priced("59.00"), entitlements=both, **given
    )
    assert (same.version, same.version_id) == (2, dearer.version_id)
    assert switches(same) == {sso.id: False, audit.id: True}
    none = shop.sdk.plans.replace(plan.id, components=priced("69.00"), entitlements=[], **given)
    assert (none.version, none.entitlements) == (3, [])
    old = shop.sdk.plans.retrieve(plan.id, version="1")
    assert switches(old) == {sso.id: True}
    assert shop.events("entitlement.deleted") == []


def test_an_unknown_feature_is_refused_and_nothing_is_replaced(shop: Shop) -> None:
    """The fault names its place, and the plan is as it was."""
    plan = shop.plan(components=priced("49.00"))
    body = {
        "currency": "EUR",
        "name": "Pro",
        "components": [
            {
                "name": "Fee",
                "fee": {"type": "RATE", "rates": [{"term": "MONTHLY", "price": "50"}]},
            }
        ],
        "entitlements": [
            {
                "feature_id": "feat_7n42DGM5Tflk9n8mt7Fhc7",
                "value": {"type": "BOOLEAN", "enabled": True},
            }
        ],
    }

    assert shop.refused("PUT", f"/plans/{plan.id}", body) == (
        400,
        [("entitlements[0].feature_id", "unknown")],
    )
    assert shop.sdk.plans.retrieve(plan.id) == plan
