"""What is granted of a feature, and by what: a raw entitlement, and its value.

The value has one form for each type of feature. What a customer may do in the end is put
together from many of them by `resolve_entitlements`.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from tallystick.domain.ids import Prefix, encode
from tallystick.domain.reset_period import ResetPeriod


class HolderKind(StrEnum):
    """What an entitlement is attached to; one of a feature is the feature's default."""

    FEATURE = "FEATURE"
    PLAN_VERSION = "PLAN_VERSION"
    ADD_ON = "ADD_ON"
    SUBSCRIPTION = "SUBSCRIPTION"

    @property
    def prefix(self) -> Prefix:
        """How the ids of such things begin."""
        return Prefix[self.name]


@dataclass(frozen=True, slots=True)
class Holder:
    """The thing that an entitlement is attached to."""

    kind: HolderKind
    id: UUID

    @property
    def name(self) -> str:
        """Its id as it is known outside."""
        return encode(self.kind.prefix, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberSetting:
    """A number, exact."""

    value: Decimal
    kind: Literal["NUMBER"] = "NUMBER"


@dataclass(frozen=True, slots=True, kw_only=True)
class BooleanSetting:
    """True or false."""

    value: bool
    kind: Literal["BOOLEAN"] = "BOOLEAN"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSetting:
    """A text."""

    value: str
    kind: Literal["TEXT"] = "TEXT"


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSetting:
    """Any JSON value."""

    value: Any
    kind: Literal["JSON"] = "JSON"


Setting = NumberSetting | BooleanSetting | TextSetting | JsonSetting


@dataclass(frozen=True, slots=True, kw_only=True)
class BooleanValue:
    """A feature is there, or it is not."""

    enabled: bool
    type: Literal["BOOLEAN"] = "BOOLEAN"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredValue:
    """So much of a feature's metric until the reset; `limit` None is without limit.

    `reset_period` None leaves it to what is granted below. What is not `enabled` grants
    nothing.
    """

    limit: Decimal | None = None
    reset_period: ResetPeriod | None = None
    enabled: bool = True
    type: Literal["METERED"] = "METERED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigValue:
    """A setting of the feature."""

    value: Setting
    type: Literal["CONFIG"] = "CONFIG"


EntitlementValue = BooleanValue | MeteredValue | ConfigValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """A value of a feature, attached to one thing."""

    id: UUID
    feature_id: UUID
    holder: Holder
    value: EntitlementValue
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntitlement:
    """A value to be attached to something."""

    feature_id: UUID
    value: EntitlementValue


def over(upper: EntitlementValue, lower: EntitlementValue | None) -> EntitlementValue:
    """A value in the place of another; what it leaves open is the other's."""
    if (
        isinstance(upper, MeteredValue)
        and isinstance(lower, MeteredValue)
        and upper.reset_period is None
    ):
        return replace(upper, reset_period=lower.reset_period)
    return upper
