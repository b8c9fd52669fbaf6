"""What plans, add-ons and products grant, through the SDK."""

from decimal import Decimal
from typing import Any

import pytest
from meteroid import models as m
from meteroid.errors import NotFoundError

from tallystick.domain.ids import Prefix, encode
from tests.http.catalog.shop import Shop

ON, OFF = (m.BooleanEntitlementValue(enabled=enabled) for enabled in (True, False))
ENABLED, DISABLED = (
    m.BooleanResolvedEntitlementValue(enabled=enabled) for enabled in (True, False)
)


def spec(feature: m.Feature, value: m.EntitlementValue = ON) -> m.EntitlementSpecRequest:
    """One entitlement to be."""
    return m.EntitlementSpecRequest(feature_id=feature.id, value=value)


def codes(found: m.ResolvedEntitlementListResponse) -> dict[str, Any]:
    """What is granted, by the code of the feature."""
    return {one.feature.code: one.value for one in found.data}


def add_on(shop: Shop, name: str = "Support") -> m.AddOn:
    """A new add-on with a product of its own."""
    product = shop.product(name)
    return shop.sdk.add_ons.create(name=name, product_id=product, price_id=shop.price(product))


def calls(shop: Shop, **fields: Any) -> m.Feature:  # noqa: ANN401 - of the request
    """A new metered feature."""
    return shop.feature("calls", m.MeteredFeatureType(metric_id=shop.metric()), **fields)


def test_a_plan_version_grants(shop: Shop) -> None:
    """What it says itself, else the defaults of its products and of no product's features."""
    plan = shop.plan()
    own = plan.price_components[0].product_id
    assert own is not None
    sso = shop.feature("sso", entitlement=OFF)
    shop.feature("audit", entitlement=ON)
    shop.feature("export", entitlement=ON, product_id=own)
    shop.feature("elsewhere", entitlement=ON, product_id=shop.product("Other"))
    shop.feature("nothing")

    made = shop.sdk.plans.create_plan_version_entitlement(
        plan.version_id, entitlements=[spec(sso)]
    )

    (one,) = made.data
    assert (one.feature_id, one.value) == (sso.id, ON)
    assert shop.sdk.entitlements.retrieve(one.id) == one
    found = shop.sdk.plans.list_plan_version_entitlements(plan.version_id)
    assert codes(found) == {"audit": ENABLED, "export": ENABLED, "sso": ENABLED}
    assert found.data[1].feature.product == m.EntitlementProductRef(id=own, name="Fee")
    assert shop.sdk.plans.retrieve(plan.id).entitlements == [one]
    (listed,) = shop.sdk.plans.list()
    assert listed.entitlements == [one]


def test_an_add_on_grants(shop: Shop) -> None:
    """What it says itself, else the defaults of its product's features."""
    support = add_on(shop)
    feature = calls(shop, product_id=support.product_id)
    shop.feature("chat", entitlement=ON, product_id=support.product_id)
    shop.feature("global", entitlement=ON)
    value = m.MeteredEntitlementValue(limit=Decimal(500))

    made = shop.sdk.add_ons.entitlements.create(support.id, entitlements=[spec(feature, value)])

    found = shop.sdk.add_ons.entitlements.list(support.id)
    assert isinstance(feature.feature_type, m.MeteredFeatureType)
    assert codes(found) == {
        "calls": m.MeteredResolvedEntitlementValue(
            enabled=True,
            metric_id=feature.feature_type.metric_id,
            reset_period=m.NeverResetPeriod(),
            limit=Decimal(500),
        ),
        "chat": ENABLED,
    }
    assert shop.sdk.add_ons.retrieve(support.id).entitlements == made.data


def test_a_products_entitlements_are_defaults(shop: Shop) -> None:
    """Set where there is none yet, and found at the features."""
    product = shop.product()
    chat = shop.feature("chat", product_id=product)
    phone = shop.feature("phone", entitlement=OFF, product_id=product)

    made = shop.sdk.products.entitlements.create(
        product, entitlements=[spec(chat), spec(phone)]
    )

    assert [one.feature_id for one in made.data] == [chat.id]
    assert codes(shop.sdk.products.entitlements.list(product)) == {
        "chat": ENABLED,
        "phone": DISABLED,
    }
    assert shop.sdk.features.retrieve("chat").entitlement == made.data[0]


def test_a_plan_is_made_with_its_entitlements(shop: Shop) -> None:
    """As a draft or published, attached to the version."""
    sso, feature = shop.feature(), calls(shop)
    value = m.MeteredEntitlementValue(enabled=True, limit=None)

    for status in ("DRAFT", "ACTIVE"):
        plan = shop.plan(status=status, entitlements=[spec(sso), spec(feature, value)])
        assert plan.entitlements is not None
        assert [(one.feature_id, one.value) for one in plan.entitlements] == [
            (sso.id, ON),
            (feature.id, value),
        ]
        assert shop.sdk.plans.retrieve(plan.id).entitlements == plan.entitlements
        found = shop.sdk.plans.list_plan_version_entitlements(plan.version_id)
        assert list(codes(found)) == ["calls", "sso"]


def test_a_plan_with_impossible_entitlements_is_not_made(shop: Shop) -> None:
    """Every fault with its path, those of components among them."""
    sso, gone = shop.feature(), shop.feature("gone")
    shop.sdk.features.archive("gone")
    body = {
        "name": "Pro",
        "product_family_id": shop.family(),
        "plan_type": "STANDARD",
        "status": "ACTIVE",
        "currency": "EUR",
        "components": [
            {
                "name": "Fee",
                "product_id": encode(Prefix.PRODUCT, shop.tenant_id),
                "fee": {"type": "RATE", "rates": [{"term": "MONTHLY", "price": "1"}]},
            }
        ],
        "entitlements": [
            {"feature_id": sso.id, "value": {"type": "METERED"}},
            {"feature_id": gone.id, "value": {"type": "BOOLEAN", "enabled": True}},
            {
                "feature_id": encode(Prefix.FEATURE, shop.tenant_id),
                "value": {"type": "BOOLEAN", "enabled": True},
            },
        ],
    }

    assert shop.refused("POST", "/plans", body) == (
        400,
        [
            ("components[0].product_id", "unknown"),
            ("entitlements[0].value.type", "wrong_type"),
            ("entitlements[1].feature_id", "archived"),
            ("entitlements[2].feature_id", "unknown"),
        ],
    )
    assert (shop.counts()["plans"], shop.counts()["entitlements"]) == (0, 0)


def test_a_repeated_request_changes_nothing(shop: Shop) -> None:
    """What is there already is passed over, whatever value is sent."""
    plan, sso, audit = shop.plan(), shop.feature(), shop.feature("audit")
    create = shop.sdk.plans.create_plan_version_entitlement
    create(plan.version_id, entitlements=[spec(sso)])

    again = create(plan.version_id, entitlements=[spec(sso, OFF), spec(audit)])

    assert [one.feature_id for one in again.data] == [audit.id]
    assert codes(shop.sdk.plans.list_plan_version_entitlements(plan.version_id)) == {
        "audit": ENABLED,
        "sso": ENABLED,
    }
    assert len(shop.events("entitlement.created")) == 2


def test_a_metered_value_is_changed_in_parts(shop: Shop) -> None:
    """What is left out stays, null clears, and the kill switch keeps the limit."""
    weekly = m.CalendarResetPeriod(unit=m.CalendarUnit.WEEK, interval=2)
    default = m.MeteredEntitlementValue(limit=Decimal(10), reset_period=weekly)
    made = calls(shop, entitlement=default).entitlement
    assert made is not None
    update = shop.sdk.entitlements.update

    off = update(made.id, value=m.MeteredEntitlementValue(enabled=False))
    more = update(made.id, value=m.MeteredEntitlementValue(enabled=True, limit=Decimal(20)))
    unlimited = update(made.id, value=m.MeteredEntitlementValue(limit=None))
    raw = {"value": {"type": "METERED", "reset_period": None}}
    cleared = shop.raw.patch(f"/entitlements/{made.id}", json=raw).json()["value"]

    def value(enabled: bool, limit: Decimal | None) -> m.MeteredEntitlementValue:
        return m.MeteredEntitlementValue(enabled=enabled, limit=limit, reset_period=weekly)

    assert off.value == value(enabled=False, limit=Decimal(10))
    assert more.value == value(enabled=True, limit=Decimal(20))
    assert unlimited.value == value(enabled=True, limit=None)
    assert cleared == {"type": "METERED", "limit": None, "reset_period": None, "enabled": True}
    assert update(made.id).value == m.MeteredEntitlementValue(enabled=True, limit=None)
    assert len(shop.events("entitlement.updated")) == 4


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (
            {"value": {"type": "CONFIG", "value": {"kind": "BOOLEAN", "value": True}}},
            ("value.type", "wrong_type"),
        ),
        ({"value": {"type": "BOOLEAN"}}, ("value.enabled", "required")),
        ({"value": None}, ("value", "wrong_type")),
        ({"values": {}}, ("values", "unknown_field")),
    ],
)
def test_a_value_of_another_type_is_refused(
    shop: Shop, body: object, fault: tuple[str, str]
) -> None:
    """And nothing is changed."""
    made = shop.feature(entitlement=ON).entitlement
    assert made is not None

    assert shop.refused("PATCH", f"/entitlements/{made.id}", body) == (400, [fault])
    assert shop.sdk.entitlements.retrieve(made.id) == made


def test_an_entitlement_is_taken_away(shop: Shop) -> None:
    """What is granted below it holds again; a second time there is nothing to take."""
    plan, sso = shop.plan(), shop.feature(entitlement=ON)
    create = shop.sdk.plans.create_plan_version_entitlement
    (made,) = create(plan.version_id, entitlements=[spec(sso, OFF)]).data
    found = shop.sdk.plans.list_plan_version_entitlements
    assert codes(found(plan.version_id)) == {"sso": DISABLED}

    shop.sdk.entitlements.delete(made.id)

    assert codes(found(plan.version_id)) == {"sso": ENABLED}
    with pytest.raises(NotFoundError):
        shop.sdk.entitlements.delete(made.id)
    (told,) = shop.events("entitlement.deleted")
    assert (told["entitlement_id"], told["entity_id"]) == (made.id, plan.version_id)


def test_an_archived_feature_is_hidden(shop: Shop) -> None:
    """Its entitlements are kept, and resolve again when it comes back."""
    plan, sso = shop.plan(), shop.feature()
    create = shop.sdk.plans.create_plan_version_entitlement
    made = create(plan.version_id, entitlements=[spec(sso)]).data
    found = shop.sdk.plans.list_plan_version_entitlements

    shop.sdk.features.archive("sso")
    assert codes(found(plan.version_id)) == {}
    assert shop.sdk.plans.retrieve(plan.id).entitlements == made
    shop.sdk.features.unarchive("sso")
    assert codes(found(plan.version_id)) == {"sso": ENABLED}


@pytest.fixture(params=["plan-versions", "addons", "products"])
def place(request: pytest.FixtureRequest, shop: Shop) -> str:
    """Where entitlements can be attached, each in turn."""
    kind = str(request.param)
    if kind == "plan-versions":
        return f"/{kind}/{shop.plan().version_id}/entitlements"
    if kind == "addons":
        return f"/{kind}/{add_on(shop).id}/entitlements"
    return f"/{kind}/{shop.product()}/entitlements"


def test_what_cannot_be_attached(shop: Shop, other_shop: Shop, place: str) -> None:
    """Unknown and foreign features are not found; with other faults, all are told at once."""
    product_id = place.split("/")[2] if place.startswith("/products") else None
    sso = shop.feature(product_id=product_id)
    gone = shop.feature("gone", product_id=product_id)
    shop.sdk.features.archive("gone")
    foreign = other_shop.feature()
    on = {"type": "BOOLEAN", "enabled": True}

    def sent(*wanted: tuple[m.Feature, object]) -> tuple[int, list[tuple[str, str]]]:
        listed = [{"feature_id": one.id, "value": value} for one, value in wanted]
        return shop.refused("POST", place, {"entitlements": listed})

    assert sent((sso, on), (foreign, on)) == (404, [("entitlements[1].feature_id", "unknown")])
    assert sent((sso, on), (sso, {"type": "METERED"}), (gone, on), (foreign, on)) == (
        400,
        [
            ("entitlements[1].feature_id", "duplicate"),
            ("entitlements[1].value.type", "wrong_type"),
            ("entitlements[2].feature_id", "archived"),
            ("entitlements[3].feature_id", "unknown"),
        ],
    )
    assert shop.refused("POST", place, {}) == (400, [("entitlements", "required")])
    assert shop.counts()["entitlements"] == 0
    assert shop.raw.get(place).json() == {"data": []}


def test_a_product_takes_its_own_features_only(shop: Shop) -> None:
    """A feature without a product, and one of another product, are refused."""
    product = shop.product()
    free = shop.feature("free")
    other = shop.feature("other", product_id=shop.product("Other"))
    on = {"type": "BOOLEAN", "enabled": True}
    body = {"entitlements": [{"feature_id": one.id, "value": on} for one in (free, other)]}

    assert shop.refused("POST", f"/products/{product}/entitlements", body) == (
        400,
        [
            ("entitlements[0].feature_id", "contradiction"),
            ("entitlements[1].feature_id", "contradiction"),
        ],
    )


def test_nothing_of_another_tenant(shop: Shop, other_shop: Shop, place: str) -> None:
    """Neither the thing nor an entitlement is found."""
    made = shop.feature(entitlement=ON).entitlement
    assert made is not None

    assert other_shop.refused("GET", place) == (404, [])
    assert other_shop.refused("POST", place, {"entitlements": []}) == (404, [])
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        assert other_shop.refused(method, f"/entitlements/{made.id}", body) == (404, [])
    assert shop.sdk.entitlements.retrieve(made.id) == made


def test_a_repeated_key_is_answered_as_at_first(shop: Shop, place: str) -> None:
    """The answer of the first time, although nothing is made the second time."""
    product_id = place.split("/")[2] if place.startswith("/products") else None
    sso = shop.feature(product_id=product_id)
    body = {
        "entitlements": [{"feature_id": sso.id, "value": {"type": "BOOLEAN", "enabled": True}}]
    }
    key = {"Idempotency-Key": "once"}

    first, second = [shop.raw.post(place, json=body, headers=key) for _ in range(2)]

    assert (first.status_code, second.status_code) == (201, 201)
    assert (second.text, second.headers["Idempotent-Replayed"]) == (first.text, "true")
    assert len(shop.events("entitlement.created")) == 1


def test_an_entitlement_says_what_it_is_attached_to(shop: Shop) -> None:
    """A plan's version, an add-on, or the feature whose default it is."""
    plan, support = shop.plan(), add_on(shop)
    sso = shop.feature(entitlement=ON)
    create = shop.sdk.plans.create_plan_version_entitlement
    (by_plan,) = create(plan.version_id, entitlements=[spec(sso)]).data
    (by_add_on,) = shop.sdk.add_ons.entitlements.create(
        support.id, entitlements=[spec(sso)]
    ).data
    assert sso.entitlement is not None

    def told(entitlement: m.Entitlement) -> tuple[str, str]:
        shown = shop.raw.get(f"/entitlements/{entitlement.id}").json()
        return shown["entity_type"], shown["entity_id"]

    assert told(by_plan) == ("PLAN_VERSION", plan.version_id)
    assert told(by_add_on) == ("ADD_ON", support.id)
    assert told(sso.entitlement) == ("FEATURE", sso.id)
