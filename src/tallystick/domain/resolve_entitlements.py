"""What customers may do: entitlements put together from everything that grants them.

A plan grants what its version says of a feature, else the feature's default, where the feature
belongs to a product of the plan or to none. An add-on grants what it says, else the default of
a feature of its own product. Add-ons come on top of the plan: allowances add up, times the
quantity; what one of them turns on is on; a setting of an add-on stands in the place of the
plan's. What is attached to the subscription itself stands in the place of all that.

Several subscriptions of a customer add up. See decision 0044.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Context, Decimal
from fractions import Fraction
from uuid import UUID

from tallystick.domain.entitlement import (
    BooleanSetting,
    BooleanValue,
    ConfigValue,
    Entitlement,
    EntitlementValue,
    Holder,
    HolderKind,
    MeteredValue,
    NumberSetting,
    over,
)
from tallystick.domain.feature import Feature, MeteredFeature
from tallystick.domain.reset_period import Never, ResetPeriod
from tallystick.domain.usage_window import Anchors, Window

_EXACT = Context(prec=60)
"""A limit has at most 27 digits and a quantity ten: nothing is rounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAddOn:
    """So many of an add-on on a subscription."""

    add_on_id: UUID
    product_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """A subscription that grants something: what it has, and what its windows hang on.

    `product_ids` are those of its components.
    """

    id: UUID
    plan_version_id: UUID
    product_ids: frozenset[UUID]
    add_ons: tuple[HeldAddOn, ...]
    anchors: Anchors


Attached = Mapping[tuple[Holder, UUID], Entitlement]
"""Entitlements by what they are attached to, and their feature."""


def attached(entitlements: Iterable[Entitlement]) -> Attached:
    """Entitlements, to be looked up."""
    return {(one.holder, one.feature_id): one for one in entitlements}


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What may be used of a metered feature in windows of one kind, all grants together.

    `anchors` are of the subscription that has granted it for the longest time.
    """

    value: MeteredValue
    anchors: Anchors

    @property
    def reset(self) -> ResetPeriod:
        """When it begins anew."""
        return self.value.reset_period or Never()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What is granted of a feature; of a metered one, an allowance for each kind of window."""

    feature: Feature
    value: BooleanValue | ConfigValue | tuple[Allowance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How much of an allowance is used; `remaining` None is without limit."""

    consumed: Fraction
    remaining: Fraction | None
    resets_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """What a customer may do with a feature now; `usage` of a metered one.

    A metered value is `enabled` while something of it is left.
    """

    feature: Feature
    value: EntitlementValue
    usage: Usage | None = None


def resolve_thing(
    features: Iterable[Feature],
    found: Attached,
    holder: Holder | None,
    product_ids: frozenset[UUID],
    *,
    with_global: bool,
) -> list[tuple[Feature, EntitlementValue]]:
    """What one thing grants by itself, by the code of the feature.

    Args:
        features: Those that may be granted.
        found: What is attached to the thing.
        holder: The thing; None for a product, which has nothing but its features.
        product_ids: Its products.
        with_global: Whether it grants the defaults of features without a product.
    """
    granted = []
    for feature in _shown(features):
        in_scope = with_global if feature.product is None else feature.product.id in product_ids
        own = None if holder is None else found.get((holder, feature.id))
        value = _granted(feature, own, in_scope=in_scope)
        if value is not None:
            granted.append((feature, _closed(value)))
    return granted


def resolve_subscriptions(
    subscriptions: Sequence[Subscribed], features: Iterable[Feature], found: Attached
) -> list[Resolved]:
    """What subscriptions of one customer grant together, by the code of the feature.

    Args:
        subscriptions: Those that grant something, the oldest first.
        features: Those that may be granted.
        found: What is attached to the subscriptions, their add-ons and their plans' versions.
    """
    resolved = []
    for feature in _shown(features):
        values = list(_each(feature, subscriptions, found))
        if not values:
            continue
        resolved.append(Resolved(feature=feature, value=_together(feature, values)))
    return resolved


def effective(
    resolved: Resolved, windows: Sequence[Window], consumed: Sequence[Fraction]
) -> Effective:
    """What may be done now, given what was used in the window of each allowance.

    Where allowances of several kinds of windows stand side by side, the one with most left
    counts: nobody is refused what one of them grants.
    """
    if not isinstance(resolved.value, tuple):
        return Effective(feature=resolved.feature, value=resolved.value)
    best: tuple[MeteredValue, Usage] | None = None
    for allowance, window, used in zip(resolved.value, windows, consumed, strict=True):
        usage = Usage(
            consumed=used,
            remaining=_remaining(allowance.value.limit, used),
            resets_at=window.resets_at,
        )
        if best is None or _leaves_more(usage, best[1]):
            best = (allowance.value, usage)
    assert best is not None, "a metered feature has an allowance"
    value, usage = best
    is_left = usage.remaining is None or usage.remaining > 0
    return Effective(
        feature=resolved.feature,
        value=replace(value, enabled=value.enabled and is_left),
        usage=usage,
    )


def _remaining(limit: Decimal | None, used: Fraction) -> Fraction | None:
    return None if limit is None else max(Fraction(limit) - used, Fraction(0))


def _leaves_more(usage: Usage, than: Usage) -> bool:
    if than.remaining is None:
        return False
    return usage.remaining is None or usage.remaining > than.remaining


def _shown(features: Iterable[Feature]) -> list[Feature]:
    """Features that can be granted, in the order of an answer."""
    unarchived = (one for one in features if one.archived_at is None)
    return sorted(unarchived, key=lambda one: (one.code, one.id))


def _granted(
    feature: Feature, own: Entitlement | None, *, in_scope: bool
) -> EntitlementValue | None:
    default = feature.default if in_scope else None
    return default if own is None else over(own.value, default)


def _closed(value: EntitlementValue) -> EntitlementValue:
    """A value that leaves nothing open."""
    if isinstance(value, MeteredValue) and value.reset_period is None:
        return replace(value, reset_period=Never())
    return value


def _each(
    feature: Feature, subscriptions: Sequence[Subscribed], found: Attached
) -> Iterator[tuple[EntitlementValue, Anchors]]:
    """What each subscription grants of a feature.

    The default of a feature without a product is everybody's, and counts once: with the first
    subscription that says nothing in its place. Its reset period is below all of them.
    """
    is_global = feature.product is None
    has_default = False
    for one in subscriptions:
        in_scope = (
            not has_default
            if feature.product is None
            else feature.product.id in one.product_ids
        )
        version = found.get((Holder(HolderKind.PLAN_VERSION, one.plan_version_id), feature.id))
        plan = _granted(feature, version, in_scope=in_scope)
        add_ons = list(_add_ons(feature, one, found))
        value = _with_add_ons(plan, add_ons)
        override = found.get((Holder(HolderKind.SUBSCRIPTION, one.id), feature.id))
        if override is not None:
            value = over(override.value, value)
        elif is_global and version is None and plan is not None:
            has_default = True
        if value is not None and is_global:
            value = over(value, feature.default)
        if value is not None:
            yield _closed(value), one.anchors


def _add_ons(
    feature: Feature, subscription: Subscribed, found: Attached
) -> Iterator[tuple[EntitlementValue, int]]:
    """What each add-on grants, and how often; what was made first comes first."""
    granted = []
    for one in subscription.add_ons:
        own = found.get((Holder(HolderKind.ADD_ON, one.add_on_id), feature.id))
        in_scope = feature.product is not None and feature.product.id == one.product_id
        value = _granted(feature, own, in_scope=in_scope)
        if value is not None:
            source = own or feature.entitlement
            assert source is not None, "what is granted comes from somewhere"
            granted.append((source.created_at, source.id, value, one.quantity))
    for _, _, value, quantity in sorted(granted, key=lambda one: one[:2]):
        yield value, quantity


def _with_add_ons(
    plan: EntitlementValue | None, add_ons: Sequence[tuple[EntitlementValue, int]]
) -> EntitlementValue | None:
    values = [value for value, _ in add_ons]
    if plan is None and not values:
        return None
    if isinstance(plan or values[0], ConfigValue):
        return _one_setting(values) if values else plan
    if isinstance(plan or values[0], BooleanValue):
        return _any_enabled([plan, *values])
    counted = [(plan, 1), *add_ons] if plan is not None else list(add_ons)
    return _sum(counted)


def _together(
    feature: Feature, values: Sequence[tuple[EntitlementValue, Anchors]]
) -> BooleanValue | ConfigValue | tuple[Allowance, ...]:
    """What several subscriptions grant of a feature."""
    if isinstance(feature.kind, MeteredFeature):
        return _allowances(values)
    plain = [value for value, _ in values]
    if isinstance(plain[0], ConfigValue):
        return _one_setting(plain)
    return _any_enabled(plain)


def _allowances(
    values: Sequence[tuple[EntitlementValue, Anchors]],
) -> tuple[Allowance, ...]:
    """One allowance for each kind of window; what is switched off counts only alone."""
    metered = [(one, anchors) for one, anchors in values if isinstance(one, MeteredValue)]
    counted = [pair for pair in metered if pair[0].enabled] or metered
    by_reset: dict[ResetPeriod | None, list[tuple[MeteredValue, Anchors]]] = {}
    for value, anchors in counted:
        by_reset.setdefault(value.reset_period, []).append((value, anchors))
    return tuple(
        Allowance(value=_sum([(value, 1) for value, _ in alike]), anchors=alike[0][1])
        for alike in by_reset.values()
    )


def _sum(values: Sequence[tuple[EntitlementValue, int]]) -> MeteredValue:
    """Allowances together, in the windows of the first that says which."""
    metered = [(one, times) for one, times in values if isinstance(one, MeteredValue)]
    counted = [pair for pair in metered if pair[0].enabled] or metered
    limit: Decimal | None = Decimal(0)
    for value, times in counted:
        limit = (
            None
            if limit is None or value.limit is None
            else _EXACT.add(limit, _EXACT.multiply(value.limit, times))
        )
    resets = (one.reset_period for one, _ in [*counted, *metered])
    return MeteredValue(
        limit=limit,
        reset_period=next((one for one in resets if one is not None), None),
        enabled=counted[0][0].enabled,
    )


def _any_enabled(values: Iterable[EntitlementValue | None]) -> BooleanValue:
    return BooleanValue(
        enabled=any(isinstance(one, BooleanValue) and one.enabled for one in values)
    )


def _one_setting(values: Iterable[EntitlementValue]) -> ConfigValue:
    """Of several settings the greatest number, true before false, else the last."""
    settings = [one for one in values if isinstance(one, ConfigValue)]
    best = settings[0]
    for one in settings[1:]:
        if _prevails(one, best):
            best = one
    return best


def _prevails(one: ConfigValue, over_other: ConfigValue) -> bool:
    match one.value, over_other.value:
        case NumberSetting(value=new), NumberSetting(value=old):
            return new >= old
        case BooleanSetting(value=new_flag), BooleanSetting(value=old_flag):
            return new_flag or not old_flag
        case _:
            return True
