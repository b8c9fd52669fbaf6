"""Entitlements on the wire: raw, resolved, and as they hold for a customer."""

from typing import Annotated, Literal, assert_never

from pydantic import Field

from tallystick.domain.entitlement import (
    BooleanValue,
    ConfigValue,
    Entitlement,
    EntitlementValue,
    HolderKind,
    MeteredValue,
    NewEntitlement,
)
from tallystick.domain.feature import Feature, MeteredFeature
from tallystick.domain.reset_period import Never
from tallystick.domain.resolve_entitlements import Effective, Usage
from tallystick.http.v1.entitlement_values import (
    BooleanValueSchema,
    ConfigSchema,
    EntitlementValueSchema,
    ResetPeriodSchema,
    show_reset,
    show_setting,
    show_value,
    to_value,
)
from tallystick.http.v1.scalars import (
    LIST_MAX,
    AnswerModel,
    DecimalOut,
    EntitlementId,
    FeatureId,
    Instant,
    MetricId,
    ProductId,
    RequestModel,
)
from tallystick.http.v1.usage import show_quantity


class EntitlementSpecRequest(RequestModel):
    """One entitlement to be: of which feature, and what is granted of it."""

    feature_id: Annotated[FeatureId, Field(description="An unarchived feature.")]
    value: Annotated[EntitlementValueSchema, Field(description="Of the feature's type.")]


class CreateEntitlementsRequest(RequestModel):
    """Entitlements to be; a feature that is granted already is passed over."""

    entitlements: Annotated[
        list[EntitlementSpecRequest],
        Field(max_length=LIST_MAX, description="At most one of each feature."),
    ]


def _not_looked_at() -> EntitlementValueSchema:
    return BooleanValueSchema.model_construct(type="BOOLEAN", enabled=False)


class UpdateEntitlementRequest(RequestModel):
    """A change. What is left out of a metered value stays as it is, null clears it."""

    # Cannot be cleared: null is refused, and what is left out is not looked at.
    value: Annotated[
        EntitlementValueSchema,
        Field(
            default_factory=_not_looked_at,
            description="Of the feature's type. Left out, it stays.",
        ),
    ]


class EntitlementOut(AnswerModel):
    """What one thing grants of a feature, as it was set."""

    id: Annotated[EntitlementId, Field(description="The entitlement.")]
    feature_id: Annotated[FeatureId, Field(description="Of which feature.")]
    entity_type: Annotated[HolderKind, Field(description="What kind of thing grants it.")]
    entity_id: Annotated[
        str, Field(description="The thing that grants it; of a default the feature itself.")
    ]
    value: Annotated[EntitlementValueSchema, Field(description="What is granted, as set.")]
    created_at: Annotated[Instant, Field(description="When it was made.")]
    updated_at: Annotated[Instant, Field(description="When its value was changed last.")]


class EntitlementList(AnswerModel):
    """The entitlements that a request made; what was there already is not among them."""

    data: Annotated[list[EntitlementOut], Field(description="In the order of the request.")]


class EntitlementProductOut(AnswerModel):
    """The product that a feature belongs to."""

    id: Annotated[ProductId, Field(description="The product.")]
    name: Annotated[str, Field(description="Its name.")]


class FeatureRef(AnswerModel):
    """The feature that is spoken of."""

    id: Annotated[FeatureId, Field(description="The feature.")]
    code: Annotated[str, Field(description="Its name in the merchant's code.")]
    name: Annotated[str, Field(description="Its name for people.")]
    product: Annotated[
        EntitlementProductOut | None, Field(description="Null: it belongs to none.")
    ]


class BooleanResolved(AnswerModel):
    """Whether the feature is there."""

    type: Literal["BOOLEAN"]
    enabled: Annotated[bool, Field(description="Whether it is there.")]


class MeteredSpec(AnswerModel):
    """So much of a metric until the reset."""

    metric_id: Annotated[MetricId, Field(description="What its use is counted with.")]
    limit: Annotated[
        DecimalOut | None,
        Field(description="In the metric's converted units. Null: without limit."),
    ]
    reset_period: Annotated[
        ResetPeriodSchema, Field(description="When the allowance begins anew.")
    ]
    enabled: Annotated[bool, Field(description="Whether anything of it may be used.")]


class MeteredResolved(MeteredSpec):
    """So much of a metric until the reset; `enabled` false grants nothing of it."""

    type: Literal["METERED"]


class ConfigResolved(AnswerModel):
    """The setting."""

    type: Literal["CONFIG"]
    value: Annotated[ConfigSchema, Field(description="Of the kind of the feature's values.")]


class ResolvedEntitlement(AnswerModel):
    """What is granted of a feature, without what is used of it."""

    feature: Annotated[FeatureRef, Field(description="The feature.")]
    value: Annotated[
        BooleanResolved | MeteredResolved | ConfigResolved,
        Field(discriminator="type", description="What is granted of it."),
    ]


class ResolvedEntitlementList(AnswerModel):
    """One entry for each feature that is granted, by its code."""

    data: Annotated[list[ResolvedEntitlement], Field(description="By the feature's code.")]


class MeteredUsageOut(AnswerModel):
    """How much of an allowance is used, in the metric's converted units."""

    consumed: Annotated[
        DecimalOut, Field(description="Of the whole customer, in the current window.")
    ]
    remaining: Annotated[
        DecimalOut | None, Field(description="Not below zero. Null: without limit.")
    ]
    reset_at: Annotated[
        Instant | None,
        Field(description="When the next window begins. Null: it slides, or never does."),
    ]


class MeteredEffective(AnswerModel):
    """An allowance, and how much of it is used. `spec.enabled` is false once it is used up."""

    type: Literal["METERED"]
    spec: Annotated[MeteredSpec, Field(description="What is granted.")]
    usage: Annotated[MeteredUsageOut, Field(description="How much of it is used.")]


class EffectiveEntitlement(AnswerModel):
    """What the customer may do with a feature now."""

    feature: Annotated[FeatureRef, Field(description="The feature.")]
    value: Annotated[
        BooleanResolved | MeteredEffective | ConfigResolved,
        Field(discriminator="type", description="What may be done with it now."),
    ]


class EffectiveEntitlementList(AnswerModel):
    """One entry for each feature that is granted, by its code."""

    data: Annotated[list[EffectiveEntitlement], Field(description="By the feature's code.")]


def to_new_entitlements(
    schemas: list[EntitlementSpecRequest] | None,
) -> tuple[NewEntitlement, ...]:
    """The entitlements that were sent."""
    return tuple(
        NewEntitlement(feature_id=one.feature_id, value=to_value(one.value))
        for one in schemas or ()
    )


def show_entitlement(entitlement: Entitlement) -> EntitlementOut:
    """An entitlement as it is sent."""
    return EntitlementOut.model_construct(
        id=entitlement.id,
        feature_id=entitlement.feature_id,
        entity_type=entitlement.holder.kind,
        entity_id=entitlement.holder.name,
        value=show_value(entitlement.value),
        created_at=entitlement.created_at,
        updated_at=entitlement.updated_at,
    )


def show_entitlements(made: tuple[Entitlement, ...]) -> EntitlementList:
    """Entitlements as they are sent."""
    return EntitlementList.model_construct(data=[show_entitlement(one) for one in made])


def show_resolved(
    granted: list[tuple[Feature, EntitlementValue]],
) -> ResolvedEntitlementList:
    """What one thing grants, as it is sent."""
    return ResolvedEntitlementList.model_construct(
        data=[
            ResolvedEntitlement.model_construct(
                feature=show_feature_ref(feature), value=_resolved(feature, value)
            )
            for feature, value in granted
        ]
    )


def show_effective(found: list[Effective]) -> EffectiveEntitlementList:
    """What a customer may do, as it is sent."""
    return EffectiveEntitlementList.model_construct(
        data=[
            EffectiveEntitlement.model_construct(
                feature=show_feature_ref(one.feature), value=_effective(one)
            )
            for one in found
        ]
    )


def show_feature_ref(feature: Feature) -> FeatureRef:
    """A feature as it is referred to."""
    return FeatureRef.model_construct(
        id=feature.id, code=feature.code, name=feature.name, product=show_product_ref(feature)
    )


def show_product_ref(feature: Feature) -> EntitlementProductOut | None:
    """A feature's product as it is referred to."""
    product = feature.product
    if product is None:
        return None
    return EntitlementProductOut.model_construct(id=product.id, name=product.name)


def _resolved(
    feature: Feature, value: EntitlementValue
) -> BooleanResolved | MeteredResolved | ConfigResolved:
    match value:
        case MeteredValue():
            return MeteredResolved.model_construct(
                type=value.type, **dict(_spec(feature, value))
            )
        case BooleanValue() | ConfigValue():
            return _plain(value)
    assert_never(value)


def _effective(one: Effective) -> BooleanResolved | MeteredEffective | ConfigResolved:
    match one.value:
        case MeteredValue():
            assert one.usage is not None, "what is metered is measured"
            return MeteredEffective.model_construct(
                type=one.value.type,
                spec=_spec(one.feature, one.value),
                usage=_usage(one.usage),
            )
        case BooleanValue() | ConfigValue():
            return _plain(one.value)
    assert_never(one.value)


def _plain(value: BooleanValue | ConfigValue) -> BooleanResolved | ConfigResolved:
    if isinstance(value, BooleanValue):
        return BooleanResolved.model_construct(type=value.type, enabled=value.enabled)
    return ConfigResolved.model_construct(type=value.type, value=show_setting(value.value))


def _spec(feature: Feature, value: MeteredValue) -> MeteredSpec:
    assert isinstance(feature.kind, MeteredFeature), "a value is of its feature's type"
    return MeteredSpec.model_construct(
        metric_id=feature.kind.metric_id,
        limit=value.limit,
        reset_period=show_reset(value.reset_period or Never()),
        enabled=value.enabled,
    )


def _usage(usage: Usage) -> MeteredUsageOut:
    return MeteredUsageOut.model_construct(
        consumed=show_quantity(usage.consumed),
        remaining=None if usage.remaining is None else show_quantity(usage.remaining),
        reset_at=usage.resets_at,
    )
