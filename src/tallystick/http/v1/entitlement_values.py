"""What is granted of a feature, on the wire."""

from decimal import Decimal
from typing import Annotated, Any, Literal, assert_never

from pydantic import Field

from tallystick.domain.entitlement import (
    BooleanSetting,
    BooleanValue,
    ConfigValue,
    EntitlementValue,
    JsonSetting,
    MeteredValue,
    NumberSetting,
    Setting,
    TextSetting,
)
from tallystick.domain.reset_period import (
    INTERVAL_MAX,
    BillingCycle,
    Calendar,
    CalendarUnit,
    FixedWindow,
    Never,
    ResetPeriod,
    SlidingWindow,
)
from tallystick.http.v1.free_form import JsonAnything
from tallystick.http.v1.scalars import (
    DecimalText,
    Flag,
    LongText,
    NonNegativeDecimal,
    RequestModel,
    WholeNumber,
)

JSON_BYTES_MAX = 16 * 1024

Interval = Annotated[
    WholeNumber,
    Field(ge=1, le=INTERVAL_MAX, description="How many units one window lasts."),
]
Unit = Annotated[
    CalendarUnit,
    Field(description="Days and longer ones are those of the tenant's time zone."),
]


class BillingCyclePeriod(RequestModel):
    """Begins anew each time the subscription renews."""

    type: Literal["BILLING_CYCLE"]


class CalendarPeriod(RequestModel):
    """Begins anew on boundaries of the calendar, whenever the subscription began.

    Intervals are counted from the beginning of 1970, weeks from a Monday, months and years
    from the year 0.
    """

    type: Literal["CALENDAR"]
    unit: Unit
    interval: Interval


class FixedWindowPeriod(RequestModel):
    """Begins anew at regular intervals from the moment of the subscription's activation."""

    type: Literal["FIXED_WINDOW"]
    unit: Unit
    interval: Interval


class SlidingWindowPeriod(RequestModel):
    """Always ends now: what is older than the interval drops out."""

    type: Literal["SLIDING_WINDOW"]
    unit: Unit
    interval: Interval


class NeverPeriod(RequestModel):
    """Never begins anew: everything since the subscription's activation counts."""

    type: Literal["NEVER"]


ResetPeriodSchema = Annotated[
    BillingCyclePeriod | CalendarPeriod | FixedWindowPeriod | SlidingWindowPeriod | NeverPeriod,
    Field(discriminator="type"),
]


class NumberConfig(RequestModel):
    """A number."""

    kind: Literal["NUMBER"]
    value: Annotated[
        Decimal, DecimalText(), Field(description="Exact; text or a number in, text out.")
    ]


class BooleanConfig(RequestModel):
    """True or false."""

    kind: Literal["BOOLEAN"]
    value: Annotated[Flag, Field(description="The flag.")]


class TextConfig(RequestModel):
    """A text; of a SELECT one of its options."""

    kind: Literal["TEXT"]
    value: Annotated[LongText, Field(description="The text; it may be empty.")]


class JsonConfig(RequestModel):
    """Any JSON value up to 16 KiB; of a MAP an object."""

    kind: Literal["JSON"]
    value: Annotated[object, JsonAnything(JSON_BYTES_MAX), Field(description="Any JSON value.")]


ConfigSchema = Annotated[
    NumberConfig | BooleanConfig | TextConfig | JsonConfig, Field(discriminator="kind")
]


class BooleanValueSchema(RequestModel):
    """The feature is there, or it is not."""

    type: Literal["BOOLEAN"]
    enabled: Annotated[Flag, Field(description="Whether it is there.")]


class MeteredValueSchema(RequestModel):
    """So much of the feature's metric until the reset."""

    type: Literal["METERED"]
    limit: Annotated[
        NonNegativeDecimal | None,
        Field(description="In the metric's converted units. Null: without limit."),
    ] = None
    reset_period: Annotated[
        ResetPeriodSchema | None,
        Field(
            description="Null: that of what is granted below (the plan of an add-on, the "
            "feature's default), else NEVER."
        ),
    ] = None
    enabled: Annotated[
        Flag | None,
        Field(description="False switches this grant off. True unless said otherwise."),
    ] = None


class ConfigValueSchema(RequestModel):
    """A setting of the feature."""

    type: Literal["CONFIG"]
    value: Annotated[ConfigSchema, Field(description="Of the kind of the feature's values.")]


EntitlementValueSchema = Annotated[
    BooleanValueSchema | MeteredValueSchema | ConfigValueSchema, Field(discriminator="type")
]


def to_value(schema: EntitlementValueSchema) -> EntitlementValue:
    """The value that was sent."""
    match schema:
        case BooleanValueSchema():
            return BooleanValue(enabled=schema.enabled)
        case MeteredValueSchema():
            return MeteredValue(
                limit=schema.limit,
                reset_period=None
                if schema.reset_period is None
                else _reset(schema.reset_period),
                enabled=schema.enabled is not False,
            )
        case ConfigValueSchema():
            return ConfigValue(value=_setting(schema.value))
    assert_never(schema)


def changed_value(schema: EntitlementValueSchema, before: EntitlementValue) -> EntitlementValue:
    """A value after a change: what is left out of a metered one stays, null clears."""
    sent = to_value(schema)
    if not isinstance(sent, MeteredValue) or not isinstance(before, MeteredValue):
        return sent
    said = schema.model_fields_set
    return MeteredValue(
        limit=sent.limit if "limit" in said else before.limit,
        reset_period=sent.reset_period if "reset_period" in said else before.reset_period,
        enabled=sent.enabled if "enabled" in said else before.enabled,
    )


def show_value(value: EntitlementValue) -> EntitlementValueSchema:
    """A value as it is sent."""
    match value:
        case BooleanValue():
            return BooleanValueSchema.model_construct(type=value.type, enabled=value.enabled)
        case MeteredValue():
            return MeteredValueSchema.model_construct(
                type=value.type,
                limit=value.limit,
                reset_period=None
                if value.reset_period is None
                else show_reset(value.reset_period),
                enabled=value.enabled,
            )
        case ConfigValue():
            return ConfigValueSchema.model_construct(
                type=value.type, value=show_setting(value.value)
            )
    assert_never(value)


def show_setting(setting: Setting) -> ConfigSchema:
    """A setting as it is sent."""
    fields: dict[str, Any] = {"kind": setting.kind, "value": setting.value}
    match setting:
        case NumberSetting():
            return NumberConfig.model_construct(**fields)
        case BooleanSetting():
            return BooleanConfig.model_construct(**fields)
        case TextSetting():
            return TextConfig.model_construct(**fields)
        case JsonSetting():
            return JsonConfig.model_construct(**fields)
    assert_never(setting)


def show_reset(reset: ResetPeriod) -> ResetPeriodSchema:
    """When an allowance begins anew, as it is sent."""
    match reset:
        case BillingCycle():
            return BillingCyclePeriod.model_construct(type=reset.type)
        case Calendar():
            return CalendarPeriod.model_construct(
                type=reset.type, unit=reset.unit, interval=reset.interval
            )
        case FixedWindow():
            return FixedWindowPeriod.model_construct(
                type=reset.type, unit=reset.unit, interval=reset.interval
            )
        case SlidingWindow():
            return SlidingWindowPeriod.model_construct(
                type=reset.type, unit=reset.unit, interval=reset.interval
            )
        case Never():
            return NeverPeriod.model_construct(type=reset.type)
    assert_never(reset)


def _reset(schema: ResetPeriodSchema) -> ResetPeriod:
    match schema:
        case BillingCyclePeriod():
            return BillingCycle()
        case CalendarPeriod():
            return Calendar(unit=schema.unit, interval=schema.interval)
        case FixedWindowPeriod():
            return FixedWindow(unit=schema.unit, interval=schema.interval)
        case SlidingWindowPeriod():
            return SlidingWindow(unit=schema.unit, interval=schema.interval)
        case NeverPeriod():
            return Never()
    assert_never(schema)


def _setting(schema: ConfigSchema) -> Setting:
    match schema:
        case NumberConfig():
            return NumberSetting(value=schema.value)
        case BooleanConfig():
            return BooleanSetting(value=schema.value)
        case TextConfig():
            return TextSetting(value=schema.value)
        case JsonConfig():
            return JsonSetting(value=schema.value)
    assert_never(schema)
