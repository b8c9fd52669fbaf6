"""What merchants are told when features change and when what is granted of them does.

The reference has no such events: these types are ours.
"""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from tallystick.domain.entitlement import Entitlement
from tallystick.domain.feature import Feature
from tallystick.domain.ids import Prefix, encode
from tallystick.services.context import Context
from tallystick.services.events import EventValue, Told, record, record_many


async def feature_told(ctx: Context, what: str, feature: Feature) -> None:
    """Record `feature.` and what happened to it: created, updated, archived, unarchived."""
    await record(
        ctx,
        f"feature.{what}",
        feature.id,
        {
            "feature_id": encode(Prefix.FEATURE, feature.id),
            "code": feature.code,
            "name": feature.name,
            "description": feature.description,
            "feature_type": _plain(asdict(feature.kind)),
            "product_id": None
            if feature.product is None
            else encode(Prefix.PRODUCT, feature.product.id),
            "created_at": feature.created_at,
        },
    )


async def entitlements_created(ctx: Context, made: tuple[Entitlement, ...]) -> None:
    """Record `entitlement.created` of each."""
    await record_many(ctx, [_told("created", one) for one in made])


async def entitlement_told(ctx: Context, what: str, entitlement: Entitlement) -> None:
    """Record `entitlement.` and what happened to it: updated or deleted."""
    await record_many(ctx, [_told(what, entitlement)])


def _told(what: str, one: Entitlement) -> Told:
    body: dict[str, EventValue] = {
        "entitlement_id": encode(Prefix.ENTITLEMENT, one.id),
        "feature_id": encode(Prefix.FEATURE, one.feature_id),
        "entity_type": one.holder.kind,
        "entity_id": one.holder.name,
        "value": _plain(asdict(one.value)),
        "created_at": one.created_at,
    }
    return f"entitlement.{what}", one.id, body


def _plain(value: Any) -> Mapping[str, EventValue]:  # noqa: ANN401 - fields of a dataclass
    """Fields as they stand on the wire."""
    return cast("Mapping[str, EventValue]", _wired(value))


def _wired(value: Any) -> Any:  # noqa: ANN401 - any field
    match value:
        case UUID():
            return encode(Prefix.METRIC, value)
        case Decimal():
            return format(value, "f")
        case dict():
            return {name: _wired(part) for name, part in value.items()}
        case tuple() | list():
            return [_wired(part) for part in value]
        case _:
            return value
