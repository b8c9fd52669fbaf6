"""Features through the SDK."""

from decimal import Decimal
from typing import Any

import pytest
from meteroid import models as m
from meteroid.errors import ConflictError, NotFoundError

from tallystick.domain.ids import Prefix, encode
from tests.http.catalog.shop import Shop

BOOLEAN = m.BooleanFeatureType()
ON = m.BooleanEntitlementValue(enabled=True)
MONTHLY = m.CalendarResetPeriod(unit=m.CalendarUnit.MONTH, interval=1)


def config(value_type: str, *options: str) -> m.ConfigFeatureType:
    """A setting."""
    return m.ConfigFeatureType(
        value_type=m.ConfigValueType(value_type), options=list(options) or None
    )


def test_a_feature_with_everything_is_created_and_found_again(shop: Shop) -> None:
    """By its id and by its code, with product, metric and default."""
    product, metric = shop.product("Platform"), shop.metric()
    default = m.MeteredEntitlementValue(
        enabled=True, limit=Decimal("1000.5"), reset_period=MONTHLY
    )

    made = shop.sdk.features.create(
        code="api-calls",
        name="API calls",
        description="Calls a month",
        feature_type=m.MeteredFeatureType(metric_id=metric),
        product_id=product,
        entitlement=default,
    )

    assert made.id.startswith("feat_")
    assert (made.code, made.name, made.description) == (
        "api-calls",
        "API calls",
        "Calls a month",
    )
    assert (made.status, made.feature_type) == (
        "ACTIVE",
        m.MeteredFeatureType(metric_id=metric),
    )
    assert made.product == m.EntitlementProductRef(id=product, name="Platform")
    assert made.entitlement is not None
    assert made.entitlement.id.startswith("ent_")
    assert (made.entitlement.feature_id, made.entitlement.value) == (made.id, default)
    assert shop.sdk.features.retrieve("api-calls") == made
    assert shop.sdk.features.retrieve(made.id) == made
    assert shop.sdk.entitlements.retrieve(made.entitlement.id) == made.entitlement


@pytest.mark.parametrize(
    ("feature_type", "value"),
    [
        (config("NUMBER"), m.NumberConfigValue(value=Decimal("-12.50"))),
        (config("BOOLEAN"), m.BooleanConfigValue(value=False)),
        (config("TEXT"), m.TextConfigValue(value="")),
        (config("SELECT", "gold", "lead"), m.TextConfigValue(value="lead")),
        (config("MAP"), m.JsonConfigValue(value={"seats": 5, "tags": ["a", None]})),
        (config("JSON"), m.JsonConfigValue(value=[1, 2.5, {"deep": True}])),
    ],
)
def test_every_type_of_setting_survives(
    shop: Shop, feature_type: m.ConfigFeatureType, value: m.ConfigValue
) -> None:
    """Type, options and value are found as they were sent."""
    default = m.ConfigEntitlementValue(value=value)
    shop.feature("tier", feature_type, entitlement=default)

    found = shop.sdk.features.retrieve("tier")

    assert isinstance(found.feature_type, m.ConfigFeatureType)
    assert found.feature_type.value_type == feature_type.value_type
    assert (found.feature_type.options or None) == feature_type.options
    assert found.entitlement is not None
    assert found.entitlement.value == default


@pytest.mark.parametrize(
    "reset",
    [
        m.BillingCycleResetPeriod(),
        MONTHLY,
        m.FixedWindowResetPeriod(unit=m.CalendarUnit.HOUR, interval=1000),
        m.SlidingWindowResetPeriod(unit=m.CalendarUnit.DAY, interval=30),
        m.NeverResetPeriod(),
        None,
    ],
)
def test_every_reset_period_survives(shop: Shop, reset: m.ResetPeriod | None) -> None:
    """As it was sent; what was left open stays open."""
    value = m.MeteredEntitlementValue(enabled=False, reset_period=reset, limit=None)
    shop.feature("calls", m.MeteredFeatureType(metric_id=shop.metric()), entitlement=value)

    found = shop.sdk.features.retrieve("calls").entitlement

    assert found is not None
    assert found.value == value


def test_name_and_description_can_be_changed(shop: Shop) -> None:
    """What is left out stays, null clears a description."""
    made = shop.feature(description="Old", entitlement=ON)

    renamed = shop.sdk.features.update("sso", name="Sign-on")
    cleared = shop.sdk.features.update(made.id, description=None)

    assert (renamed.name, renamed.description) == ("Sign-on", "Old")
    assert (cleared.name, cleared.description) == ("Sign-on", None)
    assert (cleared.code, cleared.entitlement) == ("sso", made.entitlement)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"name": None}, ("name", "wrong_type")),
        ({"name": ""}, ("name", "too_short")),
        ({"code": "other"}, ("code", "unknown_field")),
        ({"feature_type": {"type": "BOOLEAN"}}, ("feature_type", "unknown_field")),
        ({"product_id": None}, ("product_id", "unknown_field")),
    ],
)
def test_what_never_changes(shop: Shop, body: object, fault: tuple[str, str]) -> None:
    """Code, type and product are refused, and a name is never empty."""
    made = shop.feature(name="Sign-on")

    assert shop.refused("PATCH", "/features/sso", body) == (400, [fault])
    assert shop.sdk.features.retrieve(made.id) == made


def test_an_archived_feature_comes_back(shop: Shop) -> None:
    """With its default; doing it twice changes nothing more, and its code stays taken."""
    made = shop.feature(entitlement=ON)
    shop.sdk.features.archive("sso")
    shop.sdk.features.archive(made.id)
    archived = shop.sdk.features.retrieve("sso")

    assert (archived.status, archived.entitlement) == ("ARCHIVED", made.entitlement)
    with pytest.raises(ConflictError):
        shop.feature()
    shop.sdk.features.unarchive("sso")
    shop.sdk.features.unarchive("sso")
    assert shop.sdk.features.retrieve("sso") == made
    told = [
        one for what in ("archived", "unarchived") for one in shop.events(f"feature.{what}")
    ]
    assert [one["code"] for one in told] == ["sso", "sso"]


def test_a_repeated_archive_is_answered_as_at_first(shop: Shop) -> None:
    """Without a body, and without archiving again what came back meanwhile."""
    shop.feature()
    key = {"Idempotency-Key": "once"}

    first = shop.raw.post("/features/sso/archive", headers=key)
    shop.sdk.features.unarchive("sso")
    second = shop.raw.post("/features/sso/archive", headers=key)

    assert (first.status_code, first.content) == (204, b"")
    assert (second.status_code, second.headers["Idempotent-Replayed"]) == (204, "true")
    assert shop.sdk.features.retrieve("sso").status == "ACTIVE"


def test_the_list_is_filtered(shop: Shop) -> None:
    """By status, product and a part of the name; all of them without a filter."""
    product = shop.product()
    shop.feature("alpha", name="First", product_id=product)
    shop.feature("beta", name="Second")
    shop.sdk.features.archive("beta")

    def listed(**query: Any) -> list[str]:  # noqa: ANN401 - of the list
        return [one.code for one in shop.sdk.features.list(**query)]

    assert listed() == ["beta", "alpha"]
    assert listed(statuses=["ACTIVE"]) == ["alpha"]
    assert listed(statuses=["ARCHIVED"]) == ["beta"]
    assert listed(statuses=["DISABLED"]) == []
    assert listed(statuses=["DISABLED", "ACTIVE", "ARCHIVED"]) == ["beta", "alpha"]
    assert listed(product_id=product) == ["alpha"]
    assert listed(product_id=shop.product("Other")) == []
    assert listed(search="seco") == ["beta"]


def test_a_feature_tells_its_events(shop: Shop) -> None:
    """Made with its default, then renamed; a change of nothing tells nothing."""
    made = shop.feature(entitlement=ON)
    shop.sdk.features.update("sso", name="Sign-on")
    shop.sdk.features.update("sso", name="Sign-on")

    (created,) = shop.events("feature.created")
    (updated,) = shop.events("feature.updated")
    (granted,) = shop.events("entitlement.created")
    assert (created["feature_id"], created["feature_type"]) == (made.id, {"type": "BOOLEAN"})
    assert (created["name"], updated["name"]) == ("sso", "Sign-on")
    assert (granted["entity_type"], granted["entity_id"]) == ("FEATURE", made.id)
    assert granted["value"] == {"enabled": True, "type": "BOOLEAN"}


def test_a_code_names_one_feature(shop: Shop, other_shop: Shop) -> None:
    """A second feature of one code is refused; another tenant may use the code."""
    shop.feature()

    with pytest.raises(ConflictError):
        shop.feature(entitlement=ON)

    assert other_shop.feature().code == "sso"
    assert (shop.counts()["features"], shop.counts()["entitlements"]) == (1, 0)


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"code": "feat_1"}, [("code", "malformed")]),
        ({"code": "a/b"}, [("code", "malformed")]),
        ({"code": ""}, [("code", "too_short")]),
        ({"feature_type": {"type": "OTHER"}}, [("feature_type.type", "unknown_value")]),
        ({"feature_type": {"type": "METERED"}}, [("feature_type.metric_id", "required")]),
        (
            {"feature_type": {"type": "CONFIG", "value_type": "SELECT"}},
            [("feature_type.options", "required")],
        ),
        (
            {"feature_type": {"type": "CONFIG", "value_type": "TEXT", "options": ["a"]}},
            [("feature_type.options", "contradiction")],
        ),
        (
            {
                "feature_type": {
                    "type": "CONFIG",
                    "value_type": "SELECT",
                    "options": ["a", "a"],
                },
                "entitlement": {"type": "CONFIG", "value": {"kind": "TEXT", "value": "b"}},
            },
            [
                ("feature_type.options[1]", "duplicate"),
                ("entitlement.value.value", "unknown_value"),
            ],
        ),
        (
            {"entitlement": {"type": "METERED", "limit": "1"}},
            [("entitlement.type", "wrong_type")],
        ),
        (
            {
                "feature_type": {"type": "CONFIG", "value_type": "MAP"},
                "entitlement": {"type": "CONFIG", "value": {"kind": "JSON", "value": []}},
            },
            [("entitlement.value.value", "wrong_type")],
        ),
        (
            {
                "feature_type": {"type": "CONFIG", "value_type": "NUMBER"},
                "entitlement": {"type": "CONFIG", "value": {"kind": "TEXT", "value": "1"}},
            },
            [("entitlement.value.kind", "wrong_type")],
        ),
        (
            {
                "entitlement": {
                    "type": "METERED",
                    "limit": "-1",
                    "reset_period": {"type": "CALENDAR", "unit": "MINUTE", "interval": 0},
                }
            },
            [
                ("entitlement.limit", "out_of_range"),
                ("entitlement.reset_period.unit", "unknown_value"),
                ("entitlement.reset_period.interval", "out_of_range"),
            ],
        ),
    ],
)
def test_what_a_feature_cannot_be(
    shop: Shop, fields: dict[str, object], faults: list[tuple[str, str]]
) -> None:
    """Each fault is told with its path; nothing is created."""
    body = {"code": "sso", "name": "Sign-on", "feature_type": {"type": "BOOLEAN"}, **fields}

    status, found = shop.refused("POST", "/features", body)

    assert (status, sorted(found)) == (400, sorted(faults))
    assert (shop.counts()["features"], shop.counts()["events"]) == (0, 0)


def test_what_is_named_must_be_there(shop: Shop, other_shop: Shop) -> None:
    """Another tenant's product and metric are not found, both at once."""
    body = {
        "code": "calls",
        "name": "Calls",
        "feature_type": {"type": "METERED", "metric_id": other_shop.metric()},
        "product_id": other_shop.product(),
    }

    assert shop.refused("POST", "/features", body) == (
        404,
        [("feature_type.metric_id", "unknown"), ("product_id", "unknown")],
    )
    assert shop.counts()["features"] == 0


def test_what_is_not_there(shop: Shop) -> None:
    """An id and a code that nobody has are told alike."""
    for name in ("nobody", encode(Prefix.FEATURE, shop.tenant_id)):
        with pytest.raises(NotFoundError):
            shop.sdk.features.retrieve(name)
        with pytest.raises(NotFoundError):
            shop.sdk.features.archive(name)
