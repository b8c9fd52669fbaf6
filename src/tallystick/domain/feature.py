"""Features: what a merchant's program asks about before it lets a customer do something."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from tallystick.domain.entitlement import (
    BooleanValue,
    ConfigValue,
    Entitlement,
    EntitlementValue,
    JsonSetting,
    MeteredValue,
    NewEntitlement,
    TextSetting,
)
from tallystick.domain.errors import Fault
from tallystick.domain.ids import Prefix, is_prefixed


class ConfigValueType(StrEnum):
    """What a setting may be. A SELECT is one of listed texts, a MAP is a JSON object."""

    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    TEXT = "TEXT"
    MAP = "MAP"
    JSON = "JSON"
    SELECT = "SELECT"

    @property
    def kind(self) -> str:
        """The kind of the settings that it takes."""
        return _KINDS.get(self, self.value)


_KINDS = {ConfigValueType.MAP: "JSON", ConfigValueType.SELECT: "TEXT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BooleanFeature:
    """One that is there, or is not."""

    type: Literal["BOOLEAN"] = "BOOLEAN"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredFeature:
    """One whose use is counted with a metric."""

    metric_id: UUID
    type: Literal["METERED"] = "METERED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFeature:
    """A setting; `options` are what a SELECT may be, none for other types."""

    value_type: ConfigValueType
    options: tuple[str, ...] = ()
    type: Literal["CONFIG"] = "CONFIG"


FeatureType = BooleanFeature | MeteredFeature | ConfigFeature


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureProduct:
    """The product that a feature belongs to."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A feature. Code, type and product never change.

    `entitlement` is its default: what everybody has who has the product, and everybody with a
    subscription where it belongs to none. An archived feature is granted to nobody.
    """

    id: UUID
    code: str
    name: str
    description: str | None
    kind: FeatureType
    product: FeatureProduct | None
    entitlement: Entitlement | None
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def default(self) -> EntitlementValue | None:
        """What it grants by itself, None where that is nothing."""
        return None if self.entitlement is None else self.entitlement.value


def feature_faults(
    code: str, kind: FeatureType, default: EntitlementValue | None
) -> list[Fault]:
    """What a feature to be cannot be, field by field."""
    faults = []
    if is_prefixed(Prefix.FEATURE, code):
        message = "must not look like a feature's id, or nobody could tell them apart"
        faults.append(Fault("code", "malformed", message))
    if isinstance(kind, ConfigFeature):
        faults.extend(_option_faults(kind))
    if default is not None:
        faults.extend(value_faults(kind, default, "entitlement"))
    return faults


def _option_faults(kind: ConfigFeature) -> Iterator[Fault]:
    field = "feature_type.options"
    if kind.value_type is not ConfigValueType.SELECT:
        if kind.options:
            yield Fault(field, "contradiction", "only a SELECT has options; leave them out")
        return
    if not kind.options:
        yield Fault(field, "required", "a SELECT needs the values that it may be")
    for index, option in enumerate(kind.options):
        if option in kind.options[:index]:
            yield Fault(f"{field}[{index}]", "duplicate", "is listed already")


def value_faults(kind: FeatureType, value: EntitlementValue, path: str) -> Iterator[Fault]:
    """Why a value cannot be one of a feature of this type."""
    match kind, value:
        case BooleanFeature(), BooleanValue():
            return
        case MeteredFeature(), MeteredValue():
            return
        case ConfigFeature(), ConfigValue():
            yield from _setting_faults(kind, value, f"{path}.value")
        case _:
            message = f"must be {kind.type}, the type of the feature"
            yield Fault(f"{path}.type", "wrong_type", message)


def _setting_faults(kind: ConfigFeature, value: ConfigValue, path: str) -> Iterator[Fault]:
    setting, wanted = value.value, kind.value_type.kind
    if setting.kind != wanted:
        message = f"must be {wanted}: the feature's values are {kind.value_type.value}"
        yield Fault(f"{path}.kind", "wrong_type", message)
        return
    match kind.value_type, setting:
        case ConfigValueType.SELECT, TextSetting(value=text):
            if text not in kind.options:
                message = f"must be one of {', '.join(kind.options)}"
                yield Fault(f"{path}.value", "unknown_value", message)
        case ConfigValueType.MAP, JsonSetting(value=held):
            if not isinstance(held, Mapping):
                yield Fault(f"{path}.value", "wrong_type", "must be an object")
        case (
            (
                ConfigValueType.NUMBER
                | ConfigValueType.BOOLEAN
                | ConfigValueType.TEXT
                | ConfigValueType.JSON
            ),
            _,
        ):
            return
        case _:
            raise AssertionError(kind.value_type)


def grant_faults(
    wanted: Sequence[NewEntitlement],
    features: Mapping[UUID, Feature],
    *,
    product_id: UUID | None = None,
    path: str = "entitlements",
) -> list[Fault]:
    """Why values cannot be attached to something; with the code `unknown` where a feature is.

    Args:
        wanted: What is to be attached.
        features: The features that are named, as far as the tenant has them.
        product_id: The only product whose features can be meant.
        path: The field of the list.
    """
    faults: list[Fault] = []
    seen: set[UUID] = set()
    for index, one in enumerate(wanted):
        here = f"{path}[{index}]"
        feature = features.get(one.feature_id)
        if feature is None:
            faults.append(Fault(f"{here}.feature_id", "unknown", "must be a feature"))
            continue
        if one.feature_id in seen:
            faults.append(Fault(f"{here}.feature_id", "duplicate", "is listed already"))
        seen.add(one.feature_id)
        if feature.archived_at is not None:
            faults.append(Fault(f"{here}.feature_id", "archived", "this feature is archived"))
        if product_id is not None and (
            feature.product is None or feature.product.id != product_id
        ):
            message = "must be a feature of this product"
            faults.append(Fault(f"{here}.feature_id", "contradiction", message))
        faults.extend(value_faults(feature.kind, one.value, f"{here}.value"))
    return faults


def are_unknown(faults: Collection[Fault]) -> bool:
    """Whether all that is wrong is that something is not there."""
    return bool(faults) and all(fault.code == "unknown" for fault in faults)
