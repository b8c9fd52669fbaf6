"""What plans, add-ons and overrides come to together."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tallystick.domain.entitlement import (
    BooleanSetting,
    ConfigValue,
    EntitlementValue,
    Holder,
    HolderKind,
    JsonSetting,
    MeteredValue,
    NumberSetting,
    Setting,
)
from tallystick.domain.reset_period import BillingCycle, Never
from tallystick.domain.resolve_entitlements import (
    attached,
    resolve_thing,
)
from tests.domain.granting import (
    ADD_ON,
    CALLS,
    MONTHLY,
    OFF,
    ON,
    OTHER_ADD_ON,
    OTHER_VERSION,
    PACK,
    PLATFORM,
    SSO,
    SUPPORT,
    TIER,
    VERSION,
    Case,
    having,
    held,
    metered,
    text,
)


def test_a_default_is_everybodys_who_has_the_product() -> None:
    """Of a component, of an add-on, or of nobody where the feature belongs to another one."""
    assert Case(kind=SSO, product=PLATFORM, default=ON).value() == ON
    assert Case(kind=SSO, product=SUPPORT, default=ON).value() is None
    support = held(product=SUPPORT)
    assert Case(kind=SSO, product=SUPPORT, default=ON).value(having(support)) == ON
    assert Case(kind=SSO, default=ON).value() == ON
    assert Case(kind=SSO).value() is None


def test_a_plan_stands_in_the_place_of_the_default() -> None:
    """Also where the default grants more, and where its product is not in the plan."""
    assert Case(kind=SSO, default=ON).version(OFF).value() == OFF
    assert Case(kind=CALLS, default=metered(None)).version(metered(5)).limit() == 5
    assert Case(kind=SSO, product=SUPPORT).version(ON).value() == ON


def test_add_ons_come_on_top_of_the_plan() -> None:
    """1000 of the plan, two packs of 500, and 250 of another add-on."""
    case = Case(kind=CALLS).version(metered(1000)).add_on(metered(500))
    case.add_on(metered(250), OTHER_ADD_ON)

    assert case.limit() == 1000
    assert case.limit(having(held(2))) == 2000
    assert case.limit(having(held(2), held(1, OTHER_ADD_ON))) == 2250


def test_an_add_on_alone_grants_what_it_says() -> None:
    """Without anything of the plan, times its quantity."""
    assert Case(kind=CALLS).add_on(metered("0.5")).limit(having(held(3))) == Decimal("1.5")


def test_the_default_of_an_add_ons_product_counts_for_each_of_them() -> None:
    """A pack of a product with 500 by default; what the add-on says stands in its place."""
    case = Case(kind=CALLS, product=PACK, default=metered(500))

    assert case.limit(having(held(3))) == 1500
    assert case.add_on(metered(100)).limit(having(held(3))) == 300


def test_what_is_without_limit_stays_so() -> None:
    """Of the plan or of an add-on, whatever stands beside it."""
    unlimited = Case(kind=CALLS).version(metered(None)).add_on(metered(500))
    assert unlimited.limit(having(held())) is None
    topped = Case(kind=CALLS).version(metered(1000)).add_on(metered(None))
    assert topped.limit(having(held())) is None


def test_what_is_switched_off_grants_nothing() -> None:
    """An add-on goes on without the plan, and the other way round; with neither, it is off."""
    off = metered(1000, enabled=False)
    plan_off = Case(kind=CALLS).version(off).add_on(metered(500))
    assert plan_off.value(having(held())) == metered(500, reset_period=Never())
    add_on_off = Case(kind=CALLS).version(metered(200)).add_on(off)
    assert add_on_off.limit(having(held())) == 200
    assert Case(kind=CALLS).version(off).value() == replace(off, reset_period=Never())


def test_a_boolean_is_on_where_one_of_them_turns_it_on() -> None:
    """An add-on never takes away what the plan grants."""
    assert Case(kind=SSO).version(OFF).add_on(ON).value(having(held())) == ON
    assert Case(kind=SSO).version(ON).add_on(OFF).value(having(held())) == ON
    assert Case(kind=SSO).version(OFF).add_on(OFF).value(having(held())) == OFF


def test_an_add_ons_setting_stands_in_the_place_of_the_plans() -> None:
    """Of several, the one that was granted last; where they are numbers, the greatest."""
    case = Case(kind=TIER).version(text("email")).add_on(text("phone"))
    case.add_on(text("chat"), OTHER_ADD_ON)
    assert case.value() == text("email")
    assert case.value(having(held())) == text("phone")
    assert case.value(having(held(1, OTHER_ADD_ON), held())) == text("chat")


@pytest.mark.parametrize(
    ("first", "second", "wins"),
    [
        (NumberSetting(value=Decimal(9)), NumberSetting(value=Decimal(10)), 1),
        (NumberSetting(value=Decimal(10)), NumberSetting(value=Decimal(9)), 0),
        (BooleanSetting(value=True), BooleanSetting(value=False), 0),
        (BooleanSetting(value=False), BooleanSetting(value=True), 1),
        (JsonSetting(value={"a": 1}), JsonSetting(value=[]), 1),
    ],
)
def test_one_of_several_settings(first: Setting, second: Setting, wins: int) -> None:
    """The greatest number, true before false, else the last."""
    case = Case(kind=TIER).add_on(ConfigValue(value=first))
    case.add_on(ConfigValue(value=second), OTHER_ADD_ON)

    found = case.value(having(held(), held(1, OTHER_ADD_ON)))

    assert found == ConfigValue(value=(first, second)[wins])


def test_an_override_stands_in_the_place_of_everything() -> None:
    """Less, more, off: what the subscription says, and only that subscription."""
    calls = Case(kind=CALLS).version(metered(1000)).add_on(metered(500)).override(metered(7))
    assert calls.limit(having(held(2))) == 7
    assert calls.limit(having(held(2), number=2)) == 2000
    assert Case(kind=SSO).version(ON).override(OFF).value() == OFF
    assert Case(kind=TIER).version(text("a")).override(text("b")).value() == text("b")
    assert Case(kind=SSO).override(ON).value() == ON


def test_a_reset_period_that_is_left_out_is_taken_from_below() -> None:
    """The default's, the plan's, and NEVER where nobody says."""
    monthly = metered(10, reset_period=MONTHLY)
    case = Case(kind=CALLS, default=monthly).version(metered(20))
    assert case.value() == metered(20, reset_period=MONTHLY)
    case.add_on(metered(5, reset_period=BillingCycle()))
    assert case.value(having(held())) == metered(25, reset_period=MONTHLY)
    assert case.override(metered(1)).value() == metered(1, reset_period=MONTHLY)
    alone = Case(kind=CALLS).add_on(metered(5, reset_period=BillingCycle()))
    assert alone.value(having(held())) == metered(5, reset_period=BillingCycle())
    assert Case(kind=CALLS).version(metered(1)).value() == metered(1, reset_period=Never())


def test_an_archived_feature_is_granted_to_nobody() -> None:
    """Whatever is attached of it."""
    assert Case(kind=SSO, default=ON, archived=True).version(ON).override(ON).value() is None


def test_subscriptions_add_up() -> None:
    """1000 of one and 500 of the other; what one of them turns on is on."""
    both = having(), having(number=2, version=OTHER_VERSION)
    calls = Case(kind=CALLS).version(metered(1000)).version(metered(500), OTHER_VERSION)
    assert calls.limit(*both) == 1500
    assert Case(kind=SSO).version(OFF).version(ON, OTHER_VERSION).value(*both) == ON
    settings = Case(kind=TIER).version(text("b")).version(text("a"), OTHER_VERSION)
    assert settings.value(*both) == text("a")


def test_the_default_of_a_feature_without_product_counts_once() -> None:
    """However many subscriptions; what a plan says besides counts each time."""
    case = Case(kind=CALLS, default=metered(10))
    both = having(), having(number=2, version=OTHER_VERSION)
    assert case.limit(*both) == 10
    assert case.version(metered(100)).limit(*both) == 110
    product = Case(kind=CALLS, product=PLATFORM, default=metered(10))
    assert product.limit(*both) == 20


def test_the_default_counts_with_whoever_has_nothing_in_its_place() -> None:
    """Whichever subscription is the older one, beside an override of another."""
    case = Case(kind=CALLS, default=metered(100)).override(metered(50), subscription=1)
    first, second = having(number=1), having(number=2)
    assert case.limit(first, second) == case.limit(second, first) == 150

    refused = Case(kind=SSO, default=ON).override(OFF, subscription=1)
    assert refused.value(first, second) == refused.value(second, first) == ON
    assert refused.value(first) == OFF


def test_the_defaults_reset_period_is_below_every_subscription() -> None:
    """Also where the default itself was counted with an older one."""
    monthly = metered(100, reset_period=MONTHLY)
    sums = metered(150, reset_period=MONTHLY)
    older = having(number=1)

    plan = Case(kind=CALLS, default=monthly).version(metered(50), OTHER_VERSION)
    assert plan.value(older, having(number=2, version=OTHER_VERSION)) == sums
    pack = Case(kind=CALLS, default=monthly).add_on(metered(50))
    assert pack.value(older, having(held(), number=2)) == sums
    deal = Case(kind=CALLS, default=monthly).override(metered(50), subscription=2)
    assert deal.value(older, having(number=2)) == sums


@pytest.mark.parametrize(
    ("monthly", "ever", "left"), [("40", "0", 300), ("0", "290", 100), ("100", "300", 0)]
)
def test_of_several_kinds_of_windows_the_one_with_most_left_counts(
    monthly: str, ever: str, left: int
) -> None:
    """100 a month by one subscription, 300 once and for all by the other."""
    case = Case(kind=CALLS).version(metered(100, reset_period=MONTHLY))
    case.version(metered(300), OTHER_VERSION)
    both = having(), having(number=2, version=OTHER_VERSION)

    found = case.granted(*both, used=monthly, others=(ever,))

    assert found is not None
    assert found.usage is not None
    assert isinstance(found.value, MeteredValue)
    assert found.usage.remaining == left
    assert found.value.enabled == (left > 0)


@pytest.mark.parametrize(
    ("limit", "used", "left", "enabled"),
    [
        ("100", "0", 100, True),
        ("100", "99.5", Fraction(1, 2), True),
        ("100", "100", 0, False),
        ("100", "150", 0, False),
        ("0", "0", 0, False),
        (None, "1000000", None, True),
    ],
)
def test_what_is_used_up_is_off(
    limit: str | None, used: str, left: Fraction | None, enabled: bool
) -> None:
    """What remains is never below zero, and nothing is left of nothing."""
    found = Case(kind=CALLS).version(metered(limit)).granted(used=used)

    assert found is not None
    assert found.usage is not None
    assert found.value == metered(limit, reset_period=Never(), enabled=enabled)
    assert (found.usage.consumed, found.usage.remaining) == (Fraction(used), left)


def test_single_things_show_what_they_grant_by_themselves() -> None:
    """A plan without its add-ons, one of an add-on, a product with its features."""
    case = Case(kind=CALLS, product=PACK, default=metered(5)).version(metered(1000))
    found = attached(case.found)

    def shown(holder: Holder | None, *products: UUID) -> list[EntitlementValue]:
        granted = resolve_thing(
            [case.feature], found, holder, frozenset(products), with_global=holder is not None
        )
        return [value for _, value in granted]

    never = Never()
    assert shown(Holder(HolderKind.PLAN_VERSION, VERSION), PLATFORM) == [
        metered(1000, reset_period=never)
    ]
    assert shown(Holder(HolderKind.PLAN_VERSION, OTHER_VERSION), PLATFORM) == []
    assert shown(Holder(HolderKind.ADD_ON, ADD_ON), PACK) == [metered(5, reset_period=never)]
    assert shown(None, PACK) == [metered(5, reset_period=never)]
    assert shown(None, SUPPORT) == []


limits = st.one_of(st.none(), st.decimals(0, 10**15, places=12))


@example(
    plan=Decimal("999999999999999.999999999999"),
    add_on=Decimal("123456789012345.123456789012"),
    quantity=999_999_999,
    subscriptions=3,
)
@given(
    plan=limits,
    add_on=limits,
    quantity=st.integers(1, 10**9),
    subscriptions=st.integers(1, 3),
)
def test_limits_add_up_exactly(
    plan: Decimal | None, add_on: Decimal | None, quantity: int, subscriptions: int
) -> None:
    """To the last of twelve decimals, and no grant makes it less."""
    case = Case(kind=CALLS).version(MeteredValue(limit=plan))
    case.add_on(MeteredValue(limit=add_on))
    all_of_them = [having(held(quantity), number=n) for n in range(1, subscriptions + 1)]

    found = case.limit(*all_of_them)

    if plan is None or add_on is None:
        assert found is None
    else:
        assert found is not None
        expected = (Fraction(plan) + Fraction(add_on) * quantity) * subscriptions
        assert Fraction(found) == expected
